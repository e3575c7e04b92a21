local json = require "peal.json"
local pretty = require "peal.repl.pretty"

describe("a value in a session is printed", function()
  local function shows(value, want, o)
    assert.equal(want, pretty.text(value, o))
  end

  it("as Lua would write it", function()
    shows(1, "1")
    shows(1.5, "1.5")
    shows(nil, "nil")
    shows("two \"words\"\n", [["two \"words\"\n"]])
    shows({}, "{}")
    shows({ 1, "a", x = true }, '{ 1, "a", x = true }')
    shows({ ["a b"] = 1, ["end"] = 2 }, '{ ["a b"] = 1, ["end"] = 2 }')
    shows({ [3] = 1 }, "{ [3] = 1 }")
  end)

  it("with control characters and broken UTF-8 by number", function()
    shows("\27[31mred\0", [["\x1b[31mred\x00"]])
    shows("ä\xff", [["\xc3\xa4\xff"]])
    shows("ä", '"ä"')
    shows("\u{9b}31m", [["\u{9b}31m"]])
  end)

  it("in one order, whatever kinds of keys there are", function()
    local t = { 1, 2, [2.5] = 1, b = 1, a = 1, [true] = 1, [{}] = 1 }
    for _ = 1, 20 do
      shows(t, "{ 1, 2, [2.5] = 1, a = 1, b = 1, [true] = 1, [table] = 1 }")
    end
  end)

  it("to an end, where it holds itself", function()
    local t = { name = "t" }
    t.self, t.list = t, { t }
    shows(t, '{ list = { <cycle> }, name = "t", self = <cycle> }')
  end)

  it("as deep and as far as one can read", function()
    local deep = {}
    for _ = 1, 100 do deep = { deep } end
    assert.matches("{...}", pretty.text(deep), 1, true)
    local long = {}
    for i = 1, 10000 do long[i] = i end
    assert.matches("... and more", pretty.text(long), 1, true)
    assert.is_true(#pretty.text(("x"):rep(1e6)) < 30000)
  end)

  it("as a list in JSON, where it is one without records", function()
    local list = setmetatable({}, { __columns = { "name" } })
    assert.equal("[]", json.encode(pretty.plain(list)))
    assert.equal("{}", json.encode(pretty.plain {}))
  end)

  it("to an end, where many tables hold the same ones", function()
    local t = { 1 }
    for _ = 1, 6 do
      local wide = {}
      for i = 1, 200 do wide[i] = t end
      t = wide
    end
    local text = pretty.text(t)
    assert.is_true(#text < 200000, #text)
    assert.matches("... and more", text, 1, true)
  end)

  it("without the first half of a secret where it is cut", function()
    local guard = require("peal.repl.guard").new({
      fingerprint = function() return "#f00" end })
    guard:add("hunter2-or-so")
    for _, value in ipairs { ("x"):rep(19995) .. "hunter2-or-so",
      setmetatable({}, { __tostring = function()
        return ("x"):rep(19995) .. "hunter2-or-so"
      end }) } do
      assert.is_nil(pretty.text(value, { guard = guard }):find("hunt", 1, true))
    end
  end)

  it("on lines of the terminal's width", function()
    shows({ alpha = "one", beta = "two" }, '{\n  alpha = "one",\n'
      .. '  beta = "two"\n}', { width = 20 })
    for width = 30, 120, 10 do
      local t = { list = { 1, 2, 3 }, text = ("w"):rep(10), more = { a = 1 } }
      for line in pretty.text(t, { width = width }):gmatch("[^\n]+") do
        assert.is_true(#line <= width, line)
      end
    end
  end)

  it("as columns, where it is a list of records", function()
    shows({ { name = "A", value = "1" }, { name = "BB", more = true } },
      "NAME  MORE  VALUE\nA           1\nBB    true")
    shows({ { name = "A" } }, '{ { name = "A" } }', { format = "lua" })
    shows({ { name = "A", list = {} } }, '{ { list = {}, name = "A" } }')
  end)

  it("as columns with short lists in their cells", function()
    assert.equal("BY        N\ncli, web  1\nrepl      2", pretty.text {
      { by = { "cli", "web" }, n = 1 }, { by = { "repl" }, n = 2 } })
    assert.equal("BY  N\n    1", pretty.text { { by = json.array {}, n = 1 } })
    assert.equal('{ { by = { { "cli" } } } }', pretty.text {
      { by = { { "cli" } } } })
  end)

  it("as columns with times to read, and names that are whole", function()
    local long = "Resync_Error_Retry_Delay"
    assert.equal("TIME                  NAME                      WHY\n"
      .. "2026-11-22T22:00:00Z  " .. long .. "  " .. ("w"):rep(31) .. "…",
      pretty.text({ { name = long, time = 1795384800, why = ("w"):rep(40) } }))
    assert.matches(long, pretty.text({ { name = long, a = ("a"):rep(20),
      b = ("b"):rep(20), c = ("c"):rep(20) } }), 1, true)
    assert.matches("time = 1795384800", pretty.text({ time = 1795384800 }))
  end)

  it("by its own __tostring, and by its own __pairs", function()
    shows(setmetatable({}, { __tostring = function() return 'it "is"' end }),
      'it "is"')
    shows(setmetatable({}, { __pairs = function()
      return next, { seen = 1 }
    end }), "{ seen = 1 }")
  end)

  it("to an end, where its __pairs has none", function()
    local t = setmetatable({}, { __pairs = function()
      local i = 0
      return function()
        i = i + 1
        return i, i
      end
    end })
    assert.matches("and more", pretty.text(t))
    assert.is_table(pretty.plain(t))
  end)

  it("with the name and place of a function", function()
    local function f() end
    assert.matches("^function %(.*pretty_spec%.lua:%d+%)$", pretty.text(f))
    shows(print, "function print (built in)", { names = { [print] = "print" } })
  end)

  it("by what a handle says of itself", function()
    assert.matches("^file %(", pretty.text(io.stdout))
  end)

  describe("as JSON", function()
    local function encoded(value)
      return json.encode(pretty.plain(value))
    end

    it("with functions and handles as texts, and cycles cut", function()
      local t = { f = print, 1 }
      t.t = t
      assert.equal('{"1":1,"f":"function (built in)","t":"<cycle>"}',
        encoded(t))
    end)

    it("with lists as arrays", function()
      assert.equal('[1,[2],{"a":1}]', encoded { 1, { 2 }, { a = 1 } })
    end)
  end)
end)
