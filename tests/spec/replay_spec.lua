-- A cycle is a pure function of recorded inputs: the same calls at the seam,
-- trace, store, log and datagrams, bit for bit (world/replay.lua).
local cassettes = require "support.cassettes"
local play = require "peal.cassette.play"

local function said(list)
  local out = {}
  for i, datagram in ipairs(list) do
    out[i] = ("%s:%d %s"):format(datagram.address, datagram.port,
      datagram.bytes)
  end
  return out
end

describe("a recorded resync, played again,", function()
  it("has the same trace, store, log lines and datagrams", function()
    local c, run = cassettes.simple()
    local played = assert(play.resync(c))
    assert.is_nil(played.divergence)
    assert.is_true(played.identical)
    assert.are.equal(run.results[1].trace:encode(),
      played.result.trace:encode())
    assert.are.equal((run.store:bytes()), (played.store:bytes()))
    assert.are.same(run.world.lines, played.lines)
    assert.are.same(run.world.told, played.told)
    assert.are.same(said(run.world.datagrams), said(played.datagrams))
    assert.are.equal(2, #played.datagrams)
  end)

  cassettes.each_case(function(case, file)
    it(("is the same: %s, %s"):format(file, case.name), function()
      local list, run = cassettes.of_case(case)
      assert.is_truthy(list[1])
      for i, c in ipairs(list) do
        local played = assert(play.resync(c))
        assert.is_nil(played.divergence and played.divergence.sentence)
        assert.are.equal(run.results[i].trace:encode(),
          played.result.trace:encode())
      end
    end)
  end)
end)
