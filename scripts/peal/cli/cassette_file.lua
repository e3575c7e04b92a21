--- Cassettes in files, for commands.
local cassette = require "peal.cassette"
local files = require "peal.cli.files"
local passphrase = require "peal.cli.passphrase"

local cassette_file = {}

-- Larger than any that peal writes.
local MAX <const> = 256 * 1024 * 1024

local NEXT <const> = {
  corrupt = "make another one with: peal record --out FILE",
  newer = "play it with the peal that made it, or a later one",
  ["bad-key"] = "the one that it was recorded with: --passphrase-file FILE",
}

local function failure(path, sentence, word)
  return nil, { sentence = ("%s: %s"):format(path, sentence), word = word,
    next = NEXT[word] }
end

--- Read one.
-- @treturn[1] table
-- @return[2] nil, failure
function cassette_file.read(path, options)
  local bytes, failed = files.read(path, MAX)
  if not bytes then return nil, failed end
  local sealed, sentence, word = cassette.is_sealed(bytes)
  if sealed == nil then return failure(path, sentence, word) end
  local key
  if sealed then
    key, failed = passphrase.of(options)
    if not key then return nil, failed end
  end
  local c
  c, sentence, word = cassette.load(bytes, key)
  if not c then return failure(path, sentence, word) end
  return c
end

--- Write one under a passphrase; a redacted one as it is.
-- @treturn[1] integer its bytes
-- @return[2] nil, failure
function cassette_file.write(path, c, key)
  local bytes, sentence, word = cassette.save(c, key)
  if not bytes then return failure(path, sentence, word) end
  local ok, failed = files.replace(path, bytes)
  if not ok then return nil, failed end
  return #bytes
end

return cassette_file
