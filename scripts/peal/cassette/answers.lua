--- The servers of a cassette, for a virtual world: they answer as they did,
-- whoever asks in whatever order.
local contents = require "peal.cassette.contents"
local request_key = require "peal.world.request_key"

local function copy(value)
  if type(value) ~= "table" then return value end
  local out = {}
  for key, item in pairs(value) do out[key] = copy(item) end
  return out
end

-- Results by key, in the order in which they came.
local function by_key(list, key_of)
  local all = {}
  for _, one in ipairs(list) do
    local key = key_of(one)
    all[key] = all[key] or { n = 0 }
    table.insert(all[key], one.results)
  end
  return all
end

-- The next answer; the last one again and again. nil: there is none.
local function next_of(all, key)
  local known = all[key]
  if not known then return nil end
  known.n = math.min(known.n + 1, #known)
  local results = known[known.n]
  return copy(results), results.n
end

local function is_address(name)
  return name:find("^[%d.]+$") or name:find(":", 1, true)
end

--- @param c         a cassette
-- @param exchanges  as of contents.exchanges(); nil: the cassette's own
-- @param lookups    as of contents.lookups(); nil: the cassette's own
-- @treturn function server(request), for virtual.new(): the n-th answer to
--   the n-th request of that method and URL
-- @treturn function dns(name, kind, use_hosts), likewise
return function(c, exchanges, lookups)
  local fetched = by_key(exchanges or contents.exchanges(c), function(one)
    return request_key(one.request)
  end)
  local looked_up = by_key(lookups or contents.lookups(c), function(one)
    return ("%s %s"):format(one.kind, one.name)
  end)

  local function server(request)
    local key = request_key(request)
    local results, n = next_of(fetched, key)
    if results then return table.unpack(results, 1, n) end
    return nil, ("the cassette has no answer for %s"):format(
      key:match(" (.*)$")), "not-found"
  end

  local function dns(name, kind)
    local results, n = next_of(looked_up, ("%s %s"):format(kind, name))
    if results then return table.unpack(results, 1, n) end
    if kind ~= "SRV" and is_address(name) then
      return { { address = name, age = 0 } }
    end
    return nil, ("the cassette has no answer for %s"):format(name), "dns"
  end

  return server, dns
end
