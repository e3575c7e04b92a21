--- What went wrong, as it is raised in a session: { sentence, word, place,
-- next }, which reads as its sentence where somebody's pcall() catches it.
local task = require "peal.task"

local failure = {}

local META <const> = { __name = "peal.failure",
  __tostring = function(self) return self.sentence end }

--- What interrupts a session is told by this.
failure.INTERRUPTED = "interrupted"

--- A failure that was returned: nil, { sentence, word, next }.
function failure.raise(failed)
  error(setmetatable(failed, META), 0)
end

--- nil, sentence, word, raised; anything else is passed on.
function failure.check(result, sentence, word, place, next_step)
  if result == nil and sentence then
    failure.raise { sentence = sentence, word = word, place = place,
      next = next_step }
  end
  return result, sentence, word, place, next_step
end

local function text_of(value)
  local meta = debug.getmetatable(value)
  if type(value) == "table" and not (meta and meta.__tostring) then
    return "the error is a table, not a text"
  end
  local ok, text = pcall(tostring, value)
  return ok and text or ("error value is a %s"):format(type(value))
end

--- Anything that was raised as a failure.
function failure.of(message)
  if getmetatable(message) == META then return message end
  local text = type(message) == "string" and message or text_of(message)
  -- a task tells with the engine's traceback, which is not the operator's
  text = text:gsub("\nstack traceback:.*$", "")
  local word = text:find(failure.INTERRUPTED .. "!?$") and "canceled"
    or task.is_exhaustion(text) and "resource" or "script"
  return setmetatable({ sentence = text, word = word }, META)
end

return failure
