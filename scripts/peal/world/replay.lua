--- The replay: a world that answers from a tape, and insists on it. The same
-- calls are to come, of the same arguments, in the same order; the first one
-- that is another is the divergence, and nothing goes on after it.
--
--   local world, control = replay.new(cassette, store)
--   control:run(fn, ...)    -> true, results | false, divergence
--   control:rest()          nil: nothing is left on the tape; else a divergence
--   control.lines, control.datagrams, control.told
--
-- A divergence is { at = number of the crossing, expected =, got =, sentence };
-- where a function was called with something else, also call (its name) and
-- where (the place in what it was asked).
-- Rule files of operators run for real, in a box; what only a kill has ended
-- is as it was.
local form = require "peal.world.tape_form"
local isolation = require "peal.world.isolation"
local marks = require "peal.world.tape_marks"
local rule_files = require "peal.world.rule_files"
local tape = require "peal.world.tape"
local task = require "peal.task"

local replay = {}

local pack, unpack = table.pack, table.unpack

local SYNC <const> = { "random", "entropy", "send", "log", "tell", "sessions",
  "resume", "forget_sessions", "post" }
local SUSPENDS <const> = { "fetch", "resolve", "wait", "new_key" }
local SLOW <const> = { ["device.renew"] = true }

-- How a decision of a file ended that a box can end as well.
local IN_A_BOX <const> = { ["bad-rule-file"] = true }

-- Raised inside; the divergence is kept beside it.
local DIVERGED <const> = "the replay has diverged"

local control = {}
control.__index = control

-- --- what is said ---

-- Marks as texts that people can tell apart.
local function read_mark(as)
  local kind, rest = as:match("^(.)(%S*)")
  return ("<%s%s>"):format(kind, rest:sub(1, 16))
end

local function arguments(bytes)
  local list, out = form.unpack_list(bytes, read_mark), {}
  for i = 1, list and list.n or 0 do out[i] = form.shown(list[i]) end
  return table.concat(out, ", ")
end

local CALL_MAX <const> = 200

-- Values that were given for one run (of `ask`) are nobody's business.
local function call_text(name, bytes)
  local text = arguments(bytes)
  if name == "ask" then text = text:gsub(", {[^{}]*}$", "") end
  if #text > CALL_MAX then text = text:sub(1, CALL_MAX) .. "..." end
  return ("%s(%s)"):format(name, text)
end

local DESCRIBE <const> = {
  call = function(e) return call_text(e[1], e[2]) end,
  start = function(e) return call_text(e[1], e[3]) end,
  asked = function(e) return "a request: " .. call_text(e[1], e[2]) end,
  finish = function(e) return ("the answer to start %d"):format(e[1]) end,
  yield = function() return "that the task waits" end,
  result = function(e) return ("that it returns (%s)"):format(
    arguments(e[1])) end,
  called = function() return "a call from outside" end,
  store = function() return "a commit by somebody else" end,
  power = function() return "a phone that starts" end,
}

local function describe(entry)
  if not entry then return "nothing more" end
  local fn = DESCRIBE[entry.kind]
  return fn and fn(entry) or "now()"
end

-- Two calls of one function: the first place where they differ.
local function difference(name, was, now)
  local path, one, other = form.difference(form.unpack(was, read_mark),
    form.unpack(now, read_mark))
  if not path or name == "ask" and path:find("^%[2%]") then
    return "what was given", "something", "something else"
  end
  return path:gsub("^%[1%]%.?", ""), one, other
end

function control:diverge(got, expected)
  if not self.diverged then
    local at = self.reader.n + 1
    expected = expected or describe(self.reader:peek())
    self.diverged = { at = at, expected = expected, got = got, sentence =
      ("call %d: recorded was %s; now it is %s"):format(at, expected, got) }
  end
  error(DIVERGED, 0)
end

-- The same function is called with something else.
function control:diverge_in(name, was, now)
  local path, one, other = difference(name, was, now)
  local at = self.reader.n + 1
  self.diverged = self.diverged or { at = at, call = name, where = path,
    expected = one, got = other, sentence =
      ("call %d, %s: %s was %s; now it is %s"):format(at, name,
        path == "" and "its argument" or path, one, other) }
  error(DIVERGED, 0)
end

-- Where code inside has caught the error, it comes again.
local function check_alive(self)
  if self.diverged then error(DIVERGED, 0) end
end

-- --- what crosses ---

local function stub(self, id, kind, name)
  if kind == "function" then return self:wrapped(name) end
  if kind == "userdata" then return self:handle(name) end
  if kind == "table" then return {} end
  return ("(%s %d of the recorded phone)"):format(kind, id)
end

-- What a mark in a result stands for.
local function take_mark(self)
  return function(as)
    local id, kind, name = as:match("^o(%d+) ?(%S*) ?(.*)$")
    id = math.tointeger(tonumber(id))
    if not id then error("damaged", 0) end
    local known = self.outs.list[id]
    if known == nil then
      known = stub(self, id, kind, name)
      self.outs.take(known)
    end
    return known
  end
