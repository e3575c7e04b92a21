-- What a disk, a kernel or a person can do to a phone that stays up: the store
-- is old or new, the failure has its word, and the next resync succeeds.
-- strace makes the calls of a daemon that runs fail, one by one; a few of them
-- by default, all with PEAL_LONG=1.
local daemons = require "support.daemons"
local phones = require "support.phones"
local process = require "support.process"
local program = require "support.program"
local tcp = require "support.tcp"

local LONG <const> = os.getenv("PEAL_LONG") == "1"

-- Of the points of a sweep, which are tried by default.
local EVERY <const> = 10

local PROFILE <const> = phones.profile { GPP_C = "new", GPP_D = "new",
  GPP_P = ("x"):rep(8000) }

local ANSWER <const> = ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n"
  .. "Connection: close\r\n\r\n%s"):format(#PROFILE, PROFILE)

local CALLS <const> = { openat = true, write = true, fsync = true,
  renameat = true, rename = true, close = true, unlink = true,
  unlinkat = true, mkdir = true, flock = true, getdents64 = true,
  newfstatat = true, lseek = true, read = true }

local WORDS <const> = { EIO = "io", ENOSPC = "no-space",
  EROFS = "read-only" }

local function lives(d)
  assert.is_true(d.process:kill(0), "it has ended: " .. select(2, d:said()))
end

-- A phone, a server that answers it, and a daemon with a connection to it.
local function begin()
  local server = tcp.serve { ANSWER }
  local p = phones.new { params = { Resync_On_Reset = "No",
    Resync_Periodic = "0", Resync_Error_Retry_Delay = "0",
    Profile_Rule = ("http://127.0.0.1:%d/a.xml"):format(server:port()) } }
  local d = daemons.start { p }
  local s = d:follow()
  return { server = server, p = p, d = d, s = s }
end

local function finish(lab)
  lab.s:close()
  lab.d:close()
  lab.p:close()
  lab.server:close()
end

-- Old values again, and not because something fails.
local function reset(lab)
  assert(lab.s:ask("set", { values = { GPP_C = "old", GPP_D = "old",
    GPP_P = "" } }))
end

-- A resync; "success" or the word of its failure, and its sentence.
local function resync(lab)
  local result, sentence, word = lab.s:ask("resync", { wait = true })
  if not result then return word, sentence end
  local public = result.public
  if public.outcome == "success" then return "success" end
  for _, rule in ipairs(public.rules) do
    if rule.word then return rule.word, rule.sentence end
  end
  return public.outcome, public.reason
end

-- Both values of a commit; they are never mixed.
local function value(lab)
  local c, d = lab.p:param("GPP_C"), lab.p:param("GPP_D")
  assert.equal(c, d)
  return c
end

local function recovers(lab, where)
  local word, sentence = resync(lab)
  assert.equal("success", word, where .. tostring(sentence))
  assert.equal("new", value(lab), where)
  lives(lab.d)
  assert.equal("success", lab.s:ask("status").last.outcome, where)
end

-- --- strace ---

local function text_of(path)
  local file = io.open(path, "rb")
  if not file then return "" end
  local text = file:read("a")
  file:close()
  return text
end

-- strace as a debugger of the daemon; nil and why not.
local function attach(lab, ...)
  local dir = process.temp_dir()
  local argv = { "strace", "-y", "-p", tostring(lab.d.process:pid()), "-o",
    dir .. "/trace", ... }
  local tracer = assert(process.spawn(argv, { stderr = dir .. "/err" }))
  local deadline = process.now() + 20
  local said = ""
  while not said:find(" attached", 1, true) do
    local more = process.grown(dir .. "/err", #said,
      deadline - process.now(), tracer)
    said = text_of(dir .. "/err")
    if not more and not said:find(" attached", 1, true) then
      process.remove(dir)
      return nil, "strace cannot trace here: " .. said
    end
  end
  return function()
    tracer:kill(2)
    assert(tracer:wait(20))
    local text = program.slurp(dir .. "/trace")
    process.remove(dir)
    return text
  end
end

-- Sockets and the loop's own descriptors do not lie on a disk; what is said
-- on stderr is what the test listens to.
local function is_file(name, rest)
  if name == "openat" then return true end
  for _, other in ipairs { "%d+<%a+:", "%d+<anon_inode", "%d+<socket",
    "2<" } do
    if rest:find("^" .. other) then return false end
  end
  return true
end

-- The file calls of a resync, in their order: { name =, nth =, commit = }.
local function points_of(trace)
  local list, seen, commit = {}, {}, false
  for line in trace:gmatch("[^\n]+") do
    local name, rest = line:match("^(%w+)%((.*)$")
    if name and CALLS[name] then
      seen[name] = (seen[name] or 0) + 1
      if name == "openat" and rest:find("rev%-%d+%.tmp\"") then
        commit = true
      end
      if is_file(name, rest) then
        list[#list + 1] = { name = name, nth = seen[name], line = line,
          commit = commit }
      end
      if name == "renameat" then commit = false end
    end
  end
  return list
end

local function pick(list, errno_index)
  if LONG then return list end
  local out = {}
  for i, point in ipairs(list) do
    if (i + errno_index * 7) % EVERY == 0 then out[#out + 1] = point end
  end
  return out
end

describe("each file call of a daemon's resync", function()
  local lab, reason, points

  setup(function()
    lab = begin()
    reset(lab)
    assert.equal("success", (resync(lab))) -- loads what is loaded late
    reset(lab)
    local detach
    detach, reason = attach(lab)
    if not detach then return end
    assert.equal("success", (resync(lab)))
    points = points_of(detach())
    assert.is_true(#points >= 10, #points .. " calls")
  end)
  teardown(function() if lab then finish(lab) end end)

  local function try(errno, point)
    local where = ("%s %d fails with %s (%s): "):format(point.name,
      point.nth, errno, point.line)
    reset(lab)
    local detach = assert(attach(lab, "-e",
      ("inject=%s:error=%s:when=%d"):format(point.name, errno, point.nth)))
    local word, sentence = resync(lab)
    assert.is_table(lab.s:ask("status"), where)
    local trace = detach()
    assert.is_truthy(trace:find("(INJECTED)", 1, true), where)
    lives(lab.d)
    if word == "success" then
      assert.equal("new", value(lab), where)
    else
      assert.equal("old", value(lab), where)
      assert.matches("^%l[%l-]+$", word, where)
      assert.is_truthy(#sentence > 0, where)
    end
    if point.commit and WORDS[errno] then
      assert.equal(WORDS[errno], word, where .. tostring(sentence))
    end
    recovers(lab, where)
  end

  for index, errno in ipairs { "EIO", "ENOSPC", "EROFS", "EMFILE" } do
    it("may fail with " .. errno, function()
      if not points then return pending(reason) end
      for _, point in ipairs(pick(points, index)) do try(errno, point) end
    end)
  end

  it("may fail each time, until it does not any more", function()
    if not points then return pending(reason) end
    for errno, expected in pairs(WORDS) do
      for _, call in ipairs { "fsync", "renameat" } do
        reset(lab)
        local detach = assert(attach(lab, "-e",
          ("inject=%s:error=%s"):format(call, errno)))
        for _ = 1, 3 do assert.equal(expected, (resync(lab))) end
        assert.equal("old", value(lab))
        detach()
        recovers(lab, call .. " " .. errno)
      end
    end
  end)
end)

-- --- its start and its end ---

-- A revision that cannot be read is damaged, and the one before it counts: see
-- store_fault_test.c.
local SEEN_ELSEWHERE <const> = { read = true }

describe("each file call of a daemon's start", function()
  local p, dir, reason, points

  local function started(...)
    -- what is traced cannot look for leaks
    return daemons.start { p, at_once = true, wrap = { "env",
      "ASAN_OPTIONS=detect_leaks=0", "strace", "-y", "-o", dir .. "/trace",
      ... } }
  end

  -- Ready (and then ended), or over by itself: "ready" or exit code, stderr,
  -- and whether it took a value.
  local function outcome(d)
    if not pcall(d.wait_err, d, "peal: ready") then
      return d:wait(), select(2, d:said()), false
    end
    local reached, about = pcall(d.ask, d, "ping")
    local took = reached and d:ask("set", { values = { GPP_B = "x" } })
    local pid = reached and about.pid
      or d:log():match("process (%d+)\n[^\n]*$")
    program.run { "kill", "-TERM", tostring(pid) }
    local code = d:wait()
    return code == 0 and "ready" or code, select(2, d:said()), took ~= nil
  end

  setup(function()
    dir = process.temp_dir()
    p = phones.new { params = { Resync_On_Reset = "No",
      Resync_Periodic = "0" } }
    assert.equal(0, p:run("set", "GPP_A=kept").code)
    local why = program.run { "strace", "-o", dir .. "/trace", "true" }
    if why.code ~= 0 then
      reason = "strace cannot trace here: " .. why.err
      return
    end
    local d <close> = started()
    assert.equal("ready", (outcome(d)))
    assert.equal(0, p:run("set", "GPP_B=").code)
    local inside = false
    points = {}
    for _, point in ipairs(points_of(text_of(dir .. "/trace"))) do
      inside = inside or point.line:find(p.store, 1, true)
      if inside and not SEEN_ELSEWHERE[point.name] then
        points[#points + 1] = point
      end
    end
    assert.is_true(#points >= 10, #points .. " calls")
  end)
  teardown(function()
    if p then p:close() end
    process.remove(dir)
  end)

  for index, errno in ipairs { "EIO", "EMFILE" } do
    it("may fail with " .. errno, function()
      if not points then return pending(reason) end
      for _, point in ipairs(pick(points, index)) do
        local where = ("%s %d fails with %s (%s): "):format(point.name,
          point.nth, errno, point.line)
        local d <close> = started("-e", ("inject=%s:error=%s:when=%d"):format(
          point.name, errno, point.nth))
        local code, text, took = outcome(d)
        if code ~= "ready" then
          assert.equal(1, code, where .. text)
          assert.matches("%[%l[%l-]+%]", text, where)
        end
        assert.is_nil(text:find("traceback", 1, true), where .. text)
        local after <close> = daemons.start { p }
        assert.equal("IDLE", after:ask("status").state, where)
        assert.equal(0, after:stop(), where)
        assert.equal("kept", p:param("GPP_A"), where)
        assert.equal(took and "x" or "", p:param("GPP_B"), where)
        assert.equal(0, p:run("set", "GPP_B=").code)
      end
    end)
  end
end)

-- --- whole things that go wrong ---

describe("a daemon", function()
  local lab

  before_each(function() lab = begin() end)
  after_each(function() finish(lab) end)

  it("outlives its store's folder, and does not make another", function()
    reset(lab)
    process.remove(lab.p.store)
    local word, sentence = resync(lab)
    assert.equal("io", word, sentence)
    assert.is_nil(require("peal.sys").stat(lab.p.store))
    assert.equal("io", (resync(lab)))
    local status = lab.s:ask("status")
    assert.equal("failure", status.last.outcome)
    assert.equal("IDLE", status.state)
    local _, why, set_word = lab.s:ask("set", { values = { GPP_A = "x" } })
    assert.equal("io", set_word, why)
    assert.matches("the store's folder is gone", why)
    assert.equal(0, lab.d:stop())
    assert.is_nil(require("peal.sys").stat(lab.p.store))
  end)

  it("does without descriptors, and goes on when there are some", function()
    reset(lab)
    local pid = tostring(lab.d.process:pid())
    local function limit(n)
      return program.run { "prlimit", "--pid", pid, "--nofile=" .. n .. ":" }
    end
    local r = limit(16)
    if r.code ~= 0 then return pending("no prlimit here: " .. r.err) end
    -- clients that come and stay take what is left
    local held = {}
    local loop = require("peal.loop").new()
    for i = 1, 20 do
      held[i] = require("peal.control").connect(loop,
        lab.p.store .. "/control", function() end, function() end)
    end
    local word, sentence = resync(lab)
    assert.is_true(word == "connect" or word == "resource", sentence)
    assert.equal("old", value(lab))
    assert.equal("failure", lab.s:ask("status").last.outcome)
    for _, peer in pairs(held) do peer:close() end
    limit(1024)
    recovers(lab, "with descriptors: ")
    assert.is_table(lab.d:ask("status"))
    assert.equal(0, lab.d:stop())
  end)

  it("follows no link at the name of its next file", function()
    reset(lab)
    local victim = phones.write(lab.p.dir .. "/victim", "precious")
    local revision = lab.s:ask("status").revision
    for n = revision + 1, revision + 3 do
      for _, form in ipairs { "%s/rev-%010d.tmp", "%s/rev-%010d" } do
        program.run { "ln", "-s", victim, form:format(lab.p.store, n) }
      end
    end
    recovers(lab, "beside a link: ")
    assert.equal("precious", program.slurp(victim))
    assert.equal(0, lab.d:stop())
    assert.equal("precious", program.slurp(victim))
    assert.equal("new", value(lab))
  end)

  -- Where memory ends is chance: in C, and the resync fails; in Lua, and the
  -- daemon ends.
  it("that runs out of memory says so, and leaves a store that works",
    function()
    if program.sanitized then
      return pending("an address sanitizer takes memory without bounds")
    end
    reset(lab)
    local pid = tostring(lab.d.process:pid())
    local now = program.slurp("/proc/" .. pid .. "/status")
      :match("VmData:%s*(%d+)")
    local limited = program.run { "prlimit", "--pid", pid, "--data="
      .. (tonumber(now) + 64) * 1024 .. ":" }
    if limited.code ~= 0 then
      return pending("prlimit cannot limit here: " .. limited.err)
    end
    local answer = lab.s:ask("resync", { wait = true })
    if answer then
      assert.equal("resource", answer.public.error.word)
      assert.equal("old", value(lab))
      assert.equal(0, lab.d:stop())
    else
      assert.equal(1, lab.d:wait())
      assert.matches("not enough memory", (select(2, lab.d:said())))
    end
    assert.equal(0, lab.p:run("resync").code)
    assert.equal("new", lab.p:param("GPP_C"))
  end)
end)
