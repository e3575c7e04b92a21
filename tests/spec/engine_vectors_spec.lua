-- When a phone resyncs, by the tables of the provisioning guide: Resync_*
-- parameters. The clock is virtual; dice fall on their highest number unless
-- said otherwise; runs take no time.
local stages = require "peal.stages"
local support = require "support.engine"

local function requests(options, seconds)
  local lab = support.new(options):boot(options.boot or "power_on")
  lab:advance(seconds)
  return lab.at, lab
end

local function fails() return 503 end

-- A server that answers `status` from time to time.
local function down_between(from, to)
  return function(_, lab)
    local now = lab.world.now().mono
    return now >= from and now < to and 503 or support.EMPTY
  end
end

-- Seconds after the start that a local time of the first day is at: the
-- world's clock begins at 10:15:30 UTC.
local START <const> = 1795342530
local function after_midnight(seconds)
  return START // 86400 * 86400 + seconds
end

describe("the wait after a start (T1)", function()
  local delays = {
    { "2", "max", 40 }, { "2", "min", 0 }, { "0", "max", 0 },
    { "65535", "max", 1310700 },
  }
  for _, case in ipairs(delays) do
    it(("is %d s for %s with the dice at %s"):format(case[3], case[1],
      case[2]), function()
      local at = requests({ params = { Resync_Random_Delay = case[1] },
        dice = case[2] }, case[3])
      assert.same({ case[3] }, at)
    end)
  end

  it("is drawn in whole seconds over the whole range", function()
    local least, most = 99, -1
    for seed = 1, 400 do
      local at = requests({ params = { Resync_Random_Delay = "1" },
        dice = seed }, 20)
      assert.equal(at[1], math.floor(at[1]))
      least, most = math.min(least, at[1]), math.max(most, at[1])
    end
    assert.same({ 0, 20 }, { least, most })
  end)

  it("is not for periodic resyncs", function()
    assert.same({ 40, 640, 1240 }, (requests({ params = {
      Resync_Random_Delay = "2", Resync_Periodic = "600" } }, 1300)))
  end)
end)

describe("Resync_Periodic", function()
  local cases = {
    { "T2", "600,1200,300", 3000, { 0, 600, 1800, 2100, 2400, 2700, 3000 } },
    { "T3", "2400+30", 2431, { 0, 2430 } },
    { "off", "0", 1000000, { 0 } },
    { "empty", "", 1000000, { 0 } },
    { "stops at an item 0", "60,0,60", 1000000, { 0, 60 } },
  }
  for _, case in ipairs(cases) do
    it(("%s: %q"):format(case[1], case[2]), function()
      local options = { params = { Resync_Periodic = case[2] } }
      assert.same(case[4], (requests(options, case[3])))
    end)
  end

  it("draws the extra between nothing and all of it (T3)", function()
    for seed = 1, 50 do
      local at = requests({ params = { Resync_Periodic = "2400+30" },
        dice = seed }, 2430)
      assert.is_true(at[2] >= 2400 and at[2] <= 2430)
    end
  end)

  it("begins after the first success only", function()
    local at = requests({ server = down_between(0, 100), params = {
      Resync_Periodic = "600", Resync_Error_Retry_Delay = "90" } }, 1400)
    assert.same({ 0, 90, 180, 780, 1380 }, at)
  end)

  it("goes on where the list was when the run between was a retry",
    function()
      local at = requests({ server = down_between(600, 650), params = {
        Resync_Periodic = "600,1200,300",
        Resync_Error_Retry_Delay = "60" } }, 2500)
      -- 600 fails, 660 succeeds as a retry: the next one is the first again
      assert.same({ 0, 600, 660, 1260, 2460 }, at)
    end)
end)

