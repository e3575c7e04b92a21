--- Situations that peal explain is asked about: each makes a store in a folder
-- and what is to be told of it. All that would be another each time (keys,
-- clock, dice) is given.
--
-- A situation: name, tell(st) -> data and text; and what happens before:
--   params    of the phone, beside Profile_Rule = URL
--   runs      list of resyncs (support.cases) one after the other, each by a
--             phone that has just started; a function(st) does something else
local base64 = require "peal.base64"
local cases = require "support.cases"
local certs = require "support.certs"
local explain = require "peal.explain"
local process = require "support.process"
local registry = require "peal.registry"
local revisions = require "peal.revisions"
local simulated = require "peal.device.simulated"
local store = require "peal.store"
local engines = require "support.engine"

local situations = {}

local NOW <const> = certs.NOW
local A <const> = "http://192.0.2.7/a.xml"
local B <const> = "http://192.0.2.7/b.xml"
local SECURE <const> = "https://192.0.2.7/a.xml"
local PERIODIC <const> = { asked_by = "periodic", explicit = false, prvst = 1 }

local schema

-- A store whose fingerprints are the same each time.
local function open(dir)
  schema = schema or assert(registry.load {})
  local key <close> = assert(io.open(dir .. "/key", "wb"))
  key:write(("k"):rep(32))
  key:close()
  assert(os.execute("chmod 700 " .. dir .. " && chmod 600 " .. dir .. "/key"))
  return assert(store.open { schema = schema, path = dir })
end

local function xml(text)
  return { status = 200, body = "<flat-profile>\n" .. text
    .. "\n</flat-profile>" }
end

local function set(values, by_user)
  return function(st)
    local txn = assert(st:begin())
    txn:source { author = "cli" }
    for name, value in pairs(values) do
      assert(txn:set(name, value, { by_user = by_user }))
    end
    assert(txn:commit("set", NOW + 5))
  end
end

local function value(name, where)
  return function(st)
    local found = explain.value(st, name, where)
    return found, explain.text(found)
  end
end

local function cycle(n)
  return function(st)
    local found, failed = explain.cycle(st, n)
    if found then return found, explain.cycle_text(found) end
    return failed, ("%s [%s]\n%s"):format(failed.sentence, failed.word,
      failed.next)
  end
end

-- An engine that has run for some seconds, and what it says of now.
local function not_now(options, seconds, before)
  return function()
    options.time = NOW
    local lab = engines.new(options)
    if before then before(lab) end
    lab:boot("power_on"):advance(seconds)
    local found = explain.not_now(lab.engine:status())
    return found, explain.not_now_text(found)
  end
end

-- A server with a certificate; refused says with which word it is refused
-- unless it is pinned.
local function secure(refused)
  local cert = certs.new():make { cn = "prov.example.net" }
  return { ["*"] = { function(request)
    local tls = certs.tls(cert)
    tls.cipher = "TLS_AES_128_GCM_SHA256"
    local pinned = request.tls.pinned
    if refused and not (pinned and pinned:has(cert.id)) then
      return { error = refused, text = "no trusted root",
        facts = { tls = tls } }
    end
    tls.pinned = refused and true or nil
    local answer = xml "<GPP_A>over TLS</GPP_A>"
    answer.tls = tls
    return answer
  end } }
end

-- E4 of the documents: gzip, then AES (MD5).
local SEALED <const> = "U2FsdGVkX18BI0VniavN7+oJgdW64oK9iZTY+sMYYW5AK5nyRYWSel"
  .. "Y6/Sdo+9ADTAwSBxMxgj91pNsPn4PGJOCgUD63TCc+D1Qt8mboPeA="

local function apply_rule(answer)
  return { ["apply.lua"] = 'return { stage = "apply", decide = function()\n'
    .. "  return " .. answer .. "\nend }\n" }
end

