-- The renewal of the phone's own certificate, by services that are scripts.
-- Source: MPP provisioning guide, MIC_Cert_Refresh_Enable, "MIC Cert Refresh
-- Status"; RFC 7030.
local base64 = require "peal.base64"
local context = require "peal.cycle.context"
local engine = require "peal.engine"
local est = require "support.est"
local fixture = require "support.fixture"
local history = require "peal.history"
local keyring = require "peal.keyring"
local mic = require "peal.mic"
local phone_of = require "peal.phone"
local pki = require "support.pki"
local program = require "support.program"
local report = require "peal.report"
local simulated = require "peal.device.simulated"
local tls_policy = require "peal.tls_policy"
local trust = require "peal.trust"
local upgrades = require "support.upgrades"
local virtual = require "peal.world.virtual"

-- 2026-11-22 10:15:30 UTC
local NOW <const> = 1795342530
local DAY <const> = 86400
local YEAR <const> = 365 * DAY
local URL <const> = "https://est.example.net/lab"
local BASE <const> = "https://est.example.net/.well-known/est/lab/"
local PKCS7 <const> = { "Content-Type",
  "application/pkcs7-mime; smime-type=certs-only" }

local lab, ca, anchors

setup(function()
  lab = pki.new()
  lab.ca = lab:authority { cn = "Factory CA", from = NOW - 5 * YEAR,
    to = NOW + 20 * YEAR }
  ca = est.ca(lab, { from = NOW - YEAR, to = NOW + 10 * YEAR })
  anchors = assert(trust.anchors())
  assert(anchors:load(lab.ca.cert))
end)

teardown(function()
  ca:close()
  lab:close()
end)

-- The certificate of a phone that has so many days left.
local function client(days, o)
  local all = { by = lab.ca, from = NOW - YEAR, to = NOW + days * DAY,
    sans = { "DNS:phone-1.example.net" } }
  for key, value in pairs(o or {}) do all[key] = value end
  local made = lab:client(all)
  return assert(trust.identity(made.cert, made.key))
end

local function answer(status, body, ...)
  return { status = status, body = body or "", headers = { ... }, sent = 1 }
end

local function issued(request, o)
  local csr = base64.decode(request.body)
  return answer(200, ca:pkcs7(csr, { from = o and o.from or NOW - 3600,
    to = o and o.to or NOW + YEAR }), PKCS7)
end

--- A phone, and a service that answers as `o` says.
--   days        that its certificate has left
--   cacerts, enroll   function(request, world) -> answer
--   params, identity, device, keyring, store
local function new(o)
  local p = { keyring = o.keyring or keyring.open() }
  local device = o.device or simulated.new {}
  local function serve(request, world)
    if request.url == BASE .. "cacerts" then
      if o.cacerts then return o.cacerts(request, world) end
      return answer(200, ca:read("cacerts"), PKCS7)
    end
    return (o.enroll or issued)(request, world)
  end
  p.store = o.store or upgrades.store { MIC_Cert_Refresh_Enable = "Yes",
    MIC_Cert_Refresh_Rule = URL, Syslog_Server = "192.168.1.210" }
  p.world = virtual.new { device = device, dice = o.dice or "max",
    store = p.store, time = NOW, keyring = p.keyring, server = serve,
    trust = { anchors = anchors,
      identity = o.identity or client(o.days or 20) }, rules = o.rules,
    dns = function() return { { address = "192.0.2.7", age = 0 } } end }
  p.phone = phone_of.new { world = p.world, identity = fixture.identity }
  function p.set(values)
    local txn = assert(p.store:begin())
    for name, value in pairs(values) do assert(txn:set(name, value)) end
    assert(txn:commit("test", 0))
  end
  p.set(o.params or {})
  function p.consider(event, force)
    return p.world.run(function()
      p.run = context.new(p.phone, { asked_by = "engine",
        kind = "certificate" })
      return mic.consider(p.phone, p.run, { event = event or "daily",
        force = force })
    end)
  end
  function p.facts() return tls_policy.identity(p.phone):facts() end
  function p.asked()
    local list = {}
    for i, one in ipairs(p.world.requests) do
      list[i] = one.method .. " " .. one.url
    end
    return list
  end
  --- The same hardware after a restart.
  function p.restart(more)
    local again = { keyring = p.keyring, store = p.store,
      identity = p.world.trust.identity, cacerts = o.cacerts,
      enroll = o.enroll, device = device }
    for key, value in pairs(more or {}) do again[key] = value end
    p.phone.keep:flush("stop")
    local other = new(again)
    other.world.step(p.world.now().time - NOW)
    return other
  end
  return p
