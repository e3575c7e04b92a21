--- Records an engine from its start: what it did by itself, and what others
-- asked of it.
--
--   local life = life.new(world, schema)
--   local phone, engine = life:power { identity = ... }
--   engine:start()                     the world's clock goes on
--   engine:resync { by = "url" }       asked from outside: an input
--   life:cassette()
--
-- The phone and the engine are of the recorded world; what is asked of the
-- engine goes through the stand-in that power() gives.
local encode = require "peal.encode"
local engine = require "peal.engine"
local phone = require "peal.phone"
local recorder = require "peal.world.recorder"
local registry = require "peal.registry"
local sys_versions = require("peal.sys").versions

local life = {}
life.__index = life

-- Fields of a request whose function is called at its end.
local DONE <const> = "done"

--- Begin, over `inner`. Its store is as it is now.
function life.new(inner, schema)
  local self = setmetatable({ store = inner.store }, life)
  self.before, self.key = inner.store:bytes()
  self.added = registry.added(schema)
  self.world, self.record = recorder.new(inner)
  return self
end

-- That somebody is told of the end is a call; what he is told is not.
local function told(self, fn)
  local call = self.record:call(DONE, function() end)
  return function(...)
    call()
    fn(...)
  end
end

local function request_of(self, about)
  if type(about) ~= "table" or not about[DONE] then return about, about end
  local plain, own = {}, {}
  for key, value in pairs(about) do plain[key], own[key] = value, value end
  plain[DONE], own[DONE] = true, told(self, about[DONE])
  return plain, own
end

local function stand_in(self, real)
  return setmetatable({}, { __index = function(_, name)
    local fn = real[name]
    if type(fn) ~= "function" then return fn end
    return function(_, about, ...)
      local plain, own = request_of(self, about)
      self.record:asks(name, table.pack(plain, ...))
      local results = table.pack(fn(real, own, ...))
      self.record:answered()
      return table.unpack(results, 1, results.n)
    end
  end })
end

--- Power on: a phone and its engine.
--   about   options of phone.new() but for the world
-- @treturn table phone
-- @treturn table a stand-in for the engine
function life:power(about)
  self.record:power(about)
  local options = {}
  for key, value in pairs(about) do options[key] = value end
  options.world = self.world
  local p = phone.new(options)
  return p, stand_in(self, engine.new(p))
end

--- What is to be the same at the end.
function life.outcome(store)
  return { store = encode.sha256():add((store:bytes())):hex(),
    revision = store:revision() }
end

--- The end: all of it as plain data.
function life:cassette()
  self.record:stop()
  return { kind = "engine", peal = sys_versions().peal, phone = {},
    registry = self.added, store = { bytes = self.before, key = self.key },
    anchors = self.record:anchors_list(), roots = self.record:roots(),
    sources = self.record:sources(), tape = self.record:bytes(),
    entries = self.record:count(), outcome = life.outcome(self.store) }
end

-- --- once more ---

local function with_done(call, args)
  local about = args[1]
  if type(about) == "table" and about[DONE] == true then
    about[DONE] = function() call() end
  end
  return args
end

--- Handlers for world/replay.lua: phones that start, and what is asked.
--   now   table: gets `phone` and `engine`, the latest; `world` is to be set
function life.handlers(now, call)
  return function(about)
    about.world = now.world
    now.phone = phone.new(about)
    now.engine = engine.new(now.phone)
  end, function(name, args)
    local fn = now.engine[name]
    args = with_done(call(DONE), args)
    fn(now.engine, table.unpack(args, 1, args.n))
  end
end

return life
