--- What a SIP NOTIFY asks of the phone.
-- Source: MPP provisioning guide, Resync_From_SIP; feature guide, "SIP NOTIFY"
-- events; RFC 6665. Names compare in any case; `check-sync` is a resync.
local notify = {}

local function refused(sentence) return nil, sentence, "refused" end

local function rule_of(params)
  return params.profile ~= "" and params.profile or nil
end

local function resync(e, params)
  if e.phone:param("Resync_From_SIP") == "No" then
    return refused("Resync_From_SIP is No")
  end
  return e:resync { by = "notify", rule = rule_of(params), role = "admin",
    authenticated = true }
end

local TRUE <const> = { ["true"] = true, ["1"] = true, yes = true }

-- The forced restart follows the resync, however it ends.
local function check_sync(e, params)
  local reboot = TRUE[tostring(params.reboot or ""):lower()]
  if not reboot then return resync(e, params) end
  if e.phone:param("Resync_From_SIP") == "No" then
    return refused("Resync_From_SIP is No")
  end
  return e:resync { by = "notify", rule = rule_of(params), role = "admin",
    authenticated = true, reboot = "sip" }
end

local function report(e)
  if not (e.phone:param("Report_Rule") or ""):find("%S") then
    return refused("Report_Rule is empty")
  end
  return e:report { by = "notify" }
end

local function restart(cold)
  return function(e)
    e:want_reboot("sip", cold)
    e:poke()
    return true
  end
end

local EVENTS <const> = {
  resync = resync,
  ["check-sync"] = check_sync,
  report = report,
  reboot = restart(true), reboot_now = restart(true),
  restart = restart(false), restart_now = restart(false),
}

--- @tparam string event
-- @param params   profile, reboot, or nil
-- @param line     number of the line it came in on
-- @param authenticated   has the sender shown who it is?
function notify.take(e, event, params, line, authenticated)
  local handler = EVENTS[tostring(event):lower()]
  if not handler then
    return nil, "no such event", "unknown-event"
  end
  local guard = ("Auth_Resync-Reboot_%s_"):format(line or 1)
  if not authenticated and e.phone:param(guard) ~= "No" then
    return nil, guard .. " asks for a sender who is known", "unauthenticated"
  end
  if e.stopped or not e.started then
    return nil, "the engine does not run", "bad-state"
  end
  return handler(e, params or {})
end

return notify
