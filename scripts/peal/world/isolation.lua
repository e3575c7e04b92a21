--- Where the rule files of operators run: a worker process that can be killed,
-- or, for labs, a box in this process.
-- Both give ask(store, overrides, job): one decision of one file.
--   job   { stage =, path =, text =, view = or nil }; without a view the file
--         is loaded and checked only
--   -> { n =, ... } results as decide() returned them, plain data | nil,
--      sentence, word ("bad-rule-file", "rule-limit"), line
-- The binding modules are loaded when the first operator's file is there.
local task = require "peal.task"

local isolation = {}

-- Seconds of a decision; the instruction budget of the box ends most files
-- long before.
local DEADLINE_S <const> = 1

-- Writes the parameters of one phone, unless they are there already.
-- @return true, or nil, sentence, word
local function writer(snapshot)
  local last, revision
  return function(store, overrides)
    local given = next(overrides) ~= nil
    if last == store and revision == store:revision() and not given then
      return true
    end
    last = nil
    local ok, sentence, word = snapshot:write(store, overrides)
    if ok and not given then last, revision = store, store:revision() end
    return ok, sentence, word
  end
end

--- A worker process, shared by the phones of a host, started when it is first
-- asked. Calls suspend the task.
--   program   path of the program that is the worker; nil: this one
-- @treturn function ask; and a function that tells { pid =, starts = }
function isolation.worker(loop, program)
  local process, write
  local function ask(store, overrides, job)
    return task.await(function(resume)
      if not process then
        local worker = require "peal.worker"
        local snapshot, sentence, word = worker.snapshot()
        if not snapshot then return resume(nil, sentence, word) end
        process, sentence, word = worker.new(loop, { program = program,
          snapshot = snapshot })
        if not process then return resume(nil, sentence, word) end
        write = writer(snapshot)
      end
      -- without its parameters a rule would decide about another phone: it
      -- is not asked then
      local handle, sentence, word = process:ask(job, DEADLINE_S,
        function() return write(store, overrides) end, resume)
      if not handle then resume(nil, sentence, word) end
    end)
  end
  local function about()
    return process and { pid = process:pid(), starts = process:starts() }
  end
  return ask, about
end

--- A box in this process: for labs and for tests on the virtual clock. A file
-- of slow single steps holds everybody up for minutes: only a kill stops it.
function isolation.box(options)
  local box, snapshot, write
  return function(store, overrides, job)
    if not box then
      local sentence, word
      snapshot, sentence, word = require("peal.worker").snapshot()
      if not snapshot then return nil, sentence, word end
      box, sentence, word = require("peal.sandbox").new(options or {})
      if not box then return nil, sentence, word end
      write = writer(snapshot)
    end
    local ok, sentence, word = write(store, overrides)
    if not ok then return nil, sentence, word end
    return box:ask(job, snapshot)
  end
end

return isolation
