--- Files that a command is given: "-" stands for standard input.
local advice = require "peal.cli.advice"
local sys = require "peal.sys"

local files = {}

-- Numbers of errno that are told apart: Linux's, as in errno(3).
local WORDS <const> = { [13] = "permission", [28] = "no-space",
  [30] = "read-only", [122] = "no-space" }

local function trouble(path, why, number)
  local sentence = why:find(path, 1, true) and why or path .. ": " .. why
  local word = WORDS[number]
  return nil, { sentence = sentence, word = word or "io",
    next = word and advice.here(word)
      or "is the name right, and may this user read and write there?" }
end

--- The first `max` bytes of a file.
-- @return[2] nil, failure
function files.read(path, max)
  if path == "-" then return io.stdin:read(max) or "" end
  local file, why, number = io.open(path, "rb")
  if not file then return trouble(path, why, number) end
  local bytes
  bytes, why, number = file:read(max)
  file:close()
  if not bytes and why then return trouble(path, why, number) end
  return bytes or ""
end

--- Can a file be written there? To be asked before the work whose result it
-- is to hold. What is there stays.
-- @treturn[1] boolean true
-- @return[2] nil, failure
function files.check(path)
  local was_there = sys.stat(path)
  local file, why, number = io.open(path, "ab")
  if not file then return trouble(path, why, number) end
  file:close()
  if not was_there then sys.remove(path) end
  return true
end

--- Write a file, in place of what is there. Half a file is not left.
-- @treturn[1] boolean true
-- @return[2] nil, failure
function files.write(path, bytes)
  local was_there = sys.stat(path)
  local file, why, number = io.open(path, "wb")
  if not file then return trouble(path, why, number) end
  local ok, closed, why_close, number_close
  ok, why, number = file:write(bytes)
  closed, why_close, number_close = file:close()
  if ok and closed then return true end
  if not was_there then sys.remove(path) end
  return trouble(path, why or why_close, number or number_close)
end

--- Write a file that is its owner's only. It takes the place of an older one
-- whole, or leaves it.
-- @treturn[1] boolean true
-- @return[2] nil, failure
function files.replace(path, bytes)
  local about = sys.stat(path)
  if path:find("^/dev/") or about and about.type ~= "file" then
    return files.write(path, bytes) -- a terminal or a pipe stays where it is
  end
  local new = path .. ".new"
  sys.remove(new)
  local ok, sentence, word = sys.create(new, bytes)
  if ok then ok, sentence, word = sys.rename(new, path) end
  if ok then return true end
  sys.remove(new)
  return nil, { sentence = sentence, word = word, next = advice.here(word) }
end

return files
