--- Entries that a maker adds to the registry, or wants otherwise.
-- A maker's file is trusted Lua, and yet it only has to state data: it runs
-- with an empty environment. What is wrong in it is named by file and line.
local maker = {}

-- What an entry may say, and as what; the second lot is for people.
local KEYS <const> = {
  name = "string", names = "string", type = "string", count = "number",
  max = "number", min = "number", bits = "number", lo = "number", hi = "number",
  choices = "table", default = "string", empty = "boolean", ua = "string",
  secret = "boolean", reboot = "boolean", chars = "boolean",
}
local WORDS <const> = {
  doc = "string", unit = "string", example = "string", source = "string",
  group = "string",
}

--- What is wrong with the form of an entry, or nil.
local function fault(entry)
  if type(entry) ~= "table" then
    return ("an entry is a table, not a %s"):format(type(entry))
  end
  for key, value in pairs(entry) do
    local wanted = KEYS[key] or WORDS[key]
    if not wanted then
      return ("no such key: %s"):format(tostring(key))
    elseif type(value) ~= wanted then
      return ("%s is a %s, not a %s"):format(key, wanted, type(value))
    elseif wanted == "number" and not math.tointeger(value) then
      return ("%s is a whole number"):format(key)
    end
  end
  for i, choice in ipairs(entry.choices or {}) do
    if type(choice) ~= "string" then
      return ("choice %d is a %s, not a string"):format(i, type(choice))
    end
  end
  if entry.lo and entry.hi and entry.lo > entry.hi then
    return ("lo is %d, above hi, %d"):format(entry.lo, entry.hi)
  end
  if (entry.name == nil) == (entry.names == nil) then
    return "an entry has a name or names"
  end
end

--- What the schema takes of an entry; not what is for people.
local function plain(entry, name)
  local one = {}
  for key in pairs(KEYS) do
    one[key] = entry[key]
  end
  one.name, one.names = name, nil
  return one
end

--- Add one entry, or each of its names.
local function add(s, entry)
  local names = { entry.name }
  for name in (entry.names or ""):gmatch("%S+") do
    names[#names + 1] = name
  end
  for _, name in ipairs(names) do
    local ok, found, sentence, word = pcall(s.add, s, plain(entry, name))
    if not ok then
      -- what is wrong use in a program is a fault in a file
      return nil, (tostring(found):gsub("^%S+:%d+: ", "")), "invalid"
    elseif not found then
      return nil, sentence, word
    end
  end
  return true
end

local function is_section(item)
  return type(item) == "table" and item.name == nil and item.names == nil
    and item[1] ~= nil
end

--- Add what a list holds.
-- @treturn[1] table the list
-- @return[2] nil, sentence, word, name of the entry at fault or nil
function maker.add_list(s, list)
  for number, item in ipairs(list) do
    if is_section(item) then
      local ok, sentence, word, name = maker.add_list(s, item)
      if not ok then
        return nil, sentence, word, name
      end
    else
      local sentence, word = fault(item), "invalid"
      if not sentence then
        sentence, word = select(2, add(s, item))
      end
      if sentence then
        local name = type(item) == "table" and (item.name or item.names)
        name = type(name) == "string" and name:match("%S+") or nil
        local what = name or ("entry %d"):format(number)
        if not sentence:find(what, 1, true) then
          sentence = what .. ": " .. sentence
        end
        return nil, sentence, word, name
      end
    end
  end
  return list
end

--- Line on which a name stands in a file's text, or nil.
local function line_of(text, name)
  local at = name and (text:find('"' .. name .. '"', 1, true)
    or text:find(name, 1, true))
  if at then
    local _, breaks = text:sub(1, at):gsub("\n", "")
    return breaks + 1
  end
end

--- A refusal that begins with its place.
local function refuse(path, line, sentence, word)
  local where = line and ("%s:%d"):format(path, line) or path
  return nil, where .. ": " .. sentence, word or "invalid",
    { file = path, line = line }
end

local function read(path)
  local file, sentence = io.open(path, "r")
  if not file then
    return nil, sentence, "not-found", { file = path }
  end
  local text, why = file:read("a")
  file:close()
  if not text then
    return refuse(path, nil, why, "io")
  end
  return text
end

--- The list that a maker's file returns.
local function run(path, text)
  local chunk, list = load(text, "@" .. path, "t", {})
  local ok = chunk ~= nil
  if chunk then
    ok, list = pcall(chunk)
  end
  if not ok then
    local line, sentence = tostring(list):match(":(%d+): (.*)$")
    return refuse(path, math.tointeger(line), sentence or tostring(list))
  elseif type(list) ~= "table" then
    return refuse(path, nil, "returns no list of parameters")
  end
  return list
end

--- Add what a maker's file holds.
-- @treturn[1] table its list
-- @return[2] nil, sentence, word, place with file and line
function maker.add_file(s, path)
  local text, list, sentence, word, place
  text, sentence, word, place = read(path)
  if not text then
    return nil, sentence, word, place
  end
  list, sentence, word, place = run(path, text)
  if not list then
    return nil, sentence, word, place
  end
  local ok, name
  ok, sentence, word, name = maker.add_list(s, list)
  if not ok then
    return refuse(path, line_of(text, name), sentence, word)
  end
  return list
end

return maker
