--- Resyncs of an engine: those that fall due, those that are asked for, and
-- what follows their end.
-- Source: MPP provisioning guide, Resync_Trigger_1, Forced_Resync_Delay,
-- Resync_Periodic, Resync_Error_Retry_Delay; where it is silent, our choice.
local certificates = require "peal.engine.certificates"
local changes = require "peal.engine.changes"
local cycle = require "peal.cycle"
local device = require "peal.device"
local last_resync = require "peal.last_resync"
local parts = require "peal.engine.parts"
local plan = require "peal.engine.plan"
local queue = require "peal.engine.queue"
local say = require "peal.engine.say"

local work = {}

local POLL_S <const> = 10
-- Between two lines on a resync that is held back, s: for the same reason, and
-- for another one, since a rule may name a time in each.
local AGAIN_S <const> = 3600
local ANEW_S <const> = 600

-- May a job run, as far as calls go? It waits for idle lines, but not for
-- longer than Forced_Resync_Delay after it fell due.
local function lines_free(e, job)
  if device.lines_active(e.world.device) == 0 then return true end
  local forced = e.plan and e.plan.forced or 0
  if forced == 0 then return true end
  job.due = job.due or e.world.now().mono
  return e.world.now().mono >= job.due + forced
end

-- One timer for all that waits for idle lines.
local function arm_force(e, job)
  local at = job.due + (e.plan and e.plan.forced or 0)
  local armed = e.timers:get("force")
  if not armed or at < armed.mono then
    e.timers:arm("force", { mono = at })
  end
  e.blocked = true
end

local function remember(e, run)
  e.last = last_resync.remember(e.phone, run.result, run.asked_by)
  if e.last.outcome == "success" then e.last_success = e.last.time end
end

local function tell(e, run)
  local result = run.result
  local failed = result.failure
  say.event(e, "cycle", { cycle = result.cycle, outcome = result.outcome,
    asked_by = run.asked_by, changes = #result.changes,
    revision = result.revision, reboot = result.reboot,
    rule = failed and failed.rule, word = failed and failed.word,
    reason = e.last.reason })
  if failed then
    say.line(e, "resync %d (%s) failed: %s (%s)", result.cycle, run.asked_by,
      e.last.reason, tostring(failed.word))
  else
    say.line(e, "resync %d (%s) ok: %d %s%s", result.cycle, run.asked_by,
      #result.changes, #result.changes == 1 and "change" or "changes",
      result.revision
        and (", revision %d"):format(result.revision) or "")
  end
end

--- Write what is to outlive a power cut. What cannot be written waits on.
function work.keep_now(e)
  local ok, sentence, word = e.keep:flush("engine")
  if not ok then say.once(e, word, "state not kept: " .. sentence) end
end

-- The end of a run of the stored rules: what is counted, what is next.
local function finish(e, job, run)
  local outcome, first = run.result.outcome, not e.ever_synced
  if outcome == "success" then
    e.failures, e.success_seen, e.ever_synced = 0, true, true
    if job.asked_by == "periodic" then e.periods = e.periods + 1 end
  else
    e.failures = e.failures + 1
  end
  for _, change in ipairs(run.result.changes) do
    if change.name == "Resync_Periodic" then e.periods = 0 end
  end
  e.last_outcome = outcome
  e.keep:set("engine", "failures", e.failures)
  e.keep:set("engine", "ever_synced", e.ever_synced and "yes" or nil)
  -- periodic resyncs hang on it, where a start makes none
  if first and e.ever_synced then work.keep_now(e) end
  e.pending = nil
  e.timers:cancel("start")
  e.timers:cancel("gate")
  plan.arm(e, plan.ask(e, outcome, run))
end

-- What became due while a run was under way is covered by it.
local function drop_due(e)
  local now = e.world.now()
  local due = e.timers:get("periodic")
  if due and due.mono <= now.mono then
    plan.arm_delay(e, "periodic", e.plan and e.plan.periodic)
  end
  due = e.timers:get("at")
  if due and due.wall <= now.time then plan.daily_due(e) end
end

local function reboot_after(e, run)
  if run.result.reboot then e.reboot_needed = true end
  if e.reboot_needed and run.result.outcome == "success" then
    e.reboot_needed = false
    e:want_reboot("resync_applied", false)
  end
end

-- What the run itself has changed; the schedule of stored rules is asked at
-- the end anyway.
local function take_changes(e, job, run)
  local names = {}
  for _, change in ipairs(run.result.changes) do names[change.name] = true end
  if next(names) then
    changes.take(e, names, { by = "resync", armed = not job.rule })
  end
end

