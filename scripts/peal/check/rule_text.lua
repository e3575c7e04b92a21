--- Texts of the classic rule language: alternatives that are never reached,
-- conditions that are never true, parameters that nobody knows.
-- The macros are not expanded: the text is looked at as it stands, for every
-- phone at once.
local conditions = require "peal.check.conditions"
local macro = require "peal.macro"
local parse = require "peal.rule.parse"
local tree = require "peal.check.tree"
local version = require "peal.version"

local rule_text = {}

local WORDS <const> = { eq = "==", ne = "~=", lt = "<", le = "<=", gt = ">",
  ge = ">=", ["="] = "==", ["!="] = "~=", ["<"] = "<", ["<="] = "<=",
  [">"] = ">", [">="] = ">=" }

local function order(a, b)
  local left, right = tonumber(a), tonumber(b)
  if left and right then
    return left < right and -1 or left > right and 1 or 0
  end
  return version.compare(a, b)
end

local function unquoted(text)
  return text:match('^"(.*)"$') or text
end

-- One comparison, if one side is a macro and the other is none.
local function fact_of(part)
  local left, op, right = part:match('^%s*("[^"]*")%s*([%a<>=!]+)%s*(.-)%s*$')
  if not left then
    left, op, right = part:match("^%s*([^%s<>=!]+)%s*([%a<>=!]+)%s*(.-)%s*$")
  end
  op = op and WORDS[op:lower()]
  if not op or right == "" then return nil end
  if not left:find("$", 1, true) then
    left, right, op = right, left, conditions.mirror[op]
  end
  if not left:find("$", 1, true) or right:find("$", 1, true) then
    return nil
  end
  return { subject = unquoted(left), text = left, op = op,
    value = unquoted(right) }
end

-- The parts between "and", outside of quotes.
local function parts_of(text)
  local out, from, at = {}, 1, 1
  while at <= #text do
    local quote = text:match('^"[^"]*"()', at)
    local first, last = text:match("^()%s+[aA][nN][dD]%s+()", at)
    if quote then
      at = quote
    elseif first then
      out[#out + 1] = text:sub(from, first - 1)
      from, at = last, last
    else
      at = at + 1
    end
  end
  out[#out + 1] = text:sub(from)
  return out
end

--- The facts of a condition, as conditions.lua has them.
local function facts_of(text)
  local facts = {}
  for _, part in ipairs(parts_of(text)) do
    facts[#facts + 1] = fact_of(part)
  end
  return facts, #parts_of(text)
end

-- What holds behind an alternative that was not taken: the opposite, where it
-- is one comparison.
local function check_conditions(say, alternatives)
  local known = {}
  for i, alternative in ipairs(alternatives) do
    local condition = alternative.condition
    if condition then
      local facts, parts = facts_of(condition.text)
      local clash = conditions.join(known, facts, order).clash
      if clash then
        say("unreachable", ("alternative %d is never chosen: %s, and %s")
          :format(i, conditions.shown(clash[1]), conditions.shown(clash[2])))
      end
      if parts == 1 and facts[1] then
        known = conditions.join(known, { conditions.negate(facts[1]) }, order)
      end
    end
  end
end

-- Macros that no phone has: they stay as they are written.
local function check_macros(say, text)
  local vars = macro.variables { identity = {}, state = {},
    param = function() return "" end }
  local secret = {}
  for _, name in ipairs(macro.secret_names) do secret[name] = true end
  for name in text:gsub("%$%$", ""):gmatch("%$%(?([A-Z][A-Z0-9_]*)") do
    local short = name:match("^GPP_([A-P])$") or name:match("^[^_]*")
    if short ~= "ERR" and vars(short) == nil and not secret[short] then
      say("unknown-value", ("$%s is no macro: it stays as it is written")
        :format(name))
    end
  end
end

--- Look at the text of a rule.
--   kind                  as rule.decide() has it
--   about.say(code, sentence)
--   about.parameter(name), about.writes(name)   what it assigns
function rule_text.check(about, text, kind)
  check_macros(about.say, text)
  local parsed, sentence = parse(text, nil, kind)
  if not parsed then
    -- a register may bring what is missing
    if not text:find("%$%(?[A-P]%f[^%w_]") then
      about.say("bad-rule-text", "no rule: " .. sentence)
    end
    return
  end
  for _, warning in ipairs(parsed.warnings) do
    about.say("unreachable", warning)
  end
  check_conditions(about.say, parsed.alternatives)
  for _, alternative in ipairs(parsed.alternatives) do
    for _, assign in ipairs(alternative.assigns) do
      about.parameter(assign.name)
      about.writes(assign.name)
    end
  end
end

--- Look at the text of a condition, such as Resync_Trigger_1.
function rule_text.check_condition(about, text)
  check_macros(about.say, text)
  local clash = conditions.join({}, (facts_of(text)), order).clash
  if clash then
    about.say("unreachable", ("this is never true: %s, and %s"):format(
      conditions.shown(clash[1]), conditions.shown(clash[2])))
  end
end

-- Functions of `classic` that take a rule's text, and its kind.
local CALLS <const> = { profile = "profile", upgrade = "upgrade",
  condition = "condition" }

--- Look at the texts that a rule file hands to `classic`.
--   about.say(code, node, sentence), about.parameter(name, node),
--   about.writes(name, node)
function rule_text.check_calls(about, block)
  tree.walk(block, function(node)
    if node.kind ~= "call" then return end
    local library, name = tree.library(node.func)
    local kind = library == "classic" and CALLS[name]
    local text = kind and node.args[2] and tree.constant(node.args[2])
    if type(text) ~= "string" then return end
    local at = tree.resolve(node.args[2])
    local here = {
      say = function(code, sentence) about.say(code, at, sentence) end,
      parameter = function(name_of) about.parameter(name_of, at) end,
      writes = function(name_of) about.writes(name_of, at) end,
    }
    if kind == "condition" then
      return rule_text.check_condition(here, text)
    end
    rule_text.check(here, text, kind)
  end)
end

return rule_text
