--- The recorder: a world over another one that writes down what crosses the
-- seam (tape.lua). What runs over it runs as it would without.
--
--   local world, record = recorder.new(inner)
--   ... phone.new { world = world } ...
--   record:bytes()     the tape so far
--   record:sources()   rule sources that were in force, in order
--   record:roots()     what of the world there was from the start
--
-- Keys, identities, TLS sessions and handles of the device go by numbers: the
-- phone has the real ones, the tape has none.
local form = require "peal.world.tape_form"
local marks = require "peal.world.tape_marks"
local tape = require "peal.world.tape"
local task = require "peal.task"

local recorder = {}

local pack, unpack = table.pack, table.unpack

local SYNC <const> = { "random", "entropy", "send", "log", "tell", "sessions",
  "resume", "forget_sessions" }
local SUSPENDS <const> = { "fetch", "resolve", "new_key" }

-- Of these the first result is nobody's business but the world's.
local OPAQUE <const> = { sessions = true, ["device.unseal"] = true,
  ["device.image_begin"] = true }

-- Members of a device that may suspend the task.
local SLOW <const> = { ["device.renew"] = true }

local record = {}
record.__index = record

-- --- what crosses: out as it is, in as a stand-in ---

-- A stand-in for something of the outside; it keeps its number.
local function stand_in(self, value, kind, name)
  local known = self.wrapper[value]
  if known ~= nil then return known end
  local made = value
  if kind == "function" then
    made = self:wrapped(name, value)
  elseif kind == "userdata" then
    made = self:handle(name, value)
  end
  self.wrapper[value] = made
  self.real[made] = value
  return made
end

-- Mark for what the outside gives: with its kind and name the first time.
local function given(self, name)
  local first = OPAQUE[name]
  return function(value, kind)
    local opaque = first and value ~= ""
      and (kind == "string" or kind == "table")
    first = false
    if not opaque and kind ~= "function" and kind ~= "userdata" then
      return nil
    end
    self.crossed = true
    local seen = self.wrapper[value]
    if seen ~= nil then return "o" .. self.outs.of(seen) end
    local id = #self.outs.list + 1
    local title = self.title or ("#%d"):format(id)
    self.outs.take(stand_in(self, value, kind, title))
    return ("o%d %s %s"):format(id, kind, title)
  end
end

-- The same results with stand-ins.
local function replaced(map, value)
  local other = map(value)
  if other ~= nil then return other end
  if type(value) ~= "table" then return value end
  local out = {}
  for key, item in pairs(value) do out[key] = replaced(map, item) end
  return out
end

local function packed_results(self, name, results, title)
  self.crossed, self.title = false, title
  local bytes = form.pack_list(results, given(self, name))
  self.title = nil
  if not self.crossed then return bytes, results end
  return bytes, replaced(function(value)
    return self.wrapper[value]
  end, results)
end

-- A function of the inside that the outside calls.
local function callback(self, fn)
  local known = self.callbacks[fn]
  if known then return known end
  local id = self.ins.take(fn)
  known = function(...)
    local bytes, args = packed_results(self, nil, pack(...))
    self:look()
    self.tape:add("called", id, bytes)
    local results = pack(fn(unpack(args, 1, args.n)))
    self.tape:add("result", self:asked(results))
    self:leave()
    return unpack(results, 1, results.n)
  end
  self.callbacks[fn] = known
  return known
end

-- What was asked, as bytes; and as the outside is to have it.
local function packed_args(self, args)
  self.crossed = false
  local bytes = self:asked(args)
  if not self.crossed then return bytes, args end
  return bytes, replaced(function(value)
    local real = self.real[value]
    if real ~= nil then return real end
    if type(value) == "function" then return callback(self, value) end
    -- an event: whoever it is, it stays itself
    if self.ins.of(value) then return value end
  end, args)
end

function record:asked(args)
  return form.pack_list(args, self.mark)
end

-- --- calls ---

