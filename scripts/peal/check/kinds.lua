--- Which expressions of a rule file are the phone's view, or a part of it.
-- The view goes from decide() into the functions that it is handed to.
local stages = require "peal.stages"
local tree = require "peal.check.tree"

local kinds = {}

-- Fields of what the view holds; names of a pattern as well.
local IDENTITY <const> = { "PN", "PSN", "MAC", "SN", "SWVER", "HWVER", "IP",
  "EXTIP", "CCERT", "EMS", "MUID", "MPWD", "ORIGTYPE", "AUTHSTATUS", "ISCUST" }
local STATE <const> = { "PRVST", "PRVTMR", "UPGST", "UPGTMR", "UPGERR",
  "UPGCOND" }
local LOCAL_TIME <const> = { "year", "month", "day", "hour", "min", "sec",
  "minute", "wday", "days" }

local PARTS <const> = { identity = IDENTITY, state = STATE,
  local_time = LOCAL_TIME }
local PATTERNS <const> = { state = "^REGTMR%d+$" }

local function set_of(list)
  local out = {}
  for _, name in ipairs(list) do out[name] = true end
  return out
end

--- The fields of a kind at a stage: name -> true; nil: any.
function kinds.fields(kind, stage)
  if PARTS[kind] then return set_of(PARTS[kind]) end
  if kind ~= "view" then return nil end
  local out = {}
  for name in pairs(stages.common) do out[name] = true end
  for name in pairs(stages[stage].fields or {}) do out[name] = true end
  return out
end

--- Is a name one of a kind's fields?
function kinds.has(kind, stage, name)
  local pattern = PATTERNS[kind]
  local fields = kinds.fields(kind, stage)
  return not fields or fields[name] or pattern and name:find(pattern) ~= nil
end

-- What a field of a kind is.
local function part(kind, name)
  if kind == "view" and (PARTS[name] or name == "param" or name == "rule"
    or name == "changes") then
    return name
  end
end

--- What an expression is: "view", "param", "identity" ...; nil: anything.
-- @param of   var -> kind
function kinds.of(node, of)
  if node.kind == "name" then
    return node.var and of[node.var]
  elseif node.kind == "index" and node.key.kind == "string" then
    return part(kinds.of(node.base, of), node.key.value)
  end
end

-- Note the kind of a var; true: that was not known.
local function note(of, var, kind)
  if not kind or not var or of[var] == kind then return false end
  if of[var] ~= nil then return false end -- called with this and with that
  of[var] = kind
  return true
end

-- A local that gets its value later, once: view = phone
local function look_at_assignment(node, of)
  local more = false
  for i, target in ipairs(node.targets) do
    local var, value = target.var, node.values[i]
    if var and value and var.writes == 1 and not var.value then
      more = note(of, var, kinds.of(value, of)) or more
    end
  end
  return more
end

local function look(node, of)
  if node.kind == "assign" then
    return look_at_assignment(node, of)
  elseif node.kind == "call" then
    local func, more = tree.resolve(node.func), false
    if func and func.kind == "function" then
      for i, arg in ipairs(node.args) do
        more = note(of, func.params[i], kinds.of(arg, of)) or more
      end
    end
    return more
  elseif node.kind == "local" then
    local more = false
    for i, var in ipairs(node.vars) do
      local value = node.values[i]
      if value and var.writes == 0 then
        more = note(of, var, kinds.of(value, of)) or more
      end
    end
    return more
  end
  return false
end

--- The kinds of the locals of a file.
-- @tparam table block   the file
-- @tparam table decide   its function
-- @treturn table var -> kind
function kinds.find(block, decide)
  local of = {}
  local phone = decide.params[1]
  if not phone or phone.writes > 0 then return of end
  of[phone] = "view"
  local more = true
  while more do
    more = false
    tree.walk(block, function(node) more = look(node, of) or more end)
  end
  return of
end

return kinds
