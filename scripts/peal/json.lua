--- JSON (RFC 8259), for --json output, traces and sockets.
-- Objects are written with sorted keys, so that equal data are equal texts.
-- An empty table is an array where json.array() marked it, else an object.
local json = {}

local MAX_DEPTH <const> = 64
local ARRAY = { __name = "json.array" }

--- Mark `list` as an array (matters when it is empty); returns it.
function json.array(list)
  return setmetatable(list or {}, ARRAY)
end

--- Stands for null inside tables.
json.null = setmetatable({}, { __name = "json.null",
  __tostring = function() return "null" end })

-- Of the binding, when it is first needed: who writes no JSON, such as
-- docs/generate-*.lua, does without.
local write

--- Text of a value; with `indent` true on several lines. Bytes that are not
-- UTF-8 become U+FFFD, and numbers that are not finite null: JSON has neither.
-- Raises for what is no data, and for what is too deep, as a cycle is.
function json.encode(value, indent)
  write = write or require("peal.jsontext").write
  return write(value, indent, ARRAY, json.null)
end

local function fail(s, at, what)
  error({ ("%s at byte %d of %d"):format(what, at - 1, #s) }, 0)
end

local function blank(s, at)
  return s:find("[^ \t\r\n]", at) or #s + 1
end

local UNESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t",
  ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local function read_unicode(s, at)
  local hex = s:match("^%x%x%x%x", at)
  if not hex then fail(s, at, "bad \\u escape") end
  local code = tonumber(hex, 16)
  if code >= 0xD800 and code < 0xDC00 then
    local low = s:match("^\\u(%x%x%x%x)", at + 4)
    low = low and tonumber(low, 16)
    if low and low >= 0xDC00 and low < 0xE000 then
      code = 0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00)
      return utf8.char(code), at + 10
    end
  end
  if code >= 0xD800 and code < 0xE000 then code = 0xFFFD end
  return utf8.char(code), at + 4
end

local function read_string(s, at)
  local out, from = {}, at + 1
  while true do
    local i = s:find('["\\%c]', from)
    if not i then fail(s, at, "unfinished string") end
    out[#out + 1] = s:sub(from, i - 1)
    local c = s:sub(i, i)
    if c == '"' then return table.concat(out), i + 1 end
    if c ~= "\\" then
      if c ~= "\x7f" then fail(s, i, "control character in a string") end
      out[#out + 1] = c
      from = i + 1
    else
      local e = s:sub(i + 1, i + 1)
      if e == "u" then
        out[#out + 1], from = read_unicode(s, i + 2)
      elseif UNESCAPES[e] then
        out[#out + 1], from = UNESCAPES[e], i + 2
      else
        fail(s, i, "bad escape")
      end
    end
  end
end

local read

local function read_array(s, at, depth)
  local list = json.array {}
  at = blank(s, at + 1)
  if s:sub(at, at) == "]" then return list, at + 1 end
  while true do
    list[#list + 1], at = read(s, at, depth + 1)
    at = blank(s, at)
    local c = s:sub(at, at)
    if c == "]" then return list, at + 1 end
    if c ~= "," then fail(s, at, "expected , or ]") end
    at = at + 1
  end
end

local function read_object(s, at, depth)
  local object = {}
  at = blank(s, at + 1)
  if s:sub(at, at) == "}" then return object, at + 1 end
  while true do
    at = blank(s, at)
    if s:sub(at, at) ~= '"' then fail(s, at, "expected a name") end
    local key
    key, at = read_string(s, at)
    at = blank(s, at)
    if s:sub(at, at) ~= ":" then fail(s, at, "expected :") end
    object[key], at = read(s, at + 1, depth + 1)
    at = blank(s, at)
    local c = s:sub(at, at)
    if c == "}" then return object, at + 1 end
    if c ~= "," then fail(s, at, "expected , or }") end
    at = at + 1
  end
end

local WORDS = { t = { "true", true }, f = { "false", false },
  n = { "null", json.null } }

function read(s, at, depth)
  if depth > MAX_DEPTH then fail(s, at, "nested too deep") end
  at = blank(s, at)
  local c = s:sub(at, at)
  if c == "{" then return read_object(s, at, depth) end
  if c == "[" then return read_array(s, at, depth) end
  if c == '"' then return read_string(s, at) end
  local word = WORDS[c]
  if word and s:sub(at, at + #word[1] - 1) == word[1] then
    return word[2], at + #word[1]
  end
  local number = s:match("^-?%d+%.?%d*[eE]?[+-]?%d*", at)
  local n = number and not number:find("^-?0%d") and tonumber(number)
  if not n then fail(s, at, "no JSON value") end
  return n, at + #number
end

--- Value of a JSON text; null becomes json.null.
-- @return[2] nil, sentence, "invalid"
function json.decode(text)
  local ok, value, at = pcall(read, text, 1, 1)
  if ok and blank(text, at) <= #text then
    ok, value = false, { "something follows the value" }
  end
  if not ok then
    local why = type(value) == "table" and value[1] or tostring(value)
    return nil, "not JSON: " .. why, "invalid"
  end
  return value
end

return json
