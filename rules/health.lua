-- Is the phone well after a change? Keep it or undo it.
--   in    phone.registered      is the phone registered?
--         phone.was_registered  was it, before the change?
--         phone.resynced        has a resync worked since? nil: none was tried
--         phone.change          { names = parameters, rule =, url = }
--         phone.waited          seconds since the change
--         phone.lost_for        seconds since it is not registered any more
--   out   { verdict = "keep" | "wait" | "undo", after = seconds, resync =
--         true: try one now, reason = }
-- Source: our choice; a phone of the field keeps whatever it is given.

-- So long a registration may be gone (new servers, a reboot) before a change
-- is undone, and so long it must hold before a change is trusted.
local PROBATION <const> = 300

-- What leads the phone to its provisioning server: a mistake in one of these
-- and nobody could mend it from afar, so that a resync is tried.
local WAY_HOME <const> = { "^Profile_Rule", "^Profile_Authentication",
  "^Custom_CA_Rule$", "^TLS_", "^HTTPS_", "^Proxy_Mode$", "^Proxy_Host$",
  "^Proxy_Port$", "^Proxy_Username$", "^Proxy_Password$",
  "^Restricted_Access_Domains$", "^DHCP_Option_To_Use$", "^Primary_DNS$",
  "^Secondary_DNS$" }

local function touches_way_home(names)
  for _, name in ipairs(names) do
    for _, pattern in ipairs(WAY_HOME) do
      if name:find(pattern) then return true end
    end
  end
  return false
end

local function wait(seconds, reason)
  return { verdict = "wait", after = math.max(1, PROBATION - seconds),
    reason = reason }
end

local function decide(phone)
  if phone.registered == nil or not phone.was_registered then
    return { verdict = "keep", reason = "there is nothing to judge by" }
  end
  if not phone.registered then
    if phone.lost_for < PROBATION then
      return wait(phone.lost_for, "not registered")
    end
    return { verdict = "undo",
      reason = ("registration lost for %d s"):format(phone.lost_for) }
  end
  local way_home = touches_way_home(phone.change.names)
  if phone.waited < PROBATION then
    local answer = wait(phone.waited, "registered so far")
    answer.resync = way_home and phone.resynced == nil
    return answer
  end
  if way_home and phone.resynced == false then
    return { verdict = "undo",
      reason = ("no resync has worked for %d s"):format(phone.waited) }
  end
  return { verdict = "keep", reason = "still registered" }
end

return { stage = "health", decide = decide }
