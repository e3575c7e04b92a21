--- Parameters of the certificate lists and of self-signed regeneration.
-- The first follow the security page of Gigaset N670 and N870 base stations,
-- the second the certificates of Mitel MiVoice Office 400.

local GIGASET <const> = "Gigaset wiki, Security"
local MITEL <const> = "MiVoice Office 400 WebAdmin help"

return {
  {
    group = "Certificate Lists", source = GIGASET,
    { name = "SystemSettings.Security_Certificates_AcceptAllCertificates",
      type = "Uns", bits = 8, default = "0", lo = 0, hi = 1 },
    { name = "Security.global.HTTPAuthUsername", type = "Str", max = 74,
      chars = true },
    { name = "Security.global.HTTPAuthPassword", type = "Str", max = 74,
      chars = true, secret = true },
  },
  {
    group = "Certificate Generation", source = MITEL,
    { name = "Cert_Regen_Days", type = "Uns", bits = 16, default = "365",
      lo = 1, hi = 3650 },
    { name = "Cert_Regen_Time", type = "Str", max = 5, default = "02:00" },
    { name = "Cert_Regen_On_IP_Change", type = "Bool", default = "No" },
  },
}
