-- A bad profile is undone and kept away. Our choice throughout.
local cases = require "support.cases"
local context = require "peal.cycle.context"
local cycle = require "peal.cycle"
local engine = require "peal.engine"
local fixture = require "support.fixture"
local health = require "peal.health"
local history = require "peal.history"
local phone = require "peal.phone"
local process = require "support.process"
local quarantine = require "peal.quarantine"
local registry = require "peal.registry"
local simulated = require "peal.device.simulated"
local store = require "peal.store"
local virtual = require "peal.world.virtual"

local BAD <const> = "<flat-profile><Proxy_1_>192.0.2.99</Proxy_1_>"
  .. '<GPP_A ua="rw">bad</GPP_A><GPP_SA>new secret</GPP_SA>'
  .. "<Station_Name>Operator</Station_Name><GPP_C>x</GPP_C></flat-profile>"
local GOOD <const> = "<flat-profile><Proxy_1_>sip.example.net</Proxy_1_>"
  .. "<GPP_A>good</GPP_A></flat-profile>"
local PARAMS <const> = { Proxy_1_ = "sip.example.net", GPP_A = "old",
  Profile_Rule = "http://s/p.xml", Resync_Periodic = "3600",
  GPP_SA = "old secret", Station_Name = "" }

local schema, body, device, world, st, p

-- A phone whose registration follows its proxy, at once.
local function follow_proxy()
  device.set_registered(st:get("Proxy_1_") == "sip.example.net")
end

-- A phone that is set up, with a store in memory or in a folder.
local function start(path, rules, on_reboot)
  schema = schema or assert(registry.load {})
  st = assert(store.open { schema = schema, path = path })
  if st:revision() == 0 then
    local txn = assert(st:begin())
    for name, value in pairs(PARAMS) do assert(txn:set(name, value)) end
    assert(txn:commit("initial", 0))
    txn = assert(st:begin())
    assert(txn:set("Station_Name", "Bob", { by_user = true }))
    assert(txn:commit("initial", 0))
  end
  device = simulated.new { load = { active = "sip88xx.11-3-1MPP-234" } }
  device.on_reboot = on_reboot
  device.apply = follow_proxy
  device.set_registered(st:get("Proxy_1_") == "sip.example.net")
  world = virtual.new { store = st, device = device, rules = rules,
    dns = function() return { { address = "192.0.2.7", age = 0 } } end,
    server = function() return { status = 200, body = body, headers = {} } end,
  }
  p = phone.new { world = world, identity = fixture.identity }
end

local function everything()
  local out = {}
  for about in st:each() do
    out[about.name] = { about.text, about.ua, about.is_default,
      about.user_modified, about.user_pref }
  end
  return out
end

local function resync(request)
  local about = { asked_by = "periodic", explicit = false }
  for key, value in pairs(request or {}) do about[key] = value end
  local result = world.run(function()
    local before = st:revision()
    local run = cycle.new(p, about)
    assert(cycle.gate(run).pass)
    local done = cycle.carry_out(run)
    local committed = { revision_before = before, revision = done.revision,
      changes = done.changes, profiles = {} }
    for _, rule in ipairs(done.rules) do
      if rule.hash then
        table.insert(committed.profiles, { rule = rule.rule, url = rule.url,
          hash = rule.hash, mark = rule.mark, changes = rule.changes })
        committed.url = rule.url
      end
    end
    if #done.changes > 0 then health.begin(p, run, committed) end
    return done
  end)
  return result
end

local function look()
  return world.run(function()
    return health.consider(p, context.new(p, { asked_by = "engine" }))
  end)
end

local function pass(seconds) world.advance(world.now().mono + seconds) end

