--- Staging and committing values: assignments, profiles, the apply rule.
local alias = require "peal.alias"
local context = require "peal.cycle.context"
local decode = require "peal.decode"
local json = require "peal.json"
local last_resync = require "peal.last_resync"
local secret = require "peal.secret"
local sorted = require "peal.sorted"
local transport = require "peal.transport"
local visible = require "peal.visible"

local values = {}

-- Changes of a transaction as the apply rule sees them.
local function shown_changes(phone, changes)
  local list = {}
  for i, change in ipairs(changes) do
    local old, new = change.old, change.new
    if change.secret then
      old = phone.world.store:fingerprint(old)
      new = phone.world.store:fingerprint(new)
    end
    list[i] = { name = change.name, type = change.type, old = old, new = new,
      secret = change.secret, reboot = change.reboot, line = change.line }
  end
  return list
end

-- Out of memory in the midst of a transaction: nothing of it counts.
local function give_up(txn, sentence, word)
  txn:abort()
  return nil, { sentence = sentence, word = word }
end

-- Stage a value that may refer to secrets: they may stand in a secret only.
-- nil, sentence, "secret" else, or as txn:set() has it.
local function set(run, txn, name, value)
  if not secret.holds(value) then return txn:set(name, value) end
  local about = run.phone.world.store:value(name)
  if not about or not about.secret then
    return nil, "a secret may only be put into a secret parameter", "secret"
  end
  local text, sentence, word = secret.resolve(value,
    function(of) return run.phone:secret(of) end)
  if not text then return nil, sentence, word end
  return txn:set(name, text)
end

-- Say what came of nothing.
--   by   whose decision it was: a rule's name, or a rule file's
local function skipped(run, by, what, name, sentence, word)
  context.note(run, word, visible.line(name),
    visible.line(("%s: %s %s skipped: %s"):format(by, what, name, sentence)))
end

local function refuse_one(run, txn, name, reason, by)
  local ok, sentence, word = txn:revoke(name)
  if not ok then return give_up(txn, sentence, word) end
  run.trace:add("refused", { name = name, by = by, reason = reason })
  table.insert(run.result.refused, { name = name, reason = reason, by = by })
  return true
end

local function refuse_some(run, txn, changes, verdict)
  local refuse, used = verdict.refuse or {}, {}
  for _, staged in ipairs(changes) do
    local reason = refuse[staged.name]
    if reason then
      local ok, failed = refuse_one(run, txn, staged.name, reason,
        verdict.rule_file)
      if not ok then return nil, failed end
      used[staged.name] = true
    end
  end
  for _, name in ipairs(sorted.keys(refuse)) do
    if not used[name] then
      skipped(run, verdict.rule_file or "rule", "refusal of", name,
        "the profile does not change it", "not-changed")
    end
  end
  return true
end

local function change_some(run, name, where, txn, verdict)
  local by = verdict.rule_file or "rule"
  local ok, sentence, word = txn:source { cycle = run.trace.cycle,
    author = by, rule = name, url = where }
  if not ok then return give_up(txn, sentence, word) end
  for _, param in ipairs(sorted.keys(verdict.change or {})) do
    ok, sentence, word = set(run, txn, param, verdict.change[param])
    if word == "resource" then return give_up(txn, sentence, word) end
    run.trace:add("changed", { name = visible.line(param),
      by = verdict.rule_file, word = not ok and word or nil,
      text = not ok and visible.line(sentence) or nil })
    if not ok then skipped(run, by, "change of", param, sentence, word) end
  end
  return true
end

--- Let the apply rule have its say about staged values.
-- @treturn[1] table the changes left
-- @return[2] nil and a failure; the transaction is over
function values.review(run, name, where, txn)
  local changes, sentence, word = txn:changes()
  if not changes then return give_up(txn, sentence, word) end
  if #changes == 0 then return changes end
  local verdict = context.ask(run, "apply", {
    rule = { name = name }, url = where,
    changes = shown_changes(run.phone, changes) })
  if next(verdict.refuse or {}) == nil and next(verdict.change or {}) == nil
  then
    return changes
  end
  local ok, failed = refuse_some(run, txn, changes, verdict)
  if ok then ok, failed = change_some(run, name, where, txn, verdict) end
  if not ok then return nil, failed end
  changes, sentence, word = txn:changes()
  if not changes then return give_up(txn, sentence, word) end
  return changes
end

-- Is a rule behind this one still to come, by the values staged?
local function is_last(run, index, txn)
  for i = index + 1, #run.names do
    local name = run.names[i]
    local text = run.phone.overrides[name]
    if text == nil then
      local about = txn:value(name)
      text = about and about.text
    end
    if text and text:find("%S") then return false end
  end
  return true
end

