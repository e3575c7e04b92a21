--- The REPL: reads what is typed, evaluates it in a session, prints.
-- The same for a person at a terminal, for a script on standard input and for
-- `peal -e`; what differs is the reader.
local commands = require "peal.repl.commands"
local environment = require "peal.repl.environment"
local evaluate = require "peal.repl.evaluate"
local failure = require "peal.repl.failure"
local json = require "peal.json"
local output = require "peal.cli.output"
local pretty = require "peal.repl.pretty"
local sys = require "peal.sys"
local visible = require "peal.visible"

local repl = {}
repl.__index = repl

-- `_`, and `_1` to `_9`: the answers before, the newest first.
local ANSWERS <const> = 10

--- @param options
--   session      see repl/session.lua
--   reader       read(prompt) -> line | nil (the end) | false (^C); say(text);
--                width(); remember(text), where lines can be brought back
--   name         what messages call the input: "prompt", "stdin", "-e"
--   interactive  somebody is there: an error does not end it
--   json         answers as JSON
function repl.new(options)
  local self = setmetatable({ session = options.session,
    reader = options.reader, name = options.name, json = options.json,
    interactive = options.interactive, yes = options.yes, format = "table",
    timing = false, level = "info", breaks = {}, answers = {}, line = 0,
    files = {} }, repl)
  local session = self.session
  session.say = function(text) self:say(text) end
  session.help = function() return commands.help() end
  session.command_help = commands.help_of
  self.env, self.names = environment.new(session)
  session.hooks = function()
    return require("peal.repl.step").hooks(self)
  end
  return self
end

