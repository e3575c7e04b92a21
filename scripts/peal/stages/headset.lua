--- headset: is there newer firmware for the headset, and is it offered?
-- Asked twice: without offers, where they are to be fetched from; then, with
-- the manifest's offers, which one the user is asked about.
local shape = require "peal.shape"

local read_fields = shape.record({
  action = shape.match("^%l+$", '"skip", "fetch" or "offer"'),
  fetch = require("peal.stages.profile").fetch,
  index = shape.integer(1, 1024),
  reason = shape.line,
}, { "action" })

local NEEDS <const> = { fetch = "fetch", offer = "index" }

local read_error = shape.record({ sentence = shape.line, word = shape.line },
  { "sentence" })

return {
  purpose = "is there newer firmware for the headset, and is it offered?",
  fields = {
    event = '"attach", "boot", "resync", "change" of the rule',
    headset = "{ model =, version = } of what is attached",
    offers = "nil, or list of { model, version, file, size, sha256 }",
    deferred = "version that the user has put off, until the next attach",
  },
  answer = '{ action = "skip", reason = }, { action = "fetch", fetch = '
    .. '{ url = } } or { action = "offer", index = }; or '
    .. "nil, a sentence and a word",
  default = function()
    return { action = "skip", reason = "no rule file can decide" }
  end,
  check = function(v, sentence, word)
    if v == nil and sentence ~= nil then
      local failed, problem = read_error({ sentence = sentence, word = word },
        "the answer")
      if not failed then return nil, problem end
      failed.action, failed.word = "error", failed.word or "bad-rule"
      return failed
    end
    local answer, why = read_fields(v, "the answer")
    if not answer then return nil, why end
    local needs = NEEDS[answer.action]
    if answer.action ~= "skip" and not needs then
      return nil, 'the answer.action is not "skip", "fetch" or "offer"'
    elseif needs and answer[needs] == nil then
      return nil, ("the answer.action is %s, and there is no %s"):format(
        answer.action, needs)
    end
    return answer
  end,
}
