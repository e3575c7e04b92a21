-- peal run among enemies: rule files that try to hold it up, and clients that
-- do. An honest client asks for the status meanwhile, again as soon as it is
-- answered.
local context = require "peal.cycle.context"
local daemons = require "support.daemons"
local fixture = require "support.fixture"
local isolation = require "peal.world.isolation"
local live = require "peal.world.live"
local phone_of = require "peal.phone"
local phones = require "support.phones"
local privacy = require "peal.privacy"
local process = require "support.process"
local program = require "support.program"
local servers = require "support.servers"
local upgrades = require "support.upgrades"

local need, profile, write = phones.need, phones.profile, phones.write

local LONG <const> = os.getenv("PEAL_LONG") == "1"
local MIB <const> = 1 << 20
-- A guard against hanging.
local GUARD_S <const> = 60

local STAGES <const> = require("peal.stages").names

-- Of these a phone asks nothing that has no calls, no certificate and no server
-- that shows one.
local UNASKED <const> = { certificate = true, privacy = true, trust = true }

-- All of them; a few where a sanitizer makes each a long one.
local HOSTILE <const> = {}
for i, row in ipairs(require "support.hostile") do
  if LONG or not program.sanitized or i % 6 == 0 then
    HOSTILE[#HOSTILE + 1] = row
  end
end

local PLACES <const> = {
  decide = "return { stage = %q, decide = function() %s end }",
  body = "local stage = %q\ndo %s end\n"
    .. "return { stage = stage, decide = function() end }",
}

describe("peal run", function()
  local root, web, url

  setup(function()
    root = process.temp_dir()
    if not servers.find("nginx") then return end
    web = servers.nginx { root = root, webdav = true }
    url = ("http://127.0.0.1:%d"):format(web.http_port)
  end)
  teardown(function()
    if web then web:stop() end
    process.remove(root)
  end)

  local found = io.popen("command -v python3 2>&1")
  local has_python = found:read("l") ~= nil
  found:close()

  local function calm(params, device)
    local p = { Resync_On_Reset = "No", Resync_Periodic = "0",
      Resync_Error_Retry_Delay = "0" }
    for name, value in pairs(params or {}) do p[name] = value end
    return phones.new { params = p, device = device }
  end

  -- Call a method, and while it is not answered ask for the status, each time
  -- as soon as the one before is answered.
  -- @return the result, list of states, the longest wait for a status in s
  local function call_and_watch(d, method, params)
    local worker, watcher = d:follow(), d:follow()
    local loop, result, over = worker.loop, nil, nil
    local task = require "peal.task"
    task.spawn(function()
      result = table.pack(worker.client:call(method, params))
      over = true
    end)
    -- what is sent is written by the loop
    loop:timer(0, function() end)
    local states, longest, guard = {}, 0, process.now() + GUARD_S
    while not over and process.now() < guard do
      local asked = process.now()
      local status = assert(watcher:ask("status"))
      longest = math.max(longest, process.now() - asked)
      assert.are_not.equal("FAILED", status.state, status.why_not_now)
      states[#states + 1] = status.state
      -- as long as a moment: the answer to the other call is read
      loop:timer(0.002, function() loop:stop() end)
      loop:run()
    end
    worker:close()
    watcher:close()
    assert(over, "no answer to " .. method)
    assert(result[1], result[2])
    return result[1], states, longest
  end

  local function was_running(states)
    for _, state in ipairs(states) do
      if state == "RUN" then return true end
    end
  end

  describe("with a hostile rule file for each decision", function()
    local rules, p, d
    before_each(function()
      if not need("nginx") then return end
      rules = process.temp_dir()
      p = calm({ Profile_Rule = url .. "/a.xml",
        Upgrade_Rule = url .. "/none.loads",
        Cisco_Headset_Upgrade_Rule = url .. "/none.xml",
        Report_Rule = url .. "/report.xml" },
        { simulated = true, registered = true,
          headset = { model = "560", version = "1-5-1-10" } })
      d = daemons.start { p, options = { "--rules", rules } }
    end)
    after_each(function()
      if d then d:close() end
      if p then p:close() end
      if rules then process.remove(rules) end
      d, p, rules = nil, nil, nil
    end)

    local serial = 0

    local function check(case, place)
      serial = serial + 1
      write(root .. "/a.xml", profile { GPP_C = "value " .. serial })
      for _, stage in ipairs(STAGES) do
        local name = ("%s/%s.lua"):format(rules, stage)
        write(name .. ".new", PLACES[place]:format(stage, case[2]))
        assert(os.rename(name .. ".new", name))
      end
      local what = ("%s in %s"):format(case[1], place)
      local result, states, longest = call_and_watch(d, "resync",
        { wait = true })
      assert.are.equal("success", result.public.outcome, what)
      assert.is_true(longest < 1, ("%s: %s s"):format(what, longest))
      assert.is_true(#states > 1, what)
      if case.kill and place == "decide" then
        assert.is_true(was_running(states), what)
      end
      local _, more, wait = call_and_watch(d, "report", { wait = true })
      assert.is_true(wait < 1 and #more > 0, what)
      assert.are.equal("value " .. serial, p:param("GPP_C"))
      local told = {}
      for _, one in ipairs(assert(d:ask("status")).rules) do
        told[one.stage] = one
      end
      local log = d:log()
      for _, stage in ipairs(STAGES) do
        local lines = {}
        for line in log:gmatch("[^\n]+") do
          if line:find("/" .. stage .. ".lua", 1, true)
            and not line:find("in force from now on", 1, true) then
            lines[#lines + 1] = line
          end
        end
        local about = what .. ", " .. stage .. ": "
          .. table.concat(lines, "\n")
        if UNASKED[stage] and (place == "decide" or case.harmless) then
          assert.are.equal(0, #lines, about)
        elseif case.harmless then
          assert.is_true(#lines <= 1, about) -- no answer is one, for some
        else
          assert.are.equal(1, #lines, about)
          assert.is_truthy(lines[1]:find(stage .. "%.lua:%d+: ")
            or lines[1]:find("no answer within", 1, true)
            or lines[1]:find("budget", 1, true)
            or lines[1]:find("memory", 1, true), about)
          assert.are_not.equal("operator", told[stage].state, about)
        end
      end
      assert.are.equal(0, d:stop())
    end

    for _, case in ipairs(HOSTILE) do
      it("goes on: " .. case[1], function()
        if d then check(case, "decide") end
      end)
      if LONG or not case.kill then
        it("goes on where it is outside of decide(): " .. case[1], function()
          if d then check(case, "body") end
        end)
      end
    end
  end)

  describe("with a hostile rule file for privacy", function()
    local INVITE <const> = table.concat({
      "INVITE sip:2002@sip.example.net SIP/2.0",
      "Via: SIP/2.0/UDP 192.168.1.100:5060;branch=z9hG4bK9",
      'From: "Alice Adams" <sip:1001@sip.example.net>;tag=77',
      "To: <sip:2002@sip.example.net>", "Call-ID: 5a5a@192.168.1.100",
      "CSeq: 1 INVITE", "Contact: <sip:1001@192.168.1.100:5060>", "", "" },
      "\r\n")

    -- One call, as a SIP stack makes it, on the live world.
    local function check(case)
      local rules <close> = setmetatable({ dir = process.temp_dir() },
        { __close = function(self) process.remove(self.dir) end })
      write(rules.dir .. "/privacy.lua",
        PLACES.decide:format("privacy", case[2]))
      local loop = require("peal.loop").new()
      local said, turns = {}, 0
      local world = live.new { loop = loop, rules_dir = rules.dir,
        store = upgrades.store { Privacy_Header_1_ = "id" },
        ask = isolation.worker(loop, program.path),
        log = function(text) said[#said + 1] = text end }
      local phone = phone_of.new { world = world,
        identity = fixture.identity }
      local function turn()
        turns = turns + 1
        loop:timer(0.01, turn)
      end
      turn()
      local bytes = world.run(function()
        local run = context.new(phone, { asked_by = "sip" })
        return privacy.apply(phone, run, { line = 1, message = INVITE,
          values = { "id" } })
      end)
      if not case.harmless then -- which gives no answer: nothing is to do
        assert.matches("\r\nPrivacy: id\r\n", bytes)
      end
      assert.are.equal(case.harmless and 0 or 1, #said, case[1])
      assert.matches("privacy%.lua", said[1] or "privacy.lua")
      if case.kill then
        assert.is_true(turns > 10, case[1]) -- the loop went on
      end
    end

    for _, case in ipairs(HOSTILE) do
      it("hides who calls: " .. case[1], function() check(case) end)
    end
  end)

  describe("with hostile clients", function()
    local p, d
    before_each(function()
      p = calm { Profile_Rule = "http://127.0.0.1:9/a.xml" }
      d = daemons.start { p }
    end)
    after_each(function()
      d:close()
      p:close()
    end)

    -- Kilobytes that the daemon's process has in memory.
    local function resident()
      return tonumber(program.slurp(("/proc/%d/status"):format(
        d.process:pid())):match("\nVmRSS:%s*(%d+) kB"))
    end

    -- A client of bytes, in a process of its own: Python, with `s` connected.
    local function client(code)
      local file = write(d.dir .. "/client.py", ([[
import socket, sys
def connect():
  s = socket.socket(socket.AF_UNIX)
  s.connect(sys.argv[1])
  return s
s = connect()
%s
]]):format(code))
      return assert(process.spawn({ "python3", file, p.store .. "/control" },
        { stdout = d.dir .. "/client.out", stderr = d.dir .. "/client.err" }))
    end

    -- The honest one asks until the other has ended; the longest wait.
    local function watch(other)
      local honest <close> = d:follow()
      assert(honest:ask("status"))
      local longest, n, how, code = 0, 0, nil, nil
      local guard = process.now() + GUARD_S * (LONG and 10 or 1)
      while not how and process.now() < guard do
        local asked = process.now()
        assert.are.equal("IDLE", assert(honest:ask("status")).state)
        longest, n = math.max(longest, process.now() - asked), n + 1
        how, code = other:wait(0)
      end
      assert.are.equal("exited", how)
      assert.are.equal(0, code, program.slurp(d.dir .. "/client.err"))
      assert.is_true(longest < 1, longest .. " s")
      assert.is_true(n > 0)
    end

    -- Bytes do what they do; the daemon is as it was.
    local function check(code)
      if not has_python then return pending("python3 is missing") end
      assert(d:ask("status"))
      local before = resident()
      watch(client(code))
      -- what they have left behind is given back within a second or so
      local guard = process.now() + 20
      local s <close> = d:follow()
      while not program.sanitized and resident() > before + 2 * 1024
        and process.now() < guard do
        assert(s:ask("ping"))
      end
      local grown = resident() - before
      assert.is_true(program.sanitized or grown <= 2 * 1024,
        grown .. " kB more")
      assert(d:ask("resync", { wait = true }))
      assert.are.equal(0, d:stop())
      assert.is_nil(d:log():find("internal error", 1, true), d:log())
    end

    it("answers beside garbage", function()
      check(([=[
import random
random.seed(20261122)
for i in range(%d):
  try:
    s.sendall(bytes(random.randrange(256)
      for _ in range(random.randrange(2000))) + b"\n")
    if i %% 7 == 0:
      s.sendall(b'{"id":%%d,"method":"status","params":[[[{}]]]}\n' %% i)
    s.setblocking(False)
    try:
      while s.recv(65536): pass
    except BlockingIOError: pass
    s.setblocking(True)
  except OSError:
    s = connect()
]=]):format(LONG and 20000 or 1000))
    end)

    it("answers beside a line without an end", function()
      check(([=[
piece, sent, closed = b"x" * 65536, 0, 0
while sent < %d:
  try:
    sent += s.send(piece)
  except OSError:
    closed += 1
    s = connect()
assert closed > 10, closed
]=]):format(LONG and 1024 * MIB or 64 * MIB))
    end)

    it("ends what was asked by who went away amid it", function()
      check(([=[
for i in range(%d):
  s = connect()
  s.sendall(b'{"id":1,"method":"status"}\n{"id":2,"meth')
  if i %% 2: s.shutdown(socket.SHUT_WR)
  s.close()
]=]):format(LONG and 20000 or 500))
    end)

    it("closes who never reads", function()
      check [=[
n, closed = 0, 0
while closed < 5:
  try:
    s.sendall(b'{"id":%d,"method":"status"}\n' % n)
    n += 1
  except OSError:
    closed += 1
    s = connect()
]=]
    end)

    it("answers beside a hundred that ask all the time", function()
      check(([=[
import select
peers, answers = [], 0
for i in range(100):
  peers.append(connect())
for turn in range(%d):
  for one in peers:
    try: one.sendall(b'{"id":%%d,"method":"status"}\n' %% turn)
    except OSError: pass
  for one in select.select(peers, [], [], 0)[0]:
    try: answers += one.recv(1 << 20).count(b"\n")
    except OSError: pass
while answers < %d:
  for one in select.select(peers, [], [])[0]:
    try: answers += one.recv(1 << 20).count(b"\n")
    except OSError: pass
]=]):format(LONG and 1000 or 30, (LONG and 1000 or 30) * 50))
    end)

    it("answers beside a hundred with long lines", function()
      check [=[
peers = []
for i in range(100):
  peers.append(connect())
for turn in range(4):
  for one in peers:
    try:
      one.settimeout(0.05)
      one.sendall(b'{"id":1,"method":"' + b"y" * 200000 + b'"}\n')
    except OSError: pass
]=]
    end)
  end)
end)
