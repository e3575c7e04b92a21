--- Plans for the phones of an inventory, many at a time in one process. They
-- share the schema, the loop, the fetcher, the place where operators' rules
-- run, what names are looked up, and the patience with servers that answer
-- nobody; of each phone that is done, numbers in a summary remain.
local dry = require "peal.world.dry"
local dry_run = require "peal.dry_run"
local outcome = require "peal.daemon.outcome"
local patience = require "peal.fleet_plan.patience"
local phone = require "peal.phone"
local store = require "peal.store"
local summary = require "peal.fleet_plan.summary"
local task = require "peal.task"

local fleet_plan = {}

--- Phones at a time, unless somebody says so: a server that is asked for a plan
-- serves others besides.
fleet_plan.jobs = 64

-- Rounds of phones that a server may leave without an answer.
local SILENT_ROUNDS <const> = 3

-- A world in which a name is looked up once, however many phones ask, and a
-- server that answers nobody is given up.
local function shared(base, impatient)
  local world = setmetatable({}, { __index = base })
  local known, asking = {}, {}

  function world.resolve(name, kind, use_hosts)
    local id = ("%s %s %s"):format(name, kind, use_hosts or false)
    while asking[id] do base.wait(nil, asking[id]) end
    if known[id] then return known[id] end
    asking[id] = {}
    local list, sentence, word = base.resolve(name, kind, use_hosts)
    local event = asking[id]
    asking[id], known[id] = nil, list
    base.post(event)
    return list, sentence, word
  end

  world.fetch = impatient:over(base.fetch)
  return world
end

local function failed(sentence, word)
  return { outcome = "failure", rules = {}, changes = {}, notes = {},
    error = { sentence = sentence, word = word } }
end

-- A copy of a phone's own store, or of what all begin with.
local function copy_of(about, entry)
  if not entry.store then return about.store:copy() end
  local own, sentence, word = store.open { schema = about.schema,
    path = entry.store, read_only = true }
  if not own then
    return nil, ("%s: %s"):format(entry.store, sentence), word
  end
  local st
  st, sentence, word = own:copy()
  own:close()
  return st, sentence, word
end

-- The values of a row.
local function write_row(st, params)
  local txn, sentence, word = st:begin()
  if not txn then return nil, sentence, word end
  txn:source { author = "inventory" }
  for _, pair in ipairs(params) do
    local ok
    ok, sentence, word = txn:set(pair[1], pair[2])
    if not ok then
      txn:abort()
      return nil, sentence, word
    end
  end
  return txn:commit("inventory", 0)
end

local function store_of(about, entry)
  local st, sentence, word = copy_of(about, entry)
  if not st or not entry.params[1] then return st, sentence, word end
  local ok
  ok, sentence, word = write_row(st, entry.params)
  if not ok then return nil, sentence, word end
  return st
end

local function identity_of(about, entry)
  local out = {}
  for name, value in pairs(about.identity) do out[name] = value end
  for name, value in pairs(entry.identity) do out[name] = value end
  return out
end

local function phone_of(about, world, entry)
  local overrides = {}
  for name, value in pairs(about.overrides or {}) do overrides[name] = value end
  return phone.new { world = world, identity = identity_of(about, entry),
    state = about.state, overrides = overrides, account = about.account,
    dhcp = about.dhcp, keep_unknown = about.keep_unknown }
end

-- The plan of one phone, as plain data.
local function one(about, base, entry)
  local st, sentence, word = store_of(about, entry)
  if not st then return failed(sentence, word) end
  local twin = phone_of(about, dry.new(base, st), entry)
  local result = dry_run.over(twin, { rule = about.rule })
  local public = outcome.of(twin, result).public
  public.effects = result.effects
  st:close()
  return public
end

-- An error in one phone's plan is that phone's.
local function guarded(about, base, entry)
  local ok, public = pcall(one, about, base, entry)
  if ok then return public end
  if task.is_exhaustion(public) then error(public, 0) end
  return failed("internal error: " .. tostring(public), "internal")
end

--- Plan. Runs in a task.
-- @param world   any world: clock, network, rules
-- @param list    of fleet_plan/inventory.lua
--   about.schema, about.store (values that all begin with)
--   about.identity, overrides, state, account, dhcp, keep_unknown   as for
--                 phone.new(), of all phones; a row's identity goes before
--   about.rule    a rule text: only this one
--   about.jobs    phones at a time
--   about.tell    function(entry, public), after each phone; or nil
--   about.stop    table; with asked = true, and world.post(it), the plan ends
--                 at once, with what is done; or nil
-- @treturn table summary
function fleet_plan.run(world, list, about)
  local jobs = about.jobs or fleet_plan.jobs
  local impatient = patience.new(SILENT_ROUNDS * jobs)
  local base, sum = shared(world, impatient), summary.new(#list)
  local at, left, over = 0, 0, about.stop or {}

  local function work()
    while at < #list and not over.asked do
      at = at + 1
      local entry = list[at]
      local public = guarded(about, base, entry)
      sum:add(entry, public)
      if about.tell then about.tell(entry, public) end
    end
    left = left - 1
    if left == 0 then world.post(over) end
  end

  left = math.min(jobs, math.max(1, #list))
  for _ = 1, left do task.spawn(work) end
  while left > 0 and not over.asked do world.wait(nil, over) end
  sum.given_up = impatient:given_up()
  return sum
end

return fleet_plan
