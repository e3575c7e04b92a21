--- Conditions that cannot be true together.
-- A fact: { subject = text, op = "==", "~=", "<", "<=", ">", ">=", "true" or
-- "false", value = text or number }.
local conditions = {}

local MIRROR <const> = { ["<"] = ">", ["<="] = ">=", [">"] = "<",
  [">="] = "<=", ["=="] = "==", ["~="] = "~=" }
local NEGATION <const> = { ["<"] = ">=", ["<="] = ">", [">"] = "<=",
  [">="] = "<", ["=="] = "~=", ["~="] = "==", ["true"] = "false",
  ["false"] = "true" }

conditions.mirror = MIRROR

--- The fact that holds where `fact` does not.
function conditions.negate(fact)
  return { subject = fact.subject, op = NEGATION[fact.op], value = fact.value,
    text = fact.text }
end

local function order(a, b)
  return a < b and -1 or a > b and 1 or 0
end

-- For a given exact value: does a fact hold? nil: who knows.
local function holds(value, fact, compare)
  if fact.op == "true" then return true end -- texts and numbers are
  if fact.op == "false" then return false end
  if fact.op == "==" then return value == fact.value end
  if fact.op == "~=" then return value ~= fact.value end
  if type(value) ~= type(fact.value) then return nil end
  local way = compare(value, fact.value)
  if not way then return nil end
  if fact.op == "<" then return way < 0 end
  if fact.op == "<=" then return way <= 0 end
  if fact.op == ">" then return way > 0 end
  return way >= 0
end

-- Two bounds with nothing between them.
local function crossed(a, b, compare)
  local low = a.op:sub(1, 1) == ">" and a or b
  local high = low == a and b or a
  if low.op:sub(1, 1) ~= ">" or high.op:sub(1, 1) ~= "<"
    or type(low.value) ~= type(high.value)
  then
    return false
  end
  local way = compare(low.value, high.value)
  if not way then return false end
  return way > 0 or way == 0 and (low.op == ">" or high.op == "<")
end

local BOUNDS <const> = { ["<"] = true, ["<="] = true, [">"] = true,
  [">="] = true }

local function contradict(a, b, compare)
  if a.op == "==" then return holds(a.value, b, compare) == false end
  if b.op == "==" then return holds(b.value, a, compare) == false end
  if NEGATION[a.op] == b.op and (a.op == "true" or a.op == "false") then
    return true
  end
  return BOUNDS[a.op] and BOUNDS[b.op] and crossed(a, b, compare)
end

-- Two facts that contradict each other, the later one from `from` on.
local function clash(list, from, compare)
  for i = from, #list do
    local a = list[i]
    for j = 1, i - 1 do
      local b = list[j]
      if a.subject == b.subject and contradict(a, b, compare) then
        return { b, a }
      end
    end
  end
end

--- What is known, and more: one list of facts. Its field `clash` has two of
-- them that contradict each other, where there are such. What was known is not
-- compared again: a chain of a thousand alternatives takes no time then.
--   compare   function(a, b) -> -1, 0, 1, or nil: they have no order
function conditions.join(known, more, compare)
  local out = table.move(known, 1, #known, 1, {})
  table.move(more, 1, #more, #out + 1, out)
  out.clash = known.clash or clash(out, #known + 1, compare or order)
  return out
end

local function shown(fact)
  if fact.op == "true" then return fact.text or fact.subject end
  if fact.op == "false" then return "not " .. (fact.text or fact.subject) end
  local value = fact.value
  if type(value) == "string" then value = ("%q"):format(value) end
  return ("%s %s %s"):format(fact.text or fact.subject, fact.op, value)
end

conditions.shown = shown

return conditions
