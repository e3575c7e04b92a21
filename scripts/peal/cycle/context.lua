--- The run of a cycle: what its parts share.
--   run.phone, run.trace, run.result, run.rules (loaded rule files),
--   run.names (rules in order), run.state (timers of the current rule)
local rules = require "peal.rules"
local secret = require "peal.secret"

local context = {}

local function read_only(_, name)
  error(("a rule cannot write a parameter (%s)"):format(tostring(name)), 2)
end

-- The password of Extension Mobility is a secret like those of parameters.
local function shown_identity(phone)
  local out = {}
  for name, value in pairs(phone.identity) do out[name] = value end
  out.MPWD = secret.reference("MPWD", out.MPWD)
  return out
end

--- What a rule file is shown; `fields` come on top.
function context.view(run, fields)
  local phone = run.phone
  local state = {}
  for name, value in pairs(run.state) do state[name] = value end
  local view = {
    param = setmetatable({}, {
      __index = function(_, name) return phone:shown(name) end,
      __newindex = read_only, __metatable = "read-only" }),
    identity = shown_identity(phone),
    state = state,
    asked_by = run.asked_by,
    explicit = run.explicit,
    since_resync = tonumber(state.PRVTMR) or 0,
    since_upgrade = tonumber(state.UPGTMR) or 0,
    lines_active = phone.world.device.lines_active or 0,
    now = run.trace.time,
  }
  for name, value in pairs(fields or {}) do view[name] = value end
  return view
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
function context.ask(run, stage, view)
  local answer = rules.ask(run.rules, stage, view)
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
