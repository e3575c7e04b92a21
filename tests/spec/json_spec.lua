local json = require "peal.json"

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
