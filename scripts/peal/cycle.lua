--- One resync: profile rules A to D, each decided, fetched, decoded, applied.
-- Runs as a task over phone.world and touches nothing else.
-- Source: MPP provisioning guide, Profile_Rule; order of commits is our
-- choice: each profile is one transaction, earlier ones stay.
local cause = require "peal.cause"
local context = require "peal.cycle.context"
local custom_ca = require "peal.custom_ca"
local download = require "peal.cycle.download"
local history = require "peal.history"
local last_resync = require "peal.last_resync"
local messages = require "peal.messages"
local secret = require "peal.secret"
local tls_policy = require "peal.tls_policy"
local url = require "peal.url"
local values = require "peal.cycle.values"
local visible = require "peal.visible"

local cycle = {}

local RULES <const> = { "Profile_Rule", "Profile_Rule_B", "Profile_Rule_C",
  "Profile_Rule_D" }

-- Syslog and history: one line at the end of each download or failed rule.
local function report(run, result)
  local kind = result.outcome == "success" and "success" or "failure"
  history.add(run.phone, "provisioning", { ok = kind == "success",
    url = result.url or result.rule,
    cause = result.cause and result.cause.text })
  messages.send(run.phone, run.trace, kind, result.request or {}, result.err)
  if kind == "failure" then
    messages.debug(run.phone, "info", ("%s: %s (%s)"):format(result.rule,
      result.cause.text, secret.mask(result.sentence)))
  end
end

local function trace_rule(run, name, plan)
  local about = plan.trace or plan.detail and plan.detail.trace or {}
  run.trace:add("rule", { rule = name, text = about.text,
    expanded = about.expanded, alternatives = about.alternatives,
    warnings = about.warnings, action = plan.action, reason = plan.reason,
    sentence = plan.sentence and secret.mask(plan.sentence),
    word = plan.word, rule_file = plan.rule_file })
  for _, text in ipairs(about.warnings or {}) do
    context.note(run, "rule", name, name .. ": " .. text)
  end
end

local function trace_failure(run, failed)
  run.trace:add("failed", { rule = failed.rule, word = failed.word,
    text = visible.line(failed.sentence), err = failed.err,
    class = failed.class, line = failed.place and failed.place.line,
    byte = failed.place and failed.place.byte })
end

-- A plan's fetch with its URL parsed, or nil and why not. user:pw@ stands for
-- uid and pwd, as in a rule's text.
local function fetch_of(plan)
  local get = {}
  for key, value in pairs(plan.fetch) do get[key] = value end
  if type(get.url) == "string" then
    local u, sentence, word = url.parse(get.url)
    if not u then return nil, sentence, word end
    get.url = u
  end
  if not get.uid and not get.pwd then
    get.uid, get.pwd = get.url.user, get.url.password
  end
  return get
end

-- Carry out a plan.
local function follow(run, index, name, plan)
  if plan.action == "error" then
    return context.bad_rule(name, plan.sentence, plan.word, plan.detail)
  end
  local ok, failed = values.assign(run, index, name, plan.assigns,
    not plan.fetch)
  if not ok then
    failed.cause = cause.of(failed.word, nil, failed.sentence)
    return context.fail(name, failed)
  end
  if plan.action == "skip" then
    return { rule = name, outcome = "skipped", reason = plan.reason,
      event = plan.event }
  end
  if not plan.fetch then return { rule = name, outcome = "assigned" } end
  local get, sentence, word = fetch_of(plan)
  if not get then return context.bad_rule(name, sentence, word) end
  return download.run(run, index, name, get)
end

-- The timers as the macros of this run see them.
local function set_state(run)
  run.state = run.phone:timers()
  if run.prvst then run.state.PRVST = run.phone.state.PRVST or run.prvst end
end

-- One rule from its text to the outcome.
local function run_rule(run, index)
  local name = run.names[index]
  run.listener = messages.listener(run.phone)
  local text = run.rule_text or run.phone:param(name) or ""
  set_state(run)
  local plan = context.ask(run, "profile",
    { rule = { name = name, text = text } })
  trace_rule(run, name, plan)
  local result = follow(run, index, name, plan)
  if result.outcome == "failure" then trace_failure(run, result) end
  if result.outcome == "success" or result.outcome == "failure" then
    report(run, result)
  end
  return result
