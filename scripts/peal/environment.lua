--- What a rule file may use: a fresh, small environment of pure functions, and
-- a view of the phone that cannot be changed.
-- Trusted code; runs in the engine for the factory's files, and in a box
-- (peal.sandbox) for those of operators.
local environment = {}

local BASE <const> = { "assert", "error", "ipairs", "math", "next", "pcall",
  "rawequal", "rawget", "rawlen", "select", "string", "table", "tonumber",
  "tostring", "type", "utf8", "xpcall", "coroutine" }

local HIDDEN <const> = { math = { random = true, randomseed = true },
  string = { dump = true } }

local getmetatable, setmetatable = getmetatable, setmetatable
local rawget, rawset, type = rawget, rawset, type

-- Tables in it are copied as well: what a rule writes is its own.
local function copy(module, hidden)
  local out = {}
  for key, value in pairs(module) do
    if not (hidden and hidden[key]) then
      out[key] = type(value) == "table" and copy(value) or value
    end
  end
  return out
end

local function check_table(t, name)
  if type(t) ~= "table" then
    error(("bad argument #1 to '%s' (table expected, got %s)"):format(name,
      type(t)), 3)
  end
end

-- Metatables of tables only: that of texts is shared by everybody. Nothing of
-- a rule runs after its decision, hence no __gc.
local function get_metatable(t)
  if type(t) == "table" then return getmetatable(t) end
end

local function set_metatable(t, meta)
  check_table(t, "setmetatable")
  if type(meta) == "table" and rawget(meta, "__gc") ~= nil then
    error("a rule cannot have a __gc", 2)
  elseif getmetatable(t) == "read-only" then
    error("a rule cannot change the phone (its metatable)", 2)
  elseif meta ~= nil and type(meta) ~= "table" then
    error("bad argument #2 to 'setmetatable' (nil or table expected)", 2)
  end
  return setmetatable(t, meta)
end

local function raw_set(t, key, value)
  check_table(t, "rawset")
  if getmetatable(t) == "read-only" then
    error(("a rule cannot change the phone (%s)"):format(tostring(key)), 2)
  end
  return rawset(t, key, value)
end

local function by_text(a, b)
  local left, right = type(a), type(b)
  if left ~= right then return left < right end
  if left == "number" or left == "string" then return a < b end
  return false
end

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys, by_text)
  return keys
end

-- pairs() in the order of the keys: Lua's own order differs from run to run,
-- and the same inputs must give the same decision.
function environment.ordered(t)
  if type(t) ~= "table" then
    error("bad argument #1 to 'pairs' (table expected, got " .. type(t)
      .. ")", 2)
  end
  local keys, i = sorted_keys(t), 0
  return function()
    local key, value
    repeat
      i = i + 1
      key = keys[i]
      if key ~= nil then value = t[key] end
    until key == nil or value ~= nil
    return key, value
  end, t, nil
end

local str = {}

--- Text without blanks at its ends.
function str.trim(text)
  return text:match("^%s*(.-)%s*$")
end

--- Pieces of `text` between separators (plain text).
function str.split(text, separator)
  if separator == "" then error("the separator is empty", 2) end
  local out, from = {}, 1
  while true do
    local a, b = text:find(separator, from, true)
    out[#out + 1] = text:sub(from, (a or 0) - 1)
    if not a then return out end
    from = b + 1
  end
end

function str.starts_with(text, start)
  return text:sub(1, #start) == start
end

--- A fresh environment for one rule file.
function environment.new()
  local env = {}
  for _, name in ipairs(BASE) do
    local value = _G[name]
    env[name] = type(value) == "table" and copy(value, HIDDEN[name]) or value
  end
  env.getmetatable, env.setmetatable = get_metatable, set_metatable
  env.rawset = raw_set
  env.pairs = environment.ordered
  env.str = copy(str)
  env.macro = copy(require "peal.macro")
  env.condition = copy(require "peal.condition")
  env.version = copy(require "peal.version")
  env.time = copy(require "peal.civil")
  env.classic = copy(require "peal.classic")
  return env
end

local function fields_of(t)
  return type(t) == "table" and getmetatable(t) == nil
end

--- `data` as a rule sees it: nothing in it can be changed.
function environment.freeze(data)
  return setmetatable({}, {
    __index = function(_, key)
      local value = data[key]
      return fields_of(value) and environment.freeze(value) or value
    end,
    __newindex = function(_, key)
      error(("a rule cannot change the phone (%s)"):format(tostring(key)), 2)
    end,
    __len = function() return #data end,
    __pairs = function(self)
      local keys, i = sorted_keys(data), 0
      return function()
        i = i + 1
        if keys[i] ~= nil then return keys[i], self[keys[i]] end
      end, self, nil
    end,
    __metatable = "read-only",
  })
end

return environment
