--- Profiles that did the phone no good: the same bytes are not applied again.
-- Our choice throughout.
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

--- What is kept away, the newest first: { hash, url, time }.
function quarantine.list(phone)
  local text = phone.keep:get(NAMESPACE, KEY)
  local list = text and json.decode(text)
  return type(list) == "table" and list or {}
end

local function write(phone, list)
  phone.keep:set(NAMESPACE, KEY, #list > 0
    and json.encode(json.array(list)) or nil)
end

--- The entry of a hash, or nil.
function quarantine.find(phone, hash)
  for _, entry in ipairs(quarantine.list(phone)) do
    if entry.hash == hash then return entry end
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
--   url   without credentials
function quarantine.add(phone, hash, url)
  quarantine.lift(phone, hash)
  local list = quarantine.list(phone)
  table.insert(list, 1, { hash = hash, url = url,
    time = math.floor(phone.world.now().time) })
  list[KEPT + 1] = nil
  write(phone, list)
end

return quarantine
