local json = require "peal.json"
local plain_json = require "support.plain_json"

describe("json", function()
  it("writes sorted keys, so that equal data are equal texts", function()
    assert.are.equal('{"a":1,"b":[1,2],"c":true}',
      json.encode { c = true, b = { 1, 2 }, a = 1 })
  end)

  it("tells an empty array from an empty object", function()
    assert.are.equal('{"a":[],"o":{}}',
      json.encode { a = json.array {}, o = {} })
  end)

  it("escapes quotes, control characters and bytes that are no UTF-8",
    function()
      assert.are.equal('"a\\"b\\\\\\n\\u0001\\u007fé\u{FFFD}!"',
        json.encode("a\"b\\\n\1\127é\xff!"))
    end)

  it("writes whole numbers without a point, and no infinity", function()
    assert.are.equal("[3,2.5,null,null]",
      json.encode { 3.0, 2.5, math.huge, 0 / 0 })
  end)

  it("refuses a cycle instead of running for ever", function()
    local t = {}
    t.t = t
    assert.has_error(function() json.encode(t) end)
  end)

  it("reads back what it writes", function()
    local data = { a = { 1, 2.5, "x\n\"y\"" }, b = { c = false },
      u = "\u{1F600}" }
    assert.are.same(data, json.decode(json.encode(data)))
    assert.are.same(data, json.decode(json.encode(data, true)))
  end)

  it("reads escapes and surrogate pairs", function()
    assert.are.equal("\u{1F600}\tA", json.decode('"\\ud83d\\ude00\\t\\u0041"'))
  end)

  for _, text in ipairs { "", "[1,2", "[1,2]x", '{"a"}', "{a:1}", "01",
      '"\\q"', '"\\u12"', "'x'", "[1,]", "nul", "-", '"a\nb"',
      ("["):rep(100) } do
    it(("refuses %q"):format(text:sub(1, 20)), function()
      local value, sentence, word = json.decode(text)
      assert.is_nil(value)
      assert.is_string(sentence)
      assert.are.equal("invalid", word)
    end)
  end
end)

-- Data of every kind that there is, and a few that there should not be.
local TEXTS <const> = { "", "a", "name", "Line_Enable_1_", "1", "-2", "2.5",
  "\0", "\1\31", "\127", '"', "\\", "/", "\n\r\t\b\f", "é", "\u{FFFD}",
  "\u{FFFF}", "\u{10FFFF}", "\xF4\x90\x80\x80", "\xED\xA0\x80", "\xC0\xAF",
  "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF", "\xE2\x82", "\x80", "a\xE2\x82b",
  "\xFE\xFF", "\xF8\x88\x80\x80\x80", ("long "):rep(20) }
local NUMBERS <const> = { 0, 1, -1, math.maxinteger, math.mininteger, 0.0,
  -0.0, 3.0, 2.5, -0.1, 0.1 + 0.2, 1e14, 999999999999999.0, 1e15, -1e15, 1e16,
  1e300, 5e-324, 2.0 ^ 53, 2.0 ^ 63, 1 / 3, math.huge, -math.huge, 0 / 0 }

local function random_bytes(max)
  local bytes = {}
  for i = 1, math.random(0, max) do bytes[i] = math.random(0, 255) end
  return string.char(table.unpack(bytes))
end

