--- What each happening does to a simulation: kind -> function(sim, value, one).
-- They are checked by then, see simulate/happenings.lua.
local happenings = require "peal.simulate.happenings"
local life = require "peal.simulate.life"
local span = require "peal.span"

-- What is left of a phone that is on.
local function switch_off(self)
  local d = self.life.device
  d.on_reboot = nil
  d.reboot("power_on")
  self.life.engine.stopped = true
  return life.hardware(d, self.options.phone.identity)
end

-- The boot that was to come is put off: how long it would have been.
local function put_off(self)
  for i, one in ipairs(self.ahead) do
    if one.kind == "boot" then
      return table.remove(self.ahead, i).mono - self:mono()
    end
  end
  return 0
end

local function cut_power(self, _, one)
  self:say("fault", "power cut%s", one.lasts
    and " for " .. span(one.lasts) or "")
  local left = self.off and put_off(self) or 0
  local hardware = self.off and self.hardware or switch_off(self)
  hardware.lines_active = 0
  self:power_off(hardware, "power_on",
    math.max(left, one.lasts or happenings.BOOT_S))
end

local function set_params(self, values)
  local ok, sentence = self:write(values, "set")
  if not ok then self:say("set", "not set: %s", sentence) end
end

-- A device that is off takes its state with the next boot.
local function on_device(field, method)
  return function(self, value)
    if self.off then
      self.hardware[field] = value
    else
      self.life.device[method](value)
    end
  end
end

local set_lines = on_device("lines_active", "set_lines")
local set_registered = on_device("registered", "set_registered")
local set_trusted = on_device("clock_trusted", "set_clock")
local set_address = on_device("address", "set_address")

return {
  power_cut = cut_power,
  server_down = function(self, down, one)
    self.down = down
    self:say("fault", "server %s%s", down and "down" or "up again",
      one.lasts and " for " .. span(one.lasts) or "")
  end,
  dns_down = function(self, down, one)
    self.dns_down = down
    self:say("fault", "DNS %s%s", down and "down" or "up again",
      one.lasts and " for " .. span(one.lasts) or "")
  end,
  lines = function(self, n)
    self:say("fault", n == 0 and "all lines idle" or "%d %s", n,
      n == 1 and "call" or "calls")
    set_lines(self, n)
  end,
  registered = function(self, yes)
    self:say("fault", "registration %s", yes and "back" or "lost")
    set_registered(self, yes)
  end,
  trusted = function(self, yes)
    self:say("clock", yes and "the clock is set" or "the clock is lost")
    set_trusted(self, yes)
  end,
  address = function(self, address)
    self:say("fault", "address %s", address)
    set_address(self, address)
  end,
  clock = function(self, seconds)
    self.offset = self.offset + seconds
    if not self.off then self.life.world.step(seconds) end
    self:say("clock", "the clock is set %s by %s",
      seconds < 0 and "back" or "forward",
      span(math.abs(seconds)))
    if not self.off then self.life.engine:clock_changed() end
  end,
  set = set_params,
  resync = function(self, rule)
    if self.off then return end
    local ok, sentence = self.life.engine:resync { by = "simulate",
      rule = type(rule) == "string" and rule or nil }
    if not ok then self:say("held", "resync refused: %s", sentence) end
  end,
}
