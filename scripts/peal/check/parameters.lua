--- Names of parameters in a rule file: those it reads, those in its answers,
-- those it compares a change with; and which it writes.
local kinds = require "peal.check.kinds"
local tree = require "peal.check.tree"

local parameters = {}

-- Stages whose answers assign values.
local ASSIGNS <const> = { profile = true, upgrade = true, report = true }
local RULES <const> = { Profile_Rule = true, Profile_Rule_B = true,
  Profile_Rule_C = true, Profile_Rule_D = true, rule = true }

-- --- apply: tables whose keys are parameters ---

local TABLES <const> = { refuse = "refuse", change = "change" }

-- The locals that go into an answer as `refuse` or `change`: var -> which.
local function answer_vars(block)
  local out = {}
  tree.walk(block, function(node)
    if node.kind ~= "table" then return end
    for field in pairs(TABLES) do
      local value = tree.field(node, field)
      if value and value.kind == "name" and value.var then
        out[value.var] = field
      end
    end
  end)
  return out
end

local function keys_of(about, made, what)
  for _, field in ipairs(made.fields or {}) do
    local name = field.key and tree.constant(field.key)
    if type(name) == "string" then
      about.parameter(name, field.key)
      if what == "change" then about.writes(name, field.key) end
    end
  end
end

local function answer_tables(about, node)
  for field in pairs(TABLES) do
    local value = tree.field(node, field)
    local made = value and tree.resolve(value)
    if made and made.kind == "table" then keys_of(about, made, field) end
  end
end

-- refuse.NAME = reason
local function answer_fields(about, node)
  for _, target in ipairs(node.targets) do
    local base = target.kind == "index" and target.base
    local what = base and base.kind == "name" and about.vars[base.var or 0]
    local name = what and tree.constant(target.key)
    if type(name) == "string" then
      about.parameter(name, target.key)
      if what == "change" then about.writes(name, target.key) end
    end
  end
end

-- Is it `change.name`, for a change of phone.changes?
local function is_name_of_change(about, node)
  return node.kind == "index" and node.key.kind == "string"
    and node.key.value == "name" and node.base.kind == "name"
    and node.base.var ~= nil and kinds.of(node.base, about.kinds) == nil
end

local function compared_change(about, node, side, other)
  local name = tree.constant(other)
  if type(name) == "string" and is_name_of_change(about, side) then
    about.parameter(name, other)
  end
end

-- DANGEROUS[change.name]: the keys of that table
local function looked_up(about, node)
  if not is_name_of_change(about, node.key) then return end
  local made = tree.resolve(node.base)
  if made and made.kind == "table" then keys_of(about, made) end
end

local EQUAL <const> = { ["=="] = true, ["~="] = true }

local function check_apply(about, node)
  if node.kind == "table" then
    answer_tables(about, node)
  elseif node.kind == "assign" then
    answer_fields(about, node)
  elseif node.kind == "index" then
    looked_up(about, node)
  elseif node.kind == "binary" and EQUAL[node.op] then
    compared_change(about, node, node.left, node.right)
    compared_change(about, node, node.right, node.left)
  end
end

-- --- others ---

-- { name = "GPP_A", value = ... } of an answer's assigns
local function check_assigns(about, node)
  if node.kind ~= "table" then return end
  local name, value = tree.field(node, "name"), tree.field(node, "value")
  local text = name and value and tree.constant(name)
  if type(text) == "string" then
    about.parameter(text, name)
    about.writes(text, name)
  end
end

-- phone.rule.name == "Profile_Rule_E"
local function check_rule_name(about, node)
  if node.kind ~= "binary" or not EQUAL[node.op] then return end
  for _, pair in ipairs { { node.left, node.right },
    { node.right, node.left } }
  do
    local side, name = pair[1], tree.constant(pair[2])
    if type(name) == "string" and side.kind == "index"
      and side.key.kind == "string" and side.key.value == "name"
      and kinds.of(side.base, about.kinds) == "rule" and not RULES[name]
    then
      about.say("unknown-value", pair[2], ("phone.rule.name is never %q: "
        .. "Profile_Rule, Profile_Rule_B, _C, _D, or \"rule\" for one that "
        .. "was given by hand"):format(name))
    end
  end
end

--- Look at the parameters of a file.
--   about.kinds, about.stage, about.say
--   about.parameter(name, node)   a name that has to be a parameter's
--   about.writes(name, node)      the file writes this one
function parameters.check(about, block)
  about.vars = answer_vars(block)
  tree.walk(block, function(node)
    if about.stage == "apply" then check_apply(about, node) end
    if ASSIGNS[about.stage] then check_assigns(about, node) end
    check_rule_name(about, node)
  end)
end

return parameters
