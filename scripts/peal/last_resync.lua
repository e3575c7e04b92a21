--- What came of the last resync, as state: the engine's, and that of a resync
-- by hand where no engine runs.
local json = require "peal.json"
local secret = require "peal.secret"

local last_resync = {}

local function failure_text(failed)
  return ("%s: %s"):format(failed.rule, secret.mask(failed.sentence))
end

--- Remember it, for the next commit.
-- @tparam table phone
-- @tparam table result of cycle.carry_out()
-- @treturn table time, cycle, outcome, asked_by, reason (of a failure)
function last_resync.remember(phone, result, asked_by)
  local failed, keep = result.failure, phone.keep
  local last = { time = math.floor(phone.world.now().time),
    cycle = result.cycle, outcome = result.outcome, asked_by = asked_by,
    reason = failed and failure_text(failed) or nil }
  if result.outcome == "success" then
    keep:set("engine", "last_success", last.time)
  end
  keep:set("engine", "last", json.encode(last))
  return last
end

return last_resync
