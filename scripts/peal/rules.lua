--- Loads rule files and asks them.
-- A file is plain Lua that sees a small, fresh environment and returns its
-- stage's name and a function. An operator's file that does not load or fails
-- makes way for the factory's, and says so.
local environment = require "peal.environment"
local stages = require "peal.stages"
local view = require "peal.view"
local visible = require "peal.visible"

local rules = {}

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
  local chunk, why = load(source.text, "@" .. source.path, "t",
    environment.new())
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

local known, in_order = {}, {}
for i, name in ipairs(stages.names) do known[name], in_order[i] = true, name end
table.sort(in_order)

local function check_names(set, sources)
  for name, source in environment.ordered(sources) do
    if name == "." then
      note(set, source.path, source.error)
    elseif not known[name:gsub("%.lua$", "")] then
      note(set, source.path,
        ("%s: no decision has this name"):format(source.path))
    end
  end
end

--- Load the sources in force (world.rules()).
-- @treturn table a set: notes tells what was wrong with which file
function rules.load(sources)
  local set = { notes = {}, decide = {}, factory = {}, path = {} }
  check_names(set, sources)
  for _, stage in ipairs(in_order) do
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

-- The same view with the parameters in it.
local function with_params(fields, phone)
  local out = {}
  for key, value in pairs(fields) do out[key] = value end
  if phone then out.param = view.params(phone) end
  return out
end

--- Ask the rule of a stage.
--   fields   as view.of() makes them
--   phone    whose parameters are read; nil: fields.param has them
-- @treturn table the answer in the stage's form; never nil
function rules.ask(set, stage, fields, phone)
  local frozen = environment.freeze(with_params(fields, phone))
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
