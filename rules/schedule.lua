-- When is the next resync?
--   in    phone.event   "boot", "success", "failure", "change" ...
--   out   { start =, periodic =, retry =, at =, reason = }; what is left out
--         is off
-- Source: MPP provisioning guide, Resync_On_Reset, Resync_Random_Delay,
-- Resync_At__HHmm_, Resync_Periodic, Resync_Error_Retry_Delay.

local function decide(phone)
  return classic.schedule(phone)
end

return { stage = "schedule", decide = decide }
