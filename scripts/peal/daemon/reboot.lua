--- A simulated phone that reboots: it comes up in the same process, and knows
-- what is in its store and no more. (A maker's device does not come back: the
-- whole system restarts.)
local device = require "peal.device"
local phone = require "peal.phone"
local sys = require "peal.sys"

local reboot = {}

-- A profile that asks for a reboot each time must not keep a server busy: of
-- reboots that follow each other the first comes at once, the others 1, 4, 9
-- ... seconds later, a minute at most (our choice).
local APART_S <const> = 600
local WAIT_MAX_S <const> = 60

--- The phone as it is after its boot.
--   open   as of session.open(); open.phone is what it was
function reboot.phone(open)
  local was, file, identity = open.phone, open.file, {}
  for name, value in pairs(was.identity) do identity[name] = value end
  identity.SWVER = device.loads(open.world.device, identity)
  if not (file.identity and file.identity.IP) then
    identity.IP = sys.local_address() or identity.IP
  end
  return phone.new { world = open.world, identity = identity,
    state = file.state, overrides = was.overrides, account = file.account,
    dhcp = file.dhcp, keep_unknown = was.keep_unknown }
end

--- Seconds until it comes up.
--   pace   table of the phone, empty at first
function reboot.wait(pace, now)
  if not pace.at or now - pace.at > APART_S then pace.n = 0 end
  local seconds = math.min(WAIT_MAX_S, pace.n * pace.n)
  pace.at, pace.n = now + seconds, pace.n + 1
  return seconds
end

return reboot
