--- Where a session's lines come from: a terminal with an editor, plain lines,
-- or one text.
local reader = {}

local WIDTH <const> = 80

local function print_line(text)
  io.stdout:write(text, "\n")
  io.stdout:flush()
end

--- Plain lines of standard input, without a prompt. A first one that names an
-- interpreter (#!) is an empty one.
function reader.plain()
  local first = true
  local function read()
    local line = io.stdin:read("l")
    if first and line and line:find("^#!") then line = "" end
    first = false
    return line
  end
  return { read = read, say = print_line,
    width = function() return WIDTH end, close = function() end }
end

-- ^C between two lines ends nothing, and wakes a loop that waits.
local function on_interrupt(loop)
  return loop:signal({ "INT" }, function() end)
end

-- Runs the loop while nobody types; what the loop's callbacks say is printed
-- above the prompt.
local function waiter(self, loop)
  return function()
    local ready = false
    local handle = loop:readable(0, function() ready = true end)
    self.said = false
    while not ready and not self.said do
      local ok, why = pcall(loop.run, loop, true)
      if not ok then self.say(tostring(why)) end -- of a task that was left
    end
    handle:cancel()
  end
end

--- Lines of a terminal, edited, completed and remembered.
--   loop       runs while nobody types
--   complete   function(line, cursor) -> names, start
--   remember   function(text): may it be remembered?
--   over       called at the end
--   history    path or nil
function reader.terminal(options)
  local terminal = require "peal.terminal"
  local ed, sentence, word = terminal.editor { name = "peal",
    history = options.history, history_max = options.history_max,
    complete = options.complete }
  if not ed then return nil, sentence, word end
  local self = { reading = false }
  local wait = waiter(self, options.loop)
  local signals = { on_interrupt(options.loop),
    options.loop:signal({ "WINCH" }, function() ed:resized() end) }

  function self.read(prompt)
    self.reading = true
    local line = ed:read(prompt, wait)
    self.reading = false
    return line
  end

  function self.remember(text)
    if not options.remember(text) then return end
    for line in text:gmatch("[^\n]*%S[^\n]*") do ed:add(line) end
  end

  function self.say(text)
    if not self.reading then return print_line(text) end
    self.said = true
    ed:print(text)
  end

  function self.width() return terminal.width() or WIDTH end

  function self.close()
    for _, signal in pairs(signals) do signal:cancel() end
    ed:close()
    options.over()
  end

  return self
end

--- Lines of a terminal without an editor: a prompt, and what is typed.
function reader.bare(loop)
  local self, signal = reader.plain(), on_interrupt(loop)
  function self.read(prompt)
    io.stdout:write(prompt)
    io.stdout:flush()
    return io.stdin:read("l")
  end

  function self.close()
    if signal then signal:cancel() end
  end

  return self
end

return reader
