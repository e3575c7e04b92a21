--- The live world: real clock, real network, real dice.
-- Everything that a phone does to the outside goes through the functions of
-- one of these tables; the engine knows no other way. They suspend the task
-- that calls them (see task.lua), never the process.
--   now()                   { time, mono: s; trusted: bool; zone: POSIX TZ;
--                           earliest: it is not before, whatever the clock }
--   random(lo, hi)          a whole number, both ends included
--   entropy(n)              n random octets
--   fetch(request)          response | nil, sentence, word, response
--   sessions()              TLS sessions as bytes, secret; nil, "": none
--   resume(bytes)           take such sessions up; what does not fit is left
--   forget_sessions()       those, and connections that wait for use
--   trust                   { anchors =, identity = } as the maker gave them
--   resolve(name, type, use_hosts)
--                           list of { address | target, ..., age } |
--                           nil, sentence, word
--   wait(s, event)          suspend until the time (false) or the event
--                           (true, ...); post(event, ...) wakes
--   send({address, port}, bytes)
--   rules()                 rule sources, see rule_files.lua
--   ask(job, overrides, store)
--                           one decision of an operator's rule file, see
--                           isolation.lua; store: whose values it sees
--                           (nil: the world's)
--   new_key(kind)           a private key, "P-256", "RSA-2048" ... |
--                           nil, sentence, word
--   issue                   { certificate, request, signer }: what such keys
--                           sign (peal.issue)
--   keyring                 private keys with their certificates, in
--                           generations (peal.keyring)
--   log(text)               a line of the control log
--   tell(event)             an event of the trace or the engine, plain data,
--                           for who follows the phone
--   store, device
local device = require "peal.device"
local events = require "peal.world.events"
local fetch = require "peal.fetch"
local isolation = require "peal.world.isolation"
local issue = require "peal.issue"
local keyring = require "peal.keyring"
local net = require "peal.net"
local rule_files = require "peal.world.rule_files"
local sys = require "peal.sys"
local task = require "peal.task"
local tftp = require "peal.tftp"

local live = {}

-- Phones boot without a clock.
local BUILT <const> = require("peal.trust").build_time()

local TFTP_KEYS <const> = { "address", "port", "body", "max", "port_lo",
  "port_hi", "wait", "sendings", "total", "blksize", "no_options", "sink" }

local HTTP_KEYS <const> = { "url", "address", "method", "headers", "body",
  "user", "password", "auth", "proxy", "proxy_address", "proxy_user",
  "proxy_password", "max", "connect", "idle", "total", "sink" }

local function pick(request, keys)
  local out = {}
  for _, key in ipairs(keys) do out[key] = request[key] end
  return out
end

local function start_tftp(loop, request, resume)
  local name, sentence, word = tftp.name(request.path)
  if not name then return resume(nil, sentence, word) end
  local what = pick(request, TFTP_KEYS)
  what.name = name
  local handle
  handle, sentence, word = tftp.start(loop, what, resume)
  if not handle then resume(nil, sentence, word) end
end

local function start_http(client, request, resume)
  local what = pick(request, HTTP_KEYS)
  if request.tls then
    what.tls = {}
    for key, value in pairs(request.tls) do what.tls[key] = value end
    what.tls.now = math.max(what.tls.now, BUILT)
  end
  local handle, sentence, word = client:start(what, resume)
  if not handle then resume(nil, sentence, word) end
end

--- @param options
--   loop       peal.loop
--   store      peal.store
--   device     table of what the phone can do (may be empty)
--   rules_dir  operator's folder, or nil
--   trust      { anchors = peal.trust anchors, identity = or nil }
--   dns        { servers = "127.0.0.1:5353" } or nil: the system's
--   ask        where operators' rules run, as isolation.worker() gives it;
--              phones of one host share it. nil: a worker of its own
--   keys       folder of the keyring, made when first written; nil: memory
--   log, tell  functions, or nil: nobody listens
-- @treturn[1] table
-- @return[2] nil, sentence, word
function live.new(options)
  local loop = options.loop
  local client, resolver
  local keys, trouble, why = keyring.open(options.keys)
  if not keys then return nil, trouble, why end
  local world = { store = options.store, device = options.device or {},
    trust = options.trust or {}, keyring = keys, issue = issue }

  function world.now()
    local time = sys.time()
    return { time = time, earliest = BUILT, mono = sys.monotonic(),
      zone = device.zone(world.device),
      trusted = time >= BUILT and device.clock_trusted(world.device) }
  end

  world.random = sys.random_int
  world.entropy = sys.random

  local function client_of()
    local sentence, word
    if not client then client, sentence, word = fetch.new(loop) end
    return client, sentence, word
  end

  function world.fetch(request)
    return task.await(function(resume)
      if request.scheme == "tftp" then
        return start_tftp(loop, request, resume)
      end
      local http, sentence, word = client_of()
      if not http then return resume(nil, sentence, word) end
      start_http(http, request, resume)
    end)
  end

  function world.sessions() return client and client:export() end

  function world.resume(bytes)
    local http = client_of()
    if http then http:import(bytes) end
  end

  function world.forget_sessions()
    if client then client:forget() end
  end

  function world.resolve(name, kind, use_hosts)
    return task.await(function(resume)
      local sentence, word
      if not resolver then
        resolver, sentence, word = net.resolver(loop, options.dns or {})
      end
      if not resolver then return resume(nil, sentence, word) end
      local asked
      asked, sentence, word = resolver:resolve(name, kind, use_hosts,
        function(list, ...)
          for _, answer in ipairs(list or {}) do answer.age = 0 end
          resume(list, ...)
        end)
      if not asked then resume(nil, sentence, word) end
    end)
  end

  events.add(world, function(seconds, fn) return loop:timer(seconds, fn) end)

  function world.send(where, bytes)
    return net.send(where.address, where.port, bytes)
  end

  world.rules = rule_files.reader(options.rules_dir)

  -- The primes of an RSA key take seconds.
  function world.new_key(kind)
    sys.no_core()
    if not kind:find("^RSA") then return issue.key(kind) end
    return task.await(function(resume)
      local job, sentence, word = issue.key_start(loop, kind, resume)
      if not job then resume(nil, sentence, word) end
    end)
  end

  local ask = options.ask

  function world.ask(job, overrides, of)
    ask = ask or isolation.worker(loop)
    return ask(of or world.store, overrides, job)
  end

  world.log = options.log or function() end
  world.tell = options.tell or function() end

  --- Run `fn(...)` as a task until it returns; its results.
  function world.run(fn, ...)
    local results
    task.spawn(function(...) results = table.pack(fn(...)) end, ...)
    while not results do loop:run(true) end
    return table.unpack(results, 1, results.n)
  end

  return world
end

return live
