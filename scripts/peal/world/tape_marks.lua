--- What is no plain data and crosses a recorded seam: functions, and handles
-- such as keys. On both sides of a tape they go by numbers, given in the order
-- in which they come through:
--   o  came from the outside: a key, a member of the device, TLS sessions
--   f  was handed to the outside: a function to be called back, an event
--   s  a long text of what was asked: its SHA-256
--   u  a handle of the engine's own making: the digest of what it holds
local encode = require "peal.encode"

local marks = {}

-- Texts that long stand as their digests in what was asked.
local LONG <const> = 256

local function sha256(text)
  return encode.sha256():add(text):hex()
end

-- Anchors go by their certificates: dear to list, and asked for again.
local known = setmetatable({}, { __mode = "k" })

local function anchors_digest(anchors)
  local list = {}
  for i, facts in ipairs(anchors:facts()) do list[i] = facts.sha256 end
  return sha256(table.concat(list))
end

local function cipher_digest(ciphers)
  return sha256(table.concat(ciphers:names(), ":"))
end

-- What a handle of peal.trust holds, as a text.
local function digest(handle)
  local found = known[handle]
  if found then return found end
  local methods = getmetatable(handle).__index
  local has = type(methods) == "table" and methods or handle
  if has.facts and has.add then
    found = anchors_digest(handle)
  elseif has.digest then
    found = handle:digest()
  else
    found = cipher_digest(handle)
  end
  known[handle] = found
  return found
end

--- Numbers of things, in the order in which they were seen first.
function marks.numbers()
  local ids, list = {}, {}
  return {
    list = list,
    --- Its number; nil: not seen yet.
    of = function(thing) return ids[thing] end,
    --- Its number, a new one if need be; and whether it is new.
    take = function(thing)
      local id = ids[thing]
      if id then return id, false end
      id = #list + 1
      list[id], ids[thing] = thing, id
      return id, true
    end,
  }
end

--- A function for form.pack() of what was asked.
--   outside(value)   number of what came from there, or nil
--   inside           numbers of what was handed out
function marks.asked(outside, inside)
  return function(value, kind)
    if kind == "string" then
      if outside(value) then return "o" .. outside(value) end
      return #value > LONG and "s" .. sha256(value) or nil
    elseif kind == "table" then
      return outside(value) and "o" .. outside(value)
        or inside.of(value) and "f" .. inside.of(value) or nil
    elseif kind == "function" then
      return outside(value) and "o" .. outside(value)
        or "f" .. inside.take(value)
    elseif kind == "userdata" then
      return "u" .. digest(value)
    end
  end
end

return marks
