--- upgrade: which image, may it be installed, when?
local plan_fetch = require("peal.stages.profile").fetch
local shape = require "peal.shape"

local SECONDS_MAX <const> = 4294967295

local read_fields = shape.record({
  action = shape.match("^%l+$", '"skip", "activate" or "fetch"'),
  fetch = plan_fetch,
  load = shape.name,
  assigns = shape.list(shape.record({ name = shape.name,
    value = shape.string }, { "name", "value" }), 1024),
  retry = shape.record({ after = shape.integer(0, SECONDS_MAX),
    spread = shape.integer(0, SECONDS_MAX) }, { "after" }),
  reason = shape.line, word = shape.line,
  trace = require("peal.stages.profile").trace,
}, { "action" })

local NEEDS <const> = { fetch = "fetch", activate = "load" }

local function read(v)
  local plan, why = read_fields(v, "the answer")
  if not plan then return nil, why end
  local needs = NEEDS[plan.action]
  if plan.action ~= "skip" and not needs then
    return nil, 'the answer.action is not "skip", "activate" or "fetch"'
  elseif needs and plan[needs] == nil then
    return nil, ("the answer.action is %s, and there is no %s"):format(
      plan.action, needs)
  end
  return plan
end

local read_error = shape.record({ sentence = shape.line, word = shape.line,
  retry = function(v) return v end }, { "sentence" })

return {
  purpose = "which image, may it be installed, when?",
  fields = {
    event = '"boot", "resync" (a run has ended), "change" of Upgrade_Rule or '
      .. 'Upgrade_Enable, "retry", "idle" (lines), "request"',
    url = "request: the rule that was given; nil: Upgrade_Rule",
    active = "name of the load that runs",
    inactive = "name of the load in the other partition, or nil",
    done = "what the last successful upgrade was for, see classic.upgrade; "
      .. "nil: none",
    failures = "failed attempts in a row",
    retry_due = "has the time for the next attempt come? true too when none "
      .. "has failed",
  },
  answer = '{ action = "skip", reason = }, '
    .. '{ action = "activate", load = NAME } (it lies in the other '
    .. 'partition), or { action = "fetch", fetch = { url =, ... }, load =, '
    .. "retry = { after =, spread = } should it fail }; or nil, a sentence "
    .. "and a word",
  default = function()
    return { action = "skip", reason = "no rule file can decide" }
  end,
  check = function(plan, sentence, word)
    if plan ~= nil then return read(plan) end
    local failed, why = read_error({ sentence = sentence, word = word },
      "the answer")
    if not failed then return nil, why end
    failed.action, failed.word = "error", failed.word or "bad-rule"
    return failed
  end,
}
