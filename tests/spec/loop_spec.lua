-- peal.loop, peal.net and peal.sys as scripts see them.
local loop = require("peal.loop")
local net = require("peal.net")
local sys = require("peal.sys")

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

  it("has clocks that go forward", function()
    local a = sys.monotonic()
    assert.is_true(sys.monotonic() >= a)
    assert.is_true(math.abs(sys.time() - os.time()) < 5)
    assert.equal("127.0.0.1", sys.local_address("127.0.0.1"))
  end)
end)
