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

-- Longest trace that is kept, bytes (our choice).
local KEPT_MAX <const> = 65536

-- The first and the last steps, half of the room each.
local function cut(steps)
  local sizes = {}
  for i, step in ipairs(steps) do sizes[i] = #json.encode(step) end
  local half, out, size, first = (KEPT_MAX - 1024) // 2, json.array(), 0, 1
  while first <= #steps and size + sizes[first] <= half do
    out[first], size = steps[first], size + sizes[first]
    first = first + 1
  end
  local last = #steps + 1
  size = 0
  while last > first and size + sizes[last - 1] <= half do
    last = last - 1
    size = size + sizes[last]
  end
  out[#out + 1] = { step = "cut", left_out = last - first }
  return table.move(steps, last, #steps, #out + 1, out)
end

local function text_of(self, steps)
  return json.encode { cycle = self.cycle, kind = self.kind,
    asked_by = self.asked_by, time = self.time, outcome = self.outcome,
    explicit = self.explicit, prvst = self.prvst, reason = self.reason,
    steps = steps }
end

--- The trace as a text to keep. (on_step and on_note, who are told, are not
-- part of it.) One that is too long loses steps in its midst.
function trace:encode()
  local text = text_of(self, self.steps)
  if #text <= KEPT_MAX then return text end
  return text_of(self, cut(self.steps))
end

return trace
