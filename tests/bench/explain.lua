-- What peal explain takes on a store in which 3,000 parameters were written, in
-- 8 revisions.
--   peal-lua explain.lua FOLDER     makes FOLDER/many and FOLDER/maker-3000.lua
local cycle = require "peal.cycle"
local explain = require "peal.explain"
local phone = require "peal.phone"
local registry = require "peal.registry"
local store = require "peal.store"
local virtual = require "peal.world.virtual"

local WANTED <const> = 3000
local REVISIONS <const> = 8
local TURNS <const> = 50

local folder = assert(arg[1], "which folder?")

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
end

-- As many parameters as are wanted, by a maker's file.
local function schema_of()
  local path = folder .. "/maker-3000.lua"
  write(path, ('return { { name = "Bench_Text_n_", count = %d, max = 200 } }\n')
    :format(WANTED))
  return assert(registry.load { maker = path })
end

-- The n-th profile: all of the maker's parameters; from the second on an
-- eighth of them is another.
local function profile(schema, n)
  local out = { "<flat-profile>" }
  for i, name in ipairs(schema:names()) do
    if name:find("^Bench_") then
      out[#out + 1] = ("<%s>a text of the %d-th profile</%s>"):format(name,
        i % REVISIONS < n and i % REVISIONS + 1 or 0, name)
    end
  end
  out[#out + 1] = "</flat-profile>"
  return table.concat(out, "\n")
end

local function fill(schema)
  local st = assert(store.open { schema = schema, path = folder .. "/many",
    keep = 64 << 20 })
  local n = 0
  local world = virtual.new { store = st, forget = true, server = function()
    return { status = 200, headers = {}, body = profile(schema, n) }
  end }
  local p = phone.new { world = world, identity = { MAC = "000e08abcdef",
    PN = "CP-8841-3PCC" }, overrides = {
      Profile_Rule = '("$PN" eq "x")? http://h/x | http://192.0.2.7/a.xml' } }
  for i = 1, REVISIONS do
    n = i
    local result = world.run(cycle.run, p, { asked_by = "periodic" })
    assert(result.outcome == "success" and #result.changes > 0)
  end
  return st
end

local function measure(what, fn)
  fn()
  collectgarbage()
  local began = os.clock()
  for _ = 1, TURNS do fn() end
  print(("  %-42s %7.1f ms"):format(what,
    (os.clock() - began) / TURNS * 1000))
end

local schema = schema_of()
fill(schema):close()
local st = assert(store.open { schema = schema, path = folder .. "/many",
  read_only = true })
local count = 0
for _ in st:each() do count = count + 1 end
print(("  %d parameters, %d revisions"):format(count, #st:revisions()))

local first, last
for about in st:each() do
  if about.revision == 1 then first = first or about.name end
  if about.revision == REVISIONS then last = last or about.name end
end
measure("a value of the oldest revision", function()
  assert(explain.text(assert(explain.value(st, first, {}))))
end)
measure("a value of the newest revision", function()
  assert(explain.text(assert(explain.value(st, last, {}))))
end)
measure("a default", function()
  assert(explain.text(assert(explain.value(st, "GPP_P", {}))))
end)
measure("a cycle, with what it has changed", function()
  assert(explain.cycle_text(assert(explain.cycle(st, 3))))
end)
