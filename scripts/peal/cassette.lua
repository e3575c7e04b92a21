--- A cassette: all that went into one resync, or into an engine's life, and
-- what has to come out again. Bodies, headers, TLS facts, the clock, the dice,
-- the store before, the rules: whoever holds it holds the phone's secrets, so
-- that the file is sealed with a passphrase. One that was redacted holds none,
-- and may be clear.
--
--   peal-cassette 1 sealed ITERATIONS SALT    one line, the salt in hex
--   octets                                    AES-256-GCM of gzip
-- or
--   peal-cassette 1 clear
--   octets                                    gzip
--
-- Private keys and TLS sessions are in neither.
local decode = require "peal.decode"
local encode = require "peal.encode"
local form = require "peal.world.tape_form"
local hex = require "peal.hex"
local sys = require "peal.sys"

local cassette = {}

-- PBKDF2-HMAC-SHA-256, OWASP's figure of 2023.
local ITERATIONS <const> = 600000
-- A file may ask for this many at most: it says so before it is known to be
-- anybody's.
local ITERATIONS_MAX <const> = 2000000
local SALT <const> = 16

-- Unpacked; an engine's life of a month is far below.
local MAX <const> = 256 * 1024 * 1024

local HEAD <const> = "peal-cassette 1 "

-- Its fields, and what each is at least; those that are not here may be absent.
local FIELDS <const> = { kind = "string", peal = "string", phone = "table",
  registry = "table", store = "table", roots = "table", sources = "table",
  tape = "string", outcome = "table" }
-- Of a resync also.
local OF_RESYNC <const> = { request = "table" }
local IDENTITY <const> = { identity = "table" }
-- Octets of the key of a store's fingerprints.
local KEY <const> = 32
local STORE <const> = { bytes = "string", key = "string" }
local ROOTS <const> = { "identity", "keyring" }

local function unhex(text)
  return (text:gsub("%x%x", function(two)
    return string.char(tonumber(two, 16))
  end))
end

local function corrupt(sentence)
  return nil, sentence, "corrupt"
end

local function zipped(c)
  return encode.gzip(form.pack(c), 9)
end

--- What a passphrase becomes for one file: { key, iterations, salt }.
-- @return[2] nil, sentence, word
function cassette.lock(passphrase)
  local salt = sys.random(SALT)
  local key, sentence, word = encode.stretch(passphrase, salt, ITERATIONS)
  if not key then return nil, sentence, word end
  return { key = key, iterations = ITERATIONS, salt = salt }
end

--- A cassette under the key of a lock, without the first line.
-- @return[2] nil, sentence, word
function cassette.seal(c, key)
  local bytes, sentence, word = zipped(c)
  if not bytes then return nil, sentence, word end
  return encode.seal(key, bytes)
end

--- The file of what seal() gave.
function cassette.sealed(lock, bytes)
  return ("%ssealed %d %s\n%s"):format(HEAD, lock.iterations, hex(lock.salt),
    bytes)
end

local function clear(c)
  if not c.redacted then
    return nil, "a cassette with secrets is sealed with a passphrase",
      "invalid"
  end
  local bytes, sentence, word = zipped(c)
  if not bytes then return nil, sentence, word end
  return HEAD .. "clear\n" .. bytes
end

--- The bytes of a file.
--   passphrase   nil: clear, which only a redacted one may be
-- @treturn[1] string
-- @return[2] nil, sentence, word
function cassette.save(c, passphrase)
  if not passphrase then return clear(c) end
  local lock, sentence, word = cassette.lock(passphrase)
  if not lock then return nil, sentence, word end
  local bytes
  bytes, sentence, word = cassette.seal(c, lock.key)
  if not bytes then return nil, sentence, word end
  return cassette.sealed(lock, bytes)
end

