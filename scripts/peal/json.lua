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

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n",
  ["\r"] = "\\r", ["\t"] = "\\t", ["\b"] = "\\b", ["\f"] = "\\f" }

local function escape(c)
  return ESCAPES[c] or ("\\u%04x"):format(c:byte())
end

-- Bytes that are not UTF-8 are written as U+FFFD: JSON cannot hold them.
local function utf8_only(text)
  if utf8.len(text) then return text end
  local out, at = {}, 1
  while at <= #text do
    local ok, bad = utf8.len(text, at)
    if ok then
      out[#out + 1] = text:sub(at)
      break
    end
    out[#out + 1] = text:sub(at, bad - 1) .. "\u{FFFD}"
    at = bad + 1
  end
  return table.concat(out)
end

local function quote(text)
  if not text:find('[^ !#-%[%]-~]') then return '"' .. text .. '"' end
  return '"' .. utf8_only(text):gsub('[%c"\\\x7f]', escape) .. '"'
end

local write

local function is_array(t)
  if getmetatable(t) == ARRAY then return true end
  return t[1] ~= nil
end

local function write_array(t, out, depth, indent)
  local n = #t
  if n == 0 then
    out[#out + 1] = "[]"
    return
  end
  local pad = indent and "\n" .. ("  "):rep(depth)
  for i = 1, n do
    out[#out + 1] = i == 1 and "[" or ","
    if pad then out[#out + 1] = pad end
    write(t[i], out, depth + 1, indent)
  end
  out[#out + 1] = (indent and "\n" .. ("  "):rep(depth - 1) or "") .. "]"
end

-- '"name":' of names that come again and again.
local NAMES_MAX <const> = 128
local names, known = {}, 0

local function name_text(key)
  local text = names[key]
  if text then return text end
  text = quote(key) .. ":"
  if known < NAMES_MAX then names[key], known = text, known + 1 end
  return text
end

local function keys_of(t)
  local keys, n = {}, 0
  for k in pairs(t) do
    n = n + 1
    keys[n] = type(k) == "string" and k or tostring(k)
  end
  if n > 1 then table.sort(keys) end
  return keys, n
end

local function write_object(t, out, depth, indent)
  local keys, n = keys_of(t)
  if n == 0 then
    out[#out + 1] = "{}"
    return
  end
  local pad = indent and "\n" .. ("  "):rep(depth)
  for i = 1, n do
    local k = keys[i]
    out[#out + 1] = i == 1 and "{" or ","
    if pad then out[#out + 1] = pad end
    out[#out + 1] = name_text(k)
    if pad then out[#out + 1] = " " end
    local v = t[k]
    if v == nil then v = t[tonumber(k)] end
    write(v, out, depth + 1, indent)
  end
  out[#out + 1] = (indent and "\n" .. ("  "):rep(depth - 1) or "") .. "}"
end

local function write_number(n)
  if math.type(n) == "integer" then return ("%d"):format(n) end
  if n ~= n or n == math.huge or n == -math.huge then return "null" end
  if n == math.floor(n) and math.abs(n) < 1e15 then return ("%d"):format(n) end
  return ("%.14g"):format(n)
end

function write(v, out, depth, indent)
  local kind = type(v)
  if kind == "string" then
    out[#out + 1] = quote(v)
  elseif depth > MAX_DEPTH then
    error("JSON deeper than " .. MAX_DEPTH .. " levels (a cycle?)", 0)
  elseif v == json.null or v == nil then
    out[#out + 1] = "null"
  elseif kind == "number" then
    out[#out + 1] = write_number(v)
  elseif kind == "boolean" then
    out[#out + 1] = tostring(v)
  elseif kind ~= "table" then
    error("no JSON for a " .. kind, 0)
  elseif is_array(v) then
    write_array(v, out, depth, indent)
  else
    write_object(v, out, depth, indent)
  end
end

--- Text of a value; with `indent` true on several lines.
function json.encode(value, indent)
  local out = {}
  write(value, out, 1, indent)
  return table.concat(out)
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
