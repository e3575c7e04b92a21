-- Root and host certificates on the virtual clock: states, schedule, terminals.
local engines = require "support.engine"
local host = require "peal.host_certificate"
local hosts = require "support.hosts"
local json = require "peal.json"
local keyring = require "peal.keyring"
local process = require "support.process"
local simulated = require "peal.device.simulated"
local states = require "peal.host_certificate.states"
local trust = require "peal.trust"

local HOUR <const> = 3600
local DAY <const> = 86400

local ONE_SYSTEM <const> = { { id = "21", kind = "system" } }

-- A phone that has its certificates, made at 2026-11-22 15:04:05.
local function served(options)
  options = options or {}
  options.terminals = options.terminals or ONE_SYSTEM
  local lab = hosts.new(options)
  local first = lab:ask("boot")
  assert.equal("done", first.outcome, first.reason)
  return lab:settle()
end

describe("a phone without terminals", function()
  it("makes nothing and keeps nothing", function()
    local lab = hosts.new()
    for _, event in ipairs { "boot", "daily", "change", "address", "clock",
      "terminal", "retry" } do
      local result = lab:ask(event)
      assert.equal("none", result.outcome)
      assert.is_nil(result.after)
    end
    assert.is_nil(lab.world.keyring:generation("host"))
    assert.is_nil(lab.phone.keep:get("host", "record"))
    local status = lab:status()
    assert.is_false(status.takes_part)
    assert.equal("NONE", status.state)
  end)

  it("takes part once somebody asks, and from then on", function()
    local lab = hosts.new()
    assert.equal("done", lab:ask("request").outcome)
    assert.equal("VALID", lab:state())
    lab:power()
    assert.equal("none", lab:ask("boot").outcome)
    assert.equal("VALID", lab:state())
  end)

  it("takes part where a parameter is not the default", function()
    local lab = hosts.new { params = { Cert_Regen_Days = "30" } }
    assert.equal("done", lab:ask("boot").outcome)
    assert.equal("2026-12-22 02:00:00", lab:next_run())
  end)
end)

