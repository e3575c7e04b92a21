--- Times and spans of a simulation as people write them.
--   "day 3 02:00"           local; day 1 is the one that it starts on
--   "2027-03-28 01:30"      local; with a Z behind it, UTC
--   "+4 h"                  after the start
--   "4 h", "90 s", "30 min", "2 days"   spans
local civil = require "peal.civil"

local moment = {}

local DAY <const> = 86400
-- A hundred years: nobody simulates more, and whole numbers hold it.
local SPAN_MAX <const> = 36525 * DAY
local TIME_MAX <const> = 253402300799 -- the end of the year 9999

local UNITS <const> = { s = 1, sec = 1, second = 1, seconds = 1, min = 60,
  minute = 60, minutes = 60, h = 3600, hour = 3600, hours = 3600, d = DAY,
  day = DAY, days = DAY }

--- Seconds of a span: a number, or a text such as "4 h".
-- @return[2] nil, sentence
function moment.span(text)
  local number, unit = tostring(text):match("^%s*(%d+%.?%d*)%s*(%a*)%s*$")
  local factor = UNITS[unit == "" and "s" or unit]
  if not number or not factor then
    return nil, ("not a span such as \"4 h\" or \"30 min\": %q"):format(
      tostring(text))
  end
  local seconds = tonumber(number) * factor
  if seconds > SPAN_MAX then
    return nil, ("a span is 100 years at most: %q"):format(tostring(text))
  end
  return seconds
end

-- "02:00" and "02:00:30" as a second of the day.
local function second_of(text)
  local h, m, s = text:match("^(%d%d?):(%d%d):?(%d*)$")
  h, m, s = tonumber(h), tonumber(m), tonumber(s) or 0
  if not h or not m or h > 24 or m > 59 or s > 60 then return nil end
  return h * 3600 + m * 60 + s
end

-- "2027-03-28 01:30", "2027-03-28"; second day of a month that has none is
-- the first of the next one.
local function of_date(text, here)
  local y, m, d, rest = text:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)[T ]?(.*)$")
  if not y then return nil end
  y, m, d = tonumber(y), tonumber(m), tonumber(d)
  if m < 1 or m > 12 or d < 1 or d > 31 then return nil end
  local clock, utc = rest:match("^(.-)%s*(Z?)$")
  local second = clock == "" and 0 or second_of(clock)
  if not second then return nil end
  local days = civil.days(y, m, d)
  if utc == "Z" then return days * DAY + second end
  return here.zone:time(days, second)
end

local function of_day(text, here)
  local number, clock = text:match("^day%s+(%d+)%s*(.*)$")
  local second = number and (clock == "" and 0 or second_of(clock))
  if not second or tonumber(number) > SPAN_MAX // DAY then return nil end
  local first = here.zone:fields(here.start).days
  return here.zone:time(first + tonumber(number) - 1, second)
end

--- The time, s UTC, that a text means; a number is one already.
--   here   { start = s UTC, zone = }
-- @return[2] nil, sentence
function moment.time(text, here)
  if type(text) == "number" and text >= 0 and text <= TIME_MAX then
    return text
  end
  text = tostring(text)
  local after = text:match("^%+%s*(.+)$")
  if after then
    local seconds, sentence = moment.span(after)
    return seconds and here.start + seconds, sentence
  end
  local time = of_day(text, here) or of_date(text, here)
  if time then return time end
  return nil, ("not a time such as \"day 3 02:00\", \"2027-03-28 01:30\" or "
    .. "\"+4 h\": %q"):format(text)
end

--- "2026-11-22 11:15:30 +01:00"
--   offset   seconds east of Greenwich
function moment.show_at(time, offset)
  local t, minutes = civil.from_time(time + offset), math.abs(offset) // 60
  return ("%04d-%02d-%02d %02d:%02d:%02d %s%02d:%02d"):format(t.year, t.month,
    t.day, t.hour, t.min, t.sec, offset < 0 and "-" or "+", minutes // 60,
    minutes % 60)
end

--- The same in a zone.
function moment.show(time, zone)
  return moment.show_at(time, zone:offset(time))
end

return moment