end

function control:results(bytes)
  local list, sentence = form.unpack_list(bytes, self.take_mark)
  if not list then error(sentence, 0) end
  if list.raised then error(list.raised, 0) end
  return list
end

function control:asked(args)
  return form.pack_list(args, self.mark)
end

-- --- what comes from outside ---

local FROM_OUTSIDE <const> = {}

function FROM_OUTSIDE.finish(self, entry)
  local resume = self.waiting[entry[1]]
  if not resume then self:diverge("a task that does not wait") end
  self.reader:take()
  self.waiting[entry[1]] = nil
  local check = self.checks[entry[1]]
  self.checks[entry[1]] = nil
  if check then check(entry[2]) end
  local results = self:results(entry[2])
  resume(unpack(results, 1, results.n))
end

function FROM_OUTSIDE.called(self, entry)
  local fn = self.ins.list[entry[1]]
  if type(fn) ~= "function" then self:diverge("no such function") end
  self.reader:take()
  local args = self:results(entry[2])
  self:returned(pack(fn(unpack(args, 1, args.n))))
end

function FROM_OUTSIDE.store(self, entry)
  self.reader:take()
  local text = form.unpack(entry[1])
  self.on_store(text)
end

function FROM_OUTSIDE.asked(self, entry)
  self.reader:take()
  self.on_asked(entry[1], self:results(entry[2]))
  self:returned { n = 0 }
end

function FROM_OUTSIDE.power(self, entry)
  self.reader:take()
  self.on_power(form.unpack(entry[1]))
end

-- Something that the inside has not caused.
function control:dispatch(entry, got)
  local fn = entry and FROM_OUTSIDE[entry.kind]
  if not fn then self:diverge(got) end
  fn(self, entry)
  check_alive(self)
end

-- The end of a call from outside: what it returned is to be the same.
function control:returned(results)
  check_alive(self)
  local entry, bytes = self.reader:peek(), self:asked(results)
  if not entry or entry.kind ~= "result" or entry[1] ~= bytes then
    self:diverge(("that it returns (%s)"):format(arguments(bytes)))
  end
  self.reader:take()
end

-- --- calls ---

local function expect(self, kind, name, bytes)
  check_alive(self)
  local entry = self.reader:peek()
  local asked = entry and entry[entry.n - 1]
  if not entry or entry.kind ~= kind or entry[1] ~= name then
    self:diverge(call_text(name, bytes))
  elseif asked ~= bytes then
    self:diverge_in(name, asked, bytes)
  end
  return self.reader:take()
end

function control:call(name)
  return function(...)
    expect(self, "call", name, self:asked(pack(...)))
    while true do
      local entry = self.reader:peek()
      if entry and entry.kind == "result" then break end
      self:dispatch(entry, ("that %s returns"):format(name))
    end
    local results = self:results(self.reader:take()[1])
    return unpack(results, 1, results.n)
  end
end

--   check(args) -> function(bytes of the results), or nil
function control:start(name, check)
  return function(...)
    local args = pack(...)
    local id = expect(self, "start", name, self:asked(args))[2]
    local checked = check and check(args)
    return task.await(function(resume)
      self.waiting[id], self.checks[id] = resume, checked
      while self.waiting[id] do
        local entry = self.reader:peek()
        if entry and entry.kind == "yield" then
          self.reader:take()
          return
        end
        self:dispatch(entry, ("that %s suspends"):format(name))
      end
    end)
  end
end

function control:wrapped(name)
  if SLOW[name] then return self:start(name) end
  return self:call(name)
end

function control:handle(name)
  return setmetatable({}, { __index = function(methods, key)
    local method = self:call(("%s.%s"):format(name, key))
    methods[key] = function(_, ...) return method(...) end
    return methods[key]
  end })
end

-- --- the world ---

local CLOCK <const> = { same = true, later = true, now = true }

local function clock(self)
  local last
  return function()
    check_alive(self)
    local entry = self.reader:peek()
    if not entry or not CLOCK[entry.kind] then self:diverge("now()") end
    self.reader:take()
    if entry.kind == "now" then last = form.unpack(entry[1]) end
    local t = {}
    for key, value in pairs(last) do t[key] = value end
    if entry.kind == "later" then t.time, t.mono = entry[1], entry[2] end
    last = t
    return { time = t.time, mono = t.mono, zone = t.zone,
      trusted = t.trusted, earliest = t.earliest }
  end
end

local function rules_of(self, list)
  local number, known = self:call("rules"), {}
  return function()
    local i = number()
    if not known[i] then
      known[i] = rule_files.read()
      for name, source in pairs(list[i]) do known[i][name] = source end
    end
    return known[i]
  end
end

