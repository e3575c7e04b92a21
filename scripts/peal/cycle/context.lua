--- The run of a cycle: what its parts share.
--   run.phone, run.trace, run.result, run.rules (loaded rule files),
--   run.names (rules in order), run.state (timers of the current rule)
local rules = require "peal.rules"
local view = require "peal.view"

local context = {}

--- Take over what is new of the rule files' notes.
function context.take_notes(run)
  for i = run.notes_seen + 1, #run.rules.notes do
    local note = run.rules.notes[i]
    run.trace:add("note", { word = note.word, text = note.text,
      path = note.path })
    table.insert(run.result.notes, note)
  end
  run.notes_seen = #run.rules.notes
end

--- Something a person should know, that fails nothing.
--   name   parameter it is about, or nil
function context.note(run, word, name, text)
  run.trace:note(word, name, text)
end

--- Ask the rule of a stage.
--   fields   what its view has on top, see stages.lua
function context.ask(run, stage, fields)
  local answer = rules.ask(run.rules, stage, view.of(run.phone, run, fields),
    run.phone)
  context.take_notes(run)
  return answer
end

--- A failed rule: what syslog and the result say of it.
function context.fail(name, what, fields)
  local out = { rule = name, outcome = "failure", word = what.word,
    sentence = what.sentence, place = what.place, cause = what.cause,
    err = what.cause.err, class = what.cause.class }
  for key, value in pairs(fields or {}) do out[key] = value end
  return out
end

--- The same for a rule that cannot be understood or has no server.
function context.bad_rule(name, sentence, word, detail)
  local err = detail and detail.err or "Bad rule: " .. sentence
  return context.fail(name, { sentence = sentence, word = word or "bad-rule",
    place = detail and detail.at and { byte = detail.at },
    cause = { id = word == "no-server" and "noserver" or "rule", err = err,
      text = err, class = "C" } })
end

return context
