-- A server that sends NOTIFY check-sync again and again does not make a phone
-- resync more often than once in ten minutes. A person at the phone may.
--   in    phone.asked_by       "notify", "cli", "boot", "periodic" ...
--         phone.since_resync   seconds
--   out   true, or false and a reason

local REST <const> = 600

local function decide(phone)
  if phone.param.Provision_Enable ~= "Yes" then
    return false, "Provision_Enable is No"
  end
  if phone.asked_by == "notify" and phone.since_resync < REST then
    return false, ("the last resync was %d s ago: a NOTIFY waits for %d s")
      :format(math.floor(phone.since_resync), REST)
  end
  if phone.explicit then
    return true
  end
  return classic.triggers(phone)
end

return { stage = "trigger", decide = decide }
