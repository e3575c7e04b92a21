--- Files that a command is given: "-" stands for standard input.
local files = {}

local function trouble(path, why)
  local sentence = why:find(path, 1, true) and why or path .. ": " .. why
  return nil, { sentence = sentence, word = "io",
    next = "is the name right, and may this user read and write there?" }
end

--- The first `max` bytes of a file.
-- @return[2] nil, failure
function files.read(path, max)
  if path == "-" then return io.stdin:read(max) or "" end
  local file, why = io.open(path, "rb")
  if not file then return trouble(path, why) end
  local bytes
  bytes, why = file:read(max)
  file:close()
  if not bytes and why then return trouble(path, why) end
  return bytes or ""
end

--- Write a file, in place of what is there.
-- @treturn[1] boolean true
-- @return[2] nil, failure
function files.write(path, bytes)
  local file, why = io.open(path, "wb")
  if not file then return trouble(path, why) end
  local ok
  ok, why = file:write(bytes)
  local closed, why_close = file:close()
  if not ok or not closed then
    return trouble(path, why or why_close)
  end
  return true
end

return files
