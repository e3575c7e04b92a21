-- What crosses the seam of a world is recorded (world/recorder.lua).
local form = require "peal.world.tape_form"
local recorder = require "peal.world.recorder"
local tape = require "peal.world.tape"
local virtual = require "peal.world.virtual"

-- Entries of a record as "kind name".
local function entries(record)
  local reader, out = tape.open(record:bytes()), {}
  while reader:peek() do
    local entry = reader:take()
    local named = entry.kind == "call" or entry.kind == "start"
    out[#out + 1] = entry.kind .. (named and " " .. entry[1] or "")
  end
  return out
end

local function over(options)
  options = options or {}
  options.store = options.store or { revision = function() return 1 end }
  local inner = virtual.new(options)
  local world, record = recorder.new(inner)
  return world, record, inner
end

describe("values on a tape", function()
  local VALUES <const> = { 0, -1, math.maxinteger, math.mininteger, 0.5, -0.0,
    1 / 0, "", "a", "\0;:}\xff\n", true, false, {}, { 1, 2, 3 },
    { a = { b = { "c" } }, [5] = "five", [true] = 1, x = 1.0 },
    { "one", nil, "three" } }

  it("come back as they were, numbers of either kind", function()
    for _, value in ipairs(VALUES) do
      local back = form.unpack(form.pack(value))
      assert.are.same(value, back)
      assert.are.equal(math.type(value), math.type(back))
    end
    assert.is_nil(form.unpack(form.pack(nil)))
  end)

  it("have the same bytes in whatever order they were made", function()
    local a, b = {}, {}
    for i = 1, 100 do a["k" .. i] = i end
    for i = 100, 1, -1 do b["k" .. i] = i end
    assert.are.equal(form.pack(a), form.pack(b))
  end)

  it("keep their nils in a list", function()
    local list = table.pack(nil, "no", nil)
    local back = form.unpack(form.pack_list(list))
    assert.are.equal(3, back.n)
    assert.are.same({ nil, "no" }, { back[1], back[2] })
  end)

  it("that are damaged are said to be so, wherever they are", function()
    local whole = form.pack { a = { 1, 2.5, "text" }, b = true }
    for cut = 0, #whole - 1 do
      local value, _, word = form.unpack(whole:sub(1, cut))
      assert.is_nil(value)
      assert.are.equal("corrupt", word)
    end
    for at = 1, #whole do
      for _, byte in ipairs { 0, 0x39, 0x7b, 0xff } do
        form.unpack(whole:sub(1, at - 1) .. string.char(byte)
          .. whole:sub(at + 1))
      end
    end
    assert.is_nil(form.unpack(("{1:"):rep(1000)))
    assert.is_nil(form.unpack("S99999999999999999999:"))
    assert.is_nil(form.unpack("{99999999:"))
  end)

  it("that are a list of no length are damaged, however it is written",
    function()
    local list = form.unpack_list(form.pack_list { n = 2, 1 })
    assert.are.same({ n = 2, 1 }, list)
    assert.are.same({ n = 0, raised = "x" },
      form.unpack_list(form.pack { raised = "x" }))
    for _, n in ipairs { 1000000000, -1, 1.5, "many" } do
      assert.are.equal("corrupt",
        (select(3, form.unpack_list(form.pack { n = n }))))
    end
    assert.are.equal("corrupt",
      (select(3, form.unpack_list(form.pack("text")))))
  end)

  it("that are functions cannot be kept", function()
    assert.has_error(function() form.pack(print) end)
  end)

  it("that hold themselves end with a sentence", function()
    local t = {}
    t[1] = t
    assert.has_error(function() form.pack(t) end)
  end)
end)

describe("the recorder", function()
  it("takes a byte for a clock that stands still", function()
    local world, record = over()
    world.now()
    local before = #record:bytes()
    for _ = 1, 100 do world.now() end
    assert.are.equal(100, #record:bytes() - before)
  end)

  it("gives what the world gives", function()
    local options = { dice = 7, server = function()
      return { status = 200, body = "b", headers = {} }
    end }
    local world = over(options)
    local plain = virtual.new(options)
    assert.are.same(plain.now(), world.now())
    assert.are.equal(plain.random(1, 1000), world.random(1, 1000))
    assert.are.equal(plain.entropy(9), world.entropy(9))
    local request = { url = "http://h/" }
    assert.are.same(world.run(plain.fetch, request),
      plain.run(world.fetch, request))
  end)

  it("writes the start of a transfer, what happens meanwhile, its end",
    function()
    local world, record = over { server = function()
      return { status = 200, body = "", headers = {}, delay = 3 }
    end }
    world.run(function()
      require("peal.task").spawn(function()
        world.wait(1)
        world.log("in between")
      end)
      world.fetch { url = "http://h/" }
    end)
    assert.are.same({ "start wait", "yield", "start fetch", "yield", "finish",
      "call log", "result", "finish" }, entries(record))
  end)

  it("writes pieces that a sink gets within the transfer", function()
    local world, record = over { server = function()
      return { status = 200, body = ("x"):rep(1500), headers = {} }
    end }
    local got = 0
    world.run(function()
      world.fetch { url = "http://h/", sink = function(piece)
        got = got + #piece
        return true
      end }
    end)
    assert.are.equal(1500, got)
    assert.are.same({ "start fetch", "called", "result", "called", "result",
      "finish" }, entries(record))
  end)

  it("writes what the device tells and what it is told", function()
    local told
    local world, record, inner = over { device = {
      lines_active = function() return 2 end,
      subscribe = function(fn) told = fn end } }
    assert.are.equal(2, require("peal.device").lines_active(world.device))
    local heard = {}
    world.device.subscribe(function(kind) heard[#heard + 1] = kind end)
    told("lines", { active = 0 })
    assert.are.same({ "lines" }, heard)
    assert.are.same({ "call device", "result", "call device.lines_active",
      "result", "call device", "result", "call device.subscribe", "result",
      "called", "result" }, entries(record))
    assert.is_function(inner.device.subscribe)
  end)

  it("writes no key, no session and nothing of an identity", function()
    local world, record = over {}
    world.run(function()
      local key = assert(world.new_key("P-256"))
      assert.are.equal("P-256", key:kind())
      assert(world.keyring:install("mic", { ["a.txt"] = "text" },
        { ["key.pem"] = key }))
      local der = assert(world.issue.certificate { key = key,
        subject = { { "CN", "x" } }, serial = world.entropy(16),
        from = 0, to = 4000000000 })
      assert.is_true(key:fits(der))
    end)
    assert.is_nil(record:bytes():find("PRIVATE KEY", 1, true))
    assert.are.same({ "start new_key", "finish", "call #1.kind", "result",
      "call keyring.install", "result", "call entropy", "result",
      "call issue.certificate", "result", "call #1.fits", "result" },
      (function()
        local out = entries(record)
        for i, text in ipairs(out) do out[i] = text:gsub("#%d", "#1") end
        return out
      end)())
  end)

  it("writes what somebody else has put into the store", function()
    local number = 1
    local store = { revision = function() return number end,
      bytes = function() return "the store now", "its key" end }
    local world, record, inner = over { store = store }
    world.run(function()
      number = 2 -- by the phone itself
      world.wait(1)
    end)
    assert.is_nil(record:bytes():find("the store now", 1, true))
    inner.run(function()
      require("peal.task").spawn(function()
        inner.wait(1)
        number = 3 -- by somebody else
      end)
      world.wait(2)
    end)
    assert.is_truthy(record:bytes():find("the store now", 1, true))
    assert.are.same({ "start wait", "yield", "finish", "start wait", "yield",
      "store", "finish" }, entries(record))
  end)

  it("lets errors of the world through, and writes them", function()
    local world, record = over { device = {
      lines_active = function() error("the device is broken", 0) end } }
    assert.has_error(function() world.device.lines_active() end,
      "the device is broken")
    assert.is_truthy(record:bytes():find("the device is broken", 1, true))
  end)
end)