end

local function shown(p)
  local s = mic.status(p.phone)
  return { s.status, s.info }
end

-- Which certificate is in use, and whether its key is the one it says.
local function is_old(p)
  return p.facts().sha256 == p.world.trust.identity:facts().sha256
end

local function fails(p, cause, word, event)
  local result = p.consider(event)
  assert.are.same({ "failed", cause, DAY }, { result.outcome, result.cause,
    result.after })
  if word then assert.are.equal(word, result.word) end
  assert.are.same({ ("11/22/2026 10:15:30 %s Download Failed: %s"):format(
    p.url or URL, cause), "Not Renewed" }, shown(p))
  assert.is_true(is_old(p))
  assert.is_nil(result.reboot)
  return result
end

describe("a phone's own certificate", function()
  it("with 300 days left is not renewed: no traffic", function()
    local p = new { days = 300 }
    for _, event in ipairs { "boot", "change", "daily", "retry", "request" } do
      local result = p.consider(event)
      assert.are.same({ "none", "the certificate is valid for 300 days" },
        { result.outcome, result.reason })
      assert.is_nil(result.after)
    end
    assert.are.same({}, p.world.requests)
    assert.are.same({ "", "Not Renewed" }, shown(p))
  end)

  it("with 20 days left is renewed", function()
    local p = new { days = 20 }
    local old = p.facts()
    local result = p.consider("daily")
    assert.are.same({ "done", true }, { result.outcome, result.reboot },
      result.reason)
    assert.are.same({ "GET " .. BASE .. "cacerts",
      "POST " .. BASE .. "simplereenroll" }, p.asked())
    assert.are.same({ "11/22/2026 10:15:30 " .. URL .. " Download Successful",
      "Renewed" }, shown(p))
    local new_one = p.facts()
    assert.are.equal(old.subject, new_one.subject)
    assert.are.same(old.sans, new_one.sans)
    assert.are.equal(NOW + YEAR, new_one.to)
    assert.are.equal(ca:newest(), trust.pem(new_one.der))
    assert.are_not.equal(old.sha256, new_one.sha256)
    assert.matches("renewed by " .. URL:gsub("%p", "%%%0"),
      result.reason)
  end)

  it("asks as RFC 7030 has it, as who it is", function()
    local p = new {}
    p.consider()
    local cacerts, enroll = p.world.requests[1], p.world.requests[2]
    local headers = table.concat(enroll.headers, "\n") .. "\n"
    assert.matches("\nContent%-Type: application/pkcs10\n", headers)
    assert.matches("\nContent%-Transfer%-Encoding: base64\n", headers)
    assert.is_nil(cacerts.body)
    for _, request in ipairs { cacerts, enroll } do
      assert.are.equal(p.world.trust.identity, request.tls.identity)
      assert.is_true(#request.tls.anchors > 0)
    end
  end)

  it("gets a key of the same type and size", function()
    for _, kind in ipairs { "P-384", "rsa:2048" } do
      local p = new { identity = client(20, { key = kind }) }
      local old = p.facts()
      assert.are.equal("done", p.consider().outcome)
      assert.are.same({ old.key_type, old.key_bits }, { p.facts().key_type,
        p.facts().key_bits })
    end
  end)

  it("comes with the certificates between it and the root", function()
    local p = new {}
    p.consider()
    local list = assert(trust.parse(p.keyring:read("mic", "cert.pem")))
    assert.are.equal(2, #list)
    assert.matches("Phone CA", list[2].subject)
  end)

  it("is told of in the log of audits", function()
    local p = new {}
    p.consider()
    local last = p.world.datagrams[#p.world.datagrams].bytes
    assert.matches("CP%-8841%-3PCC 00:0e:08:ab:cd:ef %-%- MIC certificate: "
      .. "renewed by https://est%.example%.net/lab, valid until 2027%-11%-22",
      last)
  end)

  it("that has expired is renewed", function()
    local p = new { days = -3 }
    assert.are.equal("done", p.consider().outcome)
  end)

  it("stays the old one after a power loss between receipt and switch",
    function()
      local real = keyring.open()
      local cut = setmetatable({}, { __index = function(_, name)
        return function(_, ...)
          if name == "install" then error("the power is gone", 0) end
          return real[name](real, ...)
        end
      end })
      local p = new { keyring = cut }
      assert.has_error(function() p.consider() end)
      local after = p.restart { keyring = real }
      assert.is_true(is_old(after))
      assert.are.same({ "", "Not Renewed" }, shown(after))
      assert.are.equal("done", after.consider().outcome)
    end)

  it("is not asked for where it could not be written", function()
    local real = keyring.open()
    local full = setmetatable({}, { __index = function(_, name)
      return function(_, ...)
        if name == "ready" then return nil, "no room", "no-space" end
        return real[name](real, ...)
      end
    end })
    local p = new { keyring = full }
    fails(p, "Disk full", "no-space")
    assert.are.same({}, p.asked())
  end)

  it("shows that it is new after a stop before the state was written",
    function()
      local failing = true
      local p = new { enroll = function(request)
        if failing then return answer(503) end
        return issued(request)
      end }
      p.consider()
      p.phone.keep:flush("stop")
      failing = false
      p.world.step(DAY)
      p.phone.keep.flush = function() return true end
      p.consider()
      local kept = p.keyring:read("mic", "status.txt")
      local after = p.restart()
      assert.are.same({ kept, "Renewed" }, shown(after))
      assert.matches(" Download Successful$", kept)
      after.consider("boot")
      assert.matches(" Download Successful</MIC_Cert_Provisioning_Status>",
        report.status(after.phone))
    end)

  it("that cannot be written leaves the old one in use", function()
    local real = keyring.open()
    local full = setmetatable({}, { __index = function(_, name)
      return function(_, ...)
        if name == "install" then return nil, "no room", "no-space" end
        return real[name](real, ...)
      end
    end })
    fails(new { keyring = full }, "Disk full", "no-space")
  end)

  it("stays renewed after a factory reset", function()
    local p = new {}
    p.consider()
    local renewed = p.facts().sha256
    local text = shown(p)[1]
    local txn = assert(p.store:begin())
    assert(txn:factory_reset {})
    assert(txn:commit("factory-reset", 0))
    local after = p.restart()
    assert.are.same({ text, "Renewed" }, shown(after))
    assert.are.equal(renewed, after.facts().sha256)
    after.consider("boot")
    local xml = report.status(after.phone)
    assert.matches("<MIC_Cert_Info>Renewed</MIC_Cert_Info>", xml)
    assert.matches(" Download Successful</MIC_Cert_Provisioning_Status>", xml)
  end)

  it("is not renewed once more after the restart", function()
    local p = new {}
    p.consider()
    local after = p.restart()
    assert.are.equal("none", after.consider("boot").outcome)
    assert.are.equal("none", after.consider("daily").outcome)
    assert.are.same({}, after.world.requests)
  end)

  it("is not asked about where there is none", function()
    local p = new {}
    p.world.trust.identity = nil
    assert.are.same({ outcome = "none",
      reason = "the phone has no certificate of its own" }, p.consider())
  end)
end)

describe("an answer of the service", function()
  local function other(body)
    return function() return answer(200, body, PKCS7) end
  end

  -- A CA that certifies the phone's key under another's name.
  local function under_another_name(identity, other_one)
    local p
    p = new { identity = identity, enroll = function()
      local request = assert(require("peal.issue").request { key = p.key,
        like = other_one:facts().der })
      return answer(200, ca:pkcs7(request, { from = NOW - 60,
        to = NOW + YEAR }), PKCS7)
    end }
    local make = p.world.new_key
    p.world.new_key = function(kind)
      p.key = make(kind)
      return p.key
    end
    return fails(p, "corrupted file", "corrupt")
  end

  it("with a foreign key is refused: Download Failed: corrupted file",
    function()
      local someone = lab:client { cn = "someone", by = lab.ca }
      local csr = lab.dir .. "/foreign.csr"
      pki.openssl { "req", "-new", "-key", someone.key, "-outform", "DER",
        "-subj", "/CN=x", "-out", csr }
      local file = assert(io.open(csr, "rb"))
      local bytes = file:read("a")
      file:close()
      local p = new { enroll = function()
        return answer(200, ca:pkcs7(bytes, { from = NOW - 60,
          to = NOW + YEAR }), PKCS7)
      end }
      fails(p, "corrupted file", "corrupt")
    end)

  it("with another subject, or no later end, is refused", function()
    local p = new { enroll = function(request)
      return issued(request, { to = NOW + 19 * DAY })
    end }
    assert.matches("ends no later", fails(p, "corrupted file").reason)
    assert.matches("another subject", under_another_name(client(20),
      client(20, { l = "another" })).reason)
  end)

  it("with a subject that differs where the text is cut, is refused",
    function()
      local function long(last)
        return client(20, { subject = { { "O", ("o"):rep(64) },
          { "OU", ("u"):rep(64) }, { "L", ("l"):rep(64) },
          { "ST", ("s"):rep(63) .. last }, { "CN", "the same" } } })
      end
      local a, b = long("a"), long("b")
      assert.are.equal(a:facts().subject, b:facts().subject)
      assert.matches("another subject", under_another_name(a, b).reason)
    end)

  -- What comes of a service that issues with these extensions.
  local function extended(ext)
    local some = est.ca(lab, { from = NOW - YEAR, to = NOW + 10 * YEAR,
      ext = ext })
    finally(function() some:close() end)
    return new { enroll = function(request)
      return answer(200, some:pkcs7(base64.decode(request.body),
        { from = NOW - 60, to = NOW + YEAR }), PKCS7)
    end }
  end

  for ext, says in pairs {
    ["extendedKeyUsage = serverAuth"] = "not for clients",
    ["basicConstraints = critical,CA:TRUE"] = "that of a CA",
  } do
    it("that no server takes from a client is refused: " .. ext, function()
      assert.matches(says, fails(extended(ext), "corrupted file",
        "corrupt").reason)
    end)
  end

  for _, ext in ipairs { "basicConstraints = CA:FALSE",
    "extendedKeyUsage = serverAuth,clientAuth",
    "extendedKeyUsage = anyExtendedKeyUsage" } do
    it("that a client may show is taken: " .. ext, function()
      assert.are.equal("done", extended(ext).consider().outcome)
    end)
  end

  it("comes with its own issuer, not with another of the same name",
    function()
      local twin <close> = est.ca(lab, { from = NOW - YEAR,
        to = NOW + 9 * YEAR, key = "P-384" })
      local both = twin.dir .. "/both.der"
      pki.openssl { "crl2pkcs7", "-nocrl", "-certfile", ca.issuer.cert,
        "-certfile", twin.issuer.cert, "-outform", "DER", "-out", both }
      local p = new { cacerts = function()
        return answer(200, base64.encode(program.slurp(both)), PKCS7)
      end }
      p.consider()
      local list = assert(trust.parse(p.keyring:read("mic", "cert.pem")))
      assert.are.equal(2, #list)
      assert.are.equal(trust.parse(program.slurp(ca.issuer.cert))[1].sha256,
        list[2].sha256)
    end)

  it("may begin in the second in which it is made", function()
    local p = new { enroll = function(request)
      local made = issued(request, { from = NOW + 5 })
      made.delay = 5
      return made
    end }
    assert.are.equal("done", p.consider().outcome)
  end)

  it("that leads to no root of the phone's is refused", function()
    local strange = pki.new()
    strange.ca = strange:authority { cn = "Strange CA", from = NOW - YEAR,
      to = NOW + 10 * YEAR }
    local wrong = est.ca(strange, { from = NOW - YEAR, to = NOW + YEAR * 9 })
    finally(function()
      wrong:close()
      strange:close()
    end)
    fails(new { enroll = function(request)
      return answer(200, wrong:pkcs7(base64.decode(request.body),
        { from = NOW - 60, to = NOW + YEAR }), PKCS7)
    end }, "corrupted file")
    local p = new { cacerts = function()
      return answer(200, wrong:read("cacerts"), PKCS7)
    end }
    fails(p, "certificate not trusted", "c.untrusted")
    assert.are.equal(1, #p.world.requests)
  end)

  it("that is not PKCS #7 is refused", function()
    for _, body in ipairs { "", "?", "AAAA", ca:newest() } do
      fails(new { enroll = other(body) }, "corrupted file", "corrupt")
      fails(new { cacerts = other(body) }, "corrupted file", "corrupt")
    end
    fails(new { enroll = function(request)
      local good = issued(request)
      good.headers = { { "Content-Type", "text/html" } }
      return good
    end }, "corrupted file", "corrupt")
    fails(new { enroll = function() return answer(204) end },
      "corrupted file", "corrupt")
  end)

  local STATUSES <const> = { [401] = "Access violation",
    [403] = "Access violation", [404] = "File not found",
    [400] = "Unknown, error code(400)", [500] = "internal server error",
    [501] = "Not Implemented", [502] = "Bad Gateway",
    [503] = "Service Unavailable" }
  for status, text in pairs(STATUSES) do
    it(("of HTTP %d is shown as: %s"):format(status, text), function()
      fails(new { enroll = function() return answer(status) end }, text)
      fails(new { cacerts = function() return answer(status) end }, text)
    end)
  end

  local function redirect(where)
    return function() return answer(302, "", { "Location", where }) end
  end

  it("is not asked for at another server", function()
    for _, host in ipairs { "other.example.net", "est.example.net:8443" } do
      local to = ("https://%s/.well-known/est/lab/"):format(host)
      local p = new { enroll = redirect(to .. "simplereenroll") }
      assert.are.equal("the server redirects to " .. to .. "simplereenroll; "
        .. "what it is asked is asked of no other server",
        fails(p, "Unknown, error code(302)", "bad-response").reason)
      assert.are.equal(2, #p.asked())
      p = new { cacerts = redirect(to .. "cacerts") }
      fails(p, "Unknown, error code(302)", "bad-response")
      assert.are.equal(1, #p.asked())
    end
  end)

  it("may be at another path of the same server", function()
    local p = new { enroll = function(request)
      if request.url:find("?", 1, true) then return issued(request) end
      return redirect("simplereenroll?2")()
    end }
    assert.are.equal("done", p.consider().outcome)
    assert.are.equal("POST " .. BASE .. "simplereenroll?2", p.asked()[3])
  end)

  it("of very many CA certificates is looked at in part", function()
    local names = {}
    for i = 1, 17 do
      names[#names + 1] = "-certfile"
      names[#names + 1] = lab:authority { cn = "CA " .. i,
        from = NOW - YEAR, to = NOW + YEAR }.cert
    end
    local path = lab.dir .. "/many.der"
    pki.openssl { "crl2pkcs7", "-nocrl", "-outform", "DER", "-out", path,
      table.unpack(names) }
    local p = new { cacerts = function()
      return answer(200, base64.encode(program.slurp(path)), PKCS7)
    end }
    assert.matches("first 16 of 17", fails(p, "certificate not trusted",
      "c.untrusted").reason)
  end)

  it("by a server that is not trusted: Download Failed: certificate not "
    .. "trusted", function()
    local p = new { cacerts = function()
      return nil, "no trusted root", "c.untrusted"
    end }
    fails(p, "certificate not trusted", "c.untrusted")
  end)
end)

describe("a service that wants to be asked again", function()
  -- 202 so often, with that Retry-After; then the certificate
  local function later(times, text)
    local bodies = {}
    return function(request)
      bodies[#bodies + 1] = request.body
      if #bodies <= times then
        return answer(202, "", { "Retry-After", text })
      end
      return issued(request)
    end, bodies
  end

  it("Retry-After 120: the same CSR octets at +120 s", function()
    local enroll, bodies = later(1, "120")
    local p = new { enroll = enroll }
    local result = p.consider("daily")
    assert.are.same({ "waiting", 120 }, { result.outcome, result.after })
    assert.is_true(is_old(p))
    assert.are.same({ "", "Not Renewed" }, shown(p))
    p.world.step(119)
    for _, event in ipairs { "retry", "daily", "change", "request" } do
      result = p.consider(event)
      assert.are.same({ "none", 1 }, { result.outcome, result.after })
    end
    p.world.step(1)
    assert.are.equal("done", p.consider("retry").outcome)
    assert.are.equal(2, #bodies)
    assert.are.equal(bodies[1], bodies[2])
    assert.are.equal("Renewed", shown(p)[2])
    assert.is_nil((p.keyring:generation("mic-new")))
  end)

  it("is asked the same after a restart of the phone", function()
    local enroll, bodies = later(1, "120")
    local p = new { enroll = enroll }
    p.consider("daily")
    p.world.step(60)
    local after = p.restart()
    local result = after.consider("retry")
    assert.are.same({ "none", 60 }, { result.outcome, result.after })
    after.world.step(60)
    assert.are.equal("done", after.consider("retry").outcome)
    assert.are.equal(bodies[1], bodies[2])
    assert.are.equal(ca:newest(), trust.pem(after.facts().der))
  end)

  it("is asked for 7 days, and with another key then", function()
    local enroll, bodies = later(9, "86400")
    local p = new { enroll = enroll }
    local result
    for _ = 1, 8 do
      result = p.consider("retry")
      assert.are.same({ "waiting", DAY }, { result.outcome, result.after })
      p.world.step(DAY)
    end
    result = p.consider("retry")
    assert.are.same({ "failed", "Connection error" }, { result.outcome,
      result.cause })
    for i = 2, 9 do assert.are.equal(bodies[1], bodies[i]) end
    p.world.step(DAY)
    assert.are.equal("done", p.consider("retry").outcome)
    assert.are_not.equal(bodies[1], bodies[10])
  end)

  it("may be away meanwhile", function()
    local enroll, bodies = later(1, "120")
    local away = false
    local p = new { enroll = enroll, cacerts = function()
      if away then return nil, "refused", "connect" end
      return answer(200, ca:read("cacerts"), PKCS7)
    end }
    p.consider()
    p.world.step(120)
    away = true
    assert.are.equal("Connection error", p.consider("retry").cause)
    p.world.step(DAY)
    away = false
    assert.are.equal("done", p.consider("retry").outcome)
    assert.are.equal(bodies[1], bodies[2])
  end)

  it("is forgotten for another one", function()
    local enroll, bodies = later(1, "120")
    local p = new { enroll = enroll }
    p.consider()
    p.set { MIC_Cert_Refresh_Rule = URL .. "/" }
    assert.are.equal("done", p.consider("change").outcome)
    assert.are_not.equal(bodies[1], bodies[2])
  end)
end)

describe("the time of a renewal", function()
  it("is a random moment in the 300 s after a boot", function()
    for dice, seconds in pairs { min = 0, max = 300 } do
      local p = new { dice = dice }
      local result = p.consider("boot")
      assert.are.same({ "none", seconds }, { result.outcome, result.after })
      assert.are.same({}, p.world.requests)
      p.world.step(seconds)
      assert.are.equal("done", p.consider("retry").outcome)
    end
  end)

  it("is at once where a parameter says so", function()
    assert.are.equal("done", new {}.consider("change").outcome)
  end)

  it("is never while it is off, unless somebody insists", function()
    local p = new { params = { MIC_Cert_Refresh_Enable = "No" } }
    for _, event in ipairs { "boot", "change", "daily", "request" } do
      assert.are.same({ outcome = "none",
        reason = "MIC_Cert_Refresh_Enable is No" }, p.consider(event))
    end
    assert.are.equal("done", p.consider("request", true).outcome)
    assert.are.equal("done", new { days = 300 }.consider("request", true)
      .outcome)
  end)

  it("is a day after one that failed, but for who asks", function()
    local good = false
    local function enroll(request)
      return good and issued(request) or answer(503)
    end
    local p = new { enroll = enroll }
    fails(p, "Service Unavailable")
    p.world.step(DAY - 10)
    for _, event in ipairs { "daily", "retry" } do
      local result = p.consider(event)
      assert.are.same({ "none", 10 }, { result.outcome, result.after })
    end
    assert.are.equal(2, #p.world.requests)
    assert.are.equal("none", p.restart().consider("retry").outcome)
    good = true
    p.world.step(10)
    assert.are.equal("done", p.consider("retry").outcome)
    good = false
    local other = new { enroll = enroll }
    fails(other, "Service Unavailable")
    good = true
    assert.are.equal("done", other.consider("change").outcome)
  end)

  it("is a day after the one before it, where the rule knows no end",
    function()
      local rules = { ["certificate.lua"] = { path = "certificate.lua",
        text = [[
          return { stage = "certificate", decide = function()
            return { renew = true }
          end }
        ]] } }
      local p = new { rules = rules, enroll = function(request, world)
        return issued(request, { to = world.now().time // 1 + YEAR })
      end }
      p.consider("boot")
      p.world.step(3600)
      local after = p.restart { rules = rules }
      for _, event in ipairs { "boot", "daily", "change", "retry" } do
        local result = after.consider(event)
        assert.are.same({ "none", DAY - 3600 }, { result.outcome,
          result.after })
        assert.matches("renewed less than a day ago", result.reason)
      end
      assert.are.same({}, after.world.requests)
      assert.are.equal("done", after.consider("request").outcome)
      after.world.step(DAY)
      assert.are.equal("done", after.consider("daily").outcome)
    end)

  it("waits for a clock", function()
    local p = new { device = simulated.new { clock_trusted = false } }
    local result = p.consider("daily")
    assert.are.same({ "none", "the clock is not set", 3600 },
      { result.outcome, result.reason, result.after })
  end)
end)

describe("an engine", function()
  local CALM <const> = { Resync_On_Reset = "No", Resync_Periodic = "0",
    Profile_Rule = "", Upgrade_Enable = "No" }

  -- A phone with an engine, from its boot on.
  local function boot(o)
    o.params = CALM
    o.device = simulated.new {}
    local p = new(o)
    p.engine = engine.new(p.phone)
    p.engine:start("power_on")
    p.device = o.device
    return p
  end

  it("renews it in the 300 s after a boot, and restarts the phone", function()
    local p = boot { dice = "max" }
    p.world.advance(299)
    assert.are.same({}, p.world.requests)
    p.world.advance(301)
    assert.are.equal(2, #p.world.requests)
    assert.are.same({ { reason = "certificate", cold = false } },
      p.device.reboots)
    assert.matches("^11/22/2026 %d%d:%d%d:%d%d Certificate Renewed$",
      history.list(p.phone, "reboot")[1])
  end)

  it("restarts it when no line is in use", function()
    local p = boot {}
    p.device.set_lines(1)
    p.world.advance(3600)
    assert.are.equal("Renewed", shown(p)[2])
    assert.are.same({}, p.device.reboots)
    p.device.set_lines(0)
    p.world.advance(3601)
    assert.are.equal(1, #p.device.reboots)
  end)

  it("looks once a day, and acts when 30 days are left", function()
    local p = boot { days = 31 }
    p.world.advance(DAY - 1)
    assert.are.same({}, p.world.requests)
    p.world.advance(2 * DAY + 300)
    assert.are.equal("Renewed", shown(p)[2])
  end)

  it("tries again a day after a failure", function()
    local p = boot { enroll = function() return answer(503) end }
    p.world.advance(DAY)
    assert.are.equal(2, #p.world.requests)
    p.world.advance(DAY + 600)
    assert.are.equal(4, #p.world.requests)
    p.world.advance(3 * DAY + 600)
    assert.are.equal(8, #p.world.requests)
  end)

  it("comes again when the service has asked for it", function()
    local times = {}
    local p = boot { enroll = function(request, world)
      times[#times + 1] = world.now().mono
      if #times == 1 then
        return answer(202, "", { "Retry-After", "120" })
      end
      return issued(request)
    end }
    p.world.advance(3600)
    assert.are.same({ 300, 420 }, times)
    assert.are.equal(1, #p.device.reboots)
  end)

  it("does it at once when somebody insists", function()
    local p = boot { days = 300 }
    p.world.advance(10)
    local result
    assert.is_true(p.engine:certificate { what = "mic", force = true,
      by = "cli", done = function(r) result = r end })
    p.world.advance(20)
    assert.are.equal("done", result.outcome)
    assert.are.equal("Renewed", shown(p)[2])
  end)
end)

describe("MIC_Cert_Refresh_Rule", function()
  local function refused(rule, name, cause)
    local p = new { params = { MIC_Cert_Refresh_Rule = rule } }
    p.url = name
    fails(p, cause or "Bad scheme")
    assert.are.same({}, p.world.requests)
  end

  it("of the default leads to no traffic: Download Failed: Bad scheme",
    function()
      refused("http://sudirenewal.cisco.com/", "http://sudirenewal.cisco.com/")
    end)

  it("may not name what certificates do not come by", function()
    refused("tftp://est.example.net/x", "tftp://est.example.net/x")
    refused("ftp://est.example.net/x", "(not a URL)")
    refused("est.example.net", "tftp://est.example.net")
    refused("", "(not a URL)", "Unknown, error code(no-server)")
  end)

  local function lab_server(request)
    local pem = request.body
    assert.matches("^%-%-%-%-%-BEGIN CERTIFICATE REQUEST", pem)
    ca:pkcs7(base64.decode(pem:gsub("%-%-%-%-%-[%u ]+%-%-%-%-%-", "")),
      { from = NOW - 60, to = NOW + YEAR })
    return answer(200, ca:newest() .. trust.pem(trust.parse(ca.lab and
      program.slurp(ca.issuer.cert))[1].der))
  end

  it("of http is the lab's exchange, on simulated phones only", function()
    local rule = { MIC_Cert_Refresh_Rule = "http://u:p@lab.example.net/sign" }
    local p = new { params = rule, enroll = lab_server }
    assert.are.equal("done", p.consider().outcome)
    assert.are.same({ "POST http://lab.example.net/sign" }, p.asked())
    assert.matches(" http://lab.example.net/sign Download Successful$",
      shown(p)[1])
    p = new { params = rule, enroll = lab_server, device = {} }
    p.url = "http://lab.example.net/sign"
    fails(p, "Bad scheme")
    assert.are.same({}, p.world.requests)
  end)

  it("goes to the device where it has a way of its own", function()
    local seen
    local p = new { params = { MIC_Cert_Refresh_Rule = "sudi:renew" },
      device = { renew = function(url, old, request)
        seen = { url, trust.parse(old)[1].sha256 }
        ca:pkcs7(request, { from = NOW - 60, to = NOW + YEAR })
        return ca:newest() .. program.slurp(ca.issuer.cert)
      end } }
    local old = p.facts().sha256
    assert.are.equal("done", p.consider().outcome)
    assert.are.same({ "sudi:renew", old }, seen)
    p = new { device = { renew = function() return nil, "not today" end } }
    assert.are.equal("not today", p.consider().reason)
  end)
end)
