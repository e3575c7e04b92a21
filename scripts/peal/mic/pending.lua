--- A request that a renewal service has taken and not answered yet: the same
-- octets are sent again, by the key that was made for it, also after a restart.
--   request        PKCS #10, DER
--   key            of peal.issue
--   rule           SHA-256 of the rule that names the service
--   certificate    SHA-256 of the certificate that is to be replaced
--   since          s, UTC: when it was sent first
-- The key is in the keyring, and nowhere else: a set of its own, so that the
-- certificate in use stays what it is.
-- Source: RFC 7030 section 4.2.3; how long it is kept is our choice.
local base64 = require "peal.base64"
local json = require "peal.json"
local trust = require "peal.trust"

local pending = {}

--- The set's name in the keyring.
pending.NAME = "mic-new"

-- A service that has not decided in a week will not.
local LIFE_S <const> = 7 * 86400

local LABEL <const> = "CERTIFICATE REQUEST"

local function read(ring)
  if not ring:generation(pending.NAME) then return nil end
  local about = json.decode(ring:read(pending.NAME, "about.json") or "")
  local pem = ring:read(pending.NAME, "request.pem")
  local key = ring:key(pending.NAME, "key.pem")
  if type(about) ~= "table" or not pem or not key then return nil end
  about.request = base64.decode(pem:gsub("%-%-%-%-%-[%u ]+%-%-%-%-%-", ""))
  about.key = key
  return about.request and about
end

--- Forget it.
function pending.drop(phone)
  phone.mic_pending = nil
  local ring = phone.world.keyring
  if ring:generation(pending.NAME) then ring:remove(pending.NAME) end
end

--- The request that waits, by that rule and for that certificate; or nil. One
-- of another is forgotten.
function pending.find(phone, rule, certificate)
  local one = phone.mic_pending or read(phone.world.keyring)
  if not one then return nil end
  if one.rule ~= rule or one.certificate ~= certificate then
    pending.drop(phone)
    return nil
  end
  phone.mic_pending = one
  return one
end

--- Is it too old to be sent once more?
function pending.is_over(phone, one)
  local age = phone.world.now().time - one.since
  return age > LIFE_S or age < -LIFE_S -- a clock that was set back
end

--- Keep it until its answer comes. One that cannot be written lives as long as
-- the program.
-- @treturn[1] boolean true
-- @return[2] nil, sentence, word
function pending.keep(phone, one)
  if phone.mic_pending == one then return true end
  phone.mic_pending = one
  local done, sentence, word = phone.world.keyring:install(pending.NAME, {
    ["request.pem"] = trust.pem(one.request, LABEL),
    ["about.json"] = json.encode { rule = one.rule, since = one.since,
      certificate = one.certificate } }, { ["key.pem"] = one.key })
  if not done then return nil, sentence, word end
  return true
end

return pending
