--- Conditional expressions: `"$CCERT" eq "Installed" and $PRVTMR ge 600`.
--
-- Works on text whose macros are expanded. Comparisons are joined by "and" and
-- evaluated from left to right up to the first false one. Quotes are checked
-- in the whole text at once. Behind the first false comparison only the shape
-- is looked at: "and" between parts of one to three words. So
-- `"$C" ne "" and $C ge 3` is false, not an error, while C is empty; any other
-- slip is an error on every phone. (Our choice.)
--
-- Source: MPP provisioning guide, "Conditional expressions".
local version = require "peal.version"

local condition = {}

local find, match, sub = string.find, string.match, string.sub
local lower = string.lower

-- Longest expression taken, bytes (our choice).
local TEXT_MAX <const> = 65536

local SYMBOL <const> = {
  ["="] = "=", ["!="] = "!=", ["<"] = "<", ["<="] = "<=", [">"] = ">",
  [">="] = ">=",
}

local WORD <const> = {
  eq = "=", ne = "!=", lt = "<", le = "<=", gt = ">", ge = ">=",
}

local HOLDS <const> = {
  ["="] = function(order) return order == 0 end,
  ["!="] = function(order) return order ~= 0 end,
  ["<"] = function(order) return order < 0 end,
  ["<="] = function(order) return order <= 0 end,
  [">"] = function(order) return order > 0 end,
  [">="] = function(order) return order >= 0 end,
}

-- The token at or after `at`: kind, first and last byte; nil at the end.
local function token(mask, at)
  local from = find(mask, "[^ \t\r\n]", at)
  if not from then
    return nil, #mask + 1
  end
  local _, to = find(mask, '^"[^"]*"', from)
  if to then
    return "quoted", from, to
  end
  _, to = find(mask, "^[<>!]=", from)
  if not to then
    _, to = find(mask, "^[<>=!]", from)
  end
  if to then
    return "symbol", from, to
  end
  _, to = find(mask, '^[^ \t\r\n"<>=!]+', from)
  return "word", from, to
end

-- An operand's type and value.
local function operand(text, kind, from, to)
  if kind == "quoted" then
    return "text", sub(text, from + 1, to - 1)
  elseif kind ~= "word" then
    return nil, "Operand missing"
  end
  local word = sub(text, from, to)
  if match(word, "^[+-]?[0-9]+$") then
    local value = tonumber(word)
    if math.type(value) ~= "integer" then
      return nil, "Number too large"
    end
    return "number", value
  elseif match(word, "^%$[A-Z(]") then
    return nil, "Unknown macro"
  end
  local value = version.parse(word)
  if not value then
    return nil, "Neither number, version nor quoted text"
  end
  return "version", value
end

local function operator(mask, kind, from, to)
  local written = kind and sub(mask, from, to)
  if kind == "symbol" then
    return SYMBOL[written]
  elseif kind == "word" then
    return WORD[lower(written)]
  end
end

-- -1, 0 or 1; texts give 0 or 1. nil, sentence if they do not compare.
local function order_of(kind, a, op, b)
  if kind == "number" then
    return a < b and -1 or a > b and 1 or 0
  elseif kind == "version" then
    return version.compare(a, b)
  elseif op ~= "=" and op ~= "!=" then
    return nil, "Quoted text has no order"
  end
  return a == b and 0 or 1
end

-- The comparison at `at`: its entry for the trace, position behind it.
-- On error: nil, sentence, position.
local function comparison(text, mask, at)
  local kind, from, to = token(mask, at)
  local left_type, left = operand(text, kind, from, to)
  if not left_type then
    return nil, left, from
  end
  local op_kind, op_from, op_to = token(mask, to + 1)
  local op = operator(mask, op_kind, op_from, op_to)
  if not op then
    return nil, "Operator missing", op_from
  end
  local right_kind, right_from, right_to = token(mask, op_to + 1)
  local right_type, right = operand(text, right_kind, right_from, right_to)
  if not right_type then
    return nil, right, right_from
  elseif left_type ~= right_type then
    return nil, ("Compares %s with %s"):format(left_type, right_type), from
  end
  local order, sentence = order_of(left_type, left, op, right)
  if not order then
    return nil, sentence, from
  end
  return {
    left = sub(text, from, to),
    op = op,
    right = sub(text, right_from, right_to),
    verdict = HOLDS[op](order),
  }, right_to + 1
end

-- Is "and" next? Position behind it, or nil and where it should have been;
-- `at_end` if nothing follows at all.
local function joined(mask, at)
  local kind, from, to = token(mask, at)
  if not kind then
    return nil, from, true
  elseif kind == "word" and lower(sub(mask, from, to)) == "and" then
    return to + 1
  end
  return nil, from, false
end

-- Checks the shape of what is not evaluated, from behind a comparison.
-- nil if it is right; else sentence, position.
local function check_rest(mask, at)
  local next_at, where, at_end = joined(mask, at)
  while next_at do
    local count = 0
    at = next_at
    repeat
      local kind, _, to = token(mask, at)
      if not kind then
        return "Operand missing", at
      end
      count, at = count + 1, to + 1
      next_at, where, at_end = joined(mask, at)
    until next_at or at_end or count == 3
  end
  if not at_end then
    return "'and' missing", where
  end
end

local function bad(sentence, at, detail)
  return nil, sentence, "bad-condition", { at = at, conditions = detail }
end

--- Evaluates an expression.
-- @tparam string text expanded
-- @tparam[opt] string mask from macro.expand()
-- @treturn[1] boolean
-- @treturn[1] table each comparison evaluated: left, op, right (as they stand
--   in the text, op as a symbol) and verdict
-- @return[2] nil, sentence, "bad-condition", {at = byte, conditions = the
--   comparisons evaluated before}. Sentences quote nothing from the text.
function condition.evaluate(text, mask)
  mask = mask or text
  local detail = {}
  if #text > TEXT_MAX then
    return bad("Expression too long", TEXT_MAX, detail)
  end
  local _, quotes = mask:gsub('"', "")
  if quotes % 2 == 1 then
    return bad("Unbalanced quote", match(mask, '()"[^"]*$'), detail)
  end
  local at = 1
  while true do
    local entry, next_at, where = comparison(text, mask, at)
    if not entry then
      return bad(next_at, where, detail)
    end
    detail[#detail + 1] = entry
    if not entry.verdict then
      local sentence, place = check_rest(mask, next_at)
      if sentence then
        return bad(sentence, place, detail)
      end
      return false, detail
    end
    local at_end
    at, where, at_end = joined(mask, next_at)
    if at_end then
      return true, detail
    elseif not at then
      return bad("'and' missing", where, detail)
    end
  end
end

return condition
