-- Many phones and one server; one phone and many cycles.
local program = require "support.program"
local support = require "support.engine"

-- A sanitizer learns nothing new from the last hundreds, and takes its time.
local PHONES <const> = program.sanitized and 300 or 1000
local LONG <const> = os.getenv("PEAL_LONG") == "1"

-- No bin of 20 is more than three times as full as their mean.
local function assert_spread(times, from, to)
  local bins, mean = support.bins(times, from, to, 20)
  assert.is_true(mean > 0)
  for i, count in ipairs(bins) do
    assert.is_true(count <= 3 * mean, ("bin %d of %d to %d: %d, mean %.1f")
      :format(i, from, to, count, mean))
  end
end

local function boot(options)
  local fleet = support.fleet(PHONES, options)
  for _, one in ipairs(fleet.phones) do one.engine:start("power_on") end
  return fleet
end

describe("1,000 phones that boot together", function()
  it("spread their first contact over Resync_Random_Delay", function()
    local fleet = boot { params = { Resync_Random_Delay = "30" } }
    fleet.world.advance(600)
    assert.equal(PHONES, #fleet.arrivals)
    assert_spread(fleet.arrivals, 0, 600)
  end)

  it("spread a daily resync over its window", function()
    local fleet = boot { time = 1795305600, params = { -- midnight
      Resync_At__HHmm_ = "0300" } }
    fleet.world.advance(86399)
    local night = {}
    for _, t in ipairs(fleet.arrivals) do
      if t > 3600 then night[#night + 1] = t end
    end
    assert.equal(PHONES, #night)
    assert_spread(night, 10800, 11400)
  end)

  it("do not come all at once when the server is back after an hour",
    function()
      local HOUR <const> = 3600
      local fleet = boot { params = { Resync_Random_Delay = "2",
        Resync_Error_Retry_Delay =
          "60+60,120+120,240+240,480+480,960+960,1920+1920" },
        server = function(_, all)
          return all.world.now().mono < HOUR and 503
            or { status = 200, body = support.EMPTY }
        end }
      fleet.world.advance(2 * HOUR)
      -- each waits out its list: twelve attempts an hour would be many
      local before, good = 0, {}
      for _, t in ipairs(fleet.arrivals) do
        if t < HOUR then before = before + 1 end
        if t >= HOUR then good[#good + 1] = t end
      end
      assert.is_true(before / PHONES <= 6)
      for _, one in ipairs(fleet.phones) do
        assert.equal("success", one.engine:status().last.outcome)
      end
      table.sort(good)
      assert_spread(good, HOUR, good[PHONES])
    end)
end)

describe("one phone", function()
  -- Cycles that change nothing, and what of memory is left of them.
  local function growth(cycles, params, server)
    params.Resync_Periodic = params.Resync_Periodic or "3600"
    local lab = support.new { params = params, server = server }
    lab:boot("power_on"):advance(100 * 3600)
    local function used()
      lab.at, lab.asked = {}, {}
      collectgarbage()
      collectgarbage()
      return collectgarbage("count")
    end
    local before = used()
    local from = lab.engine:status().cycle
    lab:advance((100 + cycles) * 3600)
    local ran = lab.engine:status().cycle - from
    return used() - before, ran
  end

  local COUNT <const> = LONG and 100000 or 1000

  it(("stays as small as it is over %d cycles"):format(COUNT), function()
    local grown, ran = growth(COUNT, {})
    assert.equal(COUNT, ran)
    assert.is_true(grown < 32, grown .. " KB")
  end)

  it("stays small while it fails", function()
    local grown, ran = growth(COUNT, { Resync_Error_Retry_Delay = "3600" },
      function() return 503 end)
    assert.equal(COUNT, ran)
    assert.is_true(grown < 32, grown .. " KB")
  end)

  it("stays small while a profile changes a value each time", function()
    local n = 0
    local grown = growth(COUNT // 4, {}, function()
      n = n + 1
      return support.profile { GPP_A = ("%08d"):format(n) }
    end)
    assert.is_true(grown < 64, grown .. " KB")
  end)
end)
