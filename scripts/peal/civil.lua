--- Dates from seconds, without the C library's clock or zone.
-- Source: H. Hinnant, "chrono-compatible low-level date algorithms"
-- (proleptic Gregorian calendar), days counted from 1970-01-01.
local civil = {}

local DAY <const> = 86400

--- Year, month, day of a number of days since 1970-01-01.
local function from_days(days)
  local z = days + 719468
  local era = z // 146097
  local doe = z - era * 146097
  local yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
  local doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
  local mp = (5 * doy + 2) // 153
  local month = mp < 10 and mp + 3 or mp - 9
  return yoe + era * 400 + (month <= 2 and 1 or 0), month,
    doy - (153 * mp + 2) // 5 + 1
end

--- Days since 1970-01-01 of a date.
function civil.days(year, month, day)
  local y = month <= 2 and year - 1 or year
  local era = y // 400
  local yoe = y - era * 400
  local mp = month > 2 and month - 3 or month + 9
  local doy = (153 * mp + 2) // 5 + day - 1
  return era * 146097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719468
end

--- Fields of a time.
-- @tparam number time seconds since 1970, UTC
-- @treturn table year, month, day, hour, min, sec, wday (1 = Sunday)
function civil.from_time(time)
  local whole = math.floor(time)
  local days = whole // DAY
  local rest = whole - days * DAY
  local year, month, day = from_days(days)
  return { year = year, month = month, day = day, hour = rest // 3600,
    min = rest // 60 % 60, sec = rest % 60, wday = (days + 4) % 7 + 1 }
end

--- "2026-11-22T10:15:30Z"
function civil.iso(time)
  local t = civil.from_time(time)
  return ("%04d-%02d-%02dT%02d:%02d:%02dZ"):format(t.year, t.month, t.day,
    t.hour, t.min, t.sec)
end

return civil
