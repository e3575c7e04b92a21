--- health: is the phone well after a change? keep it or undo it.
-- Asked after a commit of profiles, when the registration changes, and when
-- the time that it named has passed.
local shape = require "peal.shape"

local VERDICTS <const> = { keep = true, wait = true, undo = true }

local read = shape.record({
  verdict = shape.match("^%l+$", '"keep", "wait" or "undo"'),
  after = shape.integer(1, 86400),
  resync = shape.boolean,
  reason = shape.line,
}, { "verdict" })

return {
  purpose = "is the phone well after a change? keep or undo",
  fields = {
    change = "{ revision =, names = list of parameters, rule =, url = } of "
      .. "what was committed",
    waited = "seconds since the commit",
    lost_for = "seconds since it is not registered any more; nil: it is",
    registered = "is the phone registered? nil: the device does not say",
    was_registered = "was it, before the commit?",
    resynced = "has a resync worked since? true, false, nil: none was tried",
  },
  answer = '{ verdict = "keep" }, { verdict = "wait", after = seconds until '
    .. 'it is asked again at the latest }, or { verdict = "undo", reason = }',
  default = function() return { verdict = "keep" } end,
  check = function(v)
    local answer, why = read(v, "the answer")
    if not answer then return nil, why end
    if not VERDICTS[answer.verdict] then
      return nil, 'the answer.verdict is not "keep", "wait" or "undo"'
    end
    return answer
  end,
}
