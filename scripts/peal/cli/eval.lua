--- peal eval: a condition.
local condition = require "peal.condition"
local json = require "peal.json"
local macro = require "peal.macro"
local output = require "peal.cli.output"
local session = require "peal.cli.session"

local eval = {
  name = "eval",
  usage = "CONDITION",
  summary = "Expand and evaluate a condition; print true or false.",
  details = "Exit code 1 and a message for a condition that is an error.",
  options = {},
  examples = { "peal eval '$PRVTMR ge 600' --phone phone.lua" },
}

local FORM <const> = "a condition looks like: '$PRVTMR ge 600' or "
  .. "'\"$PN\" eq \"CP-8841-3PCC\"'"

local function say_operands(detail)
  for _, step in ipairs(detail or {}) do
    output.say("%s %s %s: %s", tostring(step.left), tostring(step.op),
      tostring(step.right), tostring(step.verdict))
  end
end

function eval.run(options)
  local text = options[1]
  if not text or options[2] then
    return nil, { sentence = "one condition, please (quote it)",
      word = "usage", code = 2 }
  end
  local open, failed = session.open(options, { read_only = true })
  if not open then return nil, failed end
  local expanded, mask, word = macro.expand(text, open.phone:variables())
  if not expanded then
    return nil, { sentence = mask, word = word, next = FORM }
  end
  local verdict, detail, why, place = condition.evaluate(expanded, mask)
  if verdict == nil then
    return nil, { sentence = detail, word = why,
      place = place and place.at and { byte = place.at },
      next = expanded ~= text and ("it was expanded to: %s"):format(
        output.clip(expanded, 200)) or FORM }
  end
  if options.v then say_operands(detail) end
  if options.json then
    output.json { condition = text, expanded = expanded, verdict = verdict,
      comparisons = json.array(detail) }
  else
    output.print(tostring(verdict))
  end
  return 0
end

return eval
