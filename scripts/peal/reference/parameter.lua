--- What is to be told of a parameter: of its entry in the registry, and of its
-- value in a store.
local shown = require "peal.shown"

local parameter = {}

local RANGES <const> = {
  Bool = "Yes, No", HHmm = "0000 to 2400", Port = "0 to 65535",
  Schedule = "n[+m],...", FQDN = "up to 63 bytes and a port",
  Rule = "up to 4096 bytes", DialPlanScript = "up to 8192 bytes",
}

--- "Uns16", "Str", "Choice" ...
function parameter.type(entry)
  return entry.type == "Uns" and "Uns" .. (entry.bits or 32)
    or entry.type or "Str"
end

--- What values it takes: a text, and the choices as a list where it has some.
function parameter.range(entry)
  if entry.choices then
    local list = {}
    for i, choice in ipairs(entry.choices) do
      list[i] = choice:gsub("=", " = ")
    end
    return table.concat(list, ", "), list
  elseif entry.lo then
    return ("%d to %d"):format(entry.lo, entry.hi)
      .. (entry.empty and " or empty" or "")
  elseif entry.type == "Str" or entry.type == "URL" or not entry.type then
    return ("up to %d %s"):format(entry.max or 8192,
      entry.chars and "characters" or "bytes")
  end
  return RANGES[entry.type]
end

--- An element as it stands in a profile.
function parameter.example(entry)
  local name = entry.name:gsub("_n_", "_1_")
  local value = entry.example or entry.default or ""
  value = value:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;",
    [">"] = "&gt;" })
  return ('<%s ua="%s">%s</%s>'):format(name, entry.ua or "na", value, name)
end

--- What the user account may do, and what else is special: "na, secret".
function parameter.access(entry)
  local list = { entry.ua or "na" }
  list[#list + 1] = entry.secret and "secret" or nil
  list[#list + 1] = entry.reboot and "reboot" or nil
  return table.concat(list, ", ")
end

-- The value in force, and where it comes from.
local function value_rows(name, store)
  local value = store and store:value(name)
  if not value then return nil, nil end
  local from = "the factory default"
  if not value.is_default then
    local rule = value.rule ~= "" and value.rule or value.author
    from = ("%s, revision %d"):format(rule, value.revision)
  end
  local text = shown.value(store, value)
  return text == "" and "empty" or text, from
end

local ACCESS <const> = { na = "the user may not see it",
  ro = "the user may read it", rw = "the user may change it" }

local function access_text(entry)
  local out = ACCESS[entry.ua or "na"]
  if entry.secret then out = out .. "; secret: never printed" end
  if entry.reboot then out = out .. "; a change takes a reboot" end
  return out
end

--- Everything about one, for help: name, sentence, list of { label, text }.
-- @tparam table entry what registry.describe() gave
-- @tparam[opt] userdata store where its value stands
function parameter.rows(entry, store)
  local value, from = value_rows(entry.name, store)
  local family = entry.family
    and ("one of %s, n = 1 to %d"):format(entry.family, entry.count or 1)
  local rows = { { "value", value }, { "from", from },
    { "type", parameter.type(entry) }, { "family", family },
    { "range", (parameter.range(entry)) }, { "unit", entry.unit },
    { "default", entry.default or "empty" }, { "access", access_text(entry) },
    { "source", entry.source }, { "example", parameter.example(entry) } }
  local out = {}
  for i = 1, 10 do
    if rows[i][2] then out[#out + 1] = rows[i] end
  end
  return out
end

return parameter
