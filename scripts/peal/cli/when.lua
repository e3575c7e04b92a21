--- Times as people read them: UTC, and the phone's own.
local civil = require "peal.civil"
local zone = require "peal.zone"

local when = {}

--- "2026-11-22T10:15:30Z", or "-" for nil.
function when.utc(time)
  return time and civil.iso(time) or "-"
end

--- The local time by a POSIX TZ rule: "2026-11-22 11:15:30".
function when.at_home(time, tz)
  local z = time and zone.parse(tz or "UTC0")
  if not z then return "-" end
  local t = z:fields(time)
  return ("%04d-%02d-%02d %02d:%02d:%02d"):format(t.year, t.month, t.day,
    t.hour, t.min, t.sec)
end

return when
