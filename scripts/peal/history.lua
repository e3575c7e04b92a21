--- What came of the last provisioning runs and upgrades, and why the phone
-- was started anew: the lists of the status page and the status report.
-- Source: MPP administration guide, "Download Status", "Reboot History"; the
-- form of an entry, and times in UTC like those of logs, are our choice.
local civil = require "peal.civil"
local json = require "peal.json"
local rule = require "peal.rule"
local url = require "peal.url"

local history = {}

-- Namespace and key of each list, and how many entries it has. Entries are
-- { time =, url =, cause = of a failure } and { time =, reason = }.
local LISTS <const> = {
  provisioning = { "history", "provisioning", 3 },
  upgrade = { "upgrade", "history", 3 }, -- upgrade.lua writes these
  reboot = { "history", "reboot", 5 },
}

local REASONS <const> = {
  upgrade = "Upgrade", resync_applied = "Provisioning", sip = "SIP Triggered",
  rc = "RC", user = "User Triggered", ip_changed = "IP Changed",
  local_change = "User Triggered", factory_reset = "Factory Reset",
  crash = "Software Crash", certificate = "Certificate Renewed",
}

--- Entries of a kind as they are kept, newest first.
local function entries(phone, kind)
  local text = phone.keep:get(LISTS[kind][1], LISTS[kind][2])
  local list = text and json.decode(text)
  return type(list) == "table" and list or {}
end

-- Server, port and path of a URL; of what is none, nothing that is secret.
local function place(text)
  local u = url.parse(text or "")
  if not u or not u.host then return rule.redact(text or "") end
  local host = u.host:find(":", 1, true) and "[" .. u.host .. "]" or u.host
  return ("%s://%s:%d%s"):format(u.scheme, host, u.port, u.path)
end

--- Note what has happened.
--   kind    "provisioning", "upgrade": about.url, about.ok, about.cause (text
--           of a failure, see cause.lua)
--           "reboot": about.reason ("upgrade", "sip", "user" ...)
--   about.time   s UTC; nil: now
function history.add(phone, kind, about)
  local list = entries(phone, kind)
  local entry = { time = math.floor(about.time or phone.world.now().time) }
  if kind == "reboot" then
    entry.reason = REASONS[about.reason] or about.reason
  else
    entry.url = place(about.url)
    entry.cause = not about.ok and (about.cause or "unknown") or nil
  end
  table.insert(list, 1, entry)
  for i = #list, LISTS[kind][3] + 1, -1 do list[i] = nil end
  phone.keep:set(LISTS[kind][1], LISTS[kind][2],
    json.encode(json.array(list)))
end

--- "11/22/2026 10:15:31"
function history.time(time)
  local t = civil.from_time(time)
  return ("%02d/%02d/%04d %02d:%02d:%02d"):format(t.month, t.day, t.year,
    t.hour, t.min, t.sec)
end

local function line(entry)
  local text = history.time(entry.time) .. " "
  if entry.reason then return text .. entry.reason end
  return ("%s%s %s"):format(text, place(entry.url),
    entry.cause and "Failed: " .. entry.cause or "Succeeded")
end

--- Lines of a kind, newest first.
function history.list(phone, kind)
  local out = {}
  for i, entry in ipairs(entries(phone, kind)) do out[i] = line(entry) end
  return out
end

--- The newest entry of a kind, or nil: { time, url, cause } and the like.
function history.newest(phone, kind)
  return entries(phone, kind)[1]
end

--- URL of the newest provisioning, "" where there was none.
function history.profile(phone)
  local newest = entries(phone, "provisioning")[1]
  return newest and newest.url or ""
end

--- Why the newest provisioning failed, "" after a success.
function history.failure(phone)
  local newest = entries(phone, "provisioning")[1]
  return newest and newest.cause or ""
end

return history
