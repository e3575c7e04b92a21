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
end)
