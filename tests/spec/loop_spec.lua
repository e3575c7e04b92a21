-- peal.loop, peal.net and peal.sys as scripts see them.
local events = require("peal.world.events")
local loop = require("peal.loop")
local net = require("peal.net")
local sys = require("peal.sys")
local task = require("peal.task")

describe("loop", function()
  local l

  before_each(function()
    l = assert(loop.new())
  end)

  it("runs timers in the order of their times", function()
    local seen = {}
    l:timer(0.02, function() seen[#seen + 1] = "late" end)
    l:timer(0, function() seen[#seen + 1] = "soon" end)
    l:run()
    assert.same({ "soon", "late" }, seen)
  end)

  it("waits at least as long as it was told", function()
    local began = l:now()
    l:timer(0.03, function() end)
    l:run()
    assert.is_true(l:now() - began >= 0.029)
  end)

  it("takes a world's wait, of any parameter's length", function()
    local world, woken = {}, {}
    events.add(world, function(seconds, fn) return l:timer(seconds, fn) end)
    for _, seconds in ipairs { 4294967295, 2 * 4294967295, 1e18, math.huge } do
      task.spawn(function()
        woken[#woken + 1] = world.wait(seconds, "event")
      end)
      world.post("event")
    end
    assert.same({ true, true, true, true }, woken)
  end)

  it("forgets a cancelled timer, twice if need be", function()
    local called = false
    local t = l:timer(0, function() called = true end)
    t:cancel()
    t:cancel()
    l:run()
    assert.is_false(called)
    assert.equal("peal.timer (over)", tostring(t))
  end)

  it("raises what a callback raised, with its traceback", function()
    l:timer(0, function() error("boom") end)
    local ok, message = pcall(l.run, l)
    assert.is_false(ok)
    assert.matches("boom", message)
    assert.matches("stack traceback", message)
  end)

  it("keeps error values that are tables", function()
    local value = {}
    l:timer(0, function() error(value) end)
    local ok, got = pcall(l.run, l)
    assert.is_false(ok)
    assert.equal(value, got)
  end)

  it("raises the first error and goes on at the next run", function()
    local later = false
    l:timer(0, function() error("first") end)
    l:timer(0.01, function() later = true end)
    assert.has_error(function() l:run() end)
    assert.is_false(later)
    l:run()
    assert.is_true(later)
  end)

  it("stops when told, and does not nest", function()
    local nested
    l:timer(0, function()
      nested = select(2, pcall(l.run, l))
      l:stop()
    end)
    l:timer(1000, function() end)
    l:run()
    assert.matches("running already", nested)
  end)

  it("calls back though the coroutine that asked is dead", function()
    local called = false
    coroutine.wrap(function()
      l:timer(0, function() called = true end)
    end)()
    collectgarbage()
    l:run()
    assert.is_true(called)
  end)

  it("names the signals that come, until it is cancelled", function()
    local seen = {}
    local h = l:signal({ "USR1", "USR2" }, function(name)
      seen[#seen + 1] = name
      l:stop()
    end)
    local guard = l:timer(60, function() end)
    assert.equal("peal.signal (waiting)", tostring(h))
    for _, name in ipairs { "USR2", "USR1", "USR1" } do
      os.execute(("kill -%s %d"):format(name, sys.pid()))
      l:run()
    end
    assert.same({ "USR2", "USR1", "USR1" }, seen)
    h:cancel()
    h:cancel()
    guard:cancel()
    l:run()
    assert.equal("peal.signal (over)", tostring(h))
  end)

  it("may cancel a signal within its call, and raises its errors", function()
    local h
    h = l:signal({ "HUP" }, function(name)
      h:cancel()
      collectgarbage()
      error("got " .. name)
    end)
    local guard = l:timer(60, function() end)
    os.execute("kill -HUP " .. sys.pid())
    local ok, message = pcall(l.run, l)
    assert.is_false(ok)
    assert.matches("got HUP", message)
    guard:cancel()
  end)

  it("does not run for signals and the clock alone", function()
    local called = false
    local function fn() called = true end
    l:signal({ "TERM", "INT" }, fn)
    local w = l:clock_watch(fn)
    assert.equal("peal.clock (watching)", tostring(w))
    l:run()
    w:cancel()
    l:run()
    assert.equal("peal.clock (over)", tostring(w))
    assert.is_false(called)
  end)

  it("refuses what is no signal", function()
    assert.has_error(function() l:signal({ "KILL" }, print) end)
    assert.has_error(function() l:signal({ 15 }, print) end)
    assert.has_error(function() l:signal({}, print) end)
    assert.has_error(function() l:signal("TERM", print) end)
    assert.has_error(function() l:signal({ "TERM" }) end)
    assert.has_error(function() l:clock_watch() end)
  end)

  it("refuses what is no time and no function", function()
    assert.has_error(function() l:timer(-1, print) end)
    assert.has_error(function() l:timer(0 / 0, print) end)
    assert.has_error(function() l:timer(math.huge, print) end)
    assert.has_error(function() l:timer(1, "print") end)
  end)
end)

describe("resolver", function()
  local l, r

  before_each(function()
    l = assert(loop.new())
    r = assert(net.resolver(l, { servers = "127.0.0.1:1", timeout = 0.1,
                                 tries = 1 }))
  end)

  local function ask(name, kind)
    local got
    r:resolve(name, kind, false, function(...) got = { ... } end)
    assert.is_nil(got)
    l:run()
    return table.unpack(got, 1, 3)
  end

  it("answers literals and localhost without a question", function()
    assert.same({ { address = "192.168.1.200", ttl = 0 } },
                ask("192.168.1.200", "A"))
    assert.same({ { address = "127.0.0.1", ttl = 0 },
                  { address = "::1", ttl = 0 } }, ask("localhost", "ADDR"))
  end)

  it("names the failure", function()
    local list, sentence, word = ask("pv.example", "A")
    assert.is_nil(list)
    assert.matches("pv%.example", sentence)
    assert.equal("dns", word)
  end)

  it("says that it was cancelled", function()
    local word
    local h = r:resolve("pv.example", "A", false,
                        function(_, _, w) word = w end)
    h:cancel()
    l:run()
    assert.equal("canceled", word)
  end)

  it("refuses what is no name", function()
    assert.same({ nil, "not a valid value", "invalid" },
                { r:resolve("a b", "A", false, print) })
    assert.has_error(function() r:resolve("a", "MX", false, print) end)
    assert.has_error(function() net.resolver(l, { sever = "x" }) end)
  end)

  it("sends datagrams to addresses only", function()
    assert.is_true(net.send("127.0.0.1", 9, "x"))
    assert.is_nil((net.send("pv.example", 9, "x")))
  end)
end)

describe("sys", function()
  it("draws from the whole interval and nothing else", function()
    local seen = {}
    for _ = 1, 500 do
      local n = sys.random_int(-1, 2)
      assert.is_true(n >= -1 and n <= 2)
      seen[n] = true
    end
    assert.is_true(seen[-1] and seen[0] and seen[1] and seen[2])
    assert.equal(7, sys.random_int(7, 7))
    assert.has_error(function() sys.random_int(2, 1) end)
    assert.equal(0, #sys.random(0))
    assert.not_equal(sys.random(16), sys.random(16))
  end)

  it("lists folders and tells what a file is", function()
    local process = require "support.process"
    local dir = process.temp_dir()
    io.open(dir .. "/b", "w"):close()
    io.open(dir .. "/a", "w"):close()
    assert.same({ "a", "b" }, sys.list(dir))
    assert.equal("directory", sys.stat(dir).type)
    io.open(dir .. "/f", "w"):write("12345"):close()
    assert.equal(5, sys.stat(dir .. "/f").size)
    assert.equal("file", sys.stat(dir .. "/f").type)
    assert.is_nil(sys.stat(dir .. "/none"))
    local _, _, word = sys.list(dir .. "/none")
    assert.equal("not-found", word)
    process.remove(dir)
  end)

  it("renames and removes, and says why not", function()
    local process = require "support.process"
    local dir = process.temp_dir()
    io.open(dir .. "/a", "w"):write("new"):close()
    io.open(dir .. "/b", "w"):write("old"):close()
    assert.is_true(sys.rename(dir .. "/a", dir .. "/b"))
    assert.is_nil(sys.stat(dir .. "/a"))
    assert.equal(3, sys.stat(dir .. "/b").size)
    assert.is_true(sys.remove(dir .. "/b"))
    for _, result in ipairs { { sys.remove(dir .. "/b") },
      { sys.rename(dir .. "/b", dir .. "/c") } } do
      assert.is_nil(result[1])
      assert.matches(dir .. "/b: No such file", result[2], 1, true)
      assert.equal("not-found", result[3])
    end
    assert.has_error(function() sys.remove("a\0b") end)
    process.remove(dir)
  end)

  it("trims its memory and goes on", function()
    sys.trim()
    assert.is_true(sys.pid() > 1)
  end)

  it("tells nobody when nobody asked", function()
    assert.is_false(sys.notify("READY=1"))
    assert.is_nil(sys.watchdog())
  end)

  -- What a process says that was started with these variables.
  local function ask(env, expression)
    local process = require "support.process"
    local dir = process.temp_dir()
    local file = assert(io.open(dir .. "/script.lua", "w"))
    file:write('local sys = require "peal.sys"\nprint(', expression, ")")
    file:close()
    local lua = (os.getenv("PEAL_BUILD") or "build") .. "/tests/peal-lua"
    local p = assert(process.spawn({ lua, dir .. "/script.lua" },
      { env = env, stdout = dir .. "/out" }))
    assert.equal("exited", (p:wait(20)))
    local out = assert(io.open(dir .. "/out"))
    local text = out:read("a"):gsub("\n$", "")
    out:close()
    process.remove(dir)
    return text
  end

  it("knows how long the service manager waits", function()
    for _, row in ipairs {
      { "30000000", nil, "30.0" }, { "500000", nil, "0.5" },
      { "30000000", "1", "nil" }, { "0", nil, "nil" }, { "-1", nil, "nil" },
      { "soon", nil, "nil" }, { "", nil, "nil" },
    } do
      assert.equal(row[3], ask({ WATCHDOG_USEC = row[1],
        WATCHDOG_PID = row[2] }, "sys.watchdog()"))
    end
  end)

  it("says when the service manager's socket is no use", function()
    assert.matches("^nil\tNOTIFY_SOCKET is no address.*\tinvalid",
      ask({ NOTIFY_SOCKET = "relative" }, "sys.notify('READY=1')"))
    assert.matches("^nil\t/none/notify: No such file.*\tnot%-found",
      ask({ NOTIFY_SOCKET = "/none/notify" }, "sys.notify('READY=1')"))
    assert.equal("false",
      ask({ NOTIFY_SOCKET = "" }, "sys.notify('READY=1')"))
  end)

  it("tells the service manager", function()
    local process = require "support.process"
    local found = io.popen("command -v python3 2>&1")
    local python = found:read("l")
    found:close()
    if not python then pending("python3 is missing") return end
    local dir = process.temp_dir()
    for _, address in ipairs { dir .. "/notify",
      "@peal-test-" .. dir:match("[^-]*$") } do
      local manager = assert(process.spawn({ python, "-c", [[
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
a = sys.argv[1]
s.bind("\0" + a[1:] if a[0] == "@" else a)
print("bound", flush=True)
print(s.recv(100).decode(), flush=True)]], address },
        { stdout = dir .. "/out" }))
      assert(process.grown(dir .. "/out", 0, 20, manager))
      assert.equal("true", ask({ NOTIFY_SOCKET = address },
        "sys.notify('READY=1\\nSTATUS=idle')"))
      assert.equal("exited", (manager:wait(20)))
      local out = assert(io.open(dir .. "/out"))
      assert.equal("bound\nREADY=1\nSTATUS=idle\n", out:read("a"))
      out:close()
      os.remove(dir .. "/out")
    end
    process.remove(dir)
  end)

  it("has clocks that go forward", function()
    local a = sys.monotonic()
    assert.is_true(sys.monotonic() >= a)
    assert.is_true(math.abs(sys.time() - os.time()) < 5)
    assert.equal("127.0.0.1", sys.local_address("127.0.0.1"))
  end)
end)
