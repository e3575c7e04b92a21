-- Run in a network of its own by tftp_spec.lua, with a folder to serve:
-- dnsmasq serves TFTP on port 69 and nowhere else.
local loop = require "peal.loop"
local servers = require "support.servers"
local tftp = require "peal.tftp"
local daemon = require "support.servers.daemon"

local root = arg[1]

local function fetch(name, more)
  local l = loop.new()
  local got
  local request = { address = "127.0.0.1", name = name }
  for key, value in pairs(more or {}) do request[key] = value end
  assert(tftp.start(l, request, function(...) got = { ... } end))
  l:run()
  return table.unpack(got, 1, 4)
end

local s <close> = servers.dnsmasq { records = {}, options = {
  "--enable-tftp", "--tftp-root=" .. root } }

for _, size in ipairs { 0, 1, 512, 1428, 100000 } do
  local bytes = ("abcdefg"):rep(size // 7 + 1):sub(1, size)
  -- a file each: dnsmasq goes by what it knows of one that it still has open
  daemon.write(root .. "/f" .. size, bytes)
  for _, more in ipairs { {}, { no_options = true } } do
    local r, sentence = fetch("f" .. size, more)
    assert(r, sentence)
    assert(r.body == bytes, ("%d octets, not %d"):format(#r.body, size))
    assert(r.blksize == (more.no_options and 512 or 1428))
  end
end

local ok, _, word = fetch("none")
assert(not ok and word == "fnf", word)
local _, _, refused, r = fetch("f", { body = "read only" })
assert(refused == "badop", refused)
assert(r.error_code == 4 or r.error_code == 0, r.error_code)

s:stop()
print("all well")
