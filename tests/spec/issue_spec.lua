-- Keys, certificates and requests of our own, seen by openssl and by our own
-- checks; and identities whose keys sign elsewhere, seen by nginx.
-- Source: RFC 5280 (certificates), RFC 2986 and RFC 7030 4.2.2 (requests).
local fetch = require "peal.fetch"
local issue = require "peal.issue"
local live = require "peal.world.live"
local loop = require "peal.loop"
local phones = require "support.phones"
local pki = require "support.pki"
local process = require "support.process"
local servers = require "support.servers"
local sys = require "peal.sys"
local trust = require "peal.trust"
local virtual = require "peal.world.virtual"

local need, write = phones.need, phones.write

local DAY <const> = 86400
local NOW <const> = os.time()

local dir

setup(function() dir = process.temp_dir() end)
teardown(function() process.remove(dir) end)

local function save(name, der, label)
  return write(dir .. "/" .. name, trust.pem(der, label))
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

-- What `openssl ARGUMENTS` writes; an error where it fails.
local function openssl(...)
  local out = dir .. "/out"
  os.remove(out) -- it is added to
  pki.openssl({ ... }, { stdout = out })
  return read(out)
end

-- A certificate with defaults; `o` changes them.
local function certificate(o)
  local all = { serial = sys.random(16), from = NOW - DAY, to = NOW + DAY,
    subject = { { "CN", "phone" } } }
  for key, value in pairs(o) do all[key] = value end
  return issue.certificate(all)
end

local function authority(kind, o)
  local key = assert(issue.key(kind))
  local all = { key = key, is_ca = true, subject = { { "CN", "Root" } } }
  for name, value in pairs(o or {}) do all[name] = value end
  return { key = key, cert = assert(certificate(all)) }
end

