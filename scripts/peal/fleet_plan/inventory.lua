--- The phones of a fleet, from a table of comma-separated values.
-- The first line names the columns:
--   MAC, PN, PSN, SN, SWVER, HWVER, IP, EXTIP ...   who the phone is
--   group                what it is counted under in the summary
--   store                folder of its store
--   NAME, params.NAME    a parameter's value; written over those of the store
-- An empty field says nothing: the phone file's value holds, or the default.
local csv = require "peal.fleet_plan.csv"

local inventory = {}

local IDENTITY <const> = { PN = true, PSN = true, MAC = true, SN = true,
  SWVER = true, HWVER = true, IP = true, EXTIP = true, CCERT = true,
  EMS = true, MUID = true, MPWD = true, ORIGTYPE = true, AUTHSTATUS = true,
  ISCUST = true }

-- Mistakes that are told; there may be one in every line.
local PROBLEMS_MAX <const> = 20

local function add_problem(problems, line, text)
  problems.n = problems.n + 1
  if problems.n <= PROBLEMS_MAX then
    problems[#problems + 1] = { line = line, text = text }
  end
end

-- A name in other letters, of those that are no parameter.
local function other_case(name)
  for _, known in ipairs { "group", "store" } do
    if name:lower() == known then return known end
  end
  return IDENTITY[name:upper()] and name:upper() or nil
end

local function column_of(name, schema)
  if IDENTITY[name] then return { identity = name } end
  if name == "group" or name == "store" then return { field = name } end
  local param = name:match("^params%.(.+)$") or name
  local known = schema:find(param)
  if known then return { param = known } end
  if name:find("[;\t]") then
    return nil, "the columns are separated by other signs than commas"
  end
  local near = other_case(name) or schema:suggest(param)
  return nil, ("no such column: %q%s"):format(name, near
    and (" (did you mean %s?)"):format(near) or "")
end

local function columns_of(header, schema, problems)
  local columns, seen = {}, {}
  for i, name in ipairs(header) do
    name = name:match("^%s*(.-)%s*$")
    local column, why = column_of(name, schema)
    local what = column and (column.identity or column.field or column.param)
    if not column then
      add_problem(problems, header.line, why)
    elseif seen[what] then
      add_problem(problems, header.line, ("%s is named twice"):format(name))
    else
      seen[what] = true
    end
    columns[i] = column or {}
  end
  return columns
end

-- Twelve hexadecimal digits in any notation.
local function mac_of(text)
  local digits = text:gsub("[:. -]", ""):lower()
  return #digits == 12 and not digits:find("%X") and digits or nil
end

local function set_field(entry, column, text, schema)
  if column.param then
    local value, sentence = schema:check(column.param, text)
    if not value then return nil, column.param .. ": " .. sentence end
    entry.params[#entry.params + 1] = { column.param, value }
  elseif column.identity == "MAC" then
    entry.identity.MAC = mac_of(text)
    if not entry.identity.MAC then
      return nil, ("no MAC address: %q"):format(text:sub(1, 40))
    end
  elseif column.identity then
    entry.identity[column.identity] = text
  elseif column.field then
    entry[column.field] = text
  end
  return true
end

-- The same phone twice would be counted twice.
local function check_twin(entry, seen, problems)
  local mac = entry.identity.MAC
  if not mac then return end
  if seen[mac] then
    add_problem(problems, entry.line, ("%s is in line %d already"):format(mac,
      seen[mac]))
  end
  seen[mac] = seen[mac] or entry.line
end

local function entry_of(record, columns, schema, problems)
  local entry = { line = record.line, identity = {}, params = {} }
  if #record ~= #columns then
    add_problem(problems, record.line, ("%d fields, not %d as the first line "
      .. "has"):format(#record, #columns))
    return entry
  end
  for i, text in ipairs(record) do
    if text:find("%S") then
      local ok, sentence = set_field(entry, columns[i], text, schema)
      if not ok then add_problem(problems, record.line, sentence) end
    end
  end
  return entry
end

--- Read an inventory.
-- @tparam string text
-- @param schema   of the parameters that columns may name
-- @treturn[1] list of { line, identity, group, store, params = list of
--   { name, value } }
-- @return[2] nil, list of { line, text }; n: how many there are, more than
--   are told perhaps
function inventory.parse(text, schema)
  local problems = { n = 0 }
  local records, why, line = csv.parse(text)
  if not records then
    add_problem(problems, line, why)
  elseif not records[1] then
    add_problem(problems, 1, "there is no line with the names of columns")
  end
  if problems.n > 0 then return nil, problems end
  local columns = columns_of(records[1], schema, problems)
  if problems.n > 0 then return nil, problems end
  local list, seen = {}, {}
  for i = 2, #records do
    list[i - 1] = entry_of(records[i], columns, schema, problems)
    check_twin(list[i - 1], seen, problems)
  end
  if problems.n > 0 then return nil, problems end
  return list
end

return inventory
