--- Write docs/lua/, stubs in the form of LuaCATS: by them an editor with a
-- language server completes and checks rule files. From
-- scripts/peal/reference/, scripts/peal/stages/ and the registry. In the top
-- folder:
--   lua5.4 docs/generate-stubs.lua
-- A spec compares the two, so that they are never out of date.
package.path = "./scripts/?.lua;" .. package.path
local reference = require("peal.reference")
local registry = require("peal.registry")
local signature = require("peal.reference.signature")
local sorted = require("peal.sorted")
local stages = require("peal.stages")
local views = require("peal.reference.views")

local FOLDER <const> = "docs/lua/"
local HEAD <const> = "-- Made by docs/generate-stubs.lua; see there.\n"

local function comment(words)
  return "--- " .. words:gsub("\n", "\n--- ")
end

-- One line of ---@return for each result. Where a function fails, the first is
-- nil, and a sentence and a word follow.
local function returns_of(form, fails)
  local out = {}
  local count = math.max(#form.returns, fails and 3 or 0)
  for i = 1, count do
    local one = form.returns[i]
    local kind = one and one.type
    if fails then
      kind = i == 1 and (kind or "boolean"):gsub("|nil$", "") .. "|nil"
        or kind and i <= 3 and kind .. "|string" or kind or "string?"
    end
    local name = one and one.name or i == 2 and "sentence" or "word"
    out[#out + 1] = ("---@return %s %s"):format(kind, name)
  end
  return out
end

local function function_lines(entry, form, path)
  local lines, names = { comment(entry[2]) }, {}
  for i, one in ipairs(form.params) do
    names[i] = one.name
    lines[#lines + 1] = ("---@param %s%s %s"):format(one.name,
      one.optional and "?" or "", one.type)
  end
  local returns = returns_of(form, entry.fails)
  table.move(returns, 1, #returns, #lines + 1, lines)
  lines[#lines + 1] = ("function %s(%s) end"):format(path,
    table.concat(names, ", "))
  return table.concat(lines, "\n") .. "\n"
end

local VALUES <const> = { integer = "0", number = "0", string = '""',
  boolean = "false" }

local function value_lines(entry, form, path)
  return ("%s\n---@type %s\n%s = %s\n"):format(comment(entry[2]), form.type,
    path, VALUES[form.type] or "{}")
end

local METHODS <const> = { class = true, object = true }

-- A table with its functions: `name` is the variable that holds it.
local function put_members(out, group, name)
  for _, entry in ipairs(group) do
    local form = signature.parse(entry[1])
    local make = form.params and function_lines or value_lines
    local mark = form.params and METHODS[group.kind] and ":" or "."
    out[#out + 1] = make(entry, form, name .. mark .. form.name)
  end
end

local function field_line(name, kind, words)
  return ("---@field %s %s %s"):format(name, kind, words)
end

local function class_of(group)
  local out = { comment(group.doc), "---@class peal." .. group.name }
  if group.kind == "table" then
    for _, entry in ipairs(group) do
      local form = signature.parse(entry[1])
      out[#out + 1] = field_line(form.name .. (form.optional and "?" or ""),
        form.type, entry[2])
    end
    return table.concat(out, "\n") .. "\n"
  end
  out[#out + 1] = ("local %s = {}\n"):format(group.name)
  put_members(out, group, group.name)
  return table.concat(out, "\n")
end

local function each(kinds, fn)
  for _, group in ipairs(reference.groups()) do
    if kinds[group.kind] then fn(group) end
  end
end

local function types_file()
  local out = { "---@meta", HEAD }
  each({ class = true, table = true, object = true }, function(group)
    out[#out + 1] = class_of(group)
  end)
  return table.concat(out, "\n")
end

local function module_file(group)
  local out = { "---@meta " .. group.name, HEAD, comment(group.doc),
    "local M = {}\n" }
  put_members(out, group, "M")
  out[#out + 1] = "return M\n"
  return table.concat(out, "\n")
end

-- --- rule files -------------------------------------------------------------

local TIME <const> = [[
--- A time where the phone stands.
---@class peal.Time
---@field year integer
---@field month integer
---@field day integer
---@field hour integer
---@field min integer
---@field sec integer
---@field minute integer of the day
---@field wday integer 1: Sunday
---@field days integer since 1970-01-01

--- A message that is about to be sent.
---@class peal.Message
---@field method string
---@field uri string
---@field status integer? of a response
---@field in_dialog boolean
---@field headers { name: string, value: string }[] in order

--- Seconds until something, and how many more the dice may add.
---@class peal.Delay
---@field after integer
---@field spread? integer

--- What a profile rule asks for.
---@class peal.Plan
---@field action "run"|"skip"
---@field assigns? { name: string, value: string }[]
---@field fetch? table url, key, uid, pwd, post, put, alias, srv
---@field reason? string
]]

local function fields_of(fields, types)
  local out = {}
  for _, name in ipairs(sorted.keys(fields or {})) do
    out[#out + 1] = field_line(name, types[name], fields[name])
  end
  return table.concat(out, "\n") .. (#out > 0 and "\n" or "")
end

local STAGE <const> = [[
--- What %s.lua sees: %s
---@class peal.Phone.%s: peal.Phone
%s
--- %s
---@alias peal.Answer.%s %s

--- What %s.lua returns.
---@class peal.Rule.%s
---@field stage "%s"
---@field decide fun(phone: peal.Phone.%s): peal.Answer.%s, ...
]]

-- The first result of decide(), as the stage's own check reads it.
local ANSWERS <const> = {
  trigger = "boolean",
  profile = "peal.Plan|nil",
  apply = "{ refuse?: table<string, string>, "
    .. "change?: table<string, string> }|nil",
  upgrade = '{ action: "skip"|"activate"|"fetch", load?: string, '
    .. "fetch?: table, retry?: { after: integer, spread?: integer }, "
    .. "reason?: string }|nil",
  headset = '{ action: "skip"|"fetch"|"offer", fetch?: table, '
    .. "index?: integer, reason?: string }|nil",
  report = "{ send?: table[], again?: { after: integer, spread?: integer }, "
    .. "reason?: string }|nil",
  certificate = "{ renew: boolean, after?: integer, spread?: integer, "
    .. "reason?: string }",
  health = '{ verdict: "keep"|"wait"|"undo", after?: integer, '
    .. "resync?: boolean, reason?: string }",
  schedule = "{ start?: peal.Delay, periodic?: peal.Delay, "
    .. "retry?: peal.Delay, at?: { minute: integer, spread?: integer }, "
    .. "forced?: integer, poll?: integer, reason?: string }|nil",
  privacy = "{ remove?: string[], set?: table<string, string>, "
    .. "add?: { name: string, value: string }[], reason?: string }|nil",
  trust = "{ accept: boolean, list?: boolean, reason?: string, "
    .. "word?: string }",
}

local function stage_text(name)
  local stage = stages[name]
  return STAGE:format(name, stage.purpose, name,
    fields_of(stage.fields, views[name]), "Answer: " .. stage.answer .. ".",
    name, assert(ANSWERS[name], name), name, name, name, name, name)
end

local function rules_file()
  local out = { "---@meta", HEAD, TIME,
    "--- The phone as every rule sees it; it cannot be changed.",
    "---@class peal.Phone", fields_of(stages.common, views.common) }
  for _, name in ipairs(stages.names) do out[#out + 1] = stage_text(name) end
  each({ library = true }, function(group)
    out[#out + 1] = ("%s\n---@class peal.library.%s\n%s = {}\n"):format(
      comment(group.doc), group.name, group.name)
    put_members(out, group, group.name)
  end)
  return table.concat(out, "\n")
end

-- --- parameters -------------------------------------------------------------

-- A secret is not a text in a rule: it can be joined and passed on.
local function put_parameter(out, entry)
  local words = entry.doc and " " .. entry.doc or ""
  for number = 1, entry.count or 1 do
    local name = entry.name:gsub("_n_", ("_%d_"):format(number))
    if not name:find("^[%a_][%w_]*$") then name = ('["%s"]'):format(name) end
    out[#out + 1] = ("---@field %s string%s"):format(name,
      number == 1 and words or "")
  end
end

local function parameters_file()
  local out = { "---@meta", HEAD, "--- Every parameter, as text.",
    "---@class peal.Parameters" }
  for _, group in ipairs(registry.groups()) do
    for _, entry in ipairs(group) do put_parameter(out, entry) end
  end
  for _, alias in ipairs(sorted.keys(registry.aliases)) do
    local name = alias:find("^[%a_][%w_]*$") and alias or ('["%s"]'):format(
      alias)
    out[#out + 1] = ("---@field %s string see %s"):format(name,
      registry.aliases[alias])
  end
  return table.concat(out, "\n") .. "\n"
end

--- Every stub: path -> text.
local function stubs()
  local out = { [FOLDER .. "rules.lua"] = rules_file(),
    [FOLDER .. "parameters.lua"] = parameters_file(),
    [FOLDER .. "types.lua"] = types_file() }
  each({ module = true, script = true }, function(group)
    local path = FOLDER .. group.name:gsub("%.", "/") .. ".lua"
    out[path] = module_file(group)
  end)
  return out
end

if arg and arg[0] and arg[0]:find("generate-stubs", 1, true) then
  for path, text in pairs(stubs()) do
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
  end
end

return stubs
