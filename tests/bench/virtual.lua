-- Phones on the virtual clock: how fast their days go by, and how much memory
-- each of them is.
--   peal-lua virtual.lua
local engine = require "peal.engine"
local factory = require "peal.factory"
local phone = require "peal.phone"
local program = require "support.program"
local support = require "support.engine"
local sys = require "peal.sys"
local virtual = require "peal.world.virtual"

local DAY <const> = 86400
local DAYS <const>, TURNS <const> = 20, 7
local PHONES <const> = 1000

local PROFILE <const> = support.profile { GPP_A = "one", GPP_B = "two" }

local function server()
  return { status = 200, headers = {}, body = PROFILE }
end

-- --- days ---

local function copies()
  local out = {}
  for name, text in pairs(factory) do out[name] = text .. "-- a copy\n" end
  return out
end

local function lab_of(rules)
  local lab = support.new { params = { Resync_Periodic = "3600" },
    server = server, rules = rules }
  lab.times = {}
  return lab:boot("power_on"):advance(DAY)
end

-- CPU milliseconds of a cycle in which nothing changes: a file is fetched,
-- decoded and compared, and everything is decided.
local function turn_of(lab, turn)
  lab.at, lab.asked = {}, {}
  local before, from = lab.engine:status().cycle, os.clock()
  lab:advance(DAY * (1 + turn * DAYS))
  lab.times[turn] = (os.clock() - from) * 1000 / (DAYS * 24)
  assert(lab.engine:status().cycle - before == DAYS * 24)
  assert(lab.engine:status().last.outcome == "success")
end

local function median(times)
  table.sort(times)
  return times[#times // 2 + 1]
end

local function tell_days(name, ms, floor)
  print(("  %-32s %8.3f ms  x %.2f %8d days a minute"):format(name, ms,
    ms / floor, 60000 / ms // 24))
end

-- --- memory ---

-- What the process has for itself, and what of it Lua counts, KB.
local function used()
  collectgarbage()
  collectgarbage()
  sys.trim()
  local rollup = program.slurp("/proc/self/smaps_rollup")
  return tonumber(rollup:match("Private_Dirty:%s*(%d+)")),
    collectgarbage("count")
end

local function add_phone(world, list)
  local own = setmetatable({ device = {}, store = support.store {
    Profile_Rule = support.URL, Resync_Periodic = "3600",
    Resync_Random_Delay = "600" } }, { __index = world })
  list[#list + 1] = engine.new(phone.new { world = own, identity = {
    PN = "CP-8841-3PCC", MAC = ("000e08%06x"):format(#list) } })
end

local function memory()
  local world = virtual.new { server = server, forget = true, dice = 1 }
  local list = {}
  -- the first few load what all share
  local function more(count)
    for _ = 1, count do
      add_phone(world, list)
      list[#list]:start("power_on")
    end
  end
  more(10)
  world.advance(DAY)
  local dirty, lua = used()
  local function tell(what)
    local now_dirty, now_lua = used()
    print(("  %-32s %8.1f KB, Lua's %.1f"):format(what,
      (now_dirty - dirty) / PHONES, (now_lua - lua) / PHONES))
  end
  more(PHONES)
  tell "a phone that has just started"
  world.advance(2 * DAY)
  tell "and after a day of hourly cycles"
  for _, one in ipairs(list) do
    assert(one:status().last.outcome == "success")
  end
end

local own, operators = lab_of(nil), lab_of(copies())
for turn = 1, TURNS do
  turn_of(own, turn)
  turn_of(operators, turn)
end
local floor = median(own.times)
print "A cycle that changes nothing, hourly, CPU:"
tell_days("the factory's rule files", floor, floor)
tell_days("copies of all in a box", median(operators.times), floor)
print(("Private memory of one of %d phones:"):format(PHONES))
memory()
