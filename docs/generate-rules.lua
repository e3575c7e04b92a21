--- Write the part of docs/rules.md that says what each rule sees and answers,
-- from scripts/peal/stages/. In the top folder:
--   lua5.4 docs/generate-rules.lua
-- A spec compares the two, so that the page is never out of date.
package.path = "./scripts/?.lua;" .. package.path
local stages = require("peal.stages")

local PAGE <const> = "docs/rules.md"
local BEGIN <const> = "<!-- made by docs/generate-rules.lua -->\n"
local END <const> = "<!-- end -->\n"

local function rows(fields)
  local names, out = {}, {}
  for name in pairs(fields) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    out[i] = ("| `phone.%s` | %s |"):format(name,
      (fields[name]:gsub("|", "\\|")))
  end
  return "| field | |\n|---|---|\n" .. table.concat(out, "\n") .. "\n"
end

local function section(name)
  local stage = stages[name]
  local out = { ("### %s.lua: %s\n"):format(name, stage.purpose) }
  if next(stage.fields or {}) then out[#out + 1] = rows(stage.fields) end
  out[#out + 1] = ("Answer: %s.\n"):format(stage.answer)
  return table.concat(out, "\n")
end

local function made()
  local out = { "### What every rule sees\n\n" .. rows(stages.common) }
  for i, name in ipairs(stages.names) do out[i + 1] = section(name) end
  return table.concat(out, "\n")
end

--- The text of the page with its part made anew.
local function fill(page)
  local _, from = page:find(BEGIN, 1, true)
  local to = page:find(END, 1, true)
  return page:sub(1, from) .. "\n" .. made() .. "\n" .. page:sub(to)
end

if arg and arg[0] and arg[0]:find("generate%-rules%.lua$") then
  local file = assert(io.open(PAGE))
  local page = file:read("a")
  file:close()
  file = assert(io.open(PAGE, "w"))
  file:write(fill(page))
  file:close()
end

return fill
