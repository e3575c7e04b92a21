--- When the next resync is, by the parameters of a phone. A pure function of
-- a view.
-- Source: MPP provisioning guide, Resync_On_Reset, Resync_Random_Delay,
-- Resync_At__HHmm_, Resync_At_Random_Delay, Resync_Periodic,
-- Resync_Error_Retry_Delay, Forced_Resync_Delay.
local schedule = require "peal.schedule"

-- Unit of Resync_Random_Delay, s.
local UNIT_S <const> = 20
-- Between two looks at the triggers of a resync that they hold back, s.
local POLL_S <const> = 10
-- Shortest window behind Resync_At__HHmm_, s.
local WINDOW_S <const> = 600
local FORCED_S <const> = 14400

-- Boots that Resync_On_Reset speaks of. A reboot that a resync asked for is
-- none of them, or the two would follow each other for ever.
local RESETS <const> = { power_on = true, user = true, sip = true, rc = true,
  ip_changed = true, crash = true, local_change = true }

local function number(phone, name, default)
  return math.tointeger(tonumber(phone.param[name] or "")) or default
end

local function least(lo) return lo end
local function most(_, hi) return hi end

-- The n-th delay of a schedule, or nil: off, or stopped.
local function delay(phone, name, index)
  local parsed = schedule.parse(phone.param[name] or "")
  local after = parsed and schedule.delay(parsed, index, least)
  if not after then return nil end
  return { after = after,
    spread = schedule.delay(parsed, index, most) - after }
end

-- Does this boot ask for a resync? true, or false and why not.
local function boots(phone)
  local reason = phone.boot_reason
  if reason == "upgrade" then
    return phone.param.Resync_After_Upgrade_Attempt == "Yes",
      "Resync_After_Upgrade_Attempt is No"
  elseif not RESETS[reason] then
    return false, "the last resync asked for this reboot"
  end
  return phone.param.Resync_On_Reset == "Yes", "Resync_On_Reset is No"
end

-- Minute of the day; nil for a text that is no time of day.
local function minute_of(text)
  local h, m = (text or ""):match("^(%d%d)(%d%d)$")
  local minutes = h and tonumber(h) * 60 + tonumber(m)
  if not minutes or tonumber(m) > 59 or minutes > 1440 then return nil end
  return minutes % 1440
end

-- Rounded to the nearest minute, as the guide has it.
local function window(v)
  if v < WINDOW_S then return WINDOW_S end
  return (v + 30) // 60 * 60
end

local function daily(phone)
  local minute = minute_of(phone.param.Resync_At__HHmm_)
  return minute and { minute = minute,
    spread = window(number(phone, "Resync_At_Random_Delay", WINDOW_S)) }
end

-- Periodic resyncs run once a resync was successful, be it before this boot:
-- a phone that was rebooted by a resync goes on. (Our choice.)
local function periodic(phone)
  if not phone.ever_synced then return nil end
  return delay(phone, "Resync_Periodic", phone.periods + 1)
end

local function seconds(d)
  if d.spread == 0 then return ("%d s"):format(d.after) end
  return ("%d to %d s"):format(d.after, d.after + d.spread)
end

local function explain(phone, out)
  local parts = {}
  local function say(text, ...) parts[#parts + 1] = text:format(...) end
  if out.why then say("%s", out.why) end
  if out.at then say("Resync_At__HHmm_ %s", phone.param.Resync_At__HHmm_) end
  if out.periodic then say("Resync_Periodic, %s", seconds(out.periodic)) end
  if out.retry then
    say("Resync_Error_Retry_Delay, %s (%d failed)", seconds(out.retry),
      phone.failures)
  end
  if #parts == 0 then say("nothing is scheduled") end
  return table.concat(parts, "; ")
end

--- The answer of rules/schedule.lua.
return function(phone)
  local out = { forced = number(phone, "Forced_Resync_Delay", FORCED_S),
    poll = POLL_S }
  if phone.event == "boot" then
    local starts, why = boots(phone)
    if starts then
      out.start = { after = 0,
        spread = number(phone, "Resync_Random_Delay", 2) * UNIT_S }
    end
    out.why = starts and "boot: " .. phone.boot_reason or why
  end
  out.at = daily(phone)
  if phone.failures > 0 and not out.start then
    out.retry = delay(phone, "Resync_Error_Retry_Delay", phone.failures)
  end
  if not out.at and not out.retry and not out.start then
    out.periodic = periodic(phone)
  end
  out.reason, out.why = explain(phone, out), nil
  return out
end