-- What a phone that is not registered any more takes back.
local function lose_registration(st)
  local context = require "peal.cycle.context"
  local health = require "peal.health"
  local device = simulated.new {}
  device.set_registered(true)
  local run = cases.run { store = st, time = NOW + 60,
    phone = { device = device }, request = PERIODIC,
    server = { [A] = xml "<GPP_A>bad</GPP_A>" } }
  local result = run.results[1]
  local p, world = run.phone, run.world
  world.run(function()
    p.registered_seen = true
    local watched = context.new(p, { asked_by = "engine" })
    watched.was_registered = true
    health.begin(p, watched, { revision_before = result.revision - 1,
      revision = result.revision, changes = result.changes,
      url = A, rule = "Profile_Rule", profiles = {} })
  end)
  device.set_registered(false)
  for _, at in ipairs { 0, 301 } do
    world.advance(at)
    world.run(function()
      health.consider(p, context.new(p, { asked_by = "engine" }))
    end)
  end
end

situations.list = {
  { name = "default", tell = value "Resync_Periodic" },
  { name = "phone-file", tell = value "Profile_Rule" },
  { name = "by-hand", runs = { set { GPP_A = "1" }, set { GPP_A = "2" } },
    tell = value "GPP_A" },
  { name = "this-run", runs = { set { GPP_A = "1" } },
    tell = value("GPP_A", { override = "2" }) },
  { name = "profile", runs = { { request = PERIODIC,
    server = { [A] = xml "<Resync_Periodic>7200</Resync_Periodic>" } } },
    tell = value "Resync_Periodic" },
  { name = "choices", params = { Profile_Rule = '("$PN" eq "x")? http://h/1 | '
    .. '($PRVTMR ge 10 and "$A" ne "x")? ' .. A .. " | http://h/3" },
    runs = { { server = { [A] = xml "<GPP_B>b</GPP_B>" } } },
    tell = value "GPP_B" },
  { name = "no-choice", params = { Profile_Rule = '("$PN" eq "x")? '
    .. A }, runs = { { flush = true } }, tell = cycle() },
  { name = "rule-b-overrode", params = { Profile_Rule_B = B },
    runs = { { server = { [A] = xml "<GPP_B>a</GPP_B>",
      [B] = xml '<GPP_B ua="rw">b</GPP_B>' } } }, tell = value "GPP_B" },
  { name = "same-from-b", params = { Profile_Rule_B = B },
    runs = { { server = { [A] = xml "<GPP_B>x</GPP_B>",
      [B] = xml "<GPP_C>c</GPP_C>\n<GPP_B>x</GPP_B>" } } },
    tell = value "GPP_B" },
  { name = "type-refused", runs = { { server = { [A] = xml(
    "<GPP_B>b</GPP_B>\n<Resync_Periodic>soon</Resync_Periodic>") } } },
    tell = value "Resync_Periodic" },
  { name = "users-own", runs = { set({ Station_Name = "Bob" }, true),
    { server = { [A] = xml('<Station_Name user-pref="y">Operator'
      .. "</Station_Name>\n<GPP_B>b</GPP_B>") } } },
    tell = value "Station_Name" },
  { name = "apply-refused", runs = { set { GPP_B = "mine" },
    { rules = apply_rule '{ refuse = { GPP_B = "not on this site" } }',
      server = { [A] = xml "<GPP_B>b</GPP_B>\n<GPP_C>c</GPP_C>" } } },
    tell = value "GPP_B" },
  { name = "apply-changed", runs = {
    { rules = apply_rule '{ change = { GPP_B = "better" } }',
      server = { [A] = xml "<GPP_B>b</GPP_B>" } } }, tell = value "GPP_B" },
  { name = "assigned", params = { Profile_Rule = '(GPP_C = "$MA";)! ' .. A },
    runs = { { server = { [A] = xml "<GPP_B>b</GPP_B>" } } },
    tell = value "GPP_C" },
  { name = "redirected", runs = { { server = {
    [A] = { status = 302, headers = { Location = B } },
    [B] = xml "<GPP_B>b</GPP_B>" } } }, tell = value "GPP_B" },
  { name = "tls", params = { Profile_Rule = SECURE },
    runs = { { server = secure() } }, tell = value "GPP_A" },
  { name = "tls-refused", params = { Profile_Rule = SECURE },
    runs = { { server = secure "c.untrusted", flush = true } },
    tell = cycle(1) },
  { name = "tls-let-pass", params = { Profile_Rule = SECURE,
    ["SystemSettings.Security_Certificates_AcceptAllCertificates"] = "1" },
    runs = { { server = secure "c.untrusted" } }, tell = value "GPP_A" },
  { name = "decoded", params = { GPP_SC = "SecretPhrase1234",
    Profile_Rule = "[--key $SC --uid joe --pwd s3cret] " .. A },
    runs = { { server = { [A] = { status = 200,
      body = base64.decode(SEALED) } } } }, tell = cycle(1) },
  { name = "secret", runs = { set { GPP_SA = "old" }, { server = {
    [A] = xml "<GPP_SA>s3cret</GPP_SA>" } } }, tell = value "GPP_SA" },
  { name = "unknown-kept", runs = { { phone = { keep_unknown = true },
    server = { [A] = xml "<No_Such>x</No_Such>" } } },
    tell = value "No_Such" },
  { name = "failed-since", runs = { { server = {
    [A] = xml "<GPP_B>b</GPP_B>" } }, { request = PERIODIC, flush = true,
      server = { [A] = { status = 503 } } } }, tell = value "GPP_B" },
  { name = "missing-file", runs = { { flush = true,
    server = { [A] = { status = 404 } } } }, tell = cycle(1) },
  { name = "corrupt-file", params = { Profile_Rule_B = B }, runs = { {
    flush = true, server = { [A] = xml "<GPP_B>b</GPP_B>",
      [B] = xml "<GPP_C>c</GPP_B>" } } }, tell = cycle(1) },
  { name = "bad-condition", params = { Profile_Rule = '("$PN" lt "x")? '
    .. A .. " | " .. B }, runs = { { flush = true } }, tell = cycle(1) },
  { name = "refused", runs = { { flush = true, rules = {
    ["trigger.lua"] = 'return { stage = "trigger", decide = function()\n'
      .. '  return false, "a quiet day"\nend }\n' } } }, tell = cycle() },
  { name = "not-kept", runs = { { server = {
    [A] = xml "<GPP_B>b</GPP_B>" } } }, tell = cycle(7) },
  { name = "trace-gone", runs = { { server = {
    [A] = xml "<GPP_B>b</GPP_B>" } }, { server = {
    [A] = xml "<GPP_B>b</GPP_B>\n<GPP_C>c</GPP_C>" } },
    function(_, dir) assert(os.remove(dir .. "/rev-0000000002")) end },
    tell = value "GPP_B" },
  { name = "put-back", runs = { { server = {
    [A] = xml "<GPP_B>b</GPP_B>" } }, set { GPP_B = "x" },
    function(st) assert(revisions.revert({ store = st, time = NOW + 9 }, 2)) end
  }, tell = value "GPP_B" },
  { name = "undone", runs = { lose_registration }, tell = value "GPP_A" },
  { name = "undone-cycle", runs = { lose_registration }, tell = cycle(1) },
  { name = "now-gated", tell = not_now({ params = {
    Resync_Trigger_1 = '$PRVTMR ge 600 and "$A" eq ""',
    Resync_Trigger_2 = "$UPGTMR gt 500" } }, 25) },
  { name = "now-waiting", tell = not_now({ params = {
    Resync_Periodic = "7200" } }, 60) },
  { name = "now-failed", tell = not_now({ server = function()
    return 503 end }, 30) },
  { name = "now-busy", tell = not_now({}, 60, function(lab)
    lab:lines(1) end) },
  { name = "now-off", tell = not_now({ params = {
    Provision_Enable = "No" } }, 60) },
}

-- What the phone begins with.
local function fill(situation, st)
  local txn = assert(st:begin())
  txn:source { author = "phone-file" }
  assert(txn:set("Profile_Rule", A))
  for name, text in pairs(situation.params or {}) do
    assert(txn:set(name, text))
  end
  assert(txn:commit("initial", NOW - 60))
end

-- A resync by a phone that has just started; `flush`: and is stopped.
local function resync(run, st)
  local about = { store = st, time = NOW }
  for key, what in pairs(run) do about[key] = what end
  local done = cases.run(about)
  if run.flush then assert(done.phone.keep:flush("stop")) end
end

--- Make it happen, and tell: data, text.
function situations.play(situation)
  local dir = process.temp_dir()
  local st = open(dir)
  fill(situation, st)
  for _, run in ipairs(situation.runs or {}) do
    if type(run) == "function" then
      run(st, dir)
    else
      resync(run, st)
    end
  end
  local data, text = situation.tell(st)
  st:close()
  process.remove(dir)
  return data, (text:gsub(("%x"):rep(64), "<sha256>"))
end

return situations
