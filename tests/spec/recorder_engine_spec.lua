-- An engine's life on a cassette: days on the virtual clock, with faults, with
-- what others ask and write, played again bit for bit (cassette/life.lua).
local engine = require "support.engine"
local fixture = require "support.fixture"
local form = require "peal.world.tape_form"
local life = require "peal.cassette.life"
local play = require "peal.cassette.play"
local registry = require "peal.registry"

local schema = assert(registry.load {})

-- A phone of support/engine.lua, recorded.
local function recorded(options)
  options.told = true
  local lab = engine.new(options)
  lab.life = life.new(lab.world, schema)
  local inner = lab.world
  function lab:power()
    self.phone, self.engine = self.life:power { identity = fixture.identity }
  end
  lab:power()
  lab.world = inner
  return lab
end

local function played(lab)
  local c = assert(form.unpack(form.pack(lab.life:cassette())))
  return assert(play.life(c)), c
end

local function same(lab)
  local out = played(lab)
  assert.is_nil(out.divergence and out.divergence.sentence)
  assert.are.same(lab.world.lines, out.lines)
  assert.are.equal((lab.store:bytes()), (out.store:bytes()))
  return out
end

describe("an engine on a cassette", function()
  it("is the same over several days with faults", function()
    local lab = recorded { params = { Resync_Periodic = "3600",
      Resync_Error_Retry_Delay = "600", Resync_Random_Delay = "60" }, dice = 7,
      server = function(_, about)
        local hour = about.world.now().mono // 3600
        if hour % 7 == 3 then return nil, "no answer", "timeout" end
        if hour % 11 == 5 then return 503 end
        return engine.profile { GPP_A = "hour " .. hour }
      end }
    lab:boot():advance(5 * 86400)
    local out = same(lab)
    assert.is_true(out.store:revision() > 80, out.store:revision())
    assert.is_true(out.calls > 5000, out.calls)
  end)

  it("hears what others ask, change and write", function()
    local lab = recorded { params = { Resync_Periodic = "3600" } }
    lab:boot():advance(100)
    local ended
    lab.engine:resync { by = "url", done = function(result)
      ended = result.outcome
    end }
    lab:advance(200)
    assert.are.equal("success", ended)
    lab:set { Resync_Periodic = "600" }
    lab:advance(2000)
    lab:lines(1)
    lab:advance(3000)
    lab:lines(0)
    lab:step(86400)
    lab:advance(90000)
    lab.engine:status()
    same(lab)
  end)

  it("goes on after a restart", function()
    local lab = recorded { params = { Resync_Periodic = "600" } }
    lab:boot():advance(1000)
    lab:restart("user"):advance(5000)
    lab.engine:stop()
    same(lab)
  end)

  it("that does something else is named", function()
    local lab = recorded { params = { Resync_Periodic = "600" } }
    lab:boot():advance(1000)
    local _, c = played(lab)
    c.tape = c.tape:gsub("I600;", "I601;")
    local out = play.life(c)
    assert.is_false(out.identical or false)
  end)
end)
