-- Twenty sessions on a daemon that resyncs all the time. One of them is an
-- enemy. The others are answered, and the daemon is as it was.
local daemons = require "support.daemons"
local json = require "peal.json"
local phones = require "support.phones"
local process = require "support.process"
local program = require "support.program"
local servers = require "support.servers"

local need, profile, write = phones.need, phones.profile, phones.write

local LONG <const> = os.getenv("PEAL_LONG") == "1"
local CLIENTS <const> = 19
-- A guard against hanging.
local GUARD_S <const> = 120
local MIB <const> = 1 << 20

-- What each of the others does: asks, and writes how long the longest answer
-- took.
local HONEST <const> = [[
local sys = require "peal.sys"
local longest, resyncs = 0, 0
for i = 1, 20 do
  local began = sys.monotonic()
  assert(status().state)
  assert(param.GPP_C)
  longest = math.max(longest, sys.monotonic() - began)
end
print(longest)
]]

-- One of them has the daemon resync, again and again.
local WORKER <const> = [[
for i = 1, 10 do assert(resync().outcome == "success") end
print "done"
]]

describe("a daemon with twenty sessions", function()
  local root, web, p, d

  local found = io.popen("command -v python3 2>&1")
  local has_python = found:read("l") ~= nil
  found:close()

  setup(function()
    root = process.temp_dir()
    if not servers.find("nginx") then return end
    web = servers.nginx { root = root }
    write(root .. "/a.xml", profile { GPP_B = ("b"):rep(2000),
      GPP_C = "from the server" })
  end)
  teardown(function()
    if web then web:stop() end
    process.remove(root)
  end)
  before_each(function()
    if not web then return end
    p = phones.new { params = { Resync_On_Reset = "No", Resync_Periodic = "0",
      Resync_Error_Retry_Delay = "0",
      Profile_Rule = ("http://127.0.0.1:%d/a.xml"):format(web.http_port) } }
    d = daemons.start { p }
  end)
  after_each(function()
    if d then d:close() end
    if p then p:close() end
    d, p = nil, nil
  end)

  local function resident()
    return tonumber(program.slurp(("/proc/%d/status"):format(
      d.process:pid())):match("\nVmRSS:%s*(%d+) kB"))
  end

  -- A session with a script, in a process of its own.
  local function session(name, text)
    local file = write(("%s/%s.lua"):format(d.dir, name), text)
    return { out = ("%s/%s.out"):format(d.dir, name), process = assert(
      process.spawn({ "sh", "-c", 'f=$1; shift; exec "$@" < "$f"', "sh", file,
        program.path, "repl", "--attach", p.store, "--phone", p.file },
        { stdout = ("%s/%s.out"):format(d.dir, name),
          stderr = ("%s/%s.err"):format(d.dir, name) })) }
  end

  -- Bytes that no session would send, by Python.
  local function bytes(code)
    local file = write(d.dir .. "/enemy.py", ([[
import socket, sys
def connect():
  s = socket.socket(socket.AF_UNIX)
  s.connect(sys.argv[1])
  return s
s = connect()
%s
]]):format(code))
    return { process = assert(process.spawn({ "python3", file,
      p.store .. "/control" }, { stderr = d.dir .. "/enemy.err" })) }
  end

  local function finishes(one)
    local how, code = one.process:wait(GUARD_S)
    assert.are.equal("exited", how)
    assert.are.equal(0, code, program.slurp((one.out or ""):gsub("out$",
      "err")))
  end

  -- The honest ones do their work beside an enemy.
  --   forever   it does not end by itself
  local function stands(enemy, forever)
    assert(d:ask("resync", { wait = true }))
    local before = resident()
    local other = enemy()
    local sessions = { session("worker", WORKER) }
    for i = 2, CLIENTS do
      sessions[i] = session("honest" .. i, HONEST)
    end
    for _, one in ipairs(sessions) do finishes(one) end
    for i = 2, CLIENTS do
      assert.is_number(tonumber(program.slurp(sessions[i].out)))
    end
    assert.are.equal("done\n", program.slurp(sessions[1].out))
    if forever then other.process:kill(9) end
    local how, code = other.process:wait(GUARD_S)
    if not forever then assert.same({ "exited", 0 }, { how, code }) end
    -- what they have left behind is given back within a second or so
    local guard, s <close> = process.now() + 20, d:follow()
    while not program.sanitized and resident() > before + 2 * 1024
      and process.now() < guard do
      assert(s:ask("ping"))
    end
    local grown = resident() - before
    assert.is_true(program.sanitized or grown <= 2 * 1024,
      grown .. " kB more")
    local status = assert(d:ask("status"))
    assert.are.equal(11, status.cycle)
    assert.are.equal(0, d:stop())
    assert.is_nil(d:log():find("internal error", 1, true), d:log())
  end

  it("answers beside one whose prompt loops without end", function()
    if not need("nginx") then return end
    stands(function()
      return session("enemy", "while true do end\n")
    end, true)
  end)

  it("answers beside one that loops and asks", function()
    if not need("nginx") then return end
    stands(function()
      return session("enemy",
        "while true do pcall(status) pcall(schedule, 200) end\n")
    end, true)
  end)

  it("answers beside one that sends garbage", function()
    if not need("nginx") then return end
    if not has_python then return pending("python3 is missing") end
    stands(function()
      return bytes [=[
import random
random.seed(20261122)
for i in range(500):
  try:
    s.sendall(bytes(random.randrange(256)
      for _ in range(random.randrange(2000))) + b"\n")
    s.sendall(b'{"id":1,"method":"snapshot","params":[]}\n')
    s.sendall(b'{"id":2,"method":"set","params":{"author":7}}\n')
  except OSError:
    s = connect()
]=]
    end)
  end)

  it("answers beside one that sends a line of a gigabyte", function()
    if not need("nginx") then return end
    if not has_python then return pending("python3 is missing") end
    stands(function()
      return bytes(([=[
piece, sent = b"x" * 65536, 0
while sent < %d:
  try:
    sent += s.send(piece)
  except OSError:
    s = connect()
]=]):format((LONG and 1024 or 128) * MIB))
    end)
  end)

  it("answers beside one that goes away amid a command", function()
    if not need("nginx") then return end
    if not has_python then return pending("python3 is missing") end
    stands(function()
      return bytes [=[
for i in range(300):
  s = connect()
  s.sendall(b'{"id":1,"method":"snapshot"}\n'
    b'{"id":2,"method":"schedule"}\n{"id":3,"meth')
  if i % 2: s.shutdown(socket.SHUT_WR)
  s.close()
]=]
    end)
  end)

  it("tells each of them what it does", function()
    if not need("nginx") then return end
    local one = session("listener", [[
local seen = resync().outcome
print(seen)
]])
    finishes(one)
    assert.are.equal("success\n", program.slurp(one.out))
    assert.is_table(json.decode(json.encode(d:ask("snapshot"))))
  end)
end)
