-- A session without a terminal: expressions, scripts, commands, secrets.
local complete = require "peal.repl.complete"
local commands = require "peal.repl.commands"
local environment = require "peal.repl.environment"
local evaluate = require "peal.repl.evaluate"
local history = require "peal.repl.history"
local json = require "peal.json"
local phones = require "support.phones"
local process = require "support.process"
local program = require "support.program"
local session_of = require "peal.repl.session"

local SECRET <const> = "hunter2-or-so"

describe("what is typed", function()
  local function compile(text, line)
    return evaluate.compile(text, {}, "prompt", line)
  end

  it("is an expression without return, or a chunk", function()
    assert.same({ 1, 2 }, { compile("1, 2")() })
    assert.equal(3, compile("local a = 3 return a")())
    assert.is_function(compile("x = 1"))
    assert.is_function(compile("-- nothing"))
  end)

  it("goes on in the next line, as the compiler says", function()
    for _, text in ipairs { "for i = 1, 2 do", "{1,", "f(", "x =", "if a then",
      "function f()", "[[text", "(1 +", "return {" } do
      local fn, _, goes_on = compile(text)
      assert.is_nil(fn)
      assert.is_true(goes_on, text)
    end
    for _, text in ipairs { "x = = 1", '"open', "end", "1 2", "f)", "'" } do
      local fn, why, goes_on = compile(text)
      assert.is_nil(fn)
      assert.is_false(goes_on, text)
      assert.matches("^prompt:1:", why)
    end
  end)

  it("that ends too early is told of its end, not of its beginning",
    function()
      local _, why = compile("1 +")
      assert.equal("prompt:1: unexpected symbol near <eof>", why)
    end)

  it("may begin with a local, which stays", function()
    local env = {}
    for _, text in ipairs { "local a = 1", "local b, c <const> = 2, 3",
      "local function f() return a + b end", "local d", "  local e=5" } do
      assert(evaluate.compile(text, env, "prompt"))()
    end
    assert.same({ 1, 2, 3, 3, 5 }, { env.a, env.b, env.c, env.f(), env.e })
  end)

  it("is told by its own lines", function()
    local _, why = compile("x = 1\ny = = 2", 5)
    assert.matches("^prompt:6: ", why)
    local fn = compile("local function f()\n  error('boo')\nend\nf()", 10)
    local ok, failed = evaluate.call(function(source)
      return source == "=prompt"
    end, fn)
    assert.is_false(ok)
    assert.equal("script", failed.word)
    assert.same({ line = 11 }, failed.place)
    assert.same({ 11, 13 }, { failed.frames[1].line, failed.frames[2].line })
    assert.equal("  prompt:11 in f\n  prompt:13",
      evaluate.trace(failed.frames))
  end)
end)

