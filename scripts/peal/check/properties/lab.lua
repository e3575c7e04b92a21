--- Whole phones with the rules to be tested, on the virtual clock.
local cycle = require "peal.cycle"
local engine = require "peal.engine"
local isolation = require "peal.world.isolation"
local phone = require "peal.phone"
local rule_files = require "peal.world.rule_files"
local samples = require "peal.check.samples"
local sorted = require "peal.sorted"
local store = require "peal.store"
local virtual = require "peal.world.virtual"

local lab = {}

--- A profile of these parameters.
function lab.profile(params)
  local parts = { "<flat-profile>" }
  for _, name in ipairs(sorted.keys(params)) do
    parts[#parts + 1] = ("<%s>%s</%s>"):format(name, params[name]:gsub("[&<]",
      { ["&"] = "&amp;", ["<"] = "&lt;" }), name)
  end
  parts[#parts + 1] = "</flat-profile>"
  return table.concat(parts)
end

-- The factory's sources with those of the options in their place.
local function sources_of(rules)
  local out = rule_files.read()
  for name, source in pairs(rules) do
    if type(source) == "string" then
      source = { path = "rules/" .. name, text = source }
    end
    out[name] = { path = source.path, text = source.text,
      error = source.error }
  end
  return out
end

local function store_of(schema, params)
  local st = assert(store.open { schema = schema })
  local txn = assert(st:begin())
  txn:source { author = "phone-file" }
  for _, name in ipairs(sorted.keys(params)) do txn:set(name, params[name]) end
  assert(txn:commit("initial", 0))
  return st
end

--- A phone with rules.
--   options   rules, schema, ask as properties have them; params, identity,
--             time, dice, lines_active, clock_trusted,
--             server (function(request, phone)), world (one to share), told,
--             account
-- @treturn table { phone, engine, world, store }
function lab.new(options)
  local self = { store = store_of(options.schema, options.params),
    options = options }
  -- it does not say whether it is registered: no health rule shall undo what
  -- the rules have done
  local device = { lines_active = options.lines_active or 0,
    clock_trusted = options.clock_trusted ~= false,
    reboot = function() lab.power(self):start() end }
  local world = options.world
  if world then
    self.world = setmetatable({ store = self.store, device = device },
      { __index = world })
  else
    self.world = virtual.new { store = self.store, time = options.time,
      dice = options.dice or 20261122, rules = sources_of(options.rules),
      ask = options.ask, device = device, forget = not options.told,
      server = function(request) return options.server(request, self) end,
      dns = lab.dns }
  end
  if world and options.ask then
    function self.world.ask(job, overrides)
      return options.ask(self.store, overrides, job)
    end
  end
  lab.power(self)
  return self
end

-- A trigger that holds a resync back is asked again each two minutes, not each
-- 10 s: a day of many phones takes seconds then, not minutes.
local GATE_S <const> = 120

local function look_less_often(e)
  local arm = e.timers.arm
  function e.timers.arm(timers, name, due)
    if name == "gate" and due.mono then
      due.mono = math.max(due.mono, e.world.now().mono + GATE_S)
    end
    return arm(timers, name, due)
  end
end

--- The phone is switched on: a new engine on its store, which is returned.
function lab.power(self)
  self.phone = phone.new { world = self.world,
    account = self.options.account,
    identity = samples.with(samples.phone("", "cli").identity,
      self.options.identity) }
  self.engine = engine.new(self.phone)
  look_less_often(self.engine)
  return self.engine
end

--- Every name has an address.
function lab.dns(name)
  return { { address = name:find("^[%d.]+$") and name or "192.0.2.7",
    age = 0 } }
end

--- One resync, as somebody asks for it; its result.
function lab.resync(self, asked_by)
  return self.world.run(cycle.run, self.phone, { asked_by = asked_by,
    explicit = asked_by == "cli", prvst = asked_by == "cli" and -1 or 1 })
end

--- Answer of a server that has this profile.
function lab.ok(body)
  return { status = 200, body = body, headers = {} }
end

--- A place for rules to run in, where the options name none: one for all the
-- phones of a test.
function lab.ask(options)
  return options.ask or isolation.box()
end

--- Path of a rule file among the options', or of the first of them.
function lab.path(options, ...)
  for _, name in ipairs { ... } do
    local source = options.rules[name]
    if source then
      return type(source) == "table" and source.path or "rules/" .. name
    end
  end
  local first = sorted.keys(options.rules)[1]
  return first and lab.path(options, first) or "rules"
end

-- What leads to the server: a server that changes these at random is none.
local WAY_HOME <const> = { "^Profile_Rule", "^Profile_Auth", "^Custom_CA",
  "^TLS_", "^HTTPS_", "^Proxy_", "^Restricted_", "^DHCP_", "_DNS$",
  "^Resync_", "^Provision_", "^Report_Rule$", "^Upgrade_" }

local function leads_home(name)
  for _, pattern in ipairs(WAY_HOME) do
    if name:find(pattern) then return true end
  end
  return false
end

--- What the rules speak of, with values: a profile that they have to deal with,
-- and that leaves the way to the server as it is.
function lab.mentioned(options)
  local parse = require "peal.check.parse"
  local out = {}
  for _, name in ipairs(sorted.keys(options.rules)) do
    local source = options.rules[name]
    local text = type(source) == "table" and source.text or source
    local block = type(text) == "string" and parse(text)
    if block then
      local _, texts = samples.of_file(block, options.schema)
      samples.mentioned(options.schema, texts, out)
    end
  end
  for _, name in ipairs(sorted.keys(out)) do
    if leads_home(name) then out[name] = nil end
  end
  return out
end

return lab
