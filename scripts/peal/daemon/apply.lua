--- A plan that a client hands over: the engine carries it out in its turn, or
-- says what has changed since.
local outcome = require "peal.daemon.outcome"
local plan_file = require "peal.dry_run.plan_file"
local task = require "peal.task"

local apply = {}

local function give(failed)
  return nil, failed.sentence, failed.word, failed.place, failed.next
end

--- The method of a daemon.
--   params.plan   a plan, see dry_run/plan_file.lua
--   params.rule   the rule that it is of; nil: the stored ones
-- @treturn[1] table as of daemon/outcome.lua
-- @return[2] nil, sentence, word, place, next step; "changed"
function apply.method(member, params)
  local plan, failed = plan_file.check(params.plan)
  if not plan then return give(failed) end
  local result, sentence, word = task.await(function(resume)
    local ok, why, kind = member.engine:resync { by = "cli", role = "admin",
      rule = params.rule, plan = plan, done = resume }
    if not ok then resume(nil, why, kind) end
  end)
  if not result then return nil, sentence, word end
  if result.not_applied then return give(result.not_applied) end
  if result.outcome == "refused" then
    return nil, result.reason, "refused"
  end
  return outcome.of(member.phone, result)
end

return apply
