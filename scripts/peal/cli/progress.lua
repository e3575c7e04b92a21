--- How far long work has come: one line on stderr that is written anew. Someone
-- who looks on is told; a file is not.
local sys = require "peal.sys"

local progress = {}

local STDERR <const> = 2
-- Between two lines, s.
local EVERY_S <const> = 0.2

local function is_seen()
  local ok, terminal = pcall(require, "peal.terminal")
  return ok and terminal.is_tty(STDERR)
end

local function nobody() end

--- @treturn function tell(text_of, ...): text_of(...) is asked for the line
--   where it is time for one
-- @treturn function clear(): before other lines, and at the end
-- @treturn function say(text): the line, at once
function progress.new()
  if not is_seen() then return nobody, nobody, nobody end
  local said, stands = sys.monotonic(), false
  local function say(text)
    said, stands = sys.monotonic(), true
    io.stderr:write("\r", text, " \27[K"):flush()
  end
  local function tell(text_of, ...)
    if sys.monotonic() - said >= EVERY_S then say(text_of(...)) end
  end
  return tell, function()
    if stands then io.stderr:write("\r\27[K"):flush() end
    stands = false
  end, say
end

return progress
