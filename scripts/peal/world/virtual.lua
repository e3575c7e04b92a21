--- The virtual world: a clock that jumps to the next timer, and a network that
-- is a script. The same functions as live.lua; nothing outside is touched.
local device = require "peal.device"
local events = require "peal.world.events"
local heap = require "peal.world.heap"
local isolation = require "peal.world.isolation"
local issue = require "peal.issue"
local keyring = require "peal.keyring"
local rule_files = require "peal.world.rule_files"
local task = require "peal.task"

local virtual = {}

--- Dice of a seed: a linear congruential generator (MMIX constants).
-- @treturn function random(lo, hi)
-- @treturn function the seed to go on from here with
function virtual.dice(seed)
  local state = seed
  return function(lo, hi)
    state = state * 6364136223846793005 + 1442695040888963407
    local span = hi - lo + 1
    if span <= 0 then return lo + (state >> 1) end
    return lo + ((state >> 16) & 0x7fffffffffff) % span
  end, function() return state end
end

local DICE <const> = {
  min = function(lo) return lo end,
  max = function(_, hi) return hi end,
}

local function addresses_of(dns, name, kind, use_hosts)
  if type(dns) == "function" then return dns(name, kind, use_hosts) end
  local found = dns and dns[name]
  if not found and name:find("^[%d.]+$") or name:find(":", 1, true) then
    found = { name }
  end
  if not found then
    return nil, ("no address for %s"):format(name), "dns"
  end
  local list = {}
  for _, entry in ipairs(found) do
    if type(entry) == "string" then entry = { address = entry } end
    local is_srv = entry.target ~= nil
    if is_srv == (kind == "SRV") then
      entry.age = 0
      list[#list + 1] = entry
    end
  end
  if #list == 0 then return nil, ("no answer for %s"):format(name), "dns" end
  return list
end

local PIECE <const> = 1000

-- Give a body to the request's sink, as the live world does: pieces, of good
-- answers only. nil, sentence, word where it goes no further.
local function feed(request, answer)
  local body, taken = answer.body or "", 0
  local status = answer.status
  answer.body = nil
  if status and status // 100 ~= 2 then return true end
  for at = 1, #body, PIECE do
    local piece = body:sub(at, at + PIECE - 1)
    taken = taken + #piece
    if request.max and taken > request.max then
      return nil, "file size exceed", "toobig"
    end
    local ok, sentence, word = request.sink(piece)
    if not ok then return nil, sentence, word end
  end
  return true
end

-- The same for what a server's script returned: a failure's facts may hold
-- the bytes that came before it.
local function poured(request, results)
  local answer = results[1] or results[4]
  if not request.sink or type(answer) ~= "table" then return results end
  local copy = {}
  for key, value in pairs(answer) do copy[key] = value end
  results[results[1] and 1 or 4] = copy
  local ok, sentence, word = feed(request, copy)
  if ok then return results end
  return table.pack(nil, sentence, word, copy)
end

--- @param options
--   store    a memory store
--   time     wall clock at the start, s UTC (default 2026-11-22 10:15:30)
--   mono     monotonic clock then (0)
--   server   function(request, world) -> response | nil, sentence, word;
--            response.delay: seconds it takes. A request.sink gets the body
--            in pieces; that of a failure's facts too, before it fails
--   dns      table name -> list of addresses or SRV answers, or
--            function(name, type, use_hosts) -> list | nil, sentence, word
--   dice     "min", "max", a seed, or function(lo, hi)
--   rules    sources as rule_files.read() gives them (default: the factory's)
--   device   table
--   trust    as in live.lua
--   keyring  a peal.keyring (default: one in memory)
--   ask      where operators' rules run (default: a box of its own)
--   forget   true: requests, datagrams, lines and told events are not kept
function virtual.new(options)
  local clock, timers = options.mono or 0, heap.new()
  local start = (options.time or 1795342530) - clock
  local ask = options.ask or isolation.box()
  local dice = options.dice or 1
  if type(dice) == "number" then dice = virtual.dice(dice) end
  dice = DICE[dice] or dice

  local world = { store = options.store, device = options.device or {},
    trust = options.trust or {},
    keyring = options.keyring or assert(keyring.open()), issue = issue,
    requests = {}, datagrams = {}, lines = {}, told = {} }

  local function record(list, entry)
    if not options.forget then list[#list + 1] = entry end
  end

  -- A timer that is cancelled stays until its time, without a function.
  local function cancel(timer) timer.fn = nil end

  local function at(seconds, fn)
    local timer = { at = clock + seconds, fn = fn, cancel = cancel }
    timers:push(timer)
    return timer
  end

  --- When the next timer is due, on the monotonic clock; nil: there is none.
  function world.due()
    while timers:first() and not timers:first().fn do timers:pop() end
    return timers:first() and timers:first().at
  end

  --- Jump to the next timer, which must be there, and run it.
  function world.tick()
    local timer = timers:pop()
    if timer.fn then
      clock = timer.at
      timer.fn()
    end
  end

  function world.now()
    return { time = start + clock, mono = clock,
      zone = device.zone(world.device),
      trusted = device.clock_trusted(world.device) }
  end

  --- Set the wall clock `seconds` forward or back; monotonic time goes on.
  function world.step(seconds) start = start + seconds end

  function world.random(lo, hi) return dice(lo, hi) end

  function world.entropy(n)
    local out = {}
    for i = 1, n do out[i] = string.char(dice(0, 255)) end
    return table.concat(out)
  end

  events.add(world, at)

  function world.fetch(request)
    record(world.requests, request)
    local results = table.pack(options.server(request, world))
    local response = results[1] or results[4]
    local delay = type(response) == "table" and response.delay or 0
    if delay > 0 then world.wait(delay) end
    results = poured(request, results)
    return table.unpack(results, 1, results.n)
  end

  -- A script has no TLS.
  function world.sessions() return nil end
  function world.resume() end
  function world.forget_sessions() end

  function world.resolve(name, kind, use_hosts)
    return addresses_of(options.dns, name, kind, use_hosts)
  end

  function world.send(where, bytes)
    record(world.datagrams, { address = where.address,
      port = where.port, bytes = bytes, time = start + clock })
    return true
  end

  local sources = options.rules or rule_files.read()

  function world.rules() return sources end

  -- Keys are real ones: no dice of a script's make them.
  world.new_key = issue.key

  function world.ask(job, overrides, of)
    return ask(of or world.store, overrides, job)
  end

  function world.log(text) record(world.lines, text) end
  function world.tell(event) record(world.told, event) end

  --- Set the monotonic clock forward; what falls due by that waits for tick().
  function world.jump(seconds) clock = math.max(clock, seconds) end

  --- Jump from timer to timer up to `seconds` on the monotonic clock, or to
  -- the last.
  function world.advance(seconds)
    while timers:first() and (not seconds or timers:first().at <= seconds) do
      world.tick()
    end
    if seconds and seconds > clock then clock = seconds end
  end

  --- Run `fn(...)` as a task until it returns; its results.
  function world.run(fn, ...)
    local results
    task.spawn(function(...) results = table.pack(fn(...)) end, ...)
    while not results do
      assert(timers:first(), "the task waits for something that never comes")
      world.tick()
    end
    return table.unpack(results, 1, results.n)
  end

  return world
end

return virtual
