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
--   chars     true: max counts characters of UTF-8, not bytes (Str)
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
-- Every command loads this, so it holds no more than that takes: a maker's
-- file and all that people ask for are in registry/maker.lua and
-- registry/catalogue.lua.
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

--- The built-in lists, in registry order.
local function builtin()
  local lists = {}
  for i, file in ipairs(FILES) do
    lists[i] = require("peal.registry." .. file)
  end
  return lists
end

--- Hand a list of sections, or one section, to the schema.
local function add(s, list)
  if list.group then
    return s:add_all(list)
  end
  for _, section in ipairs(list) do
    local ok, sentence, word, place = add(s, section)
    if not ok then
      return nil, sentence, word, place
    end
  end
  return true
end

--- A maker's own parameter may bear a name that is a spelling here.
local function add_aliases(s)
  for alias, name in pairs(registry.aliases) do
    local ok, sentence, word, place = s:alias(alias, name)
    if not ok and word ~= "exists" then
      return nil, sentence, word, place
    end
  end
  return true
end

--- Entries from outside, by a file or by the caller.
local function add_more(s, options)
  local more = {}
  if not options.maker and not options.extra then
    return more
  end
  local maker = require("peal.registry.maker")
  if options.maker then
    local list, sentence, word, place = maker.add_file(s, options.maker)
    if not list then
      return nil, sentence, word, place
    end
    more[1] = list
  end
  if options.extra then
    local list, sentence, word = maker.add_list(s, options.extra)
    if not list then
      return nil, sentence, word
    end
    more[#more + 1] = list
  end
  return more
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
  local s, sentence, word, place = require("peal.schema").new()
  local ok
  if s then
    ok, sentence, word, place = add(s, builtin())
  end
  if not ok then
    return nil, sentence, word, place
  end
  local more
  more, sentence, word, place = add_more(s, options or {})
  if not more then
    return nil, sentence, word, place
  end
  ok, sentence, word, place = add_aliases(s)
  if ok then
    ok, sentence, word, place = s:seal()
  end
  if not ok then
    return nil, sentence, word, place
  end
  additions[s] = more
  return s
end

--- The entries that a schema holds besides the built-in ones, as load() takes
-- them for `extra`.
function registry.added(s)
  local out = {}
  for _, list in ipairs(additions[s] or {}) do
    table.move(list, 1, #list, #out + 1, out)
  end
  return out
end

--- What is known of a parameter.
-- @tparam string name element name, of one line too, or a spelling besides
-- @tparam[opt] userdata s schema, for what a maker added
-- @treturn[1] table a copy of its entry; family and number too when the name
--   is a member of a family
-- @return[2] nil, sentence, "unknown-name"
function registry.describe(name, s)
  return require("peal.registry.catalogue").describe(
    registry.aliases[name] or name, builtin(), s and additions[s])
end

--- Entries by group, both in registry order.
-- @tparam[opt] userdata s schema, for what a maker added
-- @treturn table list of { name = group, entry, entry ... }
function registry.groups(s)
  return require("peal.registry.catalogue").groups(builtin(),
    s and additions[s])
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