describe("a private key", function()
  it("is of a kind that servers know", function()
    for _, kind in ipairs { "P-256", "P-384", "RSA-2048" } do
      local key = assert(issue.key(kind))
      assert.equal(kind, key:kind())
      assert.equal("peal.key (" .. kind .. ")", tostring(key))
    end
    for _, kind in ipairs { "", "P-521", "RSA-1024", "RSA-2047", "RSA-8192",
      "RSA-2048x", "RSA-4294969344", "RSA-18446744073709553664", "RSA- 2048",
      "RSA-+2048", "RSA-02048", "DSA" } do
      local key, sentence, word = issue.key(kind)
      assert.same({ nil, "invalid" }, { key, word })
      assert.matches("^no such kind of key: .*P%-256, P%-384", sentence)
    end
  end)

  it("shows its public part only", function()
    local key = issue.key("P-256")
    write(dir .. "/public.der", key:public())
    assert.matches("ASN1 OID: prime256v1", openssl("pkey", "-pubin",
      "-inform", "DER", "-in", dir .. "/public.der", "-noout", "-text"))
    local methods = {}
    for name in pairs(getmetatable(key).__index) do
      methods[#methods + 1] = name
    end
    table.sort(methods)
    assert.same({ "fits", "kind", "public" }, methods)
  end)

  it("knows the certificates that are for it", function()
    local mine, other = issue.key("P-256"), issue.key("P-256")
    local cert = assert(certificate { key = mine })
    assert.is_true(mine:fits(cert))
    assert.is_false(other:fits(cert))
    assert.is_false(mine:fits("no certificate"))
  end)
end)

describe("a private key from a world", function()
  it("is made while others work, where that takes long", function()
    local own = loop.new()
    local world = live.new { loop = own }
    local ticks, key = 0, nil
    local function tick()
      ticks = ticks + 1
      if not key then own:timer(0.001, tick) end
    end
    tick()
    key = world.run(world.new_key, "RSA-2048")
    assert.equal("RSA-2048", key:kind())
    assert.is_true(ticks > 3)
    assert.equal("P-256", world.run(world.new_key, "P-256"):kind())
    assert.equal("invalid", select(3, world.run(world.new_key, "RSA-17")))
  end)

  it("is a real one in the virtual world too", function()
    local world = virtual.new {}
    assert.equal("P-384", world.run(world.new_key, "P-384"):kind())
  end)

  it("is not made any more when nobody waits for it", function()
    local own = loop.new()
    local got
    local job = assert(issue.key_start(own, "RSA-4096", function(...)
      got = table.pack(...)
    end))
    job:cancel()
    own:run()
    assert.same({ nil, "canceled" }, { got[1], got[3] })
  end)

  it("ends with its loop", function()
    local own = loop.new()
    assert(issue.key_start(own, "RSA-4096", function() error("told") end))
    own = nil -- luacheck: ignore
    collectgarbage()
  end)
end)

describe("a certificate of our own", function()
  local function chain(kind)
    local ca = authority(kind, { pathlen = 0,
      subject = { { "C", "CH" }, { "O", "Zürich, \"Telco\"" },
        { "CN", "Phone Root" } } })
    local key = assert(issue.key(kind))
    local cert = assert(certificate { key = key, ca = ca,
      subject = { { "CN", "phone.example" }, { "OU", "CP-8841-3PCC" },
        { "L", "88012BA01234" }, { "ST", "000e08abcdef" },
        { "serialNumber", "PID:CP-8841 SN:88012BA01234" } },
      sans = { "DNS:phone.example", "IP:192.0.2.7", "IP:2001:db8::7" },
      purposes = { "serverAuth", "clientAuth", "1.3.6.1.4.1.9.21" } })
    return ca, cert, key
  end

  for _, kind in ipairs { "P-256", "P-384", "RSA-2048" } do
    it("holds for a strict reader: " .. kind, function()
      local ca, cert = chain(kind)
      local root = save("root.pem", ca.cert)
      local leaf = save("leaf.pem", cert)
      assert.matches("leaf.pem: OK", openssl("verify", "-x509_strict",
        "-purpose", "sslserver", "-CAfile", root, leaf))
      assert.matches("leaf.pem: OK", openssl("verify", "-x509_strict",
        "-purpose", "sslclient", "-verify_ip", "2001:db8::7",
        "-CAfile", root, leaf))
      assert.matches("root.pem: OK", openssl("verify", "-x509_strict",
        "-CAfile", root, root))
    end)

    it("says what it is for: " .. kind, function()
      local ca, cert = chain(kind)
      local text = openssl("x509", "-noout", "-text", "-in",
        save("leaf.pem", cert))
      for _, part in ipairs { "Version: 3",
        "Basic Constraints: critical\n%s+CA:FALSE\n",
        "X509v3 Key Usage: critical\n%s+Digital Signature"
          .. (kind:find("RSA") and ", Key Encipherment\n" or "\n"),
        "TLS Web Server Authentication, TLS Web Client Authentication, "
          .. "1%.3%.6%.1%.4%.1%.9%.21\n",
        "DNS:phone%.example, IP Address:192%.0%.2%.7, "
          .. "IP Address:2001:DB8:0:0:0:0:0:7\n" } do
        assert.matches(part, text)
      end
      text = openssl("x509", "-noout", "-text", "-in",
        save("root.pem", ca.cert))
      assert.matches("Basic Constraints: critical\n%s+CA:TRUE, pathlen:0\n",
        text)
      assert.matches("Key Usage: critical\n%s+Certificate Sign, CRL Sign\n",
        text)
    end)
  end

  it("tells times before and after 2050", function()
    local key = issue.key("P-256")
    for _, case in ipairs {
      { 1, "Jan  1 00:00:01 1970", "700101000001Z", 13 },
      { 951782400, "Feb 29 00:00:00 2000", "000229000000Z", 13 },
      { 2147483648, "Jan 19 03:14:08 2038", "380119031408Z", 13 },
      { 2524607999, "Dec 31 23:59:59 2049", "491231235959Z", 13 },
      { 2524608000, "Jan  1 00:00:00 2050", "20500101000000Z", 15 },
      { 4107542400, "Mar  1 00:00:00 2100", "21000301000000Z", 15 },
      { 253402300799, "Dec 31 23:59:59 9999", "99991231235959Z", 15 },
    } do
      local cert = assert(certificate { key = key, from = 0, to = case[1] })
      assert.matches("notAfter=" .. case[2] .. " GMT", openssl("x509",
        "-noout", "-enddate", "-in", save("t.pem", cert)))
      local tag = case[4] == 13 and "\x17" or "\x18"
      assert.is_truthy(cert:find(tag .. string.char(case[4]) .. case[3], 1,
        true))
    end
  end)

  it("tells no time before 1950", function()
    local key = issue.key("P-256")
    assert(certificate { key = key, from = -631152000, to = 0 })
    local cert, sentence, word = certificate { key = key, from = -631152001,
      to = 0 }
    assert.same({ nil, "invalid" }, { cert, word })
    assert.equal("a certificate cannot tell this time: -631152001", sentence)
  end)

  it("has a positive serial number of 16 octets", function()
    local key = issue.key("P-256")
    for _, octet in ipairs { "\0", "\x7f", "\x80", "\xff" } do
      local cert = assert(certificate { key = key, serial = octet:rep(16) })
      local text = openssl("x509", "-noout", "-serial", "-in",
        save("s.pem", cert))
      assert.matches("^serial=[4-7]" .. ("%x"):rep(31) .. "\n$", text)
    end
  end)

  it("is believed by our own checks", function()
    if not need("nginx") then return end
    local ca, cert, key = chain("P-256")
    local ring = assert(require("peal.keyring").open(dir .. "/served"))
    assert(ring:install("host", { ["cert.pem"] = trust.pem(cert) },
      { ["key.pem"] = key }))
    local base = dir .. "/served/host/current/"
    local nginx <close> = servers.nginx { root = dir, tls = {
      cert = base .. "cert.pem", key = base .. "key.pem" },
      locations = "location / { return 200 hello; }" }
    local own = loop.new()
    local anchors = trust.anchors()
    assert.equal(1, anchors:add(ca.cert))
    local got
    assert(assert(fetch.new(own)):start({ address = "127.0.0.1",
      url = ("https://phone.example:%d/"):format(nginx.https_port),
      tls = { anchors = anchors, now = NOW } },
      function(...) got = table.pack(...) end))
    own:run()
    assert.equal("hello", assert(got[1], got[2]).body)
  end)

  it("is refused where it could not be read", function()
    local key = issue.key("P-256")
    local ca = authority("P-256")
    for _, case in ipairs {
      { { subject = {} }, "without a name" },
      { { subject = { { "XX", "x" } } }, "no such part of a name: XX" },
      { { subject = { { "CN", "" } } }, "not a value of CN" },
      { { subject = { { "CN", ("x"):rep(65) } } }, "not a value of CN" },
      { { subject = { { "CN", "\xff" } } }, "not a value of CN" },
      { { subject = { { "C", "CHE" } } }, "not a value of C" },
      { { subject = { { "serialNumber", "a_b" } } }, "serialNumber" },
      { { sans = { "DNS:" } }, "not a name for a certificate: DNS:" },
      { { sans = { "DNS:a b" } }, "not a name" },
      { { sans = { "DNS:zürich.example" } }, "not a name" },
      { { sans = { "IP:1.2.3" } }, "not an IP address: 1.2.3" },
      { { sans = { "other:x" } }, "not a name" },
      { { purposes = { "fun" } }, "not a purpose of a certificate: fun" },
      { { from = NOW, to = NOW - 1 }, "cannot end before it begins" },
      { { ca = { cert = "x", key = key } }, "CA's certificate cannot be" },
      { { ca = { cert = ca.cert, key = key } }, "does not belong" },
      { { ca = { cert = certificate { key = key }, key = key } },
        "is no CA's" },
    } do
      case[1].key = key
      local cert, sentence, word = certificate(case[1])
      assert.is_nil(cert)
      assert.is_truthy(sentence:find(case[2], 1, true), sentence)
      assert.is_true(word == "invalid" or word == "bad-key")
    end
    for _, wrong in ipairs {
      { key = 1 },
      { serial = "short" },
      { from = -1 << 40 },
      { sans = 5 },
      { sans = { 5 } },
      { sans = { "DNS:a\0b" } },
      { subject = { "CN" } },
      { what = 1 },
    } do
      wrong.key = wrong.key or key
      assert.has_error(function() certificate(wrong) end)
    end
  end)

  it("takes as many names as a server may have", function()
    local sans = {}
    for i = 1, 1000 do sans[i] = ("DNS:host-%d.example"):format(i) end
    local cert = assert(certificate { key = issue.key("P-256"), sans = sans })
    assert.equal(1000, #trust.parse(cert)[1].sans)
  end)
end)

describe("a request for renewal", function()
  -- The octets between two marks that openssl's parser shows.
  local function subject_of(kind, path)
    return openssl(kind, "-in", path, "-noout", "-subject", "-nameopt",
      "RFC2253,dump_all,dump_der")
  end

  it("has subject and names of the old one, to the octet", function()
    local lab = pki.shared()
    local old = lab:client { sans = { "DNS:phone.example", "IP:192.0.2.1",
      "otherName:1.2.3.4;UTF8:odd" } }
    local der = trust.parse(read(old.cert))[1].der
    for _, kind in ipairs { "P-256", "P-384", "RSA-2048" } do
      local key = assert(issue.key(kind))
      local request = assert(issue.request { key = key, like = der })
      local path = save("r.csr", request, "CERTIFICATE REQUEST")
      -- which no CA does for a request that is not signed by its key
      pki.openssl { "x509", "-req", "-in", path, "-CA", lab.ca.cert,
        "-CAkey", lab.ca.key, "-out", dir .. "/new.pem" }
      assert.equal(subject_of("x509", old.cert), subject_of("req", path))
      local san = der:match("\6\3\x55\x1d\x11.-odd")
      assert.is_truthy(request:find(san, 1, true))
      assert.is_truthy(request:find(key:public(), 1, true))
    end
  end)

  it("asks for no names where the old one has none", function()
    local der = assert(certificate { key = issue.key("P-256") })
    local path = save("r.csr", assert(issue.request {
      key = issue.key("P-256"), like = der }), "CERTIFICATE REQUEST")
    assert.not_matches("Alternative Name", openssl("req", "-in", path,
      "-noout", "-text"))
  end)

  it("needs a certificate to be like", function()
    local key = issue.key("P-256")
    assert.same({ nil, "the certificate to be renewed cannot be read",
      "invalid" }, { issue.request { key = key, like = "x" } })
    assert.has_error(function() issue.request { key = key } end)
  end)
end)

-- The phone's key in another process: openssl signs.
describe("a key that signs elsewhere", function()
  local lab, root

  setup(function()
    lab = pki.shared()
    root = dir
  end)

  local PADDING <const> = { pkcs1 = { "rsa_padding_mode:pkcs1" },
    pss = { "rsa_padding_mode:pss", "rsa_pss_saltlen:digest" } }

  -- fn(algorithm, hash) of a key file; `asked` gets the algorithms.
  local function element(client, asked)
    return function(algorithm, hash)
      asked[#asked + 1] = algorithm
      local scheme, digest = algorithm:match("^(.+)%-(%w+)$")
      local arguments = { "pkeyutl", "-sign", "-inkey", client.key, "-in",
        write(dir .. "/hash", hash), "-out", dir .. "/sig", "-pkeyopt",
        "digest:" .. digest }
      for _, option in ipairs(PADDING[scheme:match("rsa%-(.+)")] or {}) do
        arguments[#arguments + 1] = "-pkeyopt"
        arguments[#arguments + 1] = option
      end
      pki.openssl(arguments)
      return read(dir .. "/sig")
    end
  end

  local function server(version, extra)
    local cert = lab:server {}
    return servers.nginx { root = root, tls = { cert = cert.cert,
      key = cert.key, client_ca = lab.ca.cert, verify = "on",
      protocols = version, extra = extra },
      locations = "location / { return 200 $ssl_client_s_dn; }" }
  end

  local function get(port, id)
    local own, got = loop.new(), nil
    local anchors = trust.anchors()
    anchors:load(lab.ca.cert)
    assert(assert(fetch.new(own)):start({ address = "127.0.0.1",
      url = ("https://localhost:%d/"):format(port),
      tls = { anchors = anchors, identity = id, now = NOW } },
      function(...) got = table.pack(...) end))
    own:run()
    return table.unpack(got, 1, got.n)
  end

  for _, case in ipairs {
    { "P-256", "TLSv1.2", "^ecdsa%-sha384$" },
    { "P-256", "TLSv1.3", "^ecdsa%-sha256$" },
    { "P-384", "TLSv1.2", "^ecdsa%-sha384$" },
    { "P-384", "TLSv1.3", "^ecdsa%-sha384$" },
    { "rsa:2048", "TLSv1.2", "^rsa%-pkcs1%-sha384$" },
    { "rsa:2048", "TLSv1.3", "^rsa%-pss%-sha%d+$" },
  } do
    it(("is known to nginx: %s, %s"):format(case[1], case[2]), function()
      if not need("nginx") then return end
      local client = lab:client { key = case[1] }
      local asked = {}
      local id = assert(issue.signer(read(client.cert),
        element(client, asked)))
      local nginx <close> = server(case[2])
      local answer = assert(get(nginx.https_port, id))
      assert.matches("ST=000e08abcdef", answer.body)
      assert.equal(case[2], answer.tls.version)
      assert.equal(1, #asked)
      assert.matches(case[3], asked[1])
    end)
  end

  for _, version in ipairs { "TLSv1.2", "TLSv1.3" } do
    local function fails(fn)
      local client = lab:client {}
      local nginx <close> = server(version)
      local id = assert(issue.signer(read(client.cert), fn))
      local answer, sentence, word = get(nginx.https_port, id)
      assert.is_nil(answer)
      return sentence, word
    end

    it("says why it did not: " .. version, function()
      if not need("nginx") then return end
      local sentence, word = fails(function()
        return nil, "the chip is locked"
      end)
      assert.equal("t.client", word)
      assert.equal("localhost asked for a client certificate, and the key of "
        .. "ours did not sign: the chip is locked", sentence)
    end)

    it("may fail in any way: " .. version, function()
      if not need("nginx") then return end
      for _, fn in ipairs {
        function() error("no bus") end,
        function() error {} end,
        function() end,
        function() return 17 end,
        function() return "" end,
        function() return ("x"):rep(5000) end,
      } do
        local sentence, word = fails(fn)
        assert.equal("t.client", word)
        assert.matches("did not sign: .", sentence)
      end
      -- a signature, but a wrong one: the server refuses it
      assert.is_truthy(({ ["t.client"] = true, ["t.handshake"] = true,
        connect = true })[select(2, fails(function()
          return "\x30\6\2\1\1\2\1\1"
        end))])
    end)
  end

  it("is not asked by a server that asks for nobody", function()
    if not need("nginx") then return end
    local cert = lab:server {}
    local nginx <close> = servers.nginx { root = root, tls = {
      cert = cert.cert, key = cert.key },
      locations = "location / { return 200 hello; }" }
    local client = lab:client {}
    local id = assert(issue.signer(read(client.cert), function()
      error("asked")
    end))
    assert.equal("hello", assert(get(nginx.https_port, id)).body)
  end)

  it("needs a certificate of a size that servers take", function()
    local function fn() end
    local id, sentence, word = issue.signer("nothing", fn)
    assert.same({ nil, "not a PEM certificate", "bad-key" }, { id, sentence,
      word })
    local weak = lab:client { key = "rsa:1024" }
    id, sentence, word = issue.signer(read(weak.cert), fn)
    assert.same({ nil, "bad-key" }, { id, word })
    assert.matches("RSA key has 1024 bits; at least 2048", sentence)
    assert.equal("bad-key", select(3, trust.identity(weak.cert, weak.key)))
  end)
end)

describe("an identity of a key at hand", function()
  it("needs a certificate that is for the key", function()
    local key, other = issue.key("P-256"), issue.key("P-256")
    local cert = trust.pem(assert(certificate { key = key }))
    assert.equal("peal.identity (open)", tostring(issue.identity(cert, key)))
    local id, sentence, word = issue.identity(cert, other)
    assert.same({ nil, "bad-key" }, { id, word })
    assert.equal("the key does not belong to the first certificate", sentence)
  end)
end)
