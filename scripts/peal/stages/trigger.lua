--- trigger: may a resync that is due start now?
-- Asked before every run, of explicit requests as well; a run that is held back
-- is asked again every 10 s.
local shape = require "peal.shape"

local TRIGGERS_MAX <const> = 16
local CONDITIONS_MAX <const> = 16384
local text = shape.text(65536)

-- What was looked at, as classic.triggers() tells it: for the trace.
local read_seen = shape.list(shape.record {
  name = shape.name, text = text, expanded = text, problem = shape.line,
  verdict = shape.boolean,
  conditions = shape.list(shape.record({ left = text, op = shape.line,
    right = text, verdict = shape.boolean },
    { "left", "op", "right", "verdict" }), CONDITIONS_MAX),
}, TRIGGERS_MAX)

return {
  purpose = "may a due resync start now?",
  answer = "true, or false and a reason; as a third what classic.triggers() "
    .. "has looked at, for peal explain",
  default = function(_, param)
    if param "Provision_Enable" == "Yes" then return { pass = true } end
    return { pass = false, reason = "Provision_Enable is No" }
  end,
  check = function(answer, reason, seen)
    if type(answer) ~= "boolean" then
      return nil, "the answer is not true, or false and a reason"
    end
    local line, why = shape.line(reason == nil and "no reason given"
      or reason, "the reason")
    if not line then return nil, why end
    -- no answer hangs on what is only told
    return { pass = answer, reason = not answer and line or nil,
      triggers = seen and read_seen(seen, "what was looked at") or nil }
  end,
}
