--- Asks rule files, and knows what to do when they cannot answer.
-- The ladder: the operator's file, the last good copy of it, the factory's
-- file, the phone's documented default. A stage that fails closed has no last
-- good copy. Each step down is said, once for a text and a reason.
local book = require "peal.rules.book"
local factory = require "peal.rules.factory"
local say = require "peal.rules.say"
local stages = require "peal.stages"
local task = require "peal.task"

local rules = {}

--- The rule files of one phone, for as long as it lives.
--   book:set()      in a task: what has changed is loaded and checked, then
--                   taken over whole -> the set that a cycle keeps
--   set.notes       { word =, path =, text = } new since the set before
--   book:status()   list of { stage, path, state, problem }
--   book:reload()   read and check everything anew at the next set()
--   book:save()     write what has to outlive the program
-- @function rules.book
rules.book = book.new

-- The answer in the stage's form, or nil and why not. The data are plain and
-- our own by now; the check runs guarded still, for they are a stranger's.
local function read(stage, results)
  local ok, answer, why = pcall(stages[stage].check, results[1], results[2],
    results[3], results[4])
  if ok then return answer, why, "bad-rule-file" end
  if task.is_exhaustion(answer) then error(answer, 0) end
  return nil, tostring(answer), "bad-rule-file"
end

-- One text asked. A set keeps its texts, whatever becomes of the files.
local function ask_copy(stage, copy, path, fields, phone)
  if copy.factory then
    local answer, why = factory.ask(stage, fields, phone)
    return answer, why, "bad-rule-file"
  end
  local results, sentence, word, line = phone.world.ask({ stage = stage,
    path = path, text = copy.text, view = fields }, phone.overrides)
  if not results then return nil, sentence, word, line end
  return read(stage, results)
end

-- What tells questions of one stage apart: an answer to one mends no other.
local function question(fields)
  return ("%s/%s/%s"):format(fields.asked_by, fields.event,
    fields.rule and fields.rule.name)
end

-- The answer of the operator's file or of its last good copy, and that copy;
-- nil where neither can answer. `failures` gets what went wrong.
local function ask_operator(set, stage, fields, phone, failures)
  local file, about = set.files[stage], question(fields)
  for _, copy in ipairs { file.current, file.good } do
    if set:usable(copy) then
      local path = copy.path
      if copy ~= file.current then path = path .. " (last good copy)" end
      local answer, sentence, word, line = ask_copy(stage, copy, path, fields,
        phone)
      if answer then
        answer.rule_file = path
        set:answered(stage, copy, about)
        return answer, copy
      end
      local failure = { copy = copy, word = word,
        why = say.placed(path, sentence, line) }
      failures[#failures + 1] = failure
      set:failed(stage, failure, about)
    end
  end
end

--- Ask the rule of a stage.
--   fields   as view.of() makes them
--   phone    whose parameters are read
-- @treturn table the answer in the stage's form, rule_file an operator's file
--   that gave it; never nil
function rules.ask(set, stage, fields, phone)
  local failures, answer, copy = {}, nil, nil
  if set.files[stage] then
    answer, copy = ask_operator(set, stage, fields, phone, failures)
  end
  if answer then
    set:say(failures, copy)
    return answer
  end
  local why
  answer, why = factory.ask(stage, fields, phone)
  set:say(failures, nil)
  if answer then return answer end
  set:say_default(why)
  return factory.default(stage, fields, phone)
end

return rules
