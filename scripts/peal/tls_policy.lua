--- How strict a TLS connection of a phone is: what request.tls holds.
-- Whom it believes, who it says it is, and how much the parameters let pass.
--
-- Believed are the factory's anchors less those that an administrator removed,
-- the bundle of Custom_CA_Rule, and what the certificate lists hold. All that
-- is dear to make is kept on the phone (phone.tls) until what it was made of
-- changes.
-- Source: MPP administration guide, "HTTPS provisioning",
-- TLS_Client_Min_Version, TLS_Cipher_List; Gigaset wiki, Security; HTTPS_* and
-- TLS_Min_RSA_Bits are our choice.
local certificates = require "peal.certificates"
local device = require "peal.device"
local trust = require "peal.trust"

local tls_policy = {}

local MIN_RSA_BITS <const> = 2048

-- State that a policy is made of.
local NS <const> = "trust"
local KEYS <const> = { "custom_ca", "list", "removed" }

--- Something that a policy is made of has changed: an installed CA, the
-- lists, the phone's own certificate.
function tls_policy.changed(phone)
  phone:trust_changed()
end

-- Once for a boot of the phone.
local function once(phone, key)
  phone.said_of_trust = phone.said_of_trust or {}
  if phone.said_of_trust[key] then return false end
  phone.said_of_trust[key] = true
  return true
end

-- --- what is prepared ------------------------------------------------------

-- What fails only for lack of memory ends as a lack of Lua's own does.
local function need(made)
  if not made then error("not enough memory", 0) end
  return made
end

--- A set of fingerprints (SHA-256, hex); nil of none.
function tls_policy.set(list)
  return list[1] and need(trust.set(list)) or nil
end