describe("Resync_Error_Retry_Delay", function()
  it("T4 spreads the attempts of a phone that always fails", function()
    local at = requests({ server = fails, params = {
      Resync_Error_Retry_Delay = "1800+300,3600+600,7200+900" } }, 22500)
    assert.same({ 0, 2100, 6300, 14400, 22500 }, at)
  end)

  it("T5 0 makes no further attempt, and an explicit one still works",
    function()
      local at, lab = requests({ server = fails, params = {
        Resync_Error_Retry_Delay = "0" } }, 1000000)
      assert.same({ 0 }, at)
      assert(lab.engine:resync { by = "cli" })
      assert.same({ 0, 1000000 }, lab.at)
    end)

  it("0 leaves Resync_Periodic in force once a resync was successful",
    function()
      local at = requests({ server = down_between(600, 700), params = {
        Resync_Error_Retry_Delay = "0", Resync_Periodic = "600" } }, 1300)
      assert.same({ 0, 600, 1200 }, at)
    end)

  it("T14 begins anew after a success", function()
    assert.same({ 0, 3600, 3660, 3780, 7380 },
      (requests({ server = down_between(3600, 3700) }, 7400)))
  end)

  it("T14 retries after 60 s again when it fails later", function()
    local server = function(_, lab)
      local now = lab.world.now().mono
      return (now >= 3600 and now < 3700 or now == 7380) and 503
        or support.EMPTY
    end
    local at = requests({ server = server }, 7500)
    assert.same({ 0, 3600, 3660, 3780, 7380, 7440 }, at)
  end)

  it("H6 waits 60 and 120 s for a server that is busy twice", function()
    local at = requests({ server = down_between(0, 100) }, 400)
    assert.same({ 0, 60, 180 }, at)
  end)

  it("T12 a missing file is retried with $PRVST 2", function()
    local asked = {}
    local lab = support.new { params = {
      Profile_Rule = "http://192.0.2.7/$PRVST" },
      server = function(request)
        asked[#asked + 1] = request.url:match("[^/]*$")
        return 404
      end }
    lab:boot("power_on"):advance(60)
    assert.same({ "0", "2" }, asked)
  end)

  it("T12 a missing file is none with Resync_Fails_On_FNF No", function()
    local asked = {}
    local lab = support.new { params = {
      Profile_Rule = "http://192.0.2.7/$PRVST",
      Resync_Fails_On_FNF = "No" },
      server = function(request)
        asked[#asked + 1] = request.url:match("[^/]*$")
        return 404
      end }
    lab:boot("power_on"):advance(3600)
    assert.same({ "0", "1" }, asked)
  end)
end)

describe("Resync_At__HHmm_", function()
  it("T6 runs within the window that day and daily", function()
    local eight = after_midnight(8 * 3600)
    local nine_59 = 9 * 3600 + 59 * 60 - 8 * 3600
    local days = { [0] = 0, 86400, 2 * 86400 }
    for _, dice in ipairs { "min", "max" } do
      local extra = dice == "max" and 600 or 0
      local at = requests({ time = eight, dice = dice, params = {
        Resync_At__HHmm_ = "0959", Resync_At_Random_Delay = "600",
        Resync_Periodic = "60" } }, 3 * 86400)
      assert.same({ 0, nine_59 + extra + days[0], nine_59 + extra + days[1],
        nine_59 + extra + days[2] }, at)
    end
    for seed = 1, 30 do
      local at = requests({ time = eight, dice = seed, params = {
        Resync_At__HHmm_ = "0959" } }, 86400)
      assert.equal(2, #at)
      assert.is_true(at[2] >= nine_59 and at[2] <= nine_59 + 600)
    end
  end)

  it("T7 rounds the window to the nearest minute, 600 s at least", function()
    local windows = { { "0", 600 }, { "599", 600 }, { "600", 600 },
      { "629", 600 }, { "630", 660 }, { "660", 660 }, { "1000", 1020 },
      { "65535", 65520 } }
    for _, case in ipairs(windows) do
      local answer = require("peal.classic.schedule") {
        event = "success", failures = 0, periods = 0, ever_synced = true,
        param = { Resync_At__HHmm_ = "1000",
          Resync_At_Random_Delay = case[1] } }
      assert.same({ minute = 600, spread = case[2] }, answer.at)
      assert(stages.schedule.check(answer))
    end
  end)

  it("T8 a time that is none is ignored: Resync_Periodic is in force",
    function()
      local classic = require "peal.classic.schedule"
      for _, text in ipairs { "2561", "99", "24:00", "2401", "1260", "" } do
        local answer = classic { event = "success", failures = 0,
          periods = 0, ever_synced = true,
          param = { Resync_At__HHmm_ = text, Resync_Periodic = "600" } }
        assert.is_nil(answer.at)
        assert.same({ after = 600, spread = 0 }, answer.periodic)
      end
    end)

  it("takes 2400 as midnight", function()
    local at = requests({ time = after_midnight(23 * 3600), dice = "min",
      params = { Resync_At__HHmm_ = "2400" } }, 4000)
    assert.same({ 0, 3600 }, at)
  end)
end)

describe("a busy line (T9)", function()
  local function busy_until(seconds)
    local lab = support.new { params = { Resync_Periodic = "100" } }
    lab:plan(50, function() lab:lines(1) end)
    lab:plan(seconds, function() lab:lines(0) end)
    lab:boot("power_on")
    return lab
  end

  it("defers a resync until it is idle", function()
    local lab = busy_until(200):advance(150)
    assert.equal("DEFERRED", lab.engine:status().state)
    lab:advance(250)
    assert.same({ 0, 200 }, lab.at)
  end)

  it("defers it for Forced_Resync_Delay at most", function()
    local lab = busy_until(20000):advance(14550)
    assert.same({ 0, 14500 }, lab.at)
  end)

  it("defers nothing with Forced_Resync_Delay 0", function()
    local lab = support.new { params = { Resync_Periodic = "100",
      Forced_Resync_Delay = "0" } }
    lab:lines(1)
    lab:boot("power_on"):advance(100)
    assert.same({ 0, 100 }, lab.at)
  end)
end)

describe("Resync_Trigger_1 and _2", function()
  it("T10 hold a start back until they are true", function()
    local lab = support.new { params = {
      Resync_Trigger_1 = "$PRVTMR ge 600" } }:boot("power_on")
    lab:advance(599)
    assert.equal("GATED", lab.engine:status().state)
    assert.same({}, lab.at)
    lab:advance(609)
    assert.same({ 600 }, lab.at)
  end)

  it("T10 are not asked for an explicit request", function()
    local lab = support.new { params = {
      Resync_Trigger_1 = "$PRVTMR ge 600" } }:boot("power_on")
    lab:advance(5)
    assert(lab.engine:resync { by = "url" })
    assert.same({ 5 }, lab.at)
    -- it has satisfied the one that waited
    assert.equal("IDLE", lab.engine:status().state)
    lab:advance(1000)
    assert.same({ 5 }, lab.at)
  end)

  it("T11 let pass when one of them is true", function()
    local at = requests({ params = { Resync_Trigger_1 = "1 eq 2",
      Resync_Trigger_2 = "1 eq 1" } }, 10)
    assert.same({ 0 }, at)
  end)

  it("T11 hold back when one is wrong and the other blank, and say it",
    function()
      local lab = support.new { told = true, params = {
        Resync_Trigger_1 = "$FOO eq" } }:boot("power_on")
      lab:advance(3500)
      assert.same({}, lab.at)
      assert.equal("GATED", lab.engine:status().state)
      local said = 0
      for _, line in ipairs(lab.world.lines) do
        if line:find("held back: Resync_Trigger_1", 1, true) then
          said = said + 1
        end
      end
      assert.equal(1, said)
    end)
end)

describe("Provision_Enable No (T13)", function()
  it("refuses an explicit request, and asks nobody", function()
    local lab = support.new { params = { Provision_Enable = "No" } }
    lab:boot("power_on"):advance(100)
    assert.same({ nil, "Provision_Enable is No", "refused" },
      { lab.engine:resync { by = "url" } })
    assert.same({ nil, "Provision_Enable is No", "refused" },
      { lab.engine:notify("resync", nil, 1, true) })
    lab:advance(1000000)
    assert.same({}, lab.at)
    assert.equal("OFF", lab.engine:status().state)
    assert.equal("Provision_Enable is No",
      lab.engine:status().why_not_now)
  end)
end)

describe("the boot reason", function()
  local YES <const> = { "power_on", "user", "sip", "rc", "ip_changed",
    "crash", "local_change" }
  for _, reason in ipairs(YES) do
    it(reason .. " resyncs by Resync_On_Reset", function()
      assert.same({ 0 }, (requests({ boot = reason }, 10)))
      assert.same({}, (requests({ boot = reason,
        params = { Resync_On_Reset = "No" } }, 10)))
    end)
  end

  it("resync_applied does not resync, and periodic resyncs go on",
    function()
      local lab = support.new():boot("power_on"):advance(100)
      lab:restart("resync_applied"):advance(3600)
      assert.same({ 0 }, lab.at)
      lab:advance(3700)
      assert.same({ 0, 3700 }, lab.at)
    end)

  it("upgrade resyncs by Resync_After_Upgrade_Attempt alone", function()
    assert.same({ 0 }, (requests({ boot = "upgrade",
      params = { Resync_On_Reset = "No" } }, 10)))
    assert.same({}, (requests({ boot = "upgrade",
      params = { Resync_After_Upgrade_Attempt = "No" } }, 10)))
  end)
end)
