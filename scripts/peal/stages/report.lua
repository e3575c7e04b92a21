--- report: is the configuration or the status told to a server now?
local fetch = require("peal.stages.profile").fetch
local shape = require "peal.shape"

local SECONDS_MAX <const> = 4294967295

local read = shape.record {
  send = shape.list(shape.record({
    fetch = fetch,
    content = shape.match("^%l+$", '"full", "delta" or "status"'),
    method = shape.match("^%u+$", '"POST" or "PUT"'),
  }, { "fetch", "content" }), 16),
  assigns = shape.list(shape.record({ name = shape.name,
    value = shape.string }, { "name", "value" }), 1024),
  again = shape.record({ after = shape.integer(0, SECONDS_MAX),
    spread = shape.integer(0, SECONDS_MAX) }, { "after" }),
  reason = shape.line,
}

local read_error = shape.record({ sentence = shape.line, word = shape.line },
  { "sentence" })

local CONTENT <const> = { full = true, delta = true, status = true }

return {
  purpose = "is the configuration or the status told to a server now?",
  fields = {
    event = '"boot", "request", "change" (the first local change that no '
      .. 'report has told), "mode" (parameters of reports have changed), '
      .. '"timer" (the time of `again` has come)',
    timer_for = 'timer: the event whose answer had `again`',
  },
  answer = "{ send = list of { fetch = { url =, key =, uid =, pwd = }, "
    .. 'content = "full", "delta" or "status", method = "POST" or "PUT" }, '
    .. "again = { after =, spread = } until it is asked next, reason = }; "
    .. "or nil, a sentence and a word",
  default = function()
    return { reason = "no rule file can decide" }
  end,
  check = function(v, sentence, word)
    if v == nil and sentence ~= nil then
      local failed, why = read_error({ sentence = sentence, word = word },
        "the answer")
      if not failed then return nil, why end
      failed.failed, failed.word = true, failed.word or "bad-rule"
      return failed
    end
    local answer, why = read(v == nil and {} or v, "the answer")
    if not answer then return nil, why end
    for i, one in ipairs(answer.send or {}) do
      if not CONTENT[one.content] then
        return nil, ('the answer.send[%d].content is not "full", "delta" or '
          .. '"status"'):format(i)
      end
    end
    return answer
  end,
}
