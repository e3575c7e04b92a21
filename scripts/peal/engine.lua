--- When a phone resyncs: the state machine of one phone.
--
--   OFF           Provision_Enable is No
--   IDLE          waiting for a timer
--   RANDOM_WAIT   a boot's resync waits out Resync_Random_Delay
--   GATED         a resync is due, and its trigger is false
--   DEFERRED      a resync is due, and a line is busy
--   RUN           under way
--   REBOOT_WAIT   a reboot is due, and a line is busy
--
-- One task per phone takes what has happened and the timers that are due, does
-- one thing after the other, and waits for the earliest timer. It touches the
-- outside through phone.world only. The functions below may be called from
-- anywhere, schedule() from a task.
-- Source: MPP provisioning guide, "Resync" parameters; where it is silent,
-- our choice.
local certificates = require "peal.engine.certificates"
local changes = require "peal.engine.changes"
local context = require "peal.cycle.context"
local device = require "peal.device"
local forecast = require "peal.engine.forecast"
local history = require "peal.history"
local json = require "peal.json"
local notify = require "peal.engine.notify"
local parts = require "peal.engine.parts"
local plan = require "peal.engine.plan"
local queue = require "peal.engine.queue"
local say = require "peal.engine.say"
local status = require "peal.engine.status"
local task = require "peal.task"
local timers = require "peal.engine.timers"
local work = require "peal.engine.work"

local engine = {}
engine.__index = engine

-- State that moves without a parameter is written this often at most, s.
local FLUSH_S <const> = 3600
-- A device that does not tell about its lines is looked at this often, while
-- something waits for them, s (our choice).
local LINES_S <const> = 10

--- @param phone   see phone.lua
function engine.new(phone)
  local keep = phone.keep
  local last = keep:get("engine", "last")
  return setmetatable({
    phone = phone, world = phone.world, keep = keep,
    timers = timers.new(), queue = queue.new(),
    state = "OFF", since = phone.world.now().time,
    failures = keep:number("engine", "failures") or 0,
    ever_synced = keep:get("engine", "ever_synced") == "yes",
    at_day = keep:number("engine", "at_day"),
    last = last and json.decode(last) or nil,
    last_success = keep:number("engine", "last_success"),
    periods = 0, success_seen = false, off = true,
    happened = { names = {} }, said = {}, seen = {},
  }, engine)
end

--- Something has happened: the task looks at it now, or when it has done what
-- it is at.
function engine:poke()
  self.poked = true
  self.world.post(self)
end

-- --- states ---

local function state_of(e)
  if not e.started then return "OFF" end
  if e.running then return "RUN" end
  if e.reboot then return "REBOOT_WAIT" end
  for i = 1, e.queue.n do
    local job = e.queue[i]
    if job.kind == "resync" and job.waits then return "DEFERRED" end
  end
  local p = e.pending
  if p then
    return p.phase == "random" and "RANDOM_WAIT"
      or p.phase == "lines" and "DEFERRED"
      or p.why and "GATED" or "IDLE"
  end
  return e.off and "OFF" or "IDLE"
end

--- Tell the state where it is another.
function engine:show_state()
  local state = state_of(self)
  if state == self.state then return end
  self.state, self.since = state, self.world.now().time
  local why = state ~= "IDLE" and status.why_not_now(self, {}) or nil
  say.event(self, "state", { state = state, why = why })
end

-- --- what makes a resync due ---

-- $PRVST of a resync that nobody asks for.
local PRVST <const> = { boot = 0, periodic = 1, at = 1, retry = 2, health = 1,
  upgrade = 1 }

--- A resync is due now, unless one is already: that one will do for both.
--   asked_by   "boot", "periodic", "at", "retry", "upgrade", "health"
--   phase      "random": it waits for the start timer first
function engine:request(asked_by, phase)
  if self.off or self.pending then return end
  self.pending = { asked_by = asked_by, prvst = PRVST[asked_by],
    explicit = false, phase = phase or "gate" }
end

--- The phone restarts as soon as all lines are idle.
function engine:want_reboot(reason, cold)
  if self.reboot and self.reboot.reason == "upgrade" then return end
  -- a cold start does for a warm one, not the other way round
  cold = cold or self.reboot and self.reboot.cold or false
  self.reboot = { reason = reason, cold = cold }
end

local DUE <const> = {
  start = function(e)
    if e.pending then e.pending.phase = "gate" end
  end,
  periodic = function(e) e:request("periodic") end,
  retry = function(e) e:request("retry") end,
  gate = function() end, -- it is asked again, since no timer holds it
  force = function() end,
  upgrade = function(e) parts.upgrade(e, { event = "retry" }) end,
  report = function(e, due)
    parts.report(e, "timer", nil, due.timer_for)
  end,
  health = function(e) parts.health(e) end,
  certificates = function(e) certificates.daily(e) end,
  mic = function(e) certificates.retry(e, "mic") end,
  host = function(e) certificates.retry(e, "host") end,
  flush = function(e) work.keep_now(e) end,
}

