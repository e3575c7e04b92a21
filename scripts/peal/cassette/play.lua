--- Plays a cassette: the same resync over a world that insists on its tape.
local cycle = require "peal.cycle"
local life = require "peal.cassette.life"
local phone = require "peal.phone"
local replay = require "peal.world.replay"
local virtual = require "peal.world.virtual"
local swap = require "peal.cassette.swap"
local take = require "peal.cassette.take"
local start = require "peal.cassette.start"

local play = {}

-- What has to be the same at the end, and what it is called.
local ENDS <const> = { { "outcome", "the outcome" }, { "trace", "the trace" },
  { "revision", "the store's revision" }, { "store", "the store's bytes" } }

-- The first line in which two traces differ, for people.
local function clipped(a, b)
  a, b = tostring(a), tostring(b)
  local at = 1
  while at <= #a and a:byte(at) == b:byte(at) do at = at + 1 end
  local from = math.max(1, at - 20)
  return a:sub(from, at + 60), b:sub(from, at + 60)
end

local function compare(was, now)
  for _, one in ipairs(ENDS) do
    local key, title = one[1], one[2]
    if was[key] ~= now[key] then
      local expected, got = clipped(was[key], now[key])
      return { at = "the end", expected = expected, got = got,
        sentence = ("at the end: %s was ...%s...; now it is ...%s..."):format(
          title, expected, got) }
    end
  end
end

local function resync(p, request)
  local run = cycle.new(p, request)
  if cycle.gate(run).pass then cycle.carry_out(run) end
  return run.result
end

-- The phone as it is afterwards, to ask for what it shows.
local function looked_at(options, store)
  local out = {}
  for key, value in pairs(options) do out[key] = value end
  out.world = virtual.new { store = store, forget = true }
  return phone.new(out)
end

--- Play a cassette of a resync.
-- @treturn[1] table identical (boolean), divergence (or nil), result, store,
--   phone (over a world that does nothing), lines, datagrams, told, calls
-- @return[2] nil, sentence, word: it cannot be played
function play.resync(cassette)
  local begin, sentence, word = start.of(cassette)
  if not begin then return nil, sentence, word end
  local shared = swap.new(begin.store)
  local world, control = replay.new(cassette, { store = shared.store,
    current = shared.current, anchors = begin.anchors,
    on_store = function(now)
      shared.take(assert(start.store(begin.schema, now)))
    end })
  begin.phone.world = world
  local ok, result = control:run(function()
    return resync(phone.new(begin.phone), cassette.request)
  end)
  local out = { lines = control.lines, datagrams = control.datagrams,
    told = control.told, store = shared.current(),
    calls = control.reader.n, divergence = not ok and result or nil }
  if ok then
    out.result = result
    out.phone = looked_at(begin.phone, shared.current())
    out.divergence = control:rest()
      or compare(cassette.outcome, take.outcome(result, shared.current()))
  end
  out.identical = out.divergence == nil
  return out
end

--- Play a cassette of an engine's life.
-- @treturn[1] table identical, divergence, store, lines, datagrams, told, calls
-- @return[2] nil, sentence, word
function play.life(cassette)
  local begin, sentence, word = start.of(cassette)
  if not begin then return nil, sentence, word end
  local shared, now, control = swap.new(begin.store), {}, nil
  local on_power, on_asked = life.handlers(now, function(name)
    return control:call(name)
  end)
  now.world, control = replay.new(cassette, { store = shared.store,
    current = shared.current, anchors = begin.anchors, on_power = on_power,
    on_asked = on_asked, on_store = function(kept)
      shared.take(assert(start.store(begin.schema, kept)))
    end })
  local ok, divergence = control:drain()
  local out = { lines = control.lines, datagrams = control.datagrams,
    told = control.told, store = shared.current(), calls = control.reader.n }
  out.divergence = not ok and divergence or control:rest()
    or compare(cassette.outcome, life.outcome(shared.current()))
  out.identical = out.divergence == nil
  return out
end

return play
