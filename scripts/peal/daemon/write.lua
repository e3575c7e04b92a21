--- Parameters written by hand: all of them or none, checked like those of a
-- profile.
local write = {}

-- A transaction of a cycle ends when its rules have answered.
local TURNS_MAX <const> = 1000

local function failure(sentence, word, next_step)
  return nil, { sentence = sentence, word = word, next = next_step }
end

-- A profile could not hold such a value, nor a report show it.
local function check_bytes(name, value)
  if value:gsub("\t", ""):find("%c") then
    return failure(name .. ": control characters or line ends in the value",
      "bad-value", "write it on one line")
  end
  if not utf8.len(value) then
    return failure(name .. ": the value is not UTF-8", "bad-value",
      "convert it: iconv -t UTF-8")
  end
  return true
end

--- The failure for a name in no registry, with the nearest known one.
function write.unknown(schema, name)
  local near = schema:suggest(name)
  return failure(("no such parameter: %s"):format(
    require("peal.cli.output").clip(name)), "unknown-name",
    near and ("did you mean %s?"):format(near)
      or "list them with: peal params")
end

local function set_one(txn, schema, name, value)
  local ok, sentence, word
  if value == nil then
    ok, sentence, word = txn:reset(name)
  else
    ok, sentence, word = txn:set(name, value)
  end
  if ok then return true end
  if word == "unknown-name" then return write.unknown(schema, name) end
  return failure(("%s: %s"):format(name, sentence), word,
    word == "bad-value" and "its type and value now: peal explain " .. name
      or nil)
end

local function fill(txn, schema, list)
  for _, pair in ipairs(list) do
    local ok, failed = set_one(txn, schema, pair[1], pair[2])
    if not ok then return nil, failed end
  end
  local changes, sentence, word = txn:changes()
  if not changes then return failure(sentence, word) end
  return changes
end

-- Is the store still the one that somebody has looked at?
local function check_revision(about)
  local now = about.store:revision()
  if not about.revision or about.revision == now then return true end
  return failure(("the store is at revision %d by now, not at %d"):format(now,
    about.revision), "changed", "look at what has changed, and try again")
end

--- @param about  store, schema, keep_unknown, time (s UTC), author (nil:
--   "cli"), revision (that the store has to be at; nil: any)
-- @tparam table list of { name, value }; nil: back to the default
-- @treturn[1] table names that changed
-- @treturn[1] integer revision
-- @return[2] nil, { sentence, word, next }; "bad-state": another transaction
--   is open; "changed": the store is at another revision
function write.values(about, list)
  for _, pair in ipairs(list) do
    local ok, failed = check_bytes(pair[1], pair[2] or "")
    if not ok then return nil, failed end
  end
  local same, differs = check_revision(about)
  if not same then return nil, differs end
  local txn, sentence, word = about.store:begin()
  if not txn then return failure(sentence, word) end
  txn:source { author = about.author or "cli" }
  txn:keep_unknown(about.keep_unknown or false)
  local changes, failed = fill(txn, about.schema, list)
  if not changes then
    txn:abort()
    return nil, failed
  end
  local names = {}
  for i, change in ipairs(changes) do names[i] = change.name end
  local revision
  revision, sentence, word = txn:commit("set", math.floor(about.time))
  if not revision then
    return failure(sentence, word, "the store is as it was")
  end
  return names, revision
end

--- Try until no cycle is at a transaction: there is one at a time. In a task.
--   member   see daemon/member.lua
--   try      function() -> result, ... | nil, { sentence, word }
-- @return what it returned; nil, { sentence, word }: the word is not
--   "bad-state", or is so all the time
function write.in_turn(member, try)
  for _ = 1, TURNS_MAX do
    local result, more = try()
    if result or more.word ~= "bad-state" then return result, more end
    member.next_event()
  end
  return failure("a resync is writing all the time", "bad-state")
end

return write
