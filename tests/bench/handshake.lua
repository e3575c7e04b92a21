-- CPU of an HTTPS fetch on a new connection: full handshakes with few and with
-- many roots, resumed ones, and curl with OpenSSL beside them.
--   peal-lua handshake.lua CA-FILE BUNDLE URL-TLS-1.2 URL-TLS-1.3
-- The servers are other processes and close after each answer.
local fetch = require "peal.fetch"
local loop = require "peal.loop".new()
local trust = require "peal.trust"

local ROUNDS <const>, FETCHES <const> = 15, 20
local CURL <const>, CURL_FETCHES <const> = "/usr/bin/curl", 100

local TIMED <const> = [[bash -c 'TIMEFORMAT="%%U %%S"
{ time %s -s --cacert %s %s -K %s; } 2>&1']]

local ca, bundle = arg[1], arg[2]
local urls = { ["TLS 1.2"] = arg[3], ["TLS 1.3"] = arg[4] }

local function anchors(...)
  local set = trust.anchors()
  local began, count = os.clock(), 0
  for _, path in ipairs { ... } do count = count + assert(set:load(path)) end
  print(("  %d %s parsed in %.2f ms"):format(count,
    count == 1 and "root" or "roots", (os.clock() - began) * 1e3))
  return set
end

local function get(client, url, set, resumed)
  local got, why
  assert(client:start({ url = url, tls = { anchors = set } },
    function(...) got, why = ... end))
  while not got and not why do loop:run(true) end
  assert(got and got.status == 200, why)
  assert(got.tls.resumed == resumed, "resumed: " .. tostring(not resumed))
end

-- ms CPU of a fetch; prepare(client) runs before each, not counted.
local function cost(url, set, resumed, client, prepare)
  local spent = 0
  for _ = 1, FETCHES do
    prepare(client)
    local began = os.clock()
    get(client, url, set, resumed)
    spent = spent + os.clock() - began
  end
  return spent / FETCHES * 1e3
end

local function forget(client) client:forget() end
local function nothing() end

-- What one more fetch costs curl: the difference of two runs.
local function curl(url, options)
  local function run(n)
    local list = os.tmpname()
    local file = assert(io.open(list, "w"))
    for _ = 1, n do
      file:write(("url = %q\noutput = /dev/null\n"):format(url))
    end
    file:close()
    local p <close> = assert(io.popen(TIMED:format(CURL, ca, options, list)))
    local user, system = p:read("a"):match("([%d.]+) ([%d.]+)%s*$")
    os.remove(list)
    return tonumber(user) + tonumber(system)
  end
  return (run(CURL_FETCHES + 1) - run(1)) / CURL_FETCHES * 1e3
end

local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

local one, many = anchors(ca), anchors(bundle, ca)

for _, version in ipairs { "TLS 1.2", "TLS 1.3" } do
  local url = urls[version]
  local client, fresh = fetch.new(loop), fetch.new(loop)
  get(client, url, one, false)
  local bytes = client:export()
  -- as after a start of the process: a fetcher with stored sessions
  local function restart(other)
    other:forget()
    assert(other:import(bytes) == 1)
  end
  local rows = {
    { "full, one root", function()
      return cost(url, one, false, fresh, forget)
    end },
    { "full, all roots", function()
      return cost(url, many, false, fresh, forget)
    end },
    { "resumed", function() return cost(url, one, true, client, nothing) end },
    { "resumed, stored session", function()
      return cost(url, one, true, fresh, restart)
    end },
    { "curl with OpenSSL, full", function()
      return curl(url, "--no-sessionid")
    end },
    { "curl with OpenSSL, resumed", function() return curl(url, "") end },
  }
  local times = {}
  for i = 1, #rows do times[i] = {} end
  for round = 1, ROUNDS do
    for i, row in ipairs(rows) do
      if i <= 4 or round <= 5 then table.insert(times[i], row[2]()) end
    end
  end
  local floor = median(times[1])
  for i, row in ipairs(rows) do
    local ms = median(times[i])
    print(("  %s, %-28s %6.2f ms CPU  x %.2f"):format(version, row[1], ms,
      ms / floor))
  end
end