--- Commit staged values with the trace as far as it goes.
-- `ends`: the cycle may end with this commit.
function values.commit(run, index, name, txn, changes, ends)
  if #changes == 0 then
    txn:abort()
    return true
  end
  -- who waits for a parameter to be written (nil on a phone at work)
  local on_staged = run.phone.on_staged
  if on_staged then on_staged(run, name, changes) end
  run.trace:add("commit", { rule = name, changes = #changes })
  if ends and is_last(run, index, txn) then
    run.trace.outcome = "success"
    last_resync.remember(run.phone, { outcome = "success",
      cycle = run.trace.cycle }, run.asked_by)
  end
  local revision
  local keep = run.phone.keep
  local ok, sentence, word = keep:stage(txn)
  if ok then
    ok, sentence, word = txn:state("trace", "cycle", run.trace:encode())
  end
  if not ok then
    txn:abort()
  else
    revision, sentence, word = txn:commit("resync",
      math.floor(run.phone.world.now().time))
  end
  if not revision then
    run.trace.outcome = nil
    return nil, { sentence = sentence, word = word }
  end
  keep:committed()
  for _, change in ipairs(changes) do
    change.rule, change.revision = name, revision
    run.phone.overrides[change.name] = nil
    table.insert(run.result.changes, change)
  end
  run.result.revision = revision
  local device = run.phone.world.device
  if device.apply then device.apply(changes) end
  return true
end

local function begin(run, source)
  local txn, sentence, word = run.phone.world.store:begin()
  if not txn then return nil, { sentence = sentence, word = word } end
  source.cycle = run.trace.cycle
  local ok
  ok, sentence, word = txn:source(source)
  if not ok then return give_up(txn, sentence, word) end
  txn:keep_unknown(run.phone.keep_unknown or false)
  return txn
end

--- The assignments of a rule; committed even if the download fails.
-- `ends`: nothing is fetched after them.
function values.assign(run, index, name, assigns, ends)
  if not assigns or #assigns == 0 then return true end
  local txn, failed = begin(run, { author = "assign", rule = name })
  if not txn then return nil, failed end
  for _, item in ipairs(assigns) do
    local ok, sentence, word = set(run, txn, item.name, item.value)
    if word == "resource" then return give_up(txn, sentence, word) end
    if not ok then
      skipped(run, name, "assignment to", item.name, sentence, word)
    end
  end
  local changes
  changes, failed = values.review(run, name, "", txn)
  if not changes then return nil, failed end
  return values.commit(run, index, name, txn, changes, ends)
end

local function alias_map(run, letter)
  if not letter then return nil end
  local name = "GPP_" .. letter:upper()
  local map, warnings = alias.parse(run.phone:param(name) or "")
  for _, text in ipairs(warnings or {}) do
    context.note(run, "bad-alias", name, name .. ": " .. text)
  end
  local out = {}
  for i, entry in ipairs(map) do
    out[i] = { path = table.concat(entry.path, "/"), name = entry.name }
  end
  return out
end

local function nonempty(text)
  return text ~= "" and text or nil
end

-- Parameters named in one step of a trace, at most.
local NAMED_MAX <const> = 64

local function trace_names(run, step, name, list)
  if #list == 0 then return end
  local more = #list > NAMED_MAX and #list - NAMED_MAX or nil
  for i = #list, NAMED_MAX + 1, -1 do list[i] = nil end
  run.trace:add(step, { rule = name, values = list, more = more })
end

-- Elements that have written nothing, and why: bad ones, unknown ones, and
-- those that the user's own value stays for.
local function trace_lost(run, name, txn, notes)
  local list = json.array()
  for _, note in ipairs(notes) do
    local kept = note.word == "unknown-name" and txn:value(note.name)
    if not kept then
      list[#list + 1] = { name = visible.line(note.name), line = note.line,
        word = note.word, text = visible.line(note.text) }
    end
  end
  for _, one in ipairs(txn:users()) do
    list[#list + 1] = { name = one.name, line = one.line,
      word = "user-value" }
  end
  trace_names(run, "lost", name, list)
end

-- What an earlier rule of this cycle has written, and this one says the same.
local function trace_same(run, name, txn)
  local list = json.array()
  for _, change in ipairs(run.result.changes) do
    local how, line = txn:touched(change.name)
    if how == "written" and txn:value(change.name).text == change.new then
      list[#list + 1] = { name = change.name, line = line }
    end
  end
  trace_names(run, "same", name, list)
end

--- Elements of the profile staged, and what is to be said of them.
function values.count(run, name, txn, where)
  local counts = txn:counts()
  run.trace:add("apply", { rule = name, url = where,
    elements = counts.elements, applied = counts.applied,
    unknown = counts.unknown, bad = counts.bad, kept = counts.kept })
  local notes = txn:notes()
  trace_lost(run, name, txn, notes)
  trace_same(run, name, txn)
  for _, note in ipairs(notes) do
    note.rule = name
    table.insert(run.result.notes, note)
  end
  if counts.elements == 0 then
    table.insert(run.result.notes, { word = "empty", rule = name,
      text = ("%s: the profile holds no parameter"):format(name) })
  end
  return counts
end

--- Decode the body and stage it; nil and a failure for a corrupt file.
function values.stage(run, name, get, answer, where)
  local body = answer.body or ""
  local txn, failed = begin(run, { author = "profile", rule = name,
    url = where })
  if not txn then return nil, failed end
  if body == "" then return txn end
  local facts, sentence, word, place = decode.apply(body, {
    key = get.key,
    ikm = nonempty(run.phone:param("IKM_HTTP_Encrypt_Content")),
    codings = transport.header(answer, "content-encoding", true),
    aliases = alias_map(run, get.alias),
  }, txn)
  if not facts then
    txn:abort()
    run.trace:add("decode", { word = word, text = sentence,
      line = place and place.line })
    return nil, { sentence = sentence, word = word, place = place }
  end
  run.trace:add("decode", { steps = json.array(facts.steps),
    bytes = facts.bytes_in, plain = facts.bytes_plain })
  return txn
end

return values
