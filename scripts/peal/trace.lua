--- What happened in a cycle, step by step, as plain data.
-- The one source for explain, syslog details and the history. It cites
-- revisions and names parameters; it copies no values and holds no secret.
local json = require "peal.json"

local trace = {}
trace.__index = trace

--- @param about cycle, asked_by, time
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

--- The trace as a text to keep. (on_step, who is told of each step, is not
-- part of it.)
function trace:encode()
  return json.encode { cycle = self.cycle, asked_by = self.asked_by,
    time = self.time, outcome = self.outcome, steps = self.steps }
end

return trace
