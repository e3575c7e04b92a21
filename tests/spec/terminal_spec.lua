-- The editor, and Ctrl-C, at a terminal as a person has it.
local process = require "support.process"
local program = require "support.program"
local pty = require "support.pty"

local LUA <const> = (os.getenv("PEAL_BUILD") or program.root .. "/build")
  .. "/tests/peal-lua"
local SIGINT <const>, SIGTERM <const> = 2, 15

-- Reads lines and says what it got.
local ECHO <const> = [[
local terminal = require "peal.terminal"
local loop = require "peal.loop".new()
local ed, sentence, word = terminal.editor { name = "t",
  history = os.getenv("HISTORY_FILE"), history_max = 3,
  complete = function(line, cursor)
    local before = line:sub(1, cursor):match("%S*$")
    if before == "bad" then error("no names today", 0) end
    local out = {}
    for _, name in ipairs { "Resync_Periodic", "Resync_At", "Report", "école",
        "écran" } do
      if name:sub(1, #before) == before then out[#out + 1] = name end
    end
    return out, cursor - #before + 1
  end }
if not ed then print(sentence, word) os.exit(9) end
loop:signal({ "WINCH" }, function() ed:resized() end)
local failing
local function wait()
  local ready
  local handle = loop:readable(0, function() ready = true end)
  while not ready and not failing do loop:run(true) end
  handle:cancel()
  if failing then error(failing, 0) end
end
local prompt = os.getenv("PROMPT") or "> "
local commands = {
  event = function()
    loop:timer(0.05, function() ed:print("event 1\nevent 2") end)
  end,
  fail = function() loop:timer(0.05, function() failing = "failed" end) end,
  exit = function() loop:timer(0.05, function() os.exit(7) end) end,
  shut = function() loop:timer(0.05, function() os.exit(8, true) end) end,
}
while true do
  local ok, line = pcall(ed.read, ed, prompt, wait)
  if not ok then print("error " .. line) break end
  print(line == nil and "the end" or line == false and "interrupted"
    or ("%q"):format(line))
  if line == nil then break end
  if line then
    if not line:find("secret") then assert(ed:add(line)) end
    if commands[line] then commands[line]() end
  end
end
ed:close()
print(tostring(ed))
]]

describe("the editor", function()
  local dir, tty

  before_each(function() dir = process.temp_dir() end)
  after_each(function()
    if tty then tty:close() end
    tty = nil
    process.remove(dir)
  end)

  local function write(name, text)
    local path = dir .. "/" .. name
    local file <close> = assert(io.open(path, "w"))
    file:write(text)
    return path
  end

  local function start(source, env, options)
    local all = { HOME = dir, HISTORY_FILE = dir .. "/history" }
    for key, value in pairs(env or {}) do all[key] = value end
    options = options or {}
    options.env = all
    tty = pty.spawn({ LUA, write("main.lua", source or ECHO) }, options)
    return tty
  end

  it("reads lines, in UTF-8 under any locale", function()
    for _, locale in ipairs { "C", "de_DE", "C.UTF-8" } do
      start(nil, { LC_ALL = locale }):expect("> $")
      assert.is_false(tty:cooked())
      tty:send("h\u{e9}llo w\u{f6}rld \u{6f22}\u{5b57}\n")
      tty:see('"h\u{e9}llo w\u{f6}rld \u{6f22}\u{5b57}"\n> ')
      tty:send("ab\u{6f22}\u{5b57}\2\2\127c\n") -- left, left, backspace
      tty:see('"ac\u{6f22}\u{5b57}"\n> ')
      tty:send("a\xff\xc3b\n")
      tty:see('"ab"\n> ')
      tty:close()
    end
  end)

  it("ends on Ctrl-D on an empty line, and leaves the terminal as it was",
    function()
      start():expect("> $")
      tty:send("abc\1\4\4\n") -- to the beginning, delete twice
      tty:see('"c"\n> ')
      tty:send("\4")
      tty:see("the end\npeal.terminal.editor (closed)")
      assert.same({ "exited", 0 }, { tty:wait() })
    end)

  it("says that Ctrl-C was typed, and reads on", function()
    start():expect("> $")
    tty:send(("half a line "):rep(12) .. "\3")
    tty:see("interrupted\n> ")
    tty:send("next\n")
    tty:see('"next"\n> ')
  end)

  it("prints above what is being typed, which stays", function()
    start(nil, { PROMPT = "two\nlines> " }):expect("two\nlines> $")
    tty:send("event\n")
    tty:expect("lines> $")
    tty:send("half typed\2\2")
    tty:expect("event 1\nevent 2\ntwo\nlines> half typed$")
    tty:send("!\n")
    tty:see('"half typ!ed"')
  end)

  it("prints above a line that is longer than the screen is wide", function()
    local long = ("0123456789"):rep(17)
    start(nil, nil, { rows = 10, columns = 40 }):expect("> $")
    tty:send("event\n")
    tty:expect("> $")
    tty:send(long)
    tty:expect("event 1\nevent 2\n> " .. long .. "$")
    tty:send("\n")
    tty:see('"' .. long .. '"')
  end)

  it("follows the terminal to another size", function()
    start():expect("> $")
    tty:send(("x"):rep(100))
    tty:until_(function()
      local _, column = tty:cursor()
      return column == 23
    end)
    tty:resize(24, 60)
    tty:until_(function()
      local _, column = tty:cursor()
      return column == 43
    end)
    tty:send("y\n")
    tty:see('"' .. ("x"):rep(100) .. 'y"\n> ')
  end)

  it("completes as far as all candidates agree, then lists them", function()
    start():expect("> $")
    tty:send("a Res\t")
    tty:expect("> a Resync_$")
    tty:send("\t")
    tty:expect("Resync_Periodic  Resync_At\n> a Resync_$")
    tty:send("A\t\n")
    tty:see('"a Resync_At"\n> ')
    tty:send("\u{e9}c\t\t")
    tty:see("\u{e9}cole  \u{e9}cran\n> \u{e9}c")
    tty:send("r\t x\1\5\n")
    tty:see('"\u{e9}cran x"\n> ')
  end)

  it("loses nothing to a completion that fails", function()
    start():expect("> $")
    tty:send("bad\t")
    tty:expect("no names today\n> bad$")
    tty:send("ly\n")
    tty:see('"badly"')
  end)

  it("remembers the lines it is told to, in a file of its user", function()
    local path = dir .. "/history"
    start():expect("> $")
    for _, line in ipairs { "one", "two \\ back", "a secret", "three", "four",
        "five" } do
      tty:send(line .. "\n")
      tty:expect("> $")
    end
    tty:send("\4")
    tty:wait()
    local sys = require "peal.sys"
    assert.equal(384, sys.stat(path).mode)
    assert.falsy(program.slurp(path):find("secret"))
    start():expect("> $")
    tty:send("\16\16\16\n") -- three lines up
    tty:see('"three"\n> ')
    tty:send("\16\16\16\16\16\n")
    tty:see('"four"\n> ')
    -- cut back to the maximum when it was opened, grown by two since
    assert.equal("three\nfour\nfive\nthree\nfour\n", program.slurp(path))
  end)

  it("searches its history backwards", function()
    write("history", "apple\nbanana\n")
    start():expect("> $")
    tty:send("\18ppl")
    tty:see("apple")
    tty:send("\n\n")
    tty:see('"apple"\n')
  end)

  it("brings lines of several lines back as they were", function()
    write("history", "if x then\\n  y()\\nend\n")
    start():expect("> $")
    tty:send("\16")
    tty:expect("> if x then\n  y%(%)\nend$")
    tty:send("\n")
    tty:see('"if x then\\\n  y()\\\nend"')
  end)

  it("opens without a history that cannot be kept, and says so when it adds",
    function()
      process.mkdir(dir .. "/folder")
      start(nil, { HISTORY_FILE = dir .. "/folder" }):expect("> $")
      tty:send("x\n")
      tty:see("cannot keep the history in " .. dir .. "/folder")
    end)

  it("raises what its wait raised, with the terminal as it was", function()
    start():expect("> $")
    tty:send("fail\n")
    tty:expect("> $")
    tty:send("half")
    tty:see("error failed\n")
    assert.same({ "exited", 0 }, { tty:wait() })
  end)

  -- The program is left by a shell, which tells how its terminal is.
  local function under_shell(name, env)
    local script = write(name, ([[
      trap : INT
      cd %s
      before=$(stty -g)
      "%s" main.lua
      code=$?
      [ "$(stty -g)" = "$before" ] && echo "code $code, as it was"
    ]]):format(dir, LUA))
    local all = { HOME = dir, HISTORY_FILE = dir .. "/history" }
    for key, value in pairs(env or {}) do all[key] = value end
    write("main.lua", ECHO)
    tty = pty.spawn({ "/bin/bash", "-m", script }, { env = all })
    tty:expect("> $")
  end

  it("leaves the terminal as it was, whichever way it ends", function()
    local ways = {
      { "fail\n", 0 }, { "exit\n", 7 }, { "shut\n", 8 }, { "\4", 0 } }
    for _, way in ipairs(ways) do
      under_shell("shell")
      tty:send(way[1])
      tty:see(("code %d, as it was"):format(way[2]))
      tty:close()
    end
  end)

  it("leaves it as it was when a signal ends the process", function()
    for _, signal in ipairs { SIGTERM, 1, SIGINT } do
      under_shell("shell")
      tty:send("half a line")
      tty:expect("line$")
      local pid = program.slurp(("/proc/%d/task/%d/children"):format(
        tty.process:pid(), tty.process:pid())):match("%d+")
      assert(os.execute(("kill -%d %s"):format(signal, pid)))
      tty:see(("code %d, as it was"):format(128 + signal))
      tty:close()
    end
  end)

  it("is suspended by Ctrl-Z and comes back with what was typed", function()
    write("main.lua", ECHO)
    tty = pty.spawn({ "/bin/bash", "--norc", "-i" }, { env = { PS1 = "sh: ",
      HOME = dir, HISTORY_FILE = dir .. "/history" } })
    tty:expect("sh: $")
    tty:send(("%s %s/main.lua\n"):format(LUA, dir))
    tty:expect("\n> $")
    tty:send("half")
    tty:expect("> half$")
    tty:send("\26")
    tty:expect("Stopped.*sh: $")
    tty:send("stty -a | grep -o ' icanon'; fg\n")
    tty:expect("icanon\n.*\n> half$")
    tty:send(" more\n")
    tty:see('"half more"\n> ')
  end)

  it("refuses what is no terminal, or one that cannot edit", function()
    local source = write("main.lua", ECHO)
    assert.same({ "lines are edited at a terminal only\tinvalid\n", 9 }, {
      program.run({ LUA, source }).out, program.run({ LUA, source }).code })
    for _, term in ipairs { "dumb", "", "no-such-terminal" } do
      start(nil, { TERM = term }):see(("(TERM=%s) cannot edit lines"):format(
        term))
      tty:see("invalid")
      assert.same({ "exited", 9 }, { tty:wait() })
    end
  end)

  it("is loaded by nobody who does not edit", function()
    start([[
      local terminal = require "peal.terminal"
      local function loaded()
        return io.open("/proc/self/maps"):read("a"):find("libedit") ~= nil
      end
      print(terminal.width(), terminal.is_tty(0), loaded())
      terminal.editor {}
      print(loaded())
    ]])
    tty:expect("80%s+true%s+false\ntrue\n")
  end)

  it("is nothing that the program is linked with", function()
    assert.falsy(program.run({ "ldd", program.path }).out:find("libedit"))
  end)

  it("asks for a secret that is not shown", function()
    start([[
      local terminal = require "peal.terminal"
      print(("%q"):format(terminal.secret("passphrase: ")))
      print(terminal.secret(("again: ")))
    ]]):expect("passphrase: $")
    tty:send("open s\u{e9}same\n")
    tty:see('passphrase:\n"open s\u{e9}same"\n')
    tty:expect("again: $")
    tty:send("\4")
    tty:expect("nil%s+no such thing%s+not%-found")
    assert.is_true(tty:cooked())
  end)

  it("shows again what is typed when a signal ends the question", function()
    write("main.lua", [[
      require "peal.terminal".secret("passphrase: ")
    ]])
    tty = pty.spawn({ "/bin/bash", "-c", ([[
      trap : INT
      "%s" %s/main.lua
      stty -a | grep -o ' echo '
    ]]):format(LUA, dir) })
    tty:expect("passphrase: $")
    tty:send("\3")
    tty:see(" echo")
  end)
end)

describe("what may be interrupted", function()
  local dir, tty

  before_each(function() dir = process.temp_dir() end)
  after_each(function()
    if tty then tty:close() end
    process.remove(dir)
  end)

  -- Runs `body` as an interruptible function; returns when it is ready().
  local function start(body)
    local path = dir .. "/main.lua"
    local file = assert(io.open(path, "w"))
    file:write(([[
      local terminal = require "peal.terminal"
      local loop = require "peal.loop".new()
      local waits = loop:signal({ "INT" }, function() end)
      local function ready() io.write("go\n") io.flush() end
      local function body(...) %s end
      print(terminal.interruptible(body, 1, nil, 3))
      print(terminal.interrupted())
      print(terminal.interruptible(function() return "well" end))
    ]]):format(body))
    file:close()
    tty = pty.spawn({ LUA, path })
    tty:see("go\n")
  end

  it("returns as pcall does when nobody interrupts it", function()
    start("ready() return select('#', ...), ...")
    tty:expect("true%s+3%s+1%s+nil%s+3\nfalse\ntrue%s+well\n")
    tty:close()
    start("ready() error({}, 0)")
    tty:expect("false%s+table: %S+\n")
    tty:close()
    start("ready() error('why', 0)")
    tty:expect("false%s+why\nfalse\n")
  end)

  local loops = {
    ["an endless loop"] = "while true do end",
    ["one in a coroutine"] = "local co = coroutine.create(function() "
      .. "while true do end end) coroutine.resume(co) while true do end",
    ["one in a wrapped coroutine"] = "coroutine.wrap(function() "
      .. "coroutine.wrap(function() while true do end end)() end)()",
    ["coroutines without end"] = "while true do "
      .. "coroutine.wrap(function() coroutine.yield() end)() end",
    ["one that catches every error"] = "local function f() while true do end "
      .. "end while true do pcall(f) end",
    ["one that catches them in a coroutine"] = "while true do coroutine"
      .. ".resume(coroutine.create(function() while true do end end)) end",
    ["a loop that waits for events"] = "loop:timer(1000, print) loop:run()",
    ["a callback that never returns"] = "loop:timer(0, function() "
      .. "while true do end end) loop:run()",
    ["a wait in turns"] = "while not terminal.interrupted() do "
      .. "loop:timer(0.01, function() end) loop:run(true) end "
      .. "error('interrupted', 0)",
    ["many calls into C"] = "local s = ('x'):rep(100) while true do "
      .. "s:find('y') end",
  }
  for what, body in pairs(loops) do
    it("ends: " .. what, function()
      start("ready() " .. body)
      local before = process.now()
      tty:send("\3")
      tty:expect("false%s+interrupted\nfalse\ntrue%s+well\n")
      assert.is_true(process.now() - before < 20)
      assert.same({ "exited", 0 }, { tty:wait() })
    end)
  end

  it("lets what is to be closed be closed", function()
    start([[
      local guard <close> = setmetatable({}, { __close = function()
        local n = 0
        for i = 1, 500 do n = n + i end
        print("closed", n)
      end })
      ready()
      while true do end]])
    tty:send("\3")
    tty:expect("closed%s+125250\nfalse%s+interrupted\n")
  end)

  -- A match that takes for ever: C that looks at nothing.
  local DEAF <const> = "ready() return (('a'):rep(40)):find("
    .. "('a*'):rep(40) .. 'b')"

  local function cpu_ticks()
    local stat = program.slurp(("/proc/%d/stat"):format(tty.process:pid()))
    return tonumber(stat:match("%) %S" .. (" %S+"):rep(10) .. " (%d+)"))
  end

  -- Started, and so far on that it must be in C.
  local function start_deaf()
    start(DEAF)
    local enough = cpu_ticks() + 5
    tty:until_(function() return cpu_ticks() >= enough end, 30, 0.01)
  end

  it("ends the process when C does not hear for a second", function()
    start_deaf()
    tty:send("\3")
    tty:see("peal: interrupted\n")
    assert.same({ "exited", 130 }, { tty:wait() })
  end)

  it("ends the process at the second time", function()
    start_deaf()
    local before = process.now()
    tty:send("\3\3")
    tty:see("peal: interrupted\n")
    assert.same({ "exited", 130 }, { tty:wait() })
    assert.is_true(process.now() - before < 20)
  end)

  it("dies of SIGINT as ever when nothing is under way", function()
    local path = dir .. "/main.lua"
    local file <close> = assert(io.open(path, "w"))
    file:write([[
      require "peal.terminal".interruptible(function() end)
      io.write("go\n") io.flush()
      while true do end]])
    file:flush()
    tty = pty.spawn({ LUA, path })
    tty:see("go\n")
    tty:send("\3")
    assert.same({ "killed", SIGINT }, { tty:wait() })
  end)

  it("leaves coroutines as they were", function()
    start([[
      ready()
      local co = coroutine.wrap(function(a)
        local b = coroutine.yield(a + 1)
        error("broken " .. b, 0)
      end)
      assert(co(1) == 2)
      local ok, why = pcall(co, 5)
      assert(not ok and why == "broken 5", why)
      assert(not pcall(co))
      local r = coroutine.create(function(...) return select("#", ...) end)
      assert(select(2, coroutine.resume(r, nil, nil)) == 2)
      assert(coroutine.resume(r) == false)
      assert(not pcall(coroutine.resume, 1))
      assert(not pcall(coroutine.wrap, 1))
      assert(coroutine.isyieldable() == false)
      return "fine"]])
    tty:expect("true%s+fine\n")
  end)
end)

describe("the passphrase of a cassette", function()
  it("is asked for twice when it is new, and never shown", function()
    local dir = process.temp_dir()
    local path = dir .. "/main.lua"
    local file = assert(io.open(path, "w"))
    file:write([[print(require "peal.cli.passphrase".of({}, true))]])
    file:close()
    local tty = pty.spawn({ LUA, path },
      { env = { PEAL_PASSPHRASE = false } })
    tty:expect("passphrase of the cassette: $")
    tty:send("sesame\n")
    tty:expect("once more: $")
    assert.falsy(tty:bytes():find("sesame"))
    tty:send("sesame\n")
    tty:see("\nsesame\n") -- what main.lua prints
    tty:close()
    process.remove(dir)
  end)
end)
