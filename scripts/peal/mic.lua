--- Renewal of the phone's own certificate (MIC): the rule decides when, a
-- service issues, and the new key and certificate take the place of the old.
-- Until all of it is checked and written, the certificate in use stays; so
-- does the one before it, should the new one be damaged.
-- What the status pages show stands beside the renewed certificate in the
-- keyring, too: a factory reset clears the parameters and the state, not the
-- certificate, and `Renewed` stays.
-- Source: MPP provisioning guide, MIC_Cert_Refresh_Enable,
-- MIC_Cert_Refresh_Rule, "MIC Cert Refresh Status"; RFC 7030; the order of
-- the steps is our choice.
local chain = require "peal.chain"
local clock = require "peal.engine.clock"
local context = require "peal.cycle.context"
local encode = require "peal.encode"
local messages = require "peal.messages"
local pending = require "peal.mic.pending"
local retrieve = require "peal.retrieve"
local secret = require "peal.secret"
local service = require "peal.mic.service"
local tls_policy = require "peal.tls_policy"
local trust = require "peal.trust"
local visible = require "peal.visible"

local mic = {}

--- The certificate's name in the keyring.
mic.NAME = "mic"

local NS <const> = "mic"
local RULE <const> = "MIC_Cert_Refresh_Rule"
local STATUS <const> = "MIC_Cert_Provisioning_Status"
local INFO <const> = "MIC_Cert_Info"
local STATUS_FILE <const> = "status.txt"

-- CA certificates of the service that are looked at; more make no chain.
local MAX_ISSUERS <const> = 16

-- RFC 5280 section 4.2.1.12
local ANY_PURPOSE <const> = "2.5.29.37.0"

-- After a failure, s; no wait is longer. Nor is there another renewal sooner
-- after one, unless somebody asks or the certificate is over: a rule that
-- always says so must not have the phone restart without end (our choice).
local DAY <const> = 86400

local function failure(sentence, word)
  return nil, retrieve.failure(sentence, word, nil, sentence)
end

-- --- what there is ---

-- Generation of the renewed certificate, or nil.
local function generation(phone)
  return (phone.world.keyring:generation(mic.NAME))
end

--- What the status pages show. The text in the state is of the generation that
-- stands beside it: a stop between the switch and the flush leaves an old one.
-- @treturn table status "" before the first attempt; info
function mic.status(phone)
  local number, keep = generation(phone), phone.keep
  local kept = keep:get("status", STATUS)
  local own = number and not (kept and keep:number(NS, "generation") == number)
    and phone.world.keyring:read(mic.NAME, STATUS_FILE)
  return { status = own or kept or "",
    info = number and "Renewed" or "Not Renewed" }
end

local function show(phone, text)
  local number = generation(phone)
  phone.keep:set("status", STATUS, text)
  phone.keep:set("status", INFO, number and "Renewed" or nil)
  phone.keep:set(NS, "generation", number)
end

-- A factory reset has taken it out of the state.
local function restore_status(phone)
  local shown = mic.status(phone)
  show(phone, shown.status ~= "" and shown.status or nil)
end

local function new_job(phone, run, about)
  local identity, problem = tls_policy.identity(phone)
  local job = { phone = phone, run = run, event = about.event,
    forced = about.force or false, now = math.floor(phone.world.now().time),
    text = phone:param(RULE) or "", problem = problem,
    old = identity and identity:facts() }
  job.url = service.name(job.text)
  job.rule = encode.sha256():add(job.text):hex() -- it may hold a password
  job.pending = job.old and pending.find(phone, job.rule, job.old.sha256)
  return job
end

-- --- when ---

-- When the next attempt is to be, by a clock that may have been set since.
local function next_run(job)
  local keep = job.phone.keep
  local at = keep:number(NS, "next")
  if not at or at > job.now + DAY or keep:get(NS, "rule") ~= job.rule then
    return nil
  end
  return at
end

local function wait(job, seconds)
  job.phone.keep:set(NS, "next", job.now + seconds)
  job.phone.keep:set(NS, "rule", job.rule)
  return seconds
end

-- Seconds until there may be another renewal; a clock that was set since by
-- more than that counts as time gone by.
local function rest(job)
  local at = job.phone.keep:number(NS, "renewed")
  if not at or job.event == "request" or job.old.to < job.now then return 0 end
  local gone = math.abs(job.now - at)
  return gone < DAY and DAY - gone or 0
end

