-- peal repl as a person uses it: at a terminal.
local daemons = require "support.daemons"
local phones = require "support.phones"
local process = require "support.process"
local program = require "support.program"
local pty = require "support.pty"
local servers = require "support.servers"
local tcp = require "support.tcp"

local need, profile, write = phones.need, phones.profile, phones.write

local SECRET <const> = "hunter2-or-so"
local PROMPT <const> = "\npeal%*?> $"
-- What was interrupted is over by then, s.
local SOON_S <const> = 1

describe("peal repl at a terminal", function()
  local p, d, tty, home

  before_each(function()
    p = phones.new { params = { GPP_A = "before", GPP_SA = SECRET,
      Resync_On_Reset = "No", Resync_Periodic = "0",
      Resync_Error_Retry_Delay = "0" } }
    home = p.dir .. "/home"
    process.mkdir(home)
  end)
  after_each(function()
    if tty then tty:close() end
    if d then d:close() end
    p:close()
    tty, d = nil, nil
  end)

  local function start(...)
    local argv = { program.path, "repl", "--phone", p.file, "--store",
      p.store, ... }
    tty = pty.spawn(argv, { env = { HOME = home, XDG_STATE_HOME = false },
      reveals = "who types a secret sees it" })
    tty:expect(PROMPT)
  end

  -- Type a line; what stands between it and the next prompt. What is typed
  -- ahead of the prompt stands there twice, as at any terminal.
  local function types(line, prompt)
    tty:send(line .. "\n")
    tty:see(line)
    local text = tty:expect("\n(.-)" .. (prompt or PROMPT):sub(2))
    local again = text:sub(1, #line + 1) == line .. "\n" and #line + 2 or 1
    return (text:sub(again):gsub("\n$", ""))
  end

  -- Above the prompt, where it moves what was there already.
  local function shows(pattern)
    tty:until_(function() return tty:text():find(pattern) end)
  end

  local function leave()
    tty:send("\4")
    local how, code = tty:wait()
    assert.same({ "exited", 0 }, { how, code })
    assert.is_true(tty:cooked())
  end

  it("answers, and ends with ^D", function()
    start()
    assert.equal("2", types "1 + 1")
    assert.equal("3", types "_ + 1")
    assert.equal('"before"', types "param.GPP_A")
    assert.matches("^#%x+$", types "param.GPP_SA")
    leave()
  end)

  it("says what it is on", function()
    start("--read-only")
    assert.matches("store, revision %d+, read%-only\n", tty:text())
    assert.matches(":help lists them, ^D leaves", tty:text(), 1, true)
    assert.matches("this session is %-%-read%-only",
      types 'param.GPP_A = "x"')
  end)

  it("takes input of several lines, which ^C gives up", function()
    start()
    tty:send("for i = 1, 2 do\n")
    tty:expect("\n   %.%. $")
    tty:send("print(i)\n")
    tty:expect("\n   %.%. $")
    assert.equal("1\n2", types "end")
    tty:send("x = {\n")
    tty:expect("\n   %.%. $")
    tty:send("\3")
    tty:expect(PROMPT)
    assert.equal("nil", types "tostring(x)":gsub('"', ""))
  end)

  it("shows an error with the line that was typed, and goes on", function()
    start()
    assert.matches("prompt:1: unexpected symbol near '='", types "x = = 1")
    tty:send("function f()\n")
    tty:expect("\n   %.%. $")
    tty:send("  return nil + 1\n")
    tty:expect("\n   %.%. $")
    types "end"
    assert.matches("prompt:2: attempt to perform arithmetic", types "f()")
    assert.matches("did you mean GPP_A%?", types "param.GPP_AA")
    assert.equal("42", types "6 * 7")
  end)

  it("completes what is typed", function()
    start()
    tty:send("param.Resync_Peri\t")
    tty:see("param.Resync_Periodic")
    tty:send("\n")
    tty:see('"0"')
    tty:expect(PROMPT)
    tty:send(":tim\t")
    tty:expect(":tim")
    tty:send("\21")
    tty:send("string.form\t")
    tty:see("string.format")
    tty:send("\21")
    tty:send('rule "http://h/$MA\t')
    tty:send("\21")
    assert.equal("42", types "6 * 7")
  end)

  it("takes plain lines where no line can be edited", function()
    tty = pty.spawn({ program.path, "repl" }, { env = { HOME = home,
      TERM = "dumb" } })
    tty:expect("no line editing: .-\npeal> $")
    assert.equal("42", types "6 * 7")
    tty:send("print 'go' while true do end\n")
    tty:see("\ngo\n")
    tty:send("\3")
    tty:expect("interrupted.-\npeal> $")
    leave()
  end)

  it("prints nothing that the terminal would obey", function()
    start()
    assert.equal("a\\x1b[31mb", types [[print "a\27[31mb"]])
    assert.equal("a\\x9b31mb", types [[print "a\u{9b}31mb"]])
    assert.matches("a\\x1b%[31mb", types [[error "a\27[31mb"]])
    assert.is_nil(tty:bytes():find("\27[31m", 1, true))
  end)

  it("draws what is typed anew where the terminal has another size", function()
    start()
    local function column_is(n)
      tty:until_(function()
        local _, column = tty:cursor()
        return column == n
      end)
    end
    tty:send(("x"):rep(100))
    column_is(27)
    tty:resize(24, 60)
    column_is(47)
    tty:send("\n")
  end)

  it("fits what it prints into the width of the terminal", function()
    start()
    tty:resize(24, 60)
    for row in types('params "Resync*"'):gmatch("[^\n]+") do
      assert.is_true(utf8.len(row) <= 60, row)
    end
  end)

  describe("is interrupted by ^C", function()
    local function stops(code, wait_for)
      start()
      tty:send("print 'go'; " .. code .. "\n")
      tty:see("\ngo\n")
      if wait_for then wait_for() end
      local began = process.now()
      tty:send("\3")
      tty:expect("interrupted.-\npeal> $")
      assert.is_true(process.now() - began < SOON_S + 1)
      assert.equal("2", types "1 + 1")
    end

    for name, code in pairs {
      ["in a loop"] = "while true do end",
      ["in a loop that catches errors"] =
        "while true do pcall(function() while true do end end) end",
      ["in a coroutine"] =
        "coroutine.wrap(function() while true do end end)()",
      ["in a __tostring"] = "return setmetatable({}, { __tostring = function() "
        .. "while true do end end })",
      ["in a __pairs"] = "return setmetatable({}, { __pairs = function() "
        .. "while true do end end })",
      ["in an __index"] = "local _ = setmetatable({}, { __index = "
        .. "function() while true do end end }).x",
      ["while it reads a line"] = "return io.read()",
      ["in a sort"] = "table.sort({3,2,1}, function() while true do end end)",
    } do
      it(name, function() stops(code) end)
    end

    it("while a server does not answer", function()
      local server = tcp.serve({ { hold = true } }, "127.0.0.1")
      finally(function() server:close() end)
      stops(("plan 'http://127.0.0.1:%d/x'"):format(server:port()),
        function() assert(server:request(30)) end)
    end)

    -- Ticks of CPU that the session has used.
    local function used()
      local stat = program.slurp(("/proc/%d/stat"):format(tty.process:pid()))
      return tonumber((stat:match("%) . " .. ("%S+ "):rep(10) .. "(%d+)")))
    end

    it("in a function that never looks up, by leaving", function()
      start()
      local before, guard = used(), process.now() + 30
      tty:send "print 'go'; (('a'):rep(100000)):find('.-.-.-b')\n"
      tty:see("\ngo\n")
      repeat until used() > before + 20 or process.now() > guard
      tty:send("\3")
      local how, number = tty:wait()
      assert.same({ "exited", 130 }, { how, number })
      assert.is_true(tty:cooked())
    end)

    it("at the prompt, which begins anew", function()
      start()
      tty:send("abc")
      tty:see("abc")
      tty:send("\3")
      tty:expect(PROMPT)
      assert.equal("42", types "6 * 7")
    end)
  end)

  describe("with what was written", function()
    it("shows it and asks before it commits", function()
      start()
      types 'param.GPP_A = "new"'
      assert.matches("peal%*> $", tty:text())
      tty:send(":commit\n")
      tty:see("write this value? [y/N] ")
      assert.matches("GPP_A  before  new", tty:text())
      tty:send("n\n")
      tty:see("nothing was written")
      assert.equal("before", p:param("GPP_A"))
      tty:expect(PROMPT)
      tty:send(":commit\n")
      tty:see("write this value? [y/N] ")
      tty:send("y\n")
      tty:expect("1 changed, revision %d+\npeal> $")
      assert.equal("new", p:param("GPP_A"))
      assert.equal("repl", p:explain("GPP_A").author)
    end)

    it("says what others have written meanwhile", function()
      start()
      types 'param.GPP_A = "mine"'
      assert.equal(0, p:run("set", "GPP_A=theirs").code)
      tty:send(":commit\n")
      tty:see("write this value? [y/N] ")
      assert.matches('GPP_A is "theirs" meanwhile, by cli %(revision %d+%): '
        .. "that is written over\n", tty:text())
      assert.equal(0, p:run("set", "GPP_A=again").code)
      tty:send("y\n")
      tty:expect('GPP_A is "again" meanwhile[^\n]*\nwrite this value%? .+$')
      tty:send("n\n")
      tty:see("nothing was written")
      assert.equal("again", p:param("GPP_A"))
    end)

    it("does not leave unasked", function()
      start()
      types 'param.GPP_A = "new"'
      assert.matches("1 written and not committed", types ":quit")
      types "1"
      tty:send("\4")
      tty:expect("1 written and not committed[^\n]*\npeal%*> $")
      tty:send("\4")
      assert.same({ "exited", 0 }, { tty:wait() })
      assert.equal("before", p:param("GPP_A"))
    end)
  end)

  describe("remembers", function()
    local function remembered()
      return program.slurp(home .. "/.local/state/peal/history")
    end

    it("lines, but none with a secret, for its owner alone", function()
      start()
      types "1 + 1"
      types 'param.GPP_SB = "s3same-open"'
      types ('x = "' .. SECRET .. '"')
      types [[rule "[--key abcdef] http://h/a"]]
      types("param.GPP_SC =", "   .. $")
      types '"on-a-line-of-its-own"'
      types 'name = "GPP_SD"'
      types 'param[name] = "by-another-name"'
      types ":discard"
      leave()
      local text = remembered()
      assert.is_truthy(text:find("1", 1, true))
      for _, hidden in ipairs { "s3same", SECRET, "abcdef", "on-a-line",
        "by-another" } do
        assert.is_nil(text:find(hidden, 1, true), text)
      end
      local about = require("peal.sys").stat(home
        .. "/.local/state/peal/history")
      assert.equal(0, about.mode & 63)
    end)

    it("a line no more once what it holds is a secret", function()
      start()
      types 's = "plain-so-far"'
      assert.is_truthy(remembered():find("plain-so-far", 1, true))
      types "param.GPP_SB = s"
      assert.is_nil(remembered():find("plain-so-far", 1, true))
      types ":discard"
      leave()
    end)

    it("them for the next session", function()
      start()
      types "40 + 2"
      leave()
      tty:close()
      start()
      tty:send("\27[A\n")
      tty:expect("\n42" .. PROMPT)
    end)
  end)

  describe("with a resync that is looked at", function()
    local web, root
    before_each(function()
      if not need("nginx") then return end
      root = process.temp_dir()
      write(root .. "/a.xml", profile { GPP_B = "from the server" })
      web = servers.nginx { root = root }
      assert(p:run("set", ("Profile_Rule=http://127.0.0.1:%d/a.xml"):format(
        web.http_port)))
    end)
    after_each(function()
      if web then web:stop() end
      if root then process.remove(root) end
      web, root = nil, nil
    end)

    it("stops between the phases", function()
      if not web then return end
      start()
      types(":step", "\nstep> $")
      assert.equal('"trigger"', types("step.step", "\nstep> $"))
      assert.matches("^rule ", types("n", "\nstep> $"))
      assert.equal("2", types("#trace.steps", "\nstep> $"))
      assert.matches("attempt to", types("nil + 1", "\nstep> $"))
      assert.matches("success, 1 change; nothing was written", types "c")
      types(":step", "\nstep> $")
      assert.equal("the run was left", types "q")
      types(":step", "\nstep> $")
      tty:send("while true do end\n")
      tty:see("end\n")
      tty:send("\3")
      tty:expect("interrupted[^\n]*\npeal> $")
      types(":step", "\nstep> $")
      tty:send("\3")
      tty:expect("the run was left\npeal> $")
      types(":step", "\nstep> $")
      tty:send(":quit\n")
      assert.same({ "exited", 0 }, { tty:wait() })
    end)

    it("stops where a parameter is written", function()
      if not web then return end
      start()
      types ":break GPP_B"
      assert.matches('GPP_B is about to be written by Profile_Rule, line 2: '
        .. '"" %-> "from the server"', types(":plan", "\nstep> $"))
      assert.equal('"from the server"', types("change.new", "\nstep> $"))
      types "c"
    end)

    it("tells above the prompt what the daemon does meanwhile", function()
      if not web then return end
      d = daemons.start { p }
      start("--attach")
      assert.matches("attached to its daemon", tty:text())
      tty:send("param.GP")
      tty:see("param.GP")
      assert(d:ask("resync", { wait = true }))
      shows("\n%* %S+ cycle .-\n%* %S+ state +state=IDLE\n"
        .. "peal> param%.GP$")
      tty:send("P_B\n")
      shows('\npeal> param%.GPP_B\n"from the server"\npeal> $')
      assert.equal("live events: off", types ":log off")
      assert(d:ask("resync", { wait = true }))
      assert.equal('"IDLE"', types "status().state")
      assert.equal("live events: debug", types ":log debug")
      assert(d:ask("resync", { wait = true }))
      shows("\n%* %S+ step ")
    end)

    it("keeps what was written when the daemon writes, and says so", function()
      if not web then return end
      d = daemons.start { p }
      start("--attach")
      types 'param.GPP_A = "mine"'
      assert(d:ask("resync", { wait = true }))
      shows("\n%* %S+ cycle .-\n%* %S+ state +state=IDLE\npeal%*> $")
      assert.matches("this session stays at %d+, for it has written",
        types "param.GPP_A")
      assert.matches("changed, revision", types ":commit!")
      assert.equal('"from the server"', types "param.GPP_B")
    end)

    it("gives up by ^C where the daemon is stopped", function()
      if not web then return end
      d = daemons.start { p }
      start("--attach")
      d.process:kill(19) -- STOP
      tty:send("print 'go' status()\n")
      tty:see("\ngo\n")
      tty:send("\3")
      tty:expect("interrupted[^\n]*\npeal> $")
      d.process:kill(18) -- CONT
      assert.equal('"IDLE"', types "status().state")
    end)

    it("says that the daemon has ended", function()
      if not web then return end
      d = daemons.start { p }
      start("--attach")
      d:stop()
      shows("\n%* the daemon has ended; what was read of it stays\npeal> $")
      assert.matches("the daemon has ended.*start it again", types "status()")
      assert.equal('"before"', types "param.GPP_A")
      types 'param.GPP_C = "mine"'
      assert.matches("^1 forgotten", types ":discard")
      types 'param.GPP_C = "by itself"'
      assert.matches("1 changed, revision", types ":commit!")
      assert.equal("by itself", p:param("GPP_C"))
    end)

    it("finds the daemon that was started again", function()
      if not web then return end
      d = daemons.start { p }
      start("--attach")
      d:stop()
      shows("the daemon has ended[^\n]*\npeal> $")
      d = daemons.start { p }
      assert.equal(0, p:run("set", "GPP_C=else").code)
      assert.matches('attached to the daemon again\n"else"$',
        types "param.GPP_C")
      assert.equal('"IDLE"', types "status().state")
      assert(d:ask("resync", { wait = true }))
      shows("\n%* %S+ cycle ")
    end)
  end)
end)
