--- peal get: the bare value of a parameter.
local output = require "peal.cli.output"
local session = require "peal.cli.session"
local shown = require "peal.shown"

local get = {
  name = "get",
  usage = "NAME",
  summary = "Print the value of a parameter and nothing else.",
  details = "A secret is shown as its fingerprint. Any other value is shown "
    .. "as it is, a\nrule with its keys and passwords too; params and explain "
    .. "hide those.",
  options = {},
  examples = { "peal get Resync_Periodic --store st" },
}

--- A failure for a name in no registry, with the nearest known one.
get.unknown = require("peal.daemon.write").unknown

function get.run(options)
  local name = options[1]
  if not name or options[2] then
    return nil, { sentence = "one name, please", word = "usage", code = 2 }
  end
  local open, failed = session.open(options, { read_only = true })
  if not open then return nil, failed end
  local about = open.store:value(name)
  if not about then return get.unknown(open.schema, name) end
  about.text = open.phone:param(about.name)
  local secret = shown.is_secret(open.store, about.name)
  local text = secret and open.store:fingerprint(about.text) or about.text
  if options.json then
    output.json { name = about.name, value = text, secret = secret or nil }
  else
    output.print(text)
  end
  return 0
end

return get
