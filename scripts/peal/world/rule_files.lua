--- The rule sources in force, as text: the factory's, and an operator's folder
-- that shadows them file by file.
local factory = require "peal.factory"
local sys = require "peal.sys"

local rule_files = {}

local MAX_BYTES <const> = 256 * 1024

-- Text of one file, or nil and what is wrong with it.
local function read(path)
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  local text = file:read(MAX_BYTES + 1)
  file:close()
  if not text then return nil, path .. ": the file is empty" end
  if #text > MAX_BYTES then
    return nil, ("%s: longer than %d bytes"):format(path, MAX_BYTES)
  end
  return text
end

--- @param[opt] dir the operator's folder
-- @treturn table file name -> { text=, path=, factory=bool } or, where a file
--   cannot be read, { error=, path= }; a folder that cannot be read is at "."
function rule_files.read(dir)
  local sources = {}
  for name, text in pairs(factory) do
    sources[name] = { text = text, path = "rules/" .. name, factory = true }
  end
  if not dir then return sources end
  local names, why = sys.list(dir)
  if not names then
    sources["."] = { error = why, path = dir }
    return sources
  end
  for _, name in ipairs(names) do
    if name:find("^[%w_-]+%.lua$") then
      local path = dir .. "/" .. name
      local text, problem = read(path)
      sources[name] = { text = text, error = problem, path = path }
    end
  end
  return sources
end

return rule_files
