local calendar = require "peal.host_certificate.calendar"
local civil = require "peal.civil"
local zone = require "peal.zone"

local ZURICH <const> = zone.parse("CET-1CEST,M3.5.0,M10.5.0/3")
local DAY <const> = 86400

-- "2026-11-22 15:04:05" of the local clock, s UTC.
local function local_time(text)
  local y, m, d, h, min, s = text:match("(%d+)-(%d+)-(%d+) (%d+):(%d+):?(%d*)")
  return ZURICH:time(civil.days(tonumber(y), tonumber(m), tonumber(d)),
    tonumber(h) * 3600 + tonumber(min) * 60 + (tonumber(s) or 0))
end

local function text_of(time)
  local t = ZURICH:fields(time)
  return ("%04d-%02d-%02d %02d:%02d:%02d"):format(t.year, t.month, t.day,
    t.hour, t.min, t.sec)
end

-- The next run of certificates made at `made` for `had` days, by a rule of
-- `days` days.
local function next_run(made, days, at, had)
  local time = type(made) == "number" and made or local_time(made)
  local _, not_after = calendar.validity(time, had or days)
  return text_of(calendar.next_run(ZURICH, { made = time, days = days,
    not_after = not_after, minute = calendar.minute(at) }))
end

describe("the time of day of a regeneration", function()
  it("is read as HH:MM", function()
    for text, minute in pairs { ["02:00"] = 120, ["00:00"] = 0,
      ["23:59"] = 1439, [" 07:30 "] = 450 } do
      assert.equal(minute, calendar.minute(text))
    end
  end)

  it("is refused where it is none", function()
    for _, text in ipairs { "", "2:00", "24:00", "02:60", "0200", "02:00:00",
      "-1:00", "xx:yy" } do
      local minute, sentence, word = calendar.minute(text)
      assert.is_nil(minute, text)
      assert.truthy(sentence:find("no time of day", 1, true))
      assert.equal("invalid", word)
    end
  end)
end)

describe("the next regeneration (Europe/Zurich)", function()
  -- title, made, days of the rule, time of day, result, days of the active
  -- certificate where they are others
  local VECTORS <const> = {
    { "365 days from 2026-11-22 15:04:05", "2026-11-22 15:04:05", 365,
      "02:00", "2027-11-22 02:00:00" },
    { "T exactly 02:00:00, 1 day: the next day", "2026-11-22 02:00:00", 1,
      "02:00", "2026-11-23 02:00:00" },
    { "T 01:00, 1 day: the same day", "2026-11-22 01:00:00", 1, "02:00",
      "2026-11-22 02:00:00" },
    { "365 shortened to 30 days", "2026-11-22 15:04:05", 30, "02:00",
      "2026-12-22 02:00:00", 365 },
    { "30 lengthened to 365 days: before the end", "2026-11-22 15:04:05", 365,
      "02:00", "2026-12-22 02:00:00", 30 },
    { "02:30 on the spring change day: 03:00", "2027-03-27 12:00:00", 1,
      "02:30", "2027-03-28 03:00:00" },
    { "the day after that one: 02:30 again", "2027-03-28 03:00:00", 1,
      "02:30", "2027-03-29 02:30:00" },
    { "same wall clock across the spring change", "2027-03-27 15:04:05", 1,
      "15:04", "2027-03-28 15:04:00" },
    { "a 25 hour day leaves the margin: the day before",
      "2026-10-05 02:00:00", 30, "02:00", "2026-11-03 02:00:00" },
    { "a 25 hour day alone: the end of the interval", "2026-10-24 15:00:00", 1,
      "15:00", "2026-10-25 14:00:00" },
    { "ten years", "2026-11-22 15:04:05", 3650, "02:00",
      "2036-11-19 02:00:00" },
  }
  for _, v in ipairs(VECTORS) do
    it(v[1], function()
      assert.equal(v[5], next_run(v[2], v[3], v[4], v[6]))
    end)
  end

  it("365 days hold until 2027-11-22 16:04:05", function()
    local made = local_time("2026-11-22 15:04:05")
    local from, to = calendar.validity(made, 365)
    assert.equal("2026-11-22 14:04:05", text_of(from))
    assert.equal("2027-11-22 16:04:05", text_of(to))
  end)

  it("a doubled time of day counts once, the first time", function()
    local first = local_time("2026-10-25 02:30:00")
    assert.equal("2026-10-25T00:30:00Z", civil.iso(first))
    assert.equal("2026-10-25 02:30:00", next_run("2026-10-24 12:00:00", 1,
      "02:30"))
    assert.equal(first, calendar.following(ZURICH, 150, first - 1))
    assert.equal("2026-10-26 02:30:00",
      text_of(calendar.following(ZURICH, 150, first)))
    -- made between both: the second one is passed over
    assert.equal("2026-10-26 02:20:00", next_run(first + 3000, 1, "02:30"))
  end)

  it("comes after T, and an hour before the end at the latest", function()
    local time = local_time("2026-01-01 00:00:00")
    for i = 0, 3000 do
      local made, days = time + i * 12347, 1 + i % 40
      local _, not_after = calendar.validity(made, days)
      for _, minute in ipairs { 0, 120, 150, 179, 180, 904, 1439 } do
        local at = calendar.next_run(ZURICH, { made = made, days = days,
          not_after = not_after, minute = minute })
        assert.is_true(at > made and at <= not_after - 3600)
        assert.is_true(at >= made + (days - 1) * DAY - 3600)
      end
    end
  end)
end)
