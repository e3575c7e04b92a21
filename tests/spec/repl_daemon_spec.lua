-- What a session of peal repl asks of the daemon it is attached to.
local fixture = require "support.fixture"
local json = require "peal.json"
local methods = require "peal.daemon.methods"
local phone_of = require "peal.phone"
local registry = require "peal.registry"
local store = require "peal.store"
local virtual = require "peal.world.virtual"

describe("a daemon asked by a session", function()
  local schema, st, member, changed

  setup(function() schema = registry.load {} end)
  before_each(function()
    st = assert(store.open { schema = schema })
    local world = virtual.new { store = st, forget = true }
    local p = phone_of.new { world = world, identity = fixture.identity }
    member = { store = st, schema = schema, phone = p, now = world.now,
      next_event = function() end, write = function() end, engine = {
        changed = function(_, names) changed = names end,
        status = function() return { state = "IDLE" } end } }
  end)

  local function call(name, params)
    return methods.of(member)[name](params or {}, {})
  end

  describe("for a snapshot", function()
    it("tells what the phone has learned, and who it is", function()
      member.phone.booted, member.phone.last_resync = 5, 12.5
      member.phone.keep:set("engine", "cycle", 7)
      member.phone.keep:set("engine", "pending", nil)
      local got = json.decode(json.encode(assert(call "snapshot")))
      assert.equal(12.5, got.memory.last_resync)
      assert.same({ engine = { cycle = "7" } }, got.memory.keep)
      assert.equal("000e08abcdef", got.identity.MAC)
      assert.equal("Installed", got.identity.CCERT)
      assert.same({ 0, "IDLE" }, { got.revision, got.engine.state })
      local twin = phone_of.new { world = virtual.new { store = st },
        identity = got.identity, memory = got.memory }
      assert.equal(7, twin.keep:number("engine", "cycle"))
    end)

    it("keeps sessions and the master password back", function()
      member.phone.identity.MPWD = "s3cret-master"
      member.phone.keep:set("tls", "sessions", "s3cret-bytes")
      assert.is_nil(json.encode(call "snapshot"):find("s3cret", 1, true))
    end)
  end)

  describe("to write", function()
    it("notes who writes", function()
      assert(call("set", { values = { GPP_A = "new" }, author = "repl" }))
      assert.same({ "GPP_A" }, changed)
      assert.equal("repl", st:value("GPP_A").author)
      assert(call("set", { values = { GPP_B = "new" } }))
      assert.equal("cli", st:value("GPP_B").author)
    end)

    it("puts back to the default, where it is told null", function()
      assert(call("set", { values = { Resync_Periodic = "60" } }))
      local params = json.decode '{"values":{"Resync_Periodic":null}}'
      assert.same({ 1, 2 }, { call("set", params).changed, st:revision() })
      assert.is_true(st:value("Resync_Periodic").is_default)
    end)

    it("writes nothing where the store is not as it was seen", function()
      assert(call("set", { values = { GPP_A = "theirs" }, revision = 0 }))
      local _, sentence, word = call("set", { values = { GPP_A = "mine" },
        revision = 0 })
      assert.same({ "the store is at revision 1 by now, not at 0", "changed" },
        { sentence, word })
      assert.equal("theirs", st:get("GPP_A"))
      _, sentence = call("set", { values = {}, revision = "x" })
      assert.equal("revision is no number of a revision", sentence)
    end)

    it("takes no author of a client's own", function()
      local _, sentence, word = call("set", { values = {}, author = "phone" })
      assert.same({ "author is cli, repl or web", "invalid" },
        { sentence, word })
    end)
  end)
end)

describe("a cycle somebody looks at", function()
  it("tells each step, and what is about to be written", function()
    local st = assert(store.open { schema = registry.load {} })
    local txn = st:begin()
    assert(txn:set("Profile_Rule", "http://192.0.2.1/a.xml"))
    assert(txn:commit("test", 0))
    local world = virtual.new { store = st, server = function()
      return { status = 200, headers = {},
        body = "<flat-profile><GPP_A>new</GPP_A></flat-profile>" }
    end }
    local p = phone_of.new { world = world, identity = fixture.identity }
    local steps, staged = {}, nil
    function p.on_step(run, step)
      assert.equal(p, run.phone)
      steps[#steps + 1] = step.step
      world.wait(1) -- it may hold the task up
    end
    function p.on_staged(_, rule, changes)
      local change = changes[1]
      staged = { rule, change.name, change.old, change.new, change.line }
      assert.equal("", st:get("GPP_A"))
    end
    world.run(require("peal.cycle").run, p, { asked_by = "cli",
      explicit = true })
    assert.same({ "Profile_Rule", "GPP_A", "", "new", 1 }, staged)
    assert.equal("trigger", steps[1])
    assert.equal("new", st:get("GPP_A"))
  end)
end)
