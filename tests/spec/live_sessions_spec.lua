-- TLS sessions with real servers, and what the servers say of them.
-- Who may not share one, in detail: tests/c/session_test.c.
-- Source: RFC 5077; RFC 8446 2.2 and 4.6.1.
local fetch = require "peal.fetch"
local loop = require "peal.loop"
local phones = require "support.phones"
local pki = require "support.pki"
local process = require "support.process"
local servers = require "support.servers"
local tcp = require "support.tcp"
local trust = require "peal.trust"

local need, profile, write = phones.need, phones.profile, phones.write

local lab, root, cert

setup(function()
  lab = pki.shared()
  root = process.temp_dir()
  write(root .. "/a.xml", profile { GPP_C = "got" })
  cert = lab:server { cn = "localhost" }
end)

teardown(function() process.remove(root) end)

-- Connections are closed after each answer, so that sessions matter.
local function nginx(protocols, extra)
  return servers.nginx { root = root, tls = { cert = cert.cert,
    key = cert.key, client_ca = lab.ca.cert, verify = "optional",
    protocols = protocols, extra = extra },
    locations = [[keepalive_timeout 0;
      location /who { return 200 "$ssl_client_verify $ssl_client_s_dn"; }]] }
end

local function apache(protocols, extra)
  return servers.apache { root = root, config = "KeepAlive Off",
    tls = { cert = cert.cert, key = cert.key, client_ca = lab.ca.cert,
      verify = "optional", extra = "SSLProtocol -all +" .. protocols .. "\n"
        .. (extra or "") } }
end

local SERVERS <const> = {
  { "nginx, TLS 1.2 with tickets", "nginx", function()
    return nginx("TLSv1.2", "ssl_session_tickets on;")
  end },
  { "nginx, TLS 1.2 with session numbers", "nginx", function()
    return nginx("TLSv1.2", "ssl_session_tickets off; "
      .. "ssl_session_cache shared:S:1m;")
  end },
  { "nginx, TLS 1.3", "nginx", function()
    return nginx("TLSv1.3", "ssl_session_tickets on;")
  end },
  { "Apache, TLS 1.2 with tickets", "apache2", function()
    return apache("TLSv1.2")
  end },
  { "Apache, TLS 1.2 with session numbers", "apache2", function()
    return apache("TLSv1.2", "SSLSessionTickets off")
  end },
  { "Apache, TLS 1.3", "apache2", function() return apache("TLSv1.3") end },
}

local function anchors_of(...)
  local set = trust.anchors()
  for _, ca in ipairs { ... } do assert(set:load(ca.cert)) end
  return set
end

-- A fetcher: get(port, tls) -> response, raises on failure; try() does not.
local function new_client()
  local run = loop.new()
  local self = { fetcher = assert(fetch.new(run)) }
  function self.try(port, tls, path)
    local got
    tls.anchors = tls.anchors or anchors_of(lab.ca)
    assert(self.fetcher:start({ address = "127.0.0.1", tls = tls,
      url = ("https://localhost:%d%s"):format(port, path or "/a.xml"),
    }, function(...) got = table.pack(...) end))
    while not got do run:run(true) end
    return table.unpack(got, 1, 4)
  end
  function self.get(...)
    local response, sentence = self.try(...)
    return assert(response, sentence)
  end
  return self
end

