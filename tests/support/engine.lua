--- A phone with an engine on the virtual clock.
--
--   local lab = engine.new { params = { Resync_Periodic = "600" } }
--   lab:boot()                 at 0
--   lab:advance(3600)          to an hour after the start
--   lab.at                     times of its requests, s after the start
--
-- options: params, identity, dice ("max" if nothing is said), time, zone,
-- trusted, rules (file name -> text), server (function(request, lab) -> answer;
-- default: an empty profile), device (laid over the simulated one), world (an
-- existing one), told (keep what is told), no_upgrade_reboot
local engine = require "peal.engine"
local fixture = require "support.fixture"
local outputs = require "support.outputs"
local phone = require "peal.phone"
local registry = require "peal.registry"
local rule_files = require "peal.world.rule_files"
local secrets = require "support.secrets"
local store = require "peal.store"
local virtual = require "peal.world.virtual"

local support = {}
local lab = {}
lab.__index = lab

support.URL = "http://192.0.2.7/a.xml"
support.EMPTY = "<flat-profile></flat-profile>"

--- A profile of these parameters.
function support.profile(params)
  local names, parts = {}, {}
  for name in pairs(params) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    parts[i] = ("<%s>%s</%s>"):format(name, params[name]:gsub("[&<]",
      { ["&"] = "&amp;", ["<"] = "&lt;" }), name)
  end
  return "<flat-profile>" .. table.concat(parts) .. "</flat-profile>"
end

local schema

--- A store with these parameters.
function support.store(params, options)
  schema = schema or assert(registry.load {})
  options = options or {}
  options.schema = schema
  local st = assert(store.open(options))
  if st:revision() > 0 then return st end
  params = secrets.plant(params)
  local txn = assert(st:begin())
  txn:source { author = "phone-file" }
  local names = {}
  for name in pairs(params) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do assert(txn:set(name, params[name])) end
  assert(txn:commit("initial", 0))
  return st
end

local function params_of(options)
  local out = { Profile_Rule = support.URL, Resync_Random_Delay = "0" }
  for name, value in pairs(options.params or {}) do out[name] = value end
  return out
end

--- Members of a device that takes images; `loads` collects what it boots.
function support.slots(loads)
  return {
    image_begin = function(about) return { load = about.load } end,
    image_write = function() return true end,
    image_finish = function() return true end,
    image_abort = function() end,
    activate = function(name)
      if loads then loads[#loads + 1] = name end
      return true
    end,
  }
end

local function rules_of(files)
  if not files then return nil end
  local sources = rule_files.read()
  for name, text in pairs(files) do
    sources[name] = { text = text, path = "operator/" .. name }
  end
  return sources
end

-- A device whose calls the test makes.
local function device_of(self, options)
  local d = {
    lines_active = function() return self.active end,
    clock_trusted = function() return self.trusted end,
    zone = options.zone,
    subscribe = function(fn) self.device_event = fn end,
    reboot = function(reason, cold)
      table.insert(self.reboots, { reason = reason, cold = cold,
        at = self.world.now().mono })
    end,
  }
  for name, value in pairs(options.device or {}) do
    d[name] = value or nil
  end
  return d
end

local function default_server()
  return { status = 200, body = support.EMPTY }
end

function support.new(options)
  options = options or {}
  local self = setmetatable({ at = {}, asked = {}, reboots = {}, active = 0,
    trusted = options.trusted ~= false, options = options }, lab)
  self.store = options.store or support.store(params_of(options))
  local server = options.server or default_server
  self.world = virtual.new { store = self.store,
    device = device_of(self, options), dice = options.dice or "max",
    time = options.time, rules = rules_of(options.rules),
    forget = not options.told,
    server = function(request)
      self.at[#self.at + 1] = self.world.now().mono
      self.asked[#self.asked + 1] = request.url or request.path
      local answer, sentence, word = server(request, self)
      if type(answer) == "number" then answer = { status = answer } end
      if type(answer) == "string" then
        answer = { status = 200, body = answer }
      end
      if answer then answer.headers = answer.headers or {} end
      return answer, sentence, word
    end,
    dns = function(name)
      return { { address = name:find("^[%d.]+$") and name or "192.0.2.7",
        age = 0 } }
    end }
  outputs.listen(self.world, "an engine")
  if options.told then self.told = self.world.told end
  self:power()
  return self
end

--- A phone with a new engine on the same store.
function lab:power()
  self.phone = phone.new { world = self.world,
    identity = self.options.identity or fixture.identity }
  self.engine = engine.new(self.phone)
end

--- Start the engine; nil: as the device was told to.
function lab:boot(reason)
  self.engine:start(reason)
  return self
end

--- Off and on again.
function lab:restart(reason)
  self.engine:stop()
  self:power()
  return self:boot(reason)
end

--- On to `seconds` after the start of the world.
function lab:advance(seconds)
  self.world.advance(seconds)
  return self
end

--- A call begins (n = 1), or all are over (0).
function lab:lines(n)
  self.active = n
  if self.device_event then self.device_event("lines") end
end

--- At a time, do something.
function lab:plan(seconds, fn)
  require("peal.task").spawn(function()
    self.world.wait(seconds - self.world.now().mono)
    fn(self)
  end)
end

--- Change parameters as a person would.
function lab:set(params, by)
  local txn = assert(self.store:begin())
  txn:source { author = "cli" }
  local names = {}
  for name, value in pairs(params) do
    assert(txn:set(name, value))
    names[#names + 1] = name
  end
  assert(txn:commit("set", math.floor(self.world.now().time)))
  self.engine:changed(names, by or "user")
end

--- Set the wall clock, and say so.
function lab:step(seconds)
  self.world.step(seconds)
  self.device_event("clock")
end

--- Phones of one world and one server: { world, phones = list of { engine,
-- store }, arrivals = list of { at, phone } }.
--   options   as for support.new(); dice: a seed
function support.fleet(n, options)
  options.dice = options.dice or 20261122
  local fleet = { arrivals = {}, phones = {} }
  local server = options.server or default_server
  local world = virtual.new { time = options.time, dice = options.dice,
    forget = true, server = function(request)
      local now = fleet.world.now().mono
      fleet.arrivals[#fleet.arrivals + 1] = now
      local answer = server(request, fleet)
      if type(answer) == "number" then answer = { status = answer } end
      answer.headers = answer.headers or {}
      return answer
    end }
  fleet.world = world
  for i = 1, n do
    local own = setmetatable({ store = support.store(params_of(options)),
      device = {} }, { __index = world })
    local p = phone.new { world = own, identity = fixture.identity }
    fleet.phones[i] = { store = own.store, phone = p,
      engine = engine.new(p) }
  end
  return fleet
end

--- How many of these times fall into each of `count` bins between two times.
function support.bins(times, from, to, count)
  local bins, sum = {}, 0
  for i = 1, count do bins[i] = 0 end
  for _, t in ipairs(times) do
    if t >= from and t <= to then
      local i = math.min(count, 1 + math.floor((t - from) / (to - from)
        * count))
      bins[i], sum = bins[i] + 1, sum + 1
    end
  end
  return bins, sum / count
end

return support
