-- Each model gets its own load, and the others none, whatever Upgrade_Rule
-- says. A rule that somebody asks for by hand counts still.
--   in    phone.identity.PN   "CP-8841-3PCC"
--         phone.active        name of the load that runs
--         phone.inactive      name of the load in the other partition, or nil
--         phone.retry_due     has the time for the next attempt come?
--   out   { action = "fetch", fetch = { url = }, load = }, { action =
--         "activate", load = } or { action = "skip", reason = }

local SERVER <const> = "https://firmware.example.com/"

local LOADS <const> = {
  ["CP-8841-3PCC"] = "sip88xx.11-3-7MPP-28",
  ["CP-8851-3PCC"] = "sip88xx.11-3-7MPP-28",
  ["CP-7841-3PCC"] = "sip78xx.11-3-7MPP-28",
}

local function skip(reason)
  return { action = "skip", reason = reason }
end

local function decide(phone)
  if phone.url then
    return classic.upgrade(phone)
  end
  local load = LOADS[phone.identity.PN]
  if phone.param.Upgrade_Enable ~= "Yes" then
    return skip("Upgrade_Enable is No")
  elseif not load then
    return skip("no load is meant for " .. phone.identity.PN)
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
