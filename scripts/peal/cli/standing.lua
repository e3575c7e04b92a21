--- What status and schedule ask of an engine: the daemon's, or one made for
-- the moment from the store, which is not started and does nothing.
local remote = require "peal.cli.remote"
local session = require "peal.cli.session"

local standing = {}

-- What a start now would arm. The timers are only looked at.
local function arm(engine, phone)
  if not phone:yes("Provision_Enable") then return end
  local plan = require "peal.engine.plan"
  engine.boot_reason = "power_on"
  local answer = plan.ask(engine, "boot")
  plan.arm(engine, answer)
  if answer.start then plan.arm_start(engine, answer.start) end
end

-- Run `fn(engine, open)` on what the store knows.
local function from_store(options, command, fn)
  local open, failed = session.open(options, { read_only = true,
    disk = command })
  if not open then return nil, failed end
  local engine = require("peal.engine").new(open.phone)
  return open.world.run(function()
    arm(engine, open.phone)
    return fn(engine, open)
  end)
end

--- Ask the daemon; without one, the store.
--   method, params   of the daemon
--   fn(engine, open) the same from a store
-- @treturn[1] table
-- @treturn[1] boolean was it the daemon?
-- @return[2] nil, failure
function standing.ask(options, command, method, params, fn)
  local daemon, failed = remote.find(options, command)
  if failed then return nil, failed end
  local result
  if daemon then
    result, failed = daemon:call(method, params)
    daemon:close()
  else
    result, failed = from_store(options, command, fn)
  end
  if not result then return nil, failed end
  return result, daemon ~= nil
end

return standing
