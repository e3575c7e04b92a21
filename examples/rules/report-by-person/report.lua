-- The server is told when a person has changed something on the phone, and
-- when it asks; not at each boot, nor by the clock.
--   in    phone.event   "change": the first local change that no report told;
--                       "timer": five minutes later; "request"; "boot" ...
--   out   { send = reports, again = { after = seconds }, reason = }
-- Who changes one thing changes another soon after: both go in one report.

local SETTLE <const> = 300

local function decide(phone)
  if phone.event == "change" then
    return { again = { after = SETTLE }, reason = "a person changes things" }
  end
  local is_due = phone.event == "request"
    or phone.event == "timer" and phone.timer_for == "change"
  if not is_due then
    return { reason = "nobody has changed anything" }
  end
  return classic.reports(phone)
end

return { stage = "report", decide = decide }
