--- How strict a TLS connection of a phone is: what request.tls holds.
-- Whom it believes, who it says it is, and how much the parameters let pass.
-- What is dear to make is kept on the phone (phone.tls) until changed().
-- Source: MPP administration guide, "HTTPS provisioning",
-- TLS_Client_Min_Version, TLS_Cipher_List; HTTPS_* and TLS_Min_RSA_Bits are
-- our choice.
local tls_policy = {}

local MIN_RSA_BITS <const> = 2048

--- Something that a policy is made of has changed: an installed CA, the
-- lists, the phone's own certificate.
function tls_policy.changed(phone)
  phone.tls = nil
  local forget = phone.world.forget_sessions
  if forget then forget() end
end

--- The phone's own certificate and key; nil: it has none.
function tls_policy.identity(phone)
  local trust = phone.world.trust or {}
  return trust.identity
end

local function is_set(phone, name)
  if phone.overrides[name] ~= nil then return true end
  local about = phone.world.store:value(name)
  return about ~= nil and not about.is_default
end

-- The oldest version to speak, as the parameters spell it. The old name counts
-- while nobody has set the new one.
local function version_of(phone, warn)
  local version = phone:param("TLS_Client_Min_Version") or ""
  local old_name = phone:param("TLS_Min_Version") or ""
  if old_name ~= "" then
    if not is_set(phone, "TLS_Client_Min_Version") then
      version = old_name
    else
      warn("tls-version", "TLS_Client_Min_Version and TLS_Min_Version are both "
        .. "set: the first one counts")
    end
  end
  if version == "TLS 1.0" or version == "TLS 1.1" then
    warn("tls-version", version .. " is not spoken any more: TLS 1.2 it is")
  end
  if phone:yes("Enable_SSLv3") then
    warn("tls-version", "Enable_SSLv3 is Yes: SSL 3.0 is not spoken any more")
  end
  return version == "TLS 1.3" and "1.3" or "1.2"
end

local function min_rsa_bits(phone, warn)
  local bits = math.tointeger(tonumber(phone:param("TLS_Min_RSA_Bits")))
    or MIN_RSA_BITS
  if bits < MIN_RSA_BITS then
    warn("tls-weak", ("TLS_Min_RSA_Bits is %d: keys that short can be broken")
      :format(bits))
  end
  return bits
end

local function check_name(phone, warn)
  if phone:param("HTTPS_Name_Validate") ~= "No" then return true end
  warn("tls-name", "HTTPS_Name_Validate is No: a certificate for any name "
    .. "will do")
  return false
end

-- A world whose clock is not set judges dates by a time that cannot be too
-- late: never not at all.
local function time_of(phone, warn)
  local now = phone.world.now()
  if not now.trusted then
    warn("clock", "the clock is not set: certificates may seem valid that "
      .. "have expired")
  end
  return math.floor(now.time)
end

--- What request.tls is for the next connection.
-- @treturn table anchors, identity, min_version, check_name, cn_fallback,
--   min_rsa_bits, now; the caller's own
function tls_policy.policy(phone, trace)
  local trust = phone.world.trust or {}
  local function warn(word, text) trace:note(word, nil, text) end
  return {
    anchors = trust.anchors,
    identity = tls_policy.identity(phone),
    min_version = version_of(phone, warn),
    check_name = check_name(phone, warn),
    cn_fallback = phone:param("HTTPS_CN_Fallback") ~= "No",
    min_rsa_bits = min_rsa_bits(phone, warn),
    now = time_of(phone, warn),
  }
end

return tls_policy
