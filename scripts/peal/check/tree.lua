--- Walks over the syntax trees that parse() makes.
local tree = {}

local function each(list, fn)
  for _, one in ipairs(list or {}) do fn(one) end
end

-- Names of fields that hold a node, and of those that hold a list of them, in
-- the order of the text.
local ORDER <const> = { "target", "targets", "base", "key", "func", "args",
  "left", "right", "operand", "condition", "values", "call", "body" }

--- Call fn(child) for each expression and statement right below a node.
function tree.children(node, fn)
  if node.kind == "repeat" then
    each(node.body, fn)
    return fn(node.condition)
  end
  for _, name in ipairs(ORDER) do
    local child = node[name]
    if child and child.kind then fn(child) else each(child, fn) end
  end
  for _, field in ipairs(node.fields or {}) do
    if field.key then fn(field.key) end
    fn(field.value)
  end
  for _, clause in ipairs(node.clauses or {}) do
    fn(clause.condition)
    each(clause.body, fn)
  end
  each(node.other, fn)
end

--- Call fn(node, parent) for each node of a block.
function tree.walk(block, fn)
  local function visit(node, parent)
    fn(node, parent)
    tree.children(node, function(child) visit(child, node) end)
  end
  for _, statement in ipairs(block) do visit(statement) end
end

--- A local that is never written again: what it is made of.
function tree.resolve(node)
  local depth = 0
  while node and node.kind == "name" and node.var and node.var.writes == 0
    and node.var.value and depth < 16
  do
    node, depth = node.var.value, depth + 1
  end
  return node
end

--- The text or number that an expression always is; nil: not known.
function tree.constant(node)
  node = tree.resolve(node)
  if not node then return nil end
  if node.kind == "string" or node.kind == "number" then
    return node.value
  elseif node.kind == "binary" and node.op == ".." then
    local left, right = tree.constant(node.left), tree.constant(node.right)
    return left and right and left .. right
  elseif node.kind == "unary" and node.op == "-" then
    local value = tree.constant(node.operand)
    return type(value) == "number" and -value or nil
  elseif node.kind == "binary" and node.op == "*" then
    local left, right = tree.constant(node.left), tree.constant(node.right)
    return type(left) == "number" and type(right) == "number" and left * right
      or nil
  end
  return nil
end

local TRUE <const> = { ["true"] = true, string = true, number = true,
  table = true, ["function"] = true }

--- Is an expression always true (true) or always false (false)? nil: neither.
function tree.truth(node)
  if TRUE[node.kind] then return true end
  if node.kind == "false" or node.kind == "nil" then return false end
  if node.kind == "unary" and node.op == "not" then
    local value = tree.truth(node.operand)
    if value ~= nil then return not value end
  elseif node.kind == "binary" and node.op == "and" then
    local left, right = tree.truth(node.left), tree.truth(node.right)
    if left == false or right == false then return false end
    return left and right
  elseif node.kind == "binary" and node.op == "or" then
    local left, right = tree.truth(node.left), tree.truth(node.right)
    if left or right then return true end
    if left == false then return right end
  end
end

--- A name and its fields as text, such as "phone.local_time.hour", and the
-- local it begins with; nil for anything else.
function tree.path(node)
  if node.kind == "name" then
    return node.name, node.var
  elseif node.kind == "index" and node.key.kind == "string" then
    local base, var = tree.path(node.base)
    return base and base .. "." .. node.key.value, var
  end
end

--- The name of a global that is called or indexed, such as "classic", and of
-- its field.
function tree.library(node)
  if node.kind == "index" and node.key.kind == "string"
    and node.base.kind == "name" and not node.base.var
  then
    return node.base.name, node.key.value
  end
end

--- Field `name` of a table constructor, or nil.
function tree.field(node, name)
  for _, field in ipairs(node.fields or {}) do
    if field.key and field.key.kind == "string" and field.key.value == name
    then
      return field.value
    end
  end
end

--- What the file returns: its table, and the function `decide` in it.
function tree.rule(block)
  local last = block[#block]
  local made = last and last.kind == "return" and tree.resolve(last.values[1])
  if not made or made.kind ~= "table" then return nil end
  local decide = tree.resolve(tree.field(made, "decide"))
  return made, decide and decide.kind == "function" and decide or nil
end

return tree