--- What the end of a run's cycle means for the engine: what is counted, what
-- is next, what its changes bring about.
--   job   asked_by; rule: it was of one rule only
function work.settle(e, job, run)
  remember(e, run)
  drop_due(e)
  if not job.rule then finish(e, job, run) end
  tell(e, run)
  take_changes(e, job, run)
  reboot_after(e, run)
end

-- A run; where somebody wants the next resync on a cassette, with a phone that
-- is recorded (see daemon/record.lua).
local function new_run(e, job)
  local phone = e.phone
  if e.recording then phone = e.recording:phone_for(phone, job) end
  return cycle.new(phone, job)
end

local function recorded(e, job, run)
  if e.recording then e.recording:ended(run, job) end
end

local function begin_run(e, job)
  e.running = { rule = job.rule and "rule" or nil, asked_by = job.asked_by,
    since = math.floor(e.world.now().time) }
  e:show_state()
  e.blocked = false
end

--   before   revision of the store
local function end_run(e, job, run, before)
  work.settle(e, job, run)
  e.running = nil
  queue.answer(job, run.result)
  if e.stopped then return end
  parts.watch(e, run, before)
  parts.upgrade(e, { event = "resync" }, run)
  parts.headset(e, "resync")
end

local function carry_out(e, job, run)
  local before = e.world.store:revision()
  begin_run(e, job)
  cycle.carry_out(run)
  recorded(e, job, run)
  end_run(e, job, run, before)
end

local function held_back(e, reason)
  local p, now = e.pending, e.world.now().mono
  p.phase, p.why = "gate", reason
  local poll = e.plan and e.plan.poll or POLL_S
  e.timers:arm("gate", { mono = now + poll })
  local quiet = p.said_at and now - p.said_at
  if not quiet or quiet >= (p.said == reason and AGAIN_S or ANEW_S) then
    p.said, p.said_at = reason, now
    say.line(e, "resync (%s) held back: %s", p.asked_by, reason)
  end
end

--- Take up the resync that is due, if it may start: trigger, then lines.
-- @treturn boolean has it run?
function work.due(e)
  local p = e.pending
  if not p or p.phase == "random" then return false end
  if p.phase == "gate" and e.timers:get("gate") then return false end
  if p.phase == "lines" and not lines_free(e, p) then
    arm_force(e, p)
    return false
  end
  local run = new_run(e, p)
  local gate = cycle.gate(run)
  if e.pending ~= p or e.stopped then return false end
  if not gate.pass then
    held_back(e, gate.reason)
    return false
  end
  p.why, p.due = nil, p.due or e.world.now().mono
  if not lines_free(e, p) then
    p.phase = "lines"
    arm_force(e, p)
    return false
  end
  carry_out(e, p, run)
  return true
end

-- A plan is carried out, or nothing is.
local function planned_resync(e, job)
  begin_run(e, job)
  local planned, failed = require("peal.dry_run.apply").check(e.phone,
    job.plan, job)
  local run
  local before = e.world.store:revision()
  if planned then run, failed = planned:carry_out() end
  if failed then
    e.running = nil
    say.line(e, "a plan (%s) is %s", job.asked_by, failed.sentence)
    queue.answer(job, { not_applied = failed })
    return true
  end
  end_run(e, job, run, before)
  return true
end

local function resync_request(e, job)
  if not lines_free(e, job) then
    arm_force(e, job)
    job.waits = true
    return false
  end
  if job.plan then return planned_resync(e, job) end
  local run = new_run(e, job)
  if not cycle.gate(run).pass then
    recorded(e, job, run)
    say.line(e, "resync (%s) refused: %s", job.asked_by, run.result.reason)
    queue.answer(job, run.result)
    return true
  end
  carry_out(e, job, run)
  return true
end

local KINDS <const> = {
  resync = resync_request,
  upgrade = parts.upgrade_request,
  updateca = certificates.updateca,
  certificate = certificates.renew,
  report = function(e, job)
    queue.answer(job, parts.report(e, "request", job.asked_by))
    return true
  end,
}

-- An upgrade that waits for idle lines is not tried again until they are.
local function may_try(e, job)
  return not (job.kind == "upgrade" and job.waits
    and device.lines_active(e.world.device) > 0)
end

--- Take up the first request that can be met now.
-- @treturn boolean was there one?
function work.requested(e)
  for i = 1, e.queue.n do
    local job = e.queue[i]
    if may_try(e, job) then
      job.taken = true
      if KINDS[job.kind](e, job) then
        e.queue:remove(job)
        if job.after then job.after() end
        return true
      end
      job.taken, job.waits = false, true
      e.blocked = true
    end
  end
  return false
end

return work
