--- Enrollment over Secure Transport: how a phone asks for another certificate.
-- A URL https://host[:port][/label] stands for the service. Who the phone is,
-- the service sees in the TLS handshake; what the phone believes of the answer
-- is the caller's matter.
-- Source: RFC 7030 sections 3.2.2 (paths), 4.1 (CA certificates), 4.2.2 and
-- 4.2.3 (re-enrolment); RFC 8951 (bodies are base64, whatever headers say).
local base64 = require "peal.base64"
local civil = require "peal.civil"
local retrieve = require "peal.retrieve"
local transport = require "peal.transport"
local trust = require "peal.trust"

local est = {}

--- Largest answer, bytes (our choice).
est.max = 256 << 10

local BASE <const> = "/.well-known/est"
local PKCS7 <const> = "application/pkcs7-mime"

-- Waits that a service may ask for, s, and what an answer means that names
-- none (our choice).
local WAIT_MIN <const>, WAIT_MAX <const> = 60, 86400
local WAIT <const> = 3600

-- Paths that cannot be labels; nor can "." and "..".
local OPERATIONS <const> = { cacerts = true, simpleenroll = true,
  simplereenroll = true, fullcmc = true, serverkeygen = true,
  csrattrs = true }

--- The service that a URL stands for.
-- @param u   parsed URL of scheme https
-- @treturn[1] function of an operation's name, that gives its URL
-- @return[2] nil, failure
function est.service(u)
  local label = u.path:match("^/?([%w._~%%-]*)/?$")
  if not label or OPERATIONS[label] or label:find("^%.%.?$") then
    local why = "an EST service is written https://host[:port][/label]"
    return nil, retrieve.failure(why, "bad-url", nil, why)
  end
  local base = BASE .. (label ~= "" and "/" .. label or "")
  return function(operation)
    local at = {}
    for key, value in pairs(u) do at[key] = value end
    at.path, at.user, at.password = base .. "/" .. operation, nil, nil
    return at
  end
end

local function corrupt(sentence)
  return nil, retrieve.failure(sentence, "corrupt", nil, sentence)
end

-- The certificates of an answer with status 200.
local function certificates_of(answer)
  local kind = transport.header(answer, "content-type") or "nothing"
  if kind:lower():match("^[^;%s]*") ~= PKCS7 then
    return corrupt(("the EST service sends %s, not certificates"):format(
      kind:match("^[%w/+.-]*"):sub(1, 80)))
  end
  local bytes, sentence = base64.decode(answer.body or "")
  local list
  if bytes then list, sentence = trust.parse(bytes) end
  if not list then
    return corrupt("the EST service's certificates: " .. sentence)
  end
  return list
end

-- "Fri, 31 Dec 1999 23:59:59 GMT", s UTC.
local MONTHS <const> = "JanFebMarAprMayJunJulAugSepOctNovDec"
local function http_date(text)
  local d, m, y, hour, min, sec = text:match(
    "^%a+, (%d%d) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$")
  local month = m and MONTHS:find(m, 1, true)
  if not month or month % 3 ~= 1 then return nil end
  return civil.days(tonumber(y), month // 3 + 1, tonumber(d)) * 86400
    + tonumber(hour) * 3600 + tonumber(min) * 60 + tonumber(sec)
end

--- How long a service wants to be left alone, s. (RFC 9110 section 10.2.3)
-- @tparam ?string text of Retry-After
-- @tparam number now s, UTC
function est.wait(text, now)
  local seconds = tonumber((text or ""):match("^%s*(%d+)%s*$"))
  local date = not seconds and http_date(text or "")
  if date then seconds = math.ceil(date - now) end
  return math.max(WAIT_MIN, math.min(seconds or WAIT, WAIT_MAX))
end

-- One exchange; an answer other than 200 and `also` is a failure. A phone does
-- not enrol elsewhere because it is told to (RFC 7030 section 3.2.1).
local function exchange(run, at, ask, also)
  ask.max, ask.same_server = est.max, true
  local answer, failed = retrieve.exchange(run, at, ask)
  if not answer and failed.status == 401 then
    return nil, retrieve.failure(failed.sentence, "access")
  elseif not answer then
    return nil, failed
  elseif answer.status ~= 200 and answer.status ~= also then
    return corrupt(("the EST service answered HTTP %d, where certificates "
      .. "were due"):format(answer.status))
  end
  return answer
end

--- The CA certificates that the service names, which nobody has checked.
-- @param run       phone and trace
-- @param service   of est.service()
-- @tparam table account user and password, where the service asks for them
-- @treturn[1] list as trust.parse() gives it
-- @return[2] nil, failure
function est.cacerts(run, service, account)
  local answer, failed = exchange(run, service("cacerts"),
    { user = account.user, password = account.password })
  if not answer then return nil, failed end
  return certificates_of(answer)
end

--- Ask for a certificate in place of the one that the phone shows in the
-- handshake.
-- @tparam string request PKCS #10, DER
-- @treturn[1] list certificates, as trust.parse() gives them
-- @return[2] nil, nil, seconds: it is to be asked again then
-- @return[3] nil, failure
function est.reenroll(run, service, account, request)
  local answer, failed = exchange(run, service("simplereenroll"), {
    user = account.user, password = account.password, method = "POST",
    content_type = "application/pkcs10",
    headers = { "Content-Transfer-Encoding: base64" },
    body = base64.encode(request, true) }, 202)
  if not answer then return nil, failed end
  if answer.status == 202 then
    return nil, nil, est.wait(transport.header(answer, "retry-after"),
      run.phone.world.now().time)
  end
  return certificates_of(answer)
end

return est
