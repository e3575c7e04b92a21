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

local function of_phone(e, key)
  return zone.of_phone { time_zone = key[1], offset = key[2],
    dst = key[3] == "Yes", rule = key[4] }
end

-- The zone's rule as one text, and its parts.
local function key_of(e)
  local key = {}
  for i, name in ipairs(clock.names) do key[i] = e.phone:param(name) or "" end
  if not key[1]:find("%S") then
    key = { "", e.world.now().zone or "UTC0", "", "" }
  end
  return table.concat(key, "\n"), key
end

local function read(e, key)
  local found, sentence
  if key[1] ~= "" then
    found, sentence = of_phone(e, key)
    if found then return found end
    say.once(e, "zone", sentence .. "; the device's zone is used")
    key = { "", e.world.now().zone or "UTC0" }
  end
  found, sentence = zone.parse(key[2])
  if found then return found end
  say.once(e, "device-zone", sentence .. "; UTC is used")
  return zone.parse("UTC0")
end

--- The phone's zone, by its parameters where Time_Zone is set, else the
-- device's; and a text that is another where the rule is another.
function clock.zone(e)
  local text, key = key_of(e)
  if e.zone_key ~= text then
    e.zone, e.zone_key = read(e, key), text
  end
  return e.zone, text
end

--- The next time that it is `minute` of the local day, not before `time`.
--   skip   local day (days since 1970) that has had its resync, or nil
-- @treturn number wall time
-- @treturn integer the local day
function clock.next_daily(e, minute, time, skip)
  local z = clock.zone(e)
  local day = z:fields(time).days
  for d = day, day + 2 do
    local at = z:time(d, minute * 60)
    if at >= time and d ~= skip then return at, d end
  end
end

return clock
