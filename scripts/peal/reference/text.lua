--- The reference as texts for a terminal of 80 columns.
local parameter = require "peal.reference.parameter"
local signature = require "peal.reference.signature"
local sorted = require "peal.sorted"
local stages = require "peal.stages"
local views = require "peal.reference.views"

local text = {}

local WIDTH <const> = 79

-- Words of a text in lines that begin `indent` in; the first line goes on at
-- column `at`. A word that is too long has a line of its own.
local function wrap(words, indent, at)
  local lines, line, room = {}, {}, WIDTH - (at or indent)
  local used = 0
  for word in words:gmatch("%S+") do
    local more = utf8.len(word) or #word
    if #line > 0 and used + 1 + more > room then
      lines[#lines + 1] = table.concat(line, " ")
      line, used, room = {}, 0, WIDTH - indent
    end
    used = used + more + (#line > 0 and 1 or 0)
    line[#line + 1] = word
  end
  lines[#lines + 1] = table.concat(line, " ")
  return table.concat(lines, "\n" .. (" "):rep(indent))
end

-- The beginning of a text that fits into the line.
local function cut(words, indent)
  local lines = wrap(words, indent, indent + #" ...")
  local line, rest = lines:match("^([^\n]*)(.*)")
  return rest == "" and line or line .. " ..."
end

-- { label, text } one below the other, the texts in one column.
--   fit(text, column)   lays a text out; nil: in as many lines as it takes
local function rows_of(rows, fit)
  local out, wide = {}, 0
  for _, row in ipairs(rows) do wide = math.max(wide, #row[1]) end
  for i, row in ipairs(rows) do
    local at = 2 + wide + 2
    out[i] = ("  %s  %s"):format(row[1] .. (" "):rep(wide - #row[1]),
      (fit or wrap)(row[2], at))
  end
  return table.concat(out, "\n")
end

local function paragraph(words)
  return "  " .. wrap(words, 2)
end

local function page(...)
  local out = {}
  for _, piece in ipairs { ... } do
    if piece ~= "" then out[#out + 1] = piece end
  end
  return table.concat(out, "\n\n")
end

-- How it fails, in words.
local function failure(fails)
  if not fails then return nil end
  return fails == true and "nil, a sentence, a word"
    or ("nil, a sentence, %q"):format(fails)
end

local function type_text(one)
  return one.type .. (one.optional and ", may be left out" or "")
end

local function call_rows(entry, form, group)
  local rows = {}
  local function add(label, words)
    if words then rows[#rows + 1] = { label, words } end
  end
  for _, one in ipairs(form.params or {}) do add(one.name, type_text(one)) end
  if not form.params then add("type", form.type) end
  for i, one in ipairs(form.returns or {}) do
    add(i == 1 and "returns" or "and", one.name .. ": " .. one.type)
  end
  add("fails with", failure(entry.fails))
  add("source", entry.source or group.source)
  add("example", entry.example)
  return rows
end

--- An entry, as reference.find() gives it.
function text.entry(item)
  if not item.signature then
    return page(item.entry[1], paragraph(item.entry[2]))
  end
  return page(signature.text(item.signature, item.path),
    paragraph(item.entry[2]),
    rows_of(call_rows(item.entry, item.signature, item.group)))
end

local HEADS <const> = {
  library = "%s: a table that rule files have",
  module = 'require "%s"',
  script = 'require "%s"',
  class = "%s: a handle",
  object = "%s",
}

-- Each entry as a row, its name behind `prefix`.
local function entries(group, prefix)
  local rows = {}
  for i, entry in ipairs(group) do
    local sentence, mark = entry[2]:match("^(.-)([.:;?])%s")
    sentence = sentence and sentence .. (mark == "?" and mark or "")
      or entry[2]
    rows[i] = { prefix .. (entry[1]:match("^:.*$")
      or entry[1]:match("^[%w_]+")), sentence }
  end
  return rows
end

--- A group: what it is, and each entry in a line.
function text.group(group)
  return page((HEADS[group.kind] or "%s"):format(group.name),
    paragraph(group.doc), rows_of(entries(group, "")))
end

--- What a line at the prompt can call, by group, each in a line.
--   groups   all of them; those of other kinds are left out
function text.overview(groups)
  local parts = {}
  local function add(kind, prefix)
    for _, group in ipairs(groups) do
      if group.kind == kind then
        parts[#parts + 1] = group.name .. "\n" .. rows_of(entries(group,
          prefix:format(group.name)), cut)
      end
    end
  end
  add("globals", "")
  add("library", "%s.")
  return page(table.unpack(parts))
end

local function field_rows(fields, types)
  local rows = {}
  for _, name in ipairs(sorted.keys(fields or {})) do
    rows[#rows + 1] = { "phone." .. name, ("%s: %s"):format(types[name],
      fields[name]) }
  end
  return rows
end

--- A decision of rule files.
function text.stage(name)
  local stage = stages[name]
  local own = field_rows(stage.fields, views[name])
  return page(("%s.lua: %s"):format(name, stage.purpose),
    #own > 0 and rows_of(own) or "",
    "  Every rule sees", rows_of(field_rows(stages.common, views.common)),
    paragraph("Answer: " .. stage.answer .. "."))
end

--- A parameter, with its value where there is a store.
function text.parameter(entry, store)
  return page(entry.name, paragraph(entry.doc
    or "Stored and handed on; the runtime itself does not use it."),
    rows_of(parameter.rows(entry, store)))
end

return text
