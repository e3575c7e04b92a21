-- A remote site has slow lines and nobody to drive there: its phones have half
-- an hour to register after a change, the others five minutes. Who has not by
-- then gets the old configuration back.
--   in    phone.identity.IP      "10.9.0.23"
--         phone.registered       true, false, nil: the phone does not say
--         phone.was_registered   was it, before the change?
--         phone.waited           seconds since the change
--   out   { verdict = "keep" }, { verdict = "wait", after = seconds } or
--         { verdict = "undo", reason = }

local REMOTE <const> = { "10.9.", "172.16." }
local NEAR_S <const>, REMOTE_S <const> = 300, 1800

local function is_remote(address)
  for _, net in ipairs(REMOTE) do
    if str.starts_with(address, net) then return true end
  end
  return false
end

local function decide(phone)
  if phone.registered ~= false or not phone.was_registered then
    return { verdict = "keep" }   -- well, or nothing to judge by
  end
  local limit = is_remote(phone.identity.IP) and REMOTE_S or NEAR_S
  if phone.waited < limit then
    return { verdict = "wait", after = limit - phone.waited }
  end
  return { verdict = "undo",
    reason = ("not registered %d s after the change"):format(limit) }
end

return { stage = "health", decide = decide }
