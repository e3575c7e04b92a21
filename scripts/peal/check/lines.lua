--- Which lines of a rule file can run, and which have.
-- Counted are the lines on which a statement begins, and those of the
-- conditions of elseif and until; a statement has run when any line of its own
-- has. What takes no instruction (a local without a value, one that is
-- <const>, a label) does not count.
local tree = require "peal.check.tree"

local lines = {}

local FOLDED <const> = { string = true, ["true"] = true, ["false"] = true,
  ["nil"] = true }

-- Does a local become part of the code that uses it?
local function is_folded(node)
  if #node.values == 0 then return true end
  local var, value = node.vars[1], node.values[1]
  return #node.vars == 1 and var.attribute == "const"
    and (FOLDED[value.kind] or type(tree.constant(value)) == "number")
end

local SILENT <const> = { label = true, ["do"] = true, ["goto"] = true,
  ["break"] = true }

local function is_silent(node)
  return SILENT[node.kind] or node.kind == "local" and is_folded(node)
    or node.kind == "repeat"
    or node.kind == "while" and tree.truth(node.condition) ~= nil
end

-- The lines of an expression, without those of the functions in it: these run
-- by themselves.
local function spread(node, into)
  into[node.line] = true
  into[node.last or node.line] = true
  if node.kind == "function" then return end
  for line = node.line, node.last or node.line do into[line] = true end
  tree.children(node, function(child)
    if child.kind == "function" then
      for line = child.line + 1, child.last - 1 do into[line] = nil end
      into[child.last] = true
    end
  end)
end

-- A place to look at: the line that is named, and all that count for it.
local function add(out, line, nodes)
  local own = {}
  own[line] = true
  for _, node in ipairs(nodes) do spread(node, own) end
  out[#out + 1] = { line = line, own = own }
end

local EXPRESSIONS <const> = { "values", "targets" }

local function own_nodes(node)
  local nodes = {}
  for _, name in ipairs(EXPRESSIONS) do
    for _, one in ipairs(node[name] or {}) do nodes[#nodes + 1] = one end
  end
  nodes[#nodes + 1] = node.call
  nodes[#nodes + 1] = node.func
  if node.kind == "while" then nodes[#nodes + 1] = node.condition end
  return nodes
end

local function add_clauses(out, node)
  for i, clause in ipairs(node.clauses) do
    if tree.truth(clause.condition) == nil then
      add(out, i == 1 and node.line or clause.line, { clause.condition })
    end
  end
end

local STATEMENTS <const> = { ["local"] = true, assign = true,
  expression = true, ["while"] = true, ["for"] = true, define = true,
  define_local = true, ["return"] = true }

--- The places of a file that can run.
-- @treturn table list of { line =, own = set of lines }
function lines.places(block)
  local out = {}
  tree.walk(block, function(node)
    if node.kind == "if" then
      add_clauses(out, node)
    elseif node.kind == "repeat" and tree.truth(node.condition) == nil then
      add(out, node.condition.line, { node.condition })
    elseif STATEMENTS[node.kind] and not is_silent(node) then
      add(out, node.line, own_nodes(node))
    end
  end)
  return out
end

--- The lines that a box has noted, as a set; `bits` as its answers have them.
function lines.add(ran, bits)
  for i = 1, #bits do
    local byte = bits:byte(i)
    for bit = 0, 7 do
      if byte & 1 << bit ~= 0 then ran[(i - 1) * 8 + bit] = true end
    end
  end
end

local function has_run(place, ran)
  for line in pairs(place.own) do
    if ran[line] then return true end
  end
  return false
end

--- How much of a file ran.
-- @treturn table { executable =, executed =, missed = lines in order }
function lines.report(places, ran)
  local state = {}
  for _, place in ipairs(places) do
    -- two statements of one line: both must have
    local known = state[place.line]
    state[place.line] = has_run(place, ran) and known ~= false
  end
  local out = { executable = 0, executed = 0, missed = {} }
  for line, ok in pairs(state) do
    out.executable = out.executable + 1
    if ok then
      out.executed = out.executed + 1
    else
      out.missed[#out.missed + 1] = line
    end
  end
  table.sort(out.missed)
  return out
end

return lines
