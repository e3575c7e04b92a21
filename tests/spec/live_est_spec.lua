-- The phone's own certificate is renewed by a real EST service: Apache, which
-- checks who asks, and the openssl command as the CA.
-- Source: RFC 7030; MPP provisioning guide, MIC_Cert_Refresh_Rule.
local context = require "peal.cycle.context"
local est = require "support.est"
local fixture = require "support.fixture"
local live = require "peal.world.live"
local loop = require "peal.loop"
local mic = require "peal.mic"
local phone_of = require "peal.phone"
local phones = require "support.phones"
local pki = require "support.pki"
local process = require "support.process"
local servers = require "support.servers"
local simulated = require "peal.device.simulated"
local tls_policy = require "peal.tls_policy"
local trust = require "peal.trust"
local upgrades = require "support.upgrades"

local need = phones.need

local DAY <const> = 86400
local now = os.time()

describe("an EST service at Apache", function()
  local lab, ca, service, dir, old

  before_each(function()
    if not servers.find("apache2") then return end
    lab = pki.new()
    ca = est.ca(lab)
    service = est.serve(ca, { tls = lab:server {} })
    dir = process.temp_dir()
    old = lab:client { from = now - 300 * DAY, to = now + 10 * DAY,
      sans = { "DNS:phone-1.example.net", "email:phone@example.net" } }
  end)

  after_each(function()
    if not service then return end
    service:stop()
    ca:close()
    lab:close()
    process.remove(dir)
    service = nil
  end)

  -- A phone with its keyring and store in `dir`; another one after a restart.
  local function boot(o)
    o = o or {}
    local params = { MIC_Cert_Refresh_Enable = "Yes",
      MIC_Cert_Refresh_Rule = service.url .. (o.label or "") }
    local anchors = assert(trust.anchors())
    assert(anchors:load((o.ca or lab.ca).cert))
    local p = { loop = loop.new() }
    p.world = live.new { loop = p.loop, device = simulated.new {},
      store = upgrades.store(params), keys = dir .. "/keys",
      trust = { anchors = anchors,
        identity = assert(trust.identity(old.cert, old.key)) } }
    p.phone = phone_of.new { world = p.world, identity = fixture.identity }
    function p.consider(event, force)
      return p.world.run(function()
        return mic.consider(p.phone, context.new(p.phone,
          { asked_by = "engine", kind = "certificate" }),
          { event = event, force = force })
      end)
    end
    function p.facts() return tls_policy.identity(p.phone):facts() end
    return p
  end

  -- Some write a serial number with colons or zeros in front.
  local function serial(text)
    return (text:upper():gsub("%X", ""):gsub("^0+", ""))
  end

  -- Whose certificates the service was shown.
  local function clients()
    local list = service.lines("clients")
    for i, line in ipairs(list) do list[i] = serial(line) end
    return list
  end

  it("renews a certificate: asked by the old one, then shown the new one",
    function()
      if not need("apache2") then return end
      local p = boot()
      local before = p.facts()
      local result = p.consider("change")
      assert.are.same({ "done", true }, { result.outcome, result.reboot },
        result.reason)
      local log = service.requests(2)
      assert.are.same({ "GET /.well-known/est/cacerts", 200,
        "POST /.well-known/est/simplereenroll", 200 }, {
        log[1].method .. " " .. log[1].uri, log[1].status,
        log[2].method .. " " .. log[2].uri, log[2].status })
      assert.are.equal("SUCCESS", log[2].client_verify)
      assert.matches("OU=CP%-8841%-3PCC", log[2].client_dn)
      assert.are.equal("application/pkcs10", log[2].headers["content-type"])

      -- who asked, by serial numbers
      local after = boot().facts()
      assert.are.same({ serial(before.serial) }, clients())
      assert.are.same({ before.subject, before.sans }, { after.subject,
        after.sans })
      assert.is_true(after.to > before.to)

      -- after a restart it is the new one that asks
      local q = boot()
      assert.are.equal(after.sha256, q.facts().sha256)
      assert.are.equal("done", q.consider("request", true).outcome)
      assert.are_not.equal(before.serial, after.serial)
      assert.are.same({ serial(before.serial), serial(after.serial) },
        clients())
      assert.is_true(boot().facts().to > after.to)
    end)

  it("issues for RSA keys as well", function()
    if not need("apache2") then return end
    old = lab:client { from = now - 300 * DAY, to = now + DAY,
      key = "rsa:2048" }
    local p = boot()
    assert.are.equal("done", p.consider("change").outcome)
    assert.are.same({ "RSA", 2048 }, { p.facts().key_type,
      p.facts().key_bits })
  end)

  it("is asked the same once more where it says 202, also after a restart",
    function()
      if not need("apache2") then return end
      local file = assert(io.open(ca.dir .. "/wait", "w"))
      file:write("once\n")
      file:close()
      process.chmod(ca.dir .. "/wait", 511)
      local p = boot()
      local result = p.consider("change")
      assert.are.same({ "waiting", 60 }, { result.outcome, result.after },
        result.reason)
      assert.are.equal(p.facts().sha256, trust.identity(old.cert,
        old.key):facts().sha256)
      assert.are.equal("done", boot().consider("retry").outcome)
      local requests = service.lines("requests")
      assert.are.equal(2, #requests)
      assert.are.equal(requests[1], requests[2])
    end)

  it("is not believed where its certificate is a stranger's", function()
    if not need("apache2") then return end
    local strange <close> = pki.new()
    local p = boot { ca = strange.ca }
    local result = p.consider("change")
    assert.are.same({ "failed", "c.untrusted", "certificate not trusted" },
      { result.outcome, result.word, result.cause })
    assert.matches(" Download Failed: certificate not trusted$",
      mic.status(p.phone).status)
    assert.are.same({}, service.lines("calls"))
  end)

  it("may have a label, one service of several", function()
    if not need("apache2") then return end
    assert.are.equal("done", boot { label = "/lab" }.consider("change")
      .outcome)
    assert.are.equal("/.well-known/est/lab/cacerts",
      service.requests(2)[1].uri)
  end)

  it("leaves the maker's certificate for the day the new one is damaged",
    function()
      if not need("apache2") then return end
      local before = boot().facts().sha256
      boot().consider("change")
      assert.are_not.equal(before, boot().facts().sha256)
      phones.write(dir .. "/keys/mic/current/cert.pem", "no certificate")
      local p = boot()
      assert.are.equal(before, p.facts().sha256)
      assert.are.equal("Not Renewed", mic.status(p.phone).info)
    end)

  it("has keys that only the phone's user can read", function()
    if not need("apache2") then return end
    boot().consider("change")
    local list = io.popen(("find %q -type f -o -type d"):format(dir
      .. "/keys"))
    local seen = 0
    for path in list:lines() do
      local stat = io.popen(("stat -c '%%a %%F' %q"):format(path))
      local mode = stat:read("l")
      stat:close()
      assert.is_truthy(mode:find("^700 directory") or mode:find("^600 "),
        path .. " " .. mode)
      seen = seen + 1
    end
    list:close()
    assert.is_true(seen >= 4)
  end)
end)
