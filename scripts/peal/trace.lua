--- What happened in a cycle, step by step, as plain data.
-- The one source for explain, syslog details and the history. It cites
-- revisions and names parameters; it copies no values and holds no secret.
local json = require "peal.json"

local trace = {}
trace.__index = trace

--- @param about cycle, asked_by, time; kind: of what, nil: a resync
function trace.new(about)
  local self = setmetatable({ steps = json.array {} }, trace)
  for key, value in pairs(about) do self[key] = value end
  return self
end

--- Append a step and tell whoever listens; returns it.
function trace:add(kind, fields)
  local step = fields or {}
  step.step = kind
  self.steps[#self.steps + 1] = step
  if self.on_step then self.on_step(step) end
  return step
end

--- Something a person should know, that fails nothing: a step, and told to
-- whoever collects notes (on_note). The same text counts once.
--   name   parameter it is about, or nil
function trace:note(word, name, text)
  for _, step in ipairs(self.steps) do
    if step.step == "note" and step.text == text then return end
  end
  self:add("note", { word = word, name = name, text = text })
  if self.on_note then
    self.on_note { word = word, name = name, text = text }
  end
end

--- The same each time, for what weakens trust.
function trace:warn(word, text)
  self:add("note", { word = word, text = text })
  if self.on_note then self.on_note { word = word, text = text } end
end

--- The trace as a text to keep. (on_step and on_note, who are told, are not
-- part of it.)
function trace:encode()
  return json.encode { cycle = self.cycle, kind = self.kind,
    asked_by = self.asked_by, time = self.time, outcome = self.outcome,
    steps = self.steps }
end

return trace