-- What a kill has ended is as it was; the rest has to come out the same.
local function ask_of(self)
  local box = isolation.box()
  local function check(args)
    local results = pack(box(self.store(), args[2], args[1]))
    return function(bytes)
      local was = form.unpack(bytes)
      if was[1] == nil and not IN_A_BOX[was[3]] then return end
      local now = form.pack_list(results)
      if now == bytes then return end
      self:diverge(("the answer (%s) of %s"):format(arguments(now),
        args[1].path), ("the answer (%s)"):format(arguments(bytes)))
    end
  end
  local ask = self:start("ask", check)
  return function(job, overrides) return ask(job, overrides) end
end

local function add_events(self, world)
  local wait, post = world.wait, world.post
  local function known(event)
    if type(event) == "table" then self.ins.take(event) end
    return event
  end
  function world.wait(seconds, event) return wait(seconds, known(event)) end
  function world.post(event, ...) post(known(event), ...) end
end

-- What was written is kept for who looks at it.
local function add_outputs(self, world)
  local log, tell, send = world.log, world.tell, world.send
  function world.log(text)
    table.insert(self.lines, text)
    return log(text)
  end
  function world.tell(event)
    table.insert(self.told, event)
    return tell(event)
  end
  function world.send(where, bytes)
    table.insert(self.datagrams, { address = where.address,
      port = where.port, bytes = bytes })
    return send(where, bytes)
  end
end

local function add_functions(self, world, cassette)
  for _, name in ipairs(SYNC) do world[name] = self:call(name) end
  for _, name in ipairs(SUSPENDS) do world[name] = self:start(name) end
  world.now = clock(self)
  world.rules = rules_of(self, cassette.sources)
  world.ask = ask_of(self)
  local look = self:call("device")
  world.device = setmetatable({}, { __index = function(_, name)
    return look(name)
  end })
  world.issue = setmetatable({}, { __index = function(_, name)
    return self:call("issue." .. name)
  end })
end

local function add_roots(self, world, cassette, anchors)
  local function root(name)
    return self:results(cassette.roots[name])[1]
  end
  world.trust = { anchors = anchors, identity = root("identity") }
  world.keyring = root("keyring")
end

--- @param cassette   tape, sources, roots; see cassette.lua
-- @tparam table about store: userdata or function that gives the store now;
--   anchors: the factory's, as they were; on_store(text), on_asked(name,
--   args), on_power(about): what else comes from outside
-- @treturn table world
-- @treturn table control
function replay.new(cassette, about)
  local self = setmetatable({ reader = tape.open(cassette.tape),
    outs = marks.numbers(), ins = marks.numbers(), waiting = {}, checks = {},
    lines = {}, datagrams = {}, told = {}, on_store = about.on_store,
    on_asked = about.on_asked, on_power = about.on_power,
    store = about.current }, control)
  self.mark = marks.asked(self.outs.of, self.ins)
  self.take_mark = take_mark(self)
  local world = { store = about.store }
  add_roots(self, world, cassette, about.anchors)
  add_functions(self, world, cassette)
  add_events(self, world)
  add_outputs(self, world)
  function world.run(fn, ...)
    local results = pack(self:run(fn, ...))
    if results[1] then return unpack(results, 2, results.n) end
    error(results[2].sentence, 0)
  end
  return world, self
end

-- An error that no recorded run had: of a damaged tape, or of another program.
local function fallen(self, why)
  if task.is_exhaustion(why) then error(why, 0) end
  local at, text = self.reader.n + 1, why:match("^[^\n]*")
  self.diverged = { at = at, expected = "no error", got = text,
    sentence = ("call %d: an error that was not recorded: %s"):format(at,
      text) }
end

--- Run `fn(...)` as a task until it returns.
-- @treturn[1] boolean true; and its results
-- @treturn[2] boolean false; and the divergence
function control:run(fn, ...)
  local results
  local args = pack(...)
  local ok, why = pcall(function()
    task.spawn(function()
      results = pack(fn(unpack(args, 1, args.n)))
    end)
    while not results do
      check_alive(self)
      self:dispatch(self.reader:peek(), "nothing: everybody waits")
    end
  end)
  if not ok and not self.diverged then fallen(self, tostring(why)) end
  if self.diverged then return false, self.diverged end
  return true, unpack(results, 1, results.n)
end

--- Go on to the end of the tape: what comes from outside makes all the rest.
-- @return as run()
function control:drain()
  return self:run(function()
    while self.reader:peek() do
      self:dispatch(self.reader:peek(), "nothing: everybody waits")
    end
  end)
end

--- What of the tape has not come again: a divergence, or nil.
function control:rest()
  if self.diverged then return self.diverged end
  local ok, why = pcall(function()
    if self.reader:peek() then self:diverge("the end") end
  end)
  if not ok and not self.diverged then fallen(self, tostring(why)) end
  return self.diverged
end

return replay
