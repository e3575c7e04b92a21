-- A simulation whose server's script is at fault says so, and stops.
local simulate = require "peal.simulate"
local support = require "support.engine"

local DAY <const> = 86400

local function new(options)
  options.store = support.store {
    Profile_Rule = "http://prov.example.com/a.xml" }
  return assert(simulate.new(options))
end

describe("a server's script that answers nonsense", function()
  local CASES <const> = {
    { true, "answers with a boolean" },
    { { status = "x" }, "status is a whole number from 100 to 599" },
    { { status = -5 }, "status is" }, { { status = 200.5 }, "status is" },
    { 1, "status is" }, { { body = 5 }, "body is a text" },
    { { body = {} }, "body is a text" }, { { file = 5 }, "file is a text" },
    { { delay = "x" }, "delay is seconds" }, { { delay = -5 }, "delay is" },
    { { delay = 1e300 }, "delay is" }, { { delay = 0 / 0 }, "delay is" },
    { { headers = 5 }, "headers is a table" },
    { { headers = { 1, 2 } }, "headers is a table" },
    { { headers = { ["X-A"] = {} } }, "headers is a table" },
    { { headers = { { "X-A" } } }, "headers is a table" },
    { { tls = 5 }, "tls is a table" },
    { { error = 5 }, "error is a word" },
    { { error = "connect", text = {} }, "text is a text" },
    { { error = "connect", delay = "x" }, "delay is" },
    { { statsu = 404 }, "no such field: statsu" },
  }
  for i, case in ipairs(CASES) do
    it(("%d: %s"):format(i, case[2]), function()
      local sim = new { server = function() return case[1] end }
      local ok, sentence = sim:run(DAY)
      assert.is_nil(ok)
      assert.is_truthy(sentence:find(case[2], 1, true), sentence)
      assert.is_truthy(sentence:find("http://prov.example.com/a.xml", 1,
        true), sentence)
    end)
  end

  it("with a failure in its own words", function()
    local sim = new { server = function() return nil, 5, 7 end }
    local ok, sentence = sim:run(DAY)
    assert.is_nil(ok)
    assert.is_truthy(sentence:find("nil, sentence, word", 1, true), sentence)
  end)

  it("with an error that is no text", function()
    local sim = new { server = function() error {} end }
    local ok, sentence = sim:run(DAY)
    assert.is_nil(ok)
    assert.is_truthy(sentence:find("an error that is no text", 1, true))
  end)

  it("by waiting for something", function()
    local sim = new { server = function() coroutine.yield() end }
    local ok, sentence = sim:run(DAY)
    assert.is_nil(ok)
    assert.is_truthy(sentence:find("delay", 1, true), sentence)
  end)
end)
