--- The administrator's certificate lists: what servers showed and was refused,
-- and what was decided about it.
--
-- A certificate is known by the SHA-256 of its DER form. Its states:
--   valid      built in, or imported: trusted until it expires
--   invalid    it failed a check, or has expired; nothing hangs on it
--   accepted   out of invalid: a server's certificate passes at once, a CA is
--              an anchor whatever its own dates
--   rejected   out of invalid: no connection with it, not even one that a rule
--              would let pass
-- Lists are "invalid", and by type "server" and "ca"; rejected ones of either
-- type stand in "server".
--
-- Kept in state "trust": "list", and "removed" for what is built in and was
-- removed; a factory reset forgets both. What a person does is written at once,
-- what servers bring about with the next commit.
-- Source: Gigaset wiki, Security, certificate lists; caps, and that a valid
-- server certificate counts as accepted while it lasts, are our choice.
local bundle = require "peal.custom_ca.bundle"
local civil = require "peal.civil"
local json = require "peal.json"
local sorted = require "peal.sorted"
local trust = require "peal.trust"

local certificates = {}

local NS <const> = "trust"

-- Servers can fill the list of invalid ones: its oldest entry makes way.
local INVALID_MAX <const> = 64
local INVALID_BYTES <const> = 128 << 10
local ONE_BYTES <const> = 16 << 10
-- What a person may import.
local IMPORT_BYTES <const> = 256 << 10
local IMPORT_MAX <const> = 64
local LISTED_MAX <const> = 256
-- All in the lists, as PEM: the store writes them with each commit.
local LISTED_BYTES <const> = 384 << 10

-- Of a fingerprint, and how many of them a person has to give.
local DIGITS <const> = 64
local PREFIX_MIN <const> = 4

-- --- what is kept ----------------------------------------------------------

-- entries: list of { id, state, type, reason, since, host, to, pem, builtin },
-- oldest first; removed: set of fingerprints.
local function read(phone)
  local text = phone.keep:get(NS, "list")
  local removed = phone.keep:get(NS, "removed")
  local lists = { entries = text and json.decode(text) or {}, removed = {},
    by_id = {}, texts = { text or "", removed or "" } }
  for _, entry in ipairs(lists.entries) do lists.by_id[entry.id] = entry end
  for _, id in ipairs(removed and json.decode(removed) or {}) do
    lists.removed[id] = true
  end
  return lists
end

local function is_as_kept(phone, lists)
  return lists.texts[1] == (phone.keep:get(NS, "list") or "")
    and lists.texts[2] == (phone.keep:get(NS, "removed") or "")
end

-- What is in memory follows the store: a factory reset and a revert change it
-- from outside.
local function lists_of(phone)
  local lists, revision = phone.certificates, phone.world.store:revision()
  if lists and lists.revision ~= revision and not is_as_kept(phone, lists) then
    lists = nil
  end
  lists = lists or read(phone)
  lists.revision, phone.certificates = revision, lists
  return lists
end

-- The same for who only looks: a phone that has none keeps nothing of that.
local function glance(phone)
  local lists = lists_of(phone)
  if not lists.entries[1] and not next(lists.removed) then
    phone.certificates = nil
  end
  return lists
end

local function drop(lists, entry)
  for i, one in ipairs(lists.entries) do
    if one == entry then table.remove(lists.entries, i) end
  end
  lists.by_id[entry.id] = nil
end

