--- Hints that can be typed as they stand.
local hints = {}

--- Text with the phone and store of a command in place of "--store DIR".
function hints.typed(text, options)
  local own = {}
  for _, name in ipairs { "phone", "store" } do
    local value = options[name]
    if value then own[#own + 1] = ("--%s %s"):format(name, value) end
  end
  if not text or not own[1] then return text end
  local typed = table.concat(own, " "):gsub("%%", "%%%%")
  return (text:gsub("%-%-store DIR", typed))
end

return hints
