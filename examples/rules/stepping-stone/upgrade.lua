-- Loads before 11.3.1 cannot take today's load in one step: they get the one
-- between first, and today's at the next look after it runs.
--   in    phone.active      name of the load that runs
--         phone.inactive    name of the load in the other partition, or nil
--         phone.retry_due   has the time for the next attempt come?
--   out   { action = "fetch", fetch = { url = }, load = }, { action =
--         "activate", load = } or { action = "skip", reason = }

local SERVER <const> = "https://firmware.example.com/"
local STONE <const> = "sip88xx.11-3-1MPP-234"
local TODAY <const> = "sip88xx.12-0-3MPP-10"

local function skip(reason)
  return { action = "skip", reason = reason }
end

local function next_load(active)
  local order = version.compare(active, STONE)
  if not order then return nil end
  return order < 0 and STONE or TODAY
end

local function decide(phone)
  if phone.url then
    return classic.upgrade(phone)
  end
  local load = next_load(phone.active)
  if phone.param.Upgrade_Enable ~= "Yes" then
    return skip("Upgrade_Enable is No")
  elseif not load then
    return skip(phone.active .. " is no load of this family")
  elseif load == phone.active then
    return skip(load .. " runs already")
  elseif not phone.retry_due then
    return skip("the last attempt failed, and it is not time for the next")
  elseif load == phone.inactive then
    return { action = "activate", load = load }
  end
  local plan = { action = "fetch", load = load,
    fetch = { url = SERVER .. load .. ".loads" } }
  if classic.upgrade_done(phone, plan) then
    return skip("this was upgraded to, and " .. phone.active .. " runs")
  end
  return plan
end

return { stage = "upgrade", decide = decide }
