--- What a cassette begins with, made anew: schema, store, anchors, phone.
local contents = require "peal.cassette.contents"
local registry = require "peal.registry"
local rule_files = require "peal.world.rule_files"
local store = require "peal.store"
local trust = require "peal.trust"

local start = {}

-- One schema for all phones that have no parameters of a maker's.
local builtin

local function schema_of(added)
  if added[1] then return registry.load { extra = added } end
  local sentence, word
  if not builtin then builtin, sentence, word = registry.load {} end
  return builtin, sentence, word
end

local function anchors_of(list)
  if not list then return nil end
  local anchors, sentence, word = trust.anchors()
  if not anchors then return nil, sentence, word end
  for _, der in ipairs(list) do
    local ok
    ok, sentence, word = anchors:add(trust.pem(der))
    if not ok then return nil, sentence, word end
  end
  return anchors
end

--- A store in memory of what stood in one.
function start.store(schema, kept)
  return store.open { schema = schema, bytes = kept.bytes, key = kept.key }
end

-- The rule files in force at the beginning.
local function rules_of(cassette)
  local sources = rule_files.read()
  for name, source in pairs(cassette.sources[1] or {}) do
    sources[name] = source
  end
  return sources
end

--- @treturn[1] table see cassette.start()
-- @return[2] nil, sentence, word
function start.of(cassette)
  local out = {}
  local sentence, word
  out.schema, sentence, word = schema_of(cassette.registry)
  if not out.schema then return nil, sentence, word end
  out.store, sentence, word = start.store(out.schema, cassette.store)
  if not out.store then return nil, sentence, word end
  out.anchors, sentence, word = anchors_of(cassette.anchors)
  if sentence then return nil, sentence, word end
  local ok, began = pcall(contents.began, cassette)
  if not ok then return nil, "the cassette's tape is damaged", "corrupt" end
  out.time, out.zone = began.time, began.zone
  out.rules, out.request = rules_of(cassette), cassette.request
  out.phone = {}
  for key, value in pairs(cassette.phone) do out.phone[key] = value end
  out.phone.certificate = nil
  out.certificate = cassette.phone.certificate
  return out
end

return start
