-- In the days around the turn of the year nothing is provisioned: nobody is
-- there to mend it. Who asks for a resync by hand gets it; and so does a phone
-- whose clock is not set: it starts on a 1 January, and would wait for days.
--   in    phone.explicit     did somebody ask?
--         phone.local_time   { year =, month =, day =, ... }
--   out   true, or false and a reason

local CLOCK_SET <const> = 2020                    -- no earlier year is believed
local FIRST <const>, LAST <const> = 1220, 106     -- 20 December to 6 January

local function decide(phone)
  if phone.param.Provision_Enable ~= "Yes" then
    return false, "Provision_Enable is No"
  end
  if phone.explicit then
    return true
  end
  if phone.local_time.year < CLOCK_SET then
    return classic.triggers(phone)
  end
  local today = phone.local_time.month * 100 + phone.local_time.day
  if today >= FIRST or today <= LAST then
    return false, "nothing is changed from 20 December to 6 January"
  end
  return classic.triggers(phone)
end

return { stage = "trigger", decide = decide }
