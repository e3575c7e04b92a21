--- One resync: profile rules A to D, each decided, fetched, decoded, applied.
-- Runs as a task over phone.world and touches nothing else.
-- Source: MPP provisioning guide, Profile_Rule; order of commits is our
-- choice: each profile is one transaction, earlier ones stay.
local cause = require "peal.cause"
local context = require "peal.cycle.context"
local download = require "peal.cycle.download"
local messages = require "peal.messages"
local secret = require "peal.secret"
local trace_of = require "peal.trace"
local url = require "peal.url"
local values = require "peal.cycle.values"

local cycle = {}

local RULES <const> = { "Profile_Rule", "Profile_Rule_B", "Profile_Rule_C",
  "Profile_Rule_D" }

-- Syslog: one line at the end of each download or failed rule.
local function report(run, result)
  local kind = result.outcome == "success" and "success" or "failure"
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
    word = plan.word, rule_file = plan.rule_file })
  for _, text in ipairs(about.warnings or {}) do
    context.note(run, "rule", name, name .. ": " .. text)
  end
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

-- One rule from its text to the outcome.
local function run_rule(run, index)
  local name = run.names[index]
  run.trace.on_step = messages.listener(run.phone)
  local text = run.rule_text or run.phone:param(name) or ""
  run.state = run.phone:timers()
  if run.prvst then run.state.PRVST = run.phone.state.PRVST or run.prvst end
  local plan = context.ask(run, "profile",
    { rule = { name = name, text = text } })
  trace_rule(run, name, plan)
  local result = follow(run, index, name, plan)
  if result.outcome == "success" or result.outcome == "failure" then
    report(run, result)
  end
  return result
end

-- Keep the end of the trace beside values that this cycle has committed.
local function store_trace(run)
  local written = #run.result.changes > 0
  if not written or run.trace.outcome == "success" then return end
  run.trace.outcome = run.result.outcome
  local txn = run.phone.world.store:begin()
  if not txn then return end
  txn:state("trace", "cycle", run.trace:encode())
  txn:commit("trace", math.floor(run.phone.world.now().time))
end

local function new_run(phone, request)
  local store = phone.world.store
  local last = tonumber(store:state("engine", "cycle") or "") or 0
  local now = phone.world.now()
  local run = {
    phone = phone,
    asked_by = request.asked_by,
    explicit = request.explicit,
    prvst = request.prvst,
    rule_text = request.rule,
    names = request.rule and { "rule" } or RULES,
    rules = phone.book:set(),
    state = phone:timers(),
    notes_seen = 0,
    trace = trace_of.new { cycle = last + 1, asked_by = request.asked_by,
      time = math.floor(now.time) },
    result = { changes = {}, refused = {}, notes = {}, rules = {} },
  }
  run.trace.on_note = function(note) table.insert(run.result.notes, note) end
  run.result.cycle = last + 1
  run.result.trace = run.trace
  context.take_notes(run)
  return run
end

--- Run a resync to its end.
--   request.asked_by   "cli", "boot", "periodic" ...
--   request.explicit   true: somebody asked for it
--   request.rule       a rule text: only this one; nil: A to D
--   request.prvst      $PRVST: -1 explicit, 0 boot, 1 timer, 2 retry
-- @treturn table outcome ("success", "failure", "refused"), reason, failure
--   (the failed rule's result), rules, changes, refused, notes, revision,
--   reboot (a changed value needs one), cycle, trace
function cycle.run(phone, request)
  local run = new_run(phone, request)
  local result = run.result
  local gate = context.ask(run, "trigger")
  run.trace:add("trigger", { pass = gate.pass, reason = gate.reason,
    rule_file = gate.rule_file })
  if not gate.pass then
    result.outcome, result.reason = "refused", gate.reason
    result.by = gate.rule_file
    return result
  end
  result.outcome = "success"
  for index = 1, #run.names do
    local done = run_rule(run, index)
    table.insert(result.rules, done)
    if done.outcome == "failure" then
      result.outcome, result.failure = "failure", done
      break
    end
  end
  store_trace(run)
  for _, change in ipairs(result.changes) do
    result.reboot = result.reboot or change.reboot
  end
  phone.last_resync = phone.world.now().mono
  return result
end

return cycle
