--- Who renews the phone's own certificate: what MIC_Cert_Refresh_Rule names.
--   https://host[:port][/label]   EST (RFC 7030)
--   http://...                    the lab's exchange: the request posted as
--                                 PEM, the certificate comes back as PEM. On
--                                 simulated phones only: whoever is on the way
--                                 could put in another answer
--   http://sudirenewal.cisco.com/ the default. Its protocol is not public, and
--                                 it is never asked
-- A device may have a function `renew` that speaks to its maker's service; it
-- goes before all of them.
--
-- A service is { issuers = function(run), enroll = function(run, request) }:
--   issuers(run)           certificates that may help to build the new chain,
--                          unchecked | nil, failure
--   enroll(run, request)   list of certificates, the new one among them, as
--                          trust.parse() gives them | nil, nil, seconds: to be
--                          asked again | nil, failure
-- Source: MPP provisioning guide, MIC_Cert_Refresh_Rule; the forms are our
-- choice.
local est = require "peal.est"
local retrieve = require "peal.retrieve"
local trust = require "peal.trust"
local url = require "peal.url"

local service = {}

local DEFAULT_HOST <const> = "sudirenewal.cisco.com"

local function failed_of(sentence, word)
  return nil, retrieve.failure(sentence, word, nil, sentence)
end

local function no_issuers() return {} end

local function of_est(u)
  local at, failed = est.service(u)
  if not at then return nil, failed end
  return {
    issuers = function(run) return est.cacerts(run, at, u) end,
    enroll = function(run, request)
      return est.reenroll(run, at, u, request)
    end,
  }
end

local function parsed(answer, whose)
  local list, sentence = trust.parse(answer)
  if list then return list end
  return failed_of(("%s: %s"):format(whose, sentence), "corrupt")
end

local function of_lab(u)
  local function enroll(run, request)
    local answer, failed = retrieve.exchange(run, u, { method = "POST",
      user = u.user, password = u.password, max = est.max,
      content_type = "application/pkcs10",
      body = trust.pem(request, "CERTIFICATE REQUEST") })
    if not answer then return nil, failed end
    return parsed(answer.body or "", "the lab's answer")
  end
  return { issuers = no_issuers, enroll = enroll }
end

local function of_device(device, text, old)
  local function enroll(_, request)
    local answer, sentence, word = device.renew(text, trust.pem(old.der),
      request)
    if answer then return parsed(answer, "the device's answer") end
    return failed_of(sentence or "the device has not renewed the certificate",
      word or "internal")
  end
  return { issuers = no_issuers, enroll = enroll }
end

-- The path may be missing, which other rules do not allow.
local function parse(text)
  local u, sentence, word = url.parse(text, nil, { any_path = true })
  if not u then
    return failed_of("MIC_Cert_Refresh_Rule: " .. sentence,
      sentence == "Bad scheme" and "scheme" or word)
  elseif not u.host then
    return failed_of("MIC_Cert_Refresh_Rule names no server", "no-server")
  end
  return u
end

--- The URL for people, without credentials; text that is none, blanked.
function service.name(text)
  local u = url.parse(text, nil, { any_path = true })
  return u and u.host and url.format(u) or "(not a URL)"
end

--- @param phone
-- @tparam string text of the rule
-- @tparam table old facts of the certificate in use
-- @treturn[1] table service
-- @return[2] nil, failure
function service.of(phone, text, old)
  local device = phone.world.device
  if device.renew then return of_device(device, text, old) end
  local u, failed = parse(text)
  if not u then return nil, failed end
  if u.scheme == "https" then return of_est(u) end
  if u.scheme ~= "http" or u.host == DEFAULT_HOST or not device.simulated then
    return failed_of(("MIC_Cert_Refresh_Rule: no certificate is renewed by %s "
      .. "at %s; name an EST service, https://host[/label]"):format(u.scheme,
      u.host), "scheme")
  end
  if u.path == "" then u.path = "/" end
  return of_lab(u)
end

return service
