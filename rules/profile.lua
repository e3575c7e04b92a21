-- Which profile does rule A, B, C or D fetch, if any?
--   in    phone.rule   { name = "Profile_Rule_B", text = "..." }
--   out   a plan: { action = "run", assigns =, fetch = { url =, key = ... } }
--         or { action = "skip", reason = }; or nil, a sentence, a word
-- Source: MPP provisioning guide, Profile_Rule.

local function decide(phone)
  return classic.profile(phone)
end

return { stage = "profile", decide = decide }
