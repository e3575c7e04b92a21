--- What rules/schedule.lua answers, and the timers armed by it.
-- The rule names ranges; the dice are thrown here.
local clock = require "peal.engine.clock"
local context = require "peal.cycle.context"
local say = require "peal.engine.say"

local plan = {}

-- A rule that names no time between two runs must not keep the phone busy
-- with nothing else; s (our choice).
local LEAST_S <const> = 1

--- Fields of the schedule stage.
function plan.fields(e, event)
  return { event = event, boot_reason = event == "boot" and e.boot_reason
    or nil, last = e.last_outcome, failures = e.failures,
    periods = e.periods, success_seen = e.success_seen,
    ever_synced = e.ever_synced }
end

--- Ask the schedule stage.
--   run   whose rule files answer; nil: those in force. Called in a task.
function plan.ask(e, event, run)
  run = run or context.new(e.phone, { asked_by = "engine",
    kind = "schedule" })
  run.state = e.phone:timers()
  return context.ask(run, "schedule", plan.fields(e, event))
end

-- A timer some seconds from now.
local function arm_delay(e, name, delay, least)
  if not delay then return e.timers:cancel(name) end
  local spread = delay.spread or 0
  local extra = spread > 0 and e.world.random(0, spread) or 0
  local now = e.world.now()
  local after = math.max(delay.after, least)
  e.timers:arm(name, { mono = now.mono + after + extra, delay = delay,
    earliest = now.time + after, latest = now.time + after + spread })
end

--- Arm a timer from { after, spread }; nil: it is off.
function plan.arm_delay(e, name, delay)
  arm_delay(e, name, delay, LEAST_S)
end

local function same_day(armed, at, here)
  return armed and armed.minute == at.minute and armed.spread == at.spread
    and armed.zone == here
end

-- The daily timer. One that is armed for this already stays as it is, or the
-- dice would be thrown again at each run.
local function arm_daily(e, at)
  if not at then return e.timers:cancel("at") end
  local now = e.world.now()
  if not now.trusted then
    e.timers:cancel("at")
    return say.once(e, "clock", "Resync_At__HHmm_ waits: the clock is not set")
  end
  e.said.clock = nil
  local here = clock.zone(e)
  local armed, spread = e.timers:get("at"), at.spread or 0
  if same_day(armed, at, here) then return end
  -- a phone that starts in the midst of its window has the rest of it
  local base, day = clock.next_daily(e, at.minute, now.time - spread, e.at_day)
  local earliest = math.max(base, math.ceil(now.time))
  local rest = base + spread - earliest
  local extra = rest > 0 and e.world.random(0, rest) or 0
  e.timers:arm("at", { wall = earliest + extra, minute = at.minute,
    spread = at.spread, zone = here, day = day, base = base,
    earliest = earliest, latest = base + spread })
end

-- An operator's rule may mean that there is no next resync, or forget to say
-- when it is.
local function say_nothing_due(e, answer)
  if answer.start or answer.at or answer.periodic or answer.retry then
    e.said.no_time = nil
  elseif answer.rule_file then
    say.once(e, "no_time", ("%s names no time: the next resync is the one "
      .. "that somebody asks for"):format(answer.rule_file))
  end
end

--- Arm what the schedule stage has answered; what it leaves out is off.
function plan.arm(e, answer)
  e.plan = answer
  say_nothing_due(e, answer)
  arm_daily(e, answer.at)
  plan.arm_delay(e, "periodic", answer.periodic)
  plan.arm_delay(e, "retry", answer.retry)
end

--- The wait before the first resync after a start. Its reason stays its own,
-- whatever the stage answers later.
function plan.arm_start(e, delay)
  arm_delay(e, "start", delay, 0)
  e.timers:get("start").why = e.plan and e.plan.reason
end

--- Why is a resync due, by the rule?
--   due   its timer
function plan.why(e, due)
  return due.why or e.plan and e.plan.reason
end

local function same(a, b)
  if not a or not b then return a == b end
  return a.after == b.after and a.spread == b.spread
end

--- Arm only what another answer changes, from now.
--   names   set of parameters that have changed
function plan.rearm(e, answer, names)
  local before = e.plan or {}
  e.plan = answer
  arm_daily(e, answer.at)
  if names.Resync_Periodic or not same(before.periodic, answer.periodic) then
    plan.arm_delay(e, "periodic", answer.periodic)
  end
  if names.Resync_Error_Retry_Delay or not same(before.retry, answer.retry)
  then
    plan.arm_delay(e, "retry", answer.retry)
  end
end

--- The daily resync falls due: its day is over, whatever happens to it, over
-- a restart too.
function plan.daily_due(e)
  local due = e.timers:get("at")
  e.at_day = due.day
  e.keep:set("engine", "at_day", due.day)
  e.keep:flush("schedule")
  e.timers:cancel("at")
  arm_daily(e, e.plan and e.plan.at)
end

local SLACK_S <const> = 60

-- Is the daily timer right still, now that the clock is another? In its window
-- it is, or just behind it: the clocks of a fleet are set together, so that
-- what lies far behind must not fall due now.
local function holds(e, due, now)
  if not due or not now.trusted then return false end
  if now.time >= due.base then return now.time <= due.latest + SLACK_S end
  return clock.next_daily(e, due.minute, now.time, e.at_day) == due.base
end

--- The wall clock was set, forward or back.
function plan.clock_set(e)
  if holds(e, e.timers:get("at"), e.world.now()) then return end
  e.timers:cancel("at")
  arm_daily(e, e.plan and e.plan.at)
end

return plan
