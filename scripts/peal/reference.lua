--- What there is to call and to set, for people who ask: help in a session,
-- completion, docs/reference and the stubs for editors all come from here.
--
-- One table for each API, in reference/*.lua: lists of groups
--   { name =, kind =, doc =, source =, entry, entry ... }
-- with the kinds
--   "library"   a table that rule files have
--   "module"    of require "peal.NAME", a binding; "script", one in Lua
--   "class"     a handle; `metatable` is its name in Lua's registry, `also`
--               lists further ones; "object" is one of a script
--   "table"     plain data, such as a value of a store
--   "globals"   of a session; "commands", such as ":plan"
-- and entries { SIGNATURE, words, fails =, source =, example = }. The form of
-- SIGNATURE is told in reference/signature.lua; `fails` says that the function
-- may return nil, a sentence and a word (which one, or true: several). A
-- command's SIGNATURE is how it is typed.
-- Parameters come from the registry, decisions of rule files from the stages.
local reference = {}

local FILES <const> = { "rules", "session", "stores", "network", "trust",
  "codecs", "process" }

local groups, index

--- Every group, in order.
function reference.groups()
  if groups then return groups end
  groups = {}
  for _, file in ipairs(FILES) do
    local list = require("peal.reference." .. file)
    table.move(list, 1, #list, #groups + 1, groups)
  end
  return groups
end

-- How what belongs to a group is called.
local function path_of(group, signature)
  if group.kind == "globals" then return signature.name end
  local name = group.name:match("^peal%.(.*)$") or group.name
  if group.kind == "class" or group.kind == "object" then
    return name:sub(1, 1):lower() .. name:sub(2) .. ":" .. signature.name
  end
  return name .. "." .. signature.name
end

--- How an entry of a group is called: "classic.profile", "store:get".
function reference.path(group, entry)
  return path_of(group, require("peal.reference.signature").parse(entry[1]))
end

-- Name -> { group =, entry =, path =, signature = }; an entry's own name is
-- its path, with the "peal." of a module too.
local function add_entry(group, entry)
  if group.kind == "table" then return end
  if group.kind == "commands" then
    local name = entry[1]:match("^%S+")
    index[name] = { group = group, entry = entry, path = name }
    return
  end
  local signature = require("peal.reference.signature").parse(entry[1])
  local item = { group = group, entry = entry, signature = signature,
    path = path_of(group, signature) }
  index[item.path] = item
  if group.name:find("^peal%.") then index["peal." .. item.path] = item end
end

local function items()
  if index then return index end
  index = {}
  for _, group in ipairs(reference.groups()) do
    for _, entry in ipairs(group) do add_entry(group, entry) end
  end
  return index
end

--- An entry by its name: { group =, entry =, path =, signature = }, or nil.
function reference.find(name)
  return items()[name]
end

local function group_of(name)
  for _, group in ipairs(reference.groups()) do
    if group.name == name or group.name == "peal." .. name then
      return group
    end
  end
end

local function stage_of(name)
  local stages = require "peal.stages"
  for _, known in ipairs(stages.names) do
    if known == name then return name end
  end
end

-- Functions of the bindings, and methods of their handles.
local function name_of(fn)
  for _, group in ipairs(reference.groups()) do
    local methods
    if group.kind == "module" then
      methods = package.loaded[group.name]
    elseif group.kind == "class" then
      local meta = debug.getregistry()[group.metatable]
      methods = meta and meta.__index
    end
    for name, value in pairs(type(methods) == "table" and methods or {}) do
      if value == fn then return path_of(group, { name = name }) end
    end
  end
end

local function not_found(topic)
  return nil, ("there is no help on %s"):format(topic), "unknown-name"
end

local function help_on_name(name, about, texts)
  local item = reference.find(name)
  if item then return texts.entry(item) end
  local stage = stage_of(name)
  if stage then return texts.stage(stage) end
  local group = group_of(name)
  if group then return texts.group(group) end
  local entry = require("peal.registry").describe(name, about.schema)
  if entry then return texts.parameter(entry, about.store) end
  return not_found(name)
end

--- What a person should know of something.
-- @param topic a function, or a name: "classic.profile", "store:get", ":plan",
--   "peal.store", "trigger", "Resync_Periodic"
-- @tparam[opt] table about { store =, schema =, names = { [function] = name } }
-- @treturn[1] string lines of 79 columns at most, without the last newline
-- @return[2] nil, sentence, "unknown-name"
function reference.help(topic, about)
  about = about or {}
  local texts = require "peal.reference.text"
  if type(topic) == "function" then
    topic = (about.names or {})[topic] or name_of(topic)
    if not topic then return not_found "this function" end
  elseif type(topic) ~= "string" then
    return not_found("a " .. type(topic))
  end
  return help_on_name(topic, about, texts)
end

--- What a line at the prompt can call, a line each.
function reference.overview()
  return require("peal.reference.text").overview(reference.groups())
end

--- Names that begin with a text, sorted: of entries, groups and stages.
-- Parameters are the schema's own affair.
function reference.names(prefix)
  local out = {}
  local function add(name)
    if name:sub(1, #prefix) == prefix then out[#out + 1] = name end
  end
  for name in pairs(items()) do add(name) end
  for _, group in ipairs(reference.groups()) do
    if group.kind ~= "globals" and group.kind ~= "commands" then
      add(group.name)
    end
  end
  for _, name in ipairs(require("peal.stages").names) do add(name) end
  table.sort(out)
  return out
end

return reference
