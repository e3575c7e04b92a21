--- One life of a simulated phone: from power to power cut or reboot. What it
-- has in memory ends with it, and what it was about to do; its store and its
-- image slots stay.
local device = require "peal.device"
local engine = require "peal.engine"
local isolation = require "peal.world.isolation"
local phone = require "peal.phone"
local simulated = require "peal.device.simulated"
local virtual = require "peal.world.virtual"

local life = {}

--- What is to be known of a device to make one like it: plain data.
--   d         of device.lua
--   identity  of the phone
function life.hardware(d, identity)
  local active, inactive = device.loads(d, identity)
  local terminals = {}
  for i, one in ipairs(device.terminals(d)) do
    terminals[i] = { id = one.id, kind = one.kind }
  end
  return { load = { active = active, inactive = inactive },
    lines_active = device.lines_active(d), registered = device.registered(d),
    clock_trusted = device.clock_trusted(d), zone = device.zone(d),
    headset = device.headset(d), address = device.address(d),
    terminals = terminals }
end

-- What a secure element does, without dice: a simulation goes back, and forward
-- again to the same bytes. They are in memory only.
local SEAL <const> = "sealed by a simulated phone:"

local function add_seal(d)
  function d.seal(bytes) return SEAL .. bytes end
  function d.unseal(bytes)
    if bytes:sub(1, #SEAL) == SEAL then return bytes:sub(#SEAL + 1) end
    return nil, "not sealed by this phone", "corrupt"
  end
end

-- The device of this life; what crosses over to the next is in `hardware`.
local function device_of(about)
  local d = assert(simulated.new(about.hardware))
  d.apply = about.on_apply
  add_seal(d)
  d.on_reboot = function(reason)
    about.on_reboot(reason, life.hardware(d, about.identity))
  end
  return d
end

local function world_of(about, d)
  local world = virtual.new { store = about.store, device = d,
    time = about.time, mono = about.mono, dice = about.random,
    server = about.server, dns = about.dns, rules = about.rules,
    trust = about.trust, keyring = about.keyring, ask = isolation.box(),
    forget = true }
  about.remember(world)
  world.tell, world.log = about.tell, about.log
  return world
end

local function identity_of(about)
  local identity = {}
  for name, value in pairs(about.phone.identity) do identity[name] = value end
  identity.SWVER = about.hardware.load.active or identity.SWVER
  return identity
end

--- A phone with an engine, not started yet.
--   about   store, hardware, phone (options of phone.new), first (its first
--           life of all?), time, mono, random,
--           server, dns, rules, trust, keyring, tell, log,
--           remember(world), on_apply(changes), on_reboot(reason, hardware)
-- @treturn table world (virtual), device, phone, engine
function life.new(about)
  local d = device_of(about)
  local world = world_of(about, d)
  local options = { world = world, identity = identity_of(about) }
  for _, name in ipairs { "state", "overrides", "account", "dhcp",
    "keep_unknown" } do
    options[name] = about.phone[name]
  end
  local memory = about.first and about.phone.memory
  options.memory = memory and { keep = memory.keep } or nil
  local p = phone.new(options)
  return { world = world, device = d, phone = p, engine = engine.new(p) }
end

return life
