--- What a simulated phone does, as entries of a timeline: the events of its
-- engine in the words of a person.
--   time       s UTC as the phone's clock has it; offset: s east; mono
--   kind       "boot", "start" (of a resync), "resync" (its end), "change",
--              "held", "note", "reboot", "upgrade", "report", "health",
--              "headset", "certificate", "clock", "zone", "fault", "set"
--   text       one line, without secrets
--   cycle, revision, outcome, asked_by, after_s (of a resync, until the next
--              try)
local shown = require "peal.shown"
local sorted = require "peal.sorted"
local span = require "peal.span"
local visible = require "peal.visible"

local timeline = {}

-- Names of changed parameters in a line.
local NAMES_MAX <const> = 4
local VALUE_MAX <const> = 40

local function cut(text)
  text = visible.line(text)
  if #text <= VALUE_MAX then return text end
  return text:sub(1, utf8.offset(text, VALUE_MAX) - 1) .. "..."
end

local function value_of(store, change, text)
  return cut(shown.value(store, { name = change.name, type = change.type,
    secret = change.secret, text = text or "" }))
end

--- Parameters that were written: "GPP_A: one -> two, GPP_B: ..."
--   changes   as device.apply() gets them
function timeline.changes(store, changes)
  local parts = {}
  for i = 1, math.min(#changes, NAMES_MAX) do
    local change = changes[i]
    if change.old == change.new then
      parts[i] = change.name .. ": user access"
    else
      parts[i] = ("%s: %s -> %s"):format(change.name,
        value_of(store, change, change.old),
        value_of(store, change, change.new))
    end
  end
  if #changes > NAMES_MAX then
    parts[#parts + 1] = ("and %d more"):format(#changes - NAMES_MAX)
  end
  return table.concat(parts, ", ")
end

-- What is next, after a resync: "retry in 1 min".
local function next_of(event, engine)
  for _, name in ipairs { "retry", "periodic", "at" } do
    local due = engine.timers:get(name)
    if due and (name ~= "retry" or event.outcome ~= "success") then
      local now = engine.world.now()
      return name, due.mono and due.mono - now.mono or due.wall - now.time
    end
  end
end

local function of_cycle(event, engine)
  local text = ("resync %d (%s) "):format(event.cycle, event.asked_by)
  local what, after = next_of(event, engine)
  if event.outcome == "success" then
    text = ("%sok: %d %s"):format(text, event.changes,
      event.changes == 1 and "change" or "changes")
    if event.revision then
      text = ("%s, revision %d"):format(text, event.revision)
    end
    if event.reboot then text = text .. ", needs a reboot" end
  else
    text = ("%sfailed: %s"):format(text, event.reason or event.word)
    text = what and ("%s; %s in %s"):format(text, what,
      span(after)) or text .. "; nothing is due"
  end
  return { kind = "resync", text = text, cycle = event.cycle,
    revision = event.revision, outcome = event.outcome, word = event.word,
    asked_by = event.asked_by, changes = event.changes,
    after_s = after and math.floor(after + 0.5) }
end

local WAITS <const> = { GATED = true, DEFERRED = true, RANDOM_WAIT = true,
  REBOOT_WAIT = true, OFF = true }

local function of_state(event, engine)
  if event.state == "RUN" then
    if not engine.running then return nil end
    return { kind = "start", text = ("resync %d (%s) starts"):format(
      (engine.phone.keep:number("engine", "cycle") or 0) + 1,
      engine.running.asked_by) }
  elseif WAITS[event.state] and event.why then
    return { kind = "held", text = event.why, state = event.state }
  end
end

local function of_part(event)
  return { kind = event.event, outcome = event.outcome, word = event.word,
    text = ("%s: %s%s"):format(event.event, event.outcome,
      event.reason and ": " .. event.reason or "") }
end

local function of_note(event)
  return { kind = "note", text = event.text, word = event.word }
end

local function of_step(event)
  local step = event.step
  if step.step ~= "note" then return nil end
  return { kind = "note", text = step.text, word = step.word }
end

local KINDS <const> = {
  cycle = of_cycle, state = of_state, note = of_note, step = of_step,
  upgrade = of_part, report = of_part, health = of_part, headset = of_part,
  certificate = of_part,
  reboot = function(event)
    return { kind = "reboot", text = ("reboot (%s%s)"):format(event.reason,
      event.cold and ", cold" or "") }
  end,
}

--- The entry of an event of the engine, or nil.
function timeline.entry(event, engine)
  local make = KINDS[event.event]
  local entry = make and make(event, engine)
  if entry then entry.text = visible.line(entry.text) end
  return entry
end

--- Parameters that somebody has set, as a line.
function timeline.set(store, values)
  local parts = {}
  for i, name in ipairs(sorted.keys(values)) do
    local about = store:value(name)
    parts[i] = ("%s = %s"):format(name, about
      and cut(shown.value(store, about)) or "?")
  end
  return table.concat(parts, ", ")
end

return timeline
