--- Values as a person reads them: sorted, cut to the width of the terminal,
-- tables of records as columns. Cycles, endless __pairs and huge tables come
-- to an end.
local json = require "peal.json"

local civil = require "peal.civil"
local output = require "peal.cli.output"

local pretty = {}

local DEPTH <const> = 6
local ITEMS <const> = 200    -- of one table
local TOTAL <const> = 10000  -- of all tables in one value
local KEYS <const> = 10000   -- looked at, of one table
local TEXT_MAX <const> = 20000 -- bytes of one text
local CELL <const> = 48
local COLUMNS <const> = 12

local KEYWORDS <const> = {}
for word in ([[and break do else elseif end false for function goto if in local
  nil not or repeat return then true until while]]):gmatch("%a+") do
  KEYWORDS[word] = true
end

local ESCAPES <const> = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n",
  ["\r"] = "\\r", ["\t"] = "\\t" }

local function escape(c)
  return ESCAPES[c] or ("\\x%02x"):format(c:byte())
end

-- Control characters, those of U+0080 to U+009F too, and what is not UTF-8,
-- by their numbers: a terminal would obey them.
local function visible(text, set)
  text = text:gsub(set or '[%c"\\\127]', escape)
  if not utf8.len(text) then return (text:gsub("[\x80-\xff]", escape)) end
  return (text:gsub("\xC2([\x80-\x9F])", function(c)
    return ("\\u{%x}"):format(c:byte())
  end))
end

-- The beginning of a text, and of no secret.
local function cut(o, text)
  if o.guard then text = o.guard:text(text) end
  return text:sub(1, TEXT_MAX)
end

