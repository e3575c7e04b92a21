--- The daemon: phones on one loop, from ready to the signal that ends it.
-- While nothing is due it sleeps in the kernel, and nothing wakes it.
local cold = require "peal.daemon.cold"
local json = require "peal.json"
local member = require "peal.daemon.member"
local span = require "peal.span"
local sys = require "peal.sys"
local task = require "peal.task"

local daemon = {}
daemon.__index = daemon

-- Memory is given back when the work is over, but not between two runs that
-- follow each other (our choice).
local TIDY_S <const> = 1
-- What a client says leaves less behind than giving it back costs.
local CLIENT_BYTES <const> = 64 << 10
-- Errors that no phone answers for; more of them are a loop of their own.
local ERRORS_MAX <const> = 100

--- @param options
--   loop     peal.loop
--   json     true: events on stdout, one object a line
--   verbose  true: lines of the control logs on stderr
--   say      function(text) for a person at the terminal
--   engine   module; nil: peal.engine
--   worker   function that tells { pid =, starts = } or nil
function daemon.new(options)
  local self = setmetatable({ loop = options.loop, members = {}, handles = {},
    engine = options.engine, json = options.json, errors = 0,
    verbose = options.verbose, say = options.say, tidied = 0 }, daemon)
  self.host = {
    worker = options.worker or function() end,
    on_event = function(_, event) self:heard(event) end,
    on_log = function(one, text)
      if self.verbose then self.say(("%s: %s"):format(one:mac(), text)) end
    end,
    on_failure = function(one, text)
      self.say(("%s: internal error: %s"):format(one:mac(), text))
    end,
    on_gone = function(bytes)
      if bytes > CLIENT_BYTES then self:tidy() end
    end,
  }
  return self
end

--- A phone to be: its world's functions are there, adopt() it when it is open.
function daemon:member()
  return member.new(self.host)
end

-- The twelve digits, whatever stands between them.
local function digits(mac)
  return (mac:gsub("[^%x]", ""):lower())
end

--- Take a member in, unless another is the same phone.
-- @return[2] nil, sentence
function daemon:add(one)
  for _, other in ipairs(self.members) do
    if other.path == one.path then
      return nil, ("two phones have the store %s"):format(one.path)
    elseif digits(one:mac()) ~= "" and digits(other:mac()) == digits(one:mac())
    then
      return nil, ("two phones have the MAC address %s"):format(one:mac())
    end
  end
  self.members[#self.members + 1] = one
  return true
end

-- --- memory ---

local function collect()
  cold.forget()
  collectgarbage()
  collectgarbage()
  sys.trim()
end

--- What a run has left behind goes as soon as it is over.
function daemon:tidy()
  if self.tidying then return end
  local wait = math.max(0, self.tidied + TIDY_S - sys.monotonic())
  self.tidying = self.loop:timer(wait, function()
    self.tidying = nil
    self.tidied = sys.monotonic()
    collect()
  end)
end

-- --- the service manager ---

-- Texts for sd_notify(3); nobody is told where nobody asked.
local function notify(text)
  if os.getenv("NOTIFY_SOCKET") then sys.notify(text) end
end

local function feed_watchdog(self)
  local seconds = sys.watchdog()
  if not seconds then return end
  local function feed()
    notify("WATCHDOG=1")
    self.handles.watchdog = self.loop:timer(seconds / 2, feed)
  end
  feed()
end

-- "next: resync in 12 s (start)", or nil
local function next_in_words(due)
  return due and ("next: %s in %s (%s)"):format(due.what,
    span(due.in_s), due.cause)
end

--- "1 phone, next: resync in 12 s (start)"
function daemon:summary()
  local first, problems, running = nil, 0, 0
  for _, one in ipairs(self.members) do
    local due, runs = one:next_due()
    if runs then running = running + 1 end
    if due and (not first or due.at < first.at) then first = due end
    if one.problem then problems = problems + 1 end
  end
  local n = #self.members
  local parts = { ("%d %s"):format(n, n == 1 and "phone" or "phones") }
  if problems > 0 then parts[#parts + 1] = problems .. " failed" end
  if running > 0 then
    parts[#parts + 1] = n == 1 and "a resync is under way"
      or running .. " resync now"
  end
  local due = next_in_words(first)
  if due or #parts == 1 then parts[#parts + 1] = due or "nothing is due" end
  return table.concat(parts, ", ")
end

-- --- what is heard ---

function daemon:heard(event)
  if self.json then
    io.stdout:write(json.encode(event), "\n")
    io.stdout:flush()
  end
  if event.event ~= "state" then return end
  if os.getenv("NOTIFY_SOCKET") then
    notify("STATUS=" .. self:summary())
  end
  if event.state ~= "RUN" then self:tidy() end
end

local function on_signal(self, name)
  if name == "HUP" then
    notify("RELOADING=1")
    for _, one in ipairs(self.members) do one:reload("SIGHUP") end
    return notify("READY=1")
  end
  self.why = "SIG" .. name
  self.loop:stop()
end

-- --- from start to end ---

--- Sockets, signals, engines.
-- @return[2] nil, sentence, word
function daemon:start()
  for _, one in ipairs(self.members) do
    local ok, sentence, word = one:listen(self.loop)
    if not ok then return nil, sentence, word end
  end
  self.handles.signals = self.loop:signal({ "TERM", "INT", "HUP" },
    function(name) on_signal(self, name) end)
  self.handles.clock = self.loop:clock_watch(function()
    for _, one in ipairs(self.members) do one:clock_changed() end
  end)
  local engine = self.engine or require "peal.engine"
  for _, one in ipairs(self.members) do one:start(engine) end
  feed_watchdog(self)
  notify("READY=1\nSTATUS=" .. self:summary())
  self.say("ready, " .. self:summary())
  self:tidy()
  return true
end

-- An error outside of all phones' tasks: said, and the others go on. Where
-- memory has run out, tasks have ended in midst of their work: a process that
-- starts anew is the only one to trust.
local function on_error(self, text)
  self.errors = self.errors + 1
  self.say("internal error: " .. text)
  for _, one in ipairs(self.members) do
    one:write("internal error: " .. text)
  end
  if task.is_exhaustion(text) then
    self.why, self.code = "out of memory", 1
  elseif self.errors >= ERRORS_MAX then
    self.why, self.code = "too many internal errors", 1
  end
end

--- Run until a signal ends it.
-- @treturn integer exit code
function daemon:run()
  while not self.why do
    local ok, text = xpcall(self.loop.run, debug.traceback, self.loop)
    if not ok then on_error(self, tostring(text)) end
  end
  self:stop()
  return self.code or 0
end

--- The sockets go, what is under way ends, state is kept.
function daemon:stop()
  notify("STOPPING=1")
  for _, handle in pairs(self.handles) do handle:cancel() end
  self.handles = {}
  for _, one in ipairs(self.members) do one:stop(self.why or "the end") end
end

return daemon
