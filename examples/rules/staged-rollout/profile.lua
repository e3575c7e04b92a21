-- A new profile goes to one phone in ten first: always the same ones, chosen
-- by their MAC address. Raise PERCENT when all is well.
--   in    phone.rule           { name =, text = } of Profile_Rule to _D
--         phone.identity.MAC   "000e08abcdef"
--   out   a plan, as classic.profile() makes it

local PERCENT <const> = 10
local NEW <const> = "https://prov.example.com/next/$MA.xml"

-- A number from 0 to 99 that belongs to a MAC address (FNV-1a, 32 bits).
local function place_of(mac)
  local hash = 2166136261
  for i = 1, #mac do
    hash = ((hash ~ mac:byte(i)) * 16777619) & 0xFFFFFFFF
  end
  return hash % 100
end

local function decide(phone)
  if phone.rule.name == "Profile_Rule"
    and place_of(phone.identity.MAC:lower()) < PERCENT
  then
    return classic.profile(phone, NEW)
  end
  return classic.profile(phone)
end

return { stage = "profile", decide = decide }
