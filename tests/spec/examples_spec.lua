-- What users copy works. (tests/run runs the executable examples.)
local cases = require "support.cases"
local program = require "support.program"
local registry = require "peal.registry"

local root = program.root

local function rule_file(path)
  return { text = program.slurp(root .. "/" .. path), path = path }
end

describe("example", function()
  it("phones/cp-8841.lua is the phone of the specs", function()
    local fixture = require "support.fixture"
    local phone = dofile(root .. "/examples/phones/cp-8841.lua")
    for name, value in pairs(fixture.identity) do
      assert.are.equal(value, phone.identity[name], name)
    end
    for name, value in pairs(fixture.params) do
      assert.are.equal(value, phone.params[name] or "", name)
    end
    for name in pairs(phone.params) do
      assert.is_not_nil(fixture.params[name], name)
    end
    for name in pairs(phone.identity) do
      assert.is_true(name == "PSN" or fixture.identity[name] ~= nil, name)
    end
    assert.are.same(fixture.state, phone.state)
  end)

  it("profiles/office.xml has no fault", function()
    local got = program.peal("profile", "check",
      root .. "/examples/profiles/office.xml")
    assert.are.equal(0, got.code)
    assert.is_truthy(got.out:find("0 unknown, 0 refused", 1, true), got.out)
  end)

  it("makers/acme.lua adds a maker's parameters", function()
    local schema = assert(registry.load {
      maker = root .. "/examples/makers/acme.lua" })
    assert.is_true(#schema > #assert(registry.load {}))
  end)

  it("rules/keep-admin-password keeps the password and no more", function()
    local path = "examples/rules/keep-admin-password/apply.lua"
    local run = cases.run {
      phone = { params = { Profile_Rule = "http://192.0.2.7/a",
        Admin_Password = "set-by-hand-1" } },
      server = { ["*"] = { body = "<flat-profile><GPP_A>new</GPP_A>"
        .. "<Admin_Password>from-outside-2</Admin_Password>"
        .. "</flat-profile>" } },
      rules = { ["apply.lua"] = rule_file(path).text } }
    assert.are.equal("set-by-hand-1", run.store:get("Admin_Password"))
    assert.are.equal("new", run.store:get("GPP_A"))
    assert.are.equal("Admin_Password", run.results[1].refused[1].name)
  end)
end)
