--- What is known of parameters, for people who ask: help, the reference.
-- Behind registry.describe() and registry.groups(); built when the first one
-- asks.
local words = require("peal.registry.words")

local catalogue = {}

--- Entry of one name out of an entry that may have several.
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
      fn(single(item, item.name), section)
    else
      each(item, fn, item)
    end
  end
end

--- Entries in order and by name; the same name again takes the place of the
-- one before.
-- @tparam function complete gives an entry what it does not say itself
local function book_of(lists, complete)
  local book = { order = {}, at = {} }
  for _, list in ipairs(lists) do
    each(list, function(entry, section)
      complete(entry, section or list)
      local at = book.at[entry.name]
      if not at then
        at = #book.order + 1
        book.at[entry.name] = at
      end
      book.order[at] = entry
    end)
  end
  return book
end

local function of_ours(entry, section)
  entry.group, entry.source = section.group, section.source
  for key, value in pairs(words[entry.name] or {}) do
    entry[key] = value
  end
end

local known

--- Two books: what was added, and what is built in.
local function books(lists, more)
  known = known or book_of(lists, of_ours)
  return book_of(more or {}, function(entry, section)
    local before = known.order[known.at[entry.name]] or {}
    entry.group = entry.group or section.group or before.group
      or "Maker's Parameters"
    entry.source = entry.source or section.source
      or "the maker's registry file"
    entry.doc = entry.doc or before.doc
    entry.unit = entry.unit or before.unit
  end), known
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
      return entry, math.tointeger(number)
    end
    from, number, to = name:match("()_([1-9]%d*)_()", to - 1)
  end
end

--- See registry.describe().
-- @tparam string name canonical spelling
-- @tparam table lists the built-in ones
-- @tparam[opt] table more lists that were added
function catalogue.describe(name, lists, more)
  local first, second = books(lists, more)
  local entry, number = lookup(name, first, second), nil
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

--- See registry.groups().
function catalogue.groups(lists, more)
  local first, second = books(lists, more)
  local groups, by_name = {}, {}
  local function put(entry)
    local group = by_name[entry.group]
    if not group then
      group = { name = entry.group }
      by_name[entry.group] = group
      groups[#groups + 1] = group
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
  return groups
end

return catalogue
