-- Somebody forgot to renew the certificate of the provisioning server. Phones
-- go on believing it for 14 days and say so each time; then no more, so that
-- nobody gets used to it.
--   in    phone.word ("c.expired", ...), phone.host, phone.sentence
--         phone.certificate   { not_after = seconds since 1970, ... }
--         phone.now           seconds since 1970
--   out   { accept = true | false, list = true | false, reason = }

local HOST <const> = "prov.example.com"
local DAY <const>, GRACE <const> = 86400, 14

local function decide(phone)
  if phone.word == "c.expired" and phone.host == HOST then
    local days = (phone.now - phone.certificate.not_after) // DAY
    if days < GRACE then
      return { accept = true, list = true,
        reason = ("expired for %d of %d days of grace"):format(days, GRACE) }
    end
  end
  return { accept = false, reason = phone.sentence }
end

return { stage = "trust", decide = decide }
