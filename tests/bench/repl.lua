-- How soon a session that is attached to a daemon answers: while nothing
-- happens, while a resync waits for its server, and while resyncs follow each
-- other. The floor is a ping of the daemon.
--   peal-lua repl.lua
local daemons = require "support.daemons"
local evaluate = require "peal.repl.evaluate"
local environment = require "peal.repl.environment"
local phones = require "support.phones"
local process = require "support.process"
local program = require "support.program"
local servers = require "support.servers"
local session_of = require "peal.repl.session"
local sys = require "peal.sys"
local tcp = require "support.tcp"

local TIMES <const> = 200
local ASKED <const> = { "param.GPP_A", "status()", "schedule(20)",
  "why 'GPP_A'", "expand '$PN'", "params 'Profile_Rule*'" }

local function timed(n, fn)
  local times = {}
  for i = 1, n do
    local began = sys.monotonic()
    fn()
    times[i] = (sys.monotonic() - began) * 1000
  end
  table.sort(times)
  return times[n // 2 + 1], times[math.ceil(n * 0.99)], times[n]
end

local function row(what, ...)
  print(("  %-28s median %6.2f  99 %% %6.2f  most %6.2f ms"):format(what, ...))
end

local function measure(title, session, env)
  print(title)
  row("ping (the floor)", timed(TIMES, function()
    assert(session:call("ping"))
  end))
  for _, text in ipairs(ASKED) do
    row(text, timed(TIMES, function()
      session:follow_store()
      assert(evaluate.compile(text, env, "prompt"))()
    end))
  end
  row("a snapshot taken anew", timed(20, function() session:refresh() end))
end

-- About 200 KB of parameters.
local function big_profile()
  local values = {}
  for i = 1, 16 do
    values[("Display_Name_%d_"):format(i)] = ("n"):rep(100)
  end
  return phones.profile(values):gsub("</flat%-profile>",
    "<!-- " .. ("x"):rep(200000) .. " --></flat-profile>")
end

local function memory(d)
  return tonumber(program.slurp(("/proc/%d/status"):format(d.process:pid()))
    :match("\nVmRSS:%s*(%d+) kB"))
end

local root = process.temp_dir()
phones.write(root .. "/a.xml", (big_profile()))
local web = servers.nginx { root = root }
local hold = tcp.serve({ { hold = true } }, "127.0.0.1")
local url = ("http://127.0.0.1:%d/a.xml"):format(web.http_port)
local p = phones.new { params = { Resync_On_Reset = "No",
  Resync_Periodic = "0", Resync_Error_Retry_Delay = "0",
  Profile_Rule = url } }
local d = daemons.start { p }
assert(d:ask("resync", { wait = true }))
local before = memory(d)
local session = assert(session_of.open { attach = true, store = p.store,
  phone = p.file })
session.say = print
session:follow()
local env = environment.new(session)

measure("nothing happens", session, env)
assert(d:ask("resync", { rule = ("http://127.0.0.1:%d/x"):format(
  hold:port()) }))
measure("a resync waits for its server", session, env)
assert(d:ask("status").state == "RUN")
hold:close()
local load = assert(process.spawn({ "sh", "-c",
  ("while :; do %s resync --store %s --phone %s; done"):format(program.path,
    p.store, p.file) }, {}))
measure("resyncs of 200 KB follow each other", session, env)
load:kill(9)
load:wait(10)
print(("the daemon: %d KB before, %d KB after"):format(before, memory(d)))

session:close()
d:close()
p:close()
web:stop()
process.remove(root)
