--- The parameters of the phone: which there are, and what is known of each.
--
-- The data are in registry/*.lua, and a maker's file has the same form. It
-- returns a list of entries, or of sections: lists of entries that share a
-- group and a source. One entry is one parameter or one family:
--
--   name      element name, such as "Resync_At__HHmm_"; a family has "_n_" in
--             it once, such as "Line_Enable_n_"
--   names     instead of name: several, between blanks, alike in all else
--   type      "Str" (also when absent), "Bool", "Choice", "Uns", "Sig" ...:
--             runtime/include/peal/schema.h has them all
--   count     a family's highest number
--   max       bytes (Str, URL) or decimals (Float, Time)
--   bits      8, 16, 32 or 64 (Uns, Sig)
--   lo, hi    range (Uns, Sig)
--   choices   canonical spellings (Choice), numbers (List); "0=NOTICE" reads
--             0 as NOTICE
--   default   text; absent: empty
--   empty     true: the empty text is a value though the type has none
--   ua        access of the user, "na" when absent, "ro" or "rw"
--   secret    true: never printed
--   reboot    true: a change takes a reboot to act
--   doc, unit, example, source, group   for people; what the built-in
--             entries have of the first three is in registry/words.lua
--
-- Source: MPP provisioning and administration guides; each entry has its own.
local registry = {}

local FILES = { "provisioning", "system", "lines", "certificates", "further" }

--- Spellings that public documents use besides the canonical one.
registry.aliases = {
  ["Admin_Passwd"] = "Admin_Password",
  ["Custom_CA_URL"] = "Custom_CA_Rule",
  ["Log_Resync_Failure_Msg"] = "Log_Failure_Msg",
  ["Log_Resync_Request_Msg"] = "Log_Request_Msg",
  ["Log_Resync_Success_Msg"] = "Log_Success_Msg",
  ["Phone-UI-user-mode"] = "Phone-UI-User-Mode",
  ["Report_to_Server"] = "Report_To_Server",
  ["Resync_At"] = "Resync_At__HHmm_",
  ["Resync_At_HHmm"] = "Resync_At__HHmm_",
  ["periodic_upload_to_server"] = "Periodic_Upload_To_Server",
}

-- What an entry may say, and as what.
local KEYS <const> = {
  name = "string", names = "string", type = "string", count = "number",
  max = "number", bits = "number", lo = "number", hi = "number",
  choices = "table", default = "string", empty = "boolean", ua = "string",
  secret = "boolean", reboot = "boolean", doc = "string", unit = "string",
  example = "string", source = "string", group = "string",
}

--- Entry of one name out of an entry that has several.
local function single(entry, name)
  local one = {}
  for key, value in pairs(entry) do
    one[key] = value
  end
  one.name, one.names = name, nil
  return one
end

--- Call `fn(entry, section)` for each entry, those of several names singly.
local function each(list, fn, section)
  for _, item in ipairs(list) do
    if item.names then
      for name in item.names:gmatch("%S+") do
        fn(single(item, name), section)
      end
    elseif item.name then
      fn(item, section)
    else
      each(item, fn, item)
    end
  end
end

--- Add each name of an entry that has several; one table serves them all, as
-- this is most of what there is to load.
local function add_names(s, entry)
  local one = single(entry)
  local batch = { one }
  for name in entry.names:gmatch("%S+") do
    one.name = name
    local ok, sentence, word, place = s:add_all(batch)
    if not ok then
      return nil, sentence, word, place
    end
  end
  return true
end

--- Hand a list to the schema: its entries, and the lists in it.
local function add(s, list)
  local plain = {}
  for _, item in ipairs(list) do
    local ok, sentence, word, place = true, nil, nil, nil
    if item.names then
      ok, sentence, word, place = add_names(s, item)
    elseif item.name then
      plain[#plain + 1] = item
    else
      ok, sentence, word, place = add(s, item)
    end
    if not ok then
      return nil, sentence, word, place
    end
  end
  return s:add_all(plain)
end

--- What is wrong with one entry of a maker's file, or nil.
local function fault(entry)
  if type(entry) ~= "table" then
    return ("an entry is a table, not a %s"):format(type(entry))
  end
  for key, value in pairs(entry) do
    local wanted = KEYS[key]
    if not wanted then
      return ("no such key: %s"):format(tostring(key))
    elseif type(value) ~= wanted then
      return ("%s is a %s, not a %s"):format(key, wanted, type(value))
    end
  end
  if not entry.name and not entry.names then
    return "an entry needs a name"
  end
end

--- Line on which a name stands in a file's text, or nil.
local function line_of(text, name)
  local at = name and (text:find('"' .. name .. '"', 1, true)
    or text:find("'" .. name .. "'", 1, true) or text:find(name, 1, true))
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

--- Run a maker's file. It is trusted, and yet it only has to state data: its
-- environment is empty.
local function run(path, text)
  local line
  local chunk, message = load(text, "@" .. path, "t", {})
  local ok, list = chunk ~= nil, message
  if chunk then
    ok, list = pcall(chunk)
  end
  if not ok then
    line, message = tostring(list):match(":(%d+): (.*)$")
    return refuse(path, tonumber(line), message or tostring(list))
  end
  if type(list) ~= "table" then
    return refuse(path, nil, "returns no list of parameters")
  end
  return list
end

--- Entries of a maker's file one by one, so that a refusal has its line.
local function add_maker(s, path, text, list)
  for number, item in ipairs(list) do
    local section = type(item) == "table" and not item.name
      and not item.names and item[1] ~= nil
    local entries = section and item or { item }
    for _, entry in ipairs(entries) do
      local sentence, word = fault(entry), nil
      local name = type(entry) == "table" and (entry.name or entry.names)
      if not sentence then
        local ok, why, kind = add(s, { entry })
        sentence, word = not ok and why or nil, kind
      end
      if sentence then
        name = type(name) == "string" and name:match("%S+") or nil
        local what = name or ("entry %d"):format(number)
        return refuse(path, line_of(text, name), what .. ": " .. sentence,
          word)
      end
    end
  end
  return true
end

local function read(path)
  local file, message = io.open(path, "r")
  if not file then
    return nil, message, "not-found", { file = path }
  end
  local text = file:read("a")
  file:close()
  if not text then
    return nil, path .. ": cannot be read", "io", { file = path }
  end
  return text
end

local function load_maker(s, path)
  local text, list, ok, sentence, word, place
  text, sentence, word, place = read(path)
  if not text then
    return nil, sentence, word, place
  end
  list, sentence, word, place = run(path, text)
  if not list then
    return nil, sentence, word, place
  end
  ok, sentence, word, place = add_maker(s, path, text, list)
  if not ok then
    return nil, sentence, word, place
  end
  return list
end

-- What a schema holds besides the built-in entries: schema -> list of lists.
local additions = setmetatable({}, { __mode = "k" })

--- Compile the schema of a host: built-in entries, a maker's file, further
-- entries; the same name again replaces what was there.
-- @tparam[opt] table options maker: path of a registry file; extra: a list of
--   entries
-- @treturn[1] userdata a sealed schema
-- @return[2] nil, sentence, word, place; place is {file=, line=} for a
--   maker's file
function registry.load(options)
  local s = require("peal.schema").new()
  local more = {}
  local ok, sentence, word, place
  options = options or {}
  for _, file in ipairs(FILES) do
    ok, sentence, word, place = add(s, require("peal.registry." .. file))
    if not ok then
      return nil, sentence, word, place
    end
  end
  if options.maker then
    ok, sentence, word, place = load_maker(s, options.maker)
    if not ok then
      return nil, sentence, word, place
    end
    more[#more + 1] = ok
  end
  if options.extra then
    ok, sentence, word, place = add(s, options.extra)
    if not ok then
      return nil, sentence, word, place
    end
    more[#more + 1] = options.extra
  end
  for alias, name in pairs(registry.aliases) do
    ok, sentence, word, place = s:alias(alias, name)
    if not ok then
      return nil, sentence, word, place
    end
  end
  ok, sentence, word, place = s:seal()
  if not ok then
    return nil, sentence, word, place
  end
  additions[s] = more
  return s
end

-- From here on: for people who ask. Built when the first one does.

--- Entries in registry order and by name, what `words` has of them put in.
local function catalogue(lists, words, group)
  local book = { order = {}, at = {} }
  for _, list in ipairs(lists) do
    each(list, function(entry, section)
      local one = single(entry, entry.name)
      section = section or list
      one.group = entry.group or section.group or group
      one.source = entry.source or section.source
      for key, value in pairs(words[one.name] or {}) do
        one[key] = value
      end
      local at = book.at[one.name]
      if not at then
        at = #book.order + 1
        book.at[one.name] = at
      end
      book.order[at] = one
    end)
  end
  return book
end

local builtin

local function books(s)
  if not builtin then
    local lists = {}
    for _, file in ipairs(FILES) do
      lists[#lists + 1] = require("peal.registry." .. file)
    end
    builtin = catalogue(lists, require("peal.registry.words"))
  end
  return catalogue(s and additions[s] or {}, {}, "Maker's Parameters"), builtin
end

local function lookup(name, first, second)
  return first.order[first.at[name]] or second.order[second.at[name]]
end

--- Entry of the family a name belongs to, and its number there.
local function member(name, first, second)
  local from, number, to = name:match("()_([1-9]%d*)_()")
  while from do
    local family = name:sub(1, from) .. "n" .. name:sub(to - 1)
    local entry = lookup(family, first, second)
    if entry and entry.count and tonumber(number) <= entry.count then
      return entry, tonumber(number)
    end
    from, number, to = name:match("()_([1-9]%d*)_()", to - 1)
  end
end

--- What is known of a parameter.
-- @tparam string name element name, of one line too, or a spelling besides
-- @tparam[opt] userdata s schema, for what a maker added
-- @treturn[1] table a copy of its entry; family and number too when the name
--   is a family's
-- @return[2] nil, sentence, "unknown-name"
function registry.describe(name, s)
  local first, second = books(s)
  name = registry.aliases[name] or name
  local entry = lookup(name, first, second)
  local number
  if not entry then
    entry, number = member(name, first, second)
  end
  if not entry then
    return nil, ("no such parameter: %s"):format(name), "unknown-name"
  end
  local found = single(entry, name)
  if number then
    found.family, found.number = entry.name, number
  end
  return found
end

--- Entries by group, both in registry order.
-- @treturn table list of { name = group, entry, entry ... }
function registry.groups(s)
  local first, second = books(s)
  local list, by_name = {}, {}
  local function put(entry)
    local group = by_name[entry.group]
    if not group then
      group = { name = entry.group }
      by_name[entry.group] = group
      list[#list + 1] = group
    end
    group[#group + 1] = single(entry, entry.name)
  end
  for _, entry in ipairs(second.order) do
    put(first.order[first.at[entry.name]] or entry)
  end
  for _, entry in ipairs(first.order) do
    if not second.at[entry.name] then
      put(entry)
    end
  end
  return list
end

--- Does a change of this parameter take a reboot to act?
function registry.is_reboot(name, s)
  local entry = registry.describe(name, s)
  return entry ~= nil and entry.reboot == true
end

--- Element name of a field of the web pages: each blank and each of ( ) [ ] /
-- becomes one underscore. "Resync At (HHmm)" gives "Resync_At__HHmm_".
-- @tparam string field label
-- @tparam[opt] integer ext number of the line or key
-- Source: MPP administration guide, "Provisioning formats".
function registry.element_name(field, ext)
  local name = field:gsub("[ %[%]()/]", "_")
  return ext and ("%s_%d_"):format(name, ext) or name
end

return registry
