--- Names in a rule file that mean nothing: fields that the phone does not have,
-- parameters that no registry knows, functions that a rule has not; and those
-- that would lead outside.
local environment = require "peal.environment"
local kinds = require "peal.check.kinds"
local nearest = require "peal.nearest"
local sorted = require "peal.sorted"
local stages = require "peal.stages"
local tree = require "peal.check.tree"

local names = {}

-- What Lua has elsewhere, and a rule has not.
local OUTSIDE <const> = { io = "files", os = "the system and its clock",
  require = "modules", package = "modules", load = "code from text",
  loadstring = "code from text", loadfile = "files", dofile = "files",
  print = "the terminal", debug = "the interpreter", warn = "the terminal",
  collectgarbage = "the interpreter" }

local DICE <const> = { random = true, randomseed = true }

local function meant(word, list)
  local near = nearest(word, list)
  return near and ("; did you mean %s?"):format(near) or ""
end

-- --- globals ---

local function global(about, node, env)
  local name = node.name
  if env[name] ~= nil or about.globals[name] then return end
  if OUTSIDE[name] then
    return about.say("no-io", node, ("a rule cannot reach outside: there is "
      .. "no %s (%s)"):format(name, OUTSIDE[name]))
  end
  about.say("unknown-name", node, ("there is no %s: it is nil%s"):format(name,
    meant(name, sorted.keys(env))))
end

local function member(about, node, env)
  local library, name = tree.library(node)
  local known = library and env[library]
  if type(known) ~= "table" or known[name] ~= nil
    or about.globals[library]
  then
    return
  end
  if library == "math" and DICE[name] then
    return about.say("no-io", node, ("a rule has no dice: there is no math.%s;"
      .. " answer with a spread, or go by the phone's MAC"):format(name))
  elseif library == "string" and name == "dump" then
    return about.say("no-io", node, "there is no string.dump in a rule")
  end
  about.say("unknown-name", node, ("there is no %s.%s: it is nil%s"):format(
    library, name, meant(name, sorted.keys(known))))
end

-- Globals that the file makes itself, which do not live on.
local function written(about, block)
  about.globals = {}
  local function note(target)
    if target.kind ~= "name" or target.var then return end
    about.globals[target.name] = true
    about.say("global-write", target, ("%s is a global, and forgotten after "
      .. "this decision: write local %s"):format(target.name, target.name))
  end
  tree.walk(block, function(node)
    if node.kind == "assign" then
      for _, target in ipairs(node.targets) do note(target) end
    elseif node.kind == "define" then
      note(node.target)
    end
  end)
end

-- --- the phone ---

local function field(about, node)
  local kind = kinds.of(node.base, about.kinds)
  local name = kind and tree.constant(node.key)
  if type(name) ~= "string" then return end
  if kind == "param" then return about.parameter(name, node) end
  if kinds.has(kind, about.stage, name) then return end
  local base = tree.path(node.base)
  about.say("unknown-field", node, ("%s.%s is nil always: the %s rule sees "
    .. "no such field%s"):format(base, name, about.stage, meant(name,
      sorted.keys(kinds.fields(kind, about.stage)))))
end

local function change_of_phone(about, node)
  for _, target in ipairs(node.targets) do
    if target.kind == "index" and kinds.of(target.base, about.kinds) then
      about.say("read-only", target, ("%s cannot be written: the phone is "
        .. "read-only in a rule"):format(tree.path(target) or "a field of it"))
    end
  end
end

-- --- what a field never is ---

local EQUAL <const> = { ["=="] = true, ["~="] = true }

-- The words that a field may have: those in quotes in its description, if that
-- is not open.
local function words_of(stage, name)
  local text = (stages[stage].fields or {})[name]
  if not text or text:find("...", 1, true) then return nil end
  local out = {}
  for word in text:gmatch('"([%w_.]+)"') do out[#out + 1] = word end
  return #out > 1 and out or nil
end

-- What a rule sees of a secret stands for it; an empty one is empty.
local function compared_secret(about, node, side, value)
  local name = tree.constant(side.key)
  name = type(name) == "string" and about.schema:find(name)
  if not name or value == "" or not about.schema:param(name).secret then
    return
  end
  about.say("unknown-value", node, ("phone.param.%s is a secret, which a rule "
    .. "may hand on: it is never %q"):format(name, value))
end

local function compared(about, node, side, other)
  local value = tree.constant(other)
  if type(value) ~= "string" or side.kind ~= "index" then return end
  local kind = kinds.of(side.base, about.kinds)
  if kind == "param" then
    return compared_secret(about, node, side, value)
  elseif kind ~= "view" or side.key.kind ~= "string" then
    return
  end
  local words = words_of(about.stage, side.key.value)
  if not words then return end
  for _, word in ipairs(words) do
    if word == value then return end
  end
  about.say("unknown-value", node, ("phone.%s is never %q%s"):format(
    side.key.value, value, meant(value, words)))
end

--- Look at all names of a file.
--   about.kinds, about.stage
--   about.say(code, node, sentence)
--   about.parameter(name, node)   looks at the name of a parameter
function names.check(about, block)
  local env = environment.new()
  written(about, block)
  tree.walk(block, function(node)
    if node.kind == "name" and not node.var then
      global(about, node, env)
    elseif node.kind == "index" then
      member(about, node, env)
      field(about, node)
    elseif node.kind == "assign" then
      change_of_phone(about, node)
    elseif node.kind == "binary" and EQUAL[node.op] then
      compared(about, node, node.left, node.right)
      compared(about, node, node.right, node.left)
    end
  end)
end

return names
