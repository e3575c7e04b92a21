-- A new load is fetched between 1 and 5 o'clock, and by one phone in seven each
-- night: a week for all of them, and time to stop when the first come back
-- with complaints. What somebody asks for by hand is done at once.
--   in    phone.url            the rule that was asked for, or nil
--         phone.local_time     { hour =, days = (since 1970) }
--         phone.identity.MAC   "000e08abcdef"
--         phone.active, phone.retry_due
--   out   a plan, as classic.upgrade() makes it, or { action = "skip",
--         reason = }

local FROM <const>, TO <const> = 1, 5
local NIGHTS <const> = 7

local function skip(reason)
  return { action = "skip", reason = reason }
end

local function is_my_night(phone)
  local last = tonumber(phone.identity.MAC:sub(-4), 16) or 0
  return (phone.local_time.days + last) % NIGHTS == 0
end

local function decide(phone)
  local plan, sentence, word, detail = classic.upgrade(phone)
  if phone.url or not plan or plan.action == "skip" then
    return plan, sentence, word, detail
  end
  local hour = phone.local_time.hour
  if phone.param.Upgrade_Enable ~= "Yes" then
    return skip("Upgrade_Enable is No")
  elseif plan.load == phone.active then
    return skip(plan.load .. " runs already")
  elseif classic.upgrade_done(phone, plan) then
    return skip("this was upgraded to before, and Upgrade_Rule is the same")
  elseif classic.below_limit(phone, plan.load) then
    return nil, "Below revision limit", "rev-limit"
  elseif hour < FROM or hour >= TO then
    return skip("upgrades run from 1 to 5 o'clock")
  elseif not is_my_night(phone) then
    return skip("another night of the week is this phone's")
  elseif not phone.retry_due then
    return skip("the last attempt failed, and it is not time for the next")
  end
  return plan
end

return { stage = "upgrade", decide = decide }
