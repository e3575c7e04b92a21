--- A phone that makes its host certificate, on the virtual clock, with nobody
-- but the host certificate at work.
--
--   local lab = hosts.new { terminals = { { id = "21", kind = "sip" } } }
--   lab:ask("boot")              what consider() returns; asked again when due
--   lab:go("2026-11-23 02:00")   on to that local time
--   lab:status()                 as host.status()
--
-- options: params, terminals, address, zone, time (local text), store, keyring,
-- device, dice
local assert = require "luassert"
local civil = require "peal.civil"
local context = require "peal.cycle.context"
local engine = require "support.engine"
local fixture = require "support.fixture"
local host = require "peal.host_certificate"
local phone = require "peal.phone"
local simulated = require "peal.device.simulated"
local virtual = require "peal.world.virtual"
local zone = require "peal.zone"

local hosts = {}
local lab = {}
lab.__index = lab

hosts.ZURICH = "CET-1CEST,M3.5.0,M10.5.0/3"

-- Local text of a time, and back: "2026-11-22 15:04:05".
function lab:time(text)
  local y, m, d, h, min, s =
    text:match("(%d+)-(%d+)-(%d+) (%d+):(%d+):?(%d*)")
  return self.zone:time(civil.days(tonumber(y), tonumber(m), tonumber(d)),
    tonumber(h) * 3600 + tonumber(min) * 60 + (tonumber(s) or 0))
end

function lab:text(time)
  local t = self.zone:fields(time)
  return ("%04d-%02d-%02d %02d:%02d:%02d"):format(t.year, t.month, t.day,
    t.hour, t.min, t.sec)
end

local function identity_of(options)
  local identity = {}
  for name, value in pairs(fixture.identity) do identity[name] = value end
  identity.IP = options.address or "192.168.1.200"
  return identity
end

function hosts.new(options)
  options = options or {}
  local self = setmetatable({ options = options,
    zone = zone.parse(options.zone or hosts.ZURICH) }, lab)
  self.store = options.store or engine.store(options.params or {})
  self.device = options.device or assert(simulated.new {
    zone = options.zone or hosts.ZURICH, terminals = options.terminals })
  self.world = virtual.new { store = self.store, device = self.device,
    dice = options.dice or 4, keyring = options.keyring,
    time = self:time(options.time or "2026-11-22 15:04:05") }
  self:power()
  return self
end

--- Off and on: only what is kept remains.
function lab:power()
  self.due, self.soon = nil, nil
  self.phone = phone.new { world = self.world,
    identity = identity_of(self.options) }
  return self
end

--- One question, as the engine asks it.
function lab:ask(event, force)
  self.soon = nil
  local result = self.world.run(function()
    local run = context.new(self.phone, { asked_by = "test",
      kind = "certificate" })
    return host.consider(self.phone, run, { event = event, force = force,
      again = function() self.soon = true end })
  end)
  self.due = self.world.now().mono + (result.after or 86400)
  return result
end

--- What is due until a local time (text), and then that time.
--   each   function(), called after each question
function lab:go(text, each)
  local left = self:time(text) - self.world.now().time
  local stop = self.world.now().mono + left
  while self.soon or self.due and self.due <= stop do
    if not self.soon then self.world.advance(self.due) end
    self:ask("retry")
    if each then each() end
  end
  self.world.advance(stop)
  return self
end

--- Terminals have answered: go on, until there is nothing to do now.
function lab:settle()
  while self.soon do self:ask("retry") end
  return self
end

function lab:set(params)
  local txn = assert(self.store:begin())
  txn:source { author = "cli" }
  for name, value in pairs(params) do assert(txn:set(name, value)) end
  assert(txn:commit("set", math.floor(self.world.now().time)))
  return self:ask("change")
end

function lab:status()
  return host.status(self.phone)
end

function lab:state()
  return self:status().state
end

--- Local text of the next run.
function lab:next_run()
  return self:text(self:status().next_run)
end

--- The word of each alarm.
function lab:alarms()
  local words = {}
  for i, alarm in ipairs(self:status().alarms) do words[i] = alarm.word end
  return words
end

--- How many terminals are in each status.
function lab:counts()
  local counts = {}
  for _, one in ipairs(self:status().terminals) do
    counts[one.status] = (counts[one.status] or 0) + 1
  end
  return counts
end

--- n terminals of a kind.
function hosts.terminals(kind, n)
  local list = {}
  for i = 1, n do
    list[i] = { id = ("%s-%03d"):format(kind, i), kind = kind }
  end
  return list
end

return hosts