local function fire(e)
  while not e.stopped do
    local name = e.timers:first_due(e.world.now())
    if not name then return end
    if name == "at" then
      plan.daily_due(e)
      e:request("at")
    else
      local due = e.timers:get(name)
      e.timers:cancel(name)
      DUE[name](e, due)
    end
  end
end

-- --- the boot ---

local function boot(e)
  local reason, left = e.boot_reason, e.keep:get("engine", "pending")
  e.keep:set("engine", "pending", nil)
  say.line(e, "the phone starts (%s)", reason)
  if not e.phone:yes("Provision_Enable") then
    changes.switch_off(e)
  else
    e.off = false
    local answer = plan.ask(e, "boot")
    plan.arm(e, answer)
    if answer.start then
      e:request("boot", "random")
      plan.arm_start(e, answer.start)
    elseif PRVST[left or ""] then
      e:request(left)
    end
  end
  e.boot_upgrade = true
  certificates.boot(e)
  e:show_state()
  parts.report(e, "boot")
  parts.headset(e, "boot")
  parts.health(e)
end

-- The first look for an upgrade comes after the first decision about a resync,
-- not before its random delay: that is for the first contact of all.
local function first_upgrade(e)
  if not e.boot_upgrade then return end
  if e.pending and (e.pending.phase == "random" or not e.pending.why
    and e.pending.phase == "gate") then return end
  parts.upgrade(e, { event = "boot" })
end

-- --- what has happened ---

-- The files are looked at now, so that what is wrong with one is said now.
local function reload(e)
  e.phone.book:reload()
  local run = context.new(e.phone, { asked_by = "engine", kind = "rules" })
  certificates.weaknesses(e) -- a rule file may be one
  if not e.off then plan.rearm(e, plan.ask(e, "change", run), {}) end
end

local function take_happened(e)
  local happened = e.happened
  e.happened = { names = {} }
  if happened.boot then boot(e) end
  if happened.reload then reload(e) end
  if happened.clock and not e.off then plan.clock_set(e) end
  if next(happened.names) then
    changes.take(e, happened.names, { user = happened.user })
  end
  for _, event in ipairs { "address", "clock", "terminal" } do
    if happened[event] then certificates.happened(e, event) end
  end
  if happened.registration then parts.health(e) end
  if happened.headset then parts.headset(e, "attach") end
  if happened.choice then
    parts.headset_choice(e, happened.choice)
  end
  if e.phone.headset_waits and device.lines_active(e.world.device) == 0 then
    parts.headset(e, "idle")
  end
  if e.upgrade_waits and device.lines_active(e.world.device) == 0 then
    parts.upgrade(e, { event = "idle" })
  end
end

-- --- reboots ---

local function reboot(e)
  local wanted = e.reboot
  if not wanted or device.lines_active(e.world.device) > 0 then
    return false
  end
  e.reboot = nil
  local d = e.world.device
  if not d.reboot then
    say.note(e, "no-reboot", ("a reboot is due (%s), and the device has no "
      .. "function for it"):format(wanted.reason))
    return true
  end
  say.event(e, "reboot", { reason = wanted.reason, cold = wanted.cold })
  say.line(e, "reboot (%s%s)", wanted.reason, wanted.cold and ", cold" or "")
  e.keep:set("engine", "boot_reason", wanted.reason)
  -- a resync that is due, and has not run, is due after the reboot as well
  e.keep:set("engine", "pending", e.pending and e.pending.asked_by)
  history.add(e.phone, "reboot", { reason = wanted.reason })
  e.keep:flush("reboot")
  e.queue:refuse(nil, "the phone restarts")
  e.stopped = true -- a simulated phone starts anew within the call
  local ok, sentence = d.reboot(wanted.reason, wanted.cold)
  if ok == nil and sentence then
    e.stopped = false
    e.keep:set("engine", "boot_reason", nil)
    e.keep:set("engine", "pending", nil)
    say.note(e, "no-reboot", "the phone cannot be rebooted: " .. sentence)
  end
  return true
end

-- --- the task ---

local function arm_flush(e)
  if not e.keep:dirty() then
    e.timers:cancel("flush")
  elseif not e.timers:get("flush") then
    e.timers:arm("flush", { mono = e.world.now().mono + FLUSH_S })
  end
end

-- Do what can be done now; true: there may be more.
local function step(e)
  take_happened(e)
  fire(e)
  e.blocked = false
  e.timers:cancel("force")
  certificates.first(e)
  if e.stopped or work.requested(e) or e.stopped or work.due(e) then
    return true
  end
  first_upgrade(e)
  return reboot(e)
end

local function until_next(e)
  local left = e.timers:next(e.world.now())
  local waits = e.blocked or e.reboot or e.upgrade_waits
    or e.phone.headset_waits
  if waits and not e.world.device.subscribe then
    return math.min(left or LINES_S, LINES_S)
  end
  return left
end

