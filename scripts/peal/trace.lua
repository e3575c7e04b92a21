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

--- Append a step; returns it, to be completed.
function trace:add(kind, fields)
  local step = fields or {}
  step.step = kind
  self.steps[#self.steps + 1] = step
  return step
end

function trace:encode()
  return json.encode(self)
end

return trace
