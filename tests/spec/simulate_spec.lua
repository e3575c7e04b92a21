-- Time travel: days of a phone on the virtual clock.
local fold = require "peal.simulate.fold"
local happenings = require "peal.simulate.happenings"
local json = require "peal.json"
local moment = require "peal.simulate.moment"
local simulate = require "peal.simulate"
local support = require "support.engine"
local zone = require "peal.zone"

local ZURICH <const> = "CET-1CEST,M3.5.0,M10.5.0/3"
local DAY <const> = 86400
local HOURLY <const> = { Resync_Periodic = "3600",
  Resync_Random_Delay = "0" }

local function store(params)
  local all = { Profile_Rule = "http://prov.example.com/a.xml" }
  for name, value in pairs(HOURLY) do all[name] = value end
  for name, value in pairs(params or {}) do all[name] = value end
  return support.store(all)
end

-- A simulation of a phone in Zurich from 2027-03-20 00:00 on, local time.
local function new(options)
  options = options or {}
  options.store = options.store or store(options.params)
  options.zone = options.zone or ZURICH
  options.time = options.time or "2027-03-20 00:00"
  return assert(simulate.new(options))
end

local function of_kind(sim, kind)
  local out = {}
  for _, entry in ipairs(sim.timeline) do
    if entry.kind == kind then out[#out + 1] = entry end
  end
  return out
end

-- Has an entry of that kind this text?
local function says(sim, kind, text)
  for _, entry in ipairs(of_kind(sim, kind)) do
    if entry.text:find(text, 1, true) then return true end
  end
  return false
end

local function at(entry)
  return moment.show_at(entry.time, entry.offset)
end

local function lines(sim, all)
  local out = {}
  for i, entry in ipairs(fold.entries(sim.timeline, all)) do
    out[i] = fold.line(entry)
  end
  return out
end

-- All that a position consists of.
local function all_of(sim)
  local bytes = sim:store():bytes()
  return { bytes, json.encode(lines(sim, true)), sim.requests, sim:mono() }
end

describe("a moment", function()
  local here = { zone = zone.parse(ZURICH), start = 1805497200 }

  local CASES <const> = {
    { "day 1", "2027-03-20 00:00:00 +01:00" },
    { "day 3 02:00", "2027-03-22 02:00:00 +01:00" },
    { "day 10 12:30:05", "2027-03-29 12:30:05 +02:00" },
    { "2027-03-28 01:30", "2027-03-28 01:30:00 +01:00" },
    { "2027-03-28 02:30", "2027-03-28 03:00:00 +02:00" },
    { "2027-03-28T01:30Z", "2027-03-28 03:30:00 +02:00" },
    { "2027-04-01", "2027-04-01 00:00:00 +02:00" },
    { "+4 h", "2027-03-20 04:00:00 +01:00" },
    { "+1.5 days", "2027-03-21 12:00:00 +01:00" },
  }
  for _, case in ipairs(CASES) do
    it(("%s is %s"):format(case[1], case[2]), function()
      assert.are.equal(case[2], moment.show(assert(moment.time(case[1], here)),
        here.zone))
    end)
  end

  for _, text in ipairs { "", "tomorrow", "day x", "day 1 25:00",
    "2027-13-01", "2027-00-10", "2027-01-00", "+4 apples",
    "day 99999999999999999999", "+99999999999999 days", 1e300, -1, {} } do
    it(("%q is none"):format(tostring(text)), function()
      local time, sentence = moment.time(text, here)
      assert.is_nil(time)
      assert.is_string(sentence)
    end)
  end
end)

describe("a happening", function()
  local SENTENCES <const> = {
    ["day 3 02:00 server down for 4 h"] =
      { at = "day 3 02:00", server_down = true, lasts = "4 h" },
    ["2027-03-28 01:30 power cut"] =
      { at = "2027-03-28 01:30", power_cut = true },
    ["+3600 server down for 90"] =
      { at = "+3600", server_down = true, lasts = "90" },
    ["+4 h call for 30 min"] = { at = "+4 h", lines = 1, lasts = "30 min" },
    ["day 2 lines 2"] = { at = "day 2", lines = 2 },
    ["day 2 dns down"] = { at = "day 2", dns_down = true },
    ["day 2 registration lost for 1 h"] =
      { at = "day 2", registered = false, lasts = "1 h" },
    ["day 2 clock lost"] = { at = "day 2", trusted = false },
    ["day 2 clock -1 h"] = { at = "day 2", clock = -3600 },
    ["day 2 clock +90 s"] = { at = "day 2", clock = 90 },
    ["day 2 set GPP_A=wait for 4 h"] =
      { at = "day 2", set = { GPP_A = "wait for 4 h" } },
    ["day 2 set GPP_A=wait for me"] =
      { at = "day 2", set = { GPP_A = "wait for me" } },
    ["day 2 address 192.0.2.9"] = { at = "day 2", address = "192.0.2.9" },
    ["day 2 resync"] = { at = "day 2", resync = true },
    ["day 2 resync http://a/b"] = { at = "day 2", resync = "http://a/b" },
  }
  for sentence, wanted in pairs(SENTENCES) do
    it("is read: " .. sentence, function()
      local got = assert(happenings.parse(sentence))
      if wanted.set and wanted.set.GPP_A:find("4 h") then
        -- a span at the end belongs to the sentence
        wanted = { at = "day 2", set = { GPP_A = "wait" }, lasts = "4 h" }
      end
      assert.are.same(wanted, got)
    end)
  end

  for _, bad in ipairs { "server down", "day 2 sing", "day 2 lines x",
    { at = "day 2" }, { at = "day 2", sing = true },
    { at = "day 2", lines = "1" }, { at = "day 2", clock = 1, lasts = 3 },
    { at = "day 2", clock = 1, lines = 2 }, { at = "soon", lines = 1 },
    { at = "day 2", lines = 1, lasts = "a while" },
    "day 2 lines 99999999999999999999", "day 2 clock -99999999999999 d",
    "day 2 power cut for 99999999999999 d", { at = "day 2", lines = 1.5 },
    { at = "day 2", lines = -1 }, { at = "day 2", clock = 1e300 },
    { at = {}, lines = 1 }, { at = 1e300, lines = 1 },
    { at = "day 2", set = {} }, { at = "day 2", set = { "x" } },
    { at = "day 2", set = { GPP_A = 5 } }, { at = "day 2", resync = 5 },
    { at = "day 2", resync = false } } do
    it("is refused: " .. (type(bad) == "string" and bad or json.encode(bad)),
      function()
        local ok, sentence = new():inject(bad)
        assert.is_nil(ok)
        assert.is_string(sentence)
      end)
  end

  it("cannot be in the past", function()
    local sim = new():run(DAY)
    assert.is_nil(sim:inject "+1 h power cut")
    assert.is_true(sim:inject "day 2 01:00 power cut")
  end)
end)

describe("a simulation", function()
  it("runs the hourly resyncs of thirty days, on a copy", function()
    local st = store()
    local before, revision = st:bytes(), st:revision()
    local sim = new { store = st, server = { ["*"] =
      support.profile { GPP_A = "one" } } }
    assert(sim:run(30 * DAY))
    assert.are.equal(721, #of_kind(sim, "resync"))
    assert.are.equal(721, sim.requests)
    assert.are.equal("one", sim:param("GPP_A"))
    assert.are.equal("", st:get("GPP_A"))
    assert.are.equal(before, (st:bytes()))
    assert.are.equal(revision, st:revision())
  end)

  it("is one line at a prompt", function()
    assert.matches("^simulation %(2027%-03%-20T23:00:00Z, %d+ entries in its "
      .. "timeline%)$", tostring(new():run(DAY)))
  end)

  it("folds what goes the same way into one line", function()
    local sim = new { time = "2026-11-22 11:15:30",
      server = { ["*"] = support.profile { GPP_A = "one" } } }
    sim:run(30 * DAY)
    assert.are.same({
      "2026-11-22 11:15:30 +01:00  boot     boot (power_on), load "
        .. "sip88xx.11-3-1MPP-234",
      "2026-11-22 11:15:30 +01:00  change   GPP_A:  -> one",
      "2026-11-22 11:15:30 +01:00  resync   resync 1 (boot) ok: 1 change, "
        .. "revision 2",
      "2026-11-22 12:15:30 +01:00  resyncs  720 resyncs, all ok, every 1 h, "
        .. "the last at 2026-12-22 11:15:30 +01:00",
    }, (function()
      local out = {}
      for _, line in ipairs(lines(sim)) do
        if not line:find("  health ", 1, true) then out[#out + 1] = line end
      end
      return out
    end)())
    assert.is_true(#lines(sim, true) > 1440)
  end)

  it("goes on without the timeline that was taken from it", function()
    local sim, whole = new(), new():run(3 * DAY)
    local all = {}
    local stream = fold.new(function(entry)
      all[#all + 1] = fold.line(entry)
    end)
    for _ = 1, 3 do
      for _, entry in ipairs(sim:run(DAY):take()) do stream:add(entry) end
      assert.are.equal(0, #sim.timeline)
    end
    stream:finish()
    assert.are.same(lines(whole), all)
    sim:to("day 2")
    assert.are.same(lines(whole:to("day 2"), true), lines(sim, true))
  end)

  it("shows summer time begin and end, and goes on hourly", function()
    local sim = new { time = "2027-03-27 22:00" }
    sim:run(8 * 3600)
    assert.are.equal("2027-03-28 03:00:00 +02:00 the clock goes forward by "
      .. "1 h", at(of_kind(sim, "zone")[1]) .. " "
        .. of_kind(sim, "zone")[1].text)
    local hours = {}
    for i, entry in ipairs(of_kind(sim, "resync")) do
      hours[i] = at(entry):match(" (%d%d:%d%d:%d%d [+]%d%d)")
    end
    assert.are.same({ "22:00:00 +01", "23:00:00 +01", "00:00:00 +01",
      "01:00:00 +01", "03:00:00 +02", "04:00:00 +02", "05:00:00 +02",
      "06:00:00 +02", "07:00:00 +02" }, hours)
    sim = new { time = "2027-10-30 22:00" }
    sim:run(8 * 3600)
    assert.are.equal("the clock goes back by 1 h", of_kind(sim, "zone")[1].text)
  end)

  it("resyncs daily at a local time, also where the clock jumps over it",
    function()
      local sim = new { time = "2027-03-26 12:00", params = {
        Resync_At__HHmm_ = "0230", Resync_At_Random_Delay = "600" } }
      sim:run(4 * DAY)
      local days = {}
      for _, entry in ipairs(of_kind(sim, "resync")) do
        if entry.asked_by == "at" then
          days[#days + 1] = at(entry):match("^(%d+%-%d+%-%d+ %d%d)")
        end
      end
      assert.are.same({ "2027-03-27 02", "2027-03-28 03", "2027-03-29 02",
        "2027-03-30 02" }, days)
    end)

  it("has a server that is down from day 3 02:00 for 4 h", function()
    local sim = new()
    assert(sim:inject "day 3 02:00 server down for 4 h")
    sim:run(4 * DAY)
    local failed = {}
    for _, entry in ipairs(of_kind(sim, "resync")) do
      if entry.outcome == "failure" then failed[#failed + 1] = entry end
    end
    assert.is_true(#failed > 5)
    assert.are.equal("2027-03-22 02:00:00 +01:00", at(failed[1]))
    assert.is_truthy(failed[1].text:find("retry in 1 min", 1, true))
    assert.are.equal(60, failed[1].after_s)
    assert.is_truthy(failed[2].text:find("retry in 2 min", 1, true))
    for _, entry in ipairs(failed) do
      assert.is_true(at(entry) < "2027-03-22 06")
    end
    local faults = of_kind(sim, "fault")
    assert.are.equal("server down for 4 h", faults[1].text)
    assert.are.equal("2027-03-22 06:00:00 +01:00", at(faults[2]))
  end)

  it("has a server that is down until the last reason is over", function()
    local sim = new()
    for _, text in ipairs { "day 3 02:00 server down for 2 h",
      "day 3 02:30 server down for 4 h", "day 3 03:00 server down for 1 h",
      "day 4 02:00 server down for 1 h", "day 4 02:30 server down" } do
      assert(sim:inject(text))
    end
    sim:run(4 * DAY)
    local ups = {}
    for _, entry in ipairs(of_kind(sim, "fault")) do
      if entry.text == "server up again" then ups[#ups + 1] = at(entry) end
    end
    assert.are.same({ "2027-03-22 06:30:00 +01:00" }, ups)
  end)

  it("has calls that end one after the other, or by hand", function()
    local sim = new { params = { Forced_Resync_Delay = "65535" } }
    for _, text in ipairs { "+10 min call for 2 h", "+20 min call for 20 min",
      "+70 min lines 0" } do
      assert(sim:inject(text))
    end
    sim:run(DAY)
    local idle = {}
    for _, entry in ipairs(of_kind(sim, "fault")) do
      if entry.text == "all lines idle" then idle[#idle + 1] = at(entry) end
    end
    assert.are.same({ "2027-03-20 01:10:00 +01:00" }, idle)
  end)

  it("stays off for a power cut in the middle of a reboot", function()
    local sim = new()
    assert(sim:inject "day 1 05:00 power cut")
    assert(sim:inject "day 1 05:00:10 power cut for 1 h")
    sim:run(DAY)
    local boots = of_kind(sim, "boot")
    assert.are.equal(2, #boots)
    assert.are.equal("2027-03-20 06:00:10 +01:00", at(boots[2]))
    assert.are.equal(2, #of_kind(sim, "fault"))
  end)

  it("has DNS that is down", function()
    local sim = new()
    assert(sim:inject { at = "+90 min", dns_down = true, lasts = "1 h" })
    sim:run(3 * 3600)
    local failed = of_kind(sim, "resync")[3]
    assert.are.equal("dns", failed.word)
  end)

  it("cuts the power: engine and phone begin anew from the store", function()
    local sim = new { server = { ["*"] = { body = "<flat-profile>"
      .. "<GPP_A>one</GPP_A></flat-profile>", delay = 20 } } }
    -- in the midst of the second resync
    assert(sim:inject { at = 3635, power_cut = true } == nil)
    assert(sim:inject { at = "+3630 s", power_cut = true, lasts = "2 h" })
    sim:run(3 * 3600 + 60)
    local boots = of_kind(sim, "boot")
    assert.are.equal(2, #boots)
    assert.are.equal(3630 + 7200, boots[2].mono)
    assert.are.equal("boot (power_on), load sip88xx.11-3-1MPP-234",
      boots[2].text)
    -- what was under way never ended
    local ends = {}
    for i, entry in ipairs(of_kind(sim, "resync")) do
      ends[i] = { entry.mono, entry.asked_by }
    end
    assert.are.same({ { 20, "boot" }, { 3630 + 7200 + 20, "boot" } }, ends)
    assert.are.equal("one", sim:param("GPP_A"))
  end)

  it("reboots for real where a change needs it", function()
    local sim = new { server = function(_, about)
      return support.profile { HTTP_User_Agent_Name = "x",
        Host_Name = about.n >= 2 and "later" or "first" }
    end }
    sim:run(2 * 3600)
    local reboots, boots = of_kind(sim, "reboot"), of_kind(sim, "boot")
    assert.is_true(#reboots >= 1)
    assert.are.equal(#reboots + 1, #boots)
    assert.are.equal(reboots[1].mono + happenings.BOOT_S, boots[2].mono)
  end)

  it("upgrades to a load, and runs it after the reboot", function()
    local load = "sip88xx.12-0-1MPP-100"
    local sim = new { params = {
        Upgrade_Rule = "http://prov.example.com/" .. load .. ".loads" },
      server = function(request)
        if request.url:find("%.loads$") then
          return { body = ("\x7fimage"):rep(100) }
        end
        return support.EMPTY
      end }
    sim:run(3600)
    local boots = of_kind(sim, "boot")
    assert.is_truthy(boots[#boots].text:find(load, 1, true),
      table.concat(lines(sim, true), "\n"))
  end)

  it("waits for idle lines, at most so long", function()
    local sim = new()
    assert(sim:inject "+30 min call for 3 h")
    sim:run(5 * 3600)
    local ran = {}
    for i, entry in ipairs(of_kind(sim, "resync")) do ran[i] = entry.mono end
    assert.are.same({ 0, 12600, 16200 }, ran)
    assert.is_true(says(sim, "held", "line busy"))
    sim = new()
    assert(sim:inject "+30 min call for 3 days")
    sim:run(DAY)
    assert.are.equal(3600 + 14400, of_kind(sim, "resync")[2].mono)
  end)

  it("undoes a change after which the registration is lost", function()
    local d = require("peal.device.simulated").new { registered = true }
    local sim = new { device = d,
      server = { ["*"] = support.profile { GPP_A = "bad" } } }
    assert(sim:inject "+100 s registration lost")
    sim:run(3600)
    local health = of_kind(sim, "health")
    assert.is_truthy(health[#health].text:find("undone", 1, true))
    assert.are.equal("", sim:param("GPP_A"))
    assert.is_true(d.registered()) -- the device itself is left alone
  end)

  it("goes on with timers when the clock is set", function()
    local sim = new()
    assert(sim:inject "+90 min clock +1 h")
    sim:run(3 * 3600)
    local ends = of_kind(sim, "resync")
    assert.are.equal(7200, ends[3].mono)
    assert.are.equal("2027-03-20 03:00:00 +01:00", at(ends[3]))
    assert.are.equal("the clock is set forward by 1 h",
      of_kind(sim, "clock")[1].text)
  end)

  it("tells in a timeline entry what happened in a resync", function()
    local sim = new { server = { ["*"] = support.profile { GPP_A = "one",
      GPP_SA = "s3cret-in-profile" } } }
    sim:run(1)
    local done = of_kind(sim, "resync")[1]
    assert.are.same({ 1, 2, "success", "boot", 2 }, { done.cycle,
      done.revision, done.outcome, done.asked_by, done.changes })
    local change = of_kind(sim, "change")[1]
    assert.is_truthy(change.text:find("GPP_A:  -> one", 1, true))
    assert.is_truthy(change.text:find("GPP_SA:", 1, true))
    assert.is_nil(json.encode(sim.timeline):find("s3cret", 1, true))
    assert.is_nil(json.encode(sim:diff()):find("s3cret", 1, true))
  end)

  it("says why a resync is held back", function()
    local sim = new { params = { Resync_Trigger_1 = "$PRVTMR ge 600" } }
    sim:run(700)
    assert.is_true(says(sim, "held", "trigger"))
    assert.are.equal(600, of_kind(sim, "resync")[1].mono)
  end)

  it("asks the rule files that it is given", function()
    local rules = require("peal.world.rule_files").read()
    rules["trigger.lua"] = { path = "trigger.lua", text = [[
      return { stage = "trigger", decide = function()
        return false, "never on this phone"
      end }]] }
    local sim = new { rules = rules }
    sim:run(3600)
    assert.are.equal(0, sim.requests)
    assert.is_true(says(sim, "held", "never on this phone"))
  end)

  it("throws dice of a seed", function()
    local function first(seed)
      local sim = new { dice = seed, params = { Resync_Random_Delay = "60" } }
      sim:run(3600)
      return of_kind(sim, "resync")[1].mono
    end
    assert.are.equal(first(7), first(7))
    assert.are_not.equal(first(7), first(8))
  end)
end)

describe("the server of a simulation", function()
  local function first(answer, read)
    local sim = new { server = { ["*"] = answer }, read = read }
    sim:run(60)
    return of_kind(sim, "resync")[1], sim
  end

  it("answers by status", function()
    assert.is_truthy(first(503).text:find("HTTP 503", 1, true))
    assert.are.equal("fnf", first(404).word)
  end)

  it("answers by body, and by file", function()
    local _, sim = first(support.profile { GPP_A = "body" })
    assert.are.equal("body", sim:param("GPP_A"))
    _, sim = first({ file = "a.xml" }, function(path)
      return path == "a.xml" and support.profile { GPP_A = "file" }
    end)
    assert.are.equal("file", sim:param("GPP_A"))
  end)

  it("takes its time", function()
    assert.are.equal(40, first({ body = support.EMPTY, delay = 40 }).mono)
  end)

  it("fails in the words of the fetcher", function()
    assert.are.equal("timeout", first({ error = "timeout" }).word)
    local entry = first { error = "c.expired",
      text = "the certificate has expired" }
    assert.are.equal("c.expired", entry.word)
    assert.is_truthy(entry.text:find("has expired", 1, true))
  end)

  it("shows certificates where a test wants them", function()
    local _, sim = first { body = support.EMPTY, tls = { version = "TLSv1.3",
      chain = { { subject = "CN=prov", issuer = "CN=ca",
        not_after = 1900000000, sha256 = ("ab"):rep(32) } } } }
    assert.are.equal("success", of_kind(sim, "resync")[1].outcome)
  end)

  it("answers a list one by one, the last one for ever", function()
    local sim = new { server = {
      ["http://prov.example.com/a.xml"] = { 503, support.EMPTY } } }
    sim:run(3600)
    local outcomes = {}
    for i, entry in ipairs(of_kind(sim, "resync")) do
      outcomes[i] = entry.outcome
    end
    assert.are.same({ "failure", "success" }, outcomes)
  end)

  it("knows the URL, the day, the local time and what it remembers", function()
    local seen = {}
    local sim = new { server = function(request, about)
      about.state.count = (about.state.count or 0) + 1
      seen[#seen + 1] = ("%s %s day %d %02d:%02d, %d, %d"):format(
        request.method, request.url, about.day, about.hour, about.min, about.n,
        about.state.count)
      return support.EMPTY
    end }
    sim:run(25 * 3600)
    assert.are.equal("GET http://prov.example.com/a.xml day 1 00:00, 1, 1",
      seen[1])
    assert.are.equal("GET http://prov.example.com/a.xml day 2 00:00, 25, 25",
      seen[25])
  end)

  it("serves tftp", function()
    local sim = new { params = { Profile_Rule = "tftp://192.0.2.1/a.xml" },
      server = { ["tftp://192.0.2.1/a.xml"] =
        support.profile { GPP_A = "t" } } }
    sim:run(60)
    assert.are.equal("t", sim:param("GPP_A"))
  end)

  it("that is at fault stops the simulation, with file and line", function()
    local sim = new { server = assert(load("local t = nil; return "
      .. "function() return t.x end", "=server.lua"))() }
    local ok, sentence = sim:run(DAY)
    assert.is_nil(ok)
    assert.is_truthy(sentence:find("server.lua:1:", 1, true))
  end)

  it("is not there where the script has no answer", function()
    assert.are.equal("connect", (first(nil) or {}).word)
  end)
end)

describe("going back", function()
  -- faults, reboots, dice, a script that remembers: whatever may differ
  local function lively()
    local sim = new { dice = 5, params = { Resync_Random_Delay = "30",
        Resync_Periodic = "3600+600" },
      server = function(_, about)
        local s = about.state
        s.n = (s.n or 0) + about.random(1, 3)
        if about.random(1, 10) == 1 then return 503 end
        return { delay = about.random(0, 9), body = support.profile {
          GPP_A = ("value %d"):format(s.n // 10),
          Host_Name = ("host %d"):format(s.n // 60) } }
      end }
    for _, text in ipairs { "day 1 05:00 power cut", "day 1 09:30 call for 2 h",
      "day 1 12:00 clock +10 min", "day 1 15:00 server down for 1 h",
      "day 2 03:00 set GPP_B=by hand" } do
      assert(sim:inject(text))
    end
    return sim
  end

  it("is exact: forward, back and forward again is the same", function()
    local sim = lively()
    local steps, positions = 60, {}
    for i = 1, steps do
      assert(sim:step())
      positions[i] = all_of(sim)
    end
    for _, n in ipairs { 1, 7, 25, 59 } do
      sim:back(n)
      assert.are.same(positions[steps - n], all_of(sim), "back " .. n)
      for i = steps - n + 1, steps do
        assert(sim:step())
        assert.are.same(positions[i], all_of(sim), "step " .. i)
      end
    end
  end)

  it("is exact out of the middle of a tick that failed", function()
    local sim, whole = lively(), lively()
    sim:to("day 2 02:00")
    whole:to("day 2 02:00")
    local place, before = sim:place(), all_of(sim)
    sim.on_request = function() error("interrupted", 0) end
    assert.has_error(function() sim:run(DAY) end)
    sim.on_request = nil
    sim:return_to(place)
    assert.are.same(before, all_of(sim))
    assert.are.same(all_of(whole:run(DAY)), all_of(sim:run(DAY)))
  end)

  it("is exact over days, from the copies of boots on the way", function()
    local sim, other = lively(), lively()
    sim:run(6 * DAY)
    other:run(6 * DAY)
    local wanted = all_of(sim)
    assert.are.same(wanted, all_of(other)) -- two runs, one life
    assert.is_true(#sim.checkpoints > 0)
    assert.is_true(#sim.checkpoints <= 8)
    for _, time in ipairs { "day 5 12:00", "day 2 00:00", "day 1 05:00:10",
      "day 1" } do
      assert(sim:to(time))
      assert(sim:to("+6 days"))
      assert.are.same(wanted, all_of(sim))
    end
  end)

  it("makes the same keys and certificates again", function()
    local d = require("peal.device.simulated").new {
      terminals = { { id = "17", kind = "sip" } }, address = "192.0.2.9" }
    local sim = new { device = d, zone = ZURICH }
    sim:run(3 * DAY)
    assert.is_true(sim.keys_made > 1)
    local wanted = all_of(sim)
    assert(sim:to("day 1"))
    assert(sim:to("+3 days"))
    assert.are.same(wanted, all_of(sim))
    assert.is_nil(d.terminal("17").bundle) -- the phone's own is left alone
  end)

  it("asks the server the same again", function()
    local asked = {}
    local sim = new { on_request = function(request)
      asked[#asked + 1] = ("%s %d"):format(request.url, request.mono)
    end }
    sim:run(5 * 3600)
    local first = asked
    asked = {}
    sim:to("day 1 00:00")
    asked = {}
    sim:run(5 * 3600)
    table.remove(first, 1)
    assert.are.same(first, asked)
  end)

  it("goes to the start, and no further", function()
    local sim = new():run(DAY)
    sim:back(1000)
    assert.are.same({ 0, 0 }, { #sim.timeline, sim:mono() })
    assert.are.equal("boot", sim:step().kind)
  end)

  it("goes to a tick, whichever side it is on", function()
    local sim, wanted = lively():run(DAY), {}
    for i = 1, #sim.timeline, 9 do
      local tick = sim.timeline[i].tick
      sim:to_tick(tick)
      wanted[tick] = all_of(sim)
      sim:to("+1 days")
    end
    local ticks = {}
    for tick in pairs(wanted) do ticks[#ticks + 1] = tick end
    table.sort(ticks)
    for i = 1, #ticks do -- the first, the last, the second ...
      local tick = ticks[i % 2 == 1 and i or #ticks + 1 - i]
      sim:to_tick(tick)
      assert.are.same(wanted[tick], all_of(sim), "tick " .. tick)
    end
  end)

  it("goes over what a person did, and over it again", function()
    local sim = new():run(3600)
    assert(sim:set("GPP_A", "mine"))
    sim:run(3600)
    local wanted = all_of(sim)
    sim:to("+30 min")
    assert.are.equal("", sim:param("GPP_A"))
    sim:to("+2 h")
    assert.are.same(wanted, all_of(sim))
  end)

  it("forgets a future that is left for another", function()
    local sim = new():run(3600)
    assert(sim:set("GPP_A", "mine"))
    sim:run(3600)
    sim:to("+30 min")
    assert(sim:set("GPP_B", "other"))
    sim:to("+2 h")
    assert.are.equal("", sim:param("GPP_A"))
    assert.are.equal("other", sim:param("GPP_B"))
  end)

  it("refuses a value that does not fit, and says so each time", function()
    local sim = new():run(60)
    local ok, sentence = sim:set("Resync_Periodic", "often")
    assert.is_nil(ok)
    assert.is_truthy(sentence:find("Resync_Periodic", 1, true))
  end)

  it("gives the store of any instant", function()
    local sim = new { server = function(_, about)
      return support.profile { GPP_A = "day " .. about.day }
    end }
    sim:run(10 * DAY)
    for _, day in ipairs { 7, 3, 9, 1 } do
      assert(sim:to(("day %d 12:30"):format(day)))
      assert.are.equal("day " .. day, sim:param("GPP_A"))
      assert.are.equal("day " .. day, (sim:store():get("GPP_A")))
    end
  end)
end)