local function quote(o, text)
  if o.guard and o.guard:is_secret(text) then return o.guard:text(text) end
  local more = ""
  if #text > TEXT_MAX then
    more = ("… (%d bytes)"):format(#text)
    text = cut(o, text)
  end
  if o.guard then text = o.guard:value(text) end
  return '"' .. visible(text) .. '"' .. more
end

-- A text that somebody's __tostring has made.
local function bare(o, text)
  text = cut(o, text)
  if o.guard then text = o.guard:value(text) end
  return visible(text, "[\0-\8\11-\31\127]")
end

local function name_of_function(o, fn)
  local name = o.names and o.names[fn]
  local about = debug.getinfo(fn, "S")
  local place = about.what == "C" and "built in"
    or ("%s:%d"):format(about.short_src, about.linedefined)
  return name and ("function %s (%s)"):format(name, place)
    or ("function (%s)"):format(place)
end

local ORDER <const> = { number = 1, string = 2, boolean = 3 }

local function before(a, b)
  local left, right = ORDER[type(a)] or 4, ORDER[type(b)] or 4
  if left ~= right then return left < right end
  if left <= 2 then return a < b end
  return tostring(a) < tostring(b)
end

-- Keys in order, ITEMS at most, and their values; whether there are more.
local function entries_of(t)
  local keys, values, n = {}, {}, 0
  for key, value in pairs(t) do
    n = n + 1
    keys[n], values[key] = key, value
    if n == KEYS then break end
  end
  table.sort(keys, before)
  for i = ITEMS + 1, n do keys[i] = nil end
  return keys, values, n > ITEMS
end

local function key_text(o, key)
  if type(key) == "string" then
    if key:find("^[%a_][%w_]*$") and not KEYWORDS[key] then return key end
    return "[" .. quote(o, key) .. "]"
  end
  local kind = type(key)
  if kind == "table" then return "[table]" end
  return "[" .. (kind == "function" and name_of_function(o, key)
    or tostring(key)) .. "]"
end

local write

local function own_text(value)
  local meta = debug.getmetatable(value)
  return type(meta) == "table" and rawget(meta, "__tostring") and
    tostring(value)
end

local function items_of(o, t, depth, path)
  local keys, values, more = entries_of(t)
  local out, index = {}, 1
  for _, key in ipairs(keys) do
    o.left = o.left - 1
    more = more or o.left < 0
    if o.left < 0 then break end
    local text = write(o, values[key], depth + 1, path)
    if key == index then
      index = index + 1
    else
      text = key_text(o, key) .. " = " .. text
    end
    out[#out + 1] = text
  end
  if more then out[#out + 1] = "... and more" end
  return out
end

local function fits(items, left)
  local length = 4
  for _, text in ipairs(items) do
    if text:find("\n", 1, true) then return false end
    length = length + (utf8.len(text) or #text) + 2
  end
  return length <= left
end

local function write_table(o, t, depth, path)
  if path[t] then return "<cycle>" end
  if depth > (o.depth or DEPTH) then return "{...}" end
  path[t] = true
  local items = items_of(o, t, depth, path)
  path[t] = nil
  if #items == 0 then return "{}" end
  if fits(items, (o.width or 80) - 2 * depth) then
    return "{ " .. table.concat(items, ", ") .. " }"
  end
  local pad = ("  "):rep(depth)
  return "{\n" .. pad .. table.concat(items, ",\n" .. pad) .. "\n"
    .. ("  "):rep(depth - 1) .. "}"
end

function write(o, value, depth, path)
  local kind = type(value)
  if kind == "string" then
    return quote(o, value)
  elseif kind == "function" then
    return name_of_function(o, value)
  elseif kind == "table" then
    local text = own_text(value)
    return text and bare(o, text) or write_table(o, value, depth, path)
  elseif kind == "userdata" or kind == "thread" then
    return bare(o, tostring(value))
  end
  return tostring(value)
end

-- --- records as columns ---

local function is_scalar(value)
  return type(value) ~= "table" and type(value) ~= "function"
end

-- A plain list of texts and numbers, such as authors.
local function is_short_list(value)
  if type(value) ~= "table" then return false end
  local meta = debug.getmetatable(value)
  if meta and rawget(meta, "__name") ~= "json.array"
    or not meta and next(value) == nil then
    return false
  end
  for key, item in next, value do
    if math.type(key) ~= "integer" or not is_scalar(item) then return false end
  end
  return rawlen(value) <= COLUMNS
end

-- Is it a plain table of names and what fits into a cell?
local function is_record(value)
  if type(value) ~= "table" or debug.getmetatable(value)
    or next(value) == nil then
    return false
  end
  for key, item in next, value do
    if type(key) ~= "string"
      or not is_scalar(item) and not is_short_list(item) then
      return false
    end
  end
  return true
end

-- The columns that come first, where a list has them.
local FIRST <const> = { "time", "name", "stage", "what", "step" }

local function columns_of(list)
  local seen, names = {}, {}
  for _, record in ipairs(list) do
    for key in next, record do
      if not seen[key] then
        seen[key] = true
        names[#names + 1] = key
      end
    end
  end
  local meta = debug.getmetatable(list)
  local rank = {}
  for i, name in ipairs(meta and meta.__columns or FIRST) do
    rank[name] = i
  end
  table.sort(names, function(a, b)
    local left, right = rank[a] or 1000, rank[b] or 1000
    if left ~= right then return left < right end
    return a < b
  end)
  return names
end

local function width_of(text)
  return utf8.len(text) or #text
end

-- A scalar without its quotes, or a list of them.
local function cell_text(o, value)
  if type(value) == "table" then
    local parts = {}
    for i, item in ipairs(value) do parts[i] = cell_text(o, item) end
    return table.concat(parts, ", ")
  elseif type(value) ~= "string" then
    return tostring(value)
  end
  local text = quote(o, value)
  if not text:find('^".*"$') then return text end
  return (text:sub(2, -2):gsub('\\(["\\])', "%1"))
end

local function cell_of(o, value, max)
  if value == nil then return "" end
  local text = cell_text(o, value)
  if width_of(text) <= max then return text end
  local at = utf8.len(text) and utf8.offset(text, max) or max
  return text:sub(1, at - 1) .. "…"
end

-- Columns that hold seconds since 1970, shown as times.
local TIMES <const> = { time = true, at = true, earliest = true,
  latest = true }

local function shown(name, value)
  if TIMES[name] and type(value) == "number" and value > 1e9
    and value < 1e10 then
    return civil.iso(math.floor(value))
  end
  return value
end

-- What a record is called is not cut.
local function rows_of(o, list, names, max)
  local rows, widths = { {} }, {}
  for i, name in ipairs(names) do rows[1][i] = name:upper() end
  for _, record in ipairs(list) do
    local row = {}
    for i, name in ipairs(names) do
      row[i] = cell_of(o, shown(name, record[name]),
        name == "name" and CELL or max)
    end
    rows[#rows + 1] = row
    if #rows > ITEMS then break end
  end
  for _, row in ipairs(rows) do
    for i, text in ipairs(row) do
      widths[i] = math.max(widths[i] or 0, width_of(text))
    end
  end
  local total = 2 * (#names - 1)
  for _, width in ipairs(widths) do total = total + width end
  return rows, total
end

-- A list of records as columns; nil: it is none, or it does not fit.
local function columns(o, list)
  if #list == 0 then return nil end
  for key, item in next, list do
    if math.type(key) ~= "integer" or not is_record(item) then return nil end
  end
  local names = columns_of(list)
  if #names > COLUMNS then return nil end
  for _, max in ipairs { CELL, 32, 20, 12 } do
    local rows, total = rows_of(o, list, names, max)
    if total <= (o.width or 80) then
      local text = output.columns(rows)
      local left = #list - #rows + 1
      return left > 0 and ("%s\n... and %d more"):format(text, left) or text
    end
  end
end

-- The options of one value: how many items are left to print.
local function with_limit(o)
  return setmetatable({ left = TOTAL }, { __index = o })
end

--- A value as a text.
--   o.width    of the terminal (80); o.depth
--   o.format   "table" (lists of records as columns) or "lua"
--   o.guard    see guard.lua, or nil
--   o.names    function -> its name
function pretty.text(value, o)
  o = with_limit(o)
  if type(value) == "table" and o.format ~= "lua" and not own_text(value) then
    local text = columns(o, value)
    if text then return text end
  end
  return write(o, value, 1, {})
end

-- --- plain data, for JSON ---

-- JSON has no table of both kinds of keys.
local function all_named(t)
  local out = {}
  for key, item in pairs(t) do out[tostring(key)] = item end
  return out
end

local function plain(o, value, depth, path)
  local kind = type(value)
  if kind == "nil" or kind == "boolean" or kind == "number" then
    return value
  elseif kind == "string" then
    return o.guard and o.guard:value(value) or value
  elseif kind ~= "table" or own_text(value) then
    return write(o, value, 1, {})
  elseif path[value] or depth > 32 then
    return "<cycle>"
  end
  path[value] = true
  local out, n = {}, 0
  for key, item in pairs(value) do
    n = n + 1
    if n > 100000 then break end
    if type(key) ~= "string" and math.type(key) ~= "integer" then
      key = tostring(key)
    end
    if type(key) == "string" and o.guard then key = o.guard:value(key) end
    out[key] = plain(o, item, depth + 1, path)
  end
  path[value] = nil
  if out[1] ~= nil and #out ~= n then out = all_named(out) end
  local meta = debug.getmetatable(value)
  if n == 0 and meta and (meta.__name == "json.array" or meta.__columns) then
    return json.array {}
  end
  return out
end

--- A value as plain data, for JSON: functions and handles are texts.
function pretty.plain(value, o)
  return plain(with_limit(o), value, 1, {})
end

return pretty
