-- A server's certificate has failed a check: is it believed all the same?
--   in    phone.url, phone.host, phone.address; phone.word and phone.sentence
--         of the check; phone.certificate, phone.chain; phone.accept_all
--   out   { accept = true | false, list = true | false, reason = }
-- What is accepted here is accepted once, and said aloud each time. To accept
-- a certificate for good: peal cert accept.
-- Source: Gigaset wiki, Security, "Accept all certificates".

local function decide(phone)
  if phone.accept_all then
    return { accept = true, reason = "SystemSettings.Security_Certificates_"
      .. "AcceptAllCertificates is 1" }
  end
  return { accept = false, reason = phone.sentence }
end

return { stage = "trust", decide = decide }
