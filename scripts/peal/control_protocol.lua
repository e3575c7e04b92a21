--- What a daemon and its clients say to each other: one JSON object a line.
--
--     { id, method, params }   ->  { id, result }  or
--                                  { id, error = { word, sentence, place,
--                                                  next } }
--     { id, cancel = true }        that call is answered "canceled"
--     { event, ... }               for who has subscribed
--
-- What cannot be understood is answered with an error (id null where none was
-- read), and the connection goes on. Calls may be answered in another order.
-- The lines themselves are peal.control's matter: a socket that only its
-- owner's processes reach.
local json = require "peal.json"
local sorted = require "peal.sorted"
local task = require "peal.task"
local visible = require "peal.visible"

local protocol = {}

-- Our choice: a person's tools ask one thing at a time.
local LINE_MAX <const> = 1 << 20
local ASKED_MAX <const> = 256 << 10 -- reading more would keep others waiting
local CALLS_MAX <const> = 16
local WAITING_MAX <const> = 1000
local WAITING_BYTES_MAX <const> = 2 << 20
local ID_MAX <const> = 100
-- The loop reads what has come when no timer is due any more: between two
-- rounds of lines there has to be a moment.
local NEXT_S <const> = 0.001

local function is_object(value)
  return type(value) == "table" and getmetatable(value) == nil
end

local function is_id(id)
  return type(id) == "string" and #id <= ID_MAX
    or math.type(id) == "integer"
end

-- A frame as a line; what does not fit is an error of its own.
local function encode(frame)
  local ok, text = pcall(json.encode, frame)
  if ok and #text <= LINE_MAX then return text end
  if not ok and task.is_exhaustion(text) then error(text, 0) end
  return json.encode { id = frame.id or json.null, error = { word = "limit",
    sentence = ok and "the answer is longer than a line may be"
      or "the answer is no plain data" } }
end

-- --- the daemon's side ---------------------------------------------------

local session = {}
session.__index = session

-- Who cannot be answered, for want of memory, must not wait for ever.
local function send(self, frame)
  if not self.peer then return end
  local ok, sent, failed = pcall(function()
    return self.peer:send(encode(frame))
  end)
  if not ok or failed then self:close() end
  if not ok then error(sent, 0) end
end

local function refuse(self, id, sentence, word, place, next_step)
  send(self, { id = id or json.null, error = { word = word or "internal",
    sentence = sentence, place = place, next = next_step } })
end

local function answer(self, call, result, ...)
  if self.calls[call.id] ~= call then return end
  self.calls[call.id] = nil
  self.under_way = self.under_way - 1
  if result == nil then return refuse(self, call.id, ...) end
  send(self, { id = call.id, result = result })
end

-- The call that a frame asks for, or nil, sentence, word.
local function call_of(self, frame)
  local fn = type(frame.method) == "string" and self.methods[frame.method]
  if not fn then
    return nil, ("no such method: %s; there are: %s"):format(
      type(frame.method) == "string" and visible.line(frame.method, 60)
        or "(no name)", table.concat(sorted.keys(self.methods), ", ")),
      "not-found"
  elseif frame.params ~= nil and not is_object(frame.params) then
    return nil, "params is no object", "invalid"
  elseif self.calls[frame.id] then
    return nil, "a call with this id is under way", "exists"
  elseif self.under_way >= CALLS_MAX then
    return nil, ("more than %d calls at once"):format(CALLS_MAX), "limit"
  end
  return { id = frame.id, fn = fn, session = self }
end

local function begin(self, call, params)
  self.calls[call.id] = call
  self.under_way = self.under_way + 1
  task.guarded(function(text)
    self.failed(text)
    answer(self, call, nil, "the daemon failed at this; its log says how",
      "internal")
  end, function() answer(self, call, call.fn(params, call)) end)
end

local function cancel(self, id)
  local call = self.calls[id]
  if not call then return end
  answer(self, call, nil, "canceled", "canceled")
  if call.on_cancel then call.on_cancel() end
end

local function take(self, line)
  if #line > ASKED_MAX then
    return refuse(self, nil, ("longer than %d bytes"):format(ASKED_MAX),
      "limit")
  end
  local frame, sentence = json.decode(line)
  if not is_object(frame) then
    return refuse(self, nil, sentence or "not a JSON object", "invalid")
  elseif not is_id(frame.id) then
    return refuse(self, nil, "an id is missing: a whole number, or a text of "
      .. ID_MAX .. " bytes at most", "invalid")
  elseif frame.cancel then
    return cancel(self, frame.id)
  end
  local call, why, word = call_of(self, frame)
  if not call then return refuse(self, frame.id, why, word) end
  begin(self, call, frame.params or {})
end

-- One frame a turn: who sends many does not keep others waiting.
local function turn(self)
  local line = self.waiting[self.first]
  self.waiting[self.first] = nil
  self.first = self.first + 1
  self.bytes = self.bytes - #line
  if self.first <= self.last then
    self.later(function() turn(self) end)
  end
  if self.peer then take(self, line) end
end

