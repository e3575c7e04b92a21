--- privacy: how is a SIP message changed for the privacy that a line wants?
local json = require "peal.json"
local shape = require "peal.shape"

local HEADERS_MAX <const> = 256

local read = shape.record {
  remove = shape.list(shape.name, HEADERS_MAX),
  set = shape.map(shape.string),
  add = shape.list(shape.record({ name = shape.name, value = shape.string },
    { "name", "value" }), HEADERS_MAX),
  reason = shape.line,
}

return {
  purpose = "how is a SIP message changed for the privacy that a line wants?",
  fields = {
    line = "number of the line",
    message = "{ method =, uri =, status = (of a response), in_dialog =, "
      .. "headers = list of { name =, value = } in order }",
    values = 'list of what the line wants: "header", "session", "user", '
      .. '"id", "critical"; or "none" or "Disabled" alone',
    aor = 'address of record of the line: \'"Name" <sip:user@host>\'',
    self_mask = "no service in the network hides what the phone does not",
    added = "the Privacy value that peal itself has put in earlier, or nil",
    emergency = "numbers of emergency calls",
  },
  answer = "nil: as it is; or { remove = names of headers, set = { NAME = "
    .. "value of its first one }, add = list of { name =, value = }, behind "
    .. "Contact or else CSeq, reason = }",
  default = function(fields)
    local value = table.concat(fields.values or {}, ";")
    if value == "" or value == "Disabled" then return {} end
    return { remove = json.array { "Privacy" },
      add = json.array { { name = "Privacy", value = value } },
      reason = "no rule file can decide" }
  end,
  check = function(v)
    return read(v == nil and {} or v, "the answer")
  end,
}
