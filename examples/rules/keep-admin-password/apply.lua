-- Keep the admin password that this site has set by hand: whatever a profile
-- says, it stays.
--   in    phone.changes   list of { name, type, old, new, secret, line }
--   out   nil: all of them, or { refuse = { NAME = reason } }

local function decide(phone)
  for _, change in ipairs(phone.changes) do
    if change.name == "Admin_Password" then
      return { refuse = { Admin_Password = "set by hand on this site" } }
    end
  end
  return nil
end

return { stage = "apply", decide = decide }
