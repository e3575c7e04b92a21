-- Is the phone well after a change? Keep it or undo it.
--   in    phone.registered      is the phone registered?
--         phone.was_registered  was it, before the change?
--         phone.waited          seconds since the change
--         phone.lost_for        seconds since it is not registered any more
--   out   { verdict = "keep" | "wait" | "undo", after = seconds, reason = }
-- Source: our choice; a phone of the field keeps whatever it is given.

-- So long a registration may be gone (new servers, a reboot) before a change
-- is undone, and so long it must hold before a change is trusted.
local PROBATION <const> = 300

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
  if phone.waited < PROBATION then
    return wait(phone.waited, "registered so far")
  end
  return { verdict = "keep", reason = "still registered" }
end

return { stage = "health", decide = decide }
