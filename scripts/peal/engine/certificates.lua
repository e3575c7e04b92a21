--- What an engine does about certificates: the roots of Custom_CA_Rule, the
-- lists, the phone's own certificate, and those that it makes for terminals.
-- Each part knows itself whether there is something to do; here is when they
-- are asked: at boot, once a day, when a parameter of theirs has changed, when
-- they asked for it, and when somebody does.
-- Source: MPP administration guide, Custom_CA_Rule, MIC_Cert_Refresh_Enable;
-- MiVoice Office 400 WebAdmin help; the order is our choice.
local certificates = require "peal.certificates"
local clock = require "peal.engine.clock"
local context = require "peal.cycle.context"
local custom_ca = require "peal.custom_ca"
local host_certificate = require "peal.host_certificate"
local mic = require "peal.mic"
local plan = require "peal.engine.plan"
local queue = require "peal.engine.queue"
local say = require "peal.engine.say"
local task = require "peal.task"
local tls_policy = require "peal.tls_policy"

local part = {}

-- Nothing of the daily look asks a server at once; who does spreads it.
local DAILY <const> = { after = 86400 }

local OWN <const> = { host = host_certificate, mic = mic }

-- What a part came to: e.seen for the status, an event and a line for who
-- follows. (The custom CA tells itself, since resyncs ask it as well.)
local function tell(e, what, result)
  e.seen[what] = result.outcome ~= "none" and result or nil
  if result.outcome == "none" then return end
  say.event(e, "certificate", { what = what, outcome = result.outcome,
    reason = result.reason, word = result.word })
  local text = ("%s certificate: %s%s"):format(what, result.outcome,
    result.reason and ": " .. result.reason or "")
  if e.said[what] == text then return end
  e.said[what] = text
  say.line(e, "%s", text)
end

-- Do a part's work. An error in it, or in a function of the device, costs the
-- part this turn, and not the phone its resyncs.
local function guarded(e, work, ...)
  e.activity = "certificates"
  local ok, result = xpcall(work, debug.traceback, ...)
  e.activity = nil
  if ok then return result end
  local text = tostring(result)
  if task.is_exhaustion(text) then error(text, 0) end
  say.line(e, "%s", "internal error: " .. text)
  return { outcome = "failed", word = "internal",
    reason = "internal error: " .. text:match("^[^\n]*") }
end

local function new_run(e, about)
  return context.new(e.phone, { asked_by = about.asked_by or "engine",
    explicit = about.event == "request", kind = "certificate" })
end

-- When a part is asked again: when it says, or sooner where something has come
-- that it waits for while it was asked.
local function arm_again(e, what, after)
  if e.timers:get(what) then return end
  plan.arm_delay(e, what, after and { after = after } or nil)
end

-- Ask the part that looks after `what`: "mic" or "host".
local function own(e, what, about)
  if e.stopped then -- while the part before was under way
    return { outcome = "refused", reason = "the engine stops" }
  end
  about.again = function() -- something has come that it has waited for
    if e.stopped then return end
    plan.arm_delay(e, what, { after = 0 })
    e:poke()
  end
  e.timers:cancel(what)
  local result = guarded(e, OWN[what].consider, e.phone, new_run(e, about),
    about)
  tell(e, what, result)
  arm_again(e, what, result.after)
  if result.reboot then e:want_reboot("certificate", false) end
  return result
end

--- What makes the phone believe more than it should is said at boot, and when
-- it is another.
function part.weaknesses(e)
  local texts = {}
  for i, one in ipairs(tls_policy.weaknesses(e.phone)) do
    texts[i] = one.sentence
  end
  local text = table.concat(texts, "; ")
  if text == (e.said.weak or "") then return end
  e.said.weak = text
  if text == "" then
    say.line(e, "no switch weakens trust any more")
  else
    say.note(e, "weak-trust", "trust is weakened: " .. text)
  end
end

local function bundle(e, about)
  if about.event ~= "request" and not custom_ca.wants(e.phone, about.event) then
    return nil
  end
  local result = guarded(e, custom_ca.consider, e.phone, new_run(e, about),
    about)
  part.weaknesses(e)
  return result
end

local function sweep(e)
  for _, entry in ipairs(certificates.sweep(e.phone)) do
    say.note(e, "c.expired", ("certificate expired, and not trusted any more: "
      .. "%s (%s)"):format(entry.subject, entry.id:sub(1, 12)))
  end
end

-- --- when ---

-- With the first contact of all, after the random delay of the start: the
-- fleet does not come to the server at once for its bundles either.
function part.boot(e)
  e.boot_certificates = true
  plan.arm_delay(e, "certificates", DAILY)
  part.weaknesses(e)
end

--- Is it time for what a boot asks for?
function part.first(e)
  if not e.boot_certificates then return end
  if e.pending and e.pending.phase == "random" and e.queue:waiting() == 0 then
    return
  end
  e.boot_certificates = nil
  bundle(e, { event = "boot" })
  sweep(e)
  own(e, "mic", { event = "boot" })
  own(e, "host", { event = "boot" })
end

--- The daily look.
function part.daily(e)
  plan.arm_delay(e, "certificates", DAILY)
  bundle(e, { event = "change" })
  sweep(e)
  part.weaknesses(e)
  own(e, "mic", { event = "daily" })
  own(e, "host", { event = "daily" })
end

--- The time that a part has asked for.
--   what   "mic" or "host"
function part.retry(e, what)
  own(e, what, { event = "retry" })
end

-- Whose parameters they are.
local OWNERS <const> = {
  { "mic", { "^MIC_Cert_" } },
  { "host", { "^Cert_Regen_", table.unpack(clock.names) } },
}

-- Parameters that a policy of connections is made of.
local POLICY <const> = { "^TLS_", "^HTTPS_", "^Enable_SSLv3$",
  "^SystemSettings%.Security_Certificates_" }

local function any(names, patterns)
  for name in pairs(names) do
    for _, pattern in ipairs(patterns) do
      if name:find(pattern) then return true end
    end
  end
  return false
end

--- Parameters have changed.
--   names   set of names
function part.changed(e, names)
  if any(names, POLICY) then
    tls_policy.changed(e.phone)
    part.weaknesses(e)
  end
  bundle(e, { event = "change" }) -- its rule may hold any macro
  for _, one in ipairs(OWNERS) do
    if any(names, one[2]) then own(e, one[1], { event = "change" }) end
  end
end

--- Something has happened that the certificates of terminals hang on.
--   event   "address", "clock" or "terminal"
function part.happened(e, event)
  own(e, "host", { event = event })
end

-- --- requests ---

--- A CA bundle from somebody's URL, for this once.
function part.updateca(e, job)
  queue.answer(job, bundle(e, { event = "request", url = job.url,
    asked_by = job.asked_by }))
  return true
end

--- The phone's own certificate, or those for terminals, anew.
function part.renew(e, job)
  queue.answer(job, own(e, job.what, { event = "request", force = job.force,
    asked_by = job.asked_by }))
  return true
end

--- Plain data for the status: weaknesses { word, param, sentence }, ciphers
-- (what is wrong with TLS_Cipher_List), custom_ca and mic { status, info },
-- host { state, alarm, next_run }.
function part.status(e)
  return {
    weaknesses = tls_policy.weaknesses(e.phone),
    ciphers = tls_policy.cipher_problem(e.phone),
    custom_ca = custom_ca.status(e.phone),
    host = host_certificate.summary(e.phone),
    mic = mic.status(e.phone),
  }
end

return part
