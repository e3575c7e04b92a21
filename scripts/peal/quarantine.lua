--- Profiles that did the phone no good: neither the same bytes nor what they
-- changed is applied again. (A server that encrypts each answer anew, or writes
-- the time into a comment, sends other bytes each time.) Our choice throughout.
local encode = require "peal.encode"
local json = require "peal.json"

local quarantine = {}

local NAMESPACE <const> = "quarantine"
local KEY <const> = "profiles"
local KEPT <const> = 16

--- SHA-256 of a profile as it came, in hex.
function quarantine.hash(bytes)
  local digest = encode.sha256()
  digest:add(bytes)
  return digest:hex()
end

--- What is kept away, the newest first: { hash, mark, url, time }.
function quarantine.list(phone)
  local text = phone.keep:get(NAMESPACE, KEY)
  local list = text and json.decode(text)
  return type(list) == "table" and list or {}
end

local function write(phone, list)
  phone.keep:set(NAMESPACE, KEY, #list > 0
    and json.encode(json.array(list)) or nil)
end

--- The entry of a hash or of a mark, or nil.
function quarantine.find(phone, hash, mark)
  for _, entry in ipairs(quarantine.list(phone)) do
    if entry.hash == hash or mark and entry.mark == mark then return entry end
  end
end

--- Let a profile pass again.
function quarantine.lift(phone, hash)
  local kept = {}
  for _, entry in ipairs(quarantine.list(phone)) do
    if entry.hash ~= hash then kept[#kept + 1] = entry end
  end
  write(phone, kept)
end

--- Keep a profile away; of more than 16 the oldest is forgotten.
--   url    without credentials
--   mark   of what the profile changed, see health.held()
function quarantine.add(phone, hash, url, mark)
  quarantine.lift(phone, hash)
  local list = quarantine.list(phone)
  table.insert(list, 1, { hash = hash, url = url, mark = mark,
    time = math.floor(phone.world.now().time) })
  list[KEPT + 1] = nil
  write(phone, list)
end

return quarantine
