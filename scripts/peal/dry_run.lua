--- What would the next resync do? A whole cycle over a copy of the phone, and
-- what an engine would do at its end: nothing of it remains.
-- It is the cycle and the engine themselves that run, over the dry world
-- (world/dry.lua); only actions are left out.
local cycle = require "peal.cycle"
local dry = require "peal.world.dry"
local effects = require "peal.dry_run.effects"
local engine = require "peal.engine"
local plan = require "peal.engine.plan"
local timers = require "peal.engine.timers"
local work = require "peal.engine.work"

local dry_run = {}

-- Timers that make a resync due.
local RESYNCS <const> = { "start", "periodic", "at", "retry" }

-- --- the engine that the phone has, or would have ---

-- Its timers, as its status tells of them.
local function arm_as(e, status)
  local now, known = e.world.now(), {}
  for _, due in ipairs(status.next or {}) do
    if due.what == "resync" then known[due.cause] = due end
  end
  plan.rearm(e, plan.ask(e, "change"), {})
  for _, name in ipairs(RESYNCS) do
    local due, armed = known[name], e.timers:get(name)
    if due and name == "at" and armed then
      armed.wall = due.at -- its day and minute are the rule's
      armed.earliest, armed.latest = due.earliest, due.latest
    elseif due then
      e.timers:arm(name, { mono = now.mono + due.at - now.time,
        earliest = due.earliest, latest = due.latest,
        why = name == "start" and due.why or nil })
    else
      e.timers:cancel(name)
    end
  end
end

-- What a start now would arm.
local function arm_by_start(e)
  e.boot_reason = "power_on"
  local answer = plan.ask(e, "boot")
  plan.arm(e, answer)
  if answer.start then plan.arm_start(e, answer.start) end
end

-- An engine that is not started and has no task.
--   about   as of dry_run.cycle(): engine, progress
local function engine_of(phone, about)
  local e = engine.new(phone)
  for key, value in pairs(about.progress or {}) do e[key] = value end
  e.started, e.off = true, not phone:yes("Provision_Enable")
  return e
end

-- The first resync that is scheduled, or nil.
local function next_resync(e)
  local now, first, least = e.world.now(), nil, nil
  for _, name in ipairs(RESYNCS) do
    local due = e.timers:get(name)
    local left = due and timers.left(due, now)
    if left and (not least or left < least) then
      least = left
      first = { cause = name == "start" and "boot" or name,
        earliest = due.earliest and math.floor(due.earliest),
        latest = due.latest and math.floor(due.latest),
        after = math.floor(left), why = plan.why(e, due) }
    end
  end
  return first
end

-- What the schedule would be after a success, by the values as they are.
local function usual(e)
  local failures, synced = e.failures, e.ever_synced
  e.failures, e.ever_synced = 0, true
  local answer = plan.ask(e, "success")
  e.failures, e.ever_synced = failures, synced
  return answer
end

-- What it has armed, and would answer after a success. Another phone is asked:
-- what a rule file says once is not to be said here.
local function look(twin, about)
  local e = engine_of(twin:twin(twin.world), about)
  if e.off then return { timers = e.timers } end
  if about.engine then arm_as(e, about.engine) else arm_by_start(e) end
  return { timers = e.timers, plan = e.plan, next = next_resync(e),
    usual = usual(e) }
end

-- --- the run ---

local function request_of(about)
  return { asked_by = about.asked_by or "cli", rule = about.rule,
    explicit = about.explicit ~= false, prvst = about.prvst or -1 }
end

-- May it start? An engine that is switched off asks nobody.
local function passes(e, run, about)
  if e.off and about.engine then
    run.result.outcome = "refused"
    run.result.reason = "Provision_Enable is No"
    return false
  end
  return cycle.gate(run).pass
end

--- As cycle(), over a phone whose world is a dry one already: it is spent.
function dry_run.over(twin, about)
  local request = request_of(about)
  local e, before = engine_of(twin, about), look(twin, about)
  e.timers, e.plan = before.timers, before.plan
  local run = cycle.new(twin, request)
  local result = run.result
  result.effects, result.phone, result.world = {}, twin, twin.world
  result.schedule = { before = before.next, after = before.next }
  if not passes(e, run, about) then return result end
  cycle.carry_out(run)
  twin.world.decide()
  work.settle(e, request, run)
  result.schedule.after = next_resync(e)
  result.effects = effects.of(e, run, before.usual, usual(e))
  return result
end

--- A cycle over a copy of the phone. Runs in a task.
-- @param phone
--   about.rule        a rule text: only this one; nil: A to D
--   about.asked_by, explicit, prvst   as for cycle.new() (by hand)
--   about.engine      status of the phone's engine; nil: it has none, and the
--                     schedule before is what a start now would make
--   about.progress    what else it knows: failures, periods, success_seen,
--                     last_outcome, at_day, reboot_needed
-- @treturn[1] table as cycle.carry_out(), and effects (see
--   dry_run/effects.lua), schedule { before =, after = } (each nil, or
--   { cause, earliest, latest, after, why }), phone (the copy, as it would
--   be), world (what it has asked, see world/dry.lua)
-- @return[2] nil, sentence, word
function dry_run.cycle(phone, about)
  local store, sentence, word = phone.world.store:copy()
  if not store then return nil, sentence, word end
  return dry_run.over(phone:twin(dry.new(phone.world, store)), about or {})
end

return dry_run
