--- peal resync: one cycle by hand.
local advice = require "peal.cli.advice"
local cycle = require "peal.cycle"
local json = require "peal.json"
local output = require "peal.cli.output"
local session = require "peal.cli.session"
local shown = require "peal.shown"

local resync = {
  name = "resync",
  usage = "[RULE]",
  summary = "Fetch, decode and apply the profiles of Profile_Rule to "
    .. "Profile_Rule_D,\nor of RULE alone, and say what changed and why.",
  details = "Without a store (--store, or `store` in the phone file) nothing "
    .. "is kept.\nCounts as an explicit request: Resync_Trigger_1 and _2 are "
    .. "not asked.",
  options = {},
  examples = {
    "peal resync --phone phone.lua --store st",
    "peal resync '[--key s3cret] https://192.168.1.200/$MA.xml' "
      .. "--phone phone.lua",
  },
}

local function shown_change(store, change)
  local function value(text)
    return output.value(store, { name = change.name, type = change.type,
      text = text, secret = change.secret })
  end
  return value(change.old), value(change.new)
end

local function change_rows(store, changes)
  local rows = { { "PARAMETER", "OLD", "NEW", "RULE" } }
  for _, change in ipairs(changes) do
    local old, new = shown_change(store, change)
    if change.old == change.new then
      old, new = "ua " .. tostring(change.ua_old), "ua " ..
        tostring(change.ua_new)
    end
    rows[#rows + 1] = { change.name, output.clip(old, 32),
      output.clip(new, 48), change.rule }
  end
  return rows
end

