--- What a store was: its revisions, what each has changed and who did it, and
-- the way back to one.
-- (history.lua has the lists of the status page, which is something else.)
local json = require "peal.json"
local put_back = require "peal.revisions.put_back"
local shown = require "peal.shown"

local revisions = {}

local function failure(sentence, word, next_step)
  return nil, { sentence = sentence, word = word, next = next_step }
end

-- --- finding and opening ---------------------------------------------------

-- "1, 4 to 9"
local function ranges(list)
  local out, first, last = {}, nil, nil
  local function close()
    if not first then return end
    out[#out + 1] = first == last and tostring(first)
      or ("%d to %d"):format(first, last)
  end
  for _, one in ipairs(list) do
    if last and one.number == last + 1 then
      last = one.number
    else
      close()
      first, last = one.number, one.number
    end
  end
  close()
  return table.concat(out, ", ")
end

-- All of them; those of a store in memory are the one it is at.
local function all(store)
  local list = store:revisions() or {}
  local newest = list[#list]
  if store:revision() > (newest and newest.number or 0) then
    list[#list + 1] = { number = store:revision(), cause = "" }
  end
  return list
end

local function no_such(list, what)
  return failure(("there is no revision %s"):format(what), "not-found",
    #list > 0 and "there are: " .. ranges(list) or "nothing was written yet")
end

local function is_kept(list, number)
  for _, one in ipairs(list) do
    if one.number == number then return true end
  end
  return false
end

-- The store as it was at a revision, and a function that lets it go.
-- @return[2] nil, sentence, word
local function open_at(store, number)
  if number == store:revision() then return store, function() end end
  local past, sentence, word = store:past(number)
  if past then return past, function() past:close() end end
  return nil, ("revision %d cannot be read: %s"):format(number, sentence), word
end

-- The same; @return[2] nil, failure
local function at(store, number)
  local past, close, word = open_at(store, number)
  if past then return past, close end
  local list, others = all(store), {}
  if not is_kept(list, number) then return no_such(list, number) end
  for _, one in ipairs(list) do
    if one.number ~= number and not one.damaged then
      others[#others + 1] = one
    end
  end
  return failure(close, word, "take another: " .. ranges(others))
end

-- --- comparing -------------------------------------------------------------

-- What a name has been that no registry knows, where it is not kept.
local function nothing(about)
  return { name = about.name, text = "", type = about.type, ua = about.ua,
    secret = about.secret, untyped = about.untyped, is_default = true,
    user_pref = false, user_modified = false, absent = true }
end

-- Pairs of values that are not the same, in the order of the registry.
local function changes_of(before, after)
  local list = {}
  for i, name in ipairs(after:changed(before)) do
    local old, new = before:value(name), after:value(name)
    list[i] = { old or nothing(new), new or nothing(old) }
  end
  return list
end

-- --- who wrote it ----------------------------------------------------------

local BY <const> = { profile = "rule", assign = "rule", health = "undo" }

--- Who has written a value, in a word or two: "Profile_Rule_B", "cli", "web",
-- "repl", "phone-file", "revert", "undo" (of rules/health.lua), or a rule and
-- the operator's file that had its say.
--   about   author, rule, as of store:value()
--   cause   of the revision, for values that are the default again
function revisions.author(about, cause)
  local author = about.author
  if about.is_default or not author or author == "" then
    cause = (cause or ""):match("^%S*")
    return BY[cause] or cause
  end
  local by = BY[author] or author
  if by == "rule" then return about.rule end
  if by:find("%.lua$") and (about.rule or "") ~= "" then
    return ("%s (%s)"):format(about.rule, by)
  end
  return by
end

local function nonempty(value)
  return value ~= "" and value ~= 0 and value or nil
end

-- A change as people and programs may see it.
local function public(store, pair, cause)
  local old, new = pair[1], pair[2]
  return { name = new.name, type = new.type, secret = new.secret or nil,
    old = shown.value(store, old), new = shown.value(store, new),
    ua_old = old.ua, ua_new = new.ua,
    user_old = old.user_modified, user_new = new.user_modified,
    pref_old = old.user_pref, pref_new = new.user_pref,
    default_old = old.is_default, default_new = new.is_default,
    same_text = old.text == new.text or nil,
    author = revisions.author(new, cause), rule = nonempty(new.rule),
    old_rule = not old.is_default and nonempty(old.rule) or nil,
    url = nonempty(new.url), line = nonempty(new.line),
    cycle = nonempty(new.cycle), revision = nonempty(new.revision) }
end

--- What is not the same in two stores, as diff() tells it. Both have the key
-- of fingerprints of `after`: one is a copy or a past of the other.
function revisions.compare(before, after, cause)
  local list = json.array {}
  for i, pair in ipairs(changes_of(before, after)) do
    list[i] = public(after, pair, cause)
  end
  return list
end

-- --- the list --------------------------------------------------------------

-- Commits of one cycle are one entry of the history.
local function joins(entry, one)
  return entry and one.cycle and one.cycle > 0 and entry.cycle == one.cycle
    and entry.cause == "resync" and one.cause == "resync"
end

local function add_authors(entry, names, store)
  local seen = {}
  for _, by in ipairs(entry.authors) do seen[by] = true end
  for _, name in ipairs(names) do
    local by = revisions.author(store:value(name) or { is_default = true },
      entry.cause)
    if by ~= "" and not seen[by] then
      seen[by] = true
      table.insert(entry.authors, by)
    end
  end
end

local function new_entry(one)
  return { number = one.number, first = one.number, time = one.time,
    cycle = nonempty(one.cycle), cause = one.cause, size = one.size,
    damaged = one.damaged, changes = 0, authors = json.array {} }
end

local function extend(entry, one)
  entry.number, entry.time, entry.size = one.number, one.time, one.size
end

-- The entry of each of these revisions.
local function entries_of(list)
  local out, entry = {}, nil
  for i, one in ipairs(list) do
    if not joins(entry, one) or one.damaged then
      entry = new_entry(one)
    else
      extend(entry, one)
    end
    out[i] = entry
  end
  return out
end

-- Names that a revision has changed. What the oldest one has is only known of
-- what it says itself.
local function changed_in(store, number, before)
  local names = store:changed(before)
  if before then return names end
  local own = {}
  for _, name in ipairs(names) do
    if store:value(name).revision == number then own[#own + 1] = name end
  end
  return own
end

-- Calls each(entry, names that changed, the store then) for every revision;
-- those that cannot be read have changed none, and there is no store.
local function walk(store, each)
  local list = all(store)
  local before, close_before = nil, function() end
  for i, entry in ipairs(entries_of(list)) do
    local one = list[i]
    local past, close = open_at(store, one.number)
    if past then
      each(entry, changed_in(past, one.number, before), past)
      close_before()
      before, close_before = past, close
    else
      entry.damaged = one.damaged or close
      each(entry, {})
    end
  end
  close_before()
end

local function value_at(past, value, entry)
  local about = public(past, { value, value }, entry.cause)
  return { value = about.new, ua = about.ua_new, default = about.default_new,
    user = about.user_new or nil, secret = about.secret,
    author = about.author, rule = about.rule, url = about.url,
    line = about.line, revision = entry.number, time = entry.time,
    cycle = about.cycle, cause = entry.cause }
end

-- The values that one parameter has had.
local function list_of(store, name)
  local out, first = json.array {}, true
  walk(store, function(entry, names, past)
    local about = past and past:value(name)
    for _, changed in ipairs(names) do
      if changed == name then
        out[#out + 1], first = value_at(past, about or nothing(
          store:value(name)), entry), false
      end
    end
    if first and about then
      -- the oldest revision has it from one that is not kept any more
      local was = value_at(past, about, entry)
      if about.revision ~= entry.number then
        was.revision, was.time, was.cause = nonempty(about.revision), nil, nil
      end
      if about.is_default then was.author = nil end
      out[#out + 1], first = was, false
    end
  end)
  return out
end

local function canonical(store, past, name)
  local about = store:value(name) or past and past:value(name)
  return about and about.name
end

--- The revisions that are kept, oldest first: { number, first (of its cycle),
-- time, cycle, cause, changes (how many parameters), authors (list), size,
-- damaged (why it cannot be read) }. Those that changed state only have no
-- changes.
-- With `name`: the values that it has had, oldest first: { value, ua, default,
-- author, rule, url, line, cycle, revision, time, cause }.
-- @return[2] nil, failure: no such parameter
function revisions.list(store, name)
  if name then
    name = canonical(store, nil, name)
    if not name then return failure("no such parameter", "unknown-name") end
    return list_of(store, name)
  end
  local out = json.array {}
  walk(store, function(entry, names, past)
    if out[#out] ~= entry then out[#out + 1] = entry end
    entry.changes = entry.changes + #names
    add_authors(entry, names, past)
  end)
  return out
end

-- The n-th newest of the entries that changed parameters, or nil. Looks no
-- further back than it has to.
local function newest_changed(store, n)
  local list = all(store)
  local entries, after = entries_of(list), nil
  -- Is it the entry of `after`? Known once the revision before it is open.
  local function is_it(before, older)
    local entry = after.entry
    entry.changes = entry.changes
      + #changed_in(after.store, after.number, before)
    after.close()
    if entry == older or entry.changes == 0 or entry.damaged then
      return false
    end
    n = n - 1
    return n == 0
  end
  for i = #list, 1, -1 do
    local past, close = open_at(store, list[i].number)
    if not past then
      entries[i].damaged = close
    elseif after and is_it(past, entries[i]) then
      close()
      return after.entry
    else
      after = { store = past, close = close, number = list[i].number,
        entry = entries[i] }
    end
  end
  return after and is_it() and after.entry or nil
end

--- The number that a text means: "12", or "-1": the one before the newest of
-- those that changed parameters, "-2" the one before that ...
-- @return[2] nil, failure
function revisions.number(store, text)
  local number = math.tointeger(tonumber(text))
  if not number then
    return failure(("not the number of a revision: %s"):format(
      tostring(text)), "usage", "see them: peal history --store DIR")
  end
  if number > 0 then return number end
  local entry = newest_changed(store, 1 - number)
  if not entry then return no_such(all(store), text) end
  return entry.number
end

local function named(list, names)
  if not names or #names == 0 then return list end
  local wanted, out = {}, json.array {}
  for _, name in ipairs(names) do wanted[name] = true end
  for _, change in ipairs(list) do
    if wanted[change.name] then out[#out + 1] = change end
  end
  return out
end

--- What is different between two revisions.
--   a, b    numbers; b nil: the newest
--   names   only these; nil: all
-- @treturn[1] table list of { name, old, new, type, secret, ua_old, ua_new,
--   user_old, user_new, default_old, default_new, same_text, author, rule, url,
--   line, cycle, revision }; old is of a, new of b; secrets as fingerprints
-- @return[2] nil, failure
function revisions.diff(store, a, b, names)
  local before, close_a = at(store, a)
  if not before then return nil, close_a end
  local after, close_b = at(store, b or store:revision())
  if not after then
    close_a()
    return nil, close_b
  end
  local list = revisions.compare(before, after)
  close_a()
  close_b()
  return named(list, names)
end

-- --- the way back ----------------------------------------------------------

local function same(now, old)
  return now and now.text == old.text and now.ua == old.ua
    and now.user_modified == old.user_modified
    and now.user_pref == old.user_pref
end

local function stage_one(txn, old)
  if old.absent then return txn:reset(old.name) end
  local ok, sentence, word = put_back(txn, old.name, old)
  if not ok then return nil, sentence, word end
  if not same(txn:value(old.name), old) then
    return nil, "its value of then is none of its type any more", "bad-value"
  end
  return true
end

local function stage(txn, pairs_back)
  for _, pair in ipairs(pairs_back) do
    local ok, sentence, word = stage_one(txn, pair[2])
    if not ok then
      return failure(("%s: %s"):format(pair[2].name, sentence), word,
        "nothing was written; name the parameters that are to come back")
    end
  end
  return true
end

-- Names as the registry writes them; all of them are known, now or then.
local function checked(store, past, names)
  local wanted = {}
  for _, name in ipairs(names or {}) do
    local known = canonical(store, past, name)
    if not known then
      return failure("no such parameter: " .. name, "unknown-name",
        "list them with: peal params")
    end
    wanted[known] = true
  end
  return next(wanted) and wanted or nil
end

-- What there is to put back: pairs of the value now and then.
local function to_put_back(store, n, names)
  local past, close = at(store, n)
  if not past then return nil, close end
  local wanted, failed = checked(store, past, names)
  local list = {}
  if not failed then
    for _, pair in ipairs(changes_of(store, past)) do
      if not wanted or wanted[pair[2].name] then list[#list + 1] = pair end
    end
  end
  close()
  if failed then return nil, failed end
  if #list == 0 then
    return failure(("nothing to put back: %s as in revision %d already")
      :format(wanted and "they are" or "all parameters are", n), "unchanged")
  end
  return list
end

--- What revert() would change, as diff() tells it: old is now, new is then.
-- @return[2] nil, failure: "unchanged" where there is nothing to put back
function revisions.preview(store, n, names)
  local list, failed = to_put_back(store, n, names)
  if not list then return nil, failed end
  local out = json.array {}
  for i, pair in ipairs(list) do out[i] = public(store, pair) end
  return out
end

-- Which of these has changed since somebody looked at them, at a revision?
-- That one is not kept any more: who knows?
local function moved_since(store, expect, pairs_back)
  if not expect or expect == store:revision() then return nil end
  local past, close = at(store, expect)
  if not past then return "revision " .. expect .. " is not kept any more" end
  local moved = {}
  for _, name in ipairs(store:changed(past)) do moved[name] = true end
  close()
  for _, pair in ipairs(pairs_back) do
    if moved[pair[2].name] then return pair[2].name end
  end
end

-- Stage what there is to put back, and say what that is.
local function stage_all(txn, about, n, names)
  local list, failed = to_put_back(about.store, n, names)
  if not list then return nil, failed end
  local moved = moved_since(about.store, about.expect, list)
  if moved then
    return failure("not what was shown any more: " .. moved, "changed",
      "look again; nothing was written")
  end
  local ok
  ok, failed = stage(txn, list)
  return ok and list, failed
end

--- Put parameters back to what they were, access and user flags too, in a new
-- revision; state stays as it is. To put that back is a revert as well.
--   about   store, time (s UTC); expect: the revision that somebody looked at;
--           where one of the parameters has changed since, nothing is done
--   n       number of the revision
--   names   list; nil or empty: all parameters
-- @treturn[1] table names that changed
-- @treturn[1] integer revision
-- @return[2] nil, failure { sentence, word, next }; "bad-state": another
--   transaction is open; "changed": see expect
function revisions.revert(about, n, names)
  -- first of all, for where another is open it is asked again and again
  local txn, sentence, word = about.store:begin()
  if not txn then return failure(sentence, word) end
  txn:source { author = "revert" }
  txn:keep_unknown(true)
  local list, failed = stage_all(txn, about, n, names)
  if not list then
    txn:abort()
    return nil, failed
  end
  local revision
  revision, sentence, word = txn:commit("revert " .. n,
    math.floor(about.time))
  if not revision then
    return failure(sentence, word, "the store is as it was")
  end
  local changed = {}
  for i, pair in ipairs(list) do changed[i] = pair[2].name end
  return changed, revision
end

return revisions
