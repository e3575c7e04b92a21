--- Whole resyncs as data: runs a case of tests/cases on the virtual world.
-- A case file returns a list of cases:
--   name, source
--   phone    { identity =, params =, state =, overrides =, dhcp =, account =,
--              device =, keep_unknown = } on top of the fixture phone
--   dns      name -> list of addresses
--   server   URL (as requested, without credentials) -> answer or list of
--            answers, the last one repeating; an answer is { status, body,
--            headers } or { error = word, text = } ; "*" answers the rest
--   request  { asked_by, explicit, rule, prvst } (default: by hand)
--   rules    file name -> text of an operator's rule file
--   runs     how many resyncs (default 1)
--   time     wall clock at the start
--   store    one that is there already (default: a new one in memory); it gets
--            the parameters if nothing was written to it yet
--   expect   outcome, requests (list of "METHOD URL"), params, syslog (list),
--            words (of notes), failure { word, err, class }, changes (names),
--            revision, request (fields of the first one), sealed (texts that
--            no output may hold)
local cycle = require "peal.cycle"
local fixture = require "support.fixture"
local json = require "peal.json"
local outputs = require "support.outputs"
local phone = require "peal.phone"
local registry = require "peal.registry"
local rule_files = require "peal.world.rule_files"
local secrets = require "support.secrets"
local support = require "support.rules"
local store = require "peal.store"
local virtual = require "peal.world.virtual"

local cases = {}

local schema

local function copy(t, over)
  local out = {}
  for k, v in pairs(t or {}) do out[k] = v end
  for k, v in pairs(over or {}) do out[k] = v end
  return out
end

local function url_of(request)
  if request.url then return request.url end
  local host = request.host:find(":", 1, true) and "[" .. request.host .. "]"
    or request.host
  local port = request.port ~= 69 and ":" .. request.port or ""
  return ("tftp://%s%s%s"):format(host, port, request.path)
end

local function server_of(case)
  local asked = {}
  return function(request)
    local where = url_of(request)
    local answers = case.server and (case.server[where] or case.server["*"])
    if not answers then
      return nil, "no route to " .. where, "connect"
    end
    asked[where] = (asked[where] or 0) + 1
    local answer = answers[1] and answers[math.min(asked[where], #answers)]
      or answers
    if type(answer) == "function" then answer = answer(request) end
    if answer.error then
      return nil, answer.text or answer.error, answer.error, answer.facts
    end
    local headers = {}
    for name, value in pairs(answer.headers or {}) do
      headers[#headers + 1] = { name, value }
    end
    return { status = request.scheme ~= "tftp" and (answer.status or 200)
      or nil, body = answer.body or "", headers = headers,
      auth_exhausted = answer.auth_exhausted, delay = answer.delay,
      sent = answer.sent or 1, peer = request.address, tls = answer.tls }
  end
end

local function rules_of(case)
  if not case.rules then return nil end
  local sources = rule_files.read()
  for name, text in pairs(case.rules) do
    sources[name] = { text = text, path = "operator/" .. name }
  end
  return sources
end

local function store_of(case)
  schema = schema or assert(registry.load {})
  local st = case.store or assert(store.open { schema = schema })
  if st:revision() > 0 then return st end
  local txn = assert(st:begin())
  txn:source { author = "phone-file" }
  local values = secrets.plant(copy(fixture.params,
    case.phone and case.phone.params))
  for name, value in pairs(values) do
    assert(txn:set(name, value))
  end
  assert(txn:commit("initial", 0))
  return st
end

--- Run a case. Returns what happened: results (one per run), world, store.
function cases.run(case)
  local about = case.phone or {}
  local st = store_of(case)
  local world = virtual.new { store = st, server = server_of(case),
    dns = case.dns or function(name)
      return { { address = name:find("^[%d.]+$") and name
        or name:find(":", 1, true) and name or "192.0.2.7", age = 0 } }
    end,
    rules = rules_of(case), ask = support.box(), time = case.time,
    device = about.device, dice = case.dice, trust = case.trust }
  local p = phone.new { world = world,
    identity = copy(fixture.identity, about.identity),
    state = about.state or fixture.state, overrides = copy(about.overrides),
    account = about.account, dhcp = about.dhcp,
    keep_unknown = about.keep_unknown }
  outputs.listen(world, case.name or "a cycle")
  if case.prepare then case.prepare(p) end
  local results = {}
  for i = 1, case.runs or 1 do
    results[i] = world.run(cycle.run, p,
      case.request or { asked_by = "cli", explicit = true, prvst = -1 })
    outputs.keep(case.name or "a cycle", "trace", results[i].trace:encode())
  end
  return { results = results, world = world, store = st, phone = p }
end

--- "METHOD URL" of each request that went out.
function cases.requests(run)
  local out = {}
  for i, request in ipairs(run.world.requests) do
    out[i] = ("%s %s"):format(request.scheme == "tftp" and "RRQ"
      or request.method, url_of(request))
  end
  return out
end

--- Texts of the datagrams, without the priority and time stamp.
function cases.syslog(run)
  local out = {}
  for i, datagram in ipairs(run.world.datagrams) do
    out[i] = datagram.bytes:gsub("^<%d+>%a+ +%d+ %d%d:%d%d:%d%d ", "")
  end
  return out
end

--- Everything that was said in a run, for the search for secrets.
function cases.everything(run)
  local parts = {}
  for _, result in ipairs(run.results) do
    parts[#parts + 1] = result.trace:encode()
    parts[#parts + 1] = json.encode(result.notes)
    parts[#parts + 1] = json.encode(result.failure and
      { result.failure.sentence, result.failure.err } or {})
  end
  for _, datagram in ipairs(run.world.datagrams) do
    parts[#parts + 1] = datagram.bytes
  end
  return table.concat(parts, "\n")
end

return cases
