--- A server's certificate has failed a check: what becomes of it.
-- HTTPS_DNS_Check Legacy and the rule `trust` may let it pass: then there is
-- one more attempt, for that certificate alone, of which nothing is kept.
-- Source: MPP provisioning guide, "HTTPS provisioning"; Gigaset wiki, Security.
local certificates = require "peal.certificates"
local context = require "peal.cycle.context"
local dns_check = require "peal.tls_policy.dns_check"
local tls_policy = require "peal.tls_policy"
local visible = require "peal.visible"

local second_look = {}

-- Checks that a rule may overrule: all but an administrator's rejection.
local OPEN <const> = { ["c.expired"] = true, ["c.future"] = true,
  ["c.untrusted"] = true, ["c.name"] = true, ["c.dns"] = true,
  ["c.weak"] = true, clock = true }

local FACTS <const> = { "subject", "cn", "issuer", "serial", "not_before",
  "not_after", "sha256", "sha1", "key_type", "key_bits", "is_ca",
  "self_signed" }

local function facts_of(certificate)
  local out = {}
  for _, name in ipairs(FACTS) do out[name] = certificate[name] end
  return out
end

local function view_of(run, request, failed)
  local tls = failed.facts.tls
  local chain = {}
  for i, one in ipairs(tls.chain) do chain[i] = facts_of(one) end
  return { url = request.url, host = request.host, port = request.port,
    address = request.address, word = failed.word,
    sentence = failed.sentence, certificate = chain[1], chain = chain,
    accept_all = run.phone:param(
      "SystemSettings.Security_Certificates_AcceptAllCertificates") == "1",
    anchor_private = tls.anchor_private or false }
end

-- The same request for that certificate alone. Who the phone is, and passwords
-- as they are, only a server may know that has passed its checks.
local function pinned_to(request, leaf, is_checked)
  local again, tls = {}, {}
  for key, value in pairs(request) do again[key] = value end
  for key, value in pairs(request.tls) do tls[key] = value end
  tls.pinned, tls.once = tls_policy.set { leaf.sha256 }, true
  if not is_checked then tls.identity, again.auth = nil, { "digest" } end
  again.tls = tls
  return again
end

-- What is let pass is said each time.
--   is_checked   it passed by another check in place of the one that failed
local function pass(run, request, failed, why, is_checked)
  local leaf = failed.facts.tls.chain[1]
  run.trace:add("trust", { accept = true, word = failed.word,
    text = failed.sentence, reason = why, url = request.url,
    certificate = facts_of(leaf) })
  run.trace:warn("trust", visible.line(
    ("the certificate of %s is let pass, although: %s (%s)"):format(
      request.host, failed.sentence, why)))
  return pinned_to(request, leaf, is_checked)
end

local function refuse(run, request, failed, answer)
  run.trace:add("trust", { accept = false, word = failed.word,
    text = failed.sentence, reason = answer.reason, url = request.url,
    certificate = facts_of(failed.facts.tls.chain[1]),
    rule_file = answer.rule_file })
  if answer.word then
    failed.word = answer.word
    failed.sentence = answer.reason or failed.sentence
  end
  return nil
end

--- May the exchange be tried once more?
-- @param run      phone, trace, rules
-- @param request  that failed
-- @param failed   sentence, word, facts; the word may be another afterwards
-- @treturn table the request to try; nil: it has failed
function second_look.again(run, request, failed)
  local tls = failed.facts and failed.facts.tls
  if not OPEN[failed.word] or not tls or not tls.chain or not tls.chain[1] then
    return nil
  end
  local phone = run.phone
  local name = failed.word == "c.name"
    and dns_check.other_name(phone, tls, request.address)
  if name then
    return pass(run, request, failed, ("HTTPS_DNS_Check is Legacy, and %s has "
      .. "the address of the server"):format(name), true)
  end
  local answer = context.ask(run, "trust", view_of(run, request, failed))
  if answer.list ~= false and failed.word ~= "clock" then
    certificates.note_failure(phone, tls, failed.word, request.host)
  end
  if not answer.accept then return refuse(run, request, failed, answer) end
  return pass(run, request, failed, answer.reason or answer.rule_file
    or "the rule says so")
end

return second_look
