--- Coroutines that wait for events.
-- A world suspends the coroutine that calls it and resumes it when the answer
-- is there. An error inside a task reaches whoever resumed it last: the event
-- loop, which stops and raises it; that of a guarded task is told to its guard.
local task = {}

-- Task -> its guard.
local guards = setmetatable({}, { __mode = "k" })

--- Does an error say that memory has run out? Whoever catches errors has to
-- let it pass, up to the event loop: there is none for more. A traceback may
-- follow it.
function task.is_exhaustion(err)
  local text = tostring(err):gsub("\nstack traceback:.*$", "")
  return text:find("not enough memory$") ~= nil
end

local function step(co, ...)
  local ok, err = coroutine.resume(co, ...)
  if not ok then
    if task.is_exhaustion(err) then error(err, 0) end
    local text = debug.traceback(co, tostring(err))
    if not guards[co] then error(text, 0) end
    guards[co](text)
  end
end

--- Run `fn(...)` as a task, up to its first wait.
function task.spawn(fn, ...)
  local co = coroutine.create(fn)
  guards[co] = guards[coroutine.running()]
  step(co, ...)
  return co
end

--- The same; failed(text) is told of an error, with a traceback, in it or in
-- a task that it spawns, and nobody else is.
function task.guarded(failed, fn, ...)
  local co = coroutine.create(fn)
  guards[co] = failed
  step(co, ...)
  return co
end

--- Call `start(resume)` and wait until `resume(...)` is called; returns what
-- it was given. `resume` may be called before `start` returns. Further calls
-- of it do nothing.
function task.await(start)
  local co, main = coroutine.running()
  assert(not main, "a world call outside of a task")
  local done, waiting, results = false, false, nil
  start(function(...)
    if done then return end
    done = true
    if waiting then return step(co, ...) end
    results = table.pack(...)
  end)
  if done then
    return table.unpack(results, 1, results.n)
  end
  waiting = true
  return coroutine.yield()
end

return task