-- Call the outside; what it raises is part of the tape, too.
local function outcome(fn, args)
  local results = pack(pcall(fn, unpack(args, 1, args.n)))
  if results[1] then
    return table.move(results, 2, results.n, 1, { n = results.n - 1 })
  end
  if task.is_exhaustion(results[2]) then error(results[2], 0) end
  return nil, results[2]
end

local function give(results, raised)
  if not results then error(raised, 0) end
  return unpack(results, 1, results.n)
end

-- A function that returns at once.
function record:call(name, fn, title_of)
  return function(...)
    local bytes, args = packed_args(self, pack(...))
    self:leave()
    self.tape:add("call", name, bytes)
    local results, raised = outcome(fn, args)
    if results then
      bytes, results = packed_results(self, name, results,
        title_of and title_of(...))
    else
      bytes = form.pack { raised = tostring(raised) }
    end
    self.tape:add("result", bytes)
    return give(results, raised)
  end
end

-- A function that may suspend the task that calls it.
function record:start(name, fn)
  return function(...)
    local bytes, args = packed_args(self, pack(...))
    self.last_id = self.last_id + 1
    local id = self.last_id
    self:leave()
    self.tape:add("start", name, id, bytes)
    return task.await(function(resume)
      local done = false
      task.spawn(function()
        local results = pack(fn(unpack(args, 1, args.n)))
        self:look()
        bytes, results = packed_results(self, name, results)
        self.tape:add("finish", id, bytes)
        done = true
        resume(unpack(results, 1, results.n))
      end)
      if not done then self.tape:add("yield") end
    end)
  end
end

function record:wrapped(name, fn)
  if SLOW[name] then return self:start(name, fn) end
  return self:call(name, fn)
end

-- A userdata by its methods.
function record:handle(name, real)
  local methods = {}
  return setmetatable(methods, { __index = function(_, key)
    local fn = real[key]
    if fn == nil then return nil end
    local method = self:call(("%s.%s"):format(name, key), function(...)
      return fn(real, ...)
    end)
    methods[key] = function(_, ...) return method(...) end
    return methods[key]
  end })
end

-- --- the store, which others may write ---

local function revision(self)
  local ok, number = pcall(self.store.revision, self.store)
  return ok and number or self.revision
end

-- From here on somebody else may be at it.
function record:leave()
  if self.store then self.revision = revision(self) end
end

-- Back inside: has somebody written?
function record:look()
  if not self.store or revision(self) == self.revision then return end
  self.revision = revision(self)
  local bytes, key = self.store:bytes()
  self.tape:add("store", form.pack { bytes = bytes, key = key })
end

-- --- the world ---

local function is_float(x) return math.type(x) == "float" end

-- The clock is looked at more often than all the rest together.
local function clock(self, now)
  local last
  return function()
    local t = now()
    local steady = last and t.zone == last.zone and t.trusted == last.trusted
      and t.earliest == last.earliest
    if steady and t.time == last.time and t.mono == last.mono
      and math.type(t.time) == math.type(last.time)
      and math.type(t.mono) == math.type(last.mono)
    then
      self.tape:add("same")
    elseif steady and is_float(t.time) and is_float(t.mono) then
      self.tape:add("later", t.time, t.mono)
    else
      self.tape:add("now", form.pack(t))
    end
    last = { time = t.time, mono = t.mono, zone = t.zone,
      trusted = t.trusted, earliest = t.earliest }
    return t
  end
end

-- The files of operators; the factory's are part of the program.
local function operators(sources)
  local out = {}
  for name, source in pairs(sources) do
    if not source.factory then
      out[name] = { text = source.text, path = source.path,
        error = source.error }
    end
  end
  return out
end

-- Sources are one table as long as nothing changes: they go by its number.
local function rules_of(self, rules)
  local numbers = {}
  local number = self:call("rules", function()
    local sources = rules()
    if not numbers[sources] then
      table.insert(self.seen_sources, operators(sources))
      numbers[sources] = #self.seen_sources
      self.by_number[numbers[sources]] = sources
    end
    return numbers[sources]
  end)
  return function() return self.by_number[number()] end
