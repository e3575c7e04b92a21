-- An upgrade into partitions of a folder, in a process that is killed before
-- its n-th file operation:
--   peal-lua tests/support/cut_upgrade.lua FOLDER N OLD NEW [half]
-- With `half`, a write that is the n-th writes half of its bytes first. Ends
-- with 0 where there are fewer operations.
local folder, left, old, new, half = arg[1], tonumber(arg[2]), arg[3], arg[4],
  arg[5]

local function cut()
  os.execute("kill -9 $PPID") -- the shell's parent: this process
end

local function count()
  left = left - 1
  if left == 0 then cut() end
end

local open, rename, remove = io.open, os.rename, os.remove

local File = {}
File.__index = function(_, name)
  return function(self, ...)
    local bytes = ...
    if name == "write" and left == 1 and half then
      self.file:setvbuf("no")
      self.file:write(bytes:sub(1, #bytes // 2))
    end
    count()
    return self.file[name](self.file, ...)
  end
end

-- Only what happens in the folder counts.
local function is_ours(path) return path:sub(1, #folder) == folder end

-- luacheck: push ignore
function io.open(path, mode)
  if not is_ours(path) then return open(path, mode) end
  count()
  local file, why, number = open(path, mode)
  if not file then return nil, why, number end
  return setmetatable({ file = file }, File)
end
function os.rename(from, to) count() return rename(from, to) end
function os.remove(path) count() return remove(path) end
-- luacheck: pop

local upgrades = require "support.upgrades"
local p = upgrades.new { rule = "http://p/" .. new .. ".loads",
  load = { active = old }, folder = folder,
  server = { body = upgrades.image } }
local done = p.consider("boot")
os.exit(done.outcome == "done" and 0 or 1, false)
