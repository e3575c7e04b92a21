--- What a cassette begins with, made anew: schema, store, anchors, phone.
local registry = require "peal.registry"
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
  if not list[1] then return nil end
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

--- @treturn[1] table schema, store, anchors, phone (what phone.new() takes)
-- @return[2] nil, sentence, word
function start.of(cassette)
  local schema, st, sentence, word
  schema, sentence, word = schema_of(cassette.registry)
  if not schema then return nil, sentence, word end
  st, sentence, word = start.store(schema, cassette.store)
  if not st then return nil, sentence, word end
  local anchors
  anchors, sentence, word = anchors_of(cassette.anchors)
  if sentence then return nil, sentence, word end
  local options = {}
  for key, value in pairs(cassette.phone) do options[key] = value end
  return { schema = schema, store = st, anchors = anchors, phone = options }
end

return start
