--- Why does a parameter have its value, what has a cycle done, and why is none
-- running? From the store alone: provenance of the value, the traces that its
-- revisions keep, and the revisions before them; and from a status.
local causes = require "peal.explain.causes"
local civil = require "peal.civil"
local json = require "peal.json"
local now = require "peal.explain.now"
local revisions = require "peal.revisions"
local shown = require "peal.shown"
local steps = require "peal.explain.steps"
local traces = require "peal.explain.traces"
local tree = require "peal.explain.tree"

local explain = {}

local function nonempty(value)
  return value ~= "" and value ~= 0 and value or nil
end

-- The value as `text`, or the one in force, for a person.
local function value_of(store, about, text)
  return shown.value(store, { name = about.name, type = about.type,
    secret = about.secret, text = text or about.text })
end

-- --- where a value comes from ----------------------------------------------

local function source_of(about)
  if about.is_default then return { default = true } end
  return { author = nonempty(about.author), rule = nonempty(about.rule),
    url = nonempty(about.url), line = nonempty(about.line),
    revision = nonempty(about.revision) }
end

-- When a revision was committed, and why; nil: it is not kept.
--   kept   store:revisions(): asked for once, since it reads a bit of each
local function time_of(kept, number)
  for _, one in ipairs(kept) do
    if one.number == number then return one.time, one.cause end
  end
end

-- The newest revision older than `number`, to read; nil: there is none.
local function before(store, kept, number)
  local older
  for _, one in ipairs(kept) do
    if one.number < number then older = one.number end
  end
  return older and store:past(older) or nil
end

-- What the value has overrode: { value, default, author ..., time }.
local function overrode(store, kept, about)
  local older = before(store, kept, about.revision)
  local old = older and older:value(about.name)
  local found
  if old then
    found = source_of(old)
    found.value, found.default = value_of(older, old), old.is_default
  end
  if older then older:close() end
  if found then found.time = time_of(kept, found.revision) end
  return found
end

-- Of a value that was put back: from where it had it then.
local function put_back(store, found)
  local number = math.tointeger(tonumber((found.cause or ""):match(
    "^revert (%d+)$")))
  if found.author ~= "revert" or not number then return nil end
  local past = store:past(number)
  if not past then return { of = number, gone = true } end
  local about = past:value(found.name)
  local source = about and source_of(about) or { default = true }
  past:close()
  source.of = number
  return source
end

-- --- what its trace says ---------------------------------------------------

local WANTED <const> = { rule = true, resolve = true, srv = true,
  redirect = true, response = true, decode = true, fetch = true, note = true,
  trust = true, apply = true, failed = true }

