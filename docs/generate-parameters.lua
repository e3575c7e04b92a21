--- Write docs/parameters.md from the registry. In the top folder:
--   lua5.4 docs/generate-parameters.lua > docs/parameters.md
-- A spec compares the two, so that the page is never out of date.
package.path = "./scripts/?.lua;" .. package.path
local parameter = require("peal.reference.parameter")
local registry = require("peal.registry")

local INTRO <const> = [[
# Parameters

Made from the registry by `docs/generate-parameters.lua`; change
`scripts/peal/registry/` instead of this page.

A parameter is an element of a profile, `<Name ua="na">value</Name>`. A name
with `_n_` stands for one parameter per line or key, such as `Line_Enable_1_`.
*Access* is what the user account may do, unless a profile says otherwise:
`na` nothing, `ro` read, `rw` change. A *secret* is never printed. A change of
a *reboot* parameter takes a reboot to act. "Our choice" as the source means
that the phones peal follows have no such parameter.

Types: `Bool` Yes or No (also Enable, Disable, 1, 0) · `Choice` one of a list,
whatever the case · `Uns8`, `Uns16`, `Uns32` a number, decimal or 0x hex ·
`Str` text · `Rule` profile rule or condition · `URL` · `FQDN` host[:port] ·
`Port` · `HHmm` time of day · `Schedule` delays such as `60,120+30`: the n-th
wait, the last one for ever, after `+` a random extra · `List` between commas ·
`DialPlanScript`.
]]

local function code(text)
  return "`" .. text .. "`"
end

local function range_of(entry)
  local range, choices = parameter.range(entry)
  for i, choice in ipairs(choices or {}) do choices[i] = code(choice) end
  return choices and table.concat(choices, ", ") or range
end

local function default_of(entry)
  return entry.default and code(entry.default) or "empty"
end

local function put_entry(put, entry)
  put("### " .. entry.name, "", entry.doc, "")
  put("- Type: " .. parameter.type(entry)
    .. (entry.count and (", n = 1 to %d"):format(entry.count) or ""))
  local range = range_of(entry)
  if range then
    put("- Range: " .. range)
  end
  if entry.unit then
    put("- Unit: " .. entry.unit)
  end
  put("- Default: " .. default_of(entry), "- Access: "
    .. parameter.access(entry), "- Source: " .. entry.source, "- Example: "
    .. code(parameter.example(entry)), "")
end

local function put_stored(put, group)
  put("Stored and handed on; the runtime itself does not use them. Their",
    "defaults are the phone's own affair. Source: " .. group[1].source .. ".",
    "", "| Name | Type | n | Access |", "|---|---|---|---|")
  local rows = {}
  for i, entry in ipairs(group) do
    rows[i] = ("| `%s` | %s | %s | %s |"):format(entry.name,
      parameter.type(entry), entry.count and "1 to " .. entry.count or "",
      parameter.access(entry))
  end
  table.sort(rows, function(a, b)
    return a:lower() < b:lower()
  end)
  put(table.concat(rows, "\n"), "")
end

local function put_spellings(put)
  local rows = {}
  for alias, name in pairs(registry.aliases) do
    rows[#rows + 1] = ("| `%s` | `%s` |"):format(alias, name)
  end
  table.sort(rows)
  put("## Other Spellings", "",
    "Public documents use these besides the names above; a profile may too.",
    "", "| Read | As |", "|---|---|", table.concat(rows, "\n"))
end

local function page()
  local lines = { INTRO }
  local function put(...)
    table.move({ ... }, 1, select("#", ...), #lines + 1, lines)
  end
  for _, group in ipairs(registry.groups()) do
    put("## " .. group.name, "")
    if group.name == "Further Parameters" then
      put_stored(put, group)
    else
      for _, entry in ipairs(group) do
        put_entry(put, entry)
      end
    end
  end
  put_spellings(put)
  return table.concat(lines, "\n") .. "\n"
end

if arg and arg[0] and arg[0]:find("generate-parameters", 1, true) then
  io.write(page())
end

return page
