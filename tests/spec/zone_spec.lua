local civil = require "peal.civil"
local process = require "support.process"
local program = require "support.program"
local zone = require "peal.zone"

local function time(year, month, day, hour, min, sec)
  return civil.days(year, month, day) * 86400 + (hour or 0) * 3600
    + (min or 0) * 60 + (sec or 0)
end

local function at(z, year, month, day, hour, min)
  return civil.iso(z:time(civil.days(year, month, day),
    hour * 3600 + (min or 0) * 60))
end

local BERLIN <const> = "CET-1CEST,M3.5.0,M10.5.0/3"
local SYDNEY <const> = "AEST-10AEDT,M10.1.0,M4.1.0/3"

-- Zones of the world: north, south, half hours, fixed ones, changes at odd
-- times, Julian days, daylight time that goes back (Dublin) or never ends.
local ZONES <const> = { "UTC0", "<+03>-3", "<-03>3", "IST-5:30",
  "<+0545>-5:45", BERLIN, SYDNEY, "PST8PDT,M3.2.0,M11.1.0",
  "NST3:30NDT,M3.2.0,M11.1.0", "<-04>4<-03>,M9.1.6/24,M4.1.6/24",
  "IST-1GMT0,M10.5.0,M3.5.0/1", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
  "EET-2EEST,M3.5.0/3,M10.5.0/4", "IST-2IDT,M3.4.4/26,M10.5.0",
  "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "XXX3YYY,J60/0,J300/5:30",
  "XXX-3YYY-4:30,59,299/1:02:03", "EST5EDT,0/0,J365/25" }

