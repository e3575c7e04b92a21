-- What of a profile's changes is accepted?
--   in    phone.changes   list of { name, type, old, new, secret, line }
--   out   nil: all of them, or
--         { refuse = { NAME = reason }, change = { NAME = value } }
-- Source: our choice; a phone of the field takes what it is given.

local function decide()
  return nil
end

return { stage = "apply", decide = decide }
