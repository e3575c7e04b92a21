--- What of a rule file can never run: what stands behind a return, in a branch
-- whose condition is never true, or behind one that is always true.
local conditions = require "peal.check.conditions"
local tree = require "peal.check.tree"

local flow = {}

local join <const> = conditions.join

local COMPARE <const> = { ["=="] = true, ["~="] = true, ["<"] = true,
  ["<="] = true, [">"] = true, [">="] = true }

-- --- what conditions say ---

-- An expression whose value cannot change within a decision: a local that is
-- written once, or a part of the phone. Its text, with the line that tells
-- locals of one name apart.
local function subject_of(node, about)
  local text, var = tree.path(node)
  if not var or var.writes > 0 then return nil end
  if node.kind ~= "name" and not about.kinds[var] then return nil end
  return ("%s@%d:%d"):format(text, var.line, var.column), text
end

local function comparison(node, about)
  local subject, text = subject_of(node.left, about)
  local value, op = tree.constant(node.right), node.op
  if not subject then
    subject, text = subject_of(node.right, about)
    value, op = tree.constant(node.left), conditions.mirror[node.op]
  end
  if subject and value ~= nil then
    return { subject = subject, text = text, op = op, value = value }
  end
end

local facts_if

-- Facts that hold where a condition is true, or (wanted false) where it is not.
local function add_facts(node, wanted, about, out)
  if node.kind == "binary" and COMPARE[node.op] then
    local fact = comparison(node, about)
    if fact then
      out[#out + 1] = wanted and fact or conditions.negate(fact)
    end
  elseif node.kind == "unary" and node.op == "not" then
    add_facts(node.operand, not wanted, about, out)
  elseif node.kind == "binary" and (node.op == "and" and wanted
    or node.op == "or" and not wanted)
  then
    add_facts(node.left, wanted, about, out)
    add_facts(node.right, wanted, about, out)
  else
    local subject, text = subject_of(node, about)
    if subject then
      out[#out + 1] = { subject = subject, text = text,
        op = wanted and "true" or "false" }
    end
  end
  return out
end

function facts_if(node, wanted, about)
  return add_facts(node, wanted, about, {})
end

-- --- conditions that are never true ---

local function say_clash(about, node, known)
  local new = facts_if(node, true, about)
  local found = join(known, new).clash
  if not found then return false end
  local from_before = #known > 0 and not join({}, new).clash
  about.say("unreachable", node, ("this is never true: %s%s, and %s"):format(
    conditions.shown(found[1]), from_before and " here" or "",
    conditions.shown(found[2])))
  return true
end

-- Each part of an `or` is a condition of its own.
local function check_condition(node, known, about)
  if node.kind == "binary" and node.op == "or" then
    local left = check_condition(node.left, known, about)
    local right = check_condition(node.right, known, about)
    return left and right
  end
  return say_clash(about, node, known)
end

-- --- blocks ---

local check_block

local function never(about, body, why)
  if body[1] then about.say("unreachable", body[1], why) end
end

-- Does every way through these blocks end before their end?
local function all_end(blocks)
  for _, ends in ipairs(blocks) do
    if not ends then return false end
  end
  return true
end

-- The branches of an `if`; true where none of them goes on behind it, and what
-- is known where one does.
local function check_if(node, known, about)
  local ends, always = {}, false
  local here, after = known, known
  for _, clause in ipairs(node.clauses) do
    local truth = tree.truth(clause.condition)
    if always then
      never(about, clause.body, "an earlier condition is always true")
    elseif truth == false then
      never(about, clause.body, "its condition is always false")
    else
      local dead = check_condition(clause.condition, here, about)
      local facts = join(here, facts_if(clause.condition, true, about))
      ends[#ends + 1] = check_block(clause.body, dead and {} or facts, about)
      always = truth == true
      here = join(here, facts_if(clause.condition, false, about))
      if ends[#ends] and after then after = here else after = nil end
    end
  end
  if always then
    if node.other then
      never(about, node.other, "an earlier condition is always true")
    end
  else
    ends[#ends + 1] = node.other ~= nil
      and check_block(node.other, here, about)
  end
  return all_end(ends), after or known
end

-- Does a `break` of this loop stand in it?
local function has_break(block)
  local found = false
  local function look(node)
    if node.kind == "break" or node.kind == "goto" then found = true end
    if node.kind ~= "while" and node.kind ~= "repeat" and node.kind ~= "for"
      and node.kind ~= "function"
    then
      tree.children(node, look)
    elseif node.kind ~= "function" then
      -- a goto may leave two loops at once
      tree.walk({ node }, function(one)
        if one.kind == "goto" then found = true end
      end)
    end
  end
  for _, statement in ipairs(block) do look(statement) end
  return found
end

local function is_error(node)
  local func = node.kind == "expression" and node.call.func
  return func and func.kind == "name" and not func.var
    and func.name == "error"
end

local ENDS <const> = { ["return"] = true, ["break"] = true, ["goto"] = true }

local CHECKS <const> = {
  ["if"] = check_if,
  ["do"] = function(node, known, about)
    return check_block(node.body, known, about)
  end,
  ["while"] = function(node, known, about)
    local truth = tree.truth(node.condition)
    if truth == false then
      never(about, node.body, "its condition is always false")
      return false
    end
    check_condition(node.condition, known, about)
    check_block(node.body, join(known,
      facts_if(node.condition, true, about)), about)
    return truth == true and not has_break(node.body)
  end,
  ["repeat"] = function(node, known, about)
    check_block(node.body, known, about)
    return false
  end,
  ["for"] = function(node, known, about)
    check_block(node.body, known, about)
    return false
  end,
}

-- The functions in an expression, and the conditions that it is made of.
local function check_expression(node, about)
  if node.kind == "function" then
    check_block(node.body, {}, about)
    return
  end
  if node.kind == "binary" and (node.op == "and" or node.op == "or") then
    check_condition(node, {}, about)
  end
  tree.children(node, function(child) check_expression(child, about) end)
end

local function check_expressions(node, about)
  if node.body or node.clauses then return end
  tree.children(node, function(child) check_expression(child, about) end)
end

local function leaves(node)
  return ENDS[node.kind] or is_error(node)
end

-- true where nothing behind the block can run.
function check_block(block, known, about)
  for i, node in ipairs(block) do
    check_expressions(node, about)
    local check = CHECKS[node.kind] or leaves
    local ends, after = check(node, known, about)
    known = after or known
    if ends then
      local following = block[i + 1]
      if following and following.kind ~= "label" then
        about.say("unreachable", following, ("this never runs: line %d goes "
          .. "elsewhere"):format(node.line))
      end
      return true
    end
  end
  return false
end

--- Look for what never runs.
--   about.kinds   of the locals, see kinds.lua
--   about.say(code, node, sentence)
function flow.check(about, block)
  check_block(block, {}, about)
end

return flow
