--- What the daemon tells, above the prompt while somebody types.
local visible = require "peal.visible"

local events = {}

--- Is an event told at this level?
function events.is_told(event, level)
  if level == "off" then return event.event == "ended" end
  return level == "debug" or event.event ~= "step"
end

--- An event as a line.
function events.line(event)
  if event.event == "ended" then
    return "the daemon has ended; what was read of it stays"
  end
  return visible.line(require("peal.cli.events").line(event))
end

--- Tell them from now on.
function events.follow(repl)
  local session = repl.session
  session.on_event = function(event)
    if events.is_told(event, repl.level) then
      repl:say("* " .. events.line(event))
    end
  end
  session:follow()
end

return events
