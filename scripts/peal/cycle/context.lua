--- The run of a cycle: what its parts share.
--   run.phone, run.trace, run.result, run.rules (loaded rule files),
--   run.names (rules in order), run.state (timers of the current rule)
local rules = require "peal.rules"
local trace = require "peal.trace"
local view = require "peal.view"
local visible = require "peal.visible"

local context = {}

-- Steps are told to whoever follows the phone; a listener of a rule hears
-- them as well. Who looks at a phone step by step (phone.on_step, nil on a
-- phone at work) may hold the task up.
local function tell(run, step)
  local world = run.phone.world
  world.tell { event = "step", cycle = run.trace.cycle, kind = run.trace.kind,
    time = math.floor(world.now().time), step = step }
  if step.step == "note" then
    world.log(visible.line(step.text))
    if step.path then -- of a rule file
      world.tell { event = "rules", time = math.floor(world.now().time),
        word = step.word, path = step.path, text = step.text }
    end
  end
  if run.listener then run.listener(step) end
  if run.phone.on_step then run.phone.on_step(run, step) end
end

--- A run: for a resync, or for work outside of one.
--   about.rules      the rule files it goes by (nil: those in force,
--                    which are read in a task)
--   about.asked_by, about.explicit
--   about.kind       what its trace is of: "upgrade", "report"; nil: a resync
--   about.cycle      its number; nil: that of the last resync
function context.new(phone, about)
  local world = phone.world
  local run = {
    phone = phone,
    asked_by = about.asked_by,
    explicit = about.explicit or false,
    rules = about.rules or phone.book:set(),
    state = phone:timers(),
    -- whoever read the files has told what is new of them
    notes_seen = about.rules and #about.rules.notes or 0,
    trace = trace.new { kind = about.kind, asked_by = about.asked_by,
      cycle = about.cycle or phone.keep:number("engine", "cycle") or 0,
      time = math.floor(world.now().time) },
    result = { changes = {}, refused = {}, notes = {}, rules = {} },
  }
  run.trace.on_step = function(step) tell(run, step) end
  run.trace.on_note = function(note) table.insert(run.result.notes, note) end
  run.result.cycle, run.result.trace = run.trace.cycle, run.trace
  context.take_notes(run)
  return run
end

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
