-- Timed resyncs run at night, and each phone has a minute of its own in it: a
-- hundred thousand phones do not wait at the door until it is 22:00.
--   in    phone.explicit       did somebody ask?
--         phone.identity.MAC   "000e08abcdef"
--         phone.local_time     { minute = of the day, ... }
--   out   true, or false and a reason
-- A phone's night begins at its own minute and ends at 05:00.

local FROM <const>, WINDOW <const> = 22 * 60, 4 * 60    -- 22:00 to 02:00
local TO <const> = 5 * 60

-- A minute of the window that belongs to a MAC address (FNV-1a, 32 bits).
local function own_minute(mac)
  local hash = 2166136261
  for i = 1, #mac do
    hash = ((hash ~ mac:byte(i)) * 16777619) & 0xFFFFFFFF
  end
  return (hash >> 8) % WINDOW
end

-- Minutes since FROM, of the day before where it is past midnight.
local function into_night(minute)
  return (minute - FROM) % 1440
end

local function decide(phone)
  if phone.param.Provision_Enable ~= "Yes" then
    return false, "Provision_Enable is No"
  end
  if phone.explicit then
    return true
  end
  local since = into_night(phone.local_time.minute)
  local own = own_minute(phone.identity.MAC)
  if since < own or since >= into_night(TO) then
    local minute = (FROM + own) % 1440
    return false, ("the night of this phone begins at %02d:%02d"):format(
      minute // 60, minute % 60)
  end
  return classic.triggers(phone)
end

return { stage = "trigger", decide = decide }
