-- The phone's own certificate is renewed 60 days before its end, in the week
-- that its MAC address says: the service sees a few phones each day, not all of
-- a delivery on the day on which they were made.
--   in    phone.what ("mic": the phone's own), phone.event, phone.forced
--         phone.not_after, phone.due, phone.pending, phone.clock, phone.enabled
--   out   { renew = true | false, after = seconds until it is asked next,
--         spread =, reason = }
-- Host certificates for terminals are made when they are due, as ever.

local DAY <const> = 86400
local BEFORE <const>, WINDOW <const> = 60, 28     -- days

local function no(reason, after)
  return { renew = false, reason = reason, after = after, spread = 3600 }
end

local function own_day(mac)
  return (tonumber(mac:sub(-4), 16) or 0) % WINDOW
end

local function decide(phone)
  if phone.forced then
    return { renew = true, reason = "somebody asks for it" }
  elseif not phone.clock then
    return no("the clock is not set", 3600)
  elseif phone.what ~= "mic" then
    return { renew = phone.due, reason = phone.due and "it is time" or nil }
  elseif not phone.enabled or not phone.not_after then
    return no("there is nothing to renew")
  end
  local days = (phone.not_after - phone.now) // DAY
  if days > BEFORE - own_day(phone.identity.MAC) then
    return no(("the certificate is valid for %d days"):format(days))
  elseif not phone.due then
    return no("the service has asked to wait",
      math.max(1, phone.next_run - phone.now))
  end
  return { renew = true, reason = ("%d days are left"):format(days) }
end

return { stage = "certificate", decide = decide }
