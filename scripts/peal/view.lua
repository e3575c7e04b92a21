--- What a rule is shown of the phone: plain data, beside the parameters.
-- See stages.lua for the fields. `param` is added where the rule runs.
local clock = require "peal.engine.clock"
local device = require "peal.device"
local secret = require "peal.secret"

local view = {}

-- The password of Extension Mobility is a secret like those of parameters.
local function identity_of(phone)
  local out = {}
  for name, value in pairs(phone.identity) do out[name] = value end
  out.CCERT = phone.identity.CCERT
  out.MPWD = secret.reference("MPWD", out.MPWD)
  return out
end

local function nobody() end

-- What clock.zone() needs of an engine. It says nothing of a zone that cannot
-- be read: the engine does.
local function place_of(phone)
  phone.place = phone.place or { phone = phone, said = {}, world = {
    now = phone.world.now, log = nobody, tell = nobody } }
  return phone.place
end

-- Date and time where the phone stands.
local function local_time(phone, time)
  local t = clock.zone(place_of(phone)):fields(time)
  t.minute = t.hour * 60 + t.min
  return t
end

--- @param phone
-- @param about   asked_by, explicit, state (timers; nil: the current ones)
-- @param[opt] fields   what the stage has on top
function view.of(phone, about, fields)
  local state = {}
  for name, value in pairs(about.state or phone:timers()) do
    state[name] = value
  end
  local out = {
    identity = identity_of(phone),
    state = state,
    asked_by = about.asked_by,
    explicit = about.explicit,
    since_resync = tonumber(state.PRVTMR) or 0,
    since_upgrade = tonumber(state.UPGTMR) or 0,
    failures = phone.keep:number("engine", "failures") or 0,
    lines_active = device.lines_active(phone.world.device),
    now = math.floor(phone.world.now().time),
  }
  for name, value in pairs(fields or {}) do out[name] = value end
  out.local_time = local_time(phone, out.now)
  return out
end

local function read_only(_, name)
  error(("a rule cannot write a parameter (%s)"):format(tostring(name)), 2)
end

--- The parameters as a rule in this process reads them.
function view.params(phone)
  return setmetatable({}, {
    __index = function(_, name) return phone:shown(name) end,
    __newindex = read_only, __metatable = "read-only" })
end

return view
