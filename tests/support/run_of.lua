--- A run outside of a resync, as the engine makes them for its parts.
local rules = require "peal.rules"
local trace = require "peal.trace"

--- @param about asked_by, kind
return function(phone, about)
  local world = phone.world
  local run = {
    phone = phone, asked_by = about.asked_by, explicit = false,
    rules = phone.book and phone.book:set() or rules.load(world.rules()),
    state = phone:timers(), notes_seen = 0,
    trace = trace.new { kind = about.kind, asked_by = about.asked_by,
      cycle = 1, time = math.floor(world.now().time) },
    result = { changes = {}, refused = {}, notes = {}, rules = {} },
  }
  run.trace.on_note = function(note) table.insert(run.result.notes, note) end
  return run
end
