local engine = require "support.engine"
local fixture = require "support.fixture"
local phone = require "peal.phone"

-- What it has learned, and a value that waits for the next commit.
local function experienced()
  local lab = engine.new()
  local one = lab.phone
  one.last_resync = 17
  one.dns_answers = { h = { ["192.0.2.7"] = 3 } }
  one.keep:set("engine", "failures", 2)
  one.overrides.GPP_A = "for now"
  return one, lab
end

describe("a phone's memory", function()
  it("makes another phone of the same store go on from there", function()
    local one, lab = experienced()
    local other = phone.new { world = lab.world, identity = fixture.identity,
      memory = one:memory() }
    assert.are.equal(17, other.last_resync)
    assert.are.equal(2, other.keep:number("engine", "failures"))
    assert.are.same({ h = { ["192.0.2.7"] = 3 } }, other.dns_answers)
  end)

  it("is nobody else's", function()
    local one = experienced()
    local memory = one:memory()
    memory.dns_answers.h["192.0.2.8"] = 4
    memory.keep.engine.failures = "9"
    assert.is_nil(one.dns_answers.h["192.0.2.8"])
    assert.are.equal(2, one.keep:number("engine", "failures"))
  end)
end)

describe("a phone's twin", function()
  it("has its identity, memory and overrides, and shares none", function()
    local one, lab = experienced()
    local twin = one:twin(lab.world)
    assert.are.equal(one.identity.MAC, twin.identity.MAC)
    assert.are.equal("for now", twin:param("GPP_A"))
    assert.are.equal(2, twin.keep:number("engine", "failures"))
    twin.keep:set("engine", "failures", 3)
    twin.overrides.GPP_A, twin.identity.MAC = nil, "000000000000"
    assert.are.equal(2, one.keep:number("engine", "failures"))
    assert.are.equal("for now", one:param("GPP_A"))
    assert.are.equal(fixture.identity.MAC, one.identity.MAC)
  end)
end)