-- The factory's anchors with what came later. A bundle that was installed can
-- be read; if it cannot, the phone does without it, and says so.
local function anchors_of(phone, believed, problems)
  local base = (phone.world.trust or {}).anchors
  local custom = phone.keep:get(NS, "custom_ca")
  if not custom and not believed.anchors[1] then return base end
  local anchors = need(trust.anchors(base))
  local function add(what, pem, flags)
    local ok, sentence = anchors:add(pem, flags)
    if not ok then problems[#problems + 1] = what .. ": " .. sentence end
  end
  if custom then add("Custom CA", custom, "private") end
  for _, one in ipairs(believed.anchors) do
    add("certificate list", one.pem, one.dateless and "dateless" or nil)
  end
  return anchors
end

local function sources_of(phone)
  local texts = {}
  for i, key in ipairs(KEYS) do texts[i] = phone.keep:get(NS, key) or "" end
  return table.concat(texts, "\0")
end

-- Of a phone that has nothing of its own, little is kept: there are many.
local function prepare(phone)
  local believed, problems = certificates.believed(phone), {}
  local kept = { revision = phone.world.store:revision(),
    sources = sources_of(phone) }
  kept.anchors = anchors_of(phone, believed, problems)
  kept.problems = problems[1] and problems
  kept.pinned = tls_policy.set(believed.pinned)
  kept.rejected = tls_policy.set(believed.rejected)
  kept.removed = tls_policy.set(believed.removed)
  kept.expires = believed.expires
  return kept
end

-- What this phone's policies share. State moves with the store's revisions,
-- which somebody may revert.
local function prepared(phone)
  local revision, now = phone.world.store:revision(), phone.world.now()
  local kept = phone.tls
  if kept and kept.revision ~= revision then
    if kept.sources ~= sources_of(phone) then phone:trust_changed() end
    kept.revision = revision
  end
  if kept and kept.expires and kept.expires < now.time then
    certificates.sweep(phone)
  end
  phone.tls = phone.tls or prepare(phone)
  return phone.tls
end

-- --- who the phone is ------------------------------------------------------

-- A key in a secure element: the device signs.
local function device_identity(world)
  local d = world.device
  if not d.certificate or not d.sign then return nil end
  local pem = type(d.certificate) == "function" and d.certificate()
    or d.certificate
  return world.issue.signer(pem, d.sign)
end

-- The one that was renewed last, and what is wrong with it: it may not be
-- readable, or damaged and the one before it here.
local function renewed_identity(world)
  local ring = world.keyring
  if type(ring) == "function" then ring = ring() end
  if not ring then return nil end
  local found, sentence, word = ring:identity("mic")
  if word == "not-found" then sentence = nil end
  return found, sentence
end

local function load_identity(phone)
  local world = phone.world
  local found, problem = renewed_identity(world)
  found = found or (world.trust or {}).identity
  if found then return found, problem end
  local sentence
  found, sentence = device_identity(world)
  return found or false, problem or sentence
end

--- The phone's own certificate and key: renewed, the maker's files, or what
-- the device signs with.
-- @treturn[1] userdata see peal.trust; nil: the phone has none
-- @treturn[1] string what is wrong with the one it should have; or nil
function tls_policy.identity(phone)
  local kept = prepared(phone)
  if kept.identity == nil then
    kept.identity, kept.identity_problem = load_identity(phone)
  end
  return kept.identity or nil, kept.identity_problem
end

-- Servers may still take one that has expired: a renewal needs it.
local function own_identity(phone, warn)
  local identity, problem = tls_policy.identity(phone)
  if problem and once(phone, "identity") then
    warn("bad-key", "the phone's own certificate: " .. problem)
  end
  if not identity or not identity.facts then return identity end
  if once(phone, "mic") then
    local facts, now = identity:facts(), phone.world.now()
    if facts.to < now.time and now.trusted then
      warn("mic-expired", "the phone's own certificate has expired "
        .. facts.not_after)
    end
  end
  return identity
end

-- --- what the parameters say -----------------------------------------------

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
      warn("tls-version", "TLS_Client_Min_Version and TLS_Min_Version are "
        .. "both set: the first one counts")
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

local function ciphers_of(phone, warn)
  local text = phone:param("TLS_Cipher_List") or ""
  if not text:find("%S") then return nil end
  local kept = prepared(phone)
  kept.ciphers = kept.ciphers or {}
  local known = kept.ciphers
  if known.text ~= text then
    known.text, known.list, known.notes = text, trust.ciphers(text)
  end
  if once(phone, "ciphers " .. text) then
    for _, note in ipairs(known.notes or {}) do
      warn("tls-ciphers", "TLS_Cipher_List: " .. note)
    end
  end
  return known.list
end

--- What is wrong with TLS_Cipher_List: one text, or nil.
function tls_policy.cipher_problem(phone)
  local text = phone:param("TLS_Cipher_List") or ""
  if not text:find("%S") then return nil end
  local _, notes = trust.ciphers(text)
  return notes and notes[1] and table.concat(notes, "; ") or nil
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
  if not now.trusted and once(phone, "clock") then
    warn("clock", "the clock is not set: certificates may seem valid that "
      .. "have expired")
  end
  return math.floor(now.time)
end

--- What request.tls is for the next connection.
-- @treturn table anchors, identity, rejected, pinned, removed, ciphers,
--   min_version, check_name, cn_fallback, min_rsa_bits, now; the caller's own
function tls_policy.policy(phone, trace)
  local function warn(word, text) trace:note(word, nil, text) end
  local kept = prepared(phone)
  for _, text in ipairs(kept.problems or {}) do warn("bad-anchors", text) end
  return {
    anchors = kept.anchors,
    rejected = kept.rejected, pinned = kept.pinned, removed = kept.removed,
    identity = own_identity(phone, warn),
    ciphers = ciphers_of(phone, warn),
    min_version = version_of(phone, warn),
    check_name = check_name(phone, warn),
    cn_fallback = phone:param("HTTPS_CN_Fallback") ~= "No",
    min_rsa_bits = min_rsa_bits(phone, warn),
    now = time_of(phone, warn),
  }
end

-- --- sessions --------------------------------------------------------------

--- Take up TLS sessions that an earlier run of the program has kept. Once for
-- a boot; what the device cannot open is of another phone, or damaged.
function tls_policy.restore_sessions(phone)
  local world = phone.world
  if not world.resume or not device.has_seal(world.device)
    or not once(phone, "sessions") then
    return
  end
  local sealed = phone.keep:get("tls", "sessions")
  local bytes = sealed and device.unseal(world.device, sealed)
  if bytes then world.resume(bytes) end
end

--- Keep TLS sessions for the next run of the program: sealed by the device,
-- or not at all.
function tls_policy.save_sessions(phone)
  local world = phone.world
  if not world.sessions or not device.has_seal(world.device) then return end
  local bytes = world.sessions()
  if bytes == phone.saved_sessions then return end
  phone.saved_sessions = bytes
  local sealed = bytes and bytes ~= "" and device.seal(world.device, bytes)
  phone.keep:set("tls", "sessions", sealed or nil)
end

--- What makes the phone believe more than it should; see
-- tls_policy/weaknesses.lua.
function tls_policy.weaknesses(phone)
  return require("peal.tls_policy.weaknesses")(phone)
end

return tls_policy
