-- What rule files are shown and may answer, stage by stage.
local program = require "support.program"
local shape = require "peal.shape"
local stages = require "peal.stages"
local support = require "support.rules"

describe("each stage", function()
  for _, name in ipairs(stages.names) do
    it("says what it decides, sees and answers: " .. name, function()
      local stage = stages[name]
      for _, key in ipairs { "purpose", "answer" } do
        assert.is_string(stage[key])
      end
      assert.is_function(stage.check)
      for field, words in pairs(stage.fields or {}) do
        assert.is_string(field)
        assert.is_string(words)
      end
    end)

    it("has a default that is an answer: " .. name, function()
      local events = { {}, { event = "boot" }, { event = "failure" },
        { event = "change", last = "success" }, { values = { "id" } },
        { values = { "Disabled" } } }
      for _, fields in ipairs(events) do
        for _, value in ipairs { "Yes", "No" } do
          local answer = stages[name].default(fields,
            function() return value end)
          assert.is_table(answer)
          if name == "trigger" then
            assert.are.equal(value == "Yes", answer.pass)
          elseif name == "profile" then
            assert.are.equal("error", answer.action)
          else
            local again, why = stages[name].check(answer)
            assert.are.same(answer, again, why)
          end
        end
      end
    end)
  end

  it("is described in docs/rules.md", function()
    local fill = assert(loadfile(program.root .. "/docs/generate-rules.lua"))()
    local page = program.slurp(program.root .. "/docs/rules.md")
    assert.are.equal(fill(page), page,
      "run: lua5.4 docs/generate-rules.lua")
  end)

  it("has its factory's file in the order of a cycle", function()
    local texts = require "peal.factory"
    for name in pairs(texts) do
      assert.is_table(stages[name:gsub("%.lua$", "")], name)
    end
  end)
end)

describe("every view", function()
  it("has the fields that the documents name", function()
    local view = require "peal.view"
    local p = support.phone {}
    local seen = view.of(p.phone, { asked_by = "cli", explicit = true })
    for name in pairs(stages.common) do
      if name ~= "param" then assert.is_not_nil(seen[name], name) end
    end
    for name in pairs(seen) do
      assert.is_not_nil(stages.common[name], name)
    end
  end)

  it("tells the time of the place", function()
    local view = require "peal.view"
    local p = support.phone({}, { time = 1795342530, -- Sunday 10:15:30 UTC
      params = { Time_Zone = "GMT-11:00" } })
    local t = view.of(p.phone, {}).local_time
    assert.are.same({ 2026, 11, 21, 23, 15, 30, 7, 1395 }, { t.year, t.month,
      t.day, t.hour, t.min, t.sec, t.wday, t.minute })
  end)
end)

describe("a shape", function()
  local read = shape.record({ a = shape.string, b = shape.integer(1, 9) },
    { "a" })

  it("copies what fits and names what does not", function()
    local given = { a = "x", b = 3.0 }
    local got = read(given, "the answer")
    assert.are.same({ a = "x", b = 3 }, got)
    assert.are_not.equal(given, got)
    local rows = {
      { { b = 1 }, "the answer has no a" },
      { { a = 1 }, "the answer.a is not a text" },
      { { a = "", b = 0 / 0 }, "the answer.b is not an integer from 1 to 9" },
      { { a = "", z = 1, y = 2 },
        "the answer has a field that is not known: y" },
      { { "x", a = "" },
        "the answer has a field that is not known: a number" },
      { "x", "the answer is not a table" },
    }
    for _, row in ipairs(rows) do
      local none, why = read(row[1], "the answer")
      assert.is_nil(none)
      assert.are.equal(row[2], why)
    end
  end)

  it("walks no further than an answer may be long", function()
    local huge = {}
    for i = 1, 20000 do huge[i] = "x" end
    for i = 1, 20000 do huge["k" .. i] = "x" end
    local list, map = shape.list(shape.string, 4), shape.map(shape.string)
    assert.are.same({ nil, "it has more than 4 items" },
      { list(huge, "it") })
    assert.are.same({ nil, "it has more than 16384 names" },
      { map(huge, "it") })
  end)

  it("takes lists without holes only", function()
    local list = shape.list(shape.string, 4)
    assert.are.same({ "a", "b" }, { table.unpack(list({ "a", "b" }, "it")) })
    assert.are.same({ nil, "it is not a list" }, { list({ [2] = "b" }, "it") })
    assert.are.same({ nil, "it is not a list" }, { list({ x = "b" }, "it") })
  end)
end)
