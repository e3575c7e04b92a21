--- Local time: POSIX TZ rules, and the time parameters of a phone, in pure
-- Lua. The C library is not asked: its zone is the process's, not the phone's.
-- Source: IEEE 1003.1 section 8.3, TZ; administration guide, Time_Zone,
-- Time_Offset__HH_mm_, Daylight_Saving_Time_Rule.
local civil = require "peal.civil"

local zone = {}
zone.__index = zone

local DAY <const> = 86400

-- What a zone with daylight time and no rule follows (as most libraries).
local DEFAULT_RULE <const> = ",M3.2.0,M11.1.0"

local function bad(text, what)
  return nil, ("%s: %q"):format(what, text), "invalid"
end

-- "2", "2:30", "-1:00:00", also 24 and above; seconds.
local function clock_of(text, hours_max)
  local sign, h, rest = text:match("^([+-]?)(%d%d?%d?)(.*)$")
  if not h then return nil end
  local m, s = rest:match("^:(%d%d?)$"), "0"
  if not m then m, s = rest:match("^:(%d%d?):(%d%d?)$") end
  if rest == "" then m, s = "0", "0" end
  h, m, s = tonumber(h), tonumber(m), tonumber(s)
  if not m or h > hours_max or m > 59 or s > 59 then return nil end
  return (sign == "-" and -1 or 1) * (h * 3600 + m * 60 + s)
end

-- The days on which a rule changes the clock: functions year -> days since
-- 1970.
local function is_leap(year)
  return year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
end

local function month_days(year, month)
  local next_year, next_month = year, month + 1
  if next_month > 12 then next_year, next_month = year + 1, 1 end
  return civil.days(next_year, next_month, 1) - civil.days(year, month, 1)
end

-- 0 = Sunday
local function weekday(days) return (days + 4) % 7 end

local function julian_day(n)
  return function(year)
    local skip = is_leap(year) and n >= 60 and 1 or 0
    return civil.days(year, 1, 1) + n - 1 + skip
  end
end

local function zero_day(n)
  return function(year) return civil.days(year, 1, 1) + n end
end

-- Week 5: the last.
local function week_day(month, week, wday)
  return function(year)
    local first = civil.days(year, month, 1)
    local day = (wday - weekday(first)) % 7 + (week - 1) * 7
    if day >= month_days(year, month) then day = day - 7 end
    return first + day
  end
end

-- Sipura's form. day > 0: on or after that day; < 0: on or before, counted
-- from the end of the month; wday 1 = Monday to 7, 0: the very day.
local function sipura_day(month, day, wday)
  return function(year)
    local first = civil.days(year, month, 1)
    local length = month_days(year, month)
    local at = day > 0 and first + math.min(day, length) - 1
      or first + math.max(length + day, 0)
    if wday == 0 then return at end
    local ahead = (wday % 7 - weekday(at)) % 7
    return day > 0 and at + ahead or at - (7 - ahead) % 7
  end
end

local function between(text, lo, hi)
  local n = math.tointeger(tonumber(text))
  return n and n >= lo and n <= hi and n or nil
end

local function posix_day(text)
  local m, w, d = text:match("^M(%d+)%.(%d+)%.(%d+)$")
  if m then
    m, w, d = between(m, 1, 12), between(w, 1, 5), between(d, 0, 6)
    return m and w and d and week_day(m, w, d)
  end
  local julian = text:match("^J(%d+)$")
  if julian then
    julian = between(julian, 1, 365)
    return julian and julian_day(julian)
  end
  local n = text:match("^%d+$") and between(text, 0, 365)
  return n and zero_day(n)
end

-- "M3.5.0/2": day and second of it.
local function posix_change(text)
  local date, time = text:match("^([^/]+)/?(.*)$")
  local day = date and posix_day(date)
  local at = time == "" and 7200 or time and clock_of(time, 167)
  if not day or not at or text:find("/$") then return nil end
  return { day = day, at = at }
end

local function take_name(text)
  local name, rest = text:match("^<([%w+-]+)>(.*)$")
  if not name then name, rest = text:match("^(%a+)(.*)$") end
  if not name or #name < 3 then return nil end
  return name, rest
end

local function take_offset(text)
  local digits, rest = text:match("^([+-]?%d[%d:]*)(.*)$")
  local seconds = digits and clock_of(digits, 24)
  return seconds, rest
end

--- Read a POSIX TZ rule, such as "CET-1CEST,M3.5.0,M10.5.0/3".
-- @treturn[1] zone
-- @return[2] nil, sentence, "invalid"
function zone.parse(text)
  local name, rest = take_name(text)
  if not name then return bad(text, "not a POSIX time zone") end
  local west
  west, rest = take_offset(rest)
  if not west then return bad(text, "the time zone has no offset") end
  local z = setmetatable({ std = -west, name = name }, zone)
  if rest == "" then return z end
  z.dst_name, rest = take_name(rest)
  if not z.dst_name then return bad(text, "not a POSIX time zone") end
  z.dst = z.std + 3600
  if rest:find("^[%d+-]") then
    west, rest = take_offset(rest)
    if not west then return bad(text, "the daylight time has no offset") end
    z.dst = -west
  end
  if rest == "" then rest = DEFAULT_RULE end
  local from, to = rest:match("^,([^,]+),([^,]+)$")
  z.from, z.to = from and posix_change(from), to and posix_change(to)
  if not z.from or not z.to then
    return bad(text, "the time zone's rule cannot be read")
  end
  return z
