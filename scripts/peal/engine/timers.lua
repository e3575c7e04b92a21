--- Named timers of a phone: each has a due time on the monotonic clock or on
-- the wall clock. Nobody is called; who waits asks when the next one is due.
local timers = {}
timers.__index = timers

function timers.new()
  return setmetatable({ armed = {} }, timers)
end

--- Arm a timer, in place of the one of that name.
--   due   { mono = s } or { wall = s }, and what else is to be known of it
function timers:arm(name, due)
  self.armed[name] = due
end

function timers:cancel(name)
  self.armed[name] = nil
end

function timers:clear()
  self.armed = {}
end

--- The timer of that name, or nil.
function timers:get(name)
  return self.armed[name]
end

--- Seconds until it is due: at most 0 when it is.
--   now   world.now()
function timers.left(due, now)
  if due.mono then return due.mono - now.mono end
  return due.wall - now.time
end

--- Name of the timer that has been due longest, or nil.
function timers:first_due(now)
  local first, most = nil, 0
  for name, due in pairs(self.armed) do
    local left = timers.left(due, now)
    if left < most or left <= 0 and (not first or left == most
        and name < first) then
      first, most = name, left
    end
  end
  return first
end

--- Seconds to the earliest one; nil: none is armed.
function timers:next(now)
  local least
  for _, due in pairs(self.armed) do
    local left = timers.left(due, now)
    if not least or left < least then least = left end
  end
  return least and math.max(0, least)
end

return timers