local function rule_line(done)
  if done.outcome == "skipped" then
    return ("%s: skipped, %s"):format(done.rule, done.reason or "")
  end
  if done.outcome == "assigned" then
    return ("%s: assigned, nothing to fetch"):format(done.rule)
  end
  local parts = { ("%s: %s"):format(done.rule, done.url or "") }
  if done.status then parts[#parts + 1] = "HTTP " .. done.status end
  if done.missing then parts[#parts + 1] = "no such file, which is no fault" end
  if done.bytes then parts[#parts + 1] = ("%d bytes"):format(done.bytes) end
  local counts = done.counts
  if counts then
    parts[#parts + 1] = ("%d parameters"):format(counts.elements)
    if counts.unknown > 0 then
      parts[#parts + 1] = ("%d unknown"):format(counts.unknown)
    end
    if counts.bad > 0 then
      parts[#parts + 1] = ("%d refused"):format(counts.bad)
    end
  end
  if done.changes then
    parts[#parts + 1] = ("%d changed"):format(done.changes)
  end
  return table.concat(parts, ", ")
end

local MAX_NOTES <const> = 20

local function say_notes(result)
  for i, note in ipairs(result.notes) do
    if i > MAX_NOTES then
      output.say("and %d more notes (--json shows all)",
        #result.notes - MAX_NOTES)
      return
    end
    local text = output.note(note)
    if note.line and note.line > 0 then
      text = ("line %d: %s"):format(note.line, text)
    end
    output.say("%s", output.clip(text, 300))
  end
end

local function say_trace(trace)
  for _, step in ipairs(trace.steps) do
    local kind = step.step
    step.step = nil
    io.stderr:write(("  %-9s %s\n"):format(kind, json.encode(step)))
    step.step = kind
  end
end

-- Where the failed rule led: its URL, and where redirects ended.
local function way_of(trace)
  local asked, ended
  for _, step in ipairs(trace.steps) do
    if step.step == "rule" then asked, ended = nil, nil end
    if step.step == "fetch" then asked, ended = step.url, nil end
    if step.step == "redirect" then ended = step.to end
  end
  if not asked then return nil end
  return ended and ("%s -> %s"):format(asked, ended) or asked
end

local function failure_of(open, result)
  local failed = result.failure
  return { sentence = ("%s: %s"):format(failed.rule, failed.sentence),
    word = failed.word, place = failed.place,
    next = advice.of(failed, open.phone) }
end

-- The same for a person: with the URL.
local function told_failure(open, result)
  local failed, way = result.failure, way_of(result.trace)
  local told = failure_of(open, result)
  if way then
    told.sentence = ("%s: %s: %s"):format(failed.rule,
      shown.rule(open.store, way), failed.sentence)
  end
  return told
end

local function as_data(open, result)
  local out = { outcome = result.outcome, reason = result.reason,
    cycle = result.cycle, revision = result.revision,
    reboot = result.reboot or false, rules = json.array(),
    changes = json.array(), refused = json.array(result.refused),
    notes = json.array(result.notes) }
  for i, done in ipairs(result.rules) do
    out.rules[i] = { rule = done.rule, outcome = done.outcome, url = done.url,
      status = done.status, bytes = done.bytes, reason = done.reason,
      changes = done.changes, counts = done.counts, word = done.word,
      sentence = done.sentence, place = done.place,
      cause = done.cause and done.cause.text, err = done.err,
      class = done.class }
  end
  for i, change in ipairs(result.changes) do
    local old, new = shown_change(open.store, change)
    out.changes[i] = { name = change.name, old = old, new = new,
      secret = change.secret or nil, rule = change.rule, line = change.line,
      ua_old = change.ua_old, ua_new = change.ua_new,
      reboot = change.reboot or nil }
  end
  if result.failure then
    local failed = failure_of(open, result)
    out.error = { sentence = failed.sentence, word = failed.word,
      place = failed.place, next = failed.next }
  end
  return out
end

-- Rules without a text, by name: there is nothing to say of them.
local function empty_rules(trace)
  local empty = {}
  for _, step in ipairs(trace.steps) do
    if step.step == "rule" and step.word == "empty" then
      empty[step.rule] = true
    end
  end
  return empty
end

local function all_empty(done, empty)
  for _, one in ipairs(done) do
    if not empty[one.rule] then return false end
  end
  return true
end

local function print_result(open, result)
  local empty = empty_rules(result.trace)
  for _, done in ipairs(result.rules) do
    if done.outcome ~= "failure" and not empty[done.rule] then
      output.print(rule_line(done))
    end
  end
  if next(empty) and all_empty(result.rules, empty) then
    output.print("no rule asks for anything")
  end
  if #result.changes > 0 then
    output.print(output.columns(change_rows(open.store, result.changes),
      "  "))
  end
  for _, refused in ipairs(result.refused) do
    output.print(("  %s refused by %s: %s"):format(refused.name,
      refused.by or "a rule", refused.reason))
  end
end

local function summary(open, result)
  local n = #result.changes
  local text = ("resync ok: %d %s"):format(n, n == 1 and "change" or "changes")
  if result.revision and open.store_path then
    text = ("%s, revision %d"):format(text, result.revision)
  elseif n > 0 then
    text = text .. ", not kept (no --store)"
  end
  if result.reboot then text = text .. "; a reboot is needed" end
  output.print(text)
  if n > 0 and open.store_path then
    output.say("why? peal explain %s --store %s", result.changes[1].name,
      open.store_path)
  end
end

function resync.run(options)
  if #options > 1 then
    return nil, { sentence = "one rule at most: quote it", word = "usage",
      code = 2 }
  end
  local open, failed = session.open(options, { trust = true })
  if not open then return nil, failed end
  local result = open.world.run(cycle.run, open.phone, { asked_by = "cli",
    explicit = true, rule = options[1], prvst = -1 })
  if options.v then say_trace(result.trace) end
  if options.json then
    output.json(as_data(open, result))
  else
    print_result(open, result)
    say_notes(result)
  end
  if result.outcome == "refused" then
    output.say("refused: %s%s", result.reason,
      result.by and (" (%s)"):format(result.by) or "")
    return 3
  end
  if result.outcome == "failure" then
    output.failure(told_failure(open, result))
    return 1
  end
  if not options.json then summary(open, result) end
  return 0
end

return resync
