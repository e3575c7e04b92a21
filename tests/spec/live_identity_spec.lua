-- Who the phone says it is: its maker's certificate, sent when it is asked for,
-- to servers that were believed first, and never another phone's.
-- Source: MPP provisioning guide, "client certificates"; RFC 8446 4.4.2.
-- Servers that make something of it are in live_client_filter_spec.lua.
local badssl = require "support.badssl"
local fetch = require "peal.fetch"
local loop = require "peal.loop"
local phones = require "support.phones"
local pki = require "support.pki"
local process = require "support.process"
local program = require "support.program"
local servers = require "support.servers"
local trust = require "peal.trust"

local need, profile, write = phones.need, phones.profile, phones.write

local DAY <const> = 86400
local VERSIONS <const> = { "TLSv1.2", "TLSv1.3" }

local lab, root, cert

setup(function()
  lab = pki.shared()
  root = process.temp_dir()
  write(root .. "/a.xml", profile { GPP_C = "got" })
  cert = lab:server { cn = "localhost" }
end)

teardown(function() process.remove(root) end)

local function identity(client)
  return assert(trust.identity(client.chain, client.key))
end

-- nginx that says whom it sees.
local function mirror(version, extra)
  return servers.nginx { root = root, tls = { cert = cert.cert,
    key = cert.key, client_ca = lab.ca.cert, verify = "optional",
    protocols = version, extra = "ssl_session_cache shared:S:1m;"
      .. "ssl_session_tickets on;" },
    locations = [[location / {
      return 200 "$ssl_client_verify $ssl_client_s_dn";
    }]] .. (extra or "") }
end

-- The fetcher that phones of one process would share, and who sends what.
local function fetcher(server)
  local run = loop.new()
  local anchors = trust.anchors()
  anchors:load(lab.ca.cert)
  local self = { client = assert(fetch.new(run)) }
  -- All of these at the same time; answers in their order.
  function self.all(identities)
    local answers, open = {}, #identities
    for i, id in ipairs(identities) do
      assert(self.client:start({ address = "127.0.0.1",
        url = ("https://localhost:%d/%d"):format(server.https_port, i),
        tls = { anchors = anchors, identity = id or nil, now = os.time() },
      }, function(answer, sentence)
        answers[i], open = assert(answer, sentence), open - 1
      end))
    end
    while open > 0 do run:run(true) end
    return answers
  end
  function self.get(id) return self.all({ id })[1] end
  return self
end

describe("two phones in one process", function()
  local mine, other, ids, seen_as

  setup(function()
    mine = lab:client()
    other = lab:client { st = "000e08000001", l = "88012BA09999" }
    ids = { identity(mine), identity(other), false }
    seen_as = { "SUCCESS CN=[%w-]+,OU=CP%-8841%-3PCC,O=Lab,L=88012BA01234,"
      .. "ST=000e08abcdef$", "ST=000e08000001$", "^NONE $" }
  end)

  -- A fixed walk in which everybody follows everybody.
  local WALK <const> = { 1, 1, 2, 2, 1, 3, 3, 2, 3, 1, 2, 1, 3, 1 }

  for _, version in ipairs(VERSIONS) do
    it("are told apart on kept connections: " .. version, function()
      if not need("nginx") then return end
      local server <close> = mirror(version)
      local f = fetcher(server)
      local owners = {} -- of connections
      for i, who in ipairs(WALK) do
        local answer = f.get(ids[who])
        assert.matches(seen_as[who], answer.body)
        local seen = server.requests(i)[i]
        local owner = owners[seen.connection]
        assert.equal(owner ~= nil, answer.tls.reused)
        assert.equal(owner or who, who)
        owners[seen.connection] = who
      end
    end)

    it("are told apart at the same time: " .. version, function()
      if not need("nginx") then return end
      local server <close> = mirror(version)
      local f = fetcher(server)
      for _ = 1, 3 do
        local all = {}
        for i = 1, 12 do all[i] = ids[i % 3 + 1] end
        for i, answer in ipairs(f.all(all)) do
          assert.matches(seen_as[i % 3 + 1], answer.body)
        end
      end
    end)

    it("are told apart on resumed sessions: " .. version, function()
      if not need("nginx") then return end
      local server <close> = mirror(version, "keepalive_timeout 0;")
      local f = fetcher(server)
      local resumed = {}
      for i, who in ipairs(WALK) do
        local answer = f.get(ids[who])
        assert.matches(seen_as[who], answer.body)
        local seen = server.requests(i)[i]
        assert.equal(seen.resumed, answer.tls.resumed)
        if seen.resumed then resumed[who] = true end
      end
      assert.same({ true, true, true }, resumed)
    end)
  end

  it("are told apart after a restart", function()
    if not need("nginx") then return end
    for _, version in ipairs(VERSIONS) do
      local server <close> = mirror(version, "keepalive_timeout 0;")
      local before, after = fetcher(server), fetcher(server)
      for who = 1, 3 do before.get(ids[who]) end
      assert.is_true(after.client:import(before.client:export()) >= 3)
      for _, who in ipairs { 3, 2, 1 } do
        local answer = after.get(ids[who])
        assert.is_true(answer.tls.resumed)
        assert.matches(seen_as[who], answer.body)
      end
    end
  end)

  it("each read their own name in a profile", function()
    if not need("nginx") then return end
    local server <close> = mirror(nil, [[location = /me.xml {
      return 200 "<flat-profile><GPP_D>$ssl_client_s_dn</GPP_D></flat-profile>";
    }]])
    local shared = loop.new()
    local url = ("https://localhost:%d/me.xml"):format(server.https_port)
    local a = badssl.phone { ca = lab.ca.cert, cert = mine.chain,
      key = mine.key, loop = shared }
    local b = badssl.phone { ca = lab.ca.cert, cert = other.chain,
      key = other.key, loop = shared }
    for _ = 1, 2 do
      for p, pattern in pairs { [a] = seen_as[1]:gsub("^SUCCESS ", ""),
        [b] = seen_as[2] } do
        assert.equal("ok", p:get(url).word)
        assert.matches(pattern, p:param("GPP_D"))
      end
    end
  end)
end)