for _, row in ipairs(SERVERS) do
  describe(row[1], function()
    local server

    setup(function()
      if servers.find(row[2]) then server = row[3]() end
    end)
    teardown(function() if server then server:stop() end end)

    it("sees sessions resumed, one after the other", function()
      if not need(row[2]) then return end
      local client, before = new_client(), #server.requests()
      for i = 1, 4 do
        local tls = client.get(server.https_port, {}).tls
        assert.equal(i > 1, tls.resumed)
        assert.is_false(tls.reused)
        assert.equal("CN=localhost", tls.chain[1].subject)
        assert.equal(i == 1, tls.chain[1].der ~= nil)
      end
      local seen = server.requests(before + 4)
      for i = 1, 4 do assert.equal(i > 1, seen[before + i].resumed) end
    end)

    it("sees another fetcher take them up", function()
      if not need(row[2]) then return end
      local one, other = new_client(), new_client()
      assert.equal("", one.fetcher:export())
      one.get(server.https_port, {})
      local bytes = one.fetcher:export()
      assert.is_true(#bytes > 500 and #bytes < 8192)
      assert.equal(1, other.fetcher:import(bytes))
      assert.is_true(other.get(server.https_port, {}).tls.resumed)
      assert.equal(0, new_client().fetcher:import(bytes:sub(1, -2)))
      assert.equal(0, new_client().fetcher:import("nonsense"))
    end)

    it("sees none of another list, CA, policy or exception", function()
      if not need(row[2]) then return end
      local client = new_client()
      local other_ca = lab:authority { cn = "Another CA" }
      local list = trust.set { ("ab"):rep(32) }
      local policies = { {}, { anchors = anchors_of(lab.ca, other_ca) },
        { rejected = list }, { removed = list }, { pinned = list },
        { check_name = false }, { cn_fallback = false },
        { ciphers = (trust.ciphers("AES256")) } }
      for turn = 1, 2 do
        for i, tls in ipairs(policies) do
          local got = client.get(server.https_port, tls).tls
          assert.equal(turn == 2, got.resumed, "policy " .. i)
        end
        assert.is_false(client.get(server.https_port,
          { once = true }).tls.resumed)
      end
    end)

    it("sees no certificate refused on an earlier word", function()
      if not need(row[2]) then return end
      local client = new_client()
      local chain = client.get(server.https_port, {}).tls.chain
      assert.is_true(client.get(server.https_port, {}).tls.resumed)
      local _, _, word = client.try(server.https_port,
        { rejected = trust.set { chain[1].sha256 } })
      assert.equal("c.rejected", word)
      local sentence
      _, sentence, word = client.try(server.https_port,
        { dns_failure = "localhost is elsewhere" })
      assert.same({ "c.dns", "localhost is elsewhere" }, { word, sentence })
      _, _, word = client.try(server.https_port,
        { now = os.time() + 400 * 86400 })
      assert.equal("c.expired", word)
      assert.is_false(client.get(server.https_port, {}).tls.resumed)
    end)

    it("sees nothing that was to be forgotten", function()
      if not need(row[2]) then return end
      local client = new_client()
      client.get(server.https_port, {})
      client.fetcher:forget()
      assert.equal("", client.fetcher:export())
      assert.is_false(client.get(server.https_port, {}).tls.resumed)
    end)

    it("sees a phone resume after the program was started anew", function()
      if not need(row[2]) then return end
      local flash = process.temp_dir()
      local p <close> = phones.new { trust = { ca = lab.ca.cert },
        device = { simulated = true, folder = flash } }
      local before = #server.requests()
      local url = ("https://localhost:%d/a.xml"):format(server.https_port)
      for _ = 1, 3 do phones.succeeds(p, url) end
      local seen = server.requests(before + 3)
      assert.same({ false, true, true }, { seen[before + 1].resumed,
        seen[before + 2].resumed, seen[before + 3].resumed })
      process.remove(flash)
    end)
  end)
end

describe("a phone", function()
  it("never rides on another one's session or connection", function()
    if not need("nginx") then return end
    local server <close> = servers.nginx { root = root, tls = {
      cert = cert.cert, key = cert.key, client_ca = lab.ca.cert,
      verify = "optional", extra = "ssl_session_cache shared:S:1m;" },
      locations = [[location /who {
        return 200 "$ssl_client_verify $ssl_client_s_dn"; }]] }
    local client = new_client()
    local ids = {}
    for i, st in ipairs { "000e08000001", "000e08000002" } do
      local made = lab:client { st = st }
      ids[i] = assert(trust.identity(made.cert, made.key))
    end
    local function who(i)
      local r = client.get(server.https_port, { identity = ids[i] }, "/who")
      return r.body:match("ST=(%w+)") or r.body:match("%S+"), r.tls
    end
    local want = { "000e08000001", "000e08000002", "NONE" }
    for _, kind in ipairs { "fresh", "kept", "resumed" } do
      if kind == "resumed" then
        local bytes = client.fetcher:export()
        client = new_client()
        assert.equal(3, client.fetcher:import(bytes))
      end
      for i = 1, 3 do
        local name, tls = who(i)
        assert.equal(want[i], name)
        assert.same({ kind == "kept", kind == "resumed" },
          { tls.reused, tls.resumed })
        assert.equal(i < 3, tls.client_cert_sent)
      end
    end
  end)

  it("does not notice that a server has changed", function()
    if not need("nginx") then return end
    for _, row in ipairs { { "TLSv1.2", "TLSv1.3" },
      { "TLSv1.3", "TLSv1.2" } } do
      local before <close> = nginx(row[1])
      local after <close> = nginx(row[2])
      local whole = 1 << 30
      -- one address; a refused handshake and another one with the new server
      local address <close> = tcp.serve {
        { relay = before.https_port, after = whole },
        { relay = before.https_port, after = whole },
        { relay = after.https_port, after = whole } }
      local client = new_client()
      local seen = {}
      for i = 1, 4 do
        local tls = client.get(address:port(), {}).tls
        seen[i] = { tls.version, tls.resumed }
      end
      assert.same({ { row[1], false }, { row[1], true }, { row[2], false },
        { row[2], true } }, seen)
      assert.equal(2, #after.requests(2))
    end
  end)

  it("keeps the session of an answer that broke off", function()
    if not need("nginx") then return end
    write(root .. "/long.xml", ("x"):rep(200000))
    local server <close> = nginx("TLSv1.3")
    local cut <close> = tcp.serve { { relay = server.https_port,
      after = 20000 }, { relay = server.https_port, after = 1 << 30 } }
    local client = new_client()
    local _, _, word = client.try(cut:port(), {}, "/long.xml")
    assert.equal("partial", word)
    local r = client.get(cut:port(), {}, "/long.xml")
    assert.equal(200000, #r.body)
    assert.is_true(r.tls.resumed)
  end)
end)
