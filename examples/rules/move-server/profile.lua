-- The provisioning server moves. From a day on, each phone asks the new one;
-- where that fails, its next retry goes to the old one, so that a phone whose
-- network does not let it through yet is not lost.
--   in    phone.rule        { name =, text = } of Profile_Rule to _D
--         phone.now         seconds since 1970, UTC
--         phone.failures    failed resyncs in a row
--   out   a plan, as classic.profile() makes it
-- Passwords and keys in the rule's text stay in it: only the host is another.

local OLD <const>, NEW <const> = "prov.example.com", "prov2.example.com"
local FROM <const> = 1796083200          -- 2026-12-01 00:00 UTC

local function decide(phone)
  local is_time = phone.now >= FROM and phone.failures % 2 == 0
  if not is_time then
    return classic.profile(phone)
  end
  local plan, sentence, word, detail = classic.profile(phone)
  if plan and plan.fetch and plan.fetch.url.host == OLD then
    plan.fetch.url.host = NEW
  end
  return plan, sentence, word, detail
end

return { stage = "profile", decide = decide }
