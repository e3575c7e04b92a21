-- No periodic resync at the weekend: one that would come on Saturday or Sunday
-- waits until Monday, 6 o'clock. Everything else stays as it is.
--   in    phone.local_time   { wday = (1: Sunday), minute = of the day, ... }
--         phone.now          seconds since 1970
--   out   as classic.schedule() answers: { start =, periodic =, retry =, at =,
--         reason = }
-- The phones come back spread over an hour, not all at once.

local SUNDAY <const>, SATURDAY <const> = 1, 7
local DAY <const>, HOUR <const> = 86400, 3600

-- Seconds from now to the Monday after a weekend that `after` leads into;
-- nil: it leads to a working day.
local function to_monday(t, after)
  local second = t.minute * 60 + t.sec
  local days = (second + after) // DAY
  local wday = (t.wday - 1 + days) % 7 + 1
  if wday == SATURDAY then
    return (days + 2) * DAY + 6 * HOUR - second
  elseif wday == SUNDAY then
    return (days + 1) * DAY + 6 * HOUR - second
  end
end

local function decide(phone)
  local answer = classic.schedule(phone)
  local periodic = answer.periodic
  local wait = periodic and to_monday(phone.local_time, periodic.after)
  if wait then
    answer.periodic = { after = wait, spread = HOUR }
    answer.reason = "the weekend is quiet: Monday from 6 to 7"
  end
  return answer
end

return { stage = "schedule", decide = decide }
