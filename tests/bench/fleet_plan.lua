-- What a plan for ten thousand phones takes, against a real nginx: with a file
-- for each phone, and with one for all.
--   peal-lua tests/bench/fleet_plan.lua [PHONES] [JOBS]
-- The program is $PEAL_BUILD/peal; all files are in memory (/dev/shm).
local root = debug.getinfo(1, "S").source:match("^@(.*)tests/bench/")
if root:sub(1, 1) ~= "/" then root = os.getenv("PWD") .. "/" .. root end
package.path = root .. "tests/?.lua;" .. package.path

local process = require "support.process"
local program = require "support.program"
local servers = require "support.servers"
local support = require "support.engine"
local sys = require "peal.sys"

local PHONES <const> = tonumber(arg[1]) or 10000
local JOBS <const> = arg[2] or "64"
-- The limit that is promised, for ten thousand.
local SECONDS <const> = 60

local dir = ("/dev/shm/peal-fleet-%d"):format(sys.pid())
assert(sys.mkdir(dir))

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local function profile(i)
  local params = { User_ID_1_ = tostring(1000 + i), GPP_A = "new",
    Resync_Periodic = "7200", Password_1_ = "secret " .. i }
  for line = 1, 4 do
    params[("Display_Name_%d_"):format(line)] = "Desk " .. i
    params[("Proxy_%d_"):format(line)] = ("sip%d.example"):format(line)
    params[("SIP_Port_%d_"):format(line)] = tostring(5060 + line)
  end
  return support.profile(params)
end

-- User and system time of processes that have ended, ticks of 10 ms.
local function cpu_s()
  local file = assert(io.open("/proc/self/stat"))
  local fields = {}
  for field in file:read("a"):match("%) (.*)"):gmatch("%S+") do
    fields[#fields + 1] = field
  end
  file:close()
  return (tonumber(fields[14]) + tonumber(fields[15])) / 100
end

local function measure(what, rule, web)
  write(dir .. "/phone.lua", ([[return { identity = { PN = "CP-8841-3PCC" },
    params = { Profile_Rule = "http://127.0.0.1:%d/%s" } }]]):format(
    web.http_port, rule))
  local began, cpu = sys.monotonic(), cpu_s()
  local r = program.peal("plan", "--fleet", dir .. "/phones.csv", "--phone",
    dir .. "/phone.lua", "--jobs", JOBS)
  local seconds = sys.monotonic() - began
  assert(r.code == 0, r.err)
  print(("%-22s %6.1f s, limit %d s; %.2f ms of processor time a phone"):format(
    what, seconds, SECONDS, (cpu_s() - cpu) / PHONES * 1000))
  print("  " .. r.out:match("[^\n]*\n$"))
end

assert(sys.mkdir(dir .. "/www"))
local rows = { "MAC,group,User_ID_1_" }
for i = 1, PHONES do
  local mac = ("000e08%06x"):format(i)
  rows[i + 1] = ("%s,site %d,%d"):format(mac, i % 4 + 1, 1000 + i)
  write(("%s/www/%s.xml"):format(dir, mac), profile(i))
end
write(dir .. "/phones.csv", table.concat(rows, "\n") .. "\n")
write(dir .. "/www/static.xml", profile(0))

do
  local web <close> = servers.nginx { root = dir .. "/www" }
  measure("a file for each phone", "$MA.xml", web)
  measure("one file for all", "static.xml", web)
end
process.remove(dir)