local function push(lists, entry)
  lists.entries[#lists.entries + 1] = entry
  lists.by_id[entry.id] = entry
end

-- The oldest invalid entries make way for the newest.
local function trim(lists)
  local count, bytes = 0, 0
  for i = #lists.entries, 1, -1 do
    local entry = lists.entries[i]
    if entry.state == "invalid" then
      count, bytes = count + 1, bytes + #entry.pem
      if count > INVALID_MAX or bytes > INVALID_BYTES then
        drop(lists, entry)
      end
    end
  end
end

local function write(phone)
  local lists = lists_of(phone)
  trim(lists)
  local list = lists.entries[1] and json.encode(lists.entries) or nil
  local removed = sorted.keys(lists.removed)
  removed = removed[1] and json.encode(removed) or nil
  phone.keep:set(NS, "list", list)
  phone.keep:set(NS, "removed", removed)
  lists.texts = { list or "", removed or "" }
end

-- What a person did takes effect at once, and is written at once.
local function settle(phone)
  write(phone)
  phone:trust_changed()
  local ok, sentence, word = phone.keep:flush("certificates")
  if ok then return true end
  return nil, "done, but it cannot be written: " .. sentence, word
end

local function since(phone)
  return math.floor(phone.world.now().time)
end

-- A time that is not later than now: a clock that was never set may show any.
local function time_of(phone)
  local now = phone.world.now()
  local earliest = now.earliest or 0
  return math.floor(now.trusted and math.max(now.time, earliest) or earliest)
end

local function new_entry(phone, facts, state, more)
  local entry = { id = facts.sha256, state = state,
    type = facts.is_ca and "ca" or "server", to = facts.to,
    pem = trust.pem(facts.der) }
  for key, value in pairs(more or {}) do entry[key] = value end
  return entry
end

-- --- what is built in ------------------------------------------------------

-- anchors -> facts of each; phones of one host share them.
local known_facts = setmetatable({}, { __mode = "k" })

local function facts_of(anchors)
  if not anchors then return {} end
  known_facts[anchors] = known_facts[anchors] or anchors:facts()
  return known_facts[anchors]
end

-- What is believed without an entry, and was not removed: the factory's
-- anchors, and what Custom_CA_Rule or somebody's URL has brought.
-- list of { facts =, custom = true or nil }, each fingerprint once
local function given(phone)
  local seen, list = {}, {}
  for id in pairs(lists_of(phone).removed) do seen[id] = true end
  local function add(all, custom)
    for _, facts in ipairs(all) do
      if not seen[facts.sha256] then
        seen[facts.sha256] = true
        list[#list + 1] = { facts = facts, custom = custom }
      end
    end
  end
  add(facts_of((phone.world.trust or {}).anchors))
  add(bundle.certificates(phone), true)
  return list
end

local function given_as(phone, id)
  for _, one in ipairs(given(phone)) do
    if one.facts.sha256 == id then return one end
  end
end

local function builtin(phone, id)
  local one = given_as(phone, id)
  return one and not one.custom and one.facts
end

-- One of given() as an entry, made anew each time.
local function given_entry(phone, one)
  local expired = one.facts.to < time_of(phone)
  return new_entry(phone, one.facts, expired and "invalid" or "valid", {
    reason = expired and "c.expired" or nil, type = "ca",
    builtin = not one.custom or nil, custom_ca = one.custom })
end

-- The entry that tells of a fingerprint: what a person has decided before what
-- is given, and that before that nobody knew it.
--   one   of given(), or nil
local function entry_of(phone, id, one)
  local entry = lists_of(phone).by_id[id]
  if one and (not entry or entry.reason == "c.untrusted"
    and entry.state == "invalid") then
    return given_entry(phone, one)
  end
  return entry
end

-- --- for people ------------------------------------------------------------

local SHOWN <const> = { "subject", "cn", "issuer", "serial", "not_before",
  "not_after", "key_type", "key_bits", "sha256", "sha1", "is_ca",
  "self_signed" }

local function list_of(entry)
  if entry.state == "invalid" then return "invalid" end
  return entry.state == "rejected" and "server" or entry.type
end

-- An entry with the facts of its certificate.
local function view(entry, facts)
  local out = { id = entry.id, list = list_of(entry), state = entry.state,
    type = entry.type, reason = entry.reason,
    since = entry.since and civil.iso(entry.since),
    host = entry.host, builtin = entry.builtin or false,
    custom_ca = entry.custom_ca or false }
  facts = facts or (trust.parse(entry.pem) or {})[1] or {}
  for _, name in ipairs(SHOWN) do out[name] = facts[name] end
  out.sans = json.array(facts.sans or {})
  out.purposes = json.array(facts.purposes or {})
  return out
end

--- All certificates, the built-in ones first, then the Custom CA's, else
-- oldest first.
-- @treturn table list of { id, list, state, type, reason, builtin, custom_ca,
--   since, host, subject, cn, issuer, serial, not_before, not_after, sans,
--   purposes, key_type, key_bits, sha256, sha1, is_ca, self_signed }
function certificates.list(phone)
  certificates.sweep(phone)
  local out, shown = {}, {}
  for _, one in ipairs(given(phone)) do
    local id = one.facts.sha256
    local entry = entry_of(phone, id, one)
    if entry ~= lists_of(phone).by_id[id] then
      shown[id] = true
      out[#out + 1] = view(entry, one.facts)
    end
  end
  for _, entry in ipairs(lists_of(phone).entries) do
    if not shown[entry.id] then out[#out + 1] = view(entry) end
  end
  return out
end

-- Fingerprints that begin so.
local function matching(phone, prefix)
  local found, seen = {}, {}
  local function look(id)
    if id:sub(1, #prefix) == prefix and not seen[id] then
      seen[id] = true
      found[#found + 1] = id
    end
  end
  for _, entry in ipairs(lists_of(phone).entries) do look(entry.id) end
  for _, one in ipairs(given(phone)) do look(one.facts.sha256) end
  return found
end

-- The entry that a person means, as it is kept, or nil, sentence, word.
local function meant(phone, text)
  local prefix = text:lower():gsub("[:%s]", "")
  if #prefix < PREFIX_MIN or #prefix > DIGITS or prefix:find("%X") then
    return nil, ("an id is the beginning of a SHA-256 fingerprint: %d to %d "
      .. "hexadecimal digits"):format(PREFIX_MIN, DIGITS), "invalid"
  end
  local found = matching(phone, prefix)
  if not found[1] then
    return nil, "no certificate with fingerprint " .. prefix, "not-found"
  elseif found[2] then
    return nil, ("%d certificates have fingerprints that begin with %s")
      :format(#found, prefix), "invalid"
  end
  return entry_of(phone, found[1], given_as(phone, found[1]))
end

--- One certificate, by its fingerprint or the beginning of it.
-- @treturn[1] table as in list()
-- @return[2] nil, sentence, "not-found" or "invalid"
function certificates.find(phone, id)
  certificates.sweep(phone)
  local entry, sentence, word = meant(phone, id)
  if not entry then return nil, sentence, word end
  return view(entry)
end

--- The certificate as PEM.
-- @return[2] nil, sentence, word
function certificates.pem(phone, id)
  local entry, sentence, word = meant(phone, id)
  if not entry then return nil, sentence, word end
  return entry.pem
end

-- --- what a person does ----------------------------------------------------

-- Out of the Invalid list.
local function decide(phone, id, state)
  certificates.sweep(phone)
  local entry, sentence, word = meant(phone, id)
  if not entry then return nil, sentence, word end
  if entry.state ~= "invalid" then
    return nil, "not in Invalid list: it is " .. entry.state, "bad-state"
  end
  local lists = lists_of(phone)
  local known = lists.by_id[entry.id]
  if known ~= entry then
    if known then drop(lists, known) end
    entry.custom_ca = nil
    push(lists, entry)
  end
  -- one of the factory's that was removed, and that a server has shown
  if state == "accepted" then lists.removed[entry.id] = nil end
  entry.state, entry.since = state, since(phone)
  local ok
  ok, sentence, word = settle(phone)
  if not ok then return nil, sentence, word end
  return view(entry)
end

--- Believe an invalid one from now on.
-- @treturn[1] table the entry
-- @return[2] nil, sentence, word: "bad-state" if it is not in the Invalid list
function certificates.accept(phone, id)
  return decide(phone, id, "accepted")
end

--- Never connect where an invalid one is shown again.
function certificates.reject(phone, id)
  return decide(phone, id, "rejected")
end

--- Forget one. What is built in stays away until a factory reset, what
-- Custom_CA_Rule has brought until its text changes.
-- @treturn[1] table the entry as it was; custom_ca_rule = true: the rule would
--   have brought it again
function certificates.remove(phone, id)
  local entry, sentence, word = meant(phone, id)
  if not entry then return nil, sentence, word end
  local lists = lists_of(phone)
  local shown, known = view(entry), lists.by_id[entry.id]
  if known then drop(lists, known) end
  if builtin(phone, entry.id) then lists.removed[entry.id] = true end
  local by_rule
  shown.custom_ca, by_rule = bundle.take_out(phone, entry.id)
  shown.custom_ca_rule = by_rule or nil
  local ok
  ok, sentence, word = settle(phone)
  if not ok then return nil, sentence, word end
  return shown
end

-- One certificate of an import: "added", "expired", "rejected" (it stays so) or
-- "duplicates"; and its entry.
local function import_one(phone, facts)
  local lists = lists_of(phone)
  local known = lists.by_id[facts.sha256]
  if known and (known.state == "valid" or known.state == "accepted")
    or not known and builtin(phone, facts.sha256) then
    return "duplicates"
  end
  local expired = facts.to < time_of(phone)
  if known and expired then
    return known.state == "rejected" and "rejected" or "duplicates", known
  end
  lists.removed[facts.sha256] = nil
  local entry = new_entry(phone, facts, expired and "invalid" or "valid",
    { reason = expired and "c.expired" or nil, since = since(phone) })
  if known then drop(lists, known) end
  if builtin(phone, facts.sha256) then
    return "added", given_entry(phone, { facts = facts })
  end
  push(lists, entry)
  return expired and "expired" or "added", entry
end

-- Is there no room for so many more? PEM is a third longer than DER.
local function no_room(phone, list)
  local entries, bytes = lists_of(phone).entries, 0
  for _, entry in ipairs(entries) do bytes = bytes + #entry.pem end
  for _, facts in ipairs(list) do bytes = bytes + #facts.der * 4 // 3 end
  if #list > IMPORT_MAX or #entries + #list > LISTED_MAX then
    return ("no more than %d certificates at once, and %d in all"):format(
      IMPORT_MAX, LISTED_MAX)
  elseif bytes > LISTED_BYTES then
    return ("the lists hold no more than %d KiB: remove some first"):format(
      LISTED_BYTES >> 10)
  end
end

--- Take in a file: PEM with one or many, or DER. One that was rejected is so
-- no more, unless it has expired.
-- @treturn[1] table { added = list of entries (lifted = true: it was rejected),
--   duplicates = n, expired = n, invalid = entries of the expired ones,
--   rejected = entries of those that stay so }
-- @return[2] nil, sentence, word; nothing was taken in
function certificates.import(phone, bytes)
  if #bytes > IMPORT_BYTES then
    return nil, ("more than %d KiB of certificates"):format(
      IMPORT_BYTES >> 10), "toobig"
  end
  local list, sentence, word = trust.parse(bytes)
  if not list then return nil, sentence, word end
  sentence = no_room(phone, list)
  if sentence then return nil, sentence, "limit" end
  local result = { added = {}, duplicates = 0, invalid = {}, rejected = {} }
  for _, facts in ipairs(list) do
    local known = lists_of(phone).by_id[facts.sha256]
    local what, entry = import_one(phone, facts)
    if what == "duplicates" then
      result.duplicates = result.duplicates + 1
    else
      local shown = view(entry, facts)
      shown.lifted = what == "added" and known and known.state == "rejected"
        or nil
      table.insert(result[what == "expired" and "invalid" or what], shown)
    end
  end
  result.expired = #result.invalid
  local ok
  ok, sentence, word = settle(phone)
  if not ok then return nil, sentence, word end
  return result
end

-- --- what happens by itself ------------------------------------------------

-- true: something is new.
local function record(phone, facts, reason, host)
  local lists = lists_of(phone)
  local known = lists.by_id[facts.sha256]
  if known then
    if known.state ~= "invalid" or known.reason == reason then return false end
    known.reason = reason
    return true
  end
  if not facts.der or #facts.der > ONE_BYTES then return false end
  local whole = (trust.parse(facts.der) or {})[1]
  if not whole then return false end
  push(lists, new_entry(phone, whole, "invalid",
    { reason = reason, host = host, since = since(phone) }))
  return true
end

-- The last certificate of a chain that ends nowhere, or at a root that was
-- removed, if it is a CA that nobody knows: accepting it lets all of its
-- servers pass.
local function strange_ca(phone, tls)
  local top, removed = tls.chain[#tls.chain], lists_of(phone).removed
  if #tls.chain < 2 or tls.anchor and not removed[tls.anchor]
    or not top.is_ca then
    return nil
  end
  return not builtin(phone, top.sha256) and top or nil
end

--- A server's certificate has failed a check: into the Invalid list with it.
-- One that is in another list already stays there; so does one of more than
-- 16 KiB, which nobody has.
--   tls    what the answer says of the connection: chain, anchor
--   word   the check that failed, such as "c.expired"
function certificates.note_failure(phone, tls, word, host)
  local leaf = tls.chain and tls.chain[1]
  if not leaf then return end
  local ca = word == "c.untrusted" and strange_ca(phone, tls)
  local new = record(phone, leaf, word, host)
  if ca then new = record(phone, ca, word, host) or new end
  if new then write(phone) end
end

--- Move what has expired to the Invalid list, as its newest.
-- @treturn table list of their entries
function certificates.sweep(phone)
  local lists, time, expired = glance(phone), time_of(phone), {}
  for _, entry in ipairs(lists.entries) do
    if entry.state == "valid" and entry.to < time then
      expired[#expired + 1] = entry
    end
  end
  if not expired[1] then return expired end
  for i, entry in ipairs(expired) do
    entry.state, entry.reason, entry.since = "invalid", "c.expired", time
    drop(lists, entry)
    push(lists, entry)
    expired[i] = view(entry)
  end
  write(phone)
  phone:trust_changed()
  return expired
end

--- What connections are judged by.
-- @treturn table anchors = list of { pem =, dateless = }; pinned, rejected,
--   removed = lists of fingerprints; expires = s UTC when the first of them
--   does, nil: never
function certificates.believed(phone)
  local lists = glance(phone)
  local out = { anchors = {}, pinned = {}, rejected = {},
    removed = sorted.keys(lists.removed) }
  for _, entry in ipairs(lists.entries) do
    local accepted = entry.state == "accepted"
    if entry.state == "rejected" then
      table.insert(out.rejected, entry.id)
    elseif accepted or entry.state == "valid" then
      if entry.type == "ca" then
        table.insert(out.anchors, { pem = entry.pem, dateless = accepted })
      else
        table.insert(out.pinned, entry.id)
      end
      if not accepted then
        out.expires = math.min(out.expires or entry.to, entry.to)
      end
    end
  end
  return out
end

return certificates
