-- The inventory gets the full configuration of each phone once a week, at a
-- moment of the phone's own, and what a person has changed ten minutes later.
-- A report at each boot would be a storm after a power cut.
--   in    phone.event       "boot", "change", "timer", "request", "mode"
--         phone.timer_for   timer: the event whose answer had `again`
--   out   { send = reports, again = { after =, spread = }, reason = }

local WEEK <const>, SETTLE <const> = 7 * 86400, 600

local function later(reason)
  return { again = { after = WEEK // 2, spread = WEEK }, reason = reason }
end

local function decide(phone)
  if phone.event == "change" then
    return { again = { after = SETTLE }, reason = "a person changes things" }
  elseif phone.event == "boot" or phone.event == "mode" then
    return later("once a week, not at each boot")
  end
  local answer, sentence, word = classic.reports(phone)
  if not answer then
    return nil, sentence, word
  end
  answer.again = later().again
  return answer
end

return { stage = "report", decide = decide }
