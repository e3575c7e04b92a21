--- What an engine does besides resyncs: upgrades, headsets, reports, health.
-- Each part decides by its own rule file and answers at once or suspends; here
-- is when they are asked and what becomes of their answers.
-- Source: MPP provisioning guide, Upgrade_Rule ("when"), Report_To_Server,
-- Resync_After_Upgrade_Attempt; the order is our choice.
local context = require "peal.cycle.context"
local headset = require "peal.headset"
local health = require "peal.health"
local plan = require "peal.engine.plan"
local queue = require "peal.engine.queue"
local report = require "peal.report"
local say = require "peal.engine.say"
local upgrade = require "peal.upgrade"

local parts = {}

-- A run for a part; the rule files are those of the resync it follows, if any.
local function new_run(e, kind, asked_by, run)
  return context.new(e.phone, { rules = run and run.rules or nil,
    asked_by = asked_by, explicit = asked_by ~= "engine", kind = kind })
end

-- Has a note of the run said so already?
local function is_said(run, reason)
  for _, note in ipairs(run.result.notes) do
    if reason and note.text:find(reason, 1, true) then return true end
  end
end

local function tell(e, run, result)
  local kind = run.trace.kind
  e.seen[kind] = result
  if not result or result.outcome == "none" then return end
  say.event(e, kind, { outcome = result.outcome, reason = result.reason,
    word = result.word, err = result.err })
  local again = result.outcome == "waiting" and e.said[kind] == "waiting"
  if not again and not is_said(run, result.reason) then
    say.line(e, "%s: %s%s", kind, result.outcome,
      result.reason and ": " .. result.reason or "")
  end
  e.said[kind] = result.outcome
end

-- Rules may assign parameters as they decide.
local function assigned(e, run)
  local names = {}
  for i, change in ipairs(run.result.changes) do names[i] = change.name end
  if #names > 0 then e:changed(names, run.trace.kind) end
end

-- What an attempt to upgrade leads to: a reboot, another attempt, a resync.
local function after_upgrade(e, result)
  if result.outcome == "failed" then
    plan.arm_delay(e, "upgrade", result.retry)
  elseif result.outcome == "done" then
    e.timers:cancel("upgrade")
  end
  if result.reboot then
    e:want_reboot("upgrade", false)
  elseif result.attempted and e.phone:yes("Resync_After_Upgrade_Attempt") then
    e:request("upgrade")
  end
end

-- A load that waits for its reboot is not written over by another.
local function boots_first(e, about)
  if not e.reboot or e.reboot.reason ~= "upgrade" then return nil end
  return { outcome = about.event == "request" and "waiting" or "none",
    reason = "the phone is to boot the load that it has taken first" }
end

--- Ask about an upgrade.
--   about   event, url; asked_by
--   run     the resync that it follows, or nil
-- @treturn table the result
function parts.upgrade(e, about, run)
  e.boot_upgrade = false
  local waits = boots_first(e, about)
  if waits then
    e.upgrade_waits = false
    return waits
  end
  if about.event == "retry" then e.timers:cancel("upgrade") end
  about.retry_due = e.timers:get("upgrade") == nil
  e.activity = "upgrade"
  local own = new_run(e, "upgrade", about.asked_by or "engine", run)
  local result = upgrade.consider(e.phone, own, about)
  e.activity = nil
  if about.event ~= "request" then
    e.upgrade_waits = result.outcome == "waiting"
  end
  tell(e, own, result)
  assigned(e, own)
  after_upgrade(e, result)
  return result
end

--- The same for somebody's request: true when it is over, false while lines
-- are busy.
function parts.upgrade_request(e, job)
  local result = parts.upgrade(e, { event = "request", url = job.url,
    asked_by = job.asked_by })
  if result.outcome == "waiting" then return false end
  queue.answer(job, result)
  return true
end

--- Ask about a report. (What it uploads, it tells itself.)
function parts.report(e, event, asked_by, timer_for)
  e.activity = "report"
  local run = new_run(e, "report", asked_by or "engine")
  local result = report.consider(e.phone, run,
    { event = event, timer_for = timer_for })
  e.activity = nil
  assigned(e, run)
  plan.arm_delay(e, "report", result.again)
  local timer = e.timers:get("report")
  if timer then timer.timer_for = event end
  return result
end

--- Ask about the headset's firmware. What the user chooses comes back as
-- something that has happened.
function parts.headset(e, event)
  e.activity = "headset"
  local run = new_run(e, "headset", "engine")
  tell(e, run, headset.consider(e.phone, run, { event = event,
    answer = function(choice)
      e.happened.choice = choice
      e:poke()
    end }))
  e.activity = nil
end

--- The user has chosen: now or later.
function parts.headset_choice(e, choice)
  e.activity = "headset"
  local run = new_run(e, "headset", "user")
  tell(e, run, headset.answer(e.phone, run, choice))
  e.activity = nil
end

local function after_health(e, run, result)
  tell(e, run, result)
  plan.arm_delay(e, "health",
    result.after and { after = result.after } or nil)
  if result.resync then e:request("health") end
  if result.outcome ~= "undone" then return end
  e:changed(result.names or {}, "health")
  if result.reboot then e:want_reboot("resync_applied", false) end
end

--- A resync has changed something: watch the phone from now on.
function parts.watch(e, run, before)
  local result = run.result
  if #result.changes == 0 then return end
  local committed = { revision_before = before, revision = result.revision,
    changes = result.changes, profiles = {} }
  for _, done in ipairs(result.rules) do
    if done.hash then
      table.insert(committed.profiles, { rule = done.rule, url = done.url,
        hash = done.hash, mark = done.mark, changes = done.changes })
      committed.rule, committed.url = done.rule, done.url
      committed.hash = done.hash
    end
  end
  health.begin(e.phone, run, committed)
  parts.health(e)
end

--- Is the phone well? Asked while something is watched.
function parts.health(e)
  local run = new_run(e, "health", "engine")
  after_health(e, run, health.consider(e.phone, run))
end

return parts
