--- wake(event) and post(event, ...) of a world: tasks that wait for an event.
local task = require "peal.task"

local events = {}

--- Give a world its wake and post.
function events.add(world)
  local waiting = {}

  function world.wake(event)
    return task.await(function(resume)
      waiting[event] = waiting[event] or {}
      table.insert(waiting[event], resume)
    end)
  end

  function world.post(event, ...)
    local woken = waiting[event] or {}
    waiting[event] = nil
    for _, resume in ipairs(woken) do resume(...) end
  end
end

return events
