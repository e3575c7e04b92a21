--- Firmware versions, and which of two is older.
--
-- Two forms exist. "mpp": `sip88xx.11-3-2MPP0001-609`, with or without model,
-- build and ".loads". "spa": `2.0.6(b)`. They do not compare with each other.
--
-- Source: MPP provisioning guide, "Conditional expressions", version syntax.
-- The algorithm is our choice: the guide gives forms and examples only.
local version = {}

local find, match, byte = string.find, string.match, string.byte

local TEXT_MAX <const> = 256

local function invalid(sentence)
  return nil, sentence, "invalid"
end

-- Digits as a 64-bit integer, or nil.
local function integer(digits)
  local value = #digits <= TEXT_MAX and tonumber(digits)
  return math.type(value) == "integer" and value or nil
end

-- "2MPP0001": number 2, alpha "", sub-release 1.
local function component(text)
  local digits, alpha = match(text, "^([0-9]+)([0-9A-Za-z]*)$")
  local number = digits and integer(digits)
  if not number then
    return nil
  end
  local release = 0
  local from, to = find(alpha, "MPP", 1, true)
  if from then
    local after = alpha:sub(to + 1)
    if after ~= "" then
      release = match(after, "^[0-9]+$") and integer(after)
    end
    alpha = alpha:sub(1, from - 1)
  end
  return release and { number, alpha, release }
end

local function build_of(text)
  local digits, letters = match(text, "^([0-9]+)([0-9A-Za-z]*)$")
  local number = digits and integer(digits)
  return number and { number, letters }
end

-- How many of the pieces are the version; the build may follow.
local function version_length(pieces)
  for i = 3, #pieces do
    if find(pieces[i], "MPP", 1, true) then
      return i
    end
  end
  return 3
end

local function parse_mpp(text)
  text = match(text, "^[A-Za-z][^.]*%.(.*)$") or text
  text = match(text, "^(.*)%.loads$") or text
  local pieces = {}
  for piece in (text .. "-"):gmatch("([^-]*)-") do
    pieces[#pieces + 1] = piece
  end
  local length = version_length(pieces)
  if #pieces < 3 or #pieces > length + 1 then
    return invalid("Not a version")
  end
  local parsed = { kind = "mpp" }
  for i = 1, length do
    parsed[i] = component(pieces[i])
    if not parsed[i] then
      return invalid("Not a version")
    end
  end
  if pieces[length + 1] then
    parsed.build = build_of(pieces[length + 1])
    if not parsed.build then
      return invalid("Not a version")
    end
  end
  return parsed
end

local function parse_spa(text)
  local major, minor, micro, rest =
    match(text, "^([0-9]+)%.([0-9]+)%.([0-9]+)(.*)$")
  if not major then
    return nil
  end
  local suffix = match(rest, "^%(([0-9A-Za-z]+)%)$")
  if rest ~= "" and not suffix then
    return nil
  end
  major, minor, micro = integer(major), integer(minor), integer(micro)
  if not (major and minor and micro) then
    return nil
  end
  return { kind = "spa", major, minor, micro, suffix = suffix }
end

--- Reads a version.
--   kind "spa"  [1..3] integers, suffix text or nil
--   kind "mpp"  [1..n] of {number, letters, sub-release}, build {number,
--               letters} or nil; model and ".loads" are dropped
-- @tparam string text
-- @treturn[1] table
-- @return[2] nil, sentence, "invalid"
function version.parse(text)
  if #text > TEXT_MAX then
    return invalid("Not a version")
  end
  local parsed = parse_spa(text)
  if parsed then
    return parsed
  end
  return parse_mpp(text)
end

--- Major, minor and micro number, "11.3.1", as $VERSION shows them.
-- @tparam string text
-- @treturn[1] string
-- @treturn[2] nil if it is no version
function version.short(text)
  local v = version.parse(text)
  if not v then
    return nil
  elseif v.kind == "spa" then
    return ("%d.%d.%d"):format(v[1], v[2], v[3])
  end
  return ("%d.%d.%d"):format(v[1][1], v[2][1], v[3][1])
end

-- Texts byte by byte: "<" would follow the locale.
local function compare_text(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = byte(a, i), byte(b, i)
    if x ~= y then
      return x < y and -1 or 1
    end
  end
  return #a < #b and -1 or #a > #b and 1 or 0
end

local function compare_one(a, b)
  if type(a) == "string" then
    return compare_text(a, b)
  end
  return a < b and -1 or a > b and 1 or 0
end

local function compare_lists(a, b)
  for i = 1, #a do
    local order = compare_one(a[i], b[i])
    if order ~= 0 then
      return order
    end
  end
  return 0
end

local NO_COMPONENT <const> = { 0, "", 0 }

local function compare_mpp(a, b)
  for i = 1, math.max(#a, #b) do
    local order = compare_lists(a[i] or NO_COMPONENT, b[i] or NO_COMPONENT)
    if order ~= 0 then
      return order
    end
  end
  if a.build and b.build then
    return compare_lists(a.build, b.build)
  end
  return 0
end

local function compare_spa(a, b)
  local order = compare_lists(a, b)
  if order ~= 0 then
    return order
  end
  return compare_text(a.suffix or "", b.suffix or "")
end

local function parsed_of(v)
  return type(v) == "string" and version.parse(v) or type(v) == "table" and v
end

--- Compares two versions, given as text or as parse() gave them.
-- @treturn[1] integer -1, 0 or 1
-- @return[2] nil, sentence, "invalid"
function version.compare(a, b)
  a, b = parsed_of(a), parsed_of(b)
  if not a or not b then
    return invalid("Not a version")
  elseif a.kind ~= b.kind then
    return invalid("Versions of different form")
  elseif a.kind == "spa" then
    return compare_spa(a, b)
  end
  return compare_mpp(a, b)
end

return version