-- Steps of the trace that belong to one rule, and the trigger.
local function steps_of(trace, rule)
  local out, current = json.array(), nil
  for _, step in ipairs(trace and trace.steps or {}) do
    if step.step == "rule" then current = step.rule end
    local touches = step.step == "trigger" or step.step == "health"
      or current == rule and WANTED[step.step]
    if touches then out[#out + 1] = step end
  end
  return out
end

local function find_trace(list, cycle, is_undo)
  for _, trace in ipairs(list) do
    if trace.cycle == cycle and (trace.undo or false) == is_undo
      and trace.outcome ~= "refused" then
      return trace
    end
  end
end

-- Is this name, as a profile wrote it, the parameter?
local function is_name(store, name, wanted)
  if name == wanted then return true end
  local about = name and store:value(name)
  return about and about.name == wanted
end

-- What a step says of a parameter that it did not change.
local function losses(store, step, name)
  local out = {}
  if (step.step == "refused" or step.step == "changed" and step.word)
    and is_name(store, step.name, name) then
    out[1] = { by = step.by, word = step.word or "refused",
      text = step.reason or step.text }
  elseif step.step == "note" and step.word ~= "refused"
    and step.name == name and (step.text or ""):find("skipped", 1, true) then
    out[1] = { word = step.word, text = step.text }
  elseif step.step == "lost" or step.step == "same" then
    for _, one in ipairs(step.values or {}) do
      if is_name(store, one.name, name) then
        out[#out + 1] = { line = nonempty(one.line), text = one.text,
          word = one.word or step.step }
      end
    end
  end
  return out
end

--   keeps   a name that no registry knows, and that is kept all the same
local function add_losses(store, out, trace, name, after, keeps)
  local behind, rule, url = after == nil, nil, nil
  for _, step in ipairs(trace.steps) do
    if step.step == "rule" then rule, url = step.rule, nil end
    if step.step == "fetch" then url = step.url end
    for _, one in ipairs(losses(store, step, name)) do
      local known = one.word ~= "unknown-name" or not keeps
      if known and (behind or one.word ~= "same") then
        one.cycle, one.time, one.rule, one.url = trace.cycle, trace.time,
          rule, url
        out[#out + 1] = one
      end
    end
    behind = behind or step.step == "commit" and step.rule == after
  end
end

local function failure_of(trace)
  for i = #trace.steps, 1, -1 do
    local step = trace.steps[i]
    if step.step == "failed" then
      return { cycle = trace.cycle, time = trace.time, rule = step.rule,
        word = step.word, text = step.text, failed = true }
    end
  end
end

-- Who has tried since, and in vain. A failed cycle might have.
local function lost(store, list, found)
  local out = json.array()
  local cycle = found.cycle or -1
  for i = #list, 1, -1 do
    local trace = list[i]
    if trace.cycle and trace.cycle >= cycle and not trace.undo then
      add_losses(store, out, trace, found.name,
        trace.cycle == cycle and found.rule or nil, found.untyped)
      if trace.outcome == "failure" and trace.cycle > cycle then
        out[#out + 1] = failure_of(trace)
      end
    end
  end
  return #out > 0 and out or nil
end

-- Why health took back what it wrote at a revision.
local function undo_steps(list, revision)
  for _, trace in ipairs(list) do
    if trace.undo and trace.revision >= revision then
      return steps_of(trace)
    end
  end
end

-- What the operator's apply rule has done to it in this cycle.
local function touched(store, trace, name)
  for _, step in ipairs(trace and trace.steps or {}) do
    if step.step == "changed" and not step.word
      and is_name(store, step.name, name) then
      return { by = step.by, what = "changed" }
    end
  end
end

local function add_trace(store, list, found)
  local trace = find_trace(list, found.cycle, found.author == "health")
  found.trace_kept = trace ~= nil
  found.asked_by = trace and trace.asked_by
  found.outcome = trace and trace.outcome
  found.steps = steps_of(trace, found.rule)
  found.touched = touched(store, trace, found.name)
end

-- A default that was another value before: since when, and by whom.
local function watch_default(kept, found)
  local since
  return function(st, number)
    if found.overrode then return end
    local about = st:value(found.name)
    if not about or about.is_default then
      since = number
    elseif since then
      found.overrode, found.revision = source_of(about), since
      found.overrode.value = value_of(st, about)
      found.overrode.time = time_of(kept, found.overrode.revision)
    end
  end
end

local function add_revision(kept, found)
  found.time, found.cause = time_of(kept, found.revision)
end

--- All that is known of a value, as plain data. Secrets are fingerprints.
--   where.override   value that --set gives for this run
--   where.waiting    traces that a daemon has yet to write (traces.lua)
-- @treturn table or nil for an unknown name
function explain.value(store, name, where)
  local about = store:value(name)
  if not about then return nil end
  where = where or {}
  local kept = store:revisions() or {}
  local override = where.override
  local found = { name = about.name, value = value_of(store, about),
    type = about.type, ua = about.ua,
    secret = shown.is_secret(store, about.name) or nil,
    user = about.user_modified or nil, user_pref = about.user_pref or nil,
    untyped = about.untyped or nil, default = about.is_default,
    override = override and (shown.is_secret(store, about.name) and "********"
      or value_of(store, about, override)) or nil }
  if not about.is_default then
    found.author, found.revision = about.author, about.revision
    found.rule, found.url = nonempty(about.rule), nonempty(about.url)
    found.line, found.cycle = nonempty(about.line), nonempty(about.cycle)
    add_revision(kept, found)
    found.overrode = overrode(store, kept, about)
    found.put_back = put_back(store, found)
  end
  local list = traces.all(store, kept, { waiting = where.waiting,
    from = nonempty(about.revision),
    look = about.is_default and watch_default(kept, found) or nil })
  if about.is_default and found.revision then
    add_revision(kept, found)
    found.author = revisions.author(about, found.cause)
    found.steps = found.author == "undo" and undo_steps(list, found.revision)
      or nil
  end
  if found.cycle then add_trace(store, list, found) end
  found.lost = lost(store, list, found)
  return found
end

--- What profiles and rules have tried with a name, in vain, as in `lost` of
-- value(): for names that are no parameters, too.
--   where   as there
function explain.attempts(store, name, where)
  local list = traces.all(store, store:revisions() or {}, where)
  return lost(store, list, { name = name })
    or json.array()
end

-- --- a cycle ---------------------------------------------------------------

local function kept_of(list)
  local seen, numbers = {}, json.array()
  for i = #list, 1, -1 do
    local cycle = list[i].cycle
    if cycle and not seen[cycle] then
      seen[cycle] = true
      numbers[#numbers + 1] = cycle
    end
  end
  return numbers
end

local function not_kept(list, wanted)
  local kept = kept_of(list)
  local sentence = wanted and ("the trace of cycle %s is not kept"):format(
    wanted) or "no trace of a cycle is kept"
  return nil, { sentence = sentence, word = "not-found", kept = kept,
    next = #kept > 0 and "kept are those of cycle "
      .. table.concat(kept, ", ") or "run one: peal resync --store DIR" }
end

-- What it has changed, between the revision before it and its last one; and
-- that one's number.
local function changes_of(store, kept, cycle)
  local previous, first, last
  for _, one in ipairs(kept) do
    if one.cycle == cycle and one.cause == "resync" then
      first, last = first or previous, one.number
    elseif not last then
      previous = one.number
    end
  end
  if not last then return nil end
  return last, first and revisions.diff(store, first, last) or nil
end

--- What a cycle has done, step by step; also one that failed or was refused.
--   n       its number; nil: the newest that is kept
--   where   as of value()
-- @treturn[1] table cycle, asked_by, time, outcome, reason, steps, revision,
--   changes (list as of revisions.diff(); nil: the revision before is gone),
--   undone (steps of the watch that took it back)
-- @return[2] nil, failure, with the numbers that are kept in `kept`
function explain.cycle(store, n, where)
  local kept = store:revisions() or {}
  local list = traces.all(store, kept, where)
  local found = n and find_trace(list, n, false)
  for _, trace in ipairs(list) do
    if not found and not trace.undo and (not n or trace.cycle == n) then
      found = trace
    end
  end
  if not found then return not_kept(list, n) end
  local undo = find_trace(list, found.cycle, true)
  local out = { cycle = found.cycle, asked_by = found.asked_by,
    time = found.time, outcome = found.outcome, reason = found.reason,
    explicit = found.explicit, prvst = found.prvst,
    steps = json.array(found.steps), undone = undo and undo.steps }
  if found.outcome ~= "refused" then
    out.revision, out.changes = changes_of(store, kept, found.cycle)
  end
  return out
end

--- Why no resync is running, and when the next will.
--   status   of an engine, or of a daemon's
-- @function explain.not_now
explain.not_now = now.of

-- --- texts -----------------------------------------------------------------

local function origin(about)
  if about.default then return "the factory default" end
  local parts = {}
  if about.rule then parts[1] = about.rule end
  if about.author ~= "profile" then
    parts[#parts + 1] = ("(%s)"):format(about.author)
  end
  if about.url then parts[#parts + 1] = about.url end
  if about.line then
    parts[#parts + 1] = ("line %d"):format(about.line)
  end
  return table.concat(parts, " ")
end

local function access(found)
  return ("%s, user access %s%s%s%s"):format(found.type, found.ua,
    found.user and ", the user's own" or "",
    found.user_pref and ", user-pref" or "",
    found.secret and ", secret (a fingerprint is shown)" or "")
end

local function written(branch, found)
  branch:add("revision", ("%d%s%s"):format(found.revision,
    found.cycle and (", cycle %d"):format(found.cycle) or "",
    found.time and ", " .. civil.iso(found.time) or ""))
  local back = found.put_back
  if back then
    branch:add("put back", ("as in revision %d%s"):format(back.of,
      back.gone and ", which cannot be read any more" or ": "
        .. origin(back)))
  end
  if found.author == "health" then
    branch:add("undone", "the phone was not well with what a resync wrote")
  end
  branch:add("because", causes.of(found.asked_by))
  if found.cycle and not found.trace_kept then
    branch:add("trace", ("that of cycle %d is not kept any more"):format(
      found.cycle))
  end
end

local function loss(branch, one)
  if one.failed then
    branch:add(nil, ("cycle %d failed: %s: %s"):format(one.cycle, one.rule,
      one.text))
    return
  end
  local where = { one.rule }
  where[#where + 1] = one.url
  if one.line then where[#where + 1] = "line " .. one.line end
  branch:add(nil, ("cycle %d, %s: %s%s"):format(one.cycle or 0,
    table.concat(where, " "), steps.lost(one),
    one.by and ", says " .. one.by or ""))
end

--- The tree of a value for a person.
function explain.text(found)
  local root = tree.new(("%s = %q"):format(found.name, found.value))
  root:add("type", access(found))
  if found.override then
    root:add("this run", ("--set gives %q"):format(found.override))
  end
  root:add("from", origin(found) .. (found.default and found.revision
    and (" again, since revision %d (%s)%s"):format(found.revision,
      found.author, found.time and ", " .. civil.iso(found.time) or "")
    or ""))
  if not found.default then written(root, found) end
  steps.add(root, found.steps or {})
  if found.touched then
    root:add("changed", "by " .. tostring(found.touched.by))
  end
  local old = found.overrode
  if old then
    root:add("overrode", ("%q, %s%s"):format(old.value, old.default
      and "the factory default" or ("revision %d: %s"):format(old.revision,
        origin(old)), old.time and ", " .. civil.iso(old.time) or ""))
  end
  if found.lost then
    local branch = root:add("in vain", "who else had a say, and lost")
    for _, one in ipairs(found.lost) do loss(branch, one) end
  end
  return root:write()
end

local function change(branch, one)
  local text = one.same_text and ("ua %s -> %s"):format(one.ua_old,
    one.ua_new) or ("%q -> %q"):format(one.old, one.new)
  branch:add(nil, ("%s: %s (%s)"):format(one.name, text, one.author))
end

--- The tree of a cycle for a person.
function explain.cycle_text(found)
  local root = tree.new(("cycle %s: %s%s"):format(found.cycle or "?",
    found.outcome or "unfinished",
    found.reason and ", " .. found.reason or ""))
  root:add("at", found.time and civil.iso(found.time))
  root:add("because", causes.of(found.asked_by))
  steps.add(root, found.steps)
  if found.revision then root:add("revision", tostring(found.revision)) end
  if found.changes then
    local branch = root:add("changes", tostring(#found.changes))
    for _, one in ipairs(found.changes) do change(branch, one) end
  end
  if found.undone then
    steps.add(root:add("undone", "the phone was not well with it"),
      found.undone)
  end
  return root:write()
end

--- The tree of why no resync is running.
-- @function explain.not_now_text
explain.not_now_text = now.text

return explain
