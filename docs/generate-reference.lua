--- Write docs/reference/*.md from scripts/peal/reference/. In the top folder:
--   lua5.4 docs/generate-reference.lua
-- A spec compares the two, so that the pages are never out of date. Decisions
-- of rule files are on docs/rules.md, parameters on docs/parameters.md.
package.path = "./scripts/?.lua;" .. package.path
local reference = require("peal.reference")
local signature = require("peal.reference.signature")

local FOLDER <const> = "docs/reference/"
local MADE <const> = "Made by `docs/generate-reference.lua`; change "
  .. "`scripts/peal/reference/` instead\nof this page."

local PAGES <const> = {
  { name = "rules.md", title = "The rule library", kinds = { library = true },
    intro = "What a rule file may call, beside Lua's own `string`, `table`, "
      .. "`math`, `utf8`\nand `coroutine`. What each decision sees and "
      .. "answers is on `docs/rules.md`. In a\nsession, "
      .. "`help(classic.profile)` says the same." },
  { name = "repl.md", title = "The session",
    kinds = { globals = true, commands = true, script = true, object = true },
    intro = "What `peal repl` has, beside Lua. `help \":plan\"` says the same. "
      .. "A tour is on\n`docs/repl.md`." },
  { name = "bindings.md", title = "The binding modules",
    kinds = { module = true, class = true, table = true },
    intro = "The C core as trusted Lua sees it: phone files, a maker's device, "
      .. "lab scripts.\nRule files have none of it. Wrong use raises an "
      .. "error; a failing world is `nil`, a\nsentence and a word of "
      .. "`runtime/include/peal/error.h`." },
}

local function code(text)
  return "`" .. text .. "`"
end

local function params_of(form)
  local out = {}
  for i, one in ipairs(form.params or {}) do
    out[i] = ("- %s: %s%s"):format(code(one.name), code(one.type),
      one.optional and ", may be left out" or "")
  end
  return out
end

local function returns_of(entry, form)
  local out = {}
  for i, one in ipairs(form.returns or {}) do
    out[i] = ("%s %s"):format(one.name, code(one.type))
  end
  local text = table.concat(out, ", ")
  if not entry.fails then return text end
  return ("%s; or nil, a sentence, %s"):format(text,
    entry.fails == true and "a word" or code(entry.fails))
end

local function put_call(put, group, entry, path)
  local form = signature.parse(entry[1])
  put("### " .. code(signature.text(form, path)), "", entry[2], "")
  local list = params_of(form)
  local returns = returns_of(entry, form)
  if returns ~= "" then list[#list + 1] = "- Returns: " .. returns end
  if not form.params then list[#list + 1] = "- Type: " .. code(form.type) end
  if entry.source and entry.source ~= group.source then
    list[#list + 1] = "- Source: " .. entry.source
  end
  if entry.example then
    list[#list + 1] = "- Example: " .. code(entry.example)
  end
  put(table.concat(list, "\n"), #list > 0 and "" or nil)
end

local function put_table(put, group)
  put("| field | type | |", "|---|---|---|")
  for _, entry in ipairs(group) do
    local form = signature.parse(entry[1])
    put(("| %s | %s | %s |"):format(code(form.name),
      code((form.type:gsub("|", "\\|"))), entry[2]))
  end
  put ""
end

local function put_commands(put, group)
  put("| command | |", "|---|---|")
  for _, entry in ipairs(group) do
    put(("| %s | %s |"):format(code((entry[1]:gsub("|", "\\|"))), entry[2]))
  end
  put ""
end

local TITLES <const> = { class = "`peal.%s`", table = "`peal.%s`",
  module = "require \"%s\"", script = "require \"%s\"",
  object = "`peal.%s`" }

local function put_group(put, group)
  put("## " .. (TITLES[group.kind] or "%s"):format(group.name), "", group.doc,
    "", ("Source: %s."):format(group.source), "")
  if group.kind == "table" then return put_table(put, group) end
  if group.kind == "commands" then return put_commands(put, group) end
  for _, entry in ipairs(group) do
    put_call(put, group, entry, reference.path(group, entry))
  end
end

--- Every page: name -> text.
local function pages()
  local out = {}
  for _, page in ipairs(PAGES) do
    local lines, count = { "# " .. page.title, "", MADE, "", page.intro, "" }, 0
    local function put(...)
      for _, line in ipairs { ... } do lines[#lines + 1] = line end
    end
    for _, group in ipairs(reference.groups()) do
      if page.kinds[group.kind] then
        count = count + 1
        put_group(put, group)
      end
    end
    if count > 0 then
      out[FOLDER .. page.name] = table.concat(lines, "\n"):gsub("\n+$", "")
        .. "\n"
    end
  end
  return out
end

if arg and arg[0] and arg[0]:find("generate-reference", 1, true) then
  for path, text in pairs(pages()) do
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
  end
end

return pages