local function ask_rule(job)
  local old, phone, at = job.old, job.phone, next_run(job)
  local now = phone.world.now()
  return context.ask(job.run, "certificate", { what = "mic",
    event = job.event, forced = job.forced,
    enabled = phone:yes("MIC_Cert_Refresh_Enable"),
    not_before = old.from, not_after = old.to, next_run = at,
    due = at == nil or now.time >= at, pending = job.pending ~= nil,
    clock = now.trusted, failures = phone.keep:number(NS, "failures") or 0 })
end

-- --- the exchange ---

-- CA certificates of the service that lead to the phone's own anchors. Each
-- may need all the others.
local function trusted(job, list)
  if #list == 0 then return {} end
  local anchors = (job.phone.world.trust or {}).anchors
  local few = table.move(list, 1, math.min(#list, MAX_ISSUERS), 1, {})
  local ders, out = {}, {}
  for i, one in ipairs(few) do ders[i] = one.der end
  for i, one in ipairs(few) do
    local order = table.move(ders, 1, #ders, 2, { one.der })
    table.remove(order, i + 1)
    if chain.check(order, anchors, job.now) then out[#out + 1] = one end
  end
  if #out > 0 then return out end
  return failure("no CA certificate of the service leads to a root that the "
    .. "phone was made with" .. (#list == #few and ""
    or ("; the first %d of %d were looked at"):format(#few, #list)),
    "c.untrusted")
end

local CURVES <const> = { [256] = "P-256", [384] = "P-384" }

local function kind_of(facts)
  if facts.key_type == "RSA" then return "RSA-" .. facts.key_bits end
  return CURVES[facts.key_bits]
    or ("%s-%d"):format(facts.key_type, facts.key_bits)
end

-- The request that waits, or another by a new key like the old one.
local function request_of(job)
  if job.pending then return job.pending end
  local key, sentence, word = job.phone.world.new_key(kind_of(job.old))
  if not key then return failure(sentence, word) end
  local request
  request, sentence, word = job.phone.world.issue.request { key = key,
    like = job.old.der }
  if not request then return failure(sentence, word) end
  return { key = key, request = request, rule = job.rule,
    certificate = job.old.sha256, since = job.now }
end

-- --- the answer ---

local function own_of(list, key)
  for _, one in ipairs(list) do
    if key:fits(one.der) then return one end
  end
end

local function is_for_clients(new)
  for _, purpose in ipairs(new.purposes) do
    if purpose == "clientAuth" or purpose == ANY_PURPOSE then return true end
  end
  return #new.purposes == 0
end

-- One that servers would not take from a phone is of no use: that it is
-- refused, and the old one stays in use, is our choice.
local function check_new(job, new)
  local old = job.old
  if not new then
    return "the service has certified another key than the phone's"
  elseif not chain.same_subject(new.der, old.der) then
    return "the service has certified another subject than the phone's"
  elseif new.to <= old.to then
    return "the new certificate ends no later than the one in use"
  elseif new.is_ca then
    return "the new certificate is that of a CA, not of a phone"
  elseif not is_for_clients(new) then
    return "the new certificate is not for clients (extended key usage)"
  end
end

-- Leaf first, then each one's issuer, as far as they are at hand. Two CAs may
-- have the same name.
local function chain_of(new, pool)
  local out, at = { trust.pem(new.der) }, new
  local left = table.move(pool, 1, #pool, 1, {})
  repeat
    local found
    for i, one in ipairs(left) do
      if not one.self_signed and chain.issued(one.der, at.der) then
        found = i
      end
    end
    at = found and table.remove(left, found)
    if at then out[#out + 1] = trust.pem(at.der) end
  until not at
  return table.concat(out)
end

-- The PEM text of the new certificate and its issuers, checked. It may begin
-- in the very second in which the service has made it: after the attempt did.
local function read_answer(job, list, issuers, key)
  local new = own_of(list, key)
  local wrong = check_new(job, new)
  if wrong then return failure(wrong, "corrupt") end
  local pool, ders = {}, { new.der }
  for _, some in ipairs { list, issuers } do
    for _, one in ipairs(some) do
      if one ~= new then
        pool[#pool + 1], ders[#ders + 1] = one, one.der
      end
    end
  end
  local world = job.phone.world
  local ok, sentence = chain.check(ders, (world.trust or {}).anchors,
    math.floor(world.now().time))
  if not ok then return failure(sentence, "corrupt") end
  return { facts = new, pem = chain_of(new, pool) }
end

-- --- what becomes of it ---

local function status_text(job, result)
  return ("%s %s %s"):format(clock.stamp(job.phone), job.url, result)
end

local function tell(job, severity, result)
  job.run.trace:add("certificate", { what = "mic", outcome = result.outcome,
    reason = result.reason, word = result.word, url = job.url })
  messages.audit(job.phone, severity, "CERT-MIC",
    visible.line("MIC certificate: " .. result.reason))
  return result
end

-- Will it be worth to send the same request again?
local function may_pass(failed)
  local status = failed.status or 0
  return failed.here or status >= 500
    or failed.cause.id == "dns" or failed.cause.id == "connect"
end

local function fail(job, failed)
  local phone = job.phone
  if not may_pass(failed) then pending.drop(phone) end
  phone.keep:set(NS, "failures",
    (phone.keep:number(NS, "failures") or 0) + 1)
  show(phone, status_text(job, "Download Failed: " .. failed.cause.text))
  return tell(job, "error", { outcome = "failed",
    reason = secret.mask(failed.sentence), word = failed.word,
    cause = failed.cause.text, after = wait(job, DAY) })
end

local function put_off(job, one, seconds)
  if pending.is_over(job.phone, one) then
    pending.drop(job.phone)
    return fail(job, retrieve.failure("the service has not issued the "
      .. "certificate within 7 days", "timeout"))
  end
  local ok, sentence, word = pending.keep(job.phone, one)
  if not ok then
    context.note(job.run, word, RULE, "the request that waits for the "
      .. "service is lost when the phone restarts: " .. sentence)
  end
  return tell(job, "notice", { outcome = "waiting",
    reason = ("the service wants to be asked again in %d s"):format(seconds),
    after = wait(job, seconds) })
end

-- The switch: before it the old certificate, after it the new one.
local function install(job, new, key)
  local text = status_text(job, "Download Successful")
  local done, sentence, word = job.phone.world.keyring:install(mic.NAME,
    { ["cert.pem"] = new.pem, [STATUS_FILE] = text }, { ["key.pem"] = key })
  if not done then return failure(sentence, word) end
  return text
end

local function succeed(job, new, text)
  local phone = job.phone
  pending.drop(phone)
  for _, name in ipairs { "failures", "next", "rule" } do
    phone.keep:set(NS, name, nil)
  end
  phone.keep:set(NS, "renewed", job.now)
  show(phone, text)
  local ok, sentence, word = phone.keep:flush("certificate")
  if not ok then context.note(job.run, word, nil, sentence) end
  tls_policy.changed(phone)
  return tell(job, "notice", { outcome = "done", reboot = true,
    reason = ("renewed by %s, valid until %s"):format(job.url,
      new.facts.not_after) })
end

-- A service is not to issue, day by day, what cannot be written.
local function check_keyring(job)
  local ok, sentence, word = job.phone.world.keyring:ready(mic.NAME)
  if ok then return true end
  local _, failed = failure(sentence, word)
  failed.here = true
  return nil, failed
end

-- Steps in order; the first failure ends them.
local function attempt(job)
  local ok
  local from, failed = service.of(job.phone, job.text, job.old)
  if from then ok, failed = check_keyring(job) end
  if not ok then return fail(job, failed) end
  local issuers, one, list, seconds, new, text
  issuers, failed = from.issuers(job.run)
  if issuers then issuers, failed = trusted(job, issuers) end
  if not issuers then return fail(job, failed) end
  one, failed = request_of(job)
  if not one then return fail(job, failed) end
  list, failed, seconds = from.enroll(job.run, one.request)
  if seconds then return put_off(job, one, seconds) end
  if list then new, failed = read_answer(job, list, issuers, one.key) end
  if new then text, failed = install(job, new, one.key) end
  if not text then return fail(job, failed) end
  return succeed(job, new, text)
end

-- --- for the engine ---

local function nothing(job, answer)
  local after = answer.after
  if after then
    after = after + job.phone.world.random(0, answer.spread or 0)
  end
  return { outcome = "none", reason = answer.reason, after = after }
end

--- Ask the rule whether to renew the certificate, and do it. Runs in a task.
-- @param phone
-- @param run    as context.new() makes it
--   about.event   "boot", "daily", "change", "retry" or "request"
--   about.force   whatever the dates say
-- @treturn table outcome "none", "waiting" (the service wants to be asked
--   again), "failed" or "done"; reason, word, cause (the text of status
--   pages), after (s until it is to be asked again; nil: daily), reboot
function mic.consider(phone, run, about)
  restore_status(phone)
  local job = new_job(phone, run, about)
  if not job.old then
    return { outcome = "none", word = job.problem and "bad-key" or nil,
      reason = job.problem or "the phone has no certificate of its own" }
  end
  local answer = ask_rule(job)
  if not answer.renew then return nothing(job, answer) end
  local seconds = rest(job)
  if seconds > 0 then
    return { outcome = "none", after = seconds,
      reason = "it was renewed less than a day ago" }
  end
  return attempt(job)
end

return mic