local function enqueue(self, line)
  self.last = self.last + 1
  self.waiting[self.last] = line
  self.bytes, self.taken = self.bytes + #line, self.taken + #line
  local count = self.last - self.first + 1
  if count > WAITING_MAX or self.bytes > WAITING_BYTES_MAX then
    refuse(self, nil, "too many lines at once", "limit")
    self:close()
  elseif count == 1 then
    self.later(function() turn(self) end)
  end
end

--- Hand out a line to a peer that has subscribed.
function session:tell(line)
  if self.subscribed and self.peer then self.peer:send(line) end
end

function session:close()
  local peer = self.peer
  self.peer = nil
  if peer then peer:close() end
  self.over(self)
end

--- Answer a peer.
--   peer      of peal.control: accept, send, close
--   methods   name -> fn(params, call) -> result | nil, sentence, word, place,
--             next step; each call is a task; call.session, call.on_cancel
--   options   later(fn): calls fn at the next turn of the loop; failed(text):
--             told of errors in methods; over(session)
function protocol.attach(peer, methods, options)
  local self = setmetatable({ peer = peer, methods = methods, calls = {},
    under_way = 0, waiting = {}, first = 1, last = 0, bytes = 0, taken = 0,
    later = options.later, failed = options.failed or function() end,
    over = options.over or function() end }, session)
  peer:accept(function(line)
    if self.peer then enqueue(self, line) end
  end, function()
    self.peer = nil
    self.over(self)
  end)
  return self
end

local server = {}
server.__index = server

-- One line of each client that has some. Where there is no memory, the task
-- that wanted some has ended in midst of its work: that is for the loop.
local function round(self, loop)
  local list, exhausted = self.due, nil
  self.due = {}
  for _, fn in ipairs(list) do
    local ok, text = pcall(fn)
    if not ok and task.is_exhaustion(text) then exhausted = text end
    if not ok and not exhausted then self.failed(tostring(text)) end
  end
  self.armed = #self.due > 0
  if self.armed then
    loop:timer(NEXT_S, function() round(self, loop) end)
  end
  if exhausted then error(exhausted, 0) end
end

local function later(self, loop, fn)
  table.insert(self.due, fn)
  if self.armed then return end
  self.armed = true
  loop:timer(0, function() round(self, loop) end)
end

--- Listen at `path` for as long as server:close() is not called.
--   gone(bytes)   a client has gone, who said that much
-- @return[2] nil, sentence, word
function protocol.serve(loop, path, methods, failed, gone)
  local self = setmetatable({ sessions = {}, due = {},
    failed = failed or function() end }, server)
  local options = { failed = failed,
    later = function(fn) later(self, loop, fn) end,
    over = function(one)
      self.sessions[one] = nil
      if gone then gone(one.taken) end
    end }
  local listening, sentence, word = require("peal.control").listen(loop, path,
    function(peer)
      self.sessions[protocol.attach(peer, methods, options)] = true
    end)
  if not listening then return nil, sentence, word end
  self.listening = listening
  return self
end

--- Tell every subscriber.
--   event   plain data with a field `event`
function server:tell(event)
  local line
  for one in pairs(self.sessions) do
    if one.subscribed then
      line = line or encode(event)
      one:tell(line)
    end
  end
end

--- The socket is removed; what was said to clients still reaches them.
function server:close()
  if self.listening then self.listening:close() end
  self.listening, self.sessions = nil, {}
end

-- --- the client's side ---------------------------------------------------

local client = {}
client.__index = client

local ENDED <const> = "the daemon has ended, or closed the connection"

local function hear(self, line)
  local frame = json.decode(line)
  if not is_object(frame) then return end
  if frame.event then
    if self.on_event then self.on_event(frame) end
    return
  end
  local resume = self.calls[frame.id]
  if not resume then return end
  self.calls[frame.id] = nil
  local failed = frame.error
  if failed then
    local place = is_object(failed.place) and failed.place or nil
    return resume(nil, failed.sentence, failed.word, place, failed.next)
  end
  resume(frame.result)
end

local function hang_up(self)
  self.peer = nil
  local calls = self.calls
  self.calls = {}
  for _, resume in pairs(calls) do resume(nil, ENDED, "canceled") end
  if self.on_over then self.on_over() end
end

--- Speak over a peer of peal.control.
function protocol.client_of(peer)
  return setmetatable({ peer = peer, calls = {}, last = 0 }, client)
end

--- Connect to the daemon whose socket is `path`.
-- @treturn[1] table client; its on_event(event) and on_over() may be set
-- @return[2] nil, sentence, word ("not-found": nobody listens)
function protocol.connect(loop, path)
  local self = protocol.client_of(nil)
  local peer, sentence, word = require("peal.control").connect(loop, path,
    function(line) hear(self, line) end, function() hang_up(self) end)
  if not peer then return nil, sentence, word end
  self.peer = peer
  return self
end

client.hear, client.hang_up = hear, hang_up

--- Call a method; suspends the task.
-- @return result | nil, sentence, word, place, next step
function client:call(method, params)
  if not self.peer then return nil, ENDED, "canceled" end
  return task.await(function(resume)
    self.last = self.last + 1
    self.calls[self.last] = resume
    self.peer:send(json.encode { id = self.last, method = method,
      params = params })
  end)
end

function client:close()
  local peer = self.peer
  self.peer = nil
  if peer then peer:close() end
end

return protocol
