-- Is a certificate of the phone's own made anew now?
--   in    phone.what, phone.event, phone.enabled, phone.forced,
--         phone.not_after, phone.due, phone.pending, phone.clock, phone.stale
--   out   { renew = true | false, after = seconds until it is asked next,
--         spread = , reason = }
-- Source: MPP provisioning guide, MIC_Cert_Refresh_Enable; MiVoice Office 400
-- WebAdmin help for the host certificate; the 30 days and the wait after a
-- boot are our choice.

local DAY <const> = 86400
local BEFORE <const> = 30 * DAY   -- a service may take days to answer
local BOOT_SPREAD <const> = 300   -- phones that boot together ask one by one
local CLOCK_WAIT <const> = 3600

local function no(reason, after, spread)
  return { renew = false, reason = reason, after = after, spread = spread }
end

local function days(seconds)
  return ("%d %s"):format(seconds // DAY,
    seconds // DAY == 1 and "day" or "days")
end

local function mic(phone)
  if not phone.not_after then
    return no("the phone has no certificate of its own")
  elseif phone.forced then
    return { renew = true, reason = "somebody asks for it" }
  elseif not phone.enabled then
    return no("MIC_Cert_Refresh_Enable is No")
  elseif not phone.clock then
    return no("the clock is not set", CLOCK_WAIT)
  end

  local left = phone.not_after - phone.now
  if left > BEFORE then
    return no("the certificate is valid for " .. days(left))
  elseif phone.event == "boot" then
    return no("a moment after the boot", 0, BOOT_SPREAD)
  end

  local asked = phone.event == "change" or phone.event == "request"
  if not phone.due and (phone.pending or not asked) then
    return no(phone.pending and "the service has asked to wait"
      or "the last attempt failed, and it is not time for the next",
      phone.next_run - phone.now)
  end
  return { renew = true, reason = left < 0 and "the certificate has expired"
    or "the certificate is valid for " .. days(left) .. " only" }
end

local function host(phone)
  if phone.forced then
    return { renew = true, reason = "somebody asks for it" }
  elseif not phone.due then
    return no(phone.stale and "the address is another: regenerate manually"
      or "it is not time yet")
  elseif not phone.clock then
    return no("the clock is not set")
  end
  return { renew = true, reason = phone.stale and "the address is another"
    or "it is time for the next one" }
end

local function decide(phone)
  if phone.what == "mic" then
    return mic(phone)
  end
  if phone.what == "host" then
    return host(phone)
  end
  return no("nothing is known of such a certificate")
end

return { stage = "certificate", decide = decide }
