-- A change of an account (user, password, proxy of a line) that loses the
-- registration is undone after two minutes: people cannot call. Any other
-- change may take the ten minutes that a reboot of the SIP server takes.
--   in    phone.registered       true, false, nil: the phone does not say
--         phone.was_registered   was it, before the change?
--         phone.change           { names = list of parameters, ... }
--         phone.lost_for         seconds since it is not registered any more
--   out   { verdict = "keep" }, { verdict = "wait", after = seconds } or
--         { verdict = "undo", reason = }

local ACCOUNT_S <const>, OTHER_S <const> = 120, 600

local function touches_account(names)
  for _, name in ipairs(names) do
    if name:find("^User_ID_%d") or name:find("^Password_%d")
      or name:find("^Proxy_%d") or name:find("^Auth_ID_%d")
    then
      return true
    end
  end
  return false
end

local function decide(phone)
  if phone.registered == nil or not phone.was_registered then
    return { verdict = "keep", reason = "there is nothing to judge by" }
  end
  local limit = touches_account(phone.change.names) and ACCOUNT_S or OTHER_S
  if not phone.registered then
    if phone.lost_for >= limit then
      return { verdict = "undo",
        reason = ("registration lost for %d s"):format(phone.lost_for) }
    end
    return { verdict = "wait", after = math.max(1, limit - phone.lost_for) }
  end
  if phone.waited < limit then
    return { verdict = "wait", after = math.max(1, limit - phone.waited) }
  end
  return { verdict = "keep", reason = "still registered" }
end

return { stage = "health", decide = decide }
