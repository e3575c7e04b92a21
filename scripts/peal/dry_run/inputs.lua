--- What a plan went by, as digests: a plan file holds them, so that applying
-- it can tell what is another now. What may hold a secret (a value, a URL, a
-- profile) is digested under the store's key of fingerprints: by its digest
-- alone, one that is short could be guessed.
local encode = require "peal.encode"
local json = require "peal.json"
local shown = require "peal.shown"
local sorted = require "peal.sorted"
local transport = require "peal.transport"

local inputs = {}

local function digest(...)
  local hash = encode.sha256()
  for i = 1, select("#", ...) do
    hash:add(tostring((select(i, ...))))
    hash:add("\0")
  end
  return hash:hex()
end

-- The key of the store's fingerprints.
local function key_of(store)
  local _, key = store:bytes()
  return key
end

-- All values but the defaults, with who may see and change them.
local function of_store(store, key)
  local hash = encode.sha256()
  hash:add(key)
  for about in store:each() do
    if not about.is_default then
      hash:add(table.concat({ about.name, about.text, about.ua,
        tostring(about.user_modified), tostring(about.user_pref) }, "\0"))
      hash:add("\0\0")
    end
  end
  return { revision = store:revision(), digest = hash:hex(),
    id = digest(key, "store") }
end

-- By file: that they are another is said by name. They hold no secrets.
local function of_rules(sources)
  local out = {}
  for name, source in pairs(sources) do
    out[name] = { path = source.path, digest = digest(source.text
      or source.error) }
  end
  return out
end

-- Who the phone is, and what it was given besides its store.
local function of_phone(phone, key)
  local identity = {}
  for name, value in pairs(phone.identity) do identity[name] = value end
  return digest(key, json.encode { identity = identity,
    overrides = phone.overrides, account = phone.account or {},
    dhcp = phone.dhcp, state = phone.state,
    keep_unknown = phone.keep_unknown or false })
end

local function of_answer(store, key, one)
  local answer = one.results[1]
  local out = { asked = shown.rule(store, one.key),
    id = digest(key, one.key) }
  if type(answer) ~= "table" then
    out.word = one.results[3]
    out.digest = digest(key, "failed", one.results[3])
    return out
  end
  local body = answer.body or ""
  out.status, out.bytes = answer.status, #body
  out.digest = digest(key, answer.status,
    transport.header(answer, "content-encoding", true), body)
  return out
end

--- Answers of servers in the order of asking.
--   asked   of the dry world
function inputs.answers(store, asked)
  local key, list = key_of(store), json.array {}
  for _, one in ipairs(asked) do
    if one.call == "fetch" then
      list[#list + 1] = of_answer(store, key, one)
    end
  end
  return list
end

--- Of a rule's text, which may hold a key.
function inputs.rule(store, text)
  return text and digest(key_of(store), text)
end

--- What there is before anything is asked: store, rules, phone.
function inputs.before(phone)
  local store = phone.world.store
  local key = key_of(store)
  return { store = of_store(store, key), rules = of_rules(phone.world.rules()),
    phone = of_phone(phone, key) }
end

-- Values of a change, and who may see and change it.
local function change_text(change)
  return table.concat({ change.name, change.old, change.new,
    tostring(change.ua_old), tostring(change.ua_new), change.rule }, "\0")
end

--- What a cycle came to: its outcome and each change, name by name.
function inputs.result(store, result)
  local key, list = key_of(store), {}
  for i, change in ipairs(result.changes) do
    list[i] = { name = change.name, digest = digest(key, change_text(change)) }
  end
  return { outcome = result.outcome, changes = json.array(list) }
end

--- Names of files that are not the same in two `rules`.
function inputs.changed_rules(a, b)
  local all, out = {}, {}
  for _, rules in ipairs { a, b } do
    for name in pairs(rules) do all[name] = true end
  end
  for _, name in ipairs(sorted.keys(all)) do
    if not a[name] or not b[name] or a[name].digest ~= b[name].digest then
      out[#out + 1] = (b[name] or a[name]).path or name
    end
  end
  return out
end

return inputs
