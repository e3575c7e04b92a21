--- Brings the host certificate onto the terminals that the phone serves.
-- A system terminal takes it in operation. A SIP terminal restarts once it has
-- it, and only few do so at once. On a standard terminal somebody installs it
-- by hand, and says so. Each terminal has an entry in the kept record:
--   kind      "system", "sip", "standard"
--   status    "pending" -> "installed", or -> "restart_pending" ->
--             "installed"; "manual"; "failed"
--   target    id of the certificates that it is to have
--   has       id of those that it has, nil: none of ours
--   tries, at, reason   of a failed one: attempts, when the next is, why
--   gone      since when the device does not name it, s UTC: such an entry is
--             kept apart, for a day
-- Source: MiVoice Office 400 WebAdmin help, "Public"; figures are our choice.
local sorted = require "peal.sorted"
local visible = require "peal.visible"

local distribution = {}

local RETRY_S <const> = 300
local RETRIES <const> = 12

-- A terminal that comes back within this time is known still: a device may
-- not name it while it restarts, or name none when it has started itself.
local AWAY_S <const> = 86400

-- A terminal that has not answered by then has failed.
local PATIENCE_S <const> = 300

--- How many of n SIP terminals may restart at once: one in ten, never more
-- than ten, and one where there are few.
function distribution.cap(n)
  return math.max(1, math.min(10, n // 10))
end

--- Is this one done with, well or not, until something happens?
local function is_settled(entry)
  return entry.status == "installed" or entry.status == "manual"
    or entry.status == "failed" and entry.tries > RETRIES
end

-- How a terminal begins. One that nobody can reach is a matter for hands.
local function beginning(terminal)
  local by_hand = terminal.kind == "standard" or not terminal.push
    or terminal.kind == "sip" and not terminal.restart
  return by_hand and "manual" or "pending"
end

local function fresh(terminal, target, has)
  return { kind = terminal.kind, target = target, has = has, tries = 0,
    status = has == target and "installed" or beginning(terminal) }
end

-- Entries that stand for no terminal any more, as long as they are worth it.
local function away_of(book, entries, target, time)
  local away = {}
  for _, known in ipairs { book.away, book.entries } do
    for id, entry in pairs(known) do
      if not entries[id] and entry.target == target then
        entry.gone = math.min(entry.gone or time, time)
        away[id] = time - entry.gone < AWAY_S and entry or nil
      end
    end
  end
  return away
end

-- Entries for the terminals that there are; apart, for those that there were.
local function take_stock(book, list, target, time)
  local entries = {}
  for _, terminal in ipairs(list) do
    local entry = book.entries[terminal.id] or book.away[terminal.id] or {}
    if entry.kind ~= terminal.kind or entry.target ~= target then
      entry = fresh(terminal, target, entry.has)
    end
    entry.gone = nil
    entries[terminal.id] = entry
  end
  book.away = away_of(book, entries, target, time)
  book.entries = entries
end

local function failed(entry, time, sentence)
  entry.status, entry.tries = "failed", entry.tries + 1
  entry.at, entry.reason = time + RETRY_S, sentence or "it refused"
end

local function installed(entry)
  entry.status, entry.has, entry.at = "installed", entry.target, nil
  entry.reason = nil
end

local AFTER <const> = {
  push = function(entry)
    if entry.kind ~= "sip" then return installed(entry) end
    entry.status = "restart_pending"
  end,
  restart = installed,
}

-- Has an entry come to an end that a power cut should not undo?
local function note_end(book, entry)
  if is_settled(entry) then book.ended = (book.ended or 0) + 1 end
end

-- The answer to a push or a restart. It counts where it is the first, in time,
-- and for the certificates that are in force.
local function land(book, flight, time, ok, sentence)
  if book.flights[flight.id] ~= flight then return end
  book.flights[flight.id] = nil
  local entry = book.entries[flight.id] or book.away[flight.id]
  if not entry or entry.target ~= flight.target then return end
  if ok then
    AFTER[flight.phase](entry)
  else
    failed(entry, time, sentence)
  end
  note_end(book, entry)
end

-- Have a terminal do something; its answer may come at once, or later. An
-- error of its function is an answer, too.
local function start(book, what, terminal, phase)
  local now = what.world.now()
  local flight = { id = terminal.id, phase = phase, since = now.mono,
    target = what.bundle.id }
  book.flights[terminal.id] = flight
  local function answer(ok, sentence)
    land(book, flight, what.world.now().time, ok, sentence)
    what.poke()
  end
  local ok, text
  if phase == "push" then
    ok, text = pcall(terminal.push, what.bundle, answer)
  else
    ok, text = pcall(terminal.restart, answer)
  end
  if not ok then answer(false, visible.line(tostring(text))) end
end

local function drop_late(book, now)
  for _, flight in pairs(book.flights) do
    if now.mono - flight.since >= PATIENCE_S then
      land(book, flight, now.time, false,
        ("no answer within %d s"):format(PATIENCE_S))
    end
  end
end

-- Is it time to give a terminal the certificate?
local function is_due(entry, time)
  if entry.status == "pending" then return true end
  if entry.status ~= "failed" or is_settled(entry) then return false end
  entry.at = math.min(entry.at, time + RETRY_S) -- the clock was set back
  return time >= entry.at
end

local function push_all(book, what, list)
  for _, terminal in ipairs(list) do
    local entry = book.entries[terminal.id]
    if not book.flights[terminal.id]
      and is_due(entry, what.world.now().time)
    then
      start(book, what, terminal, "push")
    end
  end
end

local function count(list, is_counted)
  local n = 0
  for _, one in pairs(list) do n = n + (is_counted(one) and 1 or 0) end
  return n
end

local function restarts(book)
  return count(book.flights, function(f) return f.phase == "restart" end)
end

local function restart_some(book, what, list)
  local cap = distribution.cap(count(list, function(terminal)
    return terminal.kind == "sip"
  end))
  for _, terminal in ipairs(list) do
    if restarts(book) >= cap then return end
    local entry = book.entries[terminal.id]
    if entry.status == "restart_pending" and not book.flights[terminal.id] then
      start(book, what, terminal, "restart")
    end
  end
end

-- Seconds until the next answer is late, or the next attempt due.
local function until_next(book, now)
  local left
  local function within(seconds)
    left = math.min(left or seconds, math.max(1, seconds))
  end
  for _, flight in pairs(book.flights) do
    within(flight.since + PATIENCE_S - now.mono)
  end
  for _, entry in pairs(book.entries) do
    if entry.status == "failed" and not is_settled(entry) then
      within(entry.at - now.time)
    end
  end
  return left
end

--- Do what can be done now.
--   book   entries, away (kept), flights (what is under way; not kept)
--   what   world; bundle, as terminals get it, with the id of the pair; list,
--          of the device's terminals; poke(), called when one has answered
-- @treturn number seconds after which there is more to do, or nil: when
--   something happens
function distribution.step(book, what)
  local now = what.world.now()
  take_stock(book, what.list, what.bundle.id, math.floor(now.time))
  drop_late(book, now)
  push_all(book, what, what.list)
  restart_some(book, what, what.list)
  return until_next(book, what.world.now())
end

--- Is so much done since the last time that it is worth to be written? All
-- entries are written then, so that one terminal in ten has to be at its end:
-- a power cut costs those another restart, and a fleet does not wear the flash.
function distribution.is_worth_writing(book)
  local ended = book.ended or 0
  return ended > 0
    and ended >= count(book.entries, function() return true end) // 10
end

--- They are written.
function distribution.written(book)
  book.ended = nil
end

--- Do terminals still wait for theirs?
function distribution.is_busy(book)
  return count(book.entries, function(e) return not is_settled(e) end) > 0
end

--- Ids of those that were given up.
function distribution.lost(book)
  local lost = {}
  for _, id in ipairs(sorted.keys(book.entries)) do
    local entry = book.entries[id]
    if entry.status == "failed" and is_settled(entry) then
      lost[#lost + 1] = id
    end
  end
  return lost
end

--- Those that were given up get another round: something has happened.
function distribution.revive(book)
  for _, id in ipairs(distribution.lost(book)) do
    local entry = book.entries[id]
    entry.status, entry.tries, entry.at = "pending", 0, nil
  end
end

--- Somebody has installed the certificate on a terminal by hand.
-- @treturn[1] table its entry
-- @return[2] nil, sentence, word
function distribution.mark_installed(book, id)
  local entry = book.entries[id]
  if not entry then
    return nil, "there is no terminal " .. id, "not-found"
  elseif entry.status ~= "manual" and entry.status ~= "failed" then
    return nil, ("terminal %s is %s: it gets the certificate by itself")
      :format(id, entry.status), "bad-state"
  end
  installed(entry)
  return entry
end

--- How the terminals stand, as plain data, in the order of their ids. A
-- mismatched one has not the certificate of the root in force: its calls are
-- refused.
--   id   of the pair in force
function distribution.status(book, id)
  local out = {}
  for i, name in ipairs(sorted.keys(book.entries)) do
    local entry = book.entries[name]
    local again = entry.status == "failed" and not is_settled(entry)
    out[i] = { id = name, kind = entry.kind, status = entry.status,
      mismatched = entry.has ~= id, has = entry.has,
      reason = entry.status == "failed" and entry.reason or nil,
      tries = entry.tries > 0 and entry.tries or nil,
      again = again and entry.at or nil }
  end
  return out
end

return distribution
