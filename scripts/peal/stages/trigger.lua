--- trigger: may a resync that is due start now?
-- Asked before every run, of explicit requests as well; a run that is held back
-- is asked again every 10 s.
local shape = require "peal.shape"

return {
  purpose = "may a due resync start now?",
  answer = "true, or false and a reason",
  default = function(_, param)
    if param "Provision_Enable" == "Yes" then return { pass = true } end
    return { pass = false, reason = "Provision_Enable is No" }
  end,
  check = function(answer, reason)
    if type(answer) ~= "boolean" then
      return nil, "the answer is not true, or false and a reason"
    end
    local line, why = shape.line(reason == nil and "no reason given"
      or reason, "the reason")
    if not line then return nil, why end
    return { pass = answer, reason = not answer and line or nil }
  end,
}
