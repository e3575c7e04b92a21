--- The control log of a phone: what happened, one line each, oldest first.
-- `messages` in the store's folder, and `messages.0` (the newest of the old)
-- to `messages.4`. A line that cannot be written is lost and counted; nobody
-- is kept from working by it.
-- Source: MPP administration guide, "Control Logs"; sizes and rates: our
-- choice.
local civil = require "peal.civil"
local visible = require "peal.visible"

local control_log = {}
control_log.__index = control_log

local FILE_MAX <const> = 64 * 1024
local LINE_MAX <const> = 1000
local OLDEST <const> = 4

-- A flood of lines wears the flash and hides what led to it.
local BURST <const> = 500
local PER_SECOND <const> = 20

--- A log in `folder`. Opens nothing: the file is opened for each line, so that
-- a folder that comes and goes, or is full for a while, costs lines only.
function control_log.new(folder)
  return setmetatable({ path = folder .. "/messages", credit = BURST,
    lost = 0, torn = false }, control_log)
end

local function rotate(path)
  os.remove(("%s.%d"):format(path, OLDEST))
  for i = OLDEST - 1, 0, -1 do
    os.rename(("%s.%d"):format(path, i), ("%s.%d"):format(path, i + 1))
  end
  return os.rename(path, path .. ".0")
end

-- The current file, with room for `size` bytes; nil: it cannot be had.
local function open(path, size)
  local file = io.open(path, "ab")
  local used = file and file:seek("end")
  if used and used > 0 and used + size > FILE_MAX then
    file:close()
    -- where nothing can be renamed, nothing is written either: the file
    -- must not grow
    file = rotate(path) and io.open(path, "ab")
  end
  return file
end

local function append(self, text)
  -- what a full disk has cut off ends where the next line begins
  if self.torn then text = "\n" .. text end
  local file = open(self.path, #text)
  if not file then return false end
  file:setvbuf("no")
  local ok = file:write(text)
  file:close()
  self.torn = not ok
  return ok ~= nil
end

local function may_write(self, mono)
  local since = mono - (self.seen or mono)
  self.seen = mono
  self.credit = math.min(BURST, self.credit + since * PER_SECOND)
  if self.credit < 1 then return false end
  self.credit = self.credit - 1
  return true
end

--- Append a line.
-- @param now  { time =, mono = } of the world
-- @treturn boolean is it written?
function control_log:write(text, now)
  local line = ("%s %s\n"):format(civil.iso(now.time),
    visible.line(text, LINE_MAX))
  if not may_write(self, now.mono) then
    self.lost = self.lost + 1
    return false
  end
  if self.lost > 0 then
    line = ("%s %d lines are missing here: too many at once, or no room\n")
      :format(civil.iso(now.time), self.lost) .. line
  end
  if not append(self, line) then
    self.lost = self.lost + 1
    return false
  end
  self.lost = 0
  return true
end

return control_log
