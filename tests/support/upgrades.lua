--- Phones that upgrade on the virtual world, into a simulated device.
--
--   local p = upgrades.new { rule = "http://p/x.loads", server = { body = } }
--   p.consider("boot")   p.requests()   p.syslog()   p.device
local cases = require "support.cases"
local context = require "peal.cycle.context"
local encode = require "peal.encode"
local engine = require "peal.engine"
local fixture = require "support.fixture"
local headset = require "peal.headset"
local phone = require "peal.phone"
local registry = require "peal.registry"
local simulated = require "peal.device.simulated"
local store = require "peal.store"
local upgrade = require "peal.upgrade"
local virtual = require "peal.world.virtual"

local upgrades = {}

--- An image in several pieces.
upgrades.image = ("an image of a load\n"):rep(200)

local schema

local function copy(t, over)
  local out = {}
  for k, v in pairs(t or {}) do out[k] = v end
  for k, v in pairs(over or {}) do out[k] = v end
  return out
end

function upgrades.sha256(bytes)
  return encode.sha256():add(bytes):hex()
end

-- One answer, a list of them (the last one for all that follow), or a
-- function of the request; an answer is { status, body, headers, delay } or
-- { error = word, text =, body = what came before it }.
local function server_of(answers)
  local asked = 0
  if answers and (type(answers) == "function" or not answers[1]) then
    answers = { answers }
  end
  return function(request, world)
    if not answers then return nil, "no route", "connect" end
    asked = asked + 1
    local answer = answers[math.min(asked, #answers)]
    if type(answer) == "function" then answer = answer(request, world) end
    if answer.error then
      return nil, answer.text or answer.error, answer.error,
        { body = answer.body, status = answer.status }
    end
    local headers = {}
    for name, value in pairs(answer.headers or {}) do
      headers[#headers + 1] = { name, value }
    end
    return { status = request.scheme ~= "tftp" and (answer.status or 200)
      or nil, body = answer.body or "", headers = headers,
      auth_exhausted = answer.auth_exhausted, sent = 1,
      delay = answer.delay, peer = request.address }
  end
end

--- Values of a new memory store.
function upgrades.store(params)
  schema = schema or assert(registry.load {})
  local st = assert(store.open { schema = schema })
  local txn = assert(st:begin())
  for name, value in pairs(params) do assert(txn:set(name, value)) end
  assert(txn:commit("initial", 0))
  return st
end

--- @param o
--   rule     Upgrade_Rule
--   params   on top of it, and of a Syslog_Server
--   server   see server_of(); nil: nobody is there
--   load, folder, check ... of the simulated device; device: another one
--   identity, state, account, dice, dns, rules, ask, store
function upgrades.new(o)
  local device = o.device or assert(simulated.new { folder = o.folder,
    load = o.load or { active = fixture.identity.SWVER }, check = o.check,
    lines_active = o.lines_active, headset = o.headset })
  local run = {}
  run.world = virtual.new { device = device, dice = o.dice or "max",
    rules = o.rules, ask = o.ask,
    store = o.store or upgrades.store(copy({ Upgrade_Rule = o.rule,
      Syslog_Server = "192.168.1.210" }, o.params)),
    server = server_of(o.server),
    dns = o.dns or function(name)
      return { { address = name:find("^[%d.]+$") and name or "192.0.2.7",
        age = 0 } }
    end }
  run.phone = phone.new { world = run.world, state = o.state,
    identity = copy(fixture.identity, o.identity), account = o.account }
  run.device = device

  -- In a task, with a new run.
  local function call(fn, kind, about)
    return run.world.run(function()
      run.run = context.new(run.phone, { rules = run.phone.book:set(),
        asked_by = about.event, explicit = about.event == "request",
        kind = kind })
      return fn(run.phone, run.run, about)
    end)
  end

  --- One call of upgrade.consider; run.run is the run it had.
  function run.consider(event, about)
    return call(upgrade.consider, "upgrade", copy(about, { event = event }))
  end
  --- One call of headset.consider.
  function run.headset(event, about)
    return call(headset.consider, "headset", copy(about, { event = event }))
  end
  --- An engine, from a start for that reason.
  function run.boot(reason)
    run.engine = engine.new(run.phone)
    run.engine:start(reason)
    return run.engine
  end
  function run.requests() return cases.requests(run) end
  function run.syslog() return cases.syslog(run) end
  --- Set a parameter.
  function run.set(name, value)
    local txn = assert(run.world.store:begin())
    assert(txn:set(name, value))
    assert(txn:commit("test", 0))
  end
  return run
end

return upgrades
