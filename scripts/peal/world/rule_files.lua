--- The rule sources in force, as text: the factory's, and an operator's folder
-- that shadows them file by file.
local factory = require "peal.factory"
local sys = require "peal.sys"

local rule_files = {}

local MAX_BYTES <const> = 256 * 1024
-- A file that was touched less than so many seconds ago may change again
-- without a trace: the clock of a file system ticks slowly.
local FRESH_S <const> = 2

local KINDS <const> = { directory = "a directory", socket = "a socket",
  other = "something else" }

--- Text of one file as phones read it, or nil and what is wrong with it. An
-- editor truncates a file before it writes it anew: an empty one is no text. A
-- pipe that nobody writes to would hold the whole program up.
-- @param about   what sys.stat() says of it
function rule_files.text(path, about)
  local kind = about and KINDS[about.type]
  if kind then return nil, ("%s: not a file, but %s"):format(path, kind) end
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  local text, problem = file:read(MAX_BYTES + 1)
  file:close()
  if problem then return nil, ("%s: %s"):format(path, problem) end
  if not text then return nil, path .. ": the file is empty" end
  if #text > MAX_BYTES then
    return nil, ("%s: longer than %d bytes"):format(path, MAX_BYTES)
  end
  -- some editors put a mark of the encoding in front, which is no Lua
  return (text:gsub("^\xEF\xBB\xBF", ""))
end

local function factory_sources()
  local sources = {}
  for name, text in pairs(factory) do
    sources[name] = { text = text, path = "rules/" .. name, factory = true }
  end
  return sources
end

-- What changes when a file does.
local function signature(about)
  return ("%d %d %.9f %.9f"):format(about.inode, about.size, about.mtime,
    about.ctime)
end

-- The source of one file: what is known of it where it has not changed.
-- @treturn table { source =, mark = signature, or nil: read it again }
local function look(path, known)
  local about = sys.stat(path)
  local mark = about and signature(about)
  if known and mark and known.mark == mark then return known end
  local settled = about and about.ctime < sys.time() - FRESH_S
  local text, problem = rule_files.text(path, about)
  local source = known and known.source
  if not source or source.text ~= text or source.error ~= problem then
    source = { text = text, error = problem, path = path }
  end
  return { source = source, mark = settled and mark or nil }
end

-- The files of a folder as they are now, by name; nil and why.
local function scan(dir, known)
  local names, why = sys.list(dir)
  if not names then return nil, why end
  local found = {}
  for _, name in ipairs(names) do
    if name:find("^[%w_-]+%.lua$") then
      found[name] = look(dir .. "/" .. name, known[name])
    end
  end
  return found
end

local function is_same(sources, found, dir_error)
  local folder = sources["."]
  if (folder and folder.error) ~= dir_error then return false end
  for name, source in pairs(sources) do
    if not source.factory and name ~= "."
      and not (found[name] and found[name].source == source)
    then
      return false
    end
  end
  for name, one in pairs(found) do
    if sources[name] ~= one.source then return false end
  end
  return true
end

--- A function that gives the sources:
-- file name -> { text=, path=, factory=bool } or, where a file cannot be read,
-- { error=, path= }; a folder that cannot be read is at ".". It gives the same
-- table as long as nothing has changed, and reads a file again only when its
-- size, its times or its inode say so, or it was just written.
-- @param[opt] dir the operator's folder
function rule_files.reader(dir)
  local sources, known = factory_sources(), {}
  return function()
    if not dir then return sources end
    local found, why = scan(dir, known)
    known = found or {}
    if is_same(sources, known, why) then return sources end
    sources = factory_sources()
    if why then sources["."] = { error = why, path = dir } end
    for name, one in pairs(known) do sources[name] = one.source end
    return sources
  end
end

--- The sources as they are now.
function rule_files.read(dir)
  return rule_files.reader(dir)()
end

return rule_files
