-- What goes wrong below a server's certificate: versions, ciphers, alerts,
-- and connections that are no TLS or end too early.
-- Source: MPP provisioning guide, TLS_Client_Min_Version and TLS_Cipher_List;
-- RFC 7465, RFC 8996 (what is never offered); RFC 8446 6.
local badssl = require "support.badssl"
local phones = require "support.phones"
local pki = require "support.pki"
local process = require "support.process"
local servers = require "support.servers"
local tcp = require "support.tcp"

local profile, write = phones.profile, phones.write

-- openssl refuses much by itself, unless told so.
local function only(ciphers, ...)
  return { "-cipher", ciphers .. ":@SECLEVEL=0", ... }
end

local lab, root, phone

setup(function()
  lab = pki.shared()
  root = process.temp_dir()
  write(root .. "/a.xml", profile { GPP_C = "got" })
  phone = badssl.phone { ca = lab.ca.cert }
end)

teardown(function() process.remove(root) end)

-- One resync from an openssl server with these options.
local function meet(options, set, cert)
  cert = cert or lab:server {}
  local server <close> = servers.s_server { cert = cert.cert, key = cert.key,
    root = root, options = options }
  return phone:get(("https://localhost:%d/a.xml"):format(server.https_port),
    set)
end

-- One resync from a server that says just this.
local function hear(answer, path)
  local server <close> = tcp.serve { answer }
  return phone:get(("https://localhost:%d%s"):format(server:port(),
    path or "/a.xml"))
end

local function rsa() return lab:server { key = "rsa:2048" } end

describe("TLS_Client_Min_Version", function()
  local highest = {
    ["TLS 1.1"] = only("ALL", "-tls1_1"),
    ["TLS 1.2"] = { "-tls1_2" },
    ["TLS 1.3"] = {},
  }
  local cells = {
    { "TLS 1.1", "TLS 1.1", "t.version" },
    { "TLS 1.1", "TLS 1.2", "ok", "TLSv1.2" },
    { "TLS 1.1", "TLS 1.3", "ok", "TLSv1.3" },
    { "TLS 1.2", "TLS 1.1", "t.version" },
    { "TLS 1.2", "TLS 1.2", "ok", "TLSv1.2" },
    { "TLS 1.2", "TLS 1.3", "ok", "TLSv1.3" },
    { "TLS 1.3", "TLS 1.1", "t.version" },
    { "TLS 1.3", "TLS 1.2", "t.version" },
    { "TLS 1.3", "TLS 1.3", "ok", "TLSv1.3" },
  }
  for _, cell in ipairs(cells) do
    local mine, theirs, word, version = table.unpack(cell)
    it(("%s and a server up to %s: %s"):format(mine, theirs, version or word),
      function()
        local got = meet(highest[theirs], { TLS_Client_Min_Version = mine })
        assert.equal(word, got.word, got.sentence)
        assert.equal(version, got.response and got.response.tls)
        if word ~= "ok" then
          assert.matches(mine == "TLS 1.3" and "TLS 1%.3" or "TLS 1%.2 or 1%.3",
            got.sentence)
        end
      end)
  end

  it("does not know TLS 1.0", function()
    assert.equal("t.version", meet(only("ALL", "-tls1")).word)
  end)

  it("takes a server that has TLS 1.3 only", function()
    local got = meet { "-tls1_3" }
    assert.same({ "ok", "TLSv1.3" }, { got.word, got.response.tls })
  end)

  -- Today's openssl cannot speak it: a ServerHello as it was.
  it("does not know SSL 3 (fault 55)", function()
    local hello = "\3\0" .. ("r"):rep(32) .. "\0\0\5\0"
    local got = hear({ "\x16\3\0" .. (">s2"):pack("\2\0"
      .. (">s2"):pack(hello)), at_once = true })
    assert.matches("^t%.", got.word)
    assert.equal("t.version", hear(
      { "\x15\3\0\0\2\2\70", at_once = true }).word)
  end)
end)

