--- profile: which profile does rule A, B, C or D fetch, if any?
local shape = require "peal.shape"
local url = require "peal.url"

-- More than any rule text can bring about.
local ITEMS_MAX <const> = 16384
local TEXT_MAX <const> = 65536

local text = shape.text(TEXT_MAX)
local letter = shape.match("^[a-p]$", "a letter from a to p")

-- What happened while a plan was made, as classic.profile() tells it.
local read_trace = shape.record {
  text = text,
  expanded = text,
  warnings = shape.list(shape.line, ITEMS_MAX),
  alternatives = shape.list(shape.record {
    text = text,
    verdict = shape.boolean,
    chosen = shape.boolean,
    conditions = shape.list(shape.record({ left = text, op = shape.line,
      right = text, verdict = shape.boolean },
      { "left", "op", "right", "verdict" }), ITEMS_MAX),
  }, ITEMS_MAX),
}

local read_url_fields = shape.record({
  scheme = shape.string, scheme_given = shape.boolean, host = shape.string,
  ipv6 = shape.boolean, port = shape.integer(1, 65535),
  port_given = shape.boolean, path = shape.string,
  user = shape.string, password = shape.string,
}, { "scheme", "port", "path" })

-- A URL as url.parse() gives it: its own text reads back as the same.
local function read_url(v, where)
  local u, why = read_url_fields(v, where)
  if not u then return nil, why end
  local again = url.parse(url.format(u))
  if not again or again.scheme ~= u.scheme or again.host ~= u.host
    or again.path ~= u.path or u.host and again.port ~= u.port
  then
    return nil, where .. " is not a URL as url.parse gives it"
  end
  return u
end

local read_fetch_fields = shape.record({
  url = shape.either("table", read_url, shape.string),
  key = shape.string, uid = shape.string, pwd = shape.string,
  post = letter, put = letter, alias = letter, srv = shape.boolean,
}, { "url" })

local function read_fetch(v, where)
  local fetch, why = read_fetch_fields(v, where)
  if not fetch then return nil, why end
  if fetch.post and fetch.put then
    return nil, where .. " has both post and put"
  end
  return fetch
end

local read_plan_fields = shape.record({
  action = shape.match("^%l+$", '"run" or "skip"'),
  assigns = shape.list(shape.record({ name = shape.name,
    value = shape.string }, { "name", "value" }), ITEMS_MAX),
  fetch = read_fetch,
  reason = shape.line, word = shape.line, event = shape.line,
  condition = text, activation = text, trace = read_trace,
}, { "action" })

local function read_plan(v, where)
  local plan, why = read_plan_fields(v, where)
  if not plan then return nil, why end
  if plan.action ~= "run" and plan.action ~= "skip" then
    return nil, where .. '.action is not "run" or "skip"'
  end
  if plan.action == "skip" and plan.fetch then
    return nil, where .. " skips, and has a fetch"
  end
  return plan
end

local read_detail = shape.record {
  at = shape.integer(0, math.maxinteger), err = shape.line,
  trace = read_trace,
  conditions = function() return true end, -- the trace has them
}

local read_error = shape.record({ sentence = shape.line, word = shape.line,
  detail = read_detail }, { "sentence" })

return {
  fetch = read_fetch, -- other stages fetch as well
  trace = read_trace,
  fields = { rule = "{ name = \"Profile_Rule_B\", text = its text }" },
  purpose = "which profile does rule A, B, C or D fetch, if any?",
  answer = "a plan { action = \"run\", assigns =, fetch = } or "
    .. "{ action = \"skip\", reason = }, or nil, a sentence and a word",
  default = function()
    return { action = "error", word = "bad-rule",
      sentence = "no rule file can say what to fetch" }
  end,
  check = function(plan, sentence, word, detail)
    if plan ~= nil then return read_plan(plan, "the plan") end
    local failed, why = read_error({ sentence = sentence, word = word,
      detail = detail }, "the answer")
    if not failed then return nil, why end
    failed.action, failed.word = "error", failed.word or "bad-rule"
    return failed
  end,
}
