--- What makes a phone believe more than it should, for status and log.
local secret = require "peal.secret"

-- word, parameter, its weak values, and what is wrong with it. Versions below
-- TLS 1.2 are not among them: they are not spoken, whoever asks for them.
local SWITCHES <const> = {
  { "accept-all",
    "SystemSettings.Security_Certificates_AcceptAllCertificates",
    function(text) return text == "1" end,
    "any server is believed, whatever its certificate" },
  { "tls-name", "HTTPS_Name_Validate",
    function(text) return text == "No" end,
    "a certificate for any name will do" },
  { "tls-dns", "HTTPS_DNS_Check",
    function(text) return text == "No" end,
    "the address that a name was looked up as is not checked" },
  { "tls-dns", "HTTPS_DNS_Check",
    function(text) return text == "Legacy" end,
    "a certificate for another name will do, if that name has the server's "
      .. "address" },
  { "tls-weak", "TLS_Min_RSA_Bits",
    function(text) return (tonumber(text) or 2048) < 2048 end,
    "keys that short can be broken" },
}

-- A rule file of the operator may let pass what the checks refuse.
local function rule_file(phone)
  for _, one in ipairs(phone.book:status()) do
    if one.stage == "trust" and one.state ~= "factory" then
      return { word = "trust-rule", sentence = one.path
        .. " may let certificates pass that fail a check" }
    end
  end
end

-- A CA that came over the open network, or from a server that was let pass,
-- may be anybody's.
local function doubtful_ca(phone)
  local by = phone.keep:get("trust", "custom_ca_by")
  if by and phone.keep:get("trust", "custom_ca") then
    return { word = "ca-in-clear", param = "Custom_CA_Rule",
      sentence = ("the custom CA came by %s, and anybody on the way could "
        .. "put in their own"):format(by) }
  end
end

--- @treturn table list of { word, param (nil: a rule file), sentence }; empty:
--   trust is as strict as it can be
return function(phone)
  local out = {}
  for _, row in ipairs(SWITCHES) do
    local text = phone:param(row[2]) or ""
    if row[3](text) then
      out[#out + 1] = { word = row[1], param = row[2],
        sentence = ("%s is %s: %s"):format(row[2], secret.mask(text),
          row[4]) }
    end
  end
  out[#out + 1] = rule_file(phone)
  out[#out + 1] = doubtful_ca(phone)
  return out
end
