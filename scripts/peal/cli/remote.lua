--- Finds and asks the daemon that owns a store.
local advice = require "peal.cli.advice"
local protocol = require "peal.control_protocol"
local task = require "peal.task"

local remote = {}
remote.__index = remote

-- A daemon answers within a second; this is for one that is stopped (^Z).
local PATIENCE_S <const> = 10

-- Options that are the daemon's own matter.
local NOT_HERE <const> = {
  { "set", "--set", "write it with: peal set NAME=VALUE" },
  { "rules", "--rules", "give them to peal run" },
}

local function socket_of(path)
  return path .. "/control"
end

local function failure(sentence, word, next_step, place)
  return { sentence = sentence, word = word, place = place,
    next = next_step or advice.here(word) }
end

--- The daemon that owns the store in folder `path`.
-- @param[opt] loop that it is waited for in; nil: one of its own
-- @treturn[1] table daemon
-- @treturn[2] nil nobody owns it
-- @return[3] nil, failure
function remote.at(path, loop)
  local sentence, word
  if not loop then loop, sentence, word = require("peal.loop").new() end
  if not loop then return nil, failure(sentence, word) end
  local client
  client, sentence, word = protocol.connect(loop, socket_of(path))
  if client then
    return setmetatable({ client = client, loop = loop, path = path }, remote)
  elseif word == "not-found" then
    return nil
  end
  return nil, failure(("%s: %s"):format(path, sentence), word)
end

--- The daemon of a command's store, where it has one.
--   command   name, for the message about options that a daemon does not take
-- @return as of remote.at()
function remote.find(options, command)
  local path, failed =
    require("peal.cli.session").store_path(options)
  if not path then return nil, failed end
  local daemon
  daemon, failed = remote.at(path)
  if not daemon then return nil, failed end
  for _, option in ipairs(NOT_HERE) do
    if options[option[1]] then
      daemon:close()
      return nil, { sentence = ("%s: a daemon owns %s: %s does not reach it")
        :format(command, path, option[2]), word = "usage", code = 2,
        next = option[3] }
    end
  end
  return daemon
end

--- Process number of the daemon that owns a folder, or nil.
function remote.owner(path)
  local daemon = remote.at(path)
  if not daemon then return nil end
  local about = daemon:call("ping", {}, 1)
  daemon:close()
  return about and about.pid
end

-- Run the loop until `fn(...)`, as a task, returns; nil: the time is over.
local function run(loop, seconds, fn)
  local results, late
  local timer = seconds and loop:timer(seconds, function()
    late = true
    loop:stop()
  end)
  task.spawn(function() results = table.pack(fn()) end)
  while not results and not late do loop:run(true) end
  if timer then timer:cancel() end
  return results
end

--- Call a method of the daemon.
--   seconds   patience; false: as long as it takes
-- @return[1] result
-- @return[2] nil, failure
function remote:call(method, params, seconds)
  if seconds == nil then seconds = PATIENCE_S end
  local results = run(self.loop, seconds, function()
    return self.client:call(method, params)
  end)
  if not results then
    return nil, failure(("the daemon of %s does not answer"):format(self.path),
      "timeout", "is it stopped? Its log is " .. self.path .. "/messages")
  end
  local result, sentence, word, place, next_step = table.unpack(results, 1,
    results.n)
  if result ~= nil then return result end
  if word == "canceled" then
    next_step = ("what it has done: %s/messages"):format(self.path)
  end
  return nil, failure(sentence, word, next_step, place)
end

--- Hand out events until `on_event` returns true or the daemon ends.
-- @treturn boolean did on_event end it?
function remote:listen(on_event)
  local over, done
  self.client.on_over = function() over = true end
  self.client.on_event = function(event)
    done = done or on_event(event) == true
  end
  while not over and not done do self.loop:run(true) end
  return done == true
end

function remote:close()
  self.client:close()
end

return remote
