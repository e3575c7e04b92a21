--- What came of a resync as plain data without secrets: what `peal resync`
-- prints, whether it ran the cycle itself or asked a daemon.
local advice = require "peal.cli.advice"
local json = require "peal.json"
local shown = require "peal.shown"

local outcome = {}

local function value_of(store, change, text)
  return shown.value(store, { name = change.name, type = change.type,
    text = text, secret = change.secret })
end

local function change_of(store, change)
  return { name = change.name, old = value_of(store, change, change.old),
    new = value_of(store, change, change.new),
    ua_only = change.old == change.new or nil,
    secret = change.secret or nil, rule = change.rule, line = change.line,
    ua_old = change.ua_old, ua_new = change.ua_new,
    reboot = change.reboot or nil }
end

local function rule_of(done)
  return { rule = done.rule, outcome = done.outcome, url = done.url,
    status = done.status, bytes = done.bytes, reason = done.reason,
    changes = done.changes, counts = done.counts, word = done.word,
    missing = done.missing or nil, sentence = done.sentence,
    place = done.place, cause = done.cause and done.cause.text,
    err = done.err, class = done.class }
end

-- Where the failed rule led: its URL, and where redirects ended.
local function way_of(trace)
  local asked, ended
  for _, step in ipairs(trace and trace.steps or {}) do
    if step.step == "rule" then asked, ended = nil, nil end
    if step.step == "fetch" then asked, ended = step.url, nil end
    if step.step == "redirect" then ended = step.to end
  end
  if not asked then return nil end
  return ended and ("%s -> %s"):format(asked, ended) or asked
end

-- Fingerprint of the certificate that a server showed last.
local function shown_last(trace)
  local steps = trace and trace.steps or {}
  for i = #steps, 1, -1 do
    local one = steps[i].step == "response" and steps[i].certificate
    if one then return one.sha256 end
  end
end

local function error_of(phone, failed, trace)
  return { sentence = ("%s: %s"):format(failed.rule, failed.sentence),
    word = failed.word, place = failed.place,
    next = advice.of(failed, phone, shown_last(trace)) }
end

-- The same for a person: with the URL.
local function told_error(phone, result)
  local told = error_of(phone, result.failure, result.trace)
  local way = way_of(result.trace)
  if way then
    told.sentence = ("%s: %s: %s"):format(result.failure.rule,
      shown.rule(phone.world.store, way), result.failure.sentence)
  end
  return told
end

-- Rules without a text: there is nothing to say of them.
local function empty_rules(trace)
  local names = json.array()
  for _, step in ipairs(trace and trace.steps or {}) do
    if step.step == "rule" and step.word == "empty" then
      names[#names + 1] = step.rule
    end
  end
  return names
end

--- @tparam table phone
-- @tparam table result of cycle.run(), or { outcome = "refused", reason = }
-- @tparam boolean steps with the steps of the trace
-- @treturn table public: what --json shows; and for people: empty (names of
--   rules without a text), told (the error, with its URL), steps
function outcome.of(phone, result, steps)
  local public = { outcome = result.outcome, reason = result.reason,
    by = result.by, cycle = result.cycle, revision = result.revision,
    reboot = result.reboot or false, rules = json.array(),
    changes = json.array(), refused = json.array(result.refused),
    notes = json.array(result.notes) }
  for i, done in ipairs(result.rules or {}) do
    public.rules[i] = rule_of(done)
  end
  for i, change in ipairs(result.changes or {}) do
    public.changes[i] = change_of(phone.world.store, change)
  end
  local out = { public = public, empty = empty_rules(result.trace) }
  if result.failure then
    public.error = error_of(phone, result.failure, result.trace)
    out.told = told_error(phone, result)
  end
  if steps and result.trace then out.steps = json.array(result.trace.steps) end
  return out
end

return outcome
