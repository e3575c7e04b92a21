-- Is there newer firmware for the headset, and is the user asked?
--   in    phone.headset   { model, version }
--         phone.offers    nil, or what the manifest offers
--         phone.deferred  version that the user has put off, or nil
--   out   { action = "fetch", fetch = { url = } } for the manifest,
--         { action = "offer", index = } or { action = "skip", reason = };
--         or nil, a sentence, a word
-- Source: MPP provisioning guide, Cisco_Headset_Upgrade_Rule.

local function decide(phone)
  if not phone.offers then
    return classic.headset_manifest(phone)
  end
  local index, why = classic.headset_offer(phone)
  if not index then
    return { action = "skip", reason = why }
  end
  local version = phone.offers[index].version
  if phone.deferred and not classic.headset_newer(version, phone.deferred) then
    return { action = "skip", reason = "the user has put it off" }
  end
  return { action = "offer", index = index }
end

return { stage = "headset", decide = decide }
