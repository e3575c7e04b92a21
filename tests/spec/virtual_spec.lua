local virtual = require "peal.world.virtual"

describe("the virtual world", function()
  it("jumps to the next timer and never waits", function()
    local world = virtual.new { time = 1000 }
    local seen = world.run(function()
      world.wait(86400 * 30)
      return world.now()
    end)
    assert.are.equal(86400 * 30, seen.mono)
    assert.are.equal(1000 + 86400 * 30, seen.time)
  end)

  it("wakes the tasks that wait for an event", function()
    local world, task, got = virtual.new {}, require "peal.task", nil
    task.spawn(function() got = { world.wait(nil, "idle") } end)
    world.post("busy", 1)
    assert.is_nil(got)
    world.post("idle", 7)
    assert.are.same({ true, 7 }, got)
  end)

  it("ends a wait at the event or at the time, whichever is first", function()
    local world, task, got = virtual.new {}, require "peal.task", {}
    task.spawn(function()
      got[1] = world.wait(10, "idle")
      got[2] = world.now().mono
      got[3] = world.wait(10, "idle")
      got[4] = world.now().mono
    end)
    world.advance(25)
    assert.are.same({ false, 10, false, 20 }, got)
    task.spawn(function()
      got = { world.wait(10, "idle") }
      world.wait(100)
      got[2] = world.now().mono
    end)
    world.post("idle")
    world.advance(1000)
    assert.are.same({ true, 125 }, got) -- the 10 s are cancelled
  end)

  it("keeps monotonic time when the wall clock is set", function()
    local world = virtual.new { time = 1000 }
    world.step(-600)
    assert.are.equal(400, world.now().time)
    assert.are.equal(0, world.now().mono)
  end)

  it("throws the same dice for the same seed", function()
    local function throws(seed)
      local world, out = virtual.new { dice = seed }, {}
      for i = 1, 50 do
        out[i] = world.random(3, 9)
        assert.is_true(out[i] >= 3 and out[i] <= 9)
      end
      return out, world.entropy(16)
    end
    assert.are.same({ throws(7) }, { throws(7) })
    assert.are_not.same(throws(7), throws(8))
    local world = virtual.new { dice = "max" }
    assert.are.equal(9, world.random(3, 9))
  end)

  it("answers from its script, after the delay it names", function()
    local world = virtual.new { server = function(request)
      if request.url == "http://h/a" then
        return { status = 200, body = "x", delay = 4 }
      end
      return nil, "refused", "connect"
    end }
    world.run(function()
      assert.are.equal("x", world.fetch({ url = "http://h/a" }).body)
      assert.are.equal(4, world.now().mono)
      assert.are.same({ nil, "refused", "connect" },
        { world.fetch { url = "http://h/b" } })
    end)
    assert.are.equal(2, #world.requests)
  end)

  it("looks names up in its table", function()
    local world = virtual.new { dns = { ["a.b"] = { "192.0.2.1",
      "192.0.2.2" } } }
    assert.are.equal("192.0.2.2", world.resolve("a.b", "ADDR")[2].address)
    assert.are.equal("10.0.0.1", world.resolve("10.0.0.1", "ADDR")[1].address)
    assert.are.same({ nil, "no address for c.d", "dns" },
      { world.resolve("c.d", "ADDR") })
  end)
end)
