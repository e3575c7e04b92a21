-- Thirty simulated days of hourly cycles, as a command and by themselves.
--   peal-lua simulate.lua [PEAL]
local process = require "support.process"
local program = require "support.program"
local simulate = require "peal.simulate"
local support = require "support.engine"
local sys = require "peal.sys"

local DAYS <const>, TURNS <const> = 30, 7
local PROFILE <const> = support.profile { GPP_A = "one", GPP_B = "two" }

local peal = arg[1] or program.path

local function store()
  return support.store { Profile_Rule = support.URL,
    Resync_Periodic = "3600", Resync_Random_Delay = "0" }
end

local function median(times)
  table.sort(times)
  return times[#times // 2 + 1]
end

local function cpu(fn)
  local from = os.clock()
  fn()
  return (os.clock() - from) * 1000
end

-- The floor: the same engine on the virtual clock, nobody looking.
local function bare()
  local lab = support.new { params = { Resync_Periodic = "3600" },
    server = function()
      return { status = 200, headers = {}, body = PROFILE }
    end }
  lab:boot("power_on"):advance(DAYS * 86400)
  assert(lab.engine:status().last.outcome == "success")
end

local function days(server)
  local sim = assert(simulate.new { store = store(), server = server })
  assert(sim:run(DAYS * 86400))
  return sim
end

local function back()
  local sim = days { ["*"] = PROFILE }
  return cpu(function() sim:back() end)
end

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
  return path
end

local dir = process.temp_dir()
local phone = write(dir .. "/phone.lua", ([[return { params = {
  Profile_Rule = "%s", Resync_Periodic = "3600" } }]]):format(support.URL))
local server = write(dir .. "/server.lua",
  ([[return { ["*"] = %q }]]):format(PROFILE))

local function command()
  local from = sys.monotonic()
  local r = program.run { peal, "simulate", "--days", tostring(DAYS),
    "--phone", phone, "--server", server }
  assert(r.code == 0 and r.err:find("720 resyncs ok"), r.err)
  return (sys.monotonic() - from) * 1000
end

local function memory()
  collectgarbage()
  collectgarbage()
  local before = collectgarbage("count")
  local sim = days { ["*"] = PROFILE }
  collectgarbage()
  collectgarbage()
  local used = collectgarbage("count") - before
  assert(#sim.timeline > 1400)
  return used
end

local floors, sims, backs, whole = {}, {}, {}, {}
for i = 1, TURNS do
  floors[i] = cpu(bare)
  sims[i] = cpu(function() days { ["*"] = PROFILE } end)
  backs[i], whole[i] = back(), command()
end
local floor = median(floors)
local function tell(what, ms)
  print(("  %-44s %8.0f ms  x %.2f"):format(what, ms, ms / floor))
end
print(("%d days of hourly cycles, CPU (the command: wall)"):format(DAYS))
tell("the engine on the virtual clock", floor)
tell("a simulation, with its timeline", median(sims))
tell("one step back from the end", median(backs))
tell("peal simulate --days 30, the whole command", median(whole))
print(("  Lua's memory of those days, timeline and all: %.0f KB"):format(
  memory()))
process.remove(dir)