end

-- Members of a device are looked at each time: it may change.
local function device_of(self, inner)
  local look = self:call("device", function(name) return inner.device[name] end,
    function(name) return "device." .. name end)
  return setmetatable({}, { __index = function(_, name)
    return look(name)
  end })
end

local function issue_of(self, inner)
  if not inner.issue then return nil end
  local out = {}
  for name, fn in pairs(inner.issue) do
    if type(fn) == "function" then
      out[name] = self:call("issue." .. name, fn)
    end
  end
  return out
end

local function add_events(self, world, inner, alias)
  local wait = self:start("wait", inner.wait)
  local post = self:call("post", inner.post)
  local function known(event)
    if alias and alias(event) ~= nil then event = alias(event) end
    if type(event) == "table" then self.ins.take(event) end
    return event
  end
  function world.wait(seconds, event) return wait(seconds, known(event)) end
  function world.post(event, ...) post(known(event), ...) end
end

-- What there is from the start goes by the first numbers.
local function add_roots(self, world, inner)
  local trust = inner.trust or {}
  local function root(name, value)
    local bytes, results = packed_results(self, nil, pack(value), name)
    self.root_bytes[name] = bytes
    return results[1]
  end
  world.trust = { anchors = trust.anchors,
    identity = root("identity", trust.identity) }
  world.keyring = root("keyring", inner.keyring)
  self.anchors = trust.anchors
end

local function add_functions(self, world, inner)
  for _, name in ipairs(SYNC) do
    if inner[name] then world[name] = self:call(name, inner[name]) end
  end
  for _, name in ipairs(SUSPENDS) do
    if inner[name] then world[name] = self:start(name, inner[name]) end
  end
  local ask = self:start("ask", inner.ask)
  -- whose values a rule sees is not for the tape: the world's own
  function world.ask(job, overrides) return ask(job, overrides) end
  world.now = clock(self, inner.now)
  world.rules = rules_of(self, inner.rules)
end

--- @param inner   the world to record
-- @tparam[opt] table options alias: function(event) -> the event that others
--   know it by, or nil
-- @treturn table a world
-- @treturn table the record of it
function recorder.new(inner, options)
  local self = setmetatable({ tape = tape.new(), store = inner.store,
    outs = marks.numbers(), ins = marks.numbers(), wrapper = {}, real = {},
    callbacks = {}, last_id = 0, seen_sources = {}, by_number = {},
    root_bytes = {} }, record)
  local mark = marks.asked(self.outs.of, self.ins)
  self.mark = function(value, kind)
    local as = mark(value, kind)
    if as and as:find("^[of]") then self.crossed = true end
    return as
  end
  local world = { store = inner.store, run = inner.run,
    advance = inner.advance }
  add_roots(self, world, inner)
  add_functions(self, world, inner)
  add_events(self, world, inner, options and options.alias)
  world.device = device_of(self, inner)
  world.issue = issue_of(self, inner)
  self:leave()
  return world, self
end

-- --- for who keeps it ---

function record:bytes() return self.tape:bytes() end

function record:count() return self.tape:count() end

--- A phone begins.
function record:power(about)
  self.tape:add("power", form.pack(about))
end

--- Somebody asks the engine for something; answered() is its return.
function record:asks(name, args)
  local bytes = packed_results(self, nil, args)
  self:look()
  self.tape:add("asked", name, bytes)
end

function record:answered()
  self.tape:add("result", form.pack_list { n = 0 })
  self:leave()
end

--- Nothing is written down any more; the world goes on.
function record:stop() self.tape:stop() end

--- The rule files of operators, each time that they were others.
function record:sources() return self.seen_sources end

--- Numbers of what there was from the start, as bytes.
function record:roots() return self.root_bytes end

--- The factory's anchors as DER; nil: there are none, not even an empty set.
function record:anchors_list()
  if not self.anchors then return nil end
  local list = {}
  for i, facts in ipairs(self.anchors:facts()) do list[i] = facts.der end
  return list
end

return recorder