local function head_of(bytes)
  local line = bytes:sub(1, 256):match("^([^\n]*)\n")
  local rest = line and line:sub(1, #HEAD) == HEAD and line:sub(#HEAD + 1)
  if not rest then return nil end
  local head = { size = #line + 1, clear = rest == "clear" }
  local iterations, salt = rest:match("^sealed (%d+) (%x+)$")
  head.iterations = math.tointeger(tonumber(iterations))
  head.salt = salt and unhex(salt)
  return head
end

--- Is a passphrase needed for this file?
-- @treturn[1] boolean
-- @return[2] nil, sentence, "corrupt": it is no cassette; or "newer"
function cassette.is_sealed(bytes)
  local head = head_of(bytes)
  if not head and bytes:find("^peal%-cassette %d+ ") then
    return nil, "this cassette was made by a newer peal", "newer"
  elseif not head or not head.clear and not head.salt then
    return corrupt("this is no cassette of peal's")
  end
  return not head.clear
end

local function has(t, fields)
  for name, kind in pairs(fields) do
    if type(t[name]) ~= kind then return false end
  end
  return true
end

local function all_are(kind, t)
  for _, value in pairs(t) do
    if type(value) ~= kind then return false end
  end
  return true
end

local function a_mark(as) return as:find("^o%d+") and as end

local function has_roots(roots)
  for _, name in ipairs(ROOTS) do
    local bytes = roots[name]
    if type(bytes) ~= "string" or not form.unpack_list(bytes, a_mark) then
      return false
    end
  end
  return true
end

-- Has it what a player looks for before anything of it is checked?
local function is_whole(c)
  return type(c) == "table" and has(c, FIELDS) and has(c.store, STORE)
    and #c.store.key == KEY and has_roots(c.roots)
    and all_are("table", c.registry) and all_are("table", c.sources)
    and (c.anchors == nil or type(c.anchors) == "table"
      and all_are("string", c.anchors))
    and (c.kind == "engine" or has(c, OF_RESYNC) and has(c.phone, IDENTITY))
end

local function opened(head, bytes, passphrase)
  if not head.iterations or head.iterations < 1
    or head.iterations > ITERATIONS_MAX
  then
    return corrupt("this is no cassette of peal's")
  end
  local key, sentence, word = encode.stretch(passphrase, head.salt,
    head.iterations)
  if not key then return nil, sentence, word end
  bytes = encode.unseal(key, bytes)
  if bytes then return bytes end
  return nil, "the passphrase is another one, or the cassette is damaged",
    "bad-key"
end

--- The cassette of a file.
--   passphrase   nil where it is clear
-- @treturn[1] table
-- @return[2] nil, sentence, word ("corrupt", "newer", "bad-key")
function cassette.load(bytes, passphrase)
  local sealed, sentence, word = cassette.is_sealed(bytes)
  if sealed == nil then return nil, sentence, word end
  if sealed and not passphrase then
    return nil, "the cassette is sealed: its passphrase is needed", "bad-key"
  end
  local head = head_of(bytes)
  bytes = bytes:sub(head.size + 1)
  if sealed then
    bytes, sentence, word = opened(head, bytes, passphrase)
    if not bytes then return nil, sentence, word end
  end
  bytes = decode.gunzip(bytes, MAX)
  local c = bytes and form.unpack(bytes)
  if not is_whole(c) then return corrupt("the cassette is damaged") end
  if c.kind ~= "resync" and c.kind ~= "engine" then
    return nil, "this cassette was made by a newer peal", "newer"
  end
  return c
end

--- The servers of a cassette as functions for virtual.new(), see
-- cassette/answers.lua.
-- @treturn function server
-- @treturn function dns
function cassette.answers(c)
  return require("peal.cassette.answers")(c)
end

--- What it begins with, made anew: schema, store (in memory, of its own),
-- anchors, phone (options for phone.new() but for the world), time, zone,
-- rules (for virtual.new()), request (for cycle.new()).
-- @treturn[1] table
-- @return[2] nil, sentence, word
function cassette.start(c)
  return require("peal.cassette.start").of(c)
end

return cassette
