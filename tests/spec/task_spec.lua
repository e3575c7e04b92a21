local task = require "peal.task"

describe("a task", function()
  it("goes on with the answer that comes later", function()
    local resume, got
    task.spawn(function()
      got = { task.await(function(r) resume = r end) }
    end)
    assert.is_nil(got)
    resume("answer", nil, 3)
    assert.are.same({ "answer", nil, 3 }, got)
  end)

  it("does not wait for an answer that is there at once", function()
    local got
    task.spawn(function()
      got = task.await(function(resume) resume("now") end)
    end)
    assert.are.equal("now", got)
  end)

  it("takes the first answer only", function()
    local resume, count = nil, 0
    task.spawn(function()
      task.await(function(r) resume = r end)
      count = count + 1
      task.await(function() end)
      count = count + 1
    end)
    resume()
    resume()
    assert.are.equal(1, count)
  end)

  it("tells its guard of an error, and those that it spawned do", function()
    local resume, told = nil, {}
    task.guarded(function(text) told[#told + 1] = text end, function()
      task.spawn(function()
        task.await(function(r) resume = r end)
        error("broken inside")
      end)
      error("broken as well")
    end)
    assert.is_truthy(told[1]:find("broken as well.*stack traceback"))
    resume()
    assert.is_truthy(told[2]:find("broken inside.*stack traceback"))
    assert.are.equal(2, #told)
  end)

  it("raises its error in whoever resumes it, with a traceback", function()
    local resume
    task.spawn(function()
      task.await(function(r) resume = r end)
      error("broken inside")
    end)
    local ok, err = pcall(resume)
    assert.is_false(ok)
    assert.is_truthy(err:find("broken inside", 1, true))
    assert.is_truthy(err:find("task_spec.lua", 1, true))
  end)

  it("knows the word for no memory, with a traceback behind it or none",
    function()
      for text, expected in pairs {
        ["not enough memory"] = true,
        ["rule.lua:3: not enough memory"] = true,
        ["not enough memory\nstack traceback:\n\t[C]: in ?"] = true,
        ["not enough memory for two"] = false,
        ["broken\nstack traceback:\n\tnot enough memory"] = false,
      } do
        assert.equal(expected, task.is_exhaustion(text), text)
      end
      assert.is_false(task.is_exhaustion({}))
      assert.is_false(task.is_exhaustion(nil))
    end)
end)
