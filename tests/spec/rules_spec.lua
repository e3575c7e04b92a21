local environment = require "peal.environment"
local rules = require "peal.rules"

local function load_one(name, text)
  return rules.load { [name] = { text = text, path = "op/" .. name } }
end

local VIEW <const> = { param = { Provision_Enable = "Yes" }, explicit = true,
  identity = { MAC = "000e08abcdef" } }

describe("rule files", function()
  it("answer in place of the factory's", function()
    local set = load_one("trigger.lua", [[
      return { stage = "trigger", decide = function(phone)
        return false, phone.identity.MAC
      end }]])
    local answer = rules.ask(set, "trigger", VIEW)
    assert.are.same({ pass = false, reason = "000e08abcdef",
      rule_file = "op/trigger.lua" }, answer)
    assert.are.same({}, set.notes)
  end)

  it("leave decisions that they do not take to the factory's", function()
    assert.is_true(rules.ask(rules.load {}, "trigger", VIEW).pass)
  end)

  local broken = {
    { "a syntax error", "return {{", "op/trigger.lua:1:" },
    { "an error while loading", "local x = nil + 1", "op/trigger.lua:1:" },
    { "no table", "return 1", "returns no table" },
    { "another stage's name",
      "return { stage = 'apply', decide = function() end }", "stage is" },
    { "bytecode", string.dump(function() end), "binary" },
    { "a call of require", "require 'os'", "op/trigger.lua:1:" },
    { "a call of io", "io.open('/etc/passwd')", "op/trigger.lua:1:" },
  }
  for _, row in ipairs(broken) do
    it("make way for the factory's where there is " .. row[1], function()
      local set = load_one("trigger.lua", row[2])
      assert.is_true(rules.ask(set, "trigger", VIEW).pass)
      assert.are.equal(1, #set.notes)
      assert.is_truthy(set.notes[1].text:find(row[3], 1, true),
        set.notes[1].text)
    end)
  end

  local wrong = {
    { "a text where a verdict belongs", "return 'yes'", "not true, or false" },
    { "an error", "error('oops')", "oops" },
    { "a write to the phone", "phone.explicit = false", "cannot change" },
    { "a write to a part of the phone", "phone.identity.MAC = '1'",
      "cannot change" },
  }
  for _, row in ipairs(wrong) do
    it("make way for the factory's after " .. row[1], function()
      local set = load_one("trigger.lua", ([[
        return { stage = "trigger", decide = function(phone) %s end }
      ]]):format(row[2]))
      assert.is_true(rules.ask(set, "trigger", VIEW).pass)
      assert.is_truthy(set.notes[1].text:find(row[3], 1, true),
        set.notes[1].text)
      assert.is_nil(rules.ask(set, "trigger", VIEW).rule_file)
      assert.are.equal(1, #set.notes)
    end)
  end

  it("are not asked what an error value says", function()
    local set = load_one("trigger.lua", [[
      return { stage = "trigger", decide = function(phone) error(phone) end }
    ]])
    set.decide.trigger = function() -- as a leak in the environment would be
      error(setmetatable({}, { __tostring = error, __name = "x" }))
    end
    assert.is_true(rules.ask(set, "trigger", VIEW).pass)
    assert.are.equal("op/trigger.lua: error value is a table; "
      .. "the factory rule is used", set.notes[1].text)
  end)

  it("cannot flood a log", function()
    local set = load_one("trigger.lua", [[
      return { stage = "trigger", decide = function()
        error(("\u{20AC}"):rep(1e6))
      end }]])
    assert.is_true(rules.ask(set, "trigger", VIEW).pass)
    local text = set.notes[1].text
    assert.is_true(#text < 600)
    assert.is_truthy(utf8.len(text))
    assert.is_truthy(text:find("the factory rule is used", 1, true))
  end)

  it("walk what they see in the order of its names", function()
    local names = {}
    local view = environment.freeze { b = false, a = { 1 }, c = 3 }
    for name, value in pairs(view) do
      names[#names + 1] = name .. type(value)
    end
    assert.are.same({ "atable", "bboolean", "cnumber" }, names)
  end)

  it("do not see the globals of another file", function()
    local set = rules.load {
      ["apply.lua"] = { path = "op/apply.lua",
        text = "leak = 1; string.rep = nil; return { stage = 'apply', "
          .. "decide = function() return nil end }" },
      ["trigger.lua"] = { path = "op/trigger.lua",
        text = "return { stage = 'trigger', decide = function() "
          .. "return leak == nil and string.rep ~= nil end }" },
    }
    assert.is_true(rules.ask(set, "trigger", VIEW).pass)
    assert.are.same({}, set.notes)
    assert.is_function(string.rep)
  end)

  it("are named when no decision has their name", function()
    local set = load_one("profle.lua", "return {}")
    assert.is_truthy(set.notes[1].text:find("op/profle.lua", 1, true))
  end)

  it("say why a folder cannot be read", function()
    local set = rules.load { ["."] = { path = "/nowhere",
      error = "/nowhere: no such folder" } }
    assert.are.equal("/nowhere: no such folder", set.notes[1].text)
  end)
end)
