--- The factory's own rule files: part of the program, asked in the engine.
-- They are loaded once for a process: they are ours, and keep nothing from one
-- decision to the next.
local environment = require "peal.environment"
local stages = require "peal.stages"
local task = require "peal.task"
local view = require "peal.view"

local factory = {}

local texts = require "peal.factory"

-- stage -> { text =, decide = } of files that were asked already
local loaded = {}

--- What a file is called in messages.
function factory.path(stage)
  return "rules/" .. stage .. ".lua"
end

--- The text of a stage's file; nil: there is none.
function factory.text(stage)
  return texts[stage .. ".lua"]
end

local function decide_of(stage)
  local text, known = factory.text(stage), loaded[stage]
  if known and known.text == text then return known.decide end
  if not text then return nil, "there is no such file" end
  local chunk, why = load(text, "@" .. factory.path(stage), "t",
    environment.new())
  if not chunk then return nil, why end
  local file = chunk()
  loaded[stage] = { text = text, decide = file.decide }
  return file.decide
end

-- Fields and parameters as one read-only table.
local function frozen(fields, phone)
  local out = {}
  for key, value in pairs(fields) do out[key] = value end
  out.param = view.params(phone)
  return environment.freeze(out)
end

local function ask(stage, fields, phone)
  local decide, why = decide_of(stage)
  if not decide then return nil, why end
  return stages[stage].check(decide(frozen(fields, phone)))
end

--- Ask the factory's rule.
-- @treturn[1] table the answer in the stage's form
-- @return[2] nil, sentence: the file is broken, which no release is
function factory.ask(stage, fields, phone)
  local ok, answer, why = pcall(ask, stage, fields, phone)
  if ok and answer then return answer end
  if not ok then why = answer end
  why = type(why) == "string" and why or "error value is a " .. type(why)
  if task.is_exhaustion(why) then error(why, 0) end
  if why:find(factory.path(stage), 1, true) then return nil, why end
  return nil, ("%s: %s"):format(factory.path(stage), why)
end

--- What a phone does where no rule can be asked: the documented default.
function factory.default(stage, fields, phone)
  return stages[stage].default(fields,
    function(name) return phone:shown(name) end)
end

return factory
