--- Who the phone says it is to an HTTP server that asks for a password.
-- In this order: the rule's own user (--uid, --pwd), the user of the
-- provisioning client, the profile account. The first one there is answers;
-- the others are not tried.
-- Source: MPP provisioning guide, Profile_Authentication_Type; Gigaset wiki,
-- Security, "Security.global.HTTPAuthUsername". The order is our choice.
local account = {}

-- The client's user does not depend on Profile_Authentication_Type, which is
-- about the profile account. It answers Basic challenges over TLS alone.
local function stored(phone)
  local user = phone:param("Security.global.HTTPAuthUsername") or ""
  if user ~= "" then
    return { user = user, no_clear_basic = true,
      password = phone:param("Security.global.HTTPAuthPassword") or "" }
  end
  if phone:param("Profile_Authentication_Type") == "Disabled" then return {} end
  return phone.account or {}
end

--- Add to a question for transport.fetch() what answers a challenge.
--   user, password   the rule's own in clear, or nil
-- @treturn table the question: user, password, no_clear_basic
function account.answer(phone, ask, user, password)
  local who = stored(phone)
  if user or password then
    who = { user = user or "", password = password or "" }
  end
  ask.user, ask.password = who.user, who.password
  ask.no_clear_basic = who.no_clear_basic
  return ask
end

return account