local function one_of(list)
  return list[math.random(#list)]
end

local function random_text()
  return math.random(3) == 1 and random_bytes(12) or one_of(TEXTS)
end

local function random_number()
  return math.random(3) == 1 and (math.random() - 0.5) * 10 ^ math.random(30)
    or one_of(NUMBERS)
end

local random_value

local function random_key()
  local kind = math.random(12)
  if kind == 1 then return math.random(-3, 60) end
  if kind == 2 then return math.random() end
  if kind == 3 then return true end
  return random_text()
end

local function random_table(depth)
  local t = {}
  if math.random(2) == 1 then
    for i = 1, math.random(0, 6) do t[i] = random_value(depth + 1) end
    return math.random(2) == 1 and json.array(t) or t
  end
  for _ = 1, math.random(10) == 1 and 60 or math.random(0, 8) do
    t[random_key()] = random_value(depth + 1)
  end
  return t
end

local MAKERS <const> = { random_text, random_text, random_number,
  function() return math.random(2) == 1 end,
  function() return json.null end }

function random_value(depth)
  if depth < 5 and math.random(2) == 1 then return random_table(depth) end
  return one_of(MAKERS)()
end

-- Whether it went well, and the text or the error.
local function both(value, indent)
  return { pcall(plain_json.encode, value, indent) },
    { pcall(json.encode, value, indent) }
end

describe("json, as it is written", function()
  local function agrees(value, indent)
    local want, got = both(value, indent)
    assert.are.equal(want[2], got[2])
    assert.are.equal(want[1], got[1])
  end

  it("is what plain Lua would write, byte for byte", function()
    math.randomseed(20261122)
    for _ = 1, 1500 do
      local value = random_table(1)
      agrees(value)
      agrees(value, true)
    end
  end)

  it("is that for every text and number", function()
    for _, text in ipairs(TEXTS) do agrees(text) end
    for _, number in ipairs(NUMBERS) do agrees(number) end
    for byte = 0, 255 do
      agrees(string.char(byte))
      agrees("a" .. string.char(byte) .. "\x80\x80\x80b")
      agrees("\xF0" .. string.char(byte) .. "\x80\x80")
      agrees("\xE0" .. string.char(byte) .. "\x80")
      agrees("\xED" .. string.char(byte) .. "\x80")
    end
    agrees(nil)
    agrees { 1, nil, 3 }
    agrees { [1] = 1, x = 2 }
    agrees { ["2"] = "text", [2] = "number" }
    agrees { [{}] = nil, [true] = 1, [2.0] = 2 }
  end)

  it("asks the metatables that tables have", function()
    local names = { "b", "a", 7 }
    local view = setmetatable({}, {
      __index = function(_, name) return "of " .. tostring(name) end,
      __pairs = function()
        local i = 0
        return function()
          i = i + 1
          return names[i], true
        end
      end })
    agrees { view = view } -- it has a [1]
    agrees(setmetatable({ 1, 2, 3 }, { __len = function() return 2 end }))
    agrees(setmetatable({}, { __pairs = function() return next, { x = 1 } end,
      __index = { x = "y" } }))
    local named = setmetatable({}, { __tostring = function() return "k" end })
    agrees { [named] = 1 }
  end)

  it("is refused for what is no data", function()
    for _, value in ipairs { print, coroutine.create(print), io.stdout } do
      agrees(value)
      agrees { a = { value } }
      local ok, sentence = pcall(json.encode, { value })
      assert.is_false(ok)
      assert.are.equal("no JSON for a " .. type(value), sentence)
    end
  end)

  it("goes as deep as it is read, and no deeper", function()
    local function nested(depth, list)
      local t = list and {} or { x = {} }
      for _ = 2, depth do t = list and { t } or { x = t } end
      return t
    end
    assert.is_table(json.decode(json.encode(nested(64, true))))
    for depth = 62, 66 do
      agrees(nested(depth, true))
      agrees(nested(depth))
      agrees(nested(depth), true)
    end
    local _, sentence = pcall(json.encode, nested(65, true))
    assert.are.equal("JSON deeper than 64 levels (a cycle?)", sentence)
  end)

  it("ends where few tables would make a text without end", function()
    local t = { ("x"):rep(100) }
    for _ = 1, 60 do t = { t, t } end
    local ok, sentence = pcall(json.encode, t)
    assert.is_false(ok)
    assert.are.equal("JSON longer than 134217728 bytes", sentence)
  end)

  it("has as many names as a phone has parameters, in order", function()
    local t = {}
    for i = 1, 20000 do t["Name_" .. i] = i end
    agrees(t)
  end)

  it("passes on the error of a table's own function", function()
    local broken = setmetatable({}, { __index = function()
      error("no such thing", 0)
    end })
    agrees { broken }
    local _, sentence = pcall(json.encode, { broken })
    assert.are.equal("no such thing", sentence)
  end)
end)
