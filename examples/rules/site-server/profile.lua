-- Each site has a server of its own. Where it fails, the retries take turns
-- with the one at headquarters.
--   in    phone.rule          { name =, text = } of Profile_Rule to _D
--         phone.identity.IP   "10.1.0.23"
--         phone.state.PRVST   2: this is a retry after a failed resync
--         phone.failures      failed resyncs in a row
--   out   a plan, as classic.profile() makes it

-- The first that fits counts: the narrower of two networks stands above.
local SITES <const> = {
  { net = "10.1.7.", url = "https://potsdam.example.com/$MA.xml" },
  { net = "10.1.", url = "https://berlin.example.com/$MA.xml" },
  { net = "10.2.", url = "https://lisbon.example.com/$MA.xml" },
}
local HEADQUARTERS <const> = "https://hq.example.com/$MA.xml"

local function server_of(address)
  for _, site in ipairs(SITES) do
    if str.starts_with(address, site.net) then return site.url end
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
