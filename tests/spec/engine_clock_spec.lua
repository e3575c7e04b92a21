-- Resync_At__HHmm_ and clocks that are set, unset, or change with the season.
local civil = require "peal.civil"
local clock = require "peal.engine.clock"
local support = require "support.engine"
local zones = require "peal.zone"

local DAY <const> = 86400

local function time(year, month, day, hour, min)
  return civil.days(year, month, day) * DAY + (hour or 0) * 3600
    + (min or 0) * 60
end

-- Wall times (UTC) of the requests after the boot's.
local function wall(lab)
  local out = {}
  for i, t in ipairs(lab.walls) do out[i] = civil.iso(t) end
  return out
end

local function new(options)
  local walls = {}
  options.server = function(_, lab)
    walls[#walls + 1] = lab.world.now().time
    return support.EMPTY
  end
  options.params = options.params or {}
  options.params.Resync_On_Reset = "No"
  options.dice = options.dice or "min"
  local lab = support.new(options)
  lab.walls = walls
  return lab
end

local BERLIN <const> = "CET-1CEST,M3.5.0,M10.5.0/3"

describe("Resync_At__HHmm_ on a clock with seasons", function()
  local function nights(zone, from, at, params)
    params = params or {}
    params.Resync_At__HHmm_ = at
    local lab = new { time = from, zone = zone, params = params }
    lab:boot("power_on"):advance(3 * DAY)
    return wall(lab)
  end

  it("is local time", function()
    assert.same({ "2026-06-01T07:59:00Z", "2026-06-02T07:59:00Z",
      "2026-06-03T07:59:00Z" },
      nights(BERLIN, time(2026, 6, 1), "0959"))
    assert.same({ "2026-12-01T08:59:00Z", "2026-12-02T08:59:00Z",
      "2026-12-03T08:59:00Z" },
      nights(BERLIN, time(2026, 12, 1), "0959"))
  end)

  it("runs once in the night that has no 02:30, when the gap ends",
    function()
      assert.same({ "2027-03-27T01:30:00Z", "2027-03-28T01:00:00Z",
        "2027-03-29T00:30:00Z" },
        nights(BERLIN, time(2027, 3, 27), "0230"))
    end)

  it("runs once in the night that has 02:30 twice, the first time",
    function()
      assert.same({ "2027-10-30T00:30:00Z", "2027-10-31T00:30:00Z",
        "2027-11-01T01:30:00Z" },
        nights(BERLIN, time(2027, 10, 30), "0230"))
    end)

  it("knows the zone of the phone's own parameters", function()
    local params = { Time_Zone = "GMT+01:00",
      Daylight_Saving_Time_Enable = "Yes", Daylight_Saving_Time_Rule =
        "start=3/-1/7/2:0:0;end=10/-1/7/3:0:0;save=1" }
    assert.same({ "2027-03-27T01:30:00Z", "2027-03-28T01:00:00Z",
      "2027-03-29T00:30:00Z" },
      nights("UTC0", time(2027, 3, 27), "0230", params))
  end)

  it("falls back to the device's zone, and says so", function()
    local lab = new { time = time(2026, 12, 1), zone = BERLIN, told = true,
      params = { Time_Zone = "Berlin", Resync_At__HHmm_ = "0959" } }
    lab:boot("power_on"):advance(DAY)
    assert.same({ "2026-12-01T08:59:00Z" }, wall(lab))
    assert.is_truthy(table.concat(lab.world.lines, "\n"):find("Time_Zone",
      1, true))
  end)

  it("comes also where daylight time is two days away", function()
    local odd = "AAA-24BBB17:59:59,J88/-167,74/167:59:59"
    local now = 227788348
    local day = assert(zones.parse(odd)):fields(now).days
    local at = clock.next_daily({ said = {}, phone = { param = function() end },
      world = { now = function() return { zone = odd } end } }, 0, now, day)
    assert.is_true(at > now and at < now + 3 * DAY)
  end)

  it("moves when Time_Zone changes", function()
    local lab = new { time = time(2026, 12, 1),
      params = { Resync_At__HHmm_ = "0959" } }
    lab:boot("power_on"):advance(3600)
    lab:set { Time_Zone = "GMT-05:00" }
    lab:advance(DAY)
    assert.same({ "2026-12-01T14:59:00Z" }, wall(lab))
  end)

  it("comes in what is left of the window after a restart in it", function()
    local lab = new { time = time(2026, 12, 1, 9, 55), dice = "max",
      params = { Resync_At__HHmm_ = "0959", Resync_At_Random_Delay = "1200",
        Resync_On_Reset = "No" } }
    lab:boot("power_on"):advance(600) -- 10:05: drawn for 10:19
    assert.same({}, wall(lab))
    lab:restart("power_on"):advance(DAY)
    assert.same({ "2026-12-01T10:19:00Z" }, { wall(lab)[1] })
    lab:restart("power_on"):advance(600)
    assert.equal(1, #wall(lab)) -- once a day
  end)

  it("works beyond 2038 and 2100", function()
    assert.same({ "2038-01-19T08:59:00Z", "2038-01-20T08:59:00Z",
      "2038-01-21T08:59:00Z" },
      nights(BERLIN, time(2038, 1, 19), "0959"))
    assert.equal("2106-02-07T08:59:00Z",
      nights(BERLIN, time(2106, 2, 7), "0959")[1])
  end)
end)

describe("Resync_At__HHmm_ without a clock", function()
  it("is not armed, which is said once, and armed when it is set",
    function()
      local lab = new { time = 3600, trusted = false, told = true,
        params = { Resync_At__HHmm_ = "0959" } }
      lab:boot("power_on"):advance(30 * DAY)
      assert.same({}, lab.walls)
      local said = 0
      for _, line in ipairs(lab.world.lines) do
        if line:find("clock is not set", 1, true) then said = said + 1 end
      end
      assert.equal(1, said)
      assert.is_truthy(lab.engine:status().why_not_now:find(
        "clock is not set", 1, true))
      lab.trusted = true
      lab:step(time(2026, 11, 22) - 3600 - 30 * DAY)
      lab:advance(31 * DAY)
      assert.same({ "2026-11-22T09:59:00Z" }, wall(lab))
    end)

  it("leaves timers of the monotonic clock alone", function()
    local lab = support.new { time = 0, trusted = false,
      params = { Resync_Periodic = "600" } }
    lab:boot("power_on"):advance(1000)
    lab:step(1795342530)
    lab:advance(1200)
    assert.same({ 0, 600, 1200 }, lab.at)
  end)
end)

describe("a clock that jumps", function()
  local function daily()
    local lab = new { time = time(2026, 11, 22, 8),
      params = { Resync_At__HHmm_ = "0959" }, dice = "max" }
    return lab:boot("power_on")
  end

  it("ten years forward fires once at most", function()
    local lab = daily():advance(3600)
    lab:step(10 * 365 * DAY)
    assert.same({}, lab.walls)
    lab:advance(3600 + DAY - 1)
    assert.equal(1, #lab.walls)
    -- and corrected, goes on
    lab:step(-10 * 365 * DAY)
    lab:advance(3600 + 3 * DAY)
    assert.equal(3, #lab.walls)
  end)

  it("forward does not move periodic timers", function()
    local lab = support.new { params = { Resync_Periodic = "1000" } }
    lab:boot("power_on"):advance(500)
    lab:step(10 * 365 * DAY)
    lab:advance(1000)
    assert.same({ 0, 1000 }, lab.at)
    lab:step(-5 * 365 * DAY)
    lab:advance(2000)
    assert.same({ 0, 1000, 2000 }, lab.at)
  end)

  it("back an hour does not fire twice on a day", function()
    local lab = daily():advance(2 * 3600 + 600) -- 10:10
    assert.equal(1, #lab.walls)
    lab:step(-3600)
    lab:advance(5 * 3600)
    assert.equal(1, #lab.walls)
    lab:advance(28 * 3600)
    assert.equal(2, #lab.walls)
  end)

  it("back an hour over a restart does not either", function()
    local lab = daily():advance(2 * 3600 + 600)
    assert.equal(1, #lab.walls)
    lab.world.step(-3600)
    -- a power cut: nothing is written at the end
    lab.engine.keep.waiting = {}
    lab.engine.stopped = true
    lab:power()
    lab:boot("power_on"):advance(5 * 3600)
    assert.equal(1, #lab.walls)
  end)

  it("back before it was due waits for the right time", function()
    local lab = daily():advance(3600) -- 09:00
    lab:step(-3600)
    lab:advance(3 * 3600 + 3600)
    assert.same({ "2026-11-22T10:09:00Z" }, wall(lab))
  end)

  it("into the window keeps the moment that was drawn", function()
    local lab = daily():advance(3600)      -- 09:00
    lab:step(3600 + 120)                   -- 10:02, due at 10:09
    assert.same({}, lab.walls)
    lab:advance(2 * 3600)
    assert.same({ "2026-11-22T10:09:00Z" }, wall(lab))
  end)

  it("by some seconds over the moment fires at once", function()
    local lab = daily():advance(7200 + 400) -- 10:06:40
    lab:step(150)
    assert.same({ "2026-11-22T10:09:10Z" }, wall(lab))
  end)

  it("without a word fires once, and waits no negative time", function()
    local lab = daily():advance(3600)
    lab.world.step(-7200)
    lab:advance(12 * 3600)
    assert.equal(1, #lab.walls)
    lab.world.step(10 * 365 * DAY)
    lab:advance(25 * 3600) -- the daily look finds the other time
    assert.equal(2, #lab.walls)
  end)
end)
