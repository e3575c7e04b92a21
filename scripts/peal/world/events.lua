--- wait() and post() of a world: tasks that wait for a time or an event.
local task = require "peal.task"

local events = {}

-- The longest wait, s: about a century, which is as far as timers go.
-- Resync_Periodic may be longer; who waits looks at the clock again.
local LONGEST_S <const> = 3e9

-- Resume everybody who waits for `event` now; who begins to wait meanwhile is
-- not meant.
local function post(waiting, event, ...)
  local woken = waiting[event]
  if not woken then return end
  waiting[event] = nil
  for _, resume in ipairs(woken) do resume(true, ...) end
end

local function forget(waiting, event, resume)
  for i, other in ipairs(waiting[event] or {}) do
    if other == resume then table.remove(waiting[event], i) end
  end
  if waiting[event] and #waiting[event] == 0 then waiting[event] = nil end
end

--- Give a world its wait and post.
-- @tparam function timer (seconds, fn) -> handle with :cancel()
function events.add(world, timer)
  local waiting = {}

  --- Suspend until the time (false) or the event (true, ...).
  --   seconds   nil: only the event
  --   event     any value but nil; nil: only the time
  function world.wait(seconds, event)
    local handle
    local results = table.pack(task.await(function(resume)
      if event ~= nil then
        waiting[event] = waiting[event] or {}
        table.insert(waiting[event], resume)
      end
      if seconds then
        local after = math.min(math.max(0, seconds), LONGEST_S)
        handle = timer(after, function()
          if event ~= nil then forget(waiting, event, resume) end
          handle = nil
          resume(false)
        end)
      end
    end))
    if handle then handle:cancel() end
    return table.unpack(results, 1, results.n)
  end

  --- Wake everybody who waits for `event`.
  function world.post(event, ...)
    post(waiting, event, ...)
  end
end

return events
