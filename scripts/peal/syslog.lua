--- Syslog datagrams, and who gets which.
-- Source: RFC 3164, RFC 5424; MPP administration guide, Syslog_Server,
-- Debug_Server, Debug_Level. Formats, limits and who gets what besides: our
-- choice.
local civil = require "peal.civil"

local syslog = {}

local LOCAL0 <const> = 16
local DEFAULT_PORT <const> = 514

local SEVERITIES <const> = { emergency = 0, alert = 1, critical = 2,
  error = 3, warning = 4, notice = 5, info = 6, debug = 7 }

local MONTHS <const> = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
  "Aug", "Sep", "Oct", "Nov", "Dec" }

local MAX_BYTES <const> = { cisco = 1024, rfc3164 = 1024, rfc5424 = 2048 }

-- At most `max` bytes, not ending inside of a UTF-8 character.
local function cut(bytes, max)
  if #bytes <= max then return bytes end
  local at = max
  while at > 0 and bytes:byte(at + 1) & 0xC0 == 0x80 do at = at - 1 end
  return bytes:sub(1, at)
end

local function one_line(text)
  return (text:gsub("[%z\1-\31\127]", " "))
end

local function bsd_time(time)
  local t = civil.from_time(time)
  return ("%s %2d %02d:%02d:%02d"):format(MONTHS[t.month], t.day, t.hour,
    t.min, t.sec)
end

local function host_of(message)
  local host = message.ident or message.ip
  return host and host ~= "" and host or "-"
end

local formats = {}

-- The layout of RFC 3164 without host and tag: the text begins with the
-- product name, as the phones' logs show it.
function formats.cisco(pri, message)
  local ident = message.ident and message.ident ~= "" and
    message.ident .. " " or ""
  return ("<%d>%s %s%s"):format(pri, bsd_time(message.time), ident,
    message.text)
end

function formats.rfc3164(pri, message)
  return ("<%d>%s %s peal: %s"):format(pri, bsd_time(message.time),
    host_of(message), message.text)
end

function formats.rfc5424(pri, message)
  local t = civil.from_time(message.time)
  local ms = math.floor(message.time % 1 * 1000)
  return ("<%d>1 %04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s peal - %s - %s")
    :format(pri, t.year, t.month, t.day, t.hour, t.min, t.sec, ms,
      host_of(message), message.msgid or "-", message.text)
end

--- One datagram.
-- @param message format ("cisco", "rfc3164", "rfc5424"), time (s UTC),
--   severity ("notice" ...), text; ident, ip, msgid where the format has them
-- @treturn string bytes without a line end
function syslog.format(message)
  local severity = SEVERITIES[message.severity]
  assert(severity, "no such severity")
  local format = formats[message.format] and message.format or "cisco"
  local bytes = formats[format](LOCAL0 * 8 + severity, message)
  return cut(one_line(bytes), MAX_BYTES[format])
end

local function port_of(text)
  local port = math.tointeger(tonumber(text))
  if port and text:find("^%d+$") and port >= 1 and port <= 65535 then
    return port
  end
end

--- A server as Syslog_Server names it: name, IPv4 or [IPv6], and a port.
-- @treturn[1] table host, port
-- @return[2] nil; and a sentence where the value is not blank
function syslog.target(value)
  local text = value:match("^%s*(.-)%s*$")
  if text == "" then return nil end
  local host, port = text:match("^%[([%x:.]+)%]:?(%d*)$")
  if not host then host, port = text:match("^([%w._-]+):?(%d*)$") end
  local number = port == "" and DEFAULT_PORT or port and port_of(port)
  if not host or not number or text:find(":$") then
    return nil, ("not a log server: %s"):format(one_line(text))
  end
  return { host = host, port = number }
end

--- Does a debug line of a severity pass Debug_Level?
-- @tparam string value one of the eight names, or 0 to 3
-- @treturn function severity -> boolean
function syslog.debug_level(value)
  local aliases = { ["0"] = "notice", ["1"] = "info", ["2"] = "debug",
    ["3"] = "debug" }
  local name = aliases[value] or value:lower()
  local level = SEVERITIES[name] or SEVERITIES.notice
  return function(severity)
    return level >= SEVERITIES.info and SEVERITIES[severity] <= level
  end
end

--- Who gets a line.
--   kind "message"  requests and results: both servers, each address once
--   kind "debug"    the debug server, else the syslog server
-- @treturn table list of { host, port }
function syslog.audience(syslog_server, debug_server, kind)
  local first = syslog.target(syslog_server)
  local second = syslog.target(debug_server)
  if kind == "debug" then return { second or first } end
  if first and second and first.host:lower() == second.host:lower()
    and first.port == second.port then
    second = nil
  end
  local list = {}
  list[#list + 1] = first
  list[#list + 1] = second
  return list
end

return syslog
