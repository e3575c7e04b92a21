-- No profile may lock us out: what switches provisioning or the admin's own
-- access off stays as it is, whoever says so.
--   in    phone.changes   list of { name, type, old, new, secret, line }
--   out   nil: all of them, or { refuse = { NAME = reason } }

local DANGEROUS <const> = {
  Provision_Enable = { No = "the phone would never be provisioned again" },
  Enable_Web_Server = { No = "the phone could not be reached any more" },
  Resync_Periodic = { ["0"] = "the phone would wait for ever" },
}

local function decide(phone)
  local refuse = {}
  for _, change in ipairs(phone.changes) do
    local values = DANGEROUS[change.name]
    refuse[change.name] = values and values[change.new]
  end
  return { refuse = refuse }
end

return { stage = "apply", decide = decide }
