-- What the decisions of a cycle cost that changes nothing: by the factory's
-- rule files, and by operators' copies of them in a worker process.
--   peal-lua decisions.lua [PEAL]     PEAL: the program that is the worker
local isolation = require "peal.world.isolation"
local live = require "peal.world.live"
local loop = require "peal.loop"
local phone = require "peal.phone"
local registry = require "peal.registry"
local rules = require "peal.rules"
local stages = require "peal.stages"
local store = require "peal.store"
local sys = require "peal.sys"
local view = require "peal.view"

local TURNS <const> = 2000

local own_loop = assert(loop.new())
local schema = assert(registry.load {})
local factory = require "peal.factory"

local function fields_of(text)
  return { rule = { name = "Profile_Rule", text = text } }
end

-- What is asked, in the order of a cycle.
local CYCLE <const> = {
  { "trigger" },
  { "profile", fields_of '("$A" ne "")? [--key $SC] https://h/$MA.xml' },
  { "profile", fields_of "" }, { "profile", fields_of "" },
  { "profile", fields_of "" },
  { "upgrade", { event = "resync", active = "sip88xx.11-3-1MPP-234",
    failures = 0, retry_due = true } },
  { "schedule", { event = "success", last = "success", failures = 0,
    periods = 1, success_seen = true, ever_synced = true } },
}

local function copies(dir)
  local names = {}
  for i, stage in ipairs(stages.names) do
    local text = factory[stage .. ".lua"]
    if text then
      names[#names + 1] = ("%s/%s.lua"):format(dir, stage)
      local file = assert(io.open(names[#names], "w"))
      file:write(text, "-- a copy\n")
      file:close()
    end
  end
  return names
end

local function phone_of(dir)
  local world = live.new { loop = own_loop, rules_dir = dir,
    store = assert(store.open { schema = schema }), device = {},
    ask = isolation.worker(own_loop, arg[1]) }
  return world, phone.new { world = world, identity = { MAC = "000e08abcdef",
    PN = "CP-8841-3PCC", SWVER = "sip88xx.11-3-1MPP-234", IP = "10.0.0.2" } }
end

local function cycle(p)
  local set = p.book:set()
  for _, one in ipairs(CYCLE) do
    local fields = view.of(p, { asked_by = "periodic", explicit = false },
      one[2])
    rules.ask(set, one[1], fields, p)
  end
  return set
end

-- Median of the time of a cycle, ms.
local function measure(dir)
  local world, p = phone_of(dir)
  return world.run(function()
    for _, note in ipairs(cycle(p).notes) do print(note.text) end
    local times = {}
    for i = 1, TURNS do
      local from = sys.monotonic()
      cycle(p)
      times[i] = (sys.monotonic() - from) * 1000
    end
    table.sort(times)
    return times[TURNS // 2], times[TURNS * 9 // 10]
  end)
end

local dir = os.tmpname()
os.remove(dir)
assert(os.execute("mkdir -m 700 " .. dir))
local names = copies(dir)
print(("%d decisions a cycle, median and ninth of ten:"):format(#CYCLE))
print(("  factory           %6.3f ms %6.3f"):format(measure(nil)))
print(("  worker            %6.3f ms %6.3f"):format(measure(dir)))
for _, name in ipairs(names) do os.remove(name) end
os.remove(dir)