describe("a POSIX time zone", function()
  it("is read in all its forms", function()
    local offsets = { { "UTC0", 0 }, { "<+03>-3", 10800 },
      { "IST-5:30", 19800 }, { "EST5", -18000 }, { "ABC-1:02:03", 3723 },
      { "ABC+24", -86400 } }
    for _, case in ipairs(offsets) do
      assert.equal(case[2], assert(zone.parse(case[1])):offset(0), case[1])
    end
  end)

  it("is refused where it is none", function()
    for _, text in ipairs { "", "CET", "CE-1", "CET-25", "CET-1CEST,M3.5.0",
      "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
      "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J365", "CET-1CEST,366,1",
      "CET-1CEST,M3.5.0/,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0,M1.1.1",
      "CET-1CEST,M3.5.0/168,M10.5.0", "CET-1CEST x", ":Europe/Berlin",
      "<+03-3", "CET-1:60", "\0" } do
      local ok, sentence, word = zone.parse(text)
      assert.is_nil(ok, text)
      assert.is_string(sentence)
      assert.equal("invalid", word)
    end
  end)

  it("knows its offset at the moments of a change", function()
    local z = assert(zone.parse(BERLIN))
    local from, to = time(2026, 3, 29, 1), time(2026, 10, 25, 1)
    assert.equal(3600, z:offset(from - 1))
    assert.equal(7200, z:offset(from))
    assert.equal(7200, z:offset(to - 1))
    assert.equal(3600, z:offset(to))
  end)

  it("jumps a time that does not exist to the end of the gap", function()
    local z = assert(zone.parse(BERLIN))
    assert.equal("2026-03-29T01:00:00Z", at(z, 2026, 3, 29, 2))
    assert.equal("2026-03-29T01:00:00Z", at(z, 2026, 3, 29, 2, 30))
    assert.equal("2026-03-29T01:00:00Z", at(z, 2026, 3, 29, 3))
    assert.equal("2026-03-29T00:59:00Z", at(z, 2026, 3, 29, 1, 59))
  end)

  it("takes the first of two equal times", function()
    local z = assert(zone.parse(BERLIN))
    assert.equal("2026-10-25T00:30:00Z", at(z, 2026, 10, 25, 2, 30))
    assert.equal("2026-10-25T02:00:00Z", at(z, 2026, 10, 25, 3))
  end)

  it("knows the south, where summer spans the new year", function()
    local z = assert(zone.parse(SYDNEY))
    assert.equal(39600, z:offset(time(2026, 1, 1)))
    assert.equal(36000, z:offset(time(2026, 7, 1)))
    assert.equal("2026-10-03T16:00:00Z", at(z, 2026, 10, 4, 2, 30))
    assert.equal("2026-04-04T15:30:00Z", at(z, 2026, 4, 5, 2, 30))
  end)

  it("works before 1970 and beyond 2038 and 2100", function()
    local z = assert(zone.parse(BERLIN))
    assert.equal(7200, z:offset(time(1966, 7, 1)))
    assert.equal(7200, z:offset(time(2038, 7, 1)))
    assert.equal(3600, z:offset(time(2106, 2, 8)))
    assert.equal(7200, z:offset(time(2199, 7, 1)))
  end)

  it("follows the common rule where daylight time has none", function()
    local z = assert(zone.parse("AAA5BBB"))
    local full = assert(zone.parse("AAA5BBB,M3.2.0,M11.1.0"))
    for t = time(2026, 1, 1), time(2027, 1, 1), 3600 do
      assert.equal(full:offset(t), z:offset(t))
    end
  end)

  it("gives the fields of the local date", function()
    local t = assert(zone.parse("<+14>-14")):fields(time(2026, 12, 31, 12))
    assert.same({ 2027, 1, 1, 2, 0 }, { t.year, t.month, t.day, t.hour,
      t.min })
    assert.equal(civil.days(2027, 1, 1), t.days)
  end)

  it("finds the first moment of every local time", function()
    math.randomseed(20261122)
    for _, text in ipairs(ZONES) do
      local z = assert(zone.parse(text))
      for _ = 1, 300 do
        local days = math.random(civil.days(2020, 1, 1),
          civil.days(2100, 1, 1))
        local second = math.random(0, 95) * 900
        local here = days * 86400 + second
        local found = z:time(days, second)
        local first
        for _, offset in ipairs { z.std, z.dst or z.std } do
          local t = here - offset
          if t + z:offset(t) == here and (not first or t < first) then
            first = t
          end
        end
        if first then
          assert.equal(first, found, text)
        else -- in a gap: the moment before it showed an earlier time
          assert.is_true(found + z:offset(found) > here, text)
          assert.is_true(found - 1 + z:offset(found - 1) < here, text)
        end
      end
    end
  end)

  -- The same moments as the system's date, hundreds of each zone.
  for _, text in ipairs(ZONES) do
    it(("%s agrees with the system"):format(text), function()
      local z, moments = assert(zone.parse(text)), {}
      math.randomseed(20261122)
      for i = 1, 250 do
        moments[i] = math.random(time(1990, 1, 1), time(2100, 12, 31))
      end
      for year = 2024, 2040 do -- around each change
        for day = 1, 365, 5 do
          local noon = time(year, 1, 1) + day * 86400
          if z:offset(noon) ~= z:offset(noon + 5 * 86400) then
            local lo, hi = noon, noon + 5 * 86400
            while hi - lo > 1 do
              local mid = (lo + hi) // 2
              if z:offset(mid) == z:offset(lo) then lo = mid else hi = mid end
            end
            table.move({ lo - 1, lo, hi, hi + 1 }, 1, 4, #moments + 1,
              moments)
          end
        end
      end
      local dir = process.temp_dir()
      local file = assert(io.open(dir .. "/moments", "w"))
      for _, t in ipairs(moments) do file:write("@", t, "\n") end
      file:close()
      local said = program.run({ "/usr/bin/env", "LC_ALL=C", "TZ=" .. text,
        "/bin/date", "-f", dir .. "/moments", "+%Y-%m-%d %H:%M:%S" })
      process.remove(dir)
      if said.code ~= 0 then
        pending("this system's date cannot do it: " .. said.err)
        return
      end
      local i = 0
      for line in said.out:gmatch("[^\n]+") do
        i = i + 1
        local f = z:fields(moments[i])
        assert.equal(line, ("%04d-%02d-%02d %02d:%02d:%02d"):format(f.year,
          f.month, f.day, f.hour, f.min, f.sec), "@" .. moments[i])
      end
      assert.equal(#moments, i)
    end)
  end
end)

describe("a phone's time parameters", function()
  local function phone(time_zone, more)
    local about = { time_zone = time_zone }
    for key, value in pairs(more or {}) do about[key] = value end
    return zone.of_phone(about)
  end

  it("name an offset from GMT", function()
    for text, offset in pairs { GMT = 0, ["GMT+01:00"] = 3600,
      ["GMT-08:00"] = -28800, ["GMT+05:30"] = 19800, ["gmt-3"] = -10800,
      ["GMT +13:00"] = 46800 } do
      assert.equal(offset, assert(phone(text)):offset(0), text)
    end
    for _, text in ipairs { "CET", "GMT01:00", "+01:00", "GMT+1:75",
      "GMT+99" } do
      assert.is_nil((phone(text)), text)
    end
  end)

  it("add Time_Offset__HH_mm_", function()
    assert.equal(3600 + 1800,
      assert(phone("GMT+01:00", { offset = "00/30" })):offset(0))
    assert.equal(-5400,
      assert(phone("GMT", { offset = "-01/30" })):offset(0))
    assert.is_nil((phone("GMT", { offset = "soon" })))
  end)

  it("give daylight time as a POSIX rule does", function()
    local pairs_of = {
      { "GMT+01:00", "start=3/-1/7/2:0:0;end=10/-1/7/3:0:0;save=1", BERLIN },
      { "GMT-08:00", "start=3/8/7/2:0:0;end=11/1/7/2:0:0;save=1",
        "PST8PDT,M3.2.0,M11.1.0" },
      { "GMT+10:00", "start=10/1/7/2;end=4/1/7/3;save=1:0:0", SYDNEY },
      { "GMT-06:00", " START = 4/1/7/2:00 ; End = 10/-1/7/2 ; save = 1 ",
        "CST6CDT,M4.1.0,M10.5.0" },
      { "GMT", "3/-1/7/1;end=10/-1/7/2;save=1", "GMT0BST,M3.5.0/1,M10.5.0" },
      { "GMT+01:00", "start=6/1/0/0:0:0;end=9/30/0/0;save=2",
        "AAA-1BBB-3,J152/0,J273/0" },
    }
    for _, case in ipairs(pairs_of) do
      local z = assert(phone(case[1], { dst = true, rule = case[2] }))
      local other = assert(zone.parse(case[3]))
      for t = time(2024, 1, 1), time(2028, 1, 1), 3600 do
        if z:offset(t) ~= other:offset(t) then
          assert.equal(other:offset(t), z:offset(t),
            case[2] .. " at " .. civil.iso(t))
        end
      end
    end
  end)

  it("have no daylight time where it is off, empty or saves nothing",
    function()
      local rule = "start=3/-1/7/2;end=10/-1/7/3;save=1"
      local summer = time(2026, 7, 1)
      for _, more in ipairs { { dst = false, rule = rule },
        { dst = true, rule = "" },
        { dst = true, rule = "start=3/1/1;end=9/1/1;save=0" } } do
        assert.equal(3600, assert(phone("GMT+01:00", more)):offset(summer))
      end
    end)

  it("are refused with a rule that cannot be read", function()
    for _, rule in ipairs { "x", "start=3/-1/7;end=10/-1/7",
      "start=13/1/1;end=10/1/1;save=1", "start=3/0/1;end=10/1/1;save=1",
      "start=3/1/8;end=10/1/1;save=1", "start=3/1/1/25;end=10/1/1;save=1",
      "start=3/1/1;end=10/1/1;save=x" } do
      local ok, sentence, word = phone("GMT", { dst = true, rule = rule })
      assert.is_nil(ok, rule)
      assert.is_truthy(sentence:find("Daylight_Saving_Time_Rule", 1, true))
      assert.equal("invalid", word)
    end
  end)

  it("may all fall into the year after, or before", function()
    -- "on or after the last day": both changes of a year come in the next one
    local late = assert(phone("GMT", { dst = true,
      rule = "start=12/31/7/1:0:0;end=12/31/6/1:0:0;save=1" }))
    local early = assert(zone.parse("AAA0BBB,0/-167,1/-167"))
    for _, z in ipairs { late, early } do
      for t = time(2026, 12, 20), time(2027, 1, 12), 3600 do
        local offset = z:offset(t)
        assert.is_true(offset == 0 or offset == 3600)
        local here = z:fields(t)
        assert.is_true(math.abs(z:time(here.days, t % 86400) - t) <= 90000)
      end
    end
  end)
end)
