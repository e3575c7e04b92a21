--- Why a cycle has begun, in a person's words.
local causes = {}

local TEXTS <const> = {
  boot = "the phone started (Resync_On_Reset)",
  periodic = "the periodic timer (Resync_Periodic)",
  at = "the daily time (Resync_At__HHmm_)",
  retry = "another try after a failure (Resync_Error_Retry_Delay)",
  upgrade = "an upgrade was tried (Resync_After_Upgrade_Attempt)",
  health = "a change is on probation (rules/health.lua)",
  cli = "asked for by hand (peal resync)",
  notify = "asked for by a SIP NOTIFY",
  url = "asked for by a web address (/admin/resync)",
  web = "asked for on the phone's web page",
  repl = "asked for in the REPL",
  request = "asked for",
}

--- "the periodic timer (Resync_Periodic)"
function causes.of(asked_by)
  return asked_by and (TEXTS[asked_by] or "asked for by " .. asked_by)
end

return causes
