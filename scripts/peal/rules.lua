--- Loads rule files and asks them.
-- A file is plain Lua that sees a small, fresh environment and returns its
-- stage's name and a function. An operator's file that does not load or fails
-- makes way for the factory's, and says so.
local stages = require "peal.stages"
local visible = require "peal.visible"

local rules = {}

local BASE <const> = { "assert", "error", "ipairs", "next", "pairs", "select",
  "tonumber", "tostring", "type", "math", "string", "table", "utf8" }

local HIDDEN <const> = { math = { random = true, randomseed = true },
  string = { dump = true } }

local function copy(module, hidden)
  local out = {}
  for key, value in pairs(module) do
    if not (hidden and hidden[key]) then out[key] = value end
  end
  return out
end

local function by_text(a, b)
  local left, right = type(a), type(b)
  if left ~= right then return left < right end
  if left == "number" or left == "string" then return a < b end
  return false
end

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys, by_text)
  return keys
end

-- pairs() in the order of the keys: Lua's own order differs from run to run,
-- and the same inputs must give the same decision.
local function ordered(t)
  if type(t) ~= "table" then
    error("bad argument #1 to 'pairs' (table expected, got " .. type(t)
      .. ")", 2)
  end
  local keys, i = sorted_keys(t), 0
  return function()
    local key, value
    repeat
      i = i + 1
      key = keys[i]
      if key ~= nil then value = t[key] end
    until key == nil or value ~= nil
    return key, value
  end, t, nil
end

local str = {}

--- Text without blanks at its ends.
function str.trim(text)
  return text:match("^%s*(.-)%s*$")
end

--- Pieces of `text` between separators (plain text).
function str.split(text, separator)
  local out, from = {}, 1
  while true do
    local a, b = text:find(separator, from, true)
    out[#out + 1] = text:sub(from, (a or 0) - 1)
    if not a then return out end
    from = b + 1
  end
end

function str.starts_with(text, start)
  return text:sub(1, #start) == start
end

local function environment()
  local env = {}
  for _, name in ipairs(BASE) do
    local value = _G[name]
    env[name] = type(value) == "table" and copy(value, HIDDEN[name]) or value
  end
  env.pairs = ordered
  env.str = copy(str)
  env.macro = copy(require "peal.macro")
  env.condition = copy(require "peal.condition")
  env.version = copy(require "peal.version")
  env.time = copy(require "peal.civil")
  env.classic = copy(require "peal.classic")
  return env
end

-- "path:line" of the innermost call in a file, or its path.
local function place_in(path)
  local level = 3
  local info = debug.getinfo(level, "Sl")
  while info and info.source ~= "@" .. path do
    level = level + 1
    info = debug.getinfo(level, "Sl")
  end
  return info and ("%s:%d"):format(path, info.currentline) or path
end

-- A message handler that names file and line. No code of an error value runs
-- in it: only texts and numbers speak for themselves.
local function named(path)
  return function(value)
    if type(value) == "number" then value = tostring(value) end
    if type(value) ~= "string" then
      return ("%s: error value is a %s"):format(place_in(path), type(value))
    end
    if value:find(path, 1, true) then return value end
    return ("%s: %s"):format(place_in(path), value)
  end
end

local function check_file(stage, path, answer)
  if type(answer) ~= "table" or type(answer.decide) ~= "function" then
    return nil, path .. ": returns no table with a function `decide`"
  end
  local said = answer.stage
  if said ~= stage then
    return nil, ("%s: stage is %s, not \"%s\""):format(path,
      type(said) == "string" and '"' .. visible.line(said, 60) .. '"'
        or "a " .. type(said), stage)
  end
  return answer.decide
end

-- The decide function of a source, or nil and a sentence with file and line.
local function load_source(stage, source)
  if source.error then return nil, source.error end
  local chunk, why = load(source.text, "@" .. source.path, "t", environment())
  if not chunk then return nil, why end
  local ok, answer = xpcall(chunk, named(source.path))
  if not ok then return nil, answer end
  return check_file(stage, source.path, answer)
end

local function note(set, path, text)
  set.notes[#set.notes + 1] = { word = "bad-rule-file", path = path,
    text = visible.line(text) }
end

-- Said after what was wrong with a file.
local INSTEAD <const> = "; the factory rule is used"
local WHY_MAX <const> = 400

local function check_names(set, sources)
  for name, source in ordered(sources) do
    if name == "." then
      note(set, source.path, source.error)
    elseif not stages[name:gsub("%.lua$", "")] then
      note(set, source.path, ("%s: no decision has this name"):format(
        source.path))
    end
  end
end

--- Load the sources in force (world.rules()).
-- @treturn table a set: notes tells what was wrong with which file
function rules.load(sources)
  local set = { notes = {}, decide = {}, factory = {}, path = {} }
  check_names(set, sources)
  for stage in ordered(stages) do
    local source = sources[stage .. ".lua"]
    if source and not source.factory then
      local decide, why = load_source(stage, source)
      if decide then
        set.decide[stage], set.path[stage] = decide, source.path
      else
        note(set, source.path, visible.line(why, WHY_MAX) .. INSTEAD)
      end
    end
  end
  return set
end

-- The factory's own file, loaded when it is first needed.
local function factory(set, stage)
  if not set.factory[stage] then
    local text = require("peal.factory")[stage .. ".lua"]
    set.factory[stage] = assert(load_source(stage,
      { text = text, path = "rules/" .. stage .. ".lua" }))
  end
  return set.factory[stage]
end

local function fields_of(t)
  return type(t) == "table" and getmetatable(t) == nil
end

--- `data` as a rule sees it: nothing in it can be changed.
function rules.freeze(data)
  return setmetatable({}, {
    __index = function(_, key)
      local value = data[key]
      return fields_of(value) and rules.freeze(value) or value
    end,
    __newindex = function(_, key)
      error(("a rule cannot change the phone (%s)"):format(tostring(key)), 2)
    end,
    __len = function() return #data end,
    __pairs = function(self)
      local keys, i = sorted_keys(data), 0
      return function()
        i = i + 1
        if keys[i] ~= nil then return keys[i], self[keys[i]] end
      end, self, nil
    end,
    __metatable = "read-only",
  })
end

-- The answer of an operator's rule in the stage's form, or nil and a sentence.
-- The check runs guarded as well: it reads what a stranger made.
local function ask_operator(stage, decide, path, frozen)
  local ok, a, b, c, d = xpcall(decide, named(path), frozen)
  if not ok then return nil, a end
  local answer, why
  ok, answer, why = xpcall(stages[stage].check, named(path), a, b, c, d)
  if not ok then return nil, answer end
  return answer, why and ("%s: %s"):format(path, why)
end

--- Ask the rule of a stage.
-- @treturn table the answer in the stage's form; never nil
function rules.ask(set, stage, view)
  local frozen = rules.freeze(view)
  local decide, path = set.decide[stage], set.path[stage]
  if decide then
    local answer, why = ask_operator(stage, decide, path, frozen)
    if answer then
      answer.rule_file = path
      return answer
    end
    note(set, path, visible.line(why, WHY_MAX) .. INSTEAD)
    set.decide[stage] = nil
  end
  return assert(stages[stage].check(factory(set, stage)(frozen)))
end

return rules
