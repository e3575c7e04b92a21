-- Timed resyncs run at night only; who asks for one by hand gets it at once.
--   in    phone.explicit     did somebody ask?
--         phone.local_time   { minute = of the day, ... }
--   out   true, or false and a reason
-- A resync that comes due by day waits: it is asked again until it is night.

local FROM <const>, TO <const> = 22 * 60, 5 * 60        -- 22:00 to 05:00

local function decide(phone)
  if phone.param.Provision_Enable ~= "Yes" then
    return false, "Provision_Enable is No"
  end
  if phone.explicit then
    return true
  end
  local minute = phone.local_time.minute
  if minute >= TO and minute < FROM then
    return false, "timed resyncs run from 22:00 to 05:00"
  end
  return classic.triggers(phone)
end

return { stage = "trigger", decide = decide }
