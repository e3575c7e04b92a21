-- CPU of an HTTPS fetch on a new connection, with few and with many roots.
--   peal-lua handshake.lua URL CA-FILE CERT KEY BUNDLE
-- The server is another process and closes after each answer.
local fetch = require "peal.fetch"
local loop = require "peal.loop".new()
local trust = require "peal.trust"

local ROUNDS <const>, FETCHES <const> = 15, 20

local url, ca, cert, key, bundle = table.unpack(arg)
local client = fetch.new(loop)
local identity = assert(trust.identity(cert, key))

local function anchors(...)
  local set = trust.anchors()
  local began, count = os.clock(), 0
  for _, path in ipairs { ... } do count = count + assert(set:load(path)) end
  print(("  %d %s parsed in %.2f ms"):format(count,
    count == 1 and "root" or "roots", (os.clock() - began) * 1e3))
  return set
end

local function fetches(set)
  local began = os.clock()
  for _ = 1, FETCHES do
    local status, why
    assert(client:start({ url = url,
      tls = { anchors = set, identity = identity } },
      function(response, sentence)
        status, why = response and response.status, sentence
      end))
    while not status and not why do loop:run(true) end
    assert(status == 200, why)
  end
  return (os.clock() - began) / FETCHES * 1e3
end

local one, many = anchors(ca), anchors(bundle, ca)
fetches(one)
local few_ms, many_ms = {}, {}
for i = 1, ROUNDS do
  few_ms[i], many_ms[i] = fetches(one), fetches(many)
end
table.sort(few_ms)
table.sort(many_ms)
local middle = (ROUNDS + 1) // 2
print(("  fetch with one root                %6.2f ms CPU"):format(
  few_ms[middle]))
print(("  fetch with all roots               %6.2f ms CPU  x %.2f"):format(
  many_ms[middle], many_ms[middle] / few_ms[middle]))
