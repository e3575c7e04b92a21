--- Schedules: `600,1200,300` or `1800+300,3600+600`, in seconds.
--
-- The n-th delay is the n-th item, the last one for ever, plus after "+" a
-- random extra. Source: MPP provisioning guide, Resync_Periodic and
-- Resync_Error_Retry_Delay.
local schedule = {}

local find, match = string.find, string.match

local NUMBER_MAX <const> = 4294967295
local TEXT_MAX <const> = 8192

local function number(digits)
  local value = #digits <= TEXT_MAX and tonumber(digits)
  return value and value <= NUMBER_MAX and math.tointeger(value) or nil
end

-- One item, "1800 + 300" with free blanks.
local function item(text)
  local base, rest = match(text, "^[ \t]*([0-9]+)[ \t]*(.*)$")
  if not base then
    return nil
  end
  local extra = "0"
  if rest ~= "" then
    extra = match(rest, "^%+[ \t]*([0-9]+)[ \t]*$")
  end
  base, extra = number(base), extra and number(extra)
  return base and extra and { base = base, extra = extra }
end

--- Reads a schedule. The empty text is valid and means off.
-- @tparam string text
-- @treturn[1] table items, each {base, extra} in seconds; stops_at is the
--   index of the first item whose base is 0
-- @return[2] nil, sentence, "invalid"
function schedule.parse(text)
  local parsed = { items = {} }
  if #text > TEXT_MAX then
    return nil, "Schedule too long", "invalid"
  elseif not find(text, "[^ \t]") then
    return parsed
  end
  for piece in (text .. ","):gmatch("([^,]*),") do
    local entry = item(piece)
    if not entry then
      return nil, ("Item %d is no delay"):format(#parsed.items + 1), "invalid"
    end
    parsed.items[#parsed.items + 1] = entry
    if entry.base == 0 and not parsed.stops_at then
      parsed.stops_at = #parsed.items
    end
  end
  return parsed
end

--- The n-th delay. An item 0 stops the schedule there; so does `0+30`, which
-- could otherwise run without a pause (our choice).
-- @tparam table s from parse()
-- @tparam integer index from 1
-- @tparam function random (lo, hi) -> integer, both inclusive
-- @treturn[1] integer seconds
-- @treturn[2] nil off, or stopped
function schedule.delay(s, index, random)
  local count = #s.items
  if count == 0 or s.stops_at and index >= s.stops_at then
    return nil
  end
  local entry = s.items[math.max(1, math.min(index, count))]
  if entry.extra == 0 then
    return entry.base
  end
  return entry.base + random(0, entry.extra)
end

return schedule
