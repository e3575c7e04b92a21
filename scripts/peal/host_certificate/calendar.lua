--- When a pair of root and host certificates is made anew, on a local clock.
-- A time of day that the clock jumps over is the moment of the jump; one that
-- occurs twice counts once, the first time.
-- Source: MiVoice Office 400 WebAdmin help, "Generate new certificates
-- automatically after (days)", "Generate certificates at (time)"; where it is
-- silent, our choice.
local calendar = {}

local DAY <const> = 86400

--- What certificates hold beyond both ends of their interval, s: terminals get
-- the new ones within this time, and clocks may differ by it.
calendar.MARGIN_S = 3600

--- Minutes after midnight of "02:00".
-- @treturn[1] integer
-- @return[2] nil, sentence, "invalid"
function calendar.minute(text)
  local hour, minute = tostring(text):match("^%s*(%d%d):(%d%d)%s*$")
  hour, minute = tonumber(hour), tonumber(minute)
  if not hour or hour > 23 or minute > 59 then
    return nil, ("no time of day from 00:00 to 23:59: %q"):format(text),
      "invalid"
  end
  return hour * 60 + minute
end

--- What a certificate made at a time holds from and to.
-- @tparam integer made s, UTC
-- @tparam integer days
function calendar.validity(made, days)
  return made - calendar.MARGIN_S, made + days * DAY + calendar.MARGIN_S
end

-- The same wall clock so many days on.
local function days_on(z, time, days)
  local t = z:fields(time)
  return z:time(t.days + days, t.hour * 3600 + t.min * 60 + t.sec)
end

-- The last time that it is `minute` of a day, not after `latest`.
local function last_at(z, minute, latest)
  local day = z:fields(latest).days + 1
  local at
  repeat
    at, day = z:time(day, minute * 60), day - 1
  until at <= latest
  return at
end

--- The next time that it is `minute` of a day, after `time`.
function calendar.following(z, minute, time)
  local day = z:fields(time).days - 1
  local at
  repeat
    at, day = z:time(day, minute * 60), day + 1
  until at > time
  return at
end

--- When certificates are to be made anew: the last time that it is `minute` of
-- a day in the interval, which is counted in days of the calendar. It leaves
-- the margin before they end, even where the interval was lengthened since, or
-- holds a day of 25 hours. Without such a moment: the end of the interval.
--   z       zone (zone.lua)
--   about   made, not_after (s, UTC) of the certificates; days, minute
-- @treturn integer s, UTC
function calendar.next_run(z, about)
  local latest = math.min(days_on(z, about.made, about.days),
    about.not_after - calendar.MARGIN_S)
  local at = last_at(z, about.minute, latest)
  return at > about.made and at or latest
end

return calendar
