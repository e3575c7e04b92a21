-- Which image, may it be installed, when?
--   in    phone.event, phone.url (a rule that somebody asked for, or nil),
--         phone.active, phone.inactive (loads), phone.done, phone.retry_due
--   out   { action = "fetch", fetch = { url = }, load = }, { action =
--         "activate", load = } or { action = "skip", reason = };
--         or nil, a sentence, a word
-- The engine waits for idle lines before it carries out anything.
-- Source: MPP provisioning guide, Upgrade_Enable, Upgrade_Rule,
-- Downgrade_Rev_Limit.

local function skip(reason)
  return { action = "skip", reason = reason }
end

local function decide(phone)
  if phone.param.Upgrade_Enable ~= "Yes" then
    return skip("Upgrade_Enable is No")
  end
  if not phone.retry_due then
    return skip("the last attempt failed, and it is not time for the next")
  end

  local plan, why, word, detail = classic.upgrade(phone)
  if not plan or plan.action == "skip" then
    return plan, why, word, detail
  end

  if plan.load == phone.active then
    return skip(plan.load .. " runs already")
  end
  if classic.upgrade_done(phone, plan) then
    return skip("this was upgraded to before, and Upgrade_Rule is the same")
  end
  if classic.below_limit(phone, plan.load) then
    return nil, "Below revision limit", "rev-limit"
  end
  if plan.load == phone.inactive then
    plan.action = "activate"    -- it is here: nothing is fetched
  end
  return plan
end

return { stage = "upgrade", decide = decide }
