--- Checks data of a stranger against a shape, and copies what is right.
-- A check is a function(value, where): the copy, plain data of our own, or nil
-- and a sentence. What the shape does not name is an error. The walk goes as
-- deep as the shape, whatever the data refer to.
local json = require "peal.json"
local visible = require "peal.visible"

local shape = {}

local function keys_of(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
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

local function copy_fields(v, where, checks, keys)
  local out = {}
  for _, key in ipairs(keys) do
    if not checks[key] then
      return nil, ("%s has a field that is not known: %s"):format(where,
        key_text(key))
    end
    local copy, why = checks[key](v[key], where .. "." .. key)
    if copy == nil then return nil, why end
    out[key] = copy
  end
  return out
end

--- A table with fields of these names; those in `required` must be there.
function shape.record(checks, required)
  return function(v, where)
    if type(v) ~= "table" then return nil, where .. " is not a table" end
    local out, why = copy_fields(v, where, checks, keys_of(v))
    if not out then return nil, why end
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
    local keys, out = keys_of(v), json.array {}
    if #keys > max then
      return nil, ("%s has more than %d items"):format(where, max)
    end
    for i = 1, #keys do
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
