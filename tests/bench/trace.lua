-- What a trace costs of a cycle: cycles with it and with one that does nothing,
-- turn by turn.
--   peal-lua trace.lua [URL CA.pem FOLDER]
-- With a URL: of a profile on a server, into a store in FOLDER. Without one the
-- network is virtual and the store in memory: nothing hides the trace there.
local cycle = require "peal.cycle"
local live = require "peal.world.live"
local loop = require "peal.loop"
local phone = require "peal.phone"
local registry = require "peal.registry"
local store = require "peal.store"
local trace = require "peal.trace"
local trust = require "peal.trust"
local virtual = require "peal.world.virtual"

local ROUNDS <const> = 40
local TURNS <const> = 25
local RULE <const> = '("$PN" eq "x")? http://h/x | ($PRVTMR ge 0 and "$MA" '
  .. 'ne "")? http://192.0.2.7/$MA.xml'

local schema = assert(registry.load {})

local function names_of(wanted)
  local st = assert(store.open { schema = schema })
  local list = {}
  for about in st:each() do
    local name = about.name
    if about.type == "Str" and #list < wanted
      and not (name:find("Rule") or name:find("^GPP") or name:find("^HTTP")
        or name:find("Log") or name:find("Proxy") or name:find("Restrict"))
      and schema:check(name, "text 1") then
      list[#list + 1] = name
    end
  end
  return list
end

local names = names_of(200)

local function profile(n)
  local out = { "<flat-profile>" }
  for i, name in ipairs(names) do
    out[#out + 1] = ("<%s>text %d</%s>"):format(name, i % 10 == 0 and n or 0,
      name)
  end
  out[#out + 1] = "</flat-profile>"
  return table.concat(out, "\n")
end

-- A phone whose server has another profile each time, or the same.
local function phone_of(changing)
  local n, texts = 0, { profile(1), profile(2) }
  local world = virtual.new { forget = true,
    store = assert(store.open { schema = schema }), server = function()
      n = n + 1
      return { status = 200, headers = {},
        body = texts[changing and n % 2 + 1 or 1] }
    end }
  return phone.new { world = world, identity = { MAC = "000e08abcdef",
    PN = "CP-8841-3PCC" }, overrides = { Profile_Rule = RULE } }, world
end

-- The same with a real server and a store on disk.
local function live_phone(url, ca, folder)
  local anchors = assert(trust.anchors())
  assert(anchors:load(ca))
  local world = live.new { loop = assert(loop.new()), device = {},
    store = assert(store.open { schema = schema, path = folder }),
    trust = { anchors = anchors } }
  return phone.new { world = world, identity = { MAC = "000e08abcdef",
    PN = "CP-8841-3PCC" }, overrides = { Profile_Rule =
      ('("$PN" eq "x")? http://h/x | [--key benchsecret] %s'):format(url) } },
    world
end

local real = { add = trace.add, encode = trace.encode, note = trace.note }
local stub = { add = function(_, _, fields) return fields or {} end,
  encode = function() return "" end, note = function() end }

local function use(functions)
  for name, fn in pairs(functions) do trace[name] = fn end
end

local function spend(p, world)
  local began = os.clock()
  for _ = 1, TURNS do
    local result = world.run(cycle.run, p, { asked_by = "periodic" })
    assert(result.outcome == "success")
  end
  return (os.clock() - began) / TURNS * 1000
end

local function compare(what, p, world)
  local with, without = math.huge, math.huge
  spend(p, world)
  for _ = 1, ROUNDS do
    use(stub)
    collectgarbage()
    without = math.min(without, spend(p, world))
    use(real)
    collectgarbage()
    with = math.min(with, spend(p, world))
  end
  print(("  %-34s %6.3f ms, without a trace %6.3f ms: + %.1f %%"):format(what,
    with, without, (with / without - 1) * 100))
end

if arg[1] then
  compare("a cycle over TLS", live_phone(arg[1], arg[2], arg[3]))
else
  compare("200 parameters, none is another", phone_of(false))
  compare("200 parameters, 20 are others", phone_of(true))
end
