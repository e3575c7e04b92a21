-- The certificate lists against real TLS servers, and the user of the
-- provisioning client: whole resyncs of the engine on the live world.
-- Source: Gigaset wiki, Security: Accept, Reject, Remove, import, "Accept all
-- certificates", HTTP digest; RFC 7616.
local certificates = require "peal.certificates"
local cycle = require "peal.cycle"
local live = require "peal.world.live"
local loop = require "peal.loop"
local phone = require "peal.phone"
local phones = require "support.phones"
local pki = require "support.pki"
local process = require "support.process"
local program = require "support.program"
local registry = require "peal.registry"
local rules = require "support.rules"
local servers = require "support.servers"
local store = require "peal.store"
local tcp = require "support.tcp"
local trust = require "peal.trust"

local DAY <const> = 86400
local ACCEPT_ALL <const> =
  "SystemSettings.Security_Certificates_AcceptAllCertificates"

local now = os.time()
local schema, lab, root

setup(function()
  schema = assert(registry.load {})
  lab = pki.shared()
  root = process.temp_dir()
  phones.write(root .. "/a.xml", phones.profile { GPP_C = "got" })
end)
teardown(function() process.remove(root) end)

-- --- a phone in this process ---

local st, world, p, lines

-- Power on: the store stays, all else begins anew.
local function power()
  lines = {}
  local anchors = assert(trust.anchors())
  assert(anchors:load(lab.ca.cert))
  world = live.new { loop = loop.new(), store = st,
    trust = { anchors = anchors },
    log = function(line) lines[#lines + 1] = line end }
  p = phone.new { world = world, identity = { PN = "x" } }
end

before_each(function()
  st = assert(store.open { schema = schema })
  power()
end)

local function set(name, text) p.overrides[name] = text end

-- The word that a resync from a server ends with: "success", or why not.
local function resync(server, host)
  local result = world.run(cycle.run, p, { asked_by = "cli", explicit = true,
    rule = ("https://%s:%d/a.xml"):format(host or "localhost",
      server.https_port) })
  return result.failure and result.failure.word or result.outcome, result
end

-- openssl's server shows one certificate; others in `chain`.
local function serve(cert, chain)
  return servers.s_server { cert = cert.cert, key = cert.key, root = root,
    chain = chain }
end

local function id_of(cert)
  return trust.parse(program.slurp(cert.cert))[1].sha256
end

local function listed(cert)
  local entry = certificates.find(p, id_of(cert))
  return entry and ("%s %s %s"):format(entry.state, entry.list,
    entry.reason)
end

local function said(text)
  local count = 0
  for _, line in ipairs(lines) do
    if line:find(text, 1, true) then count = count + 1 end
  end
  return count
end

local expired, foreign, other

setup(function()
  expired = lab:server { from = now - 400 * DAY, to = now - DAY }
  other = pki.new()
  foreign = other:server {}
end)
teardown(function() other:close() end)

describe("an expired certificate", function()
  it("is refused and listed; accepted, it passes; removed, it is refused and "
    .. "listed again", function()
    local server <close> = serve(expired)
    assert.equal("c.expired", (resync(server)))
    assert.equal("invalid invalid c.expired", listed(expired))
    assert(certificates.accept(p, id_of(expired)))
    assert.equal("success", (resync(server)))
    assert.equal("accepted server c.expired", listed(expired))
    assert(certificates.remove(p, id_of(expired)))
    assert.is_nil(listed(expired))
    assert.equal("c.expired", (resync(server)))
    assert.equal("invalid invalid c.expired", listed(expired))
  end)

  it("that was accepted is so after a restart, and for any name", function()
    local server <close> = serve(expired)
    assert.equal("c.expired", (resync(server)))
    assert(certificates.accept(p, id_of(expired)))
    power()
    assert.equal("success", (resync(server)))
    assert.equal("success", (resync(server, "127.0.0.1")))
  end)
end)

describe("a rejected certificate", function()
  it("is refused at once, with accept-all on as well, until it is removed or "
    .. "imported", function()
    local server <close> = serve(foreign)
    assert.equal("c.untrusted", (resync(server)))
    assert(certificates.reject(p, id_of(foreign)))
    local word, result = resync(server)
    assert.equal("c.rejected", word)
    assert.equal("certificate rejected by administrator",
      result.failure.cause.text)
    set(ACCEPT_ALL, "1")
    assert.equal("c.rejected", (resync(server)))
    assert.equal("rejected server c.untrusted", listed(foreign))
    power()
    set(ACCEPT_ALL, "1")
    assert.equal("c.rejected", (resync(server)))
    set(ACCEPT_ALL, "0")
    assert(certificates.remove(p, id_of(foreign)))
    assert.equal("c.untrusted", (resync(server)))
    assert(certificates.reject(p, id_of(foreign)))
    assert(certificates.import(p, program.slurp(foreign.cert)))
    assert.equal("success", (resync(server)))
  end)

  it("is refused as a CA in the chain, though a trusted CA signed it now "
    .. "(fault 50)", function()
    local sub = lab:authority { cn = "Rejected Sub", by = lab.ca }
    local leaf = lab:server { by = sub }
    local bare <close> = serve({ cert = leaf.cert, key = leaf.key })
    assert.equal("c.untrusted", (resync(bare)))
    certificates.note_failure(p, { chain = trust.parse(
      program.slurp(sub.cert)) }, "c.untrusted", "x")
    assert(certificates.reject(p, id_of(sub)))
    local server <close> = serve(leaf, sub.cert)
    assert.equal("c.rejected", (resync(server)))
  end)
end)

describe("Accept all certificates", function()
  it("connects to a self-signed server, lists it, and says so each time",
    function()
      local own = lab:issue { subject = { { "CN", "localhost" } },
        sans = { "DNS:localhost" } }
      local server <close> = serve(own)
      set(ACCEPT_ALL, "1")
      for i = 1, 2 do
        assert.equal("success", (resync(server)))
        assert.equal(i, said("is let pass, although"))
      end
      assert.equal("invalid invalid c.untrusted", listed(own))
      set(ACCEPT_ALL, "0") -- no connection or session of the exception stays
      assert.equal("c.untrusted", (resync(server)))
    end)

  it("connects to a server of another name", function()
    local wrong = lab:server { sans = { "DNS:pv.telco.net" } }
    local server <close> = serve(wrong)
    assert.equal("c.name", (resync(server)))
    assert.equal("invalid invalid c.name", listed(wrong))
    set(ACCEPT_ALL, "1")
    assert.equal("success", (resync(server)))
  end)
end)

describe("a CA", function()
  it("that was imported lets its servers pass", function()
    local server <close> = serve(foreign)
    assert.equal("c.untrusted", (resync(server)))
    local done = assert(certificates.import(p, program.slurp(other.ca.cert)))
    assert.equal(1, #done.added)
    assert.equal("success", (resync(server)))
    power()
    assert.equal("success", (resync(server)))
  end)

  it("on top of a chain is listed, and accepted by a person", function()
    -- the root itself is shown along with the server's own
    local server <close> = serve(foreign, other.ca.cert)
    assert.equal("c.untrusted", (resync(server)))
    assert.equal("invalid invalid c.untrusted", listed(other.ca))
    assert(certificates.accept(p, id_of(other.ca)))
    assert.equal("accepted ca c.untrusted", listed(other.ca))
    local second <close> = serve(other:server { cn = "localhost",
      sans = { "DNS:localhost" } })
    assert.equal("success", (resync(second)))
  end)

  it("that was accepted may have expired; its servers may not", function()
    local old <const> = { from = now - 400 * DAY, to = now - DAY }
    local ca = other:authority { cn = "Old CA", from = old.from,
      to = old.to }
    local server <close> = serve(other:server { by = ca }, ca.cert)
    assert.is_true(resync(server) ~= "success")
    assert(certificates.accept(p, id_of(ca)))
    assert.equal("success", (resync(server)))
    local late <close> = serve(other:server { by = ca, from = old.from,
      to = old.to }, ca.cert)
    assert.equal("c.expired", (resync(late)))
  end)

  it("that is built in and was removed counts no more, until a factory reset",
    function()
      local server <close> = serve(lab:server {})
      assert.equal("success", (resync(server)))
      assert(certificates.remove(p, id_of(lab.ca)))
      assert.equal("c.untrusted", (resync(server)))
      power()
      assert.equal("c.untrusted", (resync(server)))
      local txn = assert(st:begin())
      assert(txn:factory_reset {})
      assert(txn:commit("factory-reset", now))
      power()
      assert.equal("success", (resync(server)))
    end)

  it("of Custom_CA_Rule adds to the factory's", function()
    local server <close> = serve(foreign)
    local own <close> = serve(lab:server {})
    p.keep:set("trust", "custom_ca", program.slurp(other.ca.cert))
    p:trust_changed()
    assert.equal("success", (resync(server)))
    assert.equal("success", (resync(own)))
  end)
end)

describe("the rule trust.lua of an operator", function()
  it("lets one old server pass (fault 55)", function()
    local weak = lab:server { key = "rsa:1024" }
    local server <close> = servers.s_server { cert = weak.cert,
      key = weak.key, root = root,
      options = { "-cipher", "DEFAULT@SECLEVEL=0" } }
    assert.equal("c.weak", (resync(server)))
    local dir = process.temp_dir()
    local text = program.slurp(program.root
      .. "/examples/rules/old-lab-server/trust.lua")
    text = text:gsub("old%.lab%.example", "localhost"):gsub(
      ("%x"):rep(64), id_of(weak))
    phones.write(dir .. "/trust.lua", text)
    world = live.new { loop = loop.new(), store = st, rules_dir = dir,
      trust = world.trust, ask = rules.box() }
    p = phone.new { world = world, identity = { PN = "x" } }
    local word, result = resync(server)
    process.remove(dir)
    assert.equal("success", word)
    local noted
    for _, note in ipairs(result.notes) do
      if note.word == "trust" then noted = note.text end
    end
    assert.matches("the lab's old server", noted)
  end)
end)

describe("the user of the provisioning client", function()
  local function md5(text)
    local dir = process.temp_dir()
    phones.write(dir .. "/in", text)
    pki.openssl({ "dgst", "-md5", "-r", dir .. "/in" },
      { stdout = dir .. "/out" })
    local hex = program.slurp(dir .. "/out"):match("^%x+")
    process.remove(dir)
    return hex
  end

  -- RFC 7616, 3.4.1, of qop auth.
  local function digest(o)
    local a1 = md5(("%s:%s:%s"):format(o.user, o.realm, o.password))
    local a2 = md5("GET:" .. o.uri)
    return md5(table.concat({ a1, o.nonce, o.nc, o.cnonce, "auth", a2 }, ":"))
  end

  local VECTOR <const> = { user = "base01", realm = "prov",
    password = "pw74", uri = "/n870/base.xml", nonce = "abc123",
    nc = "00000001" }

  local function with(more)
    local o = {}
    for key, value in pairs(VECTOR) do o[key] = value end
    for key, value in pairs(more) do o[key] = value end
    return o
  end

  -- The Authorization header with which the phone answers a challenge over
  -- HTTP, and the word of how the resync ended.
  local function answer_to(challenge)
    local server <close> = tcp.serve {
      "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: " .. challenge
        .. "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 29\r\nConnection: close\r\n\r\n"
        .. "<flat-profile></flat-profile>" }
    set("Security.global.HTTPAuthUsername", "base01")
    set("Security.global.HTTPAuthPassword", "pw74")
    local result = world.run(cycle.run, p, { asked_by = "cli",
      explicit = true, rule = ("http://127.0.0.1:%d%s"):format(server:port(),
        VECTOR.uri) })
    assert.is_nil(server:request(5):find("Authorization", 1, true))
    if result.outcome ~= "success" then return nil, result.outcome end
    return server:request(5):match("Authorization: ([^\r\n]+)")
  end

  it("makes the response of the published vector", function()
    assert.equal("85699200478214be7dd87a39ff88fed5",
      digest(with { cnonce = "0a4f113b" }))
  end)

  it("answers a digest challenge by that formula", function()
    local sent = answer_to('Digest realm="prov", nonce="abc123", '
      .. 'qop="auth", algorithm=MD5')
    local cnonce = sent:match('cnonce="([^"]+)"')
    assert.equal(digest(with { cnonce = cnonce }),
      sent:match('response="(%x+)"'))
    assert.matches("nc=00000001", sent)
  end)

  it("does not answer a Basic challenge in clear", function()
    assert.same({ nil, "failure" }, { answer_to('Basic realm="prov"') })
  end)

  -- A server with `cert` that wants Basic and gets so many requests, and how a
  -- resync from it ends.
  local function over_tls(cert, requests)
    process.mkdir(root .. "/basic")
    phones.write(root .. "/basic/a.xml", phones.profile { GPP_C = "basic" })
    local server <close> = servers.apache { root = root,
      tls = { cert = cert.cert, key = cert.key },
      basic = { user = "base01", password = "pw74", location = "/basic" } }
    set("Security.global.HTTPAuthUsername", "base01")
    set("Security.global.HTTPAuthPassword", "pw74")
    local result = world.run(cycle.run, p, { asked_by = "cli",
      explicit = true, rule = ("https://localhost:%d/basic/a.xml"):format(
        server.https_port) })
    local list, sent = server.requests(requests), 0
    for _, request in ipairs(list) do
      if request.headers.authorization then sent = sent + 1 end
    end
    return result, sent
  end

  it("answers one over TLS", function()
    if not phones.need("apache2") then return end
    local result, sent = over_tls(lab:server { cn = "localhost" }, 2)
    assert.same({ "success", 1 }, { result.outcome, sent })
  end)

  it("answers none to a server that was let pass, and says so", function()
    if not phones.need("apache2") then return end
    set("SystemSettings.Security_Certificates_AcceptAllCertificates", "1")
    local result, sent = over_tls(lab:server { sans = { "DNS:other.net" } },
      1)
    assert.same({ "failure", 0 }, { result.outcome, sent })
    assert.matches("was only let pass", result.failure.sentence)
  end)
end)
