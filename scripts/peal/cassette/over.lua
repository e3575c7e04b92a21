--- A phone over a recorder of its world, for one resync: what it knows and
-- learns is the phone's own, and what the resync writes goes through the
-- recorder. What a phone has prepared from its store and its rule files is
-- made anew, so that the resync begins as it will on another machine.
local recorder = require "peal.world.recorder"

-- What the other phone has for itself: the way out, and what is prepared.
local OWN <const> = { world = true, keep = true, book = true, identity = true,
  tls = true, certificates = true, clock = true, place = true,
  saved_sessions = true }

local function laid_over(real, own)
  local methods = getmetatable(own).__index
  for name in pairs(own) do
    if not OWN[name] then own[name] = nil end
  end
  return setmetatable(own, {
    __index = function(_, name)
      if methods[name] ~= nil then return methods[name] end
      if not OWN[name] then return real[name] end
    end,
    __newindex = function(_, name, value)
      if OWN[name] then
        rawset(own, name, value)
      else
        real[name] = value
      end
    end })
end

--- @param real   see phone.lua
-- @treturn table phone
-- @treturn table record, see world/recorder.lua
return function(real)
  local aliases = {}
  local world, record = recorder.new(real.world, {
    alias = function(event) return aliases[event] end })
  local own = real:twin(world)
  aliases[own.book] = real.book
  own.keep = setmetatable({ world = world },
    { __index = real.keep, __newindex = real.keep })
  return laid_over(real, own), record
end
