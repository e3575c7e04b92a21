--- Daemons under test: peal run, waited for by what it says and does.
--
--   local d <close> = daemons.start { phone }
--   d:ask("status")                   over the control socket
--   local s <close> = d:follow()      its events from now on
--   s:wait { event = "cycle", outcome = "success" }
--   d:stop() -> exit code
local outputs = require "support.outputs"
local process = require "support.process"
local program = require "support.program"
local protocol = require "peal.control_protocol"
local task = require "peal.task"

local daemons = {}
local meta = {}
meta.__index = meta

-- A guard against hanging, not a timing.
local GUARD_S <const> = 30

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read("a") or ""
  if file then file:close() end
  return text
end

-- Wait until a file holds a pattern; what it matched.
local function wait_for(path, pattern, p)
  local deadline = process.now() + GUARD_S
  while true do
    local text = read(path)
    local found = text:match(pattern)
    if found then return found end
    if not process.grown(path, #text, deadline - process.now(), p) then
      text = read(path)
      found = text:match(pattern)
      if found then return found end
      error(("%s does not hold %q but:\n%s"):format(path, pattern, text), 3)
    end
  end
end

--- Start a daemon for phones (support.phones); further arguments of the
-- program in `o.options`, its environment in o.env. Returns when it is ready,
-- unless o.at_once.
function daemons.start(o)
  local dir = process.temp_dir()
  local argv = { program.path, "run" }
  for _, phone in ipairs(o) do
    table.move({ "--phone", phone.file }, 1, 2, #argv + 1, argv)
  end
  if #o == 1 then
    table.move({ "--store", o[1].store }, 1, 2, #argv + 1, argv)
  end
  table.move(o.options or {}, 1, #(o.options or {}), #argv + 1, argv)
  if o.wrap then
    argv = table.move(argv, 1, #argv, #o.wrap + 1,
      table.move(o.wrap, 1, #o.wrap, 1, {}))
  end
  local self = setmetatable({ dir = dir, out = dir .. "/out",
    err = dir .. "/err", store = o[1].store, stores = {},
    line = outputs.line(argv) }, meta)
  for i, phone in ipairs(o) do self.stores[i] = phone.store end
  self.process = assert(process.spawn(argv, { stdout = self.out,
    stderr = self.err, env = o.env }))
  if not o.at_once then self:wait_err("peal: ready, ([^\n]*)") end
  return self
end

--- Wait until stderr (stdout) holds a pattern.
function meta:wait_err(pattern)
  return wait_for(self.err, pattern, self.process)
end

function meta:wait_out(pattern)
  return wait_for(self.out, pattern, self.process)
end

--- Wait until the control log holds a pattern.
function meta:wait_log(pattern, store)
  return wait_for((store or self.store) .. "/messages", pattern,
    self.process)
end

function meta:said()
  return read(self.out), read(self.err)
end

function meta:log(store)
  return read((store or self.store) .. "/messages")
end

-- Run the loop until `ready()`, at most the guard's time.
local function run_until(loop, ready, what)
  local late
  local guard = loop:timer(GUARD_S, function()
    late = true
    loop:stop()
  end)
  while not ready() and not late do loop:run(true) end
  guard:cancel()
  if late then error(what(), 3) end
end

local function connect(store)
  local loop = require("peal.loop").new()
  local client = assert(protocol.connect(loop, store .. "/control"))
  return client, loop
end

local function call(client, loop, method, params)
  local results
  task.spawn(function()
    results = table.pack(client:call(method, params))
  end)
  run_until(loop, function() return results end, function()
    return method .. ": no answer"
  end)
  return table.unpack(results, 1, results.n)
end

local function encoded(value)
  if type(value) ~= "table" then return tostring(value) end
  return require("peal.json").encode(value)
end

local function keep_answer(method, results)
  if not outputs.on then return end
  outputs.keep("control socket: " .. method, "answer", encoded(results[1])
    .. " " .. tostring(results[2]))
end

--- Call a method on a connection of its own.
-- @return result | nil, sentence, word
function meta:ask(method, params, store)
  local client, loop = connect(store or self.store)
  local results = table.pack(call(client, loop, method, params))
  client:close()
  keep_answer(method, results)
  return table.unpack(results, 1, results.n)
end

local stream = {}
stream.__index = stream

--- Follow its events.
function meta:follow(store)
  local client, loop = connect(store or self.store)
  local s = setmetatable({ client = client, loop = loop, events = {},
    at = 1 }, stream)
  client.on_event = function(event)
    s.events[#s.events + 1] = event
    if outputs.on then
      outputs.keep("control socket", "event", encoded(event))
    end
  end
  client.on_over = function() s.over = true end
  assert(call(client, loop, "subscribe"))
  return s
end

local function fits(event, want)
  for key, value in pairs(want) do
    if event[key] ~= value then return false end
  end
  return true
end

--- The next event with these fields; those before it are passed over.
function stream:wait(want)
  local found
  local function look()
    while self.events[self.at] and not found do
      local event = self.events[self.at]
      self.at = self.at + 1
      if fits(event, want) then found = event end
    end
    return found or self.over
  end
  run_until(self.loop, look, function()
    local json = require "peal.json"
    return ("no %s among %s"):format(json.encode(want),
      json.encode(json.array(self.events)))
  end)
  return found
end

--- Call a method on this connection: what happened before it has been heard.
function stream:ask(method, params)
  return call(self.client, self.loop, method, params)
end

function stream:close()
  self.client:close()
end
stream.__close = stream.close

--- Wait for the end: exit code, or nil and the signal.
function meta:wait()
  local how, number = self.process:wait(GUARD_S)
  assert(how, "it does not end")
  self.ended = true
  if how == "exited" then return number end
  return nil, number
end

--- End it by a signal (TERM).
function meta:stop(signal)
  self.process:kill(signal or 15)
  return self:wait()
end

function meta:close()
  if not self.ended then
    self.process:kill(9)
    self.process:wait(GUARD_S)
  end
  outputs.keep_file(self.line, "stdout", self.out)
  outputs.keep_file(self.line, "stderr", self.err)
  for _, store in ipairs(self.stores) do
    outputs.keep_store(self.line, store)
  end
  process.remove(self.dir)
end
meta.__close = meta.close

return daemons
