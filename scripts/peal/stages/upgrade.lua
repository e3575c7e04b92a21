--- upgrade: which image, may it be installed, when?
local profile = require "peal.stages.profile"
local shape = require "peal.shape"

local SECONDS_MAX <const> = 4294967295

local read_retry = shape.record({ after = shape.integer(0, SECONDS_MAX),
  spread = shape.integer(0, SECONDS_MAX) }, { "after" })

-- What a profile may ask for and an image cannot: it is taken as it is.
local NOT_OF_IMAGES <const> = { "key", "post", "put", "alias" }

local function read_fetch(v, where)
  local fetch, why = profile.fetch(v, where)
  if not fetch then return nil, why end
  for _, key in ipairs(NOT_OF_IMAGES) do
    if fetch[key] then
      return nil, ("%s.%s: an image is taken as it is"):format(where, key)
    end
  end
  return fetch
end

local read_fields = shape.record({
  action = shape.match("^%l+$", '"skip", "activate" or "fetch"'),
  fetch = read_fetch,
  load = shape.name,
  assigns = shape.list(shape.record({ name = shape.name,
    value = shape.string }, { "name", "value" }), 1024),
  retry = read_retry,
  reason = shape.line, word = shape.line,
  condition = shape.text(65536),
  trace = profile.trace,
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

local function anything(v) return v end

local read_detail = shape.record {
  err = shape.line, trace = profile.trace, retry = read_retry,
  at = anything, conditions = anything, -- the trace has them
}

local read_error = shape.record({ sentence = shape.line, word = shape.line,
  detail = read_detail }, { "sentence" })

return {
  purpose = "which image, may it be installed, when?",
  fields = {
    event = '"boot", "resync" (a run has ended), "change" of Upgrade_Rule or '
      .. 'Upgrade_Enable, "retry", "idle" (lines), "request"',
    url = "the rule that was asked for, once; nil: Upgrade_Rule",
    active = "name of the load that runs",
    inactive = "name of the load in the other partition, or nil",
    done = "what the last success of Upgrade_Rule was for: { rule = its text, "
      .. "url = scheme, server, port and path }; nil: none",
    failures = "failed attempts in a row, of this Upgrade_Rule",
    retry_due = "has the time for the next attempt come? true too when none "
      .. "has failed, and when somebody asked",
  },
  answer = '{ action = "skip", reason = }, '
    .. '{ action = "activate", load = NAME } (it lies in the other '
    .. 'partition), or { action = "fetch", fetch = { url =, ... }, load = '
    .. "(nil: as the file is called), retry = { after =, spread = } should it "
    .. "fail (nil: Upgrade_Error_Retry_Delay) }; or nil, a sentence and a word",
  default = function()
    return { action = "skip", reason = "no rule file can decide" }
  end,
  check = function(plan, sentence, word, detail)
    if plan ~= nil then return read(plan) end
    local failed, why = read_error({ sentence = sentence, word = word,
      detail = detail }, "the answer")
    if not failed then return nil, why end
    failed.action, failed.word = "error", failed.word or "bad-rule"
    return failed
  end,
}
