-- A daemon with engines that the specs write themselves.
local control_log = require "peal.world.control_log"
local daemon = require "peal.daemon"
local events = require "peal.world.events"
local process = require "support.process"
local program = require "support.program"
local protocol = require "peal.control_protocol"
local registry = require "peal.registry"
local store = require "peal.store"
local sys = require "peal.sys"
local task = require "peal.task"

describe("a daemon", function()
  local loop, host, said, dirs, schema

  setup(function() schema = registry.load {} end)
  before_each(function()
    loop, said, dirs = require("peal.loop").new(), {}, {}
  end)
  after_each(function()
    for _, dir in ipairs(dirs) do process.remove(dir) end
  end)

  -- What session.open() makes, without a network.
  local function opened(member, mac)
    local dir = process.temp_dir()
    dirs[#dirs + 1] = dir
    local st = assert(store.open { schema = schema, path = dir })
    local world = { store = st, device = {}, log = member.log_line,
      tell = member.tell_event }
    function world.now()
      return { time = sys.time(), mono = sys.monotonic(), zone = "UTC0" }
    end
    events.add(world, function(s, fn) return loop:timer(s, fn) end)
    return { store = st, store_path = dir, schema = schema, world = world,
      phone = { world = world, identity = { MAC = mac } } }
  end

  local function new(engine)
    host = daemon.new { loop = loop, engine = engine,
      say = function(text) said[#said + 1] = text end }
    return host
  end

  local function add(mac)
    local member = host:member()
    member:adopt(opened(member, mac))
    return host:add(member), member
  end

  -- An engine that waits for "go" and then does `work(self)` in its task.
  local function engine_that(work)
    local engine = {}
    engine.__index = engine
    function engine.new(phone)
      return setmetatable({ phone = phone, state = "IDLE" }, engine)
    end
    function engine:start()
      task.spawn(function()
        self.phone.world.wait(nil, "go")
        task.spawn(work, self)
      end)
    end
    function engine:stop() self.stopped = true end
    function engine:status()
      return { state = self.state, next = {}, phone = {} }
    end
    function engine:reload() self.reloaded = true end
    function engine:clock_changed() self.clock = true end
    return engine
  end

  -- Calls in a task, then ends the daemon.
  local function run(fn)
    task.guarded(function(text)
      said.failed = text
      host.why = "failed"
      loop:stop()
    end, function()
      fn()
      host.why = "test"
      loop:stop()
    end)
    local code = host:run()
    assert.is_nil(said.failed)
    return code
  end

  it("stops the phone whose engine fails, and no other", function()
    new(engine_that(function(self)
      if self.phone.identity.MAC == "01" then error("a fault in it") end
      self.state = "RUN"
    end))
    local _, first = add("01")
    local _, second = add("02")
    assert(host:start())
    assert.are.same({ "ready, 2 phones, nothing is due" }, said)
    assert.are.equal(0, run(function()
      first.open.world.post("go")
      second.open.world.post("go")
      local a = assert(protocol.connect(loop, first.path .. "/control"))
      local b = assert(protocol.connect(loop, second.path .. "/control"))
      local status = a:call("status")
      assert.are.equal("FAILED", status.state)
      assert.is_truthy(status.problem:find("a fault in it", 1, true))
      assert.are.equal("RUN", b:call("status").state)
      local _, sentence, word = a:call("resync")
      assert.are.equal("bad-state", word)
      assert.is_truthy(sentence:find("engine has stopped", 1, true))
      assert.is_true(a:call("ping").pid > 0)
      a:close()
      b:close()
    end))
    assert.is_true(first.engine.stopped)
    assert.is_truthy(said[2]:find("^01: internal error: .*stack traceback"))
    local text = program.slurp(dirs[1] .. "/messages")
    assert.is_truthy(text:find("internal error: [^\n]*a fault in it"))
    assert.is_nil(program.slurp(dirs[2] .. "/messages"):find("fault"))
  end)

  it("tells who records that the engine has failed meanwhile", function()
    new(engine_that(function() error("a fault in it") end))
    local _, member = add("01")
    assert(host:start())
    local got
    assert.are.equal(0, run(function()
      local client = assert(protocol.connect(loop, member.path .. "/control"))
      task.spawn(function()
        got = table.pack(client:call("record", { key = ("00"):rep(32) }))
        member.open.world.post("told")
      end)
      assert.is_true(client:call("ping").pid > 0) -- the other one waits
      member.open.world.post("go")
      if not got then member.open.world.wait(10, "told") end
      client:close()
    end))
    assert.is_nil(got[1])
    assert.is_truthy(got[2]:find("a fault in it", 1, true))
    assert.are.equal("bad-state", got[3])
    assert.is_nil(member.recording)
  end)

  it("tells who records a resync of now that it was refused", function()
    local engine = engine_that(function() end)
    local jobs = {}
    function engine:resync(about) -- luacheck: ignore self
      jobs[#jobs + 1] = about
      return true
    end
    new(engine)
    local _, member = add("01")
    assert(host:start())
    local got
    assert.are.equal(0, run(function()
      local client = assert(protocol.connect(loop, member.path .. "/control"))
      task.spawn(function()
        got = table.pack(client:call("record", { key = ("00"):rep(32),
          now = true }))
        member.open.world.post("told")
      end)
      assert.is_true(client:call("ping").pid > 0)
      local phone = {}
      -- a resync that is due before it is another one
      assert.are.equal(phone, member.recording:phone_for(phone, {}))
      jobs[1].done { outcome = "refused", reason = "the phone restarts" }
      if not got then member.open.world.wait(10, "told") end
      client:close()
    end))
    assert.is_nil(got[1])
    assert.is_truthy(got[2]:find("the phone restarts", 1, true))
    assert.are.equal("refused", got[3])
  end)

  it("outlives an error that is no phone's", function()
    new(engine_that(function() end))
    local _, one = add("01")
    assert(host:start())
    assert.are.equal(0, run(function()
      loop:timer(0, function() error("nobody's fault") end)
      one.open.world.wait(0.01)
      assert.is_truthy(said[2]:find("nobody's fault", 1, true))
    end))
  end)

  it("takes no phone twice", function()
    new(engine_that(function() end))
    assert.is_true((add("00:0e:08:AB:cd:ef")))
    local member = host:member()
    member:adopt(opened(member, "000e08abcdef"))
    local ok, sentence = host:add(member)
    assert.is_nil(ok)
    assert.is_truthy(sentence:find("two phones have the MAC address", 1,
      true))
    member.store:close()
    host:stop()
  end)

  it("hands the clock and reloads on to every phone", function()
    new(engine_that(function() end))
    local _, first = add("01")
    local _, second = add("02")
    assert(host:start())
    run(function()
      for _, one in ipairs(host.members) do
        one:clock_changed()
        one:reload("a test")
      end
    end)
    for _, one in ipairs { first, second } do
      assert.is_true(one.engine.clock and one.engine.reloaded)
    end
  end)

  it("works on where its log cannot be written", function()
    new(engine_that(function(self) self.state = "RUN" end))
    local _, one = add("01")
    assert(host:start())
    one.log = control_log.new("/none/such")
    run(function()
      one.open.world.post("go")
      local client = assert(protocol.connect(loop, one.path .. "/control"))
      assert.are.equal("RUN", client:call("status").state)
      client:close()
    end)
  end)
end)