describe("a server's cipher", function()
  -- TLS 1.2, by openssl's names; "ecdsa" or "rsa" is the key.
  local taken = {
    { "ECDHE-ECDSA-AES256-GCM-SHA384" }, { "ECDHE-ECDSA-CHACHA20-POLY1305" },
    { "ECDHE-ECDSA-AES128-GCM-SHA256" }, { "ECDHE-ECDSA-AES256-SHA384" },
    { "ECDHE-ECDSA-AES128-SHA256" },
    { "ECDHE-RSA-AES256-GCM-SHA384", rsa },
    { "ECDHE-RSA-CHACHA20-POLY1305", rsa },
    { "ECDHE-RSA-AES128-GCM-SHA256", rsa },
    { "ECDHE-RSA-AES256-SHA384", rsa }, { "ECDHE-RSA-AES128-SHA256", rsa },
  }
  for _, row in ipairs(taken) do
    it(row[1] .. " is taken", function()
      local got = meet({ "-tls1_2", "-cipher", row[1] }, nil,
        row[2] and row[2]())
      assert.equal("ok", got.word, got.sentence)
      assert.equal("TLSv1.2", got.response.tls)
    end)
  end

  for _, name in ipairs { "TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256",
    "TLS_CHACHA20_POLY1305_SHA256" } do
    it(name .. " is taken", function()
      assert.equal("ok", meet({ "-tls1_3", "-ciphersuites", name }).word)
    end)
  end

  -- The server finds nothing that it shares with the phone and says so.
  local refused = {
    { "NULL-SHA256", "no encryption" }, { "ECDHE-RSA-NULL-SHA",
      "no encryption" },
    { "ADH-AES256-GCM-SHA384", "nobody's key" },
    { "AECDH-AES256-SHA", "nobody's key" },
    { "ECDHE-RSA-AES128-SHA", "SHA-1" },
    { "DHE-RSA-AES256-GCM-SHA384", "groups of the server's choice" },
    { "AES256-GCM-SHA384", "RSA key exchange, only where it is named" },
    { "RC4-SHA", "RFC 7465 (fault 55)" }, { "RC4-MD5", "RFC 7465, MD5" },
    { "DES-CBC3-SHA", "64-bit blocks (fault 55)" },
    { "DES-CBC-SHA", "56 bits" }, { "EXP-RC4-MD5", "40 bits" },
  }
  -- Can this openssl be such a server?
  local function has(cipher)
    return pcall(pki.openssl, { "ciphers", "-s", "-tls1_2",
      cipher .. ":@SECLEVEL=0" })
  end
  for _, row in ipairs(refused) do
    it(("%s is not: %s"):format(row[1], row[2]), function()
      if not has(row[1]) then
        pending("this openssl cannot offer " .. row[1]
          .. "; see the servers that insist")
        return
      end
      local got = meet(only(row[1], "-tls1_2"), nil, rsa())
      assert.equal("t.handshake", got.word)
      assert.matches("alert 40", got.sentence)
    end)
  end

  -- Suites that no server of today has: their number in a ServerHello.
  for number, name in pairs { [0x0004] = "RC4-MD5", [0x0005] = "RC4-SHA",
    [0x0009] = "DES-CBC-SHA", [0x000a] = "DES-CBC3-SHA",
    [0x0003] = "EXP-RC4-MD5", [0x0000] = "NULL-NULL",
    [0x0018] = "ADH-RC4-MD5", [0xc007] = "ECDHE-ECDSA-RC4-SHA" } do
    it(name .. " is not taken from a server that insists (fault 55)",
      function()
        local hello = "\3\3" .. ("r"):rep(32) .. (">s1I2B"):pack("", number,
          0)
        local got = hear { "\x16\3\3" .. (">s2"):pack("\2\0"
          .. (">s2"):pack(hello)), at_once = true }
        assert.equal("t.handshake", got.word, got.sentence)
      end)
  end
end)

