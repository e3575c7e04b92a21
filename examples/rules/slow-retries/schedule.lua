-- When the server is down, phones come back more and more slowly: after about
-- 5 minutes, 10, 20, 40 ... up to 4 hours, each at a moment of its own. Else a
-- server that has just come up again is brought down by those who waited.
--   in    phone.event, phone.last   "failure" of a run
--         phone.failures            failed runs in a row
--   out   as classic.schedule() answers: { retry = { after =, spread = }, ... }

local FIRST <const>, LONGEST <const> = 300, 4 * 3600

local function decide(phone)
  local answer = classic.schedule(phone)
  local failed = phone.event == "failure" or phone.last == "failure"
  if failed and phone.failures > 0 then
    local wait = FIRST << math.min(phone.failures - 1, 16)
    wait = math.min(wait, LONGEST)
    answer.retry = { after = wait // 2, spread = wait }
    answer.reason = ("%d failed: again in %d to %d minutes"):format(
      phone.failures, wait // 120, wait * 3 // 120)
  end
  return answer
end

return { stage = "schedule", decide = decide }
