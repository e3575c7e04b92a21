-- What people have chosen for themselves stays theirs: a profile may set ring
-- tone, background and volume on a new phone, and not take them away later.
--   in    phone.changes   list of { name, type, old, new, secret, line }
--   out   nil: all of them, or { refuse = { NAME = reason } }

local PERSONAL <const> = { "^Default_Ring", "^Ringer_Volume", "^Speaker_Volume",
  "^Handset_Volume", "^Headset_Volume", "^Phone_Background", "^Screen_Saver" }

local function is_personal(name)
  for _, pattern in ipairs(PERSONAL) do
    if name:find(pattern) then return true end
  end
  return false
end

local function decide(phone)
  local refuse = {}
  for _, change in ipairs(phone.changes) do
    if is_personal(change.name) and change.old ~= "" then
      refuse[change.name] = "the person at the phone has chosen it"
    end
  end
  return { refuse = refuse }
end

return { stage = "apply", decide = decide }