describe("a change that costs the registration", function()
  before_each(function()
    body = BAD
    start()
  end)

  it("is undone after five minutes, to the last flag", function()
    local before = everything()
    local result = resync()
    assert.equal(5, #result.changes)
    local r = look()
    assert.same({ "watching", 300 }, { r.outcome, r.after })
    assert.are_not.same(before, everything())
    pass(299)
    r = look()
    assert.same({ "watching", 1 }, { r.outcome, r.after })
    pass(1)
    r = look()
    assert.same({ "undone", "5 parameters of http://s/p.xml, registration "
      .. "lost for 300 s" }, { r.outcome, r.reason })
    assert.same(before, everything())
    assert.equal("health", st:value("Proxy_1_").author)
    assert.is_true(r.reboot) -- Proxy_1_ takes one, to and fro
    assert.is_true(device.registered())
    assert.equal("none", look().outcome)
  end)

  it("is not applied again until the profile changes", function()
    resync()
    look()
    pass(300)
    look()
    local revision = st:revision()
    for _ = 1, 2 do
      local result = resync()
      assert.equal("success", result.outcome)
      assert.same({}, result.changes)
      assert.is_true(result.rules[1].quarantined)
      local words = {}
      for _, note in ipairs(result.notes) do
        words[#words + 1] = note.word
      end
      assert.same({ "quarantined" }, words)
    end
    assert.equal("old", st:get("GPP_A"))
    assert.equal(revision, st:revision())
    body = GOOD
    local result = resync()
    assert.equal(1, #result.changes)
    pass(300)
    assert.equal("kept", look().outcome)
    assert.equal("good", st:get("GPP_A"))
  end)

  it("is not applied again in other bytes", function()
    resync()
    look()
    pass(300)
    look()
    for i = 1, 2 do
      body = BAD .. ("<!-- %d -->"):format(i)
      local result = resync()
      assert.same({}, result.changes)
      assert.is_true(result.rules[1].quarantined)
    end
    assert.equal("old", st:get("GPP_A"))
    assert.equal(5, #resync({ asked_by = "cli", explicit = true }).changes)
    assert.same({}, quarantine.list(p))
  end)

  it("is applied again where a person asks for it", function()
    resync()
    look()
    pass(300)
    assert.equal("undone", look().outcome)
    assert.same({}, resync { asked_by = "notify", explicit = true }.changes)
    assert.equal(5,
      #resync({ asked_by = "cli", explicit = true }).changes)
    assert.same({}, quarantine.list(p))
  end)

  it("stays where the registration comes back in time", function()
    resync()
    look()
    pass(200)
    device.set_registered(true)
    local r = look()
    assert.same({ "watching", 100 }, { r.outcome, r.after })
    pass(100)
    assert.equal("kept", look().outcome)
    assert.equal("bad", st:get("GPP_A"))
    assert.same({}, quarantine.list(p))
  end)

  it("is undone where the registration goes late", function()
    device.apply = nil
    resync()
    assert.equal("watching", look().outcome)
    pass(290)
    device.set_registered(false)
    assert.equal("watching", look().outcome)
    pass(100)
    assert.equal("watching", look().outcome)
    pass(200)
    assert.equal("undone", look().outcome)
  end)

  it("stays where there was no registration before", function()
    device.apply = nil
    device.set_registered(false)
    resync()
    assert.equal("none", look().outcome)
    assert.equal("bad", st:get("GPP_A"))
  end)

  it("stays where the device does not say", function()
    device.registered = nil
    resync()
    assert.equal("none", look().outcome)
    pass(1000)
    assert.equal("none", look().outcome)
    assert.equal("bad", st:get("GPP_A"))
  end)

  it("leaves alone what somebody has set since", function()
    resync()
    look()
    local txn = assert(st:begin())
    assert(txn:set("GPP_A", "mine"))
    assert(txn:commit("set", 0))
    pass(300)
    local r = look()
    assert.same({ "undone", 4 }, { r.outcome, #r.names })
    assert.equal("mine", st:get("GPP_A"))
    assert.equal("sip.example.net", st:get("Proxy_1_"))
  end)

  it("is undone with the one before it, which was not judged yet", function()
    local before = everything()
    resync()
    look()
    pass(100)
    body = BAD:gsub("<GPP_C>x", "<GPP_C>y"):gsub("bad", "worse")
    resync()
    look()
    pass(300)
    assert.equal("undone", look().outcome)
    assert.same(before, everything())
    assert.equal(2, #quarantine.list(p))
  end)

  it("is said without its secrets", function()
    resync()
    look()
    pass(300)
    local run
    local r = world.run(function()
      run = context.new(p, { asked_by = "engine" })
      return health.consider(p, run)
    end)
    assert.equal("undone", r.outcome)
    local all = run.trace:encode() .. r.reason
      .. (p.keep:get("quarantine", "profiles") or "")
    assert.is_nil(all:find("secret", 1, true))
    assert.truthy(all:find("undone: 5 parameters of http://s/p.xml, "
      .. "registration lost for 300 s", 1, true))
  end)

  it("is judged by an operator's rule", function()
    local sources = require("peal.world.rule_files").read()
    sources["health.lua"] = { path = "op/health.lua", text = [[
      return { stage = "health", decide = function(phone)
        if phone.registered then return { verdict = "keep" } end
        return { verdict = "undo", reason = #phone.change.names .. " names" }
      end }]] }
    start(nil, sources)
    resync()
    local r = look()
    assert.same({ "undone", "5 parameters of http://s/p.xml, 5 names" },
      { r.outcome, r.reason })
  end)

  it("is undone once where a rule assigns it again", function()
    local txn = assert(st:begin())
    assert(txn:set("Profile_Rule", '(Proxy_1_="192.0.2.99";)!'))
    assert(txn:commit("set", 0))
    look() -- as at boot
    resync()
    look()
    pass(300)
    assert.equal("undone", look().outcome)
    assert.equal(1, #resync().changes)
    assert.equal("none", look().outcome)
  end)
end)

describe("a phone that restarts", function()
  local path
  before_each(function()
    path = process.temp_dir() .. "/store"
    body = BAD
    start(path)
  end)
  after_each(function()
    st:close()
    process.remove((path:gsub("/store$", "")))
  end)

  it("is watched on, and undoes from the older revision", function()
    local before = everything()
    resync()
    look()
    st:close()
    start(path)
    assert.is_false(device.registered())
    local r = look()
    assert.same({ "watching", 300 }, { r.outcome, r.after })
    pass(300)
    assert.equal("undone", look().outcome)
    assert.same(before, everything())
    st:close()
    start(path)
    assert.equal("none", look().outcome)
    assert.same({}, resync().changes)
  end)

  it("is undone with the change before the restart, and both with the next",
    function()
      for _, restart in ipairs { 1, 2 } do
        st:close()
        start(path)
        local before = everything()
        device.apply = nil
        body = GOOD:gsub("good", "first" .. restart)
        resync()
        look()
        if restart == 1 then -- between the two
          st:close()
          start(path)
          device.apply = nil
          look()
        end
        pass(100)
        body = "<flat-profile><GPP_B>" .. restart .. "</GPP_B>"
          .. "<GPP_A>a</GPP_A></flat-profile>"
        assert.equal(2, #resync().changes)
        look()
        if restart == 2 then -- after both
          st:close()
          start(path)
        end
        device.set_registered(false)
        look()
        pass(300)
        assert.equal("undone", look().outcome)
        assert.same(before, everything())
        assert.equal(2 * restart, #quarantine.list(p))
      end
    end)

  it("keeps a change that does it good", function()
    resync()
    look()
    st:close()
    start(path)
    device.set_registered(true)
    assert.equal("watching", look().outcome)
    pass(300)
    assert.equal("kept", look().outcome)
    st:close()
    start(path)
    assert.equal("none", look().outcome)
  end)

  it("keeps what it has where the older revision is gone", function()
    resync()
    look()
    st:close()
    start(path)
    local past = st.past
    getmetatable(st).__index.past = function()
      return nil, "no such thing", "not-found"
    end
    look()
    pass(300)
    local r = look()
    getmetatable(st).__index.past = past
    assert.equal("kept", r.outcome)
    assert.matches("no such thing", r.reason)
    assert.equal("bad", st:get("GPP_A"))
  end)
end)

describe("the quarantine", function()
  it("has sixteen profiles, the newest first", function()
    local q = cases.run {}.phone
    for i = 1, 18 do
      quarantine.add(q, ("%064x"):format(i), "http://s/" .. i)
    end
    quarantine.add(q, ("%064x"):format(10), "http://s/again")
    local list = quarantine.list(q)
    assert.same({ 16, "http://s/again", "http://s/18" },
      { #list, list[1].url, list[2].url })
    assert.is_nil(quarantine.find(q, ("%064x"):format(2)))
    quarantine.lift(q, ("%064x"):format(10))
    assert.equal(15, #quarantine.list(q))
    assert.equal("e3b0c44298fc1c149afbf4c8996fb924"
      .. "27ae41e4649b934ca495991b7852b855", quarantine.hash(""))
  end)
end)

describe("an engine with a bad profile", function()
  -- What a reboot does: the same store and world, all else anew.
  local function boot(reason)
    p = phone.new { world = world, identity = fixture.identity }
    engine.new(p):start(reason)
  end

  -- Until the hour's resync has been, and half an hour more.
  local function hours(n) pass(3600 * n) end

  it("undoes it, keeps it away, and takes the next one", function()
    local path = process.temp_dir() .. "/store"
    body = GOOD
    start(path, nil, boot)
    boot("power_on")
    pass(1800)
    assert.equal("good", st:get("GPP_A"))
    assert.same({}, device.reboots)
    body = BAD
    pass(1800 + 60)
    assert.same({ "192.0.2.99", false },
      { st:get("Proxy_1_"), device.registered() })
    assert.equal(1, #device.reboots) -- the profile's
    pass(400)
    assert.same({ "sip.example.net", "good", true },
      { st:get("Proxy_1_"), st:get("GPP_A"), device.registered() })
    assert.equal(2, #device.reboots) -- the undoing's
    hours(6)
    assert.same({ "sip.example.net", "good", 2 },
      { st:get("Proxy_1_"), st:get("GPP_A"), #device.reboots })
    assert.is_true(#world.requests >= 7) -- the profile is asked for on
    local said = 0
    for _, line in ipairs(world.lines) do
      if line:find("undone", 1, true)
        and line:find("registration lost for 300 s", 1, true) then
        said = said + 1
      end
    end
    assert.equal(1, said)
    body = GOOD:gsub("good", "fixed")
    hours(1)
    assert.equal("fixed", st:get("GPP_A"))
    assert.equal(2, #device.reboots)
    assert.matches("Provisioning$", history.list(p, "reboot")[1])
    st:close()
    process.remove((path:gsub("/store$", "")))
  end)

  it("undoes what leads it to no server, and finds home again", function()
    local way = "<flat-profile><Profile_Rule>http://gone/p.xml"
      .. "</Profile_Rule><GPP_A>lost</GPP_A></flat-profile>"
    body = GOOD
    start()
    world.fetch = (function(fetch)
      return function(request)
        if request.url:find("//gone", 1, true) then
          return nil, "no connection to gone port 80", "connect"
        end
        return fetch(request)
      end
    end)(world.fetch)
    boot("power_on")
    pass(1800)
    body = way
    pass(1800 + 60)
    assert.same({ "http://gone/p.xml", "lost" },
      { st:get("Profile_Rule"), st:get("GPP_A") })
    assert.is_true(device.registered()) -- nothing is wrong with that
    pass(400)
    assert.same({ "http://s/p.xml", "good" },
      { st:get("Profile_Rule"), st:get("GPP_A") })
    assert.matches("no resync has worked for 30%d s",
      table.concat(world.lines, "\n"))
    hours(12) -- the retries' delays grow with their number
    assert.equal("good", st:get("GPP_A")) -- and is kept away
    body = GOOD:gsub("good", "fixed")
    hours(2)
    assert.equal("fixed", st:get("GPP_A"))
  end)

  it("tries a new way home at once, and keeps one that works", function()
    body = GOOD
    start()
    boot("power_on")
    pass(1800)
    body = "<flat-profile><Profile_Rule>http://s/q.xml</Profile_Rule>"
      .. "</flat-profile>"
    pass(1800 + 60)
    assert.matches("/q%.xml$", world.requests[#world.requests].url)
    local asked = #world.requests
    pass(1000)
    assert.equal("http://s/q.xml", st:get("Profile_Rule"))
    assert.equal(asked, #world.requests) -- once is enough
  end)
end)
