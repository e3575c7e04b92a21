--- Comma-separated values: records of fields, each with the line that it
-- begins in.
-- Source: RFC 4180; a byte order mark, LF line ends and lines without any
-- text, with or without commas, are taken as well, which is our choice.
local csv = {}

-- A field in quotes from `at` on: its text, and where it ends.
local function quoted(text, at)
  local parts, from = {}, at + 1
  while true do
    local quote = text:find('"', from, true)
    if not quote then return nil, "a field's closing quote is missing" end
    parts[#parts + 1] = text:sub(from, quote - 1)
    if text:sub(quote + 1, quote + 1) ~= '"' then
      return table.concat(parts, '"'), quote + 1
    end
    from = quote + 2
  end
end

local function plain(text, at)
  local stop = text:find("[,\r\n]", at) or #text + 1
  local field = text:sub(at, stop - 1)
  if field:find('"', 1, true) then
    return nil, 'a quote in the midst of a field: write "" for it, and put '
      .. "the field in quotes"
  end
  return field, stop
end

-- What follows a field: "," another one, "end" of the record.
local function separator(text, at)
  local c = text:sub(at, at)
  if c == "," then return ",", at + 1 end
  if c == "" then return "end", at end
  if c == "\n" then return "end", at + 1 end
  if text:sub(at, at + 1) == "\r\n" then return "end", at + 2 end
  if c == "\r" then
    return nil, "a CR ends a line: save it with line ends LF or CRLF"
  end
  if c == ";" or c == "\t" then
    return nil, "the fields are separated by other signs than commas"
  end
  return nil, "something stands behind a field's closing quote"
end

local function record(text, at)
  local fields = {}
  while true do
    local read = text:sub(at, at) == '"' and quoted or plain
    local field, stop = read(text, at)
    if not field then return nil, stop end
    fields[#fields + 1] = field
    local what
    what, at = separator(text, stop)
    if not what then return nil, at end
    if what == "end" then return fields, at end
  end
end

local function lines_in(text, from, to)
  local _, n = text:sub(from, to):gsub("\n", "")
  return n
end

-- Spreadsheets write rows without text as commas alone.
local function has_text(fields)
  for _, field in ipairs(fields) do
    if field:find("%S") then return true end
  end
  return false
end

--- The records of a text.
-- @treturn[1] list of { line =, field, field ... }
-- @return[2] nil, sentence, line
function csv.parse(text)
  local list, line = {}, 1
  local at = text:sub(1, 3) == "\xEF\xBB\xBF" and 4 or 1
  if text:find("^\xFF\xFE") or text:find("^\xFE\xFF") then
    return nil, "this is UTF-16: save it as UTF-8", line
  end
  local ok, bad = utf8.len(text)
  if not ok then
    return nil, "this is not UTF-8: save it as UTF-8",
      line + lines_in(text, 1, bad)
  end
  while at <= #text do
    local fields, stop = record(text, at)
    if not fields then return nil, stop, line end
    fields.line = line
    if has_text(fields) then list[#list + 1] = fields end
    line = line + lines_in(text, at, stop - 1)
    at = stop
  end
  return list
end

return csv
