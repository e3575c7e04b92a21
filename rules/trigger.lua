-- May a resync that is due start now?
--   in    phone   read-only view; durations in seconds
--   out   true | false, reason
-- Source: MPP provisioning guide, Provision_Enable, Resync_Trigger_1 and _2.

local function decide(phone)
  if phone.param.Provision_Enable ~= "Yes" then
    return false, "Provision_Enable is No"
  end
  if phone.explicit then
    return true                 -- a direct request skips the triggers
  end
  return classic.triggers(phone)
end

return { stage = "trigger", decide = decide }
