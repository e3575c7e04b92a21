local keep = require "peal.keep"
local process = require "support.process"
local support = require "support.engine"
local virtual = require "peal.world.virtual"

local function new(st)
  return keep.new(virtual.new { store = st or support.store {} })
end

describe("state that is kept", function()
  it("reads as it was set, before and after it is written", function()
    local k = new()
    k:set("engine", "failures", 3)
    assert.equal(3, k:number("engine", "failures"))
    assert.is_nil(k.world.store:state("engine", "failures"))
    assert.is_true(k:flush())
    assert.equal("3", k.world.store:state("engine", "failures"))
    assert.is_false(k:dirty())
    k:set("engine", "failures", nil)
    assert.is_nil(k:get("engine", "failures"))
    assert.is_true(k:flush())
    assert.is_nil(k.world.store:state("engine", "failures"))
  end)

  it("is not waiting where nothing is new", function()
    local k = new()
    k:set("engine", "day", 7)
    k:flush()
    k:set("engine", "day", "7")
    assert.is_false(k:dirty())
    local revision = k.world.store:revision()
    assert.is_true(k:flush())
    assert.equal(revision, k.world.store:revision())
  end)

  it("goes with the commit of another", function()
    local k = new()
    k:set("engine", "day", 7)
    local txn = assert(k.world.store:begin())
    assert(txn:set("GPP_A", "x"))
    assert.is_true(k:stage(txn))
    assert(txn:commit("resync", 0))
    k:committed()
    assert.is_false(k:dirty())
    assert.equal("7", k.world.store:state("engine", "day"))
  end)

  it("waits on where it could not be written", function()
    local k = new()
    k:set("engine", "day", 7)
    local txn = assert(k.world.store:begin())
    local ok, sentence, word = k:flush()
    assert.is_nil(ok)
    assert.is_string(sentence)
    assert.equal("bad-state", word)
    txn:abort()
    assert.is_true(k:dirty())
    assert.is_true(k:flush())
  end)

  it("outlives a restart", function()
    local dir = process.temp_dir()
    local st = support.store({}, { path = dir .. "/st" })
    local k = new(st)
    k:set("engine", "day", 7)
    assert.is_true(k:flush())
    st:close()
    st = support.store({}, { path = dir .. "/st" })
    assert.equal(7, new(st):number("engine", "day"))
    st:close()
    process.remove(dir)
  end)
end)

describe("an engine's state", function()
  local function revisions_of(seconds, params)
    local lab = support.new { params = params }
    local before = lab.store:revision()
    lab:boot("power_on"):advance(seconds)
    return lab.store:revision() - before, lab
  end

  it("writes an idle phone's store once an hour at most", function()
    local day = 86400
    local written = revisions_of(day, { Resync_Periodic = "60" })
    assert.is_true(written <= 25, written .. " commits")
    -- nothing moves, nothing is written
    assert.is_true(revisions_of(10 * day, { Resync_Periodic = "0" }) <= 1)
  end)

  it("is written when the engine stops", function()
    local _, lab = revisions_of(10, { Resync_Periodic = "5" })
    assert.equal("1", lab.store:state("engine", "cycle"))
    lab.engine:stop()
    assert.equal("3", lab.store:state("engine", "cycle"))
  end)

  it("knows the first success at once, or a power cut ended periodic resyncs",
    function()
      local lab = support.new { params = { Resync_On_Reset = "No",
        Resync_Periodic = "600" } }
      lab:boot("power_on")
      assert(lab.engine:resync { by = "notify" })
      -- the power goes: nothing of the engine is left but the store
      lab.engine.stopped = true
      lab:power()
      lab:boot("power_on"):advance(1300)
      assert.same({ 0, 600, 1200 }, lab.at)
    end)

  it("goes with the commit of a profile", function()
    local lab = support.new { server = function()
      return support.profile { GPP_A = "new" }
    end }
    lab:boot("power_on")
    assert.equal("1", lab.store:state("engine", "cycle"))
  end)

  it("counts cycles on over a restart", function()
    local _, lab = revisions_of(7210)
    assert.equal(3, lab.engine:status().cycle)
    lab:restart("power_on")
    assert.equal(4, lab.engine:status().cycle)
  end)

  it("keeps the retry index over a restart that does not resync", function()
    local lab = support.new { server = function() return 503 end,
      params = { Resync_Error_Retry_Delay = "60,1000,5000" } }
    lab:boot("power_on"):advance(70) -- failed twice
    lab:restart("resync_applied"):advance(10000)
    assert.same({ 0, 60, 1070, 6070 }, lab.at)
  end)
end)
