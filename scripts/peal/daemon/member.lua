--- One phone of a daemon: its engine, its control log, its socket.
-- Nothing that goes wrong here reaches the other phones.
local control_log = require "peal.world.control_log"
local methods = require "peal.daemon.methods"
local protocol = require "peal.control_protocol"
local sys = require "peal.sys"
local task = require "peal.task"

local member = {}
member.__index = member

--- @param host  what phones share: on_event(member, event), on_log(member,
--   text), on_failure(member, text), on_gone(bytes) for clients, worker()
function member.new(host)
  local self = setmetatable({ host = host, started = sys.time(), pace = {} },
    member)
  --- Functions of the phone's world, see world/live.lua.
  self.log_line = function(text) self:write(text) end
  self.tell_event = function(event) self:tell(event) end
  return self
end

--- Take over what session.open() has made with log_line and tell_event.
--   boot   reason of the boot, or nil: the engine knows
function member:adopt(open, boot)
  self.boot = boot
  self.open, self.phone, self.store = open, open.phone, open.store
  self.schema, self.path = open.schema, open.store_path
  self.now = open.world.now
  self.log = control_log.new(open.store_path)
  --- Suspends until something happens.
  self.next_event = function() open.world.wait(1, self) end
  local device = open.world.device
  if device.simulated then
    device.on_reboot = function() self:reboot() end
  end
end

function member:mac()
  return self.phone.identity.MAC or ""
end

--- A line of the control log.
function member:write(text)
  if not self.log then return end
  self.log:write(text, self.now())
  self.host.on_log(self, text)
end

--- An event for whoever follows this phone.
function member:tell(event)
  local out = { phone = self:mac() }
  for key, value in pairs(event) do out[key] = value end
  if self.server then self.server:tell(out) end
  self.host.on_event(self, out)
  if self.open then self.open.world.post(self) end
end

-- The first line of an error with a traceback.
local function first_line(text)
  return text:match("^[^\n]*")
end

--- An error that nobody has caught: this phone does nothing any more.
function member:fail(text)
  self:write("internal error: " .. text)
  self.host.on_failure(self, text)
  if self.problem then return end
  self.problem = first_line(text)
  local ok, why = pcall(self.engine.stop, self.engine)
  if not ok then self:write("internal error: " .. tostring(why)) end
  self:tell { event = "failed", time = math.floor(sys.time()),
    text = self.problem }
  if self.recording then
    self.recording:fail("the phone's engine has stopped: " .. self.problem,
      "bad-state")
  end
end

--- Listen on the socket.
-- @return[2] nil, sentence, word
function member:listen(loop)
  -- made at each call: while nobody asks, there are none
  local known = setmetatable({}, {
    __index = function(_, name) return methods.of(self)[name] end,
    __pairs = function() return pairs(methods.of(self)) end })
  local server, sentence, word = protocol.serve(loop, self.path .. "/control",
    known, function(text)
      self:write("internal error in a client's call: " .. text)
      self.host.on_failure(self, text)
    end, self.host.on_gone)
  if not server then return nil, sentence, word end
  self.server = server
  return true
end

--- Begin.
--   engine   module, as peal.engine
function member:start(engine)
  self:write(("peal %s starts, process %d"):format(sys.versions().peal,
    sys.pid()))
  self.module = engine
  self:power_on(self.boot)
end

--- An engine for the phone as it is now.
--   reason   of the boot; nil: the engine knows
function member:power_on(reason)
  self.engine = self.module.new(self.phone)
  self.engine.recording = self.recording -- of the resync that is next
  task.guarded(function(text) self:fail(text) end, function()
    self.engine:start(reason)
  end)
end

-- The simulated phone is up again.
local function come_up(self)
  local open = self.open
  self.booting = nil
  open.phone = require("peal.daemon.reboot").phone(open)
  self.phone = open.phone
  local load = self.phone.identity.SWVER
  self:write(("the simulated phone is up again%s"):format(
    load and ", with the load " .. load or ""))
  self:tell { event = "boot", time = math.floor(self.now().time),
    SWVER = load }
  self:power_on()
end

--- The simulated phone reboots. Its engine is at the end of its work, and has
-- written what it keeps; sockets and who listens there stay.
function member:reboot()
  local seconds = require("peal.daemon.reboot").wait(self.pace,
    self.now().mono)
  self.booting = true
  if seconds > 0 then
    self:write(("it has rebooted again: up in %d s"):format(seconds))
  end
  task.guarded(function(text) self:fail(text) end, function()
    self.open.world.wait(seconds) -- at once: when the old engine has ended
    if not self.ended and not self.problem then come_up(self) end
  end)
end

--- The wall clock was set.
function member:clock_changed()
  if not self.problem and not self.booting then
    self.engine:clock_changed()
  end
end

--- Rule files are read anew.
--   who   asked for it
function member:reload(who)
  if self.problem then return end
  self:write("rules are read anew, as " .. who .. " asked")
  self.engine:reload()
end

--- Who answers here.
function member:about()
  return { pid = sys.pid(), version = sys.versions().peal,
    store = self.path, phone = self:mac(),
    started = math.floor(self.started) }
end

--- How it stands: the engine's status, and what the daemon knows.
function member:status()
  local ok, out = pcall(self.engine.status, self.engine)
  if not ok then out = { state = "FAILED", why_not_now = tostring(out) } end
  if self.booting then
    out.state, out.why_not_now, out.next = "OFF", "the phone reboots", nil
  end
  if self.problem then
    out.state, out.why_not_now = "FAILED", self.problem
    out.next, out.problem = nil, self.problem
  end
  out.daemon = self:about()
  out.worker = self.host.worker()
  return out
end

--- The next of what is scheduled, or nil; and whether a resync runs.
function member:next_due()
  if self.booting then return nil end
  local ok, status = pcall(self.engine.status, self.engine)
  if not ok then return nil end
  return status.next[1], status.state == "RUN"
end

--- No more work; the socket goes, the state is kept, the store let go.
function member:stop(why)
  self.ended = true
  if self.engine and not self.problem then
    local ok, text = pcall(self.engine.stop, self.engine)
    if not ok then self:write("internal error: " .. text) end
  end
  if self.server then self.server:close() end
  self.server = nil
  self:write("stopped: " .. why)
  self.store:close()
end

return member