describe("a phone's own greeting", function()
  -- The suites it offers, as openssl's server reads them.
  local function offered(set)
    local cert = rsa()
    local server <close> = servers.s_server { cert = cert.cert,
      key = cert.key, root = root, options = { "-trace" } }
    phone:get(("https://localhost:%d/a.xml"):format(server.https_port), set)
    local text = server.output():match(
      "cipher_suites[^\n]*\n(.-)\n%s*compression")
    local names = {}
    for name in text:gmatch("} ([%w_]+)") do
      if name ~= "TLS_EMPTY_RENEGOTIATION_INFO_SCSV" then
        names[#names + 1] = name
      end
    end
    return names
  end

  for _, list in ipairs { "", "ALL:eNULL:aNULL", "RSA:!aNULL:!eNULL",
    "RC4-SHA:DES-CBC3-SHA:NULL-SHA256", "ADH-AES128-SHA256:EXP-RC4-MD5",
    "ALL:COMPLEMENTOFALL", "nonsense", "!ALL" } do
    it(("offers nothing that is broken: TLS_Cipher_List %q"):format(list),
      function()
        local names = offered { TLS_Cipher_List = list }
        assert.is_true(#names > 0)
        for _, name in ipairs(names) do
          for _, bad in ipairs { "RC4", "DES", "NULL", "anon", "EXPORT",
            "MD5" } do
            assert.is_nil(name:find(bad, 1, true), name)
          end
        end
      end)
  end

  it("offers AES-256 first, and RSA key exchange only if asked to",
    function()
      local names = offered {}
      assert.same({ "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" },
        table.move(names, 1, 4, 1, {}))
      assert.is_nil(table.concat(names, " "):find("TLS_RSA_", 1, true))
    end)
end)

describe("TLS_Cipher_List", function()
  it("RSA:!aNULL:!eNULL, the documented example, adds RSA key exchange",
    function()
      local server = { "-tls1_2", "-cipher", "AES256-GCM-SHA384" }
      assert.equal("t.handshake", meet(server, nil, rsa()).word)
      local got = meet(server, { TLS_Cipher_List = "RSA:!aNULL:!eNULL" },
        rsa())
      assert.equal("ok", got.word, got.sentence)
    end)

  it("is what the server may choose from", function()
    local list = { TLS_Cipher_List = "ECDHE-ECDSA-AES128-GCM-SHA256" }
    local got = meet({ "-tls1_2" }, list)
    assert.same({ "ok", "TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256" },
      { got.word, got.response.cipher })
    assert.equal("t.handshake", meet({ "-tls1_2", "-cipher",
      "ECDHE-ECDSA-AES256-GCM-SHA384" }, list).word)
  end)

  it("that leaves nothing stands for the default, and that is said",
    function()
      for _, list in ipairs { "RC4-SHA:!ECDHE", "!ALL:-RSA", "gibberish" } do
        local got = meet({}, { TLS_Cipher_List = list })
        assert.equal("ok", got.word, got.sentence)
        assert.is_string(got.notes["tls-ciphers"])
      end
    end)
end)

describe("a server that sends the alert", function()
  -- RFC 8446 6.2. 40 may be about anything: only after a phone without a
  -- certificate was asked for one it is about that, see live_identity_spec.
  local alerts = { [10] = "t.handshake", [20] = "t.handshake",
    [22] = "t.handshake", [40] = "t.handshake", [42] = "t.client",
    [43] = "t.client", [44] = "t.client", [45] = "t.client",
    [46] = "t.client", [47] = "t.handshake", [48] = "t.client",
    [49] = "t.handshake", [50] = "t.handshake", [51] = "t.handshake",
    [70] = "t.version", [71] = "t.handshake", [80] = "t.handshake",
    [86] = "t.handshake", [109] = "t.handshake", [110] = "t.handshake",
    [112] = "t.handshake", [116] = "t.client", [120] = "t.handshake",
    [255] = "t.handshake" }
  for number, word in pairs(alerts) do
    it(("%d: %s"):format(number, word), function()
      local got = hear { "\x15\3\3\0\2\2" .. string.char(number),
        at_once = true }
      assert.equal(word, got.word, got.sentence)
      if number ~= 70 then
        assert.matches("alert " .. number, got.sentence)
      end
    end)
  end
end)

describe("a server that", function()
  local talk = {
    { "hangs up at once", { "", at_once = true }, "t.handshake", "hung up" },
    { "speaks plain HTTP", { "HTTP/1.1 400 Bad Request\r\n\r\n",
      at_once = true }, "t.handshake" },
    { "speaks SSH", { "SSH-2.0-OpenSSH_9.2\r\n", at_once = true },
      "t.handshake" },
    { "sends zeros", { ("\0"):rep(4096), at_once = true }, "t.handshake" },
    { "sends noise without end", { "", endless = "\xff\x17\x42", at_once =
      true }, "t.handshake" },
    { "greets with an empty message", { "\x16\3\3\0\0", at_once = true },
      "t.handshake" },
    { "greets with half a message", { "\x16\3\3\0\x40\2\0\0\x3c\3\3",
      at_once = true }, "t.handshake", "hung up" },
    { "greets with a message of 16 MiB", { "\x16\3\3\x40\0\2\xff\xff\xff"
      .. ("\0"):rep(16380), at_once = true }, "t.handshake" },
  }
  for _, row in ipairs(talk) do
    it(row[1], function()
      local before = phone.store:revision()
      local got = hear(row[2])
      assert.equal(row[3], got.word, got.sentence)
      if row[4] then assert.matches(row[4], got.sentence) end
      assert.equal(before, phone.store:revision())
    end)
  end

  for _, version in ipairs { "-tls1_2", "-tls1_3" } do
    it("hangs up in the handshake, wherever: " .. version, function()
      local cert = lab:server {}
      local server <close> = servers.s_server { cert = cert.cert,
        key = cert.key, root = root, options = { version } }
      for _, after in ipairs { 1, 5, 60, 100, 200, 400, 600 } do
        local got = hear { relay = server.https_port, after = after }
        assert.equal("t.handshake", got.word, got.sentence)
      end
    end)
  end
end)

-- HTTP/1.0 without a length: the end of the connection is the end of the file,
-- and only TLS can tell whether it was meant.
describe("an answer that ends too early (fault 54)", function()
  local server, size

  setup(function()
    local cert = lab:server {}
    server = servers.s_server { cert = cert.cert, key = cert.key,
      root = root }
    local text = profile { GPP_C = "bad" }
    size = #text + 60000
    write(root .. "/long.xml", text .. (" "):rep(60000))
  end)
  teardown(function() server:stop() end)

  local function cut(after, bytes)
    local got = hear({ bytes, relay = server.https_port, after = after },
      "/long.xml")
    assert.equal("partial", got.word, got.sentence)
    assert.not_equal("bad", phone:param("GPP_C"))
  end

  it("without a close_notify", function() cut(30000) end)

  it("with an alert of a stranger in it", function()
    cut(30000, "\x15\3\3\0\2\2\20")
    cut(30000, "\x15\3\3\0\2\1\0")
  end)

  it("is told apart from the whole file", function()
    local got = hear({ relay = server.https_port, after = 2 * size },
      "/long.xml")
    assert.equal("ok", got.word, got.sentence)
  end)
end)
