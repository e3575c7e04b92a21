-- Lines 2 and 3 never say who calls, whatever Privacy_Header_N_ is set to. The
-- other lines do as their parameter says.
--   in    phone.line      number of the line
--         phone.values    what Privacy_Header_N_ says
--   out   as classic.privacy() answers: { remove =, set =, add = }
-- A call for help hides nothing: classic.privacy() sees to that.

local ALWAYS <const> = { [2] = true, [3] = true }

-- Headers that a private call does not carry.
local POLICY <const> = {
  hides = {
    id = { "P-Asserted-Identity", "Reply-To", "Call-Info", "Organization" },
    user = { "Reply-To", "Subject", "Call-Info", "User-Agent" },
    header = { "P-Asserted-Identity", "Call-Info", "Organization" },
  },
  identity = { "P-Asserted-Identity", "Reply-To", "Organization" },
  answers = { id = true, header = true, none = true },
}

local function decide(phone)
  local wanted = phone
  if ALWAYS[phone.line] then
    wanted = setmetatable({ values = { "id" } }, { __index = phone })
  end
  return classic.privacy(wanted, POLICY)
end

return { stage = "privacy", decide = decide }