describe("a pair of certificates", function()
  local lab, root, cert
  before_each(function()
    lab = served { params = { Host_Name = "pbx", Domain = "telco.net" } }
    root = assert(trust.parse(host.export(lab.phone, "root")))[1]
    cert = assert(trust.parse(host.export(lab.phone, "host")))[1]
  end)

  it("is a root of its own and a host certificate by it", function()
    assert.is_true(root.is_ca)
    assert.is_true(root.self_signed)
    assert.is_false(cert.is_ca)
    assert.equal(root.subject, cert.issuer)
    assert.equal("192.168.1.200", cert.cn)
    local sans = table.concat(cert.sans, " ")
    assert.equal("IP:192.168.1.200 DNS:pbx.telco.net DNS:pbx", sans)
    assert.same({ "serverAuth", "clientAuth" }, cert.purposes)
    for _, one in ipairs { root, cert } do
      assert.equal(256, one.key_bits)
      assert.equal("2026-11-22 14:04:05", lab:text(one.from))
      assert.equal("2027-11-22 16:04:05", lab:text(one.to))
    end
    assert.are_not.equal(root.serial, cert.serial)
  end)

  it("shares an id, which the next one does not", function()
    local id = lab:status().id
    assert.truthy(root.cn:find(id, 1, true))
    assert.truthy(cert.issuer:find(id, 1, true))
    lab:ask("request")
    assert.are_not.equal(id, lab:status().id)
  end)

  it("has the old root beside it until that one ends", function()
    lab:ask("request")
    local list = trust.parse(host.export(lab.phone, "root"))
    assert.equal(2, #list)
    assert.equal(root.sha256, list[2].sha256)
    assert.equal(root.sha256, lab:status().previous[1].sha256)
    assert.is_false(list[1].sha256 == root.sha256)
    -- made anew on 2027-11-22 02:00, when both still hold
    lab:go("2027-11-22 03:00")
    assert.equal(3, #trust.parse(host.export(lab.phone, "root")))
    assert.equal(2, #lab:status().previous)
    lab:go("2027-11-22 16:04:05")
    assert.equal(3, #trust.parse(host.export(lab.phone, "root")))
    lab:go("2027-11-22 16:04:06")
    assert.equal(1, #trust.parse(host.export(lab.phone, "root")))
    assert.same({}, lab:status().previous)
  end)

  it("has fresh keys each time", function()
    local seen = {}
    for _ = 1, 3 do
      for _, what in ipairs { "root", "host" } do
        local facts = trust.parse(host.export(lab.phone, what))[1]
        assert.is_nil(seen[facts.sha256])
        seen[facts.sha256] = true
      end
      lab:ask("request")
    end
  end)

  it("never shows its key", function()
    local texts = { host.export(lab.phone, "root"),
      host.export(lab.phone, "host"), json.encode(lab:status()),
      lab.phone.keep:get("host", "record"),
      json.encode(lab.device.terminal("21").bundle) }
    for _, text in ipairs(texts) do
      assert.is_nil(text:find("PRIVATE", 1, true))
    end
    local none, sentence, word = host.export(lab.phone, "host.key")
    assert.is_nil(none)
    assert.equal("invalid", word)
    assert.truthy(sentence)
  end)
end)

describe("the schedule (Europe/Zurich)", function()
  it("T 2026-11-22 15:04:05, 365 d, 02:00: ends 2027-11-22 16:04:05, next "
    .. "2027-11-22 02:00", function()
    local lab = served()
    assert.equal("2027-11-22 02:00:00", lab:next_run())
    assert.equal("2027-11-22T15:04:05Z", lab:status().host.not_after)
  end)

  it("T exactly 02:00:00, 1 d: the next day 02:00:00", function()
    local lab = served { time = "2026-11-22 02:00:00",
      params = { Cert_Regen_Days = "1" } }
    assert.equal("2026-11-23 02:00:00", lab:next_run())
  end)

  it("T 01:00, 1 d: the same day 02:00", function()
    local lab = served { time = "2026-11-22 01:00:00",
      params = { Cert_Regen_Days = "1" } }
    assert.equal("2026-11-22 02:00:00", lab:next_run())
  end)

  it("365 to 30 d at 2026-11-23: next 2026-12-22 02:00", function()
    local lab = served()
    lab:go("2026-11-23 12:00")
    lab:set { Cert_Regen_Days = "30" }
    assert.equal("2026-12-22 02:00:00", lab:next_run())
    assert.same({}, lab:status().warnings)
  end)

  it("30 to 365 d, active until 2026-12-22 16:04:05: warning, next "
    .. "2026-12-22 02:00", function()
    local lab = served { params = { Cert_Regen_Days = "30" } }
    lab:go("2026-11-23 12:00")
    lab:set { Cert_Regen_Days = "365" }
    assert.equal("2026-12-22 02:00:00", lab:next_run())
    assert.equal("2026-12-22T15:04:05Z", lab:status().host.not_after)
    local warnings = lab:status().warnings
    assert.equal("lengthened", warnings[1].word)
    assert.truthy(warnings[1].text:find("regenerate manually", 1, true))
    assert.equal("VALID", lab:state())
    assert.equal("done", lab:ask("request").outcome)
    assert.same({}, lab:status().warnings)
    assert.equal("2027-11-23 02:00:00", lab:next_run())
  end)

  it("02:30 on the spring change day: 03:00", function()
    local lab = served { time = "2027-03-27 12:00:00",
      params = { Cert_Regen_Days = "1", Cert_Regen_Time = "02:30" } }
    assert.equal("2027-03-28 03:00:00", lab:next_run())
    lab:go("2027-03-28 12:00")
    assert.equal("2027-03-28T00:00:00Z", lab:status().host.not_before)
  end)

  it("makes new ones at the time, and at no other", function()
    local lab, made = served { params = { Cert_Regen_Days = "30" } }, {}
    lab:go("2027-03-01 00:00", function()
      made[lab:status().host.sha256] = true
    end)
    local n = 0
    for _ in pairs(made) do n = n + 1 end
    assert.equal(4, n) -- 11-22, 12-22, 01-21, 02-20
    assert.equal("2027-02-20T00:00:00Z", lab:status().host.not_before)
  end)

  it("a shortened interval that is over waits for the time of day", function()
    local lab = served()
    lab:go("2027-03-01 12:00")
    lab:set { Cert_Regen_Days = "30" }
    assert.equal("2027-03-02 02:00:00", lab:next_run())
    assert.equal("VALID", lab:state())
    lab:go("2027-03-02 03:00")
    assert.equal("2027-03-02T00:00:00Z", lab:status().host.not_before)
    assert.equal("2027-04-01 02:00:00", lab:next_run())
  end)

  it("another zone moves it", function()
    local lab = served()
    lab:set { Time_Zone = "GMT-05:00" }
    assert.equal("2027-11-22 08:00:00", lab:next_run())
  end)

  it("a time of day that is none is said, and 02:00 is used", function()
    local lab = served()
    lab:set { Cert_Regen_Time = "25:00" }
    assert.equal("2027-11-22 02:00:00", lab:next_run())
    assert.equal("invalid", lab:status().warnings[1].word)
  end)

  it("what was missed while it was off is made up for, once", function()
    local lab = served { params = { Cert_Regen_Days = "30" } }
    lab.world.advance(lab:time("2027-06-01 12:00")
      - lab:time("2026-11-22 15:04:05"))
    lab:power()
    assert.equal("EXPIRED", lab:state())
    assert.equal("done", lab:ask("boot").outcome)
    assert.equal("none", lab:ask("daily").outcome)
    assert.equal("VALID", lab:settle():state())
  end)
end)

describe("a clock that is not synchronised", function()
  it("NTP lost at next_run: WAIT_NTP, runs at sync", function()
    local lab = served { params = { Cert_Regen_Days = "30" } }
    local id = lab:status().id
    lab:go("2026-12-22 01:00")
    lab.device.set_clock(false)
    lab:go("2026-12-22 05:00")
    assert.equal("WAIT_NTP", lab:state())
    assert.same({ "no-clock" }, lab:alarms())
    assert.equal(id, lab:status().id)
    lab.device.set_clock(true)
    assert.equal("done", lab:ask("clock").outcome)
    assert.are_not.equal(id, lab:status().id)
    assert.equal("none", lab:ask("clock").outcome)
    assert.equal("VALID", lab:settle():state())
    assert.same({}, lab:alarms())
  end)

  it("holds no run that is not due", function()
    local lab = served()
    lab.device.set_clock(false)
    lab:ask("clock")
    assert.equal("VALID", lab:state())
    assert.same({}, lab:alarms())
  end)

  it("keeps the first pair waiting", function()
    local lab = hosts.new { terminals = ONE_SYSTEM }
    lab.device.set_clock(false)
    assert.equal("waiting", lab:ask("boot").outcome)
    assert.equal("WAIT_NTP", lab:state())
    lab.device.set_clock(true)
    assert.equal("done", lab:ask("clock").outcome)
  end)

  it("refuses a manual generation, unless it is forced", function()
    local lab = served()
    local id = lab:status().id
    lab.device.set_clock(false)
    local result = lab:ask("request")
    assert.equal("refused", result.outcome)
    assert.truthy(result.reason:find("not synchronised", 1, true))
    assert.equal(id, lab:status().id)
    assert.equal("done", lab:ask("request", true).outcome)
    assert.are_not.equal(id, lab:status().id)
  end)

  it("cures certificates of a clock that was ahead", function()
    local lab = hosts.new { terminals = ONE_SYSTEM }
    lab.world.step(400 * DAY)
    lab.device.set_clock(false)
    lab:ask("request", true)
    lab.world.step(-400 * DAY)
    lab.device.set_clock(true)
    assert.equal("done", lab:ask("clock").outcome)
    assert.equal("2026-11-22T13:04:05Z", lab:status().host.not_before)
  end)
end)

describe("another address", function()
  it("IP .200 to .201: STALE_ADDRESS; manual regenerate: new host SAN .201, "
    .. "SIP phones restart", function()
    local lab = served { terminals = hosts.terminals("sip", 3) }
    assert.equal("VALID", lab:state())
    assert.equal(1, lab.device.terminal("sip-001").restarts)
    lab.device.set_address("192.168.1.201")
    assert.equal("none", lab:ask("address").outcome)
    assert.equal("STALE_ADDRESS", lab:state())
    assert.same({ "address" }, lab:alarms())
    assert.truthy(lab:status().alarm:find("192.168.1.201", 1, true))
    -- still served
    assert.truthy(host.export(lab.phone, "host"))
    assert.equal("done", lab:ask("request").outcome)
    local cert = trust.parse(host.export(lab.phone, "host"))[1]
    assert.equal("IP:192.168.1.201", cert.sans[1])
    assert.equal("192.168.1.201", cert.cn)
    assert.equal("VALID", lab:settle():state())
    assert.same({}, lab:alarms())
    for i = 1, 3 do
      local one = lab.device.terminal("sip-00" .. i)
      assert.equal(2, one.restarts)
      assert.equal(lab:status().id, one.bundle.id)
    end
  end)

  it("makes new ones by itself with Cert_Regen_On_IP_Change", function()
    local lab = served { params = { Cert_Regen_On_IP_Change = "Yes" } }
    lab:go("2026-11-22 15:15")
    lab.device.set_address("192.168.1.201")
    assert.equal("done", lab:ask("address").outcome)
    assert.equal("192.168.1.201", lab:status().address)
  end)

  it("replaces no pair younger than ten minutes by itself", function()
    local lab = served { params = { Cert_Regen_On_IP_Change = "Yes" } }
    local made, last = 0, lab:status().id
    local function look()
      local id = lab:status().id
      made, last = made + (id ~= last and 1 or 0), id
    end
    lab:go("2026-11-22 15:20:00")
    for i = 1, 60 do -- a second each
      lab.world.advance(lab.world.now().mono + 1)
      lab.device.set_address("192.168.1.20" .. i % 2)
      lab:ask("address")
      lab:settle()
      look()
    end
    assert.equal(1, made)
    assert.equal("192.168.1.201", lab:status().address)
    -- it has come to rest at the other one
    assert.equal("STALE_ADDRESS", lab:state())
    lab:go("2026-11-22 15:30:00", look)
    assert.equal(1, made)
    lab:go("2026-11-22 15:30:02", look)
    assert.equal(2, made)
    assert.equal("192.168.1.200", lab:status().address)
    assert.equal("VALID", lab:settle():state())
  end)

  it("is made good at once where somebody asks", function()
    local lab = served { params = { Cert_Regen_On_IP_Change = "Yes" } }
    lab.device.set_address("192.168.1.201")
    local result = lab:ask("address")
    assert.same({ "none", 600 }, { result.outcome, result.after })
    assert.matches("a young certificate stays for 600 s more", result.reason)
    assert.equal("done", lab:ask("request").outcome)
    assert.equal("192.168.1.201", lab:status().address)
  end)

  it("is not left at the next run, but when the certificate ends", function()
    local lab = served { params = { Cert_Regen_Days = "30" } }
    lab.device.set_address("192.168.1.201")
    lab:ask("address")
    lab:go("2026-12-22 16:04:05")
    assert.equal("STALE_ADDRESS", lab:state())
    assert.equal("192.168.1.200", lab:status().address)
    lab:go("2026-12-22 16:04:10")
    assert.equal("192.168.1.201", lab:status().address)
    assert.equal("VALID", lab:settle():state())
  end)

  it("is forgiven when the old one comes back", function()
    local lab = served()
    lab.device.set_address("192.168.1.201")
    lab:ask("address")
    lab.device.set_address("192.168.1.200")
    lab:ask("address")
    assert.equal("VALID", lab:state())
  end)
end)

describe("a generation that fails", function()
  local lab, ring, broken
  before_each(function()
    lab = served { params = { Cert_Regen_Days = "30" } }
    ring = lab.world.keyring
    lab.world.keyring = setmetatable({ install = function(_, ...)
      if broken then return nil, "no room on the device", "no-space" end
      return ring:install(...)
    end }, { __index = function(_, name)
      return function(_, ...) return ring[name](ring, ...) end
    end })
    broken = true
  end)

  it("keeps the old pair, alarms, and is tried again hourly", function()
    local id = lab:status().id
    lab:go("2026-12-22 05:30")
    assert.equal(id, lab:status().id)
    assert.equal(4, lab:status().failures) -- 02:00, 03:00, 04:00, 05:00
    assert.same({ "generation" }, lab:alarms())
    assert.truthy(lab:status().alarm:find("no room on the device", 1, true))
    assert.equal("VALID", lab:state())
    broken = false
    lab:go("2026-12-22 06:30")
    assert.are_not.equal(id, lab:status().id)
    assert.is_nil(lab:status().failures)
    assert.same({}, lab:alarms())
  end)

  it("is tried at once when somebody asks", function()
    lab:go("2026-12-22 02:30")
    broken = false
    assert.equal("done", lab:ask("request").outcome)
  end)

  it("lets the certificate expire at last: EXPIRED, then VALID", function()
    lab:go("2026-12-22 16:04:05")
    assert.equal("VALID", lab:state())
    lab:go("2026-12-22 16:04:06")
    assert.equal("EXPIRED", lab:state())
    assert.equal("expired", lab:alarms()[1])
    broken = false
    lab:go("2026-12-22 17:30")
    assert.equal("VALID", lab:settle():state())
    local over = {} -- in an order that does not differ from run to run
    for _, event in ipairs(lab.world.told) do
      if event.over then over[#over + 1] = event.alarm end
    end
    assert.same({ "expired", "generation" }, over)
  end)

  it("without an address says so", function()
    local bare = hosts.new { terminals = ONE_SYSTEM, address = "" }
    local result = bare:ask("boot")
    assert.equal("failed", result.outcome)
    assert.truthy(result.reason:find("no address", 1, true))
    assert.equal("NONE", bare:state())
  end)
end)

describe("a power cut", function()
  -- The world ends where `install` is called: before it has written, or after.
  local function cut(where)
    local lab = served { params = { Cert_Regen_Days = "30" } }
    local ring, old = lab.world.keyring, lab:status().id
    lab.world.keyring = setmetatable({ install = function(_, ...)
      if where == "after" then assert(ring:install(...)) end
      error("power cut", 0)
    end }, { __index = function(_, name)
      return function(_, ...) return ring[name](ring, ...) end
    end })
    local ok = pcall(lab.ask, lab, "request")
    assert.is_false(ok)
    lab.world.keyring = ring
    return lab:power(), old
  end

  it("before the switch: the old pair, and the generation is done", function()
    local lab, old = cut("before")
    assert.equal(old, lab:status().id)
    assert.equal("done", lab:ask("boot").outcome)
    assert.are_not.equal(old, lab:status().id)
    assert.equal("VALID", lab:settle():state())
  end)

  it("after the switch: the new pair, which is distributed", function()
    local lab, old = cut("after")
    local new = lab:status().id
    assert.are_not.equal(old, new)
    assert.equal(old, lab.device.terminal("21").bundle.id)
    assert.equal("none", lab:ask("boot").outcome)
    assert.equal(new, lab.device.terminal("21").bundle.id)
    assert.equal(new, lab:status().id)
    assert.equal("VALID", lab:settle():state())
  end)

  it("in the midst of a distribution: it goes on from there", function()
    local lab = hosts.new { terminals = hosts.terminals("sip", 30) }
    for _, one in ipairs(lab.device.terminals()) do one.slow = true end
    lab:ask("boot")
    for _, one in ipairs(lab.device.terminals()) do one.finish() end
    lab:ask("retry")
    for i = 1, 3 do lab.device.terminal("sip-00" .. i).finish() end
    lab:ask("retry")
    assert.same({ installed = 3, restart_pending = 27 }, lab:counts())
    assert.equal("DISTRIBUTING", lab:state())
    local id = lab:status().id
    for _, one in ipairs(lab.device.terminals()) do one.slow = false end
    lab:power()
    assert.equal("DISTRIBUTING", lab:state())
    lab:ask("boot")
    lab:settle()
    assert.equal(id, lab:status().id)
    assert.same({ installed = 30 }, lab:counts())
    assert.equal(1, lab.device.terminal("sip-001").restarts)
    assert.equal("VALID", lab:state())
  end)
end)

describe("damaged files", function()
  local dir, lab, first

  before_each(function()
    dir = process.temp_dir()
    lab = served { keyring = assert(keyring.open(dir .. "/keys")) }
    first = lab:status().id
    lab:ask("request")
  end)
  after_each(function() process.remove(dir) end)

  local function damage(generation)
    local path = ("%s/keys/host/%d/host.pem"):format(dir, generation)
    local file = assert(io.open(path, "w"))
    file:write("rubbish")
    file:close()
    lab.world.keyring = assert(keyring.open(dir .. "/keys"))
    lab:power()
  end

  it("leave the pair before them in force, with an alarm", function()
    damage(2)
    assert.equal(first, lab:status().id)
    lab:ask("boot")
    assert.same({ "corrupt" }, lab:alarms())
    assert.equal(first, lab.device.terminal("21").bundle.id)
    lab:ask("request")
    assert.same({}, lab:alarms())
  end)

  it("are replaced where nothing whole is left", function()
    damage(1)
    damage(2)
    assert.equal("NONE", lab:state())
    assert.same({ "corrupt" }, lab:alarms())
    assert.equal("done", lab:ask("boot").outcome)
    assert.equal("VALID", lab:settle():state())
    assert.same({}, lab:alarms())
  end)
end)

describe("a device that does not tell of its clock", function()
  it("is looked at each minute while a run waits", function()
    local trusted = false
    local lab = hosts.new { device = { zone = hosts.ZURICH,
      clock_trusted = function() return trusted end,
      terminals = { { id = "1", kind = "standard" } } } }
    assert.equal(60, lab:ask("boot").after)
    trusted = true
    lab:go("2026-11-22 15:06")
    assert.equal("VALID", lab:state())
  end)
end)

describe("an operator's rule", function()
  it("may hold a run back, and say when it wants to be asked", function()
    local engine_lab = engines.new { dice = 7, zone = hosts.ZURICH,
      identity = { IP = "192.168.1.200" },
      device = { terminals = { { id = "1", kind = "standard" } } },
      rules = { ["certificate.lua"] = [[
        return { stage = "certificate", decide = function(phone)
          if phone.what ~= "host" then return { renew = false } end
          return { renew = phone.due and phone.event == "retry",
            after = 600, reason = "not at once" }
        end }
      ]] } }:boot()
    engine_lab:advance(599)
    assert.equal("NONE", host.status(engine_lab.phone).state)
    engine_lab:advance(601)
    assert.equal("VALID", host.status(engine_lab.phone).state)
  end)

  it("that wants a new one at each question gets one a day", function()
    local engine_lab = engines.new { dice = 7, zone = hosts.ZURICH,
      identity = { IP = "192.168.1.200" },
      device = { terminals = ONE_SYSTEM },
      rules = { ["certificate.lua"] = [[
        return { stage = "certificate", decide = function(phone)
          return { renew = phone.what == "host", reason = "always" }
        end }
      ]] } }:boot()
    for hour = 1, 50 do
      engine_lab:advance(hour * HOUR)
      engine_lab.engine:changed({ "Cert_Regen_Days" }, "cli")
    end
    assert.equal(2, #host.status(engine_lab.phone).previous)
  end)
end)

describe("terminals", function()
  it("of the system take the certificate in operation", function()
    local lab = served { terminals = hosts.terminals("system", 5) }
    assert.same({ installed = 5 }, lab:counts())
    local one = lab.device.terminal("system-003")
    assert.equal(0, one.restarts)
    assert.equal(host.export(lab.phone, "host"), one.bundle.host)
    assert.equal(lab:status().id, one.bundle.id)
  end)

  it("get the old root as well", function()
    local lab = served()
    local old = host.export(lab.phone, "root")
    lab:ask("request")
    assert.equal(old, lab.device.terminal("21").bundle.previous)
  end)

  it("that are standard wait for a person", function()
    local lab = served { terminals = hosts.terminals("standard", 2) }
    assert.same({ manual = 2 }, lab:counts())
    assert.equal("VALID", lab:state())
    assert.is_true(lab:status().terminals[1].mismatched)
    assert.is_true(host.mark_installed(lab.phone, "standard-001"))
    assert.same({ installed = 1, manual = 1 }, lab:counts())
    assert.is_false(lab:status().terminals[1].mismatched)
    local none, sentence, word = host.mark_installed(lab.phone,
      "standard-001")
    assert.is_nil(none)
    assert.truthy(sentence:find("is installed", 1, true))
    assert.equal("bad-state", word)
    assert.equal("not-found", select(3,
      host.mark_installed(lab.phone, "nobody")))
    lab:power()
    assert.same({ installed = 1, manual = 1 }, lab:counts())
    lab:ask("request")
    assert.same({ manual = 2 }, lab:counts())
  end)

  it("that do not answer have failed after five minutes, and are tried "
    .. "twelve times more", function()
    local lab = hosts.new { terminals = ONE_SYSTEM }
    local one, pushes = lab.device.terminal("21"), 0
    local push = one.push
    one.push = function(...)
      pushes = pushes + 1
      push(...)
    end
    one.broken = "it is off"
    lab:ask("boot")
    lab:settle()
    assert.equal("DISTRIBUTING", lab:state())
    local entry = lab:status().terminals[1]
    assert.equal("failed", entry.status)
    assert.equal("it is off", entry.reason)
    assert.equal(lab.world.now().time + 300, entry.again)
    lab:go("2026-11-22 16:05")
    assert.equal(13, pushes)
    assert.equal("VALID", lab:state())
    assert.same({ "terminal" }, lab:alarms())
    lab:go("2026-11-24 00:00")
    assert.equal(13, pushes)
    -- it is back
    one.broken = nil
    lab:ask("terminal")
    assert.equal("installed", lab:settle():status().terminals[1].status)
    assert.same({}, lab:alarms())
  end)

  it("that are silent have failed after five minutes", function()
    local lab = hosts.new { terminals = ONE_SYSTEM }
    local one = lab.device.terminal("21")
    one.slow = true
    lab:ask("boot")
    local late = one.finish
    lab:go("2026-11-22 15:09:04")
    assert.same({ pending = 1 }, lab:counts())
    lab:go("2026-11-22 15:09:05")
    assert.equal("failed", lab:status().terminals[1].status)
    late() -- comes too late to count
    assert.equal("failed", lab:status().terminals[1].status)
  end)

  it("that come later get it too", function()
    local lab = served()
    lab.device.set_terminals(hosts.terminals("sip", 1))
    lab:ask("terminal")
    lab:settle()
    local list = lab:status().terminals
    assert.equal(1, #list)
    assert.equal("sip-001", list[1].id)
    assert.equal("installed", list[1].status)
  end)

  it("that are missing for a moment are not restarted again", function()
    local lab = served { terminals = hosts.terminals("sip", 2) }
    lab:go("2026-11-22 16:00")
    local list = lab.device.terminals()
    lab.device.set_terminals { { id = "sip-001", kind = "sip" } }
    lab:ask("terminal")
    assert.equal(1, #lab:status().terminals)
    lab:power() -- and the device knows none yet when it has started
    lab.device.set_terminals {}
    lab:ask("boot")
    lab:settle()
    lab:go("2026-11-23 15:59")
    lab.device.terminals = function() return list end
    lab:ask("terminal")
    lab:settle()
    assert.same({ installed = 2 }, lab:counts())
    for _, one in ipairs(list) do assert.equal(1, one.restarts) end
  end)

  it("that are missing for a day are new ones", function()
    local lab = served { terminals = hosts.terminals("sip", 1) }
    local list = lab.device.terminals()
    lab.device.set_terminals {}
    lab:ask("terminal")
    lab:go("2026-11-23 15:04:05")
    lab:ask("daily")
    lab.device.terminals = function() return list end
    lab:ask("terminal")
    assert.equal(2, list[1].restarts)
  end)

  it("that answer while they are missing have answered", function()
    local lab = hosts.new { terminals = hosts.terminals("sip", 1) }
    local one, list, answer = lab.device.terminal("sip-001"),
      lab.device.terminals(), nil
    one.restart = function(fn) answer = fn end
    lab:ask("boot")
    lab.device.set_terminals {}
    lab:ask("terminal")
    assert.equal("VALID", lab:state())
    answer(true)
    lab.device.terminals = function() return list end
    lab:ask("terminal")
    assert.same({ installed = 1 }, lab:counts())
  end)

  it("are mismatched while they have another generation", function()
    local lab = served()
    lab.device.terminal("21").slow = true
    lab:ask("request")
    local one = lab:status().terminals[1]
    assert.is_true(one.mismatched)
    assert.are_not.equal(lab:status().id, one.has)
    lab.device.terminal("21").finish()
    assert.is_false(lab:status().terminals[1].mismatched)
  end)

  it("an answer for the last generation is none for this one", function()
    local lab = hosts.new { terminals = ONE_SYSTEM }
    local one = lab.device.terminal("21")
    one.slow = true
    lab:ask("boot")
    lab:ask("request")
    one.finish()
    assert.is_true(lab:status().terminals[1].mismatched)
    lab:settle()
    one.finish()
    assert.is_false(lab:status().terminals[1].mismatched)
  end)

  it("a fleet of 100 SIP phones restarts ten at a time", function()
    local lab = hosts.new { terminals = hosts.terminals("sip", 100) }
    local now, most = 0, 0
    for _, one in ipairs(lab.device.terminals()) do
      one.restart = function(answer)
        now = now + 1
        most = math.max(most, now)
        require("peal.task").spawn(function()
          lab.world.wait(60)
          now, one.restarts = now - 1, one.restarts + 1
          answer(true)
        end)
      end
    end
    lab:ask("boot")
    assert.same({ restart_pending = 100 }, lab:counts())
    local start = lab.world.now().mono
    while lab:state() == "DISTRIBUTING" do
      lab.world.advance(lab.world.now().mono + 1)
      lab:settle()
    end
    assert.equal(10, most)
    assert.equal(600, lab.world.now().mono - start)
    for _, one in ipairs(lab.device.terminals()) do
      assert.equal(1, one.restarts)
    end
  end)

  it("a fleet of 1,000 SIP phones is no thousand writes", function()
    local lab = hosts.new { terminals = hosts.terminals("sip", 1000) }
    local waiting = {}
    for _, one in ipairs(lab.device.terminals()) do
      one.restart = function(answer) table.insert(waiting, answer) end
    end
    lab:ask("boot")
    local before = lab.store:revision()
    while waiting[1] do
      local round = waiting
      waiting = {}
      for _, answer in ipairs(round) do answer(true) end
      lab:settle()
    end
    assert.same({ installed = 1000 }, lab:counts())
    assert.equal("VALID", lab:state())
    local writes = lab.store:revision() - before
    assert.is_true(writes <= 15, writes .. " commits")
    lab:power()
    assert.same({ installed = 1000 }, lab:counts())
  end)

  it("one whose function raises an error has refused", function()
    local lab = hosts.new { terminals = hosts.terminals("sip", 2) }
    lab.device.terminal("sip-001").push = function()
      error("no such port", 0)
    end
    lab.device.terminal("sip-002").restart = function(answer)
      answer(true)
      error("after the answer", 0)
    end
    lab:ask("boot")
    lab:settle()
    local list = lab:status().terminals
    assert.same({ "failed", "no such port" }, { list[1].status,
      list[1].reason })
    assert.equal("installed", list[2].status)
  end)

  it("few SIP phones restart one after the other", function()
    local cap = require("peal.host_certificate.distribution").cap
    for n, most in pairs { [0] = 1, [1] = 1, [9] = 1, [10] = 1, [19] = 1,
      [20] = 2, [55] = 5, [100] = 10, [5000] = 10 } do
      assert.equal(most, cap(n))
    end
  end)
end)

describe("what is told", function()
  it("is each state once, and each alarm when it comes and goes", function()
    local lab = served()
    lab.device.set_address("192.168.1.201")
    lab:ask("address")
    lab:ask("daily")
    lab.device.set_address("192.168.1.200")
    lab:ask("address")
    local said = {}
    for _, event in ipairs(lab.world.told) do
      if event.event == "certificate" and event.what == "host" then
        said[#said + 1] = event.state or event.alarm
          .. (event.over and " over" or "")
      end
    end
    assert.same({ "GENERATING", "VALID", "STALE_ADDRESS", "address", "VALID",
      "address over" }, said)
    local lines = table.concat(lab.world.lines, "\n")
    assert.truthy(lines:find("host certificate: alarm: the host certificate "
      .. "is for 192.168.1.200", 1, true))
  end)
end)

describe("the states", function()
  local pair = { not_after = 1000, address = "a", days = 1 }
  local rows = {
    { "NONE", {} }, { "NONE", { clock = false } },
    { "WAIT_NTP", { due = true, clock = false } },
    { "GENERATING", { working = true, pair = pair, time = 2000 } },
    { "EXPIRED", { pair = pair, time = 1001 } },
    { "VALID", { pair = pair, time = 1000 } },
    { "WAIT_NTP", { pair = pair, due = true, clock = false } },
    { "EXPIRED", { pair = pair, due = true, clock = false, time = 1001 } },
    { "STALE_ADDRESS", { pair = pair, address = "b" } },
    { "VALID", { pair = pair, address = "a" } },
    { "DISTRIBUTING", { pair = pair, distributing = true } },
  }
  for i, row in ipairs(rows) do
    it(("%d: %s"):format(i, row[1]), function()
      local f = row[2]
      f.time, f.lost = f.time or 500, {}
      if f.clock == nil then f.clock = true end
      assert.equal(row[1], states.of(f))
    end)
  end
end)

describe("five years of 30-day certificates", function()
  it("leave no instant without a valid host certificate", function()
    local lab = served { params = { Cert_Regen_Days = "30" },
      terminals = { { id = "1", kind = "system" },
        { id = "2", kind = "sip" } } }
    local made, holds_to = 0, lab.phone.host_desk.pair.not_after
    local last = lab:status().id
    lab:go("2031-11-22 15:04:05", function()
      local now, pair = lab.world.now().time, lab.phone.host_desk.pair
      assert.is_true(now <= holds_to)
      assert.is_true(pair.not_before <= now and now <= pair.not_after)
      if pair.id ~= last then
        -- an hour for the terminals, before the old one ends
        assert.is_true(now <= holds_to - HOUR)
        made, last, holds_to = made + 1, pair.id, pair.not_after
      end
      assert.is_true(#pair.older <= 1)
    end)
    assert.is_true(made >= 60 and made <= 62)
    assert.same({ installed = 2 }, lab:counts())
    assert.equal(made + 1, lab.device.terminal("2").restarts)
  end)

  it("and of one-day certificates, through both changes of the clock",
    function()
    for _, at in ipairs { "02:30", "02:00", "15:00" } do
      local lab = served { time = "2026-10-20 " .. at .. ":00",
        params = { Cert_Regen_Days = "1", Cert_Regen_Time = at } }
      local holds_to = lab.phone.host_desk.pair.not_after
      lab:go("2027-04-05 12:00", function()
        local now, pair = lab.world.now().time, lab.phone.host_desk.pair
        assert.is_true(now <= holds_to - HOUR)
        holds_to = pair.not_after
      end)
    end
  end)
end)

describe("a device that cannot do much", function()
  it("leaves what cannot be pushed or restarted to a person", function()
    local list = { { id = "1", kind = "system" }, { id = "2", kind = "sip",
      push = function(_, answer) answer(true) end } }
    local device = simulated.new { zone = hosts.ZURICH }
    device.terminals = list
    local lab = hosts.new { device = device }
    lab:ask("boot")
    assert.same({ manual = 2 }, lab:counts())
  end)
end)

describe("an engine", function()
  local function boot(options)
    options.told, options.dice = true, 7
    local d = assert(simulated.new { zone = hosts.ZURICH,
      address = "192.168.1.200", terminals = options.terminals })
    options.device, options.zone = d, hosts.ZURICH
    local lab = engines.new(options):boot()
    return lab:advance(0), d
  end

  it("asks at boot, when due, and when a terminal has answered", function()
    local lab, d = boot { terminals = hosts.terminals("sip", 40),
      params = { Cert_Regen_Days = "30" } }
    local status = host.status(lab.phone)
    assert.equal("VALID", status.state)
    local id, now, most = status.id, 0, 0
    for _, one in ipairs(d.terminals()) do
      one.restart = function(answer)
        now = now + 1
        most = math.max(most, now)
        lab:plan(lab.world.now().mono + 90, function()
          now, one.restarts = now - 1, one.restarts + 1
          answer(true)
        end)
      end
    end
    local due = status.next_run - lab.world.now().time
    lab:advance(due - 1)
    assert.equal(id, host.status(lab.phone).id)
    lab:advance(due + 2)
    assert.are_not.equal(id, host.status(lab.phone).id)
    assert.equal("DISTRIBUTING", host.status(lab.phone).state)
    lab:advance(due + 1200)
    assert.equal("VALID", host.status(lab.phone).state)
    assert.equal(4, most)
    for _, one in ipairs(d.terminals()) do assert.equal(2, one.restarts) end
  end)

  it("hears of another address and of the clock", function()
    local lab, d = boot { terminals = ONE_SYSTEM }
    d.set_address("192.168.1.201")
    lab:advance(1)
    local told = lab.engine:status().trust.host
    assert.equal("STALE_ADDRESS", told.state)
    assert.truthy(told.alarm:find("192.168.1.201", 1, true))
    d.set_clock(false)
    local result
    assert(lab.engine:certificate { what = "host", by = "test",
      done = function(got) result = got end })
    lab:advance(2)
    assert.equal("refused", result.outcome)
    assert(lab.engine:certificate { what = "host", by = "test", force = true,
      done = function(got) result = got end })
    lab:advance(3)
    assert.equal("done", result.outcome)
    assert.equal("192.168.1.201", host.status(lab.phone).address)
  end)

  it("hears of a changed parameter and of another terminal", function()
    local lab, d = boot { terminals = ONE_SYSTEM }
    lab:set { Cert_Regen_Days = "10" }
    lab:advance(1)
    assert.equal(10 * DAY, host.status(lab.phone).next_run // DAY * DAY
      - lab.world.now().time // DAY * DAY)
    d.set_terminals(hosts.terminals("system", 2))
    lab:advance(2)
    assert.equal(2, #host.status(lab.phone).terminals)
    assert.equal("installed", host.status(lab.phone).terminals[2].status)
  end)

  it("hears of another zone", function()
    local lab = boot { terminals = ONE_SYSTEM,
      params = { Cert_Regen_Days = "1", Time_Zone = "GMT" } }
    local function due()
      for _, one in ipairs(lab.engine:status().next) do
        if one.cause == "host" then return one.at end
      end
    end
    lab:advance(2) -- a terminal has answered
    local before = due()
    lab:set { Time_Zone = "GMT+09:00" } -- 02:00 is nine hours earlier there
    lab:advance(3)
    assert.equal(before - 9 * HOUR, due())
  end)

  it("goes on where it was after a restart", function()
    local lab, d = boot { terminals = hosts.terminals("sip", 2) }
    for _, one in ipairs(d.terminals()) do one.slow = true end
    assert(lab.engine:certificate { what = "host", by = "test" })
    lab:advance(1)
    local id = host.status(lab.phone).id
    assert.equal("DISTRIBUTING", host.status(lab.phone).state)
    for _, one in ipairs(d.terminals()) do one.slow = false end
    lab:restart()
    lab:advance(400)
    assert.equal(id, host.status(lab.phone).id)
    assert.equal("VALID", host.status(lab.phone).state)
  end)

  it("does nothing for a phone that serves none", function()
    local lab = boot {}
    lab:advance(3 * DAY)
    assert.is_nil(lab.world.keyring:generation("host"))
    assert.is_nil(lab.engine:status().trust.host)
    for _, event in ipairs(lab.told) do
      assert.are_not.equal("host", event.what)
    end
  end)
end)
