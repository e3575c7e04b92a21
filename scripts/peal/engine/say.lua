--- What the engine tells: events for programs, a line each for people.
local civil = require "peal.civil"
local visible = require "peal.visible"

local say = {}

--- "2026-11-22T10:15:30Z" of a wall time.
function say.time(time)
  return civil.iso(time)
end

--- An event: plain data without secrets.
--   kind   "state", "cycle", "upgrade", "report", "health", "rules", "reboot",
--          "note"
function say.event(e, kind, fields)
  fields.event = kind
  fields.time = math.floor(e.world.now().time)
  e.world.tell(fields)
end

--- A line of the control log.
function say.line(e, text, ...)
  e.world.log(visible.line(select("#", ...) > 0 and text:format(...) or text))
end

--- Something a person should know: event and line.
function say.note(e, word, text)
  say.event(e, "note", { word = word, text = visible.line(text) })
  say.line(e, text)
end

--- The same, once for each text.
function say.once(e, word, text)
  if e.said[word] == text then return end
  e.said[word] = text
  say.note(e, word, text)
end

return say
