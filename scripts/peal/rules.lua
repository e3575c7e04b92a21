--- Loads rule files and asks them.
-- A file is plain Lua that sees a small, fresh environment and returns its
-- stage's name and a function. An operator's file that does not load or fails
-- makes way for the factory's, and says so.
local stages = require "peal.stages"

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
  env.str = copy(str)
  env.macro = copy(require "peal.macro")
  env.condition = copy(require "peal.condition")
  env.version = copy(require "peal.version")
  env.time = copy(require "peal.civil")
  env.classic = copy(require "peal.classic")
  return env
end

-- The decide function of a source, or nil and a sentence with file and line.
local function load_source(stage, source)
  if source.error then return nil, source.error end
  local chunk, why = load(source.text, "@" .. source.path, "t", environment())
  if not chunk then return nil, why end
  local ok, answer = pcall(chunk)
  if not ok then return nil, tostring(answer) end
  if type(answer) ~= "table" or type(answer.decide) ~= "function" then
    return nil, source.path .. ": returns no table with a function `decide`"
  end
  if answer.stage ~= stage then
    return nil, ("%s: stage is %q, not %q"):format(source.path,
      tostring(answer.stage), stage)
  end
  return answer.decide
end

local function note(set, path, text)
  set.notes[#set.notes + 1] = { word = "bad-rule-file", path = path,
    text = text }
end

local function check_names(set, sources)
  for name, source in pairs(sources) do
    if name == "." then
      note(set, source.path, source.error)
    elseif not stages[name:gsub("%.lua$", "")] then
      note(set, source.path, ("%s: no decision has this name"):format(
        source.path))
    end
  end
  table.sort(set.notes, function(a, b) return a.path < b.path end)
end

--- Load the sources in force (world.rules()).
-- @treturn table a set: notes tells what was wrong with which file
function rules.load(sources)
  local set = { notes = {}, decide = {}, factory = {}, path = {} }
  check_names(set, sources)
  for stage in pairs(stages) do
    local source = sources[stage .. ".lua"]
    if source and not source.factory then
      local decide, why = load_source(stage, source)
      if decide then
        set.decide[stage], set.path[stage] = decide, source.path
      else
        note(set, source.path, why .. "; the factory rule is used")
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
    __pairs = function()
      return function(_, key)
        local k, value = next(data, key)
        return k, fields_of(value) and rules.freeze(value) or value
      end, data, nil
    end,
    __metatable = "read-only",
  })
end

--- Ask the rule of a stage.
-- @treturn table the answer in the stage's form; never nil
function rules.ask(set, stage, view)
  local frozen = rules.freeze(view)
  local decide, path = set.decide[stage], set.path[stage]
  if decide then
    local results = table.pack(pcall(decide, frozen))
    local answer = results[1] and
      stages[stage].check(table.unpack(results, 2, results.n))
    if answer then
      answer.rule_file = path
      return answer
    end
    note(set, path, results[1]
      and ("%s: the answer is not %s; the factory rule is used"):format(path,
        stages[stage].answer)
      or tostring(results[2]) .. "; the factory rule is used")
    set.decide[stage] = nil
  end
  local answer = stages[stage].check(factory(set, stage)(frozen))
  return assert(answer, "a factory rule answers in the wrong form")
end

return rules