describe("a session", function()
  local p, session, env, said

  before_each(function()
    p = phones.new { params = { GPP_A = "before", GPP_SA = SECRET,
      Resync_Periodic = "3600" } }
    session = assert(session_of.open { phone = p.file, store = p.store })
    said = {}
    session.say = function(text) said[#said + 1] = text end
    env = environment.new(session)
  end)
  after_each(function()
    session:close()
    p:close()
  end)

  it("hands a secret out as a reference, however short it is", function()
    env.param.GPP_SB = "x1"
    local secret = require "peal.secret"
    assert.equal(secret.reference("GPP_SB", "x1"), env.param.GPP_SB)
    assert.equal(env.param.GPP_SB, env.store:value("GPP_SB").text)
    assert.equal(env.param.GPP_SB, env.store:get("GPP_SB"))
    assert.matches("^#%x+$", env.params("GPP_SB")[1].value)
    local seen = {}
    for name, text in pairs(env.param) do seen[name] = text end
    assert.equal(env.param.GPP_SB, seen.GPP_SB)
    for about in env.store:each() do seen[about.name] = about.text end
    assert.equal(env.param.GPP_SB, seen.GPP_SB)
  end)

  it("tells of a wrong argument as the operator has given it", function()
    local ok, failed = pcall(function() return env.store:states() end)
    assert.is_false(ok)
    assert.equal("store:states(): bad argument #1 (string expected, got no "
      .. "value)", failed.sentence)
  end)

  it("keeps what is written to itself", function()
    env.param.GPP_A = "new"
    env.param.Resync_Periodic = 7200
    env.param.Provision_Enable = false
    assert.equal("new", env.param.GPP_A)
    assert.same({ { name = "Provision_Enable", old = "Yes", new = "No" },
      { name = "Resync_Periodic", old = "3600", new = "7200" },
      { name = "GPP_A", old = "before", new = "new" } },
      session:diff())
    assert.equal("before", p:param("GPP_A"))
    env.param.Resync_Periodic = nil
    assert.equal("3600", env.param.Resync_Periodic)
  end)

  it("checks a value as a profile's is checked", function()
    local ok, failed = pcall(function()
      env.param.Provision_Enable = "maybe"
    end)
    assert.is_false(ok)
    assert.equal("bad-value", failed.word)
    ok, failed = pcall(function() return env.param.Resync_Periodc end)
    assert.is_false(ok)
    assert.same({ "unknown-name", "did you mean Resync_Periodic?" },
      { failed.word, failed.next })
    ok, failed = pcall(function() env.param.GPP_A = {} end)
    assert.is_false(ok)
    assert.matches("a table is no value", failed.sentence)
  end)

  it("takes a part of a secret nowhere but into a secret", function()
    assert.is_false(pcall(function() env.param.GPP_A = env.param.GPP_SA end))
    env.param.GPP_SB = env.param.GPP_SA
    assert.equal(SECRET, session.store:get("GPP_SB"))
    local text = json.encode(session:diff())
    assert.is_nil(text:find(SECRET, 1, true))
    assert.matches('"#%x+"', text)
  end)

  it("is asked about the classic language", function()
    assert.equal("CP-8841-3PCC 000e08abcdef", env.expand "$PN $MA")
    assert.is_true(env.eval "1 eq 1")
    assert.equal("http://h/000e08abcdef.xml",
      env.rule("http://h/$MA.xml").fetch.url)
    assert.equal("h", env.url("http://h/a").host)
    assert.equal(-1, env.version.compare("sip88xx.11-3-1", "sip88xx.11-3-2"))
    assert.is_table(env.classic.profile(env.phone, "http://h/a.xml"))
    assert.equal("000e08abcdef", env.phone.MAC)
  end)

  it("says why, what was and what comes", function()
    assert.equal("phone-file", env.why("GPP_A").author)
    assert.is_true(#env.history() > 0)
    assert.equal("boot", env.schedule(3)[1].cause)
    assert.equal("000e08abcdef", env.status().phone.MAC)
    assert.is_table(env.certs())
    assert.equal("before", env.store:get("GPP_A"))
    assert.is_nil(env.store.begin)
  end)

  it("goes on from a resync, which stays in it", function()
    env.param.Profile_Rule = "[] GPP_C = before"
    env.param.Profile_Rule = "(1 eq 1)? GPP_B=made"
    local planned = env.plan()
    assert.is_table(planned.changes)
  end)

  it("simulates, and knows of secrets there what can be told", function()
    env.param.Profile_Rule = "http://192.0.2.1/a.xml"
    local sim = env.simulate { server = function()
      return "<flat-profile><GPP_SB>made-up</GPP_SB></flat-profile>"
    end }
    sim:run(3600)
    for _, text in ipairs { sim:param("GPP_SA"), sim:store():get("GPP_SA"),
      sim:store():value("GPP_SB").text, sim:param("GPP_SB") } do
      assert.matches("^#%x+$", text)
    end
    assert.equal("before", sim:store():get("GPP_A"))
    assert.is_nil(sim:store().begin)
  end)

  it("writes nothing where it is --read-only", function()
    session.read_only = true
    for _, fn in ipairs { function() env.param.GPP_A = "x" end, env.resync,
      function() require("peal.repl.commit").run(session) end } do
      local ok, failed = pcall(fn)
      assert.is_false(ok)
      assert.matches("this session is %-%-read%-only", failed.sentence)
      assert.equal("permission", failed.word)
    end
    assert.equal("before", env.param.GPP_A)
  end)

  it("commits as the author repl, and goes on from there", function()
    env.param.GPP_A = "committed"
    local revision = require("peal.repl.commit").run(session)
    assert.equal(revision, session.base:revision())
    assert.same({}, session:diff())
    assert.equal("committed", p:param("GPP_A"))
    assert.equal("repl", p:explain("GPP_A").author)
  end)

  it("puts back to the default what is set to nil", function()
    local commit = require "peal.repl.commit"
    env.param.Resync_Periodic = nil
    assert.same({ { name = "Resync_Periodic", old = "3600", new = "3600",
      note = "back to the default" } }, session:diff())
    assert.is_true(env.store:value("Resync_Periodic").is_default)
    commit.run(session)
    assert.is_true(env.store:value("Resync_Periodic").is_default)
    assert.is_true(p:explain("Resync_Periodic").default)
    env.param.GPP_A = nil
    commit.run(session)
    assert.same({ "", true }, { env.param.GPP_A,
      env.store:value("GPP_A").is_default })
  end)

  it("knows what others have written meanwhile", function()
    local commit = require "peal.repl.commit"
    env.param.GPP_A, env.param.GPP_SA = "mine", "mine-too"
    env.param.GPP_C = "same"
    local list, seen = session:overtaken()
    assert.same({ {}, session.base:revision() }, { list, seen })
    assert.equal(0, p:run("set", "GPP_A=theirs", "GPP_B=x",
      "GPP_SA=theirs-too", "GPP_C=same").code)
    assert.is_nil(commit.run(session, seen))
    assert.equal("theirs", p:param("GPP_A"))
    list, seen = session:overtaken()
    assert.equal(2, #list)
    for _, one in ipairs(list) do
      assert.equal("cli", one.author)
      assert.matches(one.name == "GPP_A" and "^theirs$" or "^#%x+$", one.now)
    end
    assert.equal(seen + 1, commit.run(session, seen))
    assert.same({ "mine", "x" }, { p:param("GPP_A"), p:param("GPP_B") })
  end)

  it("takes the snapshot anew, unless it has written", function()
    assert.equal(0, p:run("set", "GPP_A=else").code)
    assert.is_nil(session:follow_store())
    assert.equal("else", env.param.GPP_A)
    env.param.GPP_B = "mine"
    assert.equal(0, p:run("set", "GPP_A=again").code)
    assert.matches("has written what is not committed",
      session:follow_store())
    assert.is_nil(session:follow_store()) -- said once
    assert.equal("else", env.param.GPP_A)
  end)

  it("has help on each of its globals and commands", function()
    local _, names = environment.new(session)
    local reference = require "peal.reference"
    for name, value in pairs(env) do
      if name ~= "_G" then
        assert.is_string(reference.help(name, { store = session.store }), name)
        if type(value) == "function" then
          assert.is_string(names[value] or name, name)
        end
      end
    end
    for _, command in ipairs(commands.list) do
      assert.is_string(reference.help(":" .. command.name, {}), command.name)
    end
    env.help "Resync_Periodic"
    assert.matches("default", said[1])
    env.help(env.resync)
    assert.matches("^resync%(", said[2])
  end)

  describe("completes", function()
    local function at(line)
      local about = { session = session, env = env, commands = commands.list }
      local names, start = complete.at(about, line, #line)
      return names, line:sub(start)
    end

    local function has(line, name)
      local names = at(line)
      for _, one in ipairs(names) do
        if one == name then return true end
      end
      error(("%s: no %s in: %s"):format(line, name,
        table.concat(names, " ")))
    end

    it("globals, fields, methods and keywords", function()
      has("para", "param")
      has("x = st", "string")
      has("string.for", "format")
      has("fu", "function")
      env.mine = { sub = { leaf = 1 } }
      has("mine.sub.le", "leaf")
      env.file = io.stdout
      has("file:wr", "write")
      env.text = "x"
      has("text:up", "upper")
      has("phone.M", "MAC")
      has("phone.st", "state")
      has("store:rev", "revisions")
    end)

    it("parameters, macros, options and stages", function()
      has("param.Resync_Per", "Resync_Periodic")
      has('help "Profile_Rule', "Profile_Rule_B")
      has("params('GPP_", "GPP_SA")
      has('rule "http://h/$M', "$MA")
      has('rule "http://h/$(MA', "$(MAU")
      has('rule "[--k', "--key")
      has('help "trig', "trigger")
      has('help "classic.p', "classic.profile")
      has("help('resy", "resync")
    end)

    it("commands and their arguments", function()
      has(":pl", ":plan")
      has(":why Resync_Per", "Resync_Periodic")
      has(":format js", "json")
      has(":help ste", "step")
    end)

    it("without a call of a stranger's __index", function()
      local called = false
      env.trap = setmetatable({ own = 1 }, { __index = function()
        called = true
      end })
      has("trap.ow", "own")
      assert.same({}, (at("trap.deep.er")))
      assert.same({}, (at("trap.x")))
      assert.is_false(called)
    end)
  end)

  describe("remembers no line", function()
    local function kept(line) return history.is_harmless(session, line) end

    it("with a secret, a key or a password", function()
      assert.is_true(kept "param.GPP_A = 'x'")
      assert.is_true(kept "status().state")
      assert.is_false(kept(("x = '%s'"):format(SECRET)))
      assert.is_false(kept 'rule "[--key abc] http://h/a"')
      assert.is_false(kept 'rule "http://user:word@h/a"')
      assert.is_false(kept 'password = "x"')
    end)

    it("with a short secret as a word of its own", function()
      env.param.GPP_SB = "pw"
      for _, line in ipairs { 's = "pw"', "s = [[pw]]", "pw = 1" } do
        assert.is_false(kept(line), line)
      end
      assert.is_true(kept "spwn = 1")
    end)

    it("that became a secret later", function()
      local path <const> = p.dir .. "/history"
      local function write(text)
        local file <close> = assert(io.open(path, "wb"))
        file:write(text)
      end
      local keeper = history.keeper(session, path)
      assert.is_true(keeper.remember 's = "pw"')
      write('before = 1\ns = "pw"\nt = "a\\\\b-long"\n')
      env.param.GPP_SB = "pw"
      assert.is_false(keeper.remember "param.GPP_SB = s")
      assert.equal('before = 1\nt = "a\\\\b-long"\n', program.slurp(path))
      env.param.GPP_SC = "a\\b-long"
      keeper.look()
      assert.equal("before = 1\n", program.slurp(path))
      assert.equal(0, require("peal.sys").stat(path).mode & 63)
    end)

    it("that writes a secret parameter", function()
      assert.is_false(kept 'param.GPP_SB = "x"')
      assert.is_false(kept 'param["GPP_SB"] = "x"')
      assert.is_false(kept 'param.Password_1_="x"')
    end)
  end)
end)

describe("live events", function()
  local events = require "peal.repl.events"

  it("are told as :log says", function()
    local step, cycle = { event = "step" }, { event = "cycle" }
    local ended = { event = "ended" }
    for _, row in ipairs { { step, "info", false }, { step, "debug", true },
      { step, "off", false }, { cycle, "info", true }, { cycle, "off", false },
      { ended, "off", true } } do
      assert.equal(row[3], events.is_told(row[1], row[2]))
    end
  end)

  it("are a line each, with nothing that a terminal obeys", function()
    local line = events.line { event = "note", time = 0, text = "a\27[31m\nb" }
    assert.matches("^1970%-01%-01T00:00:00Z note     text=a%C+b$", line)
    assert.matches("the daemon has ended", events.line { event = "ended" })
  end)
end)

describe("peal -e and scripts", function()
  local p
  setup(function()
    p = phones.new { params = { GPP_A = "before", GPP_SA = SECRET,
      Profile_Rule = "[--key K3y-of-rule] http://127.0.0.1:9/a.xml" } }
  end)
  teardown(function() p:close() end)

  local function script(text, ...)
    local dir = process.temp_dir()
    phones.write(dir .. "/script", text)
    local argv = { "sh", "-c", 'f=$1; shift; exec "$@" < "$f"', "sh",
      dir .. "/script", program.path, "repl", "--phone", p.file, "--store",
      p.store, ... }
    local r = program.run(argv)
    process.remove(dir)
    return r
  end

  it("print the value of an expression, and end", function()
    local r = p:run("-e", "1 + 1")
    assert.same({ 0, "2\n", "" }, { r.code, r.out, r.err })
    r = p:run("-e", "x = 1")
    assert.same({ 0, "", "" }, { r.code, r.out, r.err })
  end)

  it("give results and failures as JSON", function()
    local r = p:run("-e", "{ a = { 1, 2 }, f = pairs }", "--json")
    assert.same({ a = { 1, 2 }, f = "function pairs (built in)" },
      json.decode(r.out))
    r = p:run("-e", "param.Nonesuch_x", "--json")
    assert.equal(1, r.code)
    assert.equal("unknown-name", json.decode(r.out).error.word)
    r = p:run("-e", "x = = 1", "--json")
    assert.same({ 1, "script" }, { r.code, json.decode(r.out).error.word })
    r = p:run("-e", "nil", "--json")
    assert.same({ 0, "null\n" }, { r.code, r.out })
  end)

  it("stop at the first error, with the line of the script", function()
    local r = script("print('one')\n\nfor i = 1, 2 do\n  print(i)\nend\n"
      .. "local x = 1\nerror('no')\nprint('never')\n")
    assert.equal(1, r.code)
    assert.equal("one\n1\n2\n", r.out)
    assert.matches("^peal: stdin:7: no\n +7 | error%('no'%)\n$", r.err)
    r = script("if true then\n")
    assert.equal(1, r.code)
    assert.matches("stdin:1: the input ends amid this", r.err)
  end)

  it("print no banner and no prompt", function()
    local r = script("1\n:quit\nerror('never')\n")
    assert.same({ 0, "1\n", "" }, { r.code, r.out, r.err })
  end)

  it("keep the answers", function()
    local r = script("'a'\n'b'\n'c'\n{_, _1, _2}\n_[1]\n")
    assert.equal('"a"\n"b"\n"c"\n{ "c", "b", "a" }\n"c"\n', r.out)
  end)

  it("commit where they say so, and ask nobody", function()
    local r = script("param.GPP_C = 'c'\n:commit\n")
    assert.equal(1, r.code)
    assert.matches("nobody can be asked here", r.err)
    r = script("param.GPP_C = 'c'\n:diff\n:commit!\nparam.GPP_C\n")
    assert.equal(0, r.code, r.err)
    assert.matches("NAME   OLD  NEW\nGPP_C       c\n", r.out)
    assert.matches("1 changed, revision %d+\n\"c\"\n$", r.out)
    assert.equal("c", p:param("GPP_C"))
    assert.equal(0, script("param.GPP_C = 'd'\n:commit\n", "--yes").code)
    assert.equal("d", p:param("GPP_C"))
    r = script("param.GPP_C = 'e'\n", "--read-only")
    assert.equal(1, r.code)
    assert.matches("this session is %-%-read%-only", r.err)
  end)

  it("know every command that they list", function()
    for _, command in ipairs(commands.list) do
      if command.name ~= "quit" then
        local r = script((":help %s\n"):format(command.name))
        assert.equal(0, r.code, r.err)
        assert.matches("^:" .. command.name:gsub("!", "%%!"), r.out)
      end
    end
    local r = script(":whi GPP_A\n")
    assert.matches("there is no command :whi %[usage%]\n +did you mean :why?",
      r.err)
  end)

  it("may begin with the line that names an interpreter", function()
    local r = script("#!/usr/bin/env -S peal repl\n1 + 1\n")
    assert.same({ 0, "2\n" }, { r.code, r.out })
    r = script("#!/usr/bin/peal\nx = = 1\n")
    assert.matches("stdin:2: unexpected symbol", r.err)
    assert.equal("3\n", script("#'abc'\n").out)
  end)

  it("print what is not UTF-8 as JSON, with U+FFFD in its place", function()
    local r = script('"a\\xffb"\n{ ["\\xe9"] = "\\xed\\xa0\\x80" }\n', "--json")
    assert.equal('"a\u{FFFD}b"\n{"\u{FFFD}":"\u{FFFD}\u{FFFD}\u{FFFD}"}\n',
      r.out)
  end)

  it("are listed by help() and :help, and so is each function, by group",
    function()
      local reference = require "peal.reference"
      local r = script(":help\n")
      assert.equal(0, r.code, r.err)
      assert.equal(r.out, script("help()\n").out)
      for _, group in ipairs(reference.groups()) do
        if group.kind == "globals" or group.kind == "library" then
          assert.matches("\n" .. group.name .. "\n", r.out, 1, true)
          for _, entry in ipairs(group) do
            local name = reference.path(group, entry)
            assert.matches(("\n  %s  +[%%u-]"):format(name:gsub("%p", "%%%0")),
              r.out)
          end
        end
      end
      for line in r.out:gmatch("[^\n]+") do assert.is_true(#line < 80, line) end
    end)

  it("run each command that takes nothing", function()
    local r = script(table.concat({ ":diff", ":timers", ":rules", ":reload",
      ":certs", ":why", ":timing", ":format", ":break GPP_A", ":break",
      ":break -GPP_A", ":history", ":why GPP_A", ":discard", ":help" },
      "\n") .. "\n")
    assert.equal(0, r.code, r.err)
    for _, word in ipairs { "nothing is written", "$PRVTMR", "trigger",
      "read anew", "timing is on", "the format is table",
      "a run stops when GPP_A is written", "stops at: GPP_A",
      'GPP_A = "before"', "forgotten", "REVISION  TIME", "phone-file" } do
      assert.is_truthy(r.out:find(word, 1, true), word .. "\n" .. r.out)
    end
  end)

  it("run a file in the session, whose errors name its lines", function()
    local path = phones.write(p.dir .. "/more.lua",
      "function twice(x)\n  return x * 2\nend\n")
    local r = script((":load %s\ntwice(21)\nx = twice {}\n"):format(path))
    assert.equal("42\n", r.out)
    assert.matches("more%.lua:2: attempt to perform arithmetic", r.err)
    assert.matches("more%.lua:2 in twice\n  stdin:3\n", r.err)
    r = script(":load " .. p.dir .. "/none.lua\n")
    assert.equal(1, r.code)
    assert.matches("none%.lua", r.err)
  end)

  it("print as they are told, and how long it took", function()
    local r = script(":format lua\n{{name='a'}}\n:format json\n{1}\n"
      .. ":format table\n{{name='a'}}\n:timing on\n1\n")
    assert.matches('^{ { name = "a" } }\n%[\n  1\n%]\nNAME\na\n'
      .. "timing is on\n%(.- ms%)\n1\n%(%d+%.%d ms%)\n$", r.out)
    assert.equal(1, script(":format xml\n").code)
  end)

  it("are the same without a daemon, a store or a phone", function()
    local r = program.peal("-e", "phone.PN, #schedule(2)", "--json")
    assert.same({ "peal", 2 }, json.decode(r.out))
  end)

  it("show fingerprints only, whatever way a secret is printed", function()
    local rows = { "param.GPP_SA", "print(param.GPP_SA)", "{param.GPP_SA}",
      "store:get 'GPP_SA'", "store:value 'GPP_SA'", "'x'..param.GPP_SA",
      "params 'GPP_S*'", ":why GPP_SA", "why 'GPP_SA'",
      "io.write(param.GPP_SA, '\\n')", "error(param.GPP_SA)",
      "('" .. SECRET .. "'):rep(2)", "setmetatable({}, {__tostring ="
        .. " function() return '" .. SECRET .. "' end})",
      "print('" .. SECRET .. "')", "error('" .. SECRET .. "')",
      "{['" .. SECRET .. "'] = 1}", "param.Profile_Rule",
      "for k, v in pairs(param) do print(k, v) end", "plan()", "phone",
      "{ {name = '" .. SECRET .. "'}, {name = 'b'} }" }
    for _, row in ipairs(rows) do
      for _, option in ipairs { "--json", "-v" } do
        local r = p:run("-e", row, option)
        assert.is_nil((r.out .. r.err):find(SECRET, 1, true), row)
        if row == "param.Profile_Rule" then
          assert.is_nil(r.out:find("K3y", 1, true), r.out)
        end
      end
    end
    local r = p:run("-e", "param.GPP_SA")
    assert.matches("^#%x+\n$", r.out)
  end)

  it("hide what is secret in rules and URLs, in whole and in part", function()
    local r = script [=[
param.Profile_Rule = "[--key k3ykey9]http://u:p%61ssw0rd@h/x.xml"
rule = param.Profile_Rule
print(rule)
io.write(rule, "\n")
url(rule:match "http.*").password
rule:match "key (.-)%]"
rule:match "u:(.-)@"
{ part = rule:sub(10) }
:commit!
]=]
    assert.equal(0, r.code, r.err)
    local out = r.out .. p:run("-e", "print(param.Profile_Rule)").out
      .. p:run("-e", "error(param.Profile_Rule)").err
    for _, hidden in ipairs { "k3ykey9", "p%61ssw0rd", "passw0rd" } do
      assert.is_nil(out:find(hidden, 1, true), out)
    end
  end)

  it("take a store, or none at all", function()
    local r = program.peal("-e", "param.Resync_Periodic")
    assert.same({ 0, '"3600"\n' }, { r.code, r.out })
    r = program.peal("-e", "1", "--store", p.dir .. "/none")
    assert.equal(1, r.code)
    assert.matches("there is no store", r.err)
    r = program.peal("repl", "--attach", p.store)
    assert.equal(1, r.code)
    assert.matches("no daemon owns this store", r.err)
    assert.equal(2, program.peal("repl", "x").code)
    assert.equal(2, program.peal("-e").code)
  end)
end)
