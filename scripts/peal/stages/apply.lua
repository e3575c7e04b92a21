--- apply: per parameter: accept, change or refuse a staged value.
local shape = require "peal.shape"

local read_verdict = shape.record { refuse = shape.map(shape.line),
  change = shape.map(shape.string) }

return {
  fields = {
    rule = "{ name = } of the profile rule",
    url = "where the profile came from, \"\" for assignments",
    changes = "list of { name, type, old, new, secret, reboot, line }",
  },
  purpose = "per parameter: accept, change or refuse a staged value",
  answer = "nil (accept all) or { refuse = { NAME = reason }, "
    .. "change = { NAME = value } }",
  default = function() return {} end,
  check = function(verdict)
    return read_verdict(verdict == nil and {} or verdict, "the answer")
  end,
}
