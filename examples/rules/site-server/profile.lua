-- Each site has a server of its own. Where it fails, the retries take turns
-- with the one at headquarters.
--   in    phone.rule          { name =, text = } of Profile_Rule to _D
--         phone.identity.IP   "10.1.0.23"
--         phone.state.PRVST   2: this is a retry after a failed resync
--         phone.failures      failed resyncs in a row
--   out   a plan, as classic.profile() makes it

local SITES <const> = {
  ["10.1."] = "https://berlin.example.com/$MA.xml",
  ["10.2."] = "https://lisbon.example.com/$MA.xml",
}
local HEADQUARTERS <const> = "https://hq.example.com/$MA.xml"

local function server_of(address)
  for net, url in pairs(SITES) do
    if str.starts_with(address, net) then return url end
  end
  return HEADQUARTERS
end

local function decide(phone)
  if phone.rule.name ~= "Profile_Rule" then
    return classic.profile(phone)
  end
  local is_retry = phone.state.PRVST == 2
  if is_retry and phone.failures % 2 == 1 then
    return classic.profile(phone, HEADQUARTERS)
  end
  return classic.profile(phone, server_of(phone.identity.IP))
end

return { stage = "profile", decide = decide }
