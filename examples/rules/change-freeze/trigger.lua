-- In the days around the turn of the year nothing is provisioned: nobody is
-- there to mend it. Who asks for a resync by hand gets it.
--   in    phone.explicit     did somebody ask?
--         phone.local_time   { month =, day =, ... }
--   out   true, or false and a reason

local FIRST <const>, LAST <const> = 1220, 106     -- 20 December to 6 January

local function decide(phone)
  if phone.param.Provision_Enable ~= "Yes" then
    return false, "Provision_Enable is No"
  end
  if phone.explicit then
    return true
  end
  local today = phone.local_time.month * 100 + phone.local_time.day
  if today >= FIRST or today <= LAST then
    return false, "nothing is changed from 20 December to 6 January"
  end
  return classic.triggers(phone)
end

return { stage = "trigger", decide = decide }
