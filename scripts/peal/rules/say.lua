--- What is said of rule files: one line each, once for a text and a reason.
--   "bad-rule-file"   it does not load, fails, or answers in another form
--   "rule-limit"      it took more time or memory than it may
--   "rule-changed"    another text is in force
local environment = require "peal.environment"
local visible = require "peal.visible"

local say = {}

-- Longest reason, bytes: what is used instead has to fit in as well.
local REASON_MAX <const> = 400
-- Reasons said of one text: one that puts the time into its errors would fill
-- a log.
local REASONS_MAX <const> = 8

--- Does this word mean that a text took more than it may? Others, such as
-- "resource", say that it could not be asked.
function say.is_limit(word)
  return word == "rule-limit"
end

function say.note(notes, word, path, text)
  notes[#notes + 1] = { word = word, path = path, text = visible.line(text) }
end

--- A reason with its file, and its line where there is one.
function say.placed(path, sentence, line)
  sentence = visible.line(tostring(sentence), REASON_MAX)
  if sentence:find(path, 1, true) then return sentence end
  local place = line and ("%s:%d"):format(path, line) or path
  return visible.line(("%s: %s"):format(place, sentence), REASON_MAX)
end

function say.instead(copy)
  return copy and "the last good copy is used" or "the factory rule is used"
end

--- A text could not be used.
--   why       as placed() gives it
--   instead   what is used, as instead() says it
function say.failure(notes, copy, why, word, instead)
  local said = copy.said or { n = 0 }
  copy.said = said
  if said[why] or said.n >= REASONS_MAX then return end
  said[why], said.n = true, said.n + 1
  say.note(notes, say.is_limit(word) and "rule-limit" or "bad-rule-file",
    copy.path, ("%s; %s"):format(why, instead))
end

--- Another text is in force.
function say.change(notes, copy, what)
  say.note(notes, "rule-changed", copy.path, ("%s: %s"):format(copy.path,
    what))
end

--- Files that decide nothing, and a folder that cannot be read, as notes in
-- the order of their names.
function say.strange(sources, stages)
  local list, known = {}, {}
  for _, name in ipairs(stages.names) do known[name] = true end
  for name, source in environment.ordered(sources) do
    if name == "." then
      say.note(list, "bad-rule-file", source.path, source.error)
    elseif not known[name:gsub("%.lua$", "")] then
      say.note(list, "bad-rule-file", source.path,
        ("%s: no decision has this name"):format(source.path))
    end
  end
  return list
end

return say
