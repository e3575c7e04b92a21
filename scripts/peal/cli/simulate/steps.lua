--- peal simulate --step: forward and back by hand, at a terminal or from a
-- pipe.
local fold = require "peal.simulate.fold"
local json = require "peal.json"
local moment = require "peal.simulate.moment"
local output = require "peal.cli.output"

local steps = {}

local HELP <const> = [[
n [N]       the next thing that happens (the next N)
b [N]       back to where the last step (the last N) began
t TIME      to a time, forward or back: day 3 02:00, 2027-03-28 01:30, +4 h
p NAME      the value of a parameter
s NAME=VALUE  set it
e WHAT      let something happen: day 3 02:00 server down for 4 h
l           the timeline up to here
d           what differs from the start
h           this text
q           quit; so does the end of the input
^C          ends a step that takes long: it is where it was before]]

-- One object a line, as the timeline is.
local function print_json(value)
  io.stdout:write(json.encode(value), "\n")
end

local function where(sim)
  return moment.show(math.floor(sim:time()), sim.home.zone)
end

local function print_where(sim, about)
  if about.options.json then
    print_json { time = math.floor(sim:time()), ["local"] = where(sim) }
  else
    output.print("at " .. where(sim))
  end
end

local function count(text)
  return math.tointeger(tonumber(text == "" and "1" or text))
end

-- Print what is new in the timeline since `n` entries.
local function print_new(sim, about, n)
  for i = n + 1, #sim.timeline do
    about.print_line(sim.timeline[i], about.options.json)
  end
end

local COMMANDS = {}

function COMMANDS.n(sim, rest, about)
  local times = count(rest)
  if not times then return "n takes a number" end
  for _ = 1, times do
    local n = #sim.timeline
    local entry, sentence = sim:step()
    print_new(sim, about, n)
    if not entry then return sentence or "nothing will happen any more" end
  end
end

function COMMANDS.b(sim, rest, about)
  local times = count(rest)
  if not times then return "b takes a number" end
  sim:back(times)
  print_where(sim, about)
end

function COMMANDS.t(sim, rest, about)
  local n = #sim.timeline
  local ok, sentence = sim:to(rest)
  if not ok then return sentence end
  local fresh = table.move(sim.timeline, n + 1, #sim.timeline, 1, {})
  for _, entry in ipairs(fold.entries(fresh, about.options.v
    or about.options.json))
  do
    about.print_line(entry, about.options.json)
  end
  print_where(sim, about)
end

function COMMANDS.p(sim, rest, about)
  local one = about.value_of(sim, about.schema, rest)
  if not one then return "no such parameter: " .. output.clip(rest) end
  if about.options.json then
    print_json(one)
  else
    output.print(("%s = %s"):format(one.name, one.value))
  end
end

function COMMANDS.s(sim, rest, about)
  local name, value = rest:match("^([%w_]+)%s*=%s*(.*)$")
  if not name then return "s takes NAME=VALUE" end
  local n = #sim.timeline
  local ok, sentence = sim:set(name, value)
  print_new(sim, about, n)
  return not ok and sentence or nil
end

function COMMANDS.e(sim, rest)
  local ok, sentence = sim:inject(rest)
  return not ok and sentence or nil
end

function COMMANDS.l(sim, _, about)
  for _, entry in ipairs(fold.entries(sim.timeline, about.options.v
    or about.options.json))
  do
    about.print_line(entry, about.options.json)
  end
end

function COMMANDS.d(sim, _, about)
  if about.options.json then
    print_json { changes = json.array(sim:diff()) }
  else
    output.print(about.changes_text(sim:diff()))
  end
end

function COMMANDS.h() output.print(HELP) end

local function obey(sim, line, about)
  local name, rest = line:match("^%s*(%a+)%s*(.-)%s*$")
  local fn = COMMANDS[name or ""]
  local trouble
  if fn then
    trouble = fn(sim, rest, about)
  else
    trouble = ("no such command: %s (h: help)"):format(output.clip(line))
  end
  if trouble then output.say("%s", trouble) end
  return trouble == nil
end

-- Obey, or with ^C go to where it was before.
local function obey_or_stop(sim, line, about)
  local place = sim:place()
  local ok, done = require("peal.terminal").interruptible(obey, sim, line,
    about)
  about.clear()
  if ok then return done end
  if done ~= "interrupted" then error(done, 0) end
  sim:return_to(place)
  output.say("interrupted")
  print_where(sim, about)
end

local STDIN <const> = 0

-- Is somebody typing?
local function is_at_terminal()
  return require("peal.terminal").is_tty(STDIN)
end

--- @param about  options, schema, print_line, value_of, changes_text, clear()
-- @treturn integer exit code
function steps.run(sim, about)
  local at_terminal = is_at_terminal()
  local last, sound = "n", true
  local act = at_terminal and obey_or_stop or obey
  while true do
    if at_terminal then
      io.stdout:write(where(sim), "> "):flush()
    end
    local line = io.stdin:read("l")
    if not line or line:find("^%s*q%s*$") then break end
    if not line:find("%S") then line = last end
    last = line
    sound = act(sim, line, about) and sound
  end
  return (sound or at_terminal) and 0 or 1
end

return steps
