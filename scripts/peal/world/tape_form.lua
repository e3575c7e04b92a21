--- Values as bytes, and back: what a tape and a cassette are made of.
-- The same value always gives the same bytes, whatever the order of a table's
-- keys; octets stand as they are. What is no plain data, a function or a
-- userdata, is the caller's matter.
--   N T F             nil, true, false
--   I12;  D........   a whole number; another one, 8 octets
--   S3:abc            octets
--   {2:..value value ..}  items 1 to 2, then keys and values, then the end
--   Ok12;             a mark of the caller's: kind k, text
local form = {}

local pack, unpack = string.pack, string.unpack

-- Deeper than any answer; a table that holds itself ends here.
local DEPTH_MAX <const> = 64

local function before(a, b)
  local ta, tb = math.type(a) or type(a), math.type(b) or type(b)
  if ta ~= tb then return ta < tb end
  if ta == "boolean" then return a and not b end
  return a < b
end

local function other_keys(t, n)
  local keys
  for key in next, t do
    local is_item = math.type(key) == "integer" and key >= 1 and key <= n
    if not is_item then
      keys = keys or {}
      keys[#keys + 1] = key
    end
  end
  if keys and keys[2] then table.sort(keys, before) end
  return keys
end

local function length_of(t)
  local n = 0
  while rawget(t, n + 1) ~= nil do n = n + 1 end
  return n
end

local write

local function write_table(out, t, mark, depth)
  assert(depth < DEPTH_MAX, "a table is too deep to be kept")
  local n = length_of(t)
  out[#out + 1] = ("{%d:"):format(n)
  for i = 1, n do write(out, rawget(t, i), mark, depth + 1) end
  for _, key in ipairs(other_keys(t, n) or {}) do
    write(out, key, mark, depth + 1)
    write(out, rawget(t, key), mark, depth + 1)
  end
  out[#out + 1] = "}"
end

function write(out, value, mark, depth)
  local kind = type(value)
  local as = mark and mark(value, kind)
  if as then
    out[#out + 1] = ("O%s;"):format(as)
  elseif kind == "string" then
    out[#out + 1] = ("S%d:"):format(#value)
    out[#out + 1] = value
  elseif kind == "number" then
    out[#out + 1] = math.type(value) == "integer" and ("I%d;"):format(value)
      or pack("<c1d", "D", value)
  elseif kind == "table" then
    write_table(out, value, mark, depth)
  elseif kind == "nil" then
    out[#out + 1] = "N"
  elseif kind == "boolean" then
    out[#out + 1] = value and "T" or "F"
  else
    error(("a %s cannot be kept"):format(kind))
  end
end

--- Bytes of a value.
--   mark(value, kind)   a text without ";" for a value that is to stand as a
--                       mark; nil: as it is. nil: there are none
function form.pack(value, mark)
  local out = {}
  write(out, value, mark, 0)
  return table.concat(out)
end

--- The same of results: table.pack(...) or any table with n.
function form.pack_list(list, mark)
  local out = { ("L%d:"):format(list.n) }
  for i = 1, list.n do write(out, list[i], mark, 0) end
  return table.concat(out)
end

-- Values in one text: a store's parameters several times over. Few bytes of a
-- damaged file, packed, could fill the memory.
local VALUES_MAX <const> = 1000000

local READ <const> = {}

--   s   { text =, take =, left = how many values may still come }
local function read(s, at, depth)
  local fn = READ[s.text:sub(at, at)]
  s.left = s.left - 1
  if not fn or depth > DEPTH_MAX or s.left < 0 then error("damaged", 0) end
  return fn(s, at + 1, depth)
end

function READ.N(_, at) return nil, at end
function READ.T(_, at) return true, at end
function READ.F(_, at) return false, at end

local function number_up_to(text, at, stop)
  local digits = text:match("^%-?%d+", at)
  if not digits or #digits > 20 then error("damaged", 0) end
  local to = at + #digits
  local n = math.tointeger(tonumber(digits))
  if text:sub(to, to) ~= stop or not n then error("damaged", 0) end
  return n, to + 1
end

function READ.I(s, at) return number_up_to(s.text, at, ";") end

function READ.D(s, at)
  if at + 7 > #s.text then error("damaged", 0) end
  return unpack("<d", s.text, at)
end

function READ.S(s, at)
  local n, from = number_up_to(s.text, at, ":")
  if n < 0 or from + n - 1 > #s.text then error("damaged", 0) end
  return s.text:sub(from, from + n - 1), from + n
end

function READ.O(s, at)
  local as = s.text:match("^[^;]*", at)
  local to = at + #as
  if not s.take or s.text:sub(to, to) ~= ";" then error("damaged", 0) end
  return s.take(as), to + 1
end

READ["{"] = function(s, at, depth)
  local n
  n, at = number_up_to(s.text, at, ":")
  local t = {}
  for i = 1, n do t[i], at = read(s, at, depth + 1) end
  while s.text:sub(at, at) ~= "}" do
    local key, value
    key, at = read(s, at, depth + 1)
    value, at = read(s, at, depth + 1)
    if key == nil or key ~= key then error("damaged", 0) end
    t[key] = value
  end
  return t, at + 1
end

function READ.L(s, at, depth)
  local n
  n, at = number_up_to(s.text, at, ":")
  local list = { n = n }
  for i = 1, n do list[i], at = read(s, at, depth + 1) end
  return list, at
end

-- Fields that nobody is shown.
local SECRET <const> = { password = true, proxy_password = true, body = true }

-- A table without its own order: printed for people, keys in order.
local function shown(value)
  if type(value) == "string" then
    if #value > 80 then
      return ("%q... (%d bytes)"):format(value:sub(1, 60), #value)
    end
    return (("%q"):format(value):gsub("\\\n", "\\n"))
  end
  if type(value) ~= "table" then return tostring(value) end
  local n, parts = length_of(value), {}
  for i = 1, n do parts[i] = shown(value[i]) end
  for _, key in ipairs(other_keys(value, n) or {}) do
    if key ~= "n" then
      parts[#parts + 1] = ("%s = %s"):format(key,
        SECRET[key] and "********" or shown(value[key]))
    end
  end
  return "{" .. table.concat(parts, ", ") .. "}"
end

--- A value for people, on one line: long texts cut, passwords and bodies
-- blanked.
form.shown = shown

local function all_keys(a, b)
  local keys, seen = {}, {}
  for _, t in ipairs { a, b } do
    for key in next, t do
      if not seen[key] then keys[#keys + 1], seen[key] = key, true end
    end
  end
  table.sort(keys, before)
  return keys
end

local function deeper(path, key)
  if math.type(key) == "integer" then return ("%s[%d]"):format(path, key) end
  return path == "" and tostring(key) or ("%s.%s"):format(path, key)
end

--- Where two values differ first, for people: the path to it (a secret of one
-- has none of its texts), the one and the other; nil: nowhere.
function form.difference(a, b, path)
  path = path or ""
  if type(a) ~= "table" or type(b) ~= "table" then
    local same = a == b and math.type(a) == math.type(b)
    if same then return nil end
    return path, shown(a), shown(b)
  end
  for _, key in ipairs(all_keys(a, b)) do
    local at, one, other = form.difference(a[key], b[key], deeper(path, key))
    if at and SECRET[key] then return at, "one secret", "another one" end
    if at then return at, one, other end
  end
end

--- The value that these bytes stand for.
--   take(as)   what a mark stands for; nil: there are none
-- @treturn[1] any
-- @return[2] nil, sentence, "corrupt"
function form.unpack(text, take)
  local s = { text = text, take = take, left = VALUES_MAX }
  local ok, value, at = pcall(read, s, 1, 0)
  if ok and at == #text + 1 then return value end
  return nil, "these bytes are damaged", "corrupt"
end

-- More results than any function gives.
local LIST_MAX <const> = 250

--- The list that these bytes of pack_list() stand for. Of a table that says
-- otherwise, such as what was raised, there are no items.
-- @treturn[1] table with n
-- @return[2] nil, sentence, "corrupt"
function form.unpack_list(text, take)
  local list, sentence, word = form.unpack(text, take)
  if sentence then return nil, sentence, word end
  if type(list) ~= "table" then list = { n = -1 } end
  if list.n == nil then list.n = 0 end
  if math.type(list.n) == "integer" and list.n >= 0 and list.n <= LIST_MAX then
    return list
  end
  return nil, "these bytes are damaged", "corrupt"
end

return form
