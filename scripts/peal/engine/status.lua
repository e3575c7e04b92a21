--- How an engine stands: what happens next, when, and why not now.
local certificates = require "peal.engine.certificates"
local device = require "peal.device"
local say = require "peal.engine.say"
local timers = require "peal.engine.timers"

local status = {}

-- What a timer is for.
local WHAT <const> = { start = "resync", periodic = "resync", at = "resync",
  retry = "resync", gate = "trigger", force = "resync", upgrade = "upgrade",
  report = "report", health = "health", mic = "renewal",
  host = "certificates" }

local WHY <const> = {
  start = "the random delay after a start",
  periodic = "Resync_Periodic", at = "Resync_At__HHmm_",
  retry = "Resync_Error_Retry_Delay", gate = "the triggers are asked again",
  force = "the longest wait for idle lines", health = "is the phone well?",
  upgrade = "Upgrade_Error_Retry_Delay", report = "Report_To_Server",
  mic = "MIC_Cert_Refresh_Enable", host = "Cert_Regen_Days",
}

local function next_of(e)
  local now, list = e.world.now(), {}
  for name, due in pairs(e.timers.armed) do
    if WHAT[name] then
      local left = timers.left(due, now)
      list[#list + 1] = { what = WHAT[name], cause = name,
        at = math.floor(now.time + left), in_s = math.floor(left),
        earliest = due.earliest and math.floor(due.earliest),
        latest = due.latest and math.floor(due.latest), why = WHY[name] }
    end
  end
  if e.reboot then
    list[#list + 1] = { what = "reboot", cause = e.reboot.reason,
      at = math.floor(now.time), in_s = 0, why = "once all lines are idle" }
  end
  table.sort(list, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    return a.cause < b.cause
  end)
  return list
end

local function at(e, name)
  local due, now = e.timers:get(name), e.world.now()
  return due and say.time(now.time + timers.left(due, now))
end

local SENTENCES <const> = {
  OFF = function(e)
    return e.phone:param "Provision_Enable" == "No"
      and "Provision_Enable is No" or "not started"
  end,
  RUN = function(e)
    if not e.running then -- what follows a resync
      return (e.activity or "the end of a resync") .. " under way"
    end
    return ("a resync (%s) runs since %s"):format(e.running.asked_by,
      say.time(e.running.since))
  end,
  REBOOT_WAIT = function()
    return "a reboot waits until all lines are idle"
  end,
  RANDOM_WAIT = function(e)
    return "the random delay after the start ends at " .. at(e, "start")
  end,
  GATED = function(e)
    return ("waiting for the trigger: %s; asked again at %s"):format(
      e.pending.why, at(e, "gate"))
  end,
  DEFERRED = function(e)
    local latest = at(e, "force")
    return latest and "line busy, at the latest at " .. latest or "line busy"
  end,
}

local function idle_sentence(e, list)
  if e.activity then return e.activity .. " under way" end
  for _, one in ipairs(list) do
    if one.what == "resync" then
      return ("next: %s at %s"):format(one.cause, say.time(one.at))
    end
  end
  return e.said.clock or "no resync is scheduled"
end

--- One sentence: why does no resync run now?
function status.why_not_now(e, list)
  if e.stopped and not e.running then return "the engine has stopped" end
  local sentence = SENTENCES[e.state]
  return sentence and sentence(e) or idle_sentence(e, list)
end

local function copy(t)
  if not t then return nil end
  local out = {}
  for key, value in pairs(t) do out[key] = value end
  return out
end

--- Plain data; see engine.lua.
function status.of(e)
  local phone = e.phone
  local list = next_of(e)
  return {
    state = e.state, since = math.floor(e.since),
    phone = { PN = phone.identity.PN, MAC = phone.identity.MAC,
      SWVER = phone.identity.SWVER },
    cycle = phone.keep:number("engine", "cycle") or 0,
    revision = e.world.store:revision(),
    last = copy(e.last), last_success = e.last_success,
    running = copy(e.running), queued = e.queue:waiting(),
    held = e.state == "GATED" and copy(phone.held) or nil,
    next = list, why_not_now = status.why_not_now(e, list),
    lines_active = device.lines_active(e.world.device),
    upgrade = copy(e.seen.upgrade), health = copy(e.seen.health),
    rules = phone.book:status(), trust = certificates.status(e),
  }
end

return status
