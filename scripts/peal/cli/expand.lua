--- peal expand: the macros of a text.
local macro = require "peal.macro"
local output = require "peal.cli.output"
local secret = require "peal.secret"
local session = require "peal.cli.session"

local expand = {
  name = "expand",
  usage = "TEXT",
  summary = "Expand the macros of a text and print the result and nothing "
    .. "else.",
  options = {},
  examples = { "peal expand '$(MAU)config.cfg' --phone phone.lua" },
}

function expand.run(options)
  local text = options[1]
  if not text or options[2] then
    return nil, { sentence = "one text, please (quote it)", word = "usage",
      code = 2 }
  end
  local open, failed = session.open(options, { read_only = true })
  if not open then return nil, failed end
  local expanded, sentence, word =
    macro.expand(text, open.phone:variables())
  if not expanded then
    return nil, { sentence = sentence, word = word,
      next = "macros look like: $MA $(MA) $(MA:0:6)" }
  end
  expanded = secret.mask(expanded)
  if options.json then
    output.json { text = text, expanded = expanded }
  else
    output.print(expanded)
  end
  return 0
end

return expand
