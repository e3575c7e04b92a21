local fixture = require "support.fixture"
local schedule = require "peal.schedule"

local function most(_, hi)
  return hi
end

local function least(lo)
  return lo
end

local function delays(text, random, count)
  local s = assert(schedule.parse(text))
  local got = {}
  for i = 1, count do
    got[i] = schedule.delay(s, i, random) or "off"
  end
  return table.concat(got, " ")
end

describe("a schedule", function()
  local outcomes = {
    { "600,1200,300", "600 1200 300 300 300" },
    { "2400+30", "2430 2430 2430 2430 2430" },
    { "1800+300,3600+600,7200+900", "2100 4200 8100 8100 8100" },
    { " 10 , 20 + 5 ,\t30 ", "10 25 30 30 30" },
    { "0", "off off off off off" },
    { "", "off off off off off" },
    { " ", "off off off off off" },
    { "60,0,60", "60 off off off off" },
    { "0+30", "off off off off off" },
    { "4294967295", "4294967295 4294967295 4294967295 4294967295 4294967295" },
    { "0060", "60 60 60 60 60" },
  }
  for _, case in ipairs(outcomes) do
    it(("%q gives %s"):format(case[1], case[2]), function()
      assert.equal(case[2], delays(case[1], most, 5))
    end)
  end

  it("adds a random extra from 0 to the number after +", function()
    assert.equal("2400", delays("2400+30", least, 1))
    local asked
    schedule.delay(schedule.parse("2400+30"), 1, function(lo, hi)
      asked = { lo, hi }
      return 7
    end)
    assert.same({ 0, 30 }, asked)
  end)

  it("doubles the documented retry delays up to a day", function()
    local text = "60,120,240,480,960,1920,3840,7680,15360,30720,61440,86400"
    assert.equal(text:gsub(",", " ") .. " 86400", delays(text, most, 13))
  end)

  it("keeps base and extra", function()
    assert.same({ { base = 60, extra = 0 }, { base = 5, extra = 2 } },
      schedule.parse("60,5+2").items)
  end)

  for _, text in ipairs { "abc", "-1", "60,", ",60", "60,,60", "60+", "+60",
                          "1.5", "0x10", "60 60", "4294967296", "60+1+1",
                          "60;120", ("9"):rep(5000), ("1,"):rep(5000) } do
    it(("refuses %q"):format(text:sub(1, 20)), function()
      local parsed, _, word = schedule.parse(text)
      assert.is_nil(parsed)
      assert.equal("invalid", word)
    end)
  end

  it("says which item is wrong", function()
    local _, sentence = schedule.parse("60,120,x")
    assert.equal("Item 3 is no delay", sentence)
  end)

  it("survives any text", function()
    fixture.fuzz({ "1", "0", ",", "+", " ", "4294967295" }, function(text)
      local s = schedule.parse(text)
      if s then
        schedule.delay(s, 3, most)
      end
    end)
  end)
end)