end

-- The trace of a run that has written nothing waits for the next commit, with
-- what else does: the newest one, and the newest that did not go well.
local function keep_trace(run)
  local text = run.trace:encode()
  run.phone.keep:set("trace", "last", text)
  if run.trace.outcome ~= "success" then
    run.phone.keep:set("trace", "failed", text)
  end
end

-- Keep the end of the trace beside values that this cycle has committed, where
-- it is another than the last commit expected.
local function store_trace(run)
  local written = #run.result.changes > 0
  if written and run.trace.outcome == "success" then return end
  run.trace.outcome = run.result.outcome
  if not written then return keep_trace(run) end
  last_resync.remember(run.phone, run.result, run.asked_by)
  local txn = run.phone.world.store:begin()
  if not txn then return end
  local keep = run.phone.keep
  if not keep:stage(txn) then return txn:abort() end
  txn:state("trace", "cycle", run.trace:encode())
  if txn:commit("trace", math.floor(run.phone.world.now().time)) then
    keep:committed()
  end
end

--- A resync that may begin: its run.
--   request.asked_by   "cli", "boot", "periodic" ...
--   request.explicit   true: somebody asked for it
--   request.rule       a rule text: only this one; nil: A to D
--   request.prvst      $PRVST: -1 explicit, 0 boot, 1 timer, 2 retry
function cycle.new(phone, request)
  local run = context.new(phone, { asked_by = request.asked_by,
    explicit = request.explicit,
    cycle = (phone.keep:number("engine", "cycle") or 0) + 1 })
  run.prvst, run.rule_text = request.prvst, request.rule
  run.trace.prvst, run.trace.explicit = request.prvst, run.explicit or nil
  run.names = request.rule and { "rule" } or RULES
  return run
end

-- What falls due is asked again every few seconds: what it waits for is known
-- while the program runs (phone.held), and wears no flash.
local function refused(run, step)
  run.trace.outcome, run.trace.reason = "refused", run.result.reason
  if run.explicit then return keep_trace(run) end
  local phone, since = run.phone, run.trace.time
  if phone.held and phone.held.asked_by == run.asked_by then
    since = phone.held.since
  end
  phone.held = { asked_by = run.asked_by, since = since, trigger = step }
end

--- Ask whether it may start: the answer of the trigger stage.
function cycle.gate(run)
  set_state(run)
  local gate = context.ask(run, "trigger")
  local step = run.trace:add("trigger", { pass = gate.pass,
    reason = gate.reason, rule_file = gate.rule_file,
    triggers = gate.triggers })
  if gate.pass then
    run.phone.held = nil
  else
    run.result.outcome, run.result.reason = "refused", gate.reason
    run.result.by = gate.rule_file
    refused(run, step)
  end
  return gate
end

--- Carry it out.
-- @treturn table outcome ("success", "failure"), failure (the failed rule's
--   result), rules, changes, refused, notes, revision, reboot (a changed
--   value needs one), cycle, trace
function cycle.carry_out(run)
  local phone, result = run.phone, run.result
  phone.keep:set("engine", "cycle", run.trace.cycle)
  result.outcome = "success"
  custom_ca.consider(phone, run, { event = "resync" })
  for index = 1, #run.names do
    local done = run_rule(run, index)
    table.insert(result.rules, done)
    if done.outcome == "failure" then
      result.outcome, result.failure = "failure", done
      break
    end
  end
  run.listener = nil
  store_trace(run)
  for _, change in ipairs(result.changes) do
    result.reboot = result.reboot or change.reboot
  end
  phone.last_resync = phone.world.now().mono
  tls_policy.save_sessions(phone)
  return result
end

--- Run a resync to its end: new(), gate() and carry_out().
-- @treturn table as carry_out(); or outcome "refused", reason, by
function cycle.run(phone, request)
  local run = cycle.new(phone, request)
  if not cycle.gate(run).pass then return run.result end
  return cycle.carry_out(run)
end

return cycle
