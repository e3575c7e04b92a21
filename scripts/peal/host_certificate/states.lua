--- What a pair of certificates is in, by facts alone.
--
--   NONE            there is no pair
--   GENERATING      one is being made
--   DISTRIBUTING    terminals are getting it
--   VALID           every terminal has it, or waits for a person
--   STALE_ADDRESS   it names an address that the phone has no more
--   EXPIRED         its time is over
--   WAIT_NTP        the next one is due, and the clock is not synchronised
--
-- Source: MiVoice Office 400 WebAdmin help, "Public"; the names of the states
-- are our choice.
local civil = require "peal.civil"

local states = {}

--- An alarm: something that an administrator has to do, or to know.
local function alarm(word, text, ...)
  return { word = word, text = text:format(...) }
end

local function expired(f)
  return f.pair and f.time > f.pair.not_after
end

local function stale(f)
  return f.pair and f.address and f.address ~= f.pair.address
end

local RULES <const> = {
  { "GENERATING", function(f) return f.working end },
  { "EXPIRED", expired },
  { "WAIT_NTP", function(f) return f.due and not f.clock end },
  { "NONE", function(f) return not f.pair end },
  { "STALE_ADDRESS", stale },
  { "DISTRIBUTING", function(f) return f.distributing end },
}

--- @param f   pair (see pair.lua) or nil, time, clock (synchronised?), due,
--   working, distributing, address (of the phone now, or nil)
function states.of(f)
  for _, rule in ipairs(RULES) do
    if rule[2](f) then return rule[1] end
  end
  return "VALID"
end

-- What alarms, the gravest first: functions facts -> alarm or nil.
local ALARMS <const> = {
  function(f)
    return expired(f) and alarm("expired",
      "the host certificate expired at %s: calls are refused",
      civil.iso(f.pair.not_after))
  end,
  function(f)
    return f.damaged and alarm("corrupt", "certificates are damaged: %s",
      f.damaged)
  end,
  function(f)
    return f.due and not f.clock and alarm("no-clock", "new certificates are "
      .. "due, and wait until the clock is synchronised")
  end,
  function(f)
    return f.failure and alarm("generation", "no certificates could be made: "
      .. "%s; tried again at %s", f.failure, civil.iso(f.retry_at))
  end,
  function(f)
    return stale(f) and alarm("address", "the host certificate is for %s, and "
      .. "the address is %s now: make new ones with peal ca generate",
      f.pair.address, f.address)
  end,
  function(f)
    return #f.lost > 0 and alarm("terminal", "%d %s did not take the host "
      .. "certificate: %s", #f.lost,
      #f.lost == 1 and "terminal" or "terminals", table.concat(f.lost, ", "))
  end,
}

--- @param f   as for states.of(), and failure (sentence), retry_at, damaged
--   (sentence), lost (ids of terminals that were given up)
-- @treturn table list of { word, text }
function states.alarms(f)
  local list = {}
  for _, of in ipairs(ALARMS) do list[#list + 1] = of(f) or nil end
  return list
end

--- What is no alarm, but should be known.
--   f   as for states.of(), and days (Cert_Regen_Days), bad_time (sentence)
function states.warnings(f)
  local list = {}
  if f.pair and f.pair.days < f.days then
    list[1] = alarm("lengthened", "Cert_Regen_Days is %d, and the active "
      .. "certificates hold %d days: regenerate manually (peal ca generate)",
      f.days, f.pair.days)
  end
  if f.bad_time then
    list[#list + 1] = alarm("invalid", "Cert_Regen_Time: %s; 02:00 is used",
      f.bad_time)
  end
  return list
end

return states
