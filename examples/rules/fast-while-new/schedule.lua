-- A phone that was never provisioned asks every two minutes, so that whoever
-- unpacks it sees it come to life; from then on it is as its parameters say.
--   in    phone.ever_synced   was any resync ever successful?
--         phone.failures      failed runs in a row
--   out   as classic.schedule() answers: { retry = { after =, spread = }, ... }
-- After a day of failures it is left to Resync_Error_Retry_Delay: a phone that
-- lies in a drawer shall not ask for ever.

local EVERY <const>, TRIES <const> = 120, 720

local function decide(phone)
  local answer = classic.schedule(phone)
  local is_new = not phone.ever_synced and phone.failures > 0
  if is_new and phone.failures <= TRIES then
    answer.retry = { after = EVERY, spread = 30 }
    answer.reason = "never provisioned so far: every two minutes"
  end
  return answer
end

return { stage = "schedule", decide = decide }
