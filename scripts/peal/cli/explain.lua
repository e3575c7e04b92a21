--- peal explain: why a parameter has its value.
local explain = require "peal.explain"
local get = require "peal.cli.get"
local output = require "peal.cli.output"
local session = require "peal.cli.session"

local command = {
  name = "explain",
  usage = "NAME",
  summary = "Say where the value of a parameter comes from: revision, cycle, "
    .. "rule, URL\nand line, and what it overrode.",
  options = {},
  examples = { "peal explain Resync_Periodic --store st" },
}

function command.run(options)
  local name = options[1]
  if not name or options[2] then
    return nil, { sentence = "one name, please", word = "usage", code = 2 }
  end
  local open, failed = session.open(options, { read_only = true })
  if not open then return nil, failed end
  local found = explain.value(open.store, name, {
    schema = open.schema, path = open.store_path,
    override = open.phone.overrides[open.schema:find(name) or name] })
  if not found then return get.unknown(open.schema, name) end
  if options.json then
    output.json(found)
  else
    output.print(explain.text(found))
  end
  return 0
end

return command
