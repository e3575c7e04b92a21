-- New firmware for headsets is offered in the evening only: it takes ten
-- minutes, and by day the person wants to make a call. At a call centre's
-- desks (10.8.) nobody is asked at all; their headsets are updated by hand.
--   in    phone.headset       { model =, version = }
--         phone.offers        nil: ask for the manifest; or what it offers
--         phone.deferred      version that the user has put off, or nil
--         phone.local_time    { hour = }
--   out   { action = "fetch", fetch = { url = } }, { action = "offer", index =
--         } or { action = "skip", reason = }

local FROM <const>, CALL_CENTRE <const> = 17, "10.8."

local function skip(reason)
  return { action = "skip", reason = reason }
end

local function decide(phone)
  if str.starts_with(phone.identity.IP, CALL_CENTRE) then
    return skip("headsets of the call centre are updated by hand")
  elseif phone.local_time.hour < FROM then
    return skip("headsets are updated from 17:00 on")
  elseif not phone.offers then
    return classic.headset_manifest(phone)
  end
  local index, why = classic.headset_offer(phone)
  if not index then
    return skip(why)
  end
  local offered = phone.offers[index].version
  if phone.deferred and not classic.headset_newer(offered, phone.deferred) then
    return skip("the user has put it off")
  end
  return { action = "offer", index = index }
end

return { stage = "headset", decide = decide }
