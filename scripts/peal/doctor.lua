--- What is wrong on the way of a profile? Each step from the rule's text to
-- the values, by the resync's own code over a copy of the phone: nothing is
-- written, and nothing of it remains.
--
--   rule, dns, tcp, tls, certificate, client, auth, answer, decode, parse,
--   apply
--
-- A step is { step =, verdict =, text =, cure =, word = }; verdict is
--   "ok"           it works
--   "broken"       it is what has failed; cure: what mends it
--   "warning"      it works, and something should be mended; cure
--   "none"         there is no such step on this way
--   "not reached"
local break_of = require "peal.doctor.break_of"
local cures = require "peal.doctor.cures"
local cycle = require "peal.cycle"
local dry = require "peal.world.dry"
local say = require "peal.doctor.say"
local tls_policy = require "peal.tls_policy"
local watch = require "peal.doctor.watch"

local doctor = {}

--- The steps in order.
doctor.steps = { "rule", "dns", "tcp", "tls", "certificate", "client", "auth",
  "answer", "decode", "parse", "apply" }

-- --- what was seen ---

local function last_step(trace, kind)
  for i = #trace.steps, 1, -1 do
    if trace.steps[i].step == kind then return trace.steps[i] end
  end
end

-- A rule that does nothing now is as good as one that fails. Of attempts at
-- several addresses the one that came furthest counts.
local function failure_of(done, fetch)
  if done.outcome == "failure" and fetch and not fetch.answer then
    return { word = fetch.word, sentence = fetch.sentence,
      status = done.status, cause = done.cause }
  end
  if done.outcome == "failure" then return done end
  if done.outcome == "skipped" then
    return { word = "skipped", sentence = done.reason, step = "rule",
      cure = "see which condition is false: peal rule 'TEXT'; peal eval "
        .. "'CONDITION'" }
  end
end

-- Everything that the steps are told from.
local function look(phone, about, result, seen)
  local done = result.rules[#result.rules]
  local fetch = break_of.fetch(seen.fetches)
  local rule = last_step(result.trace, "rule") or {}
  local leaf = fetch and fetch.facts.tls and fetch.facts.tls.chain
    and fetch.facts.tls.chain[1]
  local decoded = last_step(result.trace, "decode")
  return { phone = phone, result = result, trace = result.trace, done = done,
    seen = seen, fetch = fetch, rule = rule, leaf = leaf, decoded = decoded,
    failed = failure_of(done, fetch), servers = about.servers,
    asked = last_step(result.trace, "fetch"),
    body = fetch and fetch.answer and fetch.answer.body,
    with_key = (rule.expanded or rule.text or ""):find("%-%-key") ~= nil,
    host = fetch and fetch.request.host, id = leaf and leaf.sha256,
    now = phone.world.now(), identity = tls_policy.identity(phone) }
end

-- --- the verdicts ---

local function cure_of(seen, step)
  local failed = seen.failed
  if failed.cure then return failed.cure end
  return cures.of { step = step, failed = failed, phone = seen.phone,
    host = seen.host, scheme = seen.fetch and seen.fetch.request.scheme,
    leaf = seen.leaf, id = seen.id, now = seen.now, body = seen.body,
    with_key = seen.with_key, identity = seen.identity }
end

-- Where the way ends though nothing has failed: a rule that only assigns, a
-- file that is not there and need not be.
local function ends_early(seen, step)
  if step == "rule" or step == "apply" then return nil end
  if not seen.fetch then return "the rule fetches nothing" end
  local is_late = step == "decode" or step == "parse"
  if is_late and seen.done.missing then return "there is no file" end
  if is_late and (seen.body or "") == "" then return "the file is empty" end
end

local function step_of(seen, step, broken, after)
  if after then return { step = step, verdict = "not reached" } end
  if step == broken then
    return { step = step, verdict = "broken", text = say.broken(seen),
      word = seen.failed.word, cure = cure_of(seen, step) }
  end
  local early = ends_early(seen, step)
  if early then return { step = step, verdict = "none", text = early } end
  local text, verdict, cure = say[step](seen)
  return { step = step, verdict = verdict or "ok", text = text, cure = cure }
end

local function report_of(seen)
  local failed = seen.failed
  local broken = failed and (failed.step or break_of.step(failed, seen.fetch))
  local report, after = { ok = not failed, broken = broken, steps = {},
    notes = seen.result.notes, changes = #seen.result.changes }, false
  for i, step in ipairs(doctor.steps) do
    report.steps[i] = step_of(seen, step, broken, after)
    after = after or step == broken
  end
  return report
end

--- Examine the way of a rule. Runs in a task.
-- @param phone
--   about.rule      a URL or rule text
--   about.servers   name servers that are asked, as a text
-- @treturn[1] table ok, broken (name of the step, or nil), steps, notes,
--   changes
-- @return[2] nil, sentence, word
function doctor.examine(phone, about)
  local store, sentence, word = phone.world.store:copy()
  if not store then return nil, sentence, word end
  local world, seen = watch.new(phone.world)
  local twin = phone:twin(dry.new(world, store))
  local result = cycle.carry_out(cycle.new(twin, { rule = about.rule,
    asked_by = "doctor", explicit = true, prvst = -1 }))
  return report_of(look(twin, about, result, seen))
end

return doctor