end

-- "3/-1/7/2:0:0"
local function sipura_change(text)
  local m, d, w, time = text:match("^(%d+)/([+-]?%d+)/(%d+)/?(.*)$")
  m, d, w = between(m, 1, 12), between(d, -31, 31), between(w, 0, 7)
  local at = time == "" and 0 or time and clock_of(time, 24)
  if not m or not d or d == 0 or not w or not at then return nil end
  return { day = sipura_day(m, d, w), at = at }
end

-- "start=...;end=...;save=1"; the word start may be missing, as in the guide's
-- own default.
local function sipura_rule(text)
  local from, to, save = text:lower():gsub("[ \t]", ""):match(
    "^([^;]+);end=([^;]+);save=([^;]+);?$")
  if not from then return nil end
  from = sipura_change((from:gsub("^start=", "")))
  to = sipura_change(to)
  save = clock_of(save:gsub("^/", ""), 24)
  if not from or not to or not save then return nil end
  return from, to, save
end

-- "GMT", "GMT+01:00", "GMT-08:00"; seconds east.
local function gmt_offset(text)
  local rest = text:upper():gsub("[ \t]", ""):match("^GMT(.*)$")
    or text:upper():gsub("[ \t]", ""):match("^UTC(.*)$")
  if rest == "" then return 0 end
  return rest and rest:find("^[+-]") and clock_of(rest, 15)
end

-- "HH/mm", "-05/30"; seconds.
local function extra_offset(text)
  text = text:gsub("[ \t]", "")
  if text == "" then return 0 end
  return clock_of(text:gsub("/", ":"), 15)
end

--- The zone of a phone's own parameters.
--   about   time_zone ("GMT+01:00"), offset ("HH/mm", added to it), dst
--           (true: the rule counts), rule ("start=...;end=...;save=1"). The
--           changes are at the local time in force before each (our choice).
-- @treturn[1] zone
-- @return[2] nil, sentence, "invalid"
function zone.of_phone(about)
  local base = gmt_offset(about.time_zone)
  if not base then return bad(about.time_zone, "Time_Zone cannot be read") end
  local extra = extra_offset(about.offset or "")
  if not extra then
    return bad(about.offset, "Time_Offset__HH_mm_ cannot be read")
  end
  local z = setmetatable({ std = base + extra, name = about.time_zone }, zone)
  if not about.dst or not (about.rule or ""):find("%S") then return z end
  local from, to, save = sipura_rule(about.rule)
  if not from then
    return bad(about.rule, "Daylight_Saving_Time_Rule cannot be read")
  end
  if save ~= 0 then z.dst, z.from, z.to = z.std + save, from, to end
  return z
end

-- The changes of a year, UTC, in order; the end of one daylight time stands
-- before the beginning of the next at the same moment. Kept for the last few
-- years asked for.
local function changes_of(z, year)
  z.years = z.years or {}
  local known = z.years[year]
  if known then return known end
  local from = { time = z.from.day(year) * DAY + z.from.at - z.std,
    offset = z.dst }
  local to = { time = z.to.day(year) * DAY + z.to.at - z.dst,
    offset = z.std }
  local list = to.time <= from.time and { to, from } or { from, to }
  if (z.count or 0) >= 16 then z.years, z.count = {}, 0 end
  z.years[year], z.count = list, (z.count or 0) + 1
  return list
end

-- The change in force at a time, and the one after it. Both changes of a year
-- may fall into the one beside it.
local function around(z, time)
  local year = civil.from_time(time + z.std).year
  local last, after
  for y = year - 2, year + 2 do
    for _, change in ipairs(changes_of(z, y)) do
      if change.time > time then
        if not after or change.time < after.time then after = change end
      elseif not last or change.time >= last.time then
        last = change
      end
    end
  end
  return last, after
end

--- Seconds east of Greenwich at a time.
function zone:offset(time)
  if not self.dst then return self.std end
  return around(self, time).offset
end

--- The local date and time of a time: fields as civil.from_time() has them,
-- and `days` since 1970 of the local date.
function zone:fields(time)
  local here = math.floor(time) + self:offset(time)
  local t = civil.from_time(here)
  t.days = here // DAY
  return t
end

--- The time of a local day and second of it. A time that occurs twice is the
-- first of both; one that the clock jumps over is the moment of the jump.
-- @tparam integer days since 1970, local
-- @tparam integer second of the day
function zone:time(days, second)
  local here = days * DAY + second
  if not self.dst then return here - self.std end
  local early = here - math.max(self.std, self.dst)
  local late = here - math.min(self.std, self.dst)
  if early + self:offset(early) == here then return early end
  if late + self:offset(late) == here then return late end
  local _, jump = around(self, early)
  return jump.time
end

return zone