--- Print a text, without secrets; to a person also without what a terminal
-- would obey.
function repl:say(text)
  text = self.session.guard:text(text)
  self.reader.say(self.interactive and visible.text(text, #text) or text)
end

--- Print a value, in the format of the session.
function repl:show(...)
  local o = { guard = self.session.guard, names = self.names,
    format = self.format, width = self.reader.width() }
  local values = table.pack(...)
  if self.json or self.format == "json" then
    for i = 1, values.n do
      local plain = pretty.plain(values[i], o)
      values[i] = plain == nil and json.null or plain
    end
    local whole = values
    if values.n == 1 then whole = values[1] end
    values.n = nil
    -- one line for each answer of a script
    return self.reader.say(json.encode(whole, not self.json
      or self.name == "-e"))
  end
  local texts = {}
  for i = 1, values.n do texts[i] = pretty.text(values[i], o) end
  local text = table.concat(texts, "\t")
  if text:find("\n", 1, true) then text = table.concat(texts, "\n") end
  self.reader.say(self.session.guard:text(text))
end

local function remember(self, value)
  table.insert(self.answers, 1, value == nil and json.null or value)
  self.answers[ANSWERS + 1] = nil
  for i, answer in ipairs(self.answers) do
    if answer == json.null then answer = nil end
    self.env[i == 1 and "_" or "_" .. i - 1] = answer
  end
end

local function show_answers(self, ...)
  local n = select("#", ...)
  if n == 0 then return end
  remember(self, (...))
  if n == 1 and ... == nil and not self.json then return end
  self:show(...)
end

-- Is a chunk of this source the operator's own?
local function mine(self)
  return function(source)
    return source == "=" .. self.name or self.files[source] == true
  end
end

-- Call so that ^C ends it.
local function interruptible(self, fn, ...)
  if not self.interactive then return fn(...) end
  local results = table.pack(require("peal.terminal").interruptible(fn, ...))
  if results[1] then return table.unpack(results, 2, results.n) end
  return false, failure.of(results[2])
end

--- Call a function of the operator's.
-- @treturn boolean; failure
function repl:call(fn)
  return interruptible(self, evaluate.call, mine(self), function()
    show_answers(self, fn())
  end)
end

--- A Lua file of the operator's.
function repl:load(path)
  local fn, why = loadfile(path, "t", self.env)
  if not fn then
    failure.raise { sentence = why, word = "script" }
  end
  self.files["@" .. path] = true
  fn()
end

local function line_of(text, first, number)
  local n = first
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    if n == number then return line end
    n = n + 1
  end
end

-- What failed, with the operator's own line.
local function tell(self, failed, text, first)
  local guard = self.session.guard
  local line = failed.place and failed.place.line
  local sentence = guard:text(failed.sentence)
  sentence = visible.text(sentence, #sentence)
  -- Lua's own messages have it already
  local place = not sentence:find("^[^:\n]+:%d+: ") and failed.place or nil
  output.failure({ sentence = sentence, place = place,
    word = failed.word ~= "script" and failed.word or nil,
    next = failed.next and guard:text(failed.next) })
  local own = line and (text:find("\n") or first > 1)
    and line_of(text, first, line)
  if own then
    io.stderr:write(guard:text(("  %5d | %s"):format(line, own)), "\n")
  end
  local trace = evaluate.trace(failed.frames)
  if trace ~= "" then io.stderr:write(guard:text(trace), "\n") end
end

local function tell_json(self, failed)
  local guard = self.session.guard
  output.json { error = { sentence = guard:text(failed.sentence),
    word = failed.word, place = failed.place,
    next = failed.next and guard:text(failed.next) } }
end

--- Evaluate what was typed: a command, or Lua.
--   text    whole, with line ends
--   first   number of its first line
-- @treturn[1] boolean true
-- @return[2] false, failure
-- @return[3] nil: it goes on in the next line
function repl:evaluate(text, first)
  if text:find("^:%a") then
    return interruptible(self, evaluate.call, mine(self), function()
      commands.run(self, text)
    end)
  end
  self.leaving = nil
  local fn, why, goes_on = evaluate.compile(text, self.env, self.name, first)
  if fn then return self:call(fn) end
  if goes_on then return nil end
  local failed = failure.of(why)
  failed.place = { line = tonumber(why:match("^[^:]+:(%d+):")) }
  return false, failed
end

-- A whole input: prints what failed, and how long it took.
-- @treturn[1] boolean did it succeed? nil: it goes on
local function take(self, text, first)
  local began = sys.monotonic()
  local ok, failed = interruptible(self, evaluate.call, mine(self), function()
    local told = self.session:follow_store()
    if told then output.say("%s", told) end
  end)
  if ok then ok, failed = self:evaluate(text, first) end
  if ok == nil then return nil end
  if not ok then
    if self.json then tell_json(self, failed) end
    tell(self, failed, text, first)
  end
  if self.timing then
    self:say(("(%.1f ms)"):format((sys.monotonic() - began) * 1000))
  end
  return ok
end

--- The prompt: a star for what is not committed.
function repl:prompt(goes_on)
  if goes_on then return "   .. " end
  return ("peal%s> "):format(self.session:has_written() and "*" or "")
end

--- One more line, counted; as reader.read().
function repl:read(prompt)
  local line = self.reader.read(prompt)
  if line then self.line = self.line + 1 end
  return line
end

--- Keep what was typed for the arrow keys. It has been evaluated: what it has
-- made a secret is known by now.
function repl:remember(text)
  if self.reader.remember then self.reader.remember(text) end
end

-- The next input: text, number of its first line; nil: the end. It goes on
-- until take() has had it.
local function next_input(self)
  local text, first, done
  repeat
    local line = self:read(self:prompt(text))
    if line == nil then return nil, text, first end
    if line == false then
      text = nil
    else
      first = text and first or self.interactive and 1 or self.line
      text = text and text .. "\n" .. line or line
      if text:find("%S") then
        done = take(self, text, first)
        if done ~= nil then self:remember(text) end
      else
        text = nil
      end
    end
  until done ~= nil or self.over
  return done
end

--- Read and evaluate until the end.
-- @treturn integer exit code
function repl:run()
  while not self.over do
    local ok, left, first = next_input(self)
    if ok == nil and not left then
      commands.run(self, ":quit")
    elseif ok == nil then
      local failed = failure.of(
        ("%s:%d: the input ends amid this"):format(self.name, first))
      failed.place = { line = first }
      if self.json then tell_json(self, failed) end
      tell(self, failed, left, first)
      return 1
    elseif not ok and not self.interactive then
      return 1
    end
  end
  return self.code or 0
end

--- Evaluate one text to its end.
-- @treturn integer exit code
function repl:once(text)
  local ok = take(self, text, 1)
  if ok then return 0 end
  if ok == nil then
    local _, why = evaluate.compile(text, self.env, self.name)
    local failed = failure.of(why)
    if self.json then tell_json(self, failed) end
    tell(self, failed, text, 1)
  end
  return 1
end

return repl
