--- Checks data of a stranger against a shape, and copies what is right.
-- A check is a function(value, where): the copy, plain data of our own, or nil
-- and a sentence. What the shape does not name is an error. The walk goes as
-- deep as the shape, whatever the data refer to.
local json = require "peal.json"
local visible = require "peal.visible"

local shape = {}

-- Names in a map at most: more than any phone has parameters.
local NAMES_MAX <const> = 16384

-- How many keys a table has, counted no further than `max` + 1.
local function count(t, max)
  local n, key = 0, next(t)
  while key ~= nil and n <= max do
    n, key = n + 1, next(t, key)
  end
  return n
end

-- Sorted, so that of two faults the same one is named each time.
local function keys_of(t)
  local keys = {}
  for key in next, t do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

local function key_text(key)
  if type(key) ~= "string" then return "a " .. type(key) end
  return visible.line(key, 60)
end

--- Any text as it is.
function shape.string(v, where)
  if type(v) ~= "string" then return nil, where .. " is not a text" end
  return v
end

--- A line for people.
function shape.line(v, where)
  if type(v) ~= "string" then return nil, where .. " is not a text" end
  return visible.line(v)
end

--- Text for people, its lines kept, of at most `max` bytes.
function shape.text(max)
  return function(v, where)
    if type(v) ~= "string" then return nil, where .. " is not a text" end
    return visible.text(v, max)
  end
end

--- Text that is a name: not empty, no control characters, no secrets.
function shape.name(v, where)
  if type(v) ~= "string" or v == "" or v:find("[\0-\31\127]") then
    return nil, where .. " is not a name"
  end
  return v
end

function shape.boolean(v, where)
  if type(v) ~= "boolean" then
    return nil, where .. " is not true or false"
  end
  return v
end

--- Text that matches a pattern; `what` says which.
function shape.match(pattern, what)
  return function(v, where)
    if type(v) ~= "string" or not v:find(pattern) then
      return nil, ("%s is not %s"):format(where, what)
    end
    return v
  end
end

--- An integer from lo to hi.
function shape.integer(lo, hi)
  return function(v, where)
    local n = type(v) == "number" and math.tointeger(v)
    if not n or n < lo or n > hi then
      return nil, ("%s is not an integer from %d to %d"):format(where, lo, hi)
    end
    return n
  end
end

--- Either of two checks, by the type of the value.
function shape.either(type_name, check, other)
  return function(v, where)
    return (type(v) == type_name and check or other)(v, where)
  end
end

-- A field that has no check: the first one by name.
local function stranger(v, checks)
  local first
  for key in next, v do
    local text = not checks[key] and key_text(key)
    if text and (not first or text < first) then first = text end
  end
  return first
end

--- A table with fields of these names; those in `required` must be there.
function shape.record(checks, required)
  local order = keys_of(checks)
  return function(v, where)
    if type(v) ~= "table" then return nil, where .. " is not a table" end
    local unknown = stranger(v, checks)
    if unknown then
      return nil, ("%s has a field that is not known: %s"):format(where,
        unknown)
    end
    local out = {}
    for _, key in ipairs(order) do
      if v[key] ~= nil then
        local copy, why = checks[key](v[key], where .. "." .. key)
        if copy == nil then return nil, why end
        out[key] = copy
      end
    end
    for _, key in ipairs(required or {}) do
      if out[key] == nil then
        return nil, ("%s has no %s"):format(where, key)
      end
    end
    return out
  end
end

--- A list of at most `max` items.
function shape.list(check, max)
  return function(v, where)
    if type(v) ~= "table" then return nil, where .. " is not a list" end
    local n, out = count(v, max), json.array {}
    if n > max then
      return nil, ("%s has more than %d items"):format(where, max)
    end
    for i = 1, n do
      if v[i] == nil then return nil, where .. " is not a list" end
      local copy, why = check(v[i], ("%s[%d]"):format(where, i))
      if copy == nil then return nil, why end
      out[i] = copy
    end
    return out
  end
end

--- A table from names to what `check` takes.
function shape.map(check)
  return function(v, where)
    if type(v) ~= "table" then return nil, where .. " is not a table" end
    if count(v, NAMES_MAX) > NAMES_MAX then
      return nil, ("%s has more than %d names"):format(where, NAMES_MAX)
    end
    local out = {}
    for _, key in ipairs(keys_of(v)) do
      local name, why = shape.name(key, "a name in " .. where)
      if not name then return nil, why end
      out[name], why = check(v[key], ("%s.%s"):format(where, key_text(key)))
      if out[name] == nil then return nil, why end
    end
    return out
  end
end

return shape
