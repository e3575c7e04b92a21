--- A resync that somebody looks at: it stops between its phases, or where a
-- parameter is about to be written, and a prompt opens there.
local shown = require "peal.shown"
local steps = require "peal.explain.steps"

local step = {}

local HELP <const> = "n: next  c: go on  q: leave the run; run, step and "
  .. "trace can be looked at"

local function values_of(store, list)
  local out = {}
  for i, change in ipairs(list) do
    local function value(text)
      return shown.value(store, { name = change.name, text = text,
        type = change.type, secret = change.secret })
    end
    out[i] = { name = change.name, old = value(change.old),
      new = value(change.new), rule = change.rule, line = change.line }
  end
  return out
end

-- The trace as data: without those who are told.
local function data_of(trace)
  local out = {}
  for key, value in pairs(trace) do
    if type(value) ~= "function" then out[key] = value end
  end
  return out
end

-- The run as it may be looked at: without its secrets, nor the way to them.
local function view_of(run)
  local store = run.phone.world.store
  return { asked_by = run.asked_by, explicit = run.explicit,
    cycle = run.trace.cycle, names = run.names, state = run.state,
    changes = values_of(store, run.result.changes),
    refused = run.result.refused, notes = run.result.notes,
    rules = run.result.rules }
end

-- Read and evaluate until it is told how to go on: "next", "go on", "quit".
local function ask(repl)
  while true do
    local line = repl:read("step> ")
    if not line or line == "q" then return "quit" end -- or ^D, ^C
    if line == "" or line == "n" then return "next" end
    if line == "c" then return "go on" end
    local ok, failed = repl:evaluate(line, repl.interactive and 1 or repl.line)
    if ok == nil then
      repl:say("the line is not complete")
    elseif not ok and failed.word == "canceled" then
      error(failed, 0) -- ^C is for all that runs
    elseif not ok then
      repl:say(failed.sentence)
    end
    if repl.over then return "quit" end
    if ok ~= nil then repl:remember(line) end
  end
end

local NAMES <const> = { "run", "step", "trace", "change" }

-- Open a prompt where these names are known.
local function stop(repl, names)
  local env, before = repl.env, {}
  for _, name in ipairs(NAMES) do
    before[name] = rawget(env, name)
    rawset(env, name, names[name])
  end
  local ok, answer = pcall(ask, repl)
  for _, name in ipairs(NAMES) do rawset(env, name, before[name]) end
  if not ok then error(answer, 0) end
  return answer
end

local function stop_at_step(repl, run, one)
  repl:say(steps.last(run.trace.steps))
  return stop(repl, { run = view_of(run), step = one,
    trace = data_of(run.trace) })
end

local function stop_at_change(repl, run, rule, change)
  local one = values_of(run.phone.world.store, { change })[1]
  one.rule = rule
  repl:say(("%s is about to be written by %s, line %d: %q -> %q"):format(
    one.name, rule, one.line or 0, one.old, one.new))
  return stop(repl, { run = view_of(run), trace = data_of(run.trace),
    change = one })
end

--- What a cycle of this session calls: see cycle/context.lua.
--   about.steps   true: stop between the phases
function step.hooks(repl, about)
  about = about or {}
  local session, hooks = repl.session, {}
  local function go_on(answer)
    about.steps = answer == "next" and about.stepping or false
  end
  about.stepping = about.steps
  if about.steps then
    function hooks.on_step(run, one)
      if not about.steps or one.step == "note" then return end
      go_on(session:hold(function() return stop_at_step(repl, run, one) end))
    end
  end
  if next(repl.breaks) then
    function hooks.on_staged(run, rule, changes)
      for _, change in ipairs(changes) do
        if repl.breaks[change.name] then
          go_on(session:hold(function()
            return stop_at_change(repl, run, rule, change)
          end))
        end
      end
    end
  end
  return hooks
end

--- A dry resync, step by step.
function step.run(repl, rule)
  repl:say(HELP)
  local session = repl.session
  local result = session:dry_cycle(rule, step.hooks(repl, { steps = true }))
  if result.left then return repl:say("the run was left") end
  repl:say(("%s, %d %s; nothing was written"):format(result.outcome,
    #result.changes, #result.changes == 1 and "change" or "changes"))
end

return step
