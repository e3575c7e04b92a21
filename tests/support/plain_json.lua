--- How JSON is written, in plain Lua: what the binding is compared with.
local json = require "peal.json"

local plain_json = {}

local MAX_DEPTH <const> = 64
local ARRAY <const> = getmetatable(json.array {})

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
    out[#out + 1] = quote(k) .. ":"
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
function plain_json.encode(value, indent)
  local out = {}
  write(value, out, 1, indent)
  return table.concat(out)
end

return plain_json
