-- The check of rule files, before a phone sees them.
local check = require "peal.check"
local findings = require "peal.check.findings"
local isolation = require "peal.world.isolation"
local parse = require "peal.check.parse"
local program = require "support.program"
local registry = require "peal.registry"
local rule_files = require "peal.world.rule_files"
local sys = require "peal.sys"

local schema = assert(registry.load {})
local box = isolation.box()

-- Checks files: name -> text.
local function checked(files, more)
  local sources = {}
  for name, text in pairs(files) do
    sources[name] = type(text) == "table" and text
      or { path = "op/" .. name, text = text }
  end
  local options = { schema = schema, files = sources, ask = box,
    folder = "op" }
  for key, value in pairs(more or {}) do options[key] = value end
  return check.run(options)
end

-- The findings as an editor reads them, without notes.
local function texts(files, more)
  local out = {}
  for _, one in ipairs(checked(files, more).findings) do
    if one.severity ~= "note" then out[#out + 1] = findings.text(one) end
  end
  return out
end

-- A file whose decision has this body, from line 2 on.
local function rule(stage, body)
  return ("return { stage = %q, decide = function(phone)\n%s\nend }"):format(
    stage, body)
end

local function of(stage, body, more)
  return texts({ [stage .. ".lua"] = rule(stage, body) }, more)
end

-- The code and line of each finding: { "unreachable 3" }.
local function codes(stage, body, more)
  local out = {}
  for i, text in ipairs(of(stage, body, more)) do
    out[i] = ("%s %s"):format(text:match("%[([%l-]+)%]$"),
      text:match("^op/[%w.]+:(%d+):"))
  end
  return out
end

describe("the parser of the check", function()
  it("reads every Lua file of this house", function()
    local count = 0
    local function walk(dir)
      for _, name in ipairs(sys.list(dir) or {}) do
        local path = dir .. "/" .. name
        if name:find("%.lua$") then
          local tree, why = parse(program.slurp(path))
          assert.is_not_nil(tree, path .. ":" .. (why and why.line or 0))
          count = count + 1
        elseif not name:find("%.") then
          walk(path)
        end
      end
    end
    for _, dir in ipairs { "scripts", "rules", "examples", "tests/spec" } do
      walk(program.root .. "/" .. dir)
    end
    assert.is_true(count > 250)
  end)

  it("agrees with Lua about what is no program", function()
    for _, text in ipairs { "x =", "local function", "return return",
      "if x then", "x y", "f(", "a = 'open", "a = [[open", "1 = 2", "for i",
      "local x <const", "goto", "::a:", "a.b", "x = }", "x = @", "--[[ open",
      "end", "until x", "a:b", "return 1,", "x = {1, 2" }
    do
      assert.is_nil(load(text), text)
      local tree, why = parse(text)
      assert.is_nil(tree, text)
      assert.are.equal("integer", math.type(why.line), text)
      assert.are.equal("integer", math.type(why.column), text)
    end
  end)

  -- What Lua's compiler finds out later than its grammar does.
  local LATER <const> = { "visible label", "break outside a? ?loop", "const",
    "already defined", "jumps into", "outside a vararg", "to%-be%-closed",
    "too many", "overflow" }

  local function is_for_later(sentence)
    for _, pattern in ipairs(LATER) do
      if sentence:find(pattern) then return true end
    end
    return false
  end

  local function must_agree(text)
    local tree = parse(text)
    local loaded, why = load(text, "=x", "t")
    if loaded then
      assert.is_not_nil(tree, ("refused: %q"):format(text))
    elseif not is_for_later(why) then
      assert.is_nil(tree, ("%s: %q"):format(why, text))
    end
  end

  local PIECES <const> = { "(", ")", "{", "}", "[[", "]]", "[=[", "--", "end",
    "function", "if", "then", "else", "local", "<const>", "goto x", "::x::",
    "...", "0x", "0x1p", "1e", "5.", "3..2", "'", '"', "\\", "\\u{110000}",
    "\\u{80000000}", "\\u{FFFFFFFFFFFFFFFFFF}", "\\z", "\\999", "\\\r\n",
    "\r", "\n\r", "\0", "\xFF", "\xEF\xBB\xBF", "#", "//", "~", "::", ",", "=",
    "return", "nil", "not", "repeat", "until", "for i=1,2 do", "(a)=1",
    "f()=1", "f(a,)", "(f())", "'\\\n'", "--[==[", "function (a).b() end" }

  -- A rule file with a few bytes lost, doubled or put in.
  local function mutated(text, random)
    for _ = 1, random(3) do
      local at, piece = random(#text), PIECES[random(#PIECES)]
      local kind = random(4)
      local behind = at + (kind == 1 and random(8) or kind == 2 and 1 or 0)
      local put = kind == 2 and string.char(random(0, 255))
        or kind == 3 and text:sub(at, at + random(60))
        or kind == 4 and " " .. piece .. " " or ""
      text = text:sub(1, at - 1) .. put .. text:sub(behind)
    end
    return text
  end

  it("agrees with Lua about rule files that were damaged anyhow", function()
    local sources, names = rule_files.read(), {}
    for name in pairs(sources) do names[#names + 1] = name end
    table.sort(names)
    local seed = 20261122
    local function random(low, high)
      if not high then low, high = 1, low end
      seed = (seed * 1103515245 + 12345) % 2147483648
      return low + (seed >> 8) % (high - low + 1)
    end
    for _ = 1, 3000 do
      must_agree(mutated(sources[names[random(#names)]].text, random))
    end
    for _ = 1, 3000 do
      local parts = {}
      for i = 1, random(20) do parts[i] = PIECES[random(#PIECES)] end
      must_agree(table.concat(parts, random(2) == 1 and " " or ""))
    end
  end)

  it("comes to an end however deep or long a text is", function()
    for _, text in ipairs { ("("):rep(250000), ("{"):rep(250000),
      ("function f() "):rep(20000), ("not "):rep(60000) .. "a",
      ("if a then "):rep(25000), "a = " .. ("a.."):rep(80000) .. "a" }
    do
      local tree, why = parse(text:find("^[({n]") and "a = " .. text or text)
      assert.is_nil(tree)
      assert.are.equal("nested too deeply", why.sentence)
    end
    for _, text in ipairs { "+a", ".a", "()" } do
      text = "a = a" .. text:rep(120000)
      assert.matches("too long: over 30000", select(2, parse(text)).sentence)
    end
    assert.are.same({ "op/trigger.lua:2:60039: error: cannot be checked: "
      .. "too long: over 30000 operators, calls and fields [limit]" },
      of("trigger", "do return true end local a, b = 1 b=a" ..
        ("+a"):rep(31000)))
  end)

  it("counts the ends of lines as Lua does", function()
    for _, newline in ipairs { "\n", "\r\n", "\r", "\n\r" } do
      assert.are.same({ "op/trigger.lua:3:10: error: phone.lines_activ is nil "
        .. "always: the trigger rule sees no such field; did you mean "
        .. "lines_active? [unknown-field]" }, texts { ["trigger.lua"] =
          (rule("trigger", "-- a\n  return phone.lines_activ == nil")
            :gsub("\n", newline)) })
    end
  end)

  it("knows what texts and numbers stand for", function()
    for _, source in ipairs { [["a\n\t\\\"\x41\u{20AC}\z
        b\65\0654"]], "[==[\nx]]y]==]", "0x10", "1e3", ".5", "3", "0xA.8p1",
      [["\'"]] }
    do
      local node = parse("return " .. source)[1].values[1]
      assert.are.equal(load("return " .. source)(), node.value)
    end
  end)

  it("gives places and scopes", function()
    local block = assert(parse "local a = 1\ndo local a = 2; f(a) end g(a)")
    local inner = block[2].body[2].call.args[1]
    local outer = block[3].call.args[1]
    assert.are.equal(2, inner.var.value.value)
    assert.are.equal(1, outer.var.value.value)
    assert.are.same({ 2, 19 }, { inner.line, inner.column })
  end)
end)

describe("check", function()
  it("has nothing to say about the factory's rules", function()
    local files = {}
    for name, source in pairs(rule_files.read()) do
      files[name] = { path = source.path, text = source.text }
    end
    assert.are.same({}, texts(files))
  end)

  it("gives the place as compilers do", function()
    assert.are.same({ "op/trigger.lua:2:8: error: phone.lines_activ is nil "
      .. "always: the trigger rule sees no such field; did you mean "
      .. "lines_active? [unknown-field]" },
      of("trigger", "return phone.lines_activ == nil"))
  end)

  it("says what does not load, and where", function()
    assert.are.same({ "op/apply.lua:2:3: error: ')' expected near 'return' "
      .. "[syntax]" }, texts { ["apply.lua"] = "local function decide(p\n  "
      .. "return 1\nend" })
    assert.are.same({ "op/apply.lua:1:18: error: stage is \"trigger\", not "
      .. "\"apply\" [bad-stage]" },
      texts { ["apply.lua"] = rule("trigger", "") })
    assert.are.same({ "op/apply.lua:1:8: error: returns no table with a "
      .. "function `decide` [no-decide]" },
      texts { ["apply.lua"] = "return { stage = 'apply' }" })
    assert.are.same({ "op/triger.lua:1:1: error: no decision has the name "
      .. "triger; did you mean trigger.lua? [unknown-stage]" },
      texts { ["triger.lua"] = rule("trigger", "return true") })
    assert.are.same({ "op/apply.lua:1:1: error: cannot be read [unreadable]" },
      texts { ["apply.lua"] = { path = "op/apply.lua",
        error = "cannot be read" } })
    assert.are.same({ "op:1:1: error: there is no rule file *.lua here: "
      .. "name the folder that has them [no-rules]" }, texts {})
  end)

  it("runs into the limits that a phone has", function()
    local got = texts { ["apply.lua"] = "while true do end" }
    assert.are.same({ "op/apply.lua:1:1: error: stopped after 10000000 "
      .. "instructions [limit]" }, got)
    got = of("trigger", "local t = {}\nwhile true do t[#t + 1] = 'x' end")
    assert.matches("^op/trigger.lua:3:1: error: stopped", got[1])
    assert.matches("%(sample: CP%-8841, by hand%) %[limit%]$", got[1])
    assert.are.equal(1, #got)
  end)
end)

describe("check of names", function()
  it("knows the fields of each stage, wherever the view is handed to",
    function()
      local text = [[
local function at_night(t) return t.hours < 6 end
local function helper(view)
  local who = view.identity
  return who.MACC == nil and view.changes == nil
end
local function decide(phone)
  return helper(phone) or at_night(phone.local_time)
end
return { stage = "trigger", decide = decide }]]
      local found = {}
      for _, one in ipairs(texts { ["trigger.lua"] = text }) do
        found[#found + 1] = one:match("error: (%S+) is nil always")
      end
      assert.are.same({ "t.hours", "who.MACC", "view.changes" }, found)
    end)

  it("knows the view in a local of the file", function()
    local got = texts { ["trigger.lua"] = [[
local view
local function busy() return view.lines_activ == 1 end
return { stage = "trigger", decide = function(phone)
  view = phone
  return not busy(), "busy"
end }]] }
    assert.are.equal(1, #got)
    assert.matches("2:30: error: view.lines_activ is nil always", got[1])
  end)

  it("says that a secret equals no text", function()
    assert.are.same({ "op/trigger.lua:2:8: warning: phone.param.Admin_Password "
      .. "is a secret, which a rule may hand on: it is never \"geheim\" "
      .. "[unknown-value]" }, of("trigger", "return phone.param.Admin_Password"
        .. " ~= 'geheim', 'it is the old one'"))
    assert.are.same({}, of("trigger",
      "return phone.param.Admin_Password ~= '', 'there is none'"))
  end)

  it("tells of a parameter once, though an answer has it as well", function()
    assert.are.same({ "unknown-parameter 2" },
      codes("apply", "return { change = { Acme_Colour = 'blue' } }"))
  end)

  it("knows timers by their line", function()
    assert.are.same({}, of("trigger", "return phone.state.REGTMR3 == nil"))
    assert.are.same({ "unknown-field 2" },
      codes("trigger", "return phone.state.PRVTIME == nil"))
  end)

  it("knows parameters, and what was meant", function()
    assert.are.same({ "op/trigger.lua:2:8: error: no such parameter: "
      .. "Provison_Enable; did you mean Provision_Enable? "
      .. "[unknown-parameter]" },
      of("trigger", "return phone.param.Provison_Enable == nil"))
    assert.are.same({ "unknown-parameter 3" }, codes("trigger",
      "local name = 'Resync_' .. 'Peridic'\nreturn phone.param[name] == nil"))
    assert.are.same({}, of("trigger",
      "return phone.param['Resync_Periodic'] ~= nil"))
  end)

  it("knows them in answers, in comparisons and in tables of them",
    function()
      for _, body in ipairs {
        "return { refuse = { Admin_Pasword = 'no' } }",
        "return { change = { Admin_Pasword = 'sample-text-1' } }",
        "local r = {}\nr.Admin_Pasword = 'no'\nreturn { refuse = r }",
        "for _, c in ipairs(phone.changes) do\nif c.name == 'Admin_Pasword' "
          .. "then return { refuse = { GPP_P = 'x' } } end end\nreturn nil",
        "local T = { Admin_Pasword = 1 }\nlocal r = {}\nfor _, c in "
          .. "ipairs(phone.changes) do r[c.name] = T[c.name] and 'no' end\n"
          .. "return { refuse = r }" }
      do
        local got = of("apply", body)
        assert.matches("no such parameter: Admin_Pasword; did you mean "
          .. "Admin_Password%?", got[1] or "none: " .. body)
      end
      local got = of("profile", "return { action = 'run', assigns = "
        .. "{ { name = 'GPP_AA', value = '1' } } }")
      assert.matches("no such parameter: GPP_AA", got[1])
    end)

  it("knows a maker's own", function()
    local own = assert(registry.load { extra = { { name = "Acme_Mode",
      type = "Str" } } })
    assert.are.same({ "unknown-parameter 2" },
      codes("trigger", "return phone.param.Acme_Mode == nil"))
    assert.are.same({}, of("trigger", "return phone.param.Acme_Mode ~= nil",
      { schema = own }))
  end)

  it("knows what a rule may use", function()
    assert.are.same({ "fails 2", "no-io 2" }, codes("trigger",
      "return io.open('x') ~= nil"))
    for _, name in ipairs { "os", "require", "load", "dofile", "print",
      "debug", "package", "collectgarbage", "loadfile", "warn" } do
      assert.are.same({ "no-io 2" }, codes("trigger", ("return %s ~= nil")
        :format(name)), name)
    end
    assert.are.same({ "no-io 2" },
      codes("trigger", "return math.random ~= nil"))
    assert.are.same({ "no-io 2" },
      codes("trigger", "return string.dump ~= nil"))
    assert.are.same({ "op/trigger.lua:2:8: error: there is no classic."
      .. "trigers: it is nil; did you mean triggers? [unknown-name]" },
      of("trigger", "return classic.trigers == nil"))
    assert.are.same({ "unknown-name 2" },
      codes("trigger", "return sting == nil"))
  end)

  it("tells of globals that are written, and of writes to the phone",
    function()
      assert.are.same({ "global-write 2" },
        codes("trigger", "seen = true\nreturn seen"))
      assert.are.same({ "read-only 3" }, codes("trigger",
        "if phone.now == 17 then\nphone.now = 18 end\nreturn true"))
    end)

  it("knows the words of a field", function()
    assert.are.same({ "op/report.lua:2:4: warning: phone.event is never "
      .. "\"reboot\"; did you mean boot? [unknown-value]" },
      of("report", "if phone.event == 'reboot' then return {} end"))
    assert.are.same({}, of("report",
      "if phone.event == 'boot' then return {} end"))
    assert.are.same({ "unknown-value 2" }, codes("profile",
      "if phone.rule.name == 'Profile_Rule_E' then return nil, 'x' end\n"
        .. "return { action = 'skip' }"))
  end)
end)

describe("check of the flow", function()
  local function unreachable(body)
    local out = {}
    for i, text in ipairs(codes("trigger", body)) do
      out[i] = text:match("^unreachable (%d+)$") or text
    end
    return out
  end

  it("finds what stands behind a return", function()
    assert.are.same({ "3" }, unreachable "do return true end\nlocal a = 1")
    assert.are.same({ "3" }, unreachable(
      "if phone.now then return true else return false end\nlocal a = 1"))
    assert.are.same({ "3" }, unreachable(
      "while true do if phone.now then return true end end\nreturn false"))
    assert.are.same({}, unreachable(
      "while true do if phone.now then break end end\nreturn false"))
    assert.are.same({ "3" }, unreachable(
      "for i = 1, 2 do break\nend do return true end local x = 1"))
  end)

  it("finds conditions that are always true or never", function()
    assert.are.same({ "3" }, unreachable(
      "if true then return true end\nreturn false"))
    assert.are.same({ "2" }, unreachable(
      "if false then return true end\nreturn false"))
    assert.are.same({ "3" }, unreachable(
      "if phone.now then return true elseif true then return false\n"
        .. "else return true end"))
    assert.are.same({ "2" }, unreachable(
      "while nil do local a = 1 end\nreturn false"))
  end)

  it("finds conditions that contradict", function()
    for _, condition in ipairs {
      "phone.local_time.hour >= 22 and phone.local_time.hour < 6",
      "phone.asked_by == 'cli' and phone.asked_by == 'boot'",
      "phone.asked_by == 'cli' and phone.asked_by ~= 'cli'",
      "phone.failures > 5 and 5 >= phone.failures",
      "not phone.explicit and phone.explicit",
      "phone.failures == 3 and phone.failures > 4",
      "phone.now == 1 and (phone.explicit and phone.now > 2)",
    } do
      assert.are.same({ "2" }, unreachable("if " .. condition
        .. " then return true end\nreturn false"), condition)
    end
  end)

  it("finds them where they are an answer, a value or an argument",
    function()
      for _, body in ipairs {
        "return phone.local_time.hour >= 22 and phone.local_time.hour < 6, 'x'",
        "local is = phone.failures > 5 and phone.failures < 3\nreturn is, 'x'",
        "return not (phone.now == 1 and phone.now == 2)",
        "return tostring(phone.now == 1 and phone.now == 2) == 'a', 'x'",
        "local function f()\nreturn phone.now == 1 and phone.now == 2 end\n"
          .. "return not f()",
      } do
        local line = body:find("^local function") and "3" or "2"
        assert.are.same({ line }, unreachable(body), body)
      end
      assert.are.same({}, unreachable("return phone.now == 1 and 'a' or "
        .. "phone.now == 2 and 'b' and true or false, 'x'"))
    end)

  it("takes no time over a chain of a thousand alternatives", function()
    local parts = {}
    for i = 1, 1500 do
      parts[i] = ("if phone.identity.MAC == '%012x' then return false, 'x'")
        :format(i)
    end
    parts[#parts + 1] = "if phone.identity.MAC == '000000000007' then"
    local from = os.clock()
    assert.are.same({ "1502" }, unreachable(table.concat(parts, "\nelse")
      .. " end\nreturn true"))
    -- a guard against hanging: it took a minute
    assert.is_true(os.clock() - from < 30)
  end)

  it("lets those be that can be true", function()
    for _, condition in ipairs {
      "phone.local_time.hour >= 22 or phone.local_time.hour < 6",
      "phone.local_time.hour >= 6 and phone.local_time.hour < 22",
      "phone.failures >= 5 and phone.failures <= 5",
      "phone.asked_by ~= 'cli' and phone.asked_by ~= 'boot'",
      "phone.identity.MAC > 'a' and phone.identity.MAC < 'b'",
      "math.max(1, 2) == 1 and math.max(1, 2) == 2",
    } do
      assert.are.same({}, unreachable("if " .. condition
        .. " then return true end\nreturn false"), condition)
    end
  end)

  it("remembers what an earlier alternative has taken", function()
    assert.are.same({ "3" }, unreachable [[
if phone.failures > 3 then return true
elseif phone.failures > 5 then return false end
return true]])
    assert.are.same({ "4" }, unreachable [[
local minute = phone.local_time.minute
if minute < 300 then return true end
if minute == 20 then return false end
return true]])
    assert.are.same({}, unreachable [[
local n = 1
if n == 1 then n = 2 end
if n == 2 then return false end
return true]])
  end)
end)

describe("check of classic rule texts", function()
  local function of_text(text)
    return of("profile", ("return classic.profile(phone, %q)"):format(text))
  end

  it("finds alternatives behind one without a condition", function()
    assert.are.same({ "op/profile.lua:2:31: warning: Alternative 1 has no "
      .. "condition: later ones are never reached [unreachable]" },
      of_text "http://h/a | http://h/b")
    assert.are.same({},
      of_text '("$PN" eq "CP-8841-3PCC")? http://h/a | http://h/b')
  end)

  it("finds conditions that contradict, in one and after another",
    function()
      assert.matches('alternative 1 is never chosen: "%$PN" == "a", and '
        .. '"%$PN" == "b"',
        of_text('("$PN" eq "a" and "$PN" eq "b")? http://h/a')[1])
      assert.matches("alternative 2 is never chosen",
        of_text("($PRVTMR ge 60)? http://h/a | ($PRVTMR gt 90)? http://h/b")
          [1])
      assert.matches("alternative 1 is never chosen", of_text(
        "($SWVER ge 11.3.1 and $SWVER lt 11.2.9)? http://h/a")[1])
      assert.are.same({}, of_text(
        "($SWVER ge 11.2.9 and $SWVER lt 11.3.1)? http://h/a"))
    end)

  it("knows its parameters and macros", function()
    assert.matches("no such parameter: GPP_Q",
      of_text('(GPP_Q="1")! http://h/a')[1])
    assert.matches("%$MAA is no macro", of_text("http://h/$MAA.xml")[1])
    assert.are.same({}, of_text(
      "[--key $SA --uid $SB] http://h/$(MAU:0:6)/$A$GPP_B?$$MAA"))
  end)

  it("reads the text where it is put together from constants", function()
    assert.are.same({ "unreachable 3" }, codes("trigger",
      "local after = '$PRVTMR gt 5'\nreturn classic.condition(phone, after "
        .. ".. ' and $PRVTMR lt 5') or false"))
  end)

  it("says what is no rule", function()
    assert.matches("no rule: Unbalanced bracket %[bad%-rule%-text%]",
      of_text('("$PN" eq "a"? http://h/a')[1])
  end)
end)

describe("check of two writers", function()
  local APPLY <const> = rule("apply",
    "return { change = { GPP_A = 'x' } }")

  it("finds a parameter that apply.lua changes and profile.lua assigns",
    function()
      assert.are.same({ "op/profile.lua:3:47: warning: GPP_A is written here "
        .. "and by op/apply.lua:2: let one rule write it [double-write]" },
        texts { ["apply.lua"] = APPLY, ["profile.lua"] = rule("profile",
          "if phone.rule.name ~= 'Profile_Rule' then return { action = 'skip' }"
            .. " end\nreturn { action = 'run', assigns = { { name = 'GPP_A', "
            .. "value = 'y' } } }") })
    end)

  it("finds one that is assigned for two profile rules", function()
    local text = [[
local value = "GPP_" .. phone.rule.name:sub(1, 0) .. "B"
if phone.rule.name == "Profile_Rule" or phone.rule.name == "Profile_Rule_B"
then
  return { action = "run", assigns = { { name = value, value = "1" } } }
end
return { action = "skip" }]]
    assert.are.same({ "op/profile.lua:5:1: warning: GPP_B is written for "
      .. "Profile_Rule and for Profile_Rule_B: let one rule write it "
      .. "[double-write]" }, of("profile", text))
    assert.are.same({}, of("profile", (text:gsub(
      ' or phone.rule.name == "Profile_Rule_B"', ""))))
  end)
end)

describe("check on sample phones", function()
  local function notes(stage, body, more)
    local out = {}
    for _, one in ipairs(checked({ [stage .. ".lua"] = rule(stage, body) },
      more).findings) do
      if one.severity == "note" then
        out[#out + 1] = ("%d: %s"):format(one.line, one.sentence)
      end
    end
    return out
  end

  it("finds answers that the stage does not take", function()
    assert.are.same({ "op/apply.lua:3:1: error: the answer has a field that "
      .. "is not known: refused (sample: two lines busy) [bad-answer]" },
      of("apply", "if phone.lines_active == 2 then\n"
        .. "return { refused = {} } end return nil"))
    assert.are.same({ "bad-answer 2" }, codes("trigger", "return 1"))
    assert.are.same({ "bad-answer 2" },
      codes("upgrade", "return { action = 'fetch' }"))
  end)

  it("finds what fails on a phone of another kind", function()
    for body, sample in pairs {
      ["if phone.failures == 5 then error('x') end return true"] =
        "a retry after 5 failures",
      ["if phone.param.Provision_Enable == 'No' then error('x') end "
        .. "return true"] = "provisioning and upgrades switched off",
      ["if phone.param.Profile_Rule == '' then error('x') end return true"] =
        "no parameter set",
      ["if phone.asked_by == 'notify' then error('x') end return true"] =
        "by NOTIFY",
      ["if phone.now < 1000 then error('x') end return true"] =
        "the clock not set",
    } do
      local got = of("trigger", body)
      assert.are.equal(1, #got, body)
      assert.is_truthy(got[1]:find(("(sample: %s) [fails]"):format(sample), 1,
        true), got[1])
    end
  end)

  it("finds values that do not fit, and secrets in plain parameters",
    function()
      assert.are.same({ "bad-value 2" },
        codes("apply", "return { change = { Resync_Periodic = 'often' } }"))
      assert.are.same({ "bad-value 2" }, codes("apply",
        "return { change = { GPP_A = phone.param.Admin_Password } }"))
      assert.are.same({}, codes("apply",
        "return { change = { GPP_SA = phone.param.Admin_Password } }"))
    end)

  it("makes phones of what a file speaks of", function()
    assert.are.same({}, notes("trigger", [[
if phone.identity.PN == "CP-9999-3PCC" then
  return false, "no"
elseif phone.identity.MAC == "aabbccddeeff" then
  return false, "nor"
elseif str.starts_with(phone.identity.IP, "172.31.") then
  return false, "nor"
elseif phone.param.Report_To_Server == "On Request" then
  return false, "nor"
end
return true]]))
  end)

  it("tells which lines no sample runs", function()
    local got = checked { ["trigger.lua"] = rule("trigger", [[
if phone.identity.SN == "12345" then
  local why = "this one"
  return false, why
end
return true]]) }
    assert.are.same({ executable = 5, executed = 3, missed = { 3, 4 },
      asked = got.files["trigger.lua"].coverage.asked },
      got.files["trigger.lua"].coverage)
    assert.are.equal("no sample runs lines 3 to 4", got.findings[1].sentence)
    assert.are.equal("not-covered", got.findings[1].code)
  end)

  it("runs all lines of the factory's files but few", function()
    local files = {}
    for name, source in pairs(rule_files.read()) do
      files[name] = { path = source.path, text = source.text }
    end
    local executable, executed = 0, 0
    for _, file in pairs(checked(files).files) do
      executable = executable + file.coverage.executable
      executed = executed + file.coverage.executed
    end
    assert.is_true(executable > 100)
    assert.is_true(executed / executable >= 0.95,
      ("%d of %d"):format(executed, executable))
  end)

  it("takes an operator's phones as samples, and reads their rules",
    function()
      local one = { path = "phones/a.lua", schema = schema,
        text = "return { params = {\n  Profile_Rule = '(GPP_C=\"1\")! "
          .. "http://h/a | http://h/b' } }", file = { identity =
            { PN = "Acme 1" }, params = { Profile_Rule =
              '(GPP_C="1")! http://h/a | http://h/b',
              Profile_Rule_B = '(GPP_C="2")! http://h/b',
              Resync_Trigger_1 = "$PRVTMR gt 5 and $PRVTMR lt 4" } } }
      local got = texts({ ["trigger.lua"] = rule("trigger",
        "if phone.identity.PN == 'Acme ' .. 1 then return 5 end return true") },
        { phones = { one } })
      assert.are.equal(4, #got)
      assert.matches("bad%-answer", got[1])
      local all = table.concat(got, "\n")
      assert.is_truthy(all:find("GPP_C is written for Profile_Rule and for "
        .. "Profile_Rule_B", 1, true), all)
      assert.is_truthy(all:find("phones/a.lua:2:18: warning: Profile_Rule: "
        .. "Alternative 1", 1, true), all)
      assert.is_truthy(all:find("Resync_Trigger_1: this is "
        .. "never true: $PRVTMR > \"5\", and $PRVTMR < \"4\"", 1, true))
    end)
end)

describe("check's codes", function()
  it("are all in the manual, each with an example and a cure", function()
    local page = program.slurp(program.root .. "/docs/check.md")
    for _, code in ipairs(findings.codes()) do
      local section = page:match("\n### " .. code:gsub("%-", "%%-")
        .. "\n(.-)\n##")
      assert.is_not_nil(section, code)
      assert.is_truthy(section:find("Example: ", 1, true), code)
      assert.is_truthy(section:find("Cure: ", 1, true), code)
      assert.is_truthy(section:find(findings.SEVERITY[code], 1, true), code)
    end
  end)
end)
