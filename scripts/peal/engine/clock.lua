--- The local time of a phone, and when a daily resync is next.
-- Source: administration guide, Time_Zone, Time_Offset__HH_mm_,
-- Daylight_Saving_Time_Enable, Daylight_Saving_Time_Rule; provisioning guide,
-- Resync_At__HHmm_.
local say = require "peal.engine.say"
local zone = require "peal.zone"

local clock = {}

--- Parameters that say what time it is here.
clock.names = { "Time_Zone", "Time_Offset__HH_mm_",
  "Daylight_Saving_Time_Enable", "Daylight_Saving_Time_Rule" }

-- The zone's texts: the phone's four parameters, or the device's rule alone.
local function texts_of(e)
  local first = e.phone:param("Time_Zone") or ""
  if not first:find("%S") then
    return "", e.world.now().zone or "UTC0", "", ""
  end
  return first, e.phone:param("Time_Offset__HH_mm_") or "",
    e.phone:param("Daylight_Saving_Time_Enable") or "",
    e.phone:param("Daylight_Saving_Time_Rule") or ""
end

local function of_device(e, text)
  local found, sentence = zone.parse(text)
  if found then return found end
  say.once(e, "device-zone", sentence .. "; UTC is used")
  return zone.parse("UTC0")
end

local function read(e, time_zone, offset, dst, rule)
  if time_zone == "" then return of_device(e, offset) end
  local found, sentence = zone.of_phone { time_zone = time_zone,
    offset = offset, dst = dst == "Yes", rule = rule }
  if found then return found end
  say.once(e, "zone", sentence .. "; the device's zone is used")
  return of_device(e, e.world.now().zone or "UTC0")
end

--- The phone's zone, by its parameters where Time_Zone is set, else the
-- device's. It is another table when it is another zone.
--   e   an engine, or a table with its phone, world and said
function clock.zone(e)
  local a, b, c, d = texts_of(e)
  local known = e.zone_texts
  if known and known[1] == a and known[2] == b and known[3] == c
    and known[4] == d
  then
    return e.zone
  end
  e.zone, e.zone_texts = read(e, a, b, c, d), { a, b, c, d }
  return e.zone
end

--- Now, as status pages of the phone show it: "11/22/2026 10:15:30".
-- Its trouble with a zone is said once.
function clock.stamp(phone)
  local here = phone.clock
  if not here then
    here = { phone = phone, world = phone.world, said = {} }
    phone.clock = here
  end
  local t = clock.zone(here):fields(phone.world.now().time)
  return ("%02d/%02d/%04d %02d:%02d:%02d"):format(t.month, t.day, t.year,
    t.hour, t.min, t.sec)
end

--- The next time that it is `minute` of the local day, not before `time`.
--   skip   local day (days since 1970) that has had its resync, or nil
-- @treturn number wall time
-- @treturn integer the local day
function clock.next_daily(e, minute, time, skip)
  local z = clock.zone(e)
  local day = z:fields(time).days
  -- tomorrow, but for offsets that are two days apart
  for d = day, day + 5 do
    local at = z:time(d, minute * 60)
    if at >= time and d ~= skip then return at, d end
  end
end

return clock