describe("the phone's certificate", function()
  local mine
  setup(function() mine = lab:client() end)

  local function known(client)
    client = client or mine
    return badssl.phone { ca = lab.ca.cert, cert = client.chain,
      key = client.key }
  end

  -- openssl's server that asks for one, or demands it, and tells what it does
  -- and whose certificate it looks at.
  local function asking(server_cert, options, demand)
    options[#options + 1] = "-state"
    if not demand then
      table.move({ "-verify", "3" }, 1, 2, #options + 1, options)
    end
    return servers.s_server { cert = server_cert.cert, key = server_cert.key,
      root = root, ca = lab.ca.cert, verify = demand, options = options }
  end

  local function get(p, server)
    return p:get(("https://localhost:%d/a.xml"):format(server.https_port))
  end

  for _, version in ipairs { "-tls1_2", "-tls1_3" } do
    it("is sent to who asks for it: " .. version, function()
      local server <close> = asking(cert, { version })
      assert.equal("ok", get(known(), server).word)
      assert.matches("ST ?= ?000e08abcdef", server.output())
    end)

    it("is not sent to who does not: " .. version, function()
      local server <close> = servers.s_server { cert = cert.cert,
        key = cert.key, root = root, options = { version, "-state" } }
      local got = get(known(), server)
      assert.equal("ok", got.word)
      assert.is_nil(got.response.client_certificate)
      assert.is_nil(server.output():find("000e08abcdef", 1, true))
    end)

    local bad = {
      ["c.expired"] = function()
        return lab:server { from = os.time() - 9 * DAY,
          to = os.time() - DAY }
      end,
      ["c.untrusted"] = function()
        return lab:server { by = lab:authority { cn = "Foreign" } }
      end,
      ["c.name"] = function()
        return lab:server { sans = { "DNS:other.net" } }
      end,
      ["c.weak"] = function() return lab:server { md = "sha1" } end,
    }
    for word, make in pairs(bad) do
      it(("is not sent to who asks and is %s: %s"):format(word, version),
        function()
          local server <close> = asking(make(), { version, "-cipher",
            "ALL@SECLEVEL=0" })
          assert.equal(word, get(known(), server).word)
          assert.matches("write certificate request", server.output())
          assert.is_nil(server.output():find("000e08abcdef", 1, true))
        end)
    end

    it("is missed by who demands it (fault 51): " .. version, function()
      local server <close> = asking(cert, { version }, true)
      local got = get(badssl.phone { ca = lab.ca.cert }, server)
      assert.equal("t.client", got.word, got.sentence)
    end)
  end

  it("goes with its intermediates, and has a key of RSA or P-384", function()
    if not need("nginx") then return end
    local server <close> = servers.nginx { root = root, tls = {
      cert = cert.cert, key = cert.key, client_ca = lab.ca.cert,
      verify = "on" } }
    local sub = lab:authority { cn = "Maker CA", by = lab.ca }
    for i, key in ipairs { "P-256", "P-384", "rsa:2048" } do
      local got = get(known(lab:client { by = sub, key = key }), server)
      assert.equal("ok", got.word, got.sentence)
      assert.equal("SUCCESS", server.requests(i)[i].client_verify)
    end
  end)

  -- A secure element: the program has the certificate, and somebody who signs.
  for _, version in ipairs(VERSIONS) do
    it("may have a key that never leaves the device: " .. version, function()
      if not need("nginx") then return end
      local server <close> = mirror(version)
      local asked = 0
      local function sign(_, hash)
        asked = asked + 1
        write(root .. "/hash", hash)
        pki.openssl { "pkeyutl", "-sign", "-inkey", mine.key, "-in",
          root .. "/hash", "-out", root .. "/signature" }
        return program.slurp(root .. "/signature")
      end
      local p = badssl.phone { ca = lab.ca.cert, world = { device = {
        certificate = program.slurp(mine.chain), sign = sign } } }
      p:get(("https://localhost:%d/a.xml"):format(server.https_port))
      local seen = server.requests(1)[1]
      assert.matches("ST=000e08abcdef", seen.client_dn)
      assert.same({ "SUCCESS", version, 1 }, { seen.client_verify, seen.tls,
        asked })
    end)
  end

  it("is refused with the server's reason", function()
    local other <close> = pki.new()
    for reason, client in pairs {
      ["unknown CA"] = other:client(),
      ["certificate expired"] = lab:client { from = os.time() - 9 * DAY,
        to = os.time() - DAY },
    } do
      local server <close> = asking(cert, { "-tls1_2" }, true)
      local got = get(known(client), server)
      assert.equal("t.client", got.word, got.sentence)
      assert.matches(reason, got.sentence)
    end
  end)

  it("is shown though it has expired: its renewal needs it", function()
    if not need("nginx") then return end
    local server <close> = servers.nginx { root = root, tls = {
      cert = cert.cert, key = cert.key, client_ca = lab.ca.cert,
      verify = "optional_no_ca" } }
    local p = known(lab:client { from = os.time() - 9 * DAY,
      to = os.time() - DAY })
    local url = ("https://localhost:%d/a.xml"):format(server.https_port)
    assert.matches("has expired", p:get(url).notes["mic-expired"])
    assert.is_nil(p:get(url).notes["mic-expired"]) -- once for a boot
    local seen = server.requests(1)[1]
    assert.matches("ST=000e08abcdef", seen.client_dn)
    assert.matches("FAILED", seen.client_verify)
  end)
end)

describe("a private key", function()
  local mine
  setup(function() mine = lab:client() end)

  -- What the program says about this pair.
  local function try(cert_path, key_path)
    local p <close> = phones.new()
    local file = write(p.dir .. "/bad.lua",
      ("return { trust = { ca = %q, cert = %q, key = %q } }"):format(
        lab.ca.cert, cert_path, key_path))
    local r = program.peal("resync", "http://127.0.0.1:1/x", "--phone", file)
    assert.is_true(r.code ~= 0)
    return r.err
  end

  for _, mode in ipairs { "640", "604", "660", "644" } do
    it("of mode 0" .. mode .. " is refused, and the message says what to type",
      function()
        local path = write(root .. "/open.key", program.slurp(mine.key))
        process.chmod(path, tonumber(mode, 8))
        local said = try(mine.cert, path)
        assert.is_truthy(said:find("chmod 600 " .. path, 1, true), said)
        assert.matches("%[permission%]", said)
        os.remove(path)
      end)
  end

  it("that is another's is refused (fault 51)", function()
    local other = lab:client { st = "000e08000001" }
    local said = try(mine.cert, other.key)
    assert.is_truthy(said:find(other.key, 1, true), said)
    assert.matches("does not belong", said)
    assert.matches("%[bad%-key%]", said)
  end)

  it("that is none is refused, and never shown", function()
    local path = write(root .. "/none.key", "-----BEGIN PRIVATE KEY-----\n"
      .. "c2VjcmV0LWtleS1ieXRlcw==\n-----END PRIVATE KEY-----\n")
    process.chmod(path, 384) -- 0600
    local said = try(mine.cert, path)
    assert.matches("%[bad%-key%]", said)
    assert.is_nil(said:find("c2Vj", 1, true))
    os.remove(path)
  end)
end)
