--- The next resyncs, computed and not armed: by the rules now in force, if
-- each run succeeds; if the last one failed, if each of them fails.
local clock = require "peal.engine.clock"
local context = require "peal.cycle.context"
local plan = require "peal.engine.plan"
local timers = require "peal.engine.timers"

local forecast = {}

-- What is known of the moment that a run ends in.
local function begin(e)
  return { failures = e.failures, periods = e.periods, at_day = e.at_day,
    ever_synced = e.ever_synced, success_seen = e.success_seen,
    last = e.last_outcome }
end

-- The first of what is armed.
local function armed(e)
  local now, first = e.world.now(), nil
  for _, name in ipairs { "start", "periodic", "at", "retry" } do
    local due = e.timers:get(name)
    local left = due and timers.left(due, now)
    if due and (not first or left < first.left) then
      first = { left = left, cause = name == "start" and "boot" or name,
        earliest = due.earliest, latest = due.latest, why = plan.why(e, due) }
    end
  end
  return first
end

local function after(e, seen, cause)
  if seen.last == "failure" then
    seen.failures = seen.failures + 1
  else
    seen.failures, seen.ever_synced, seen.success_seen = 0, true, true
    seen.last = "success"
    if cause == "periodic" then seen.periods = seen.periods + 1 end
  end
  local run = context.new(e.phone, { asked_by = "engine", kind = "schedule" })
  return context.ask(run, "schedule", { event = seen.last, last = seen.last,
    failures = seen.failures, periods = seen.periods,
    success_seen = seen.success_seen, ever_synced = seen.ever_synced })
end

local function daily(e, seen, at, from)
  if not at or not e.world.now().trusted then return nil end
  local base, day = clock.next_daily(e, at.minute, from, seen.at_day)
  return base and { cause = "at", earliest = base,
    latest = base + (at.spread or 0), day = day }
end

local function delayed(cause, delay, last)
  return delay and { cause = cause, earliest = last.earliest + delay.after,
    latest = last.latest + delay.after + (delay.spread or 0) }
end

local function earliest(...)
  local first
  for i = 1, select("#", ...) do
    local one = select(i, ...)
    if one and (not first or one.earliest < first.earliest) then
      first = one
    end
  end
  return first
end

--- The next n. Call it in a task.
-- @treturn table list of { cause =, earliest =, latest =, why = }
function forecast.of(e, n)
  local list, seen = {}, begin(e)
  local one = armed(e)
  local due = e.timers:get("at")
  if due then seen.next_day = due.day end
  while one and #list < n do
    list[#list + 1] = { cause = one.cause,
      earliest = math.floor(one.earliest), latest = math.floor(one.latest),
      why = one.why }
    if one.cause == "at" then seen.at_day = one.day or seen.next_day end
    local answer = after(e, seen, one.cause)
    one = earliest(delayed("retry", answer.retry, one),
      daily(e, seen, answer.at, one.earliest),
      delayed("periodic", answer.periodic, one))
    if one then one.why = answer.reason end
  end
  return list
end

return forecast