local function run(e)
  while not e.stopped do
    e.poked = false
    local more = step(e)
    if not e.stopped then
      e:show_state()
      arm_flush(e)
      if not more and not e.poked then
        e.world.wait(until_next(e), e)
      end
    end
  end
  e.timers:clear()
  e.keep:flush("stop")
end

-- --- for everybody ---

local DEVICE <const> = { lines = true, registration = true, headset = true,
  address = true, terminal = true }

--- Begin.
--   reason   of the boot, see stages/schedule.lua; nil: what the engine asked
--            for when it rebooted the phone, else "power_on"
function engine:start(reason)
  local asked = self.keep:get("engine", "boot_reason")
  self.boot_reason = reason or asked or "power_on"
  if asked then self.keep:set("engine", "boot_reason", nil) end
  self.started = true
  self.phone.booted = self.world.now().mono
  self.happened.boot = true
  local subscribe = self.world.device.subscribe
  if subscribe then
    subscribe(function(kind)
      if kind == "clock" then return self:clock_changed() end
      if not DEVICE[kind] or self.stopped then return end
      self.happened[kind] = true
      self:poke()
    end)
  end
  task.spawn(run, self)
end

-- A request into the queue.
local function add(e, job)
  if e.stopped or not e.started then
    return nil, "the engine does not run", "bad-state"
  end
  local ok, sentence, word = e.queue:add(job)
  if ok then e:poke() end
  return ok, sentence, word
end

--- Ask for a resync.
--   about.by     "cli", "url", "notify", "web" ...
--   about.rule   a rule for this once; nil: the stored ones
--   about.role   "user" is stopped by User_Configurable_Resync
--   about.plan   exactly this, or nothing: see dry_run/plan_file.lua
--   about.done   function(result) at its end: as cycle.carry_out() returns it,
--                or { outcome = "refused", reason = }; of a plan that is no
--                more what it was { not_applied = failure }
-- @treturn[1] boolean true
-- @return[2] nil, sentence, "refused", "busy" or "bad-state"
function engine:resync(about)
  if not self.phone:yes("Provision_Enable") then
    return nil, "Provision_Enable is No", "refused"
  end
  if about.role == "user" and not self.phone:yes("User_Configurable_Resync")
  then
    return nil, "User_Configurable_Resync is No", "refused"
  end
  local job = { kind = "resync", asked_by = about.by or "request",
    explicit = true, prvst = -1, rule = about.rule, done = about.done,
    plan = about.plan, due = self.world.now().mono, reboot = about.reboot }
  if about.reboot then
    job.after = function() self:want_reboot(about.reboot, true) end
  end
  return add(self, job)
end

--- Ask for an upgrade; waits for idle lines.
--   about.url    a rule for this once; nil: Upgrade_Rule
function engine:upgrade(about)
  if not self.phone:yes("Upgrade_Enable") then
    return nil, "Upgrade_Enable is No", "refused"
  end
  return add(self, { kind = "upgrade", asked_by = about.by or "request",
    url = about.url, done = about.done })
end

--- Ask for a CA bundle from a URL, for this once; Custom_CA_Rule stays as it
-- is.
--   about.url
function engine:updateca(about)
  return add(self, { kind = "updateca", asked_by = about.by or "request",
    url = about.url, done = about.done })
end

--- Ask for new certificates.
--   about.what   "mic": the phone's own; "host": root and host certificate for
--                terminals
--   about.force  true: now, whatever their dates
function engine:certificate(about)
  return add(self, { kind = "certificate", asked_by = about.by or "request",
    what = about.what, force = about.force, done = about.done })
end

--- Ask for a report.
function engine:report(about)
  return add(self, { kind = "report", asked_by = about.by or "request",
    done = about.done })
end

--- A SIP NOTIFY; see engine/notify.lua.
function engine:notify(event, params, line, authenticated)
  return notify.take(self, event, params, line, authenticated)
end

--- Parameters were changed outside of a resync.
--   names   list
--   by      "user": a person at the phone or its web page
function engine:changed(names, by)
  for _, name in ipairs(names) do self.happened.names[name] = true end
  if by == "user" then self.happened.user = true end
  self:poke()
end

--- The wall clock was set.
function engine:clock_changed()
  self.happened.clock = true
  self:poke()
end

--- The rule files are read anew.
function engine:reload()
  self.happened.reload = true
  self:poke()
end

--- Nothing begins any more; what is under way comes to its end.
function engine:stop()
  if self.stopped then return end
  self.stopped = true
  self.timers:clear()
  self.queue:refuse(nil, "the engine stops")
  self.keep:flush("stop")
  self:poke()
end

--- How it stands, as plain data: state, since, phone, cycle, revision, last,
-- last_success, running, queued, next, why_not_now, lines_active, upgrade,
-- health, rules, trust.
function engine:status()
  return status.of(self)
end

--- The next n resyncs: { cause, earliest, latest, why }, see forecast.lua.
function engine:schedule(n)
  return forecast.of(self, n)
end

return engine
