--- peal version.
local output = require "peal.cli.output"
local sys = require "peal.sys"

local version = {
  name = "version",
  usage = "",
  summary = "Print the versions of peal and of its libraries.",
  options = {},
}

function version.run(options)
  local libraries = sys.versions()
  if options.json then
    output.json(libraries)
    return 0
  end
  local names = {}
  for name in pairs(libraries) do
    if name ~= "peal" then names[#names + 1] = name end
  end
  table.sort(names)
  for i, name in ipairs(names) do
    names[i] = ("%s %s"):format(name, libraries[name])
  end
  output.print(("peal %s (%s)"):format(libraries.peal,
    table.concat(names, ", ")))
  return 0
end

return version
