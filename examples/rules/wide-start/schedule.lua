-- After a power cut a whole site starts at once. Its phones come to the server
-- within an hour, whatever Resync_Random_Delay says; a phone that a person has
-- restarted comes at once, and so does one that was never provisioned.
--   in    phone.event         "boot", "success", "failure", "change"
--         phone.boot_reason   "power_on", "user", "sip", "crash" ...
--         phone.ever_synced   was any resync ever successful?
--   out   as classic.schedule() answers: { start =, periodic =, retry =, ... }

local HOUR <const> = 3600

local function decide(phone)
  local answer = classic.schedule(phone)
  if phone.event ~= "boot" or not answer.start then
    return answer
  end
  if phone.boot_reason == "power_on" and phone.ever_synced then
    answer.start = { after = 0, spread = HOUR }
    answer.reason = "power is back: within an hour"
  elseif phone.boot_reason == "user" then
    answer.start = { after = 0, spread = 5 }
    answer.reason = "a person waits for it"
  end
  return answer
end

return { stage = "schedule", decide = decide }
