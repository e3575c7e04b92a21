local sandbox = require "peal.sandbox"
local schema = require "peal.schema"
local store = require "peal.store"
local worker = require "peal.worker"

local PATH <const> = "rules/trigger.lua"
local VIEW <const> = { explicit = true, now = 5, list = { 3, 1, 2 },
  identity = { MAC = "000e08abcdef" } }

local box

local function ask(text, view, where)
  return (where or box):ask({ stage = "trigger", path = PATH, text = text,
    view = view == nil and VIEW or view or nil })
end

-- A file whose decision has this body, from line 2 on.
local function rule(body)
  return "return { stage = 'trigger', decide = function(phone)\n" .. body
    .. "\nend }"
end

local function results(text, view, where)
  local answer, sentence = ask(text, view, where)
  assert(answer, sentence)
  return table.unpack(answer, 1, answer.n)
end

-- The answer of a body.
local function of(body, view)
  return results(rule(body), view)
end

local function fails(text, view, where)
  local answer, sentence, word, line = ask(text, view, where)
  assert.is_nil(answer)
  return sentence, word, line
end

describe("a box", function()
  before_each(function() box = assert(sandbox.new()) end)
  after_each(function() box:close() end)

  it("answers with what the rule returns", function()
    assert.are.same({ n = 4, true, "000e08abcdef", 1.5,
      { [1] = "x", deep = { math.mininteger } } }, ask(rule [[
      return phone.explicit, phone.identity.MAC, 1.5,
        { "x", deep = { math.mininteger } }, "a fifth is dropped"]]))
    assert.are.same({ n = 0 }, ask(rule "return"))
    assert.are.same({ n = 2, [2] = "no" }, ask(rule "return nil, 'no'"))
  end)

  it("keeps floats and integers apart", function()
    local a, b, c = of "return 1, 1.0, 0/0"
    assert.are.equal("integer", math.type(a))
    assert.are.equal("float", math.type(b))
    assert.are_not.equal(c, c)
  end)

  it("only checks a file where there is no view", function()
    assert.are.same({ n = 0 }, ask(rule "error('not asked')", false))
  end)

  it("shows parts of the phone again when they are answered", function()
    assert.are.same({ { 3, 1, 2 }, { inner = { MAC = "000e08abcdef" } } },
      { of "return phone.list, { inner = phone.identity }" })
  end)

  it("says when it is closed", function()
    assert.are.equal("peal.sandbox (open)", tostring(box))
    box:close()
    box:close()
    assert.are.equal("peal.sandbox (closed)", tostring(box))
    assert.has_error(function() ask(rule "") end,
      "calling 'ask' on bad self (the box is closed)")
  end)

  it("refuses a job that is no plain data", function()
    assert.has_error(function() ask(rule "", { f = print }) end,
      "bad argument #1 to 'ask' (the job holds a function)")
    local answer, _, word = box:ask { stage = "trigger" }
    assert.is_nil(answer)
    assert.are.equal("invalid", word)
  end)
end)

describe("a rule sees the phone", function()
  setup(function() box = assert(sandbox.new()) end)
  teardown(function() box:close() end)

  it("with pairs in order, and #", function()
    assert.are.same({ "explicit identity list now param", 3, 3 }, { of [[
      local names = {}
      for name in pairs(phone) do names[#names + 1] = name end
      local last
      for _, value in ipairs(phone.list) do last = last and last + 1 or 1 end
      return table.concat(names, " "), #phone.list, last]] })
  end)

  it("by table functions", function()
    assert.are.same({ "3,1,2", 6, 2 }, { of [[
      local a, b, c = table.unpack(phone.list)
      local t = table.move(phone.list, 1, 3, 1, {})
      return table.concat(phone.list, ","), a + b + c, t[3] ]] })
  end)

  it("as one and the same", function()
    assert.are.same({ true, true, "table" },
      { of [[return phone.list == phone.list, phone.param == phone.param,
        type(phone.list)]] })
  end)

  local writes = {
    { "phone.now = 1", "a rule cannot change the phone (now)" },
    { "phone.identity.MAC = 1", "a rule cannot change the phone (MAC)" },
    { "phone.list[4] = 1", "a rule cannot change the phone (4)" },
    { "phone[{}] = 1", "a rule cannot change the phone (table)" },
    { "phone.param.GPP_A = 1", "a rule cannot write a parameter (GPP_A)" },
    { "rawset(phone, 'now', 1)", "a rule cannot change the phone (now)" },
    { "table.insert(phone.list, 1)", "a rule cannot change the phone (4)" },
    { "table.sort(phone.list)", "a rule cannot change the phone (1)" },
    { "setmetatable(phone, nil)", "cannot change the phone" },
    { "getmetatable(phone).__index = nil", "attempt to index a string" },
  }
  for _, row in ipairs(writes) do
    it("and cannot do: " .. row[1], function()
      local sentence, word, line = fails(rule(row[1]))
      assert.is_truthy(sentence:find(row[2], 1, true), sentence)
      assert.are.equal("bad-rule-file", word)
      assert.are.equal(2, line)
      assert.are.equal(5, of "return phone.now")
    end)
  end

  it("without parameters where none are given", function()
    assert.is_nil(of "return phone.param.GPP_A")
    assert.is_nil(of "return next(phone.param)")
  end)
end)

describe("parameters of a rule", function()
  it("are those of a snapshot, secrets as references", function()
    local names = assert(schema.new())
    assert(names:add { name = "GPP_A", type = "Str" })
    assert(names:add { name = "GPP_SA", type = "Str", secret = true })
    names:seal()
    local st = assert(store.open { schema = names })
    local txn = assert(st:begin())
    assert(txn:set("GPP_A", "one"))
    assert(txn:set("GPP_SA", "hunter2"))
    assert(txn:commit("test", 0))
    local snapshot = assert(worker.snapshot())
    assert(snapshot:write(st))
    box = assert(sandbox.new())
    assert.are.same({ n = 4, "one", "\0GPP_SA\0", nil, nil }, box:ask({
      stage = "trigger", path = PATH, view = VIEW, text = rule [[
        local p = phone.param
        return p.GPP_A, p.GPP_SA, p.Nope, p[1] ]] }, snapshot))
    assert.is_nil(of "return phone.param.GPP_A")
    box:close()
    st:close()
  end)
end)

describe("a file that is wrong", function()
  setup(function() box = assert(sandbox.new()) end)
  teardown(function() box:close() end)

  local at_load = {
    { "", "rules/trigger.lua: returns no table with a function `decide`" },
    { "return 1",
      "rules/trigger.lua: returns no table with a function `decide`" },
    { "return { stage = 'trigger' }",
      "rules/trigger.lua: returns no table with a function `decide`" },
    { "return { decide = error }",
      'rules/trigger.lua: stage is a nil, not "trigger"' },
    { "return { stage = 'apply', decide = error }",
      'rules/trigger.lua: stage is "apply", not "trigger"' },
    { "return { stage = '\27x', decide = error }",
      'rules/trigger.lua: stage is "\\x1bx", not "trigger"' },
    { "return setmetatable({}, { __index = { stage = 'trigger', "
      .. "decide = error } })",
      "rules/trigger.lua: returns no table with a function `decide`" },
    { "\nreturn {{", "rules/trigger.lua:2: unexpected symbol near <eof>", 2 },
    { "\n\nlocal x = nil + 1", "rules/trigger.lua:3: attempt to perform "
      .. "arithmetic on a nil value", 3 },
    { string.dump(function() end), "rules/trigger.lua: attempt to load a "
      .. "binary chunk (mode is 't')" },
    { ("x"):rep(300000), "rules/trigger.lua: is longer than 256 KiB" },
  }
  for _, row in ipairs(at_load) do
    it(("says %q"):format(row[2]), function()
      for _, view in ipairs { VIEW, false } do
        local sentence, word, line = fails(row[1], view)
        assert.are.equal(row[2], sentence)
        assert.are.equal("bad-rule-file", word)
        assert.are.equal(row[3], line)
      end
    end)
  end

  local in_decide = {
    { "error('oops')", "rules/trigger.lua:2: oops", 2 },
    { "error('oops', 0)", "rules/trigger.lua:2: oops", 2 },
    { "error(5)", "rules/trigger.lua:2: 5", 2 },
    { "error()", "rules/trigger.lua:2: error value is a nil", 2 },
    { "error({})", "rules/trigger.lua:2: error value is a table", 2 },
    { "error(error)", "rules/trigger.lua:2: error value is a function", 2 },
    { "error(setmetatable({}, { __tostring = error, __name = 'x' }))",
      "rules/trigger.lua:2: error value is a table", 2 },
    { "error(setmetatable({}, { __tostring = function() while true do end "
      .. "end }))", "rules/trigger.lua:2: error value is a table", 2 },
    { "local t = str.trim()", "rules/trigger.lua:2: ", 2 },
    { "local x = phone.nothing.at_all", "rules/trigger.lua:2: ", 2 },
    { "return print", nil },
    { "return error", "rules/trigger.lua: the answer holds a function" },
    { "return { x = { error } }",
      "rules/trigger.lua: the answer holds a function" },
    { "return coroutine.create(error)",
      "rules/trigger.lua: the answer holds a coroutine" },
    { "local t = {} t.t = t return t",
      "rules/trigger.lua: the answer holds tables too deep in each other" },
    { "local t = {} for i = 1, 26 do t = { t, t } end return t",
      "rules/trigger.lua: the answer is too large" },
    { "local t = {} for i = 1, 9 do t[i] = ('x'):rep(1e6 // 2) end return t",
      "rules/trigger.lua: the answer is too large" },
  }
  for _, row in ipairs(in_decide) do
    it("fails or not by: " .. row[1], function()
      if not row[2] then
        assert.is_nil(of(row[1]))
        return
      end
      local sentence, word, line = fails(rule(row[1]))
      assert.are.equal(row[2], sentence:sub(1, #row[2]))
      assert.are.equal("bad-rule-file", word)
      assert.are.equal(row[3], line)
    end)
  end

  it("is named in full however long its path is", function()
    local path = "/" .. ("folder/"):rep(20) .. "trigger.lua"
    for _, text in ipairs { "\nreturn {{", "\nerror('x')" } do
      local answer, sentence, _, line = box:ask { stage = "trigger",
        path = path, text = text }
      assert.is_nil(answer)
      assert.are.equal(path .. ":2: ", sentence:sub(1, #path + 4))
      assert.are.equal(2, line)
    end
  end)

  it("is bounded in what it says", function()
    assert.is_true(#fails(rule "error(('x'):rep(1e5))") < 1100)
  end)
end)

describe("a limit of a box", function()
  setup(function() box = assert(sandbox.new { instructions = 300000 }) end)
  teardown(function() box:close() end)

  -- Those of which a count hook alone stops only two.
  local LOOP <const> = "local function loop() while true do end end\n"
  local hostile = {
    ["an endless loop"] = "while true do end",
    ["an endless loop in a coroutine"] =
      "coroutine.wrap(loop)()",
    ["pcall of an endless loop, over and over"] =
      "while true do pcall(loop) end",
    ["pcall that calls itself"] =
      "local function f() pcall(f) pcall(f) end f() loop()",
    ["xpcall with a handler that loops"] =
      "xpcall(loop, loop) while true do xpcall(error, loop) end",
    ["coroutines in a loop with a pcall in them"] = [[
      while true do
        local co = coroutine.create(function() pcall(loop) loop() end)
        coroutine.resume(co)
      end]],
    ["a __close that loops"] = [[
      local mt = { __close = loop }
      while true do
        pcall(function() local x <close> = setmetatable({}, mt) loop() end)
      end]],
    ["a __close that loops in a coroutine"] = [[
      local co = coroutine.create(function()
        local x <close> = setmetatable({}, { __close = loop })
        loop()
      end)
      while true do coroutine.resume(co) coroutine.close(co) end]],
    ["a __close that loops in a wrapped coroutine"] = [[
      pcall(coroutine.wrap(function()
        local x <close> = setmetatable({}, { __close = loop })
        loop()
      end)) loop()]],
    ["a __close that loops after an error"] = [[
      local function open()
        local x <close> = setmetatable({}, { __close = loop })
        error("x")
      end
      pcall(coroutine.wrap(open)) pcall(open) loop()]],
    ["table.move far and wide"] = "table.move({}, 1, 1 << 60, 2)",
    ["a pattern that backtracks"] =
      "('a'):rep(100000):find('.-.-.-b')",
    ["a pattern that backtracks in gsub"] =
      "('a'):rep(1000):gsub('.*.*.*.*b', '')",
    ["a pattern that backtracks in gmatch"] =
      "for _ in ('a'):rep(1000):gmatch('.-.-.-.-b') do end",
    ["a pattern with a long set"] = "local set = '[' .. ('b'):rep(1e5)"
      .. " .. ']' ; ('a'):rep(1e5):find(set)",
    ["many coroutines"] =
      "local t = {} for i = 1, 1e6 do t[i] = coroutine.wrap(loop) end",
    ["many short coroutines"] = "local function f() for i = 1, 900 do end "
      .. "end while true do coroutine.wrap(f)() end",
    ["sort with a comparison that loops"] =
      "table.sort({ 1, 2, 3 }, loop)",
    ["sort of a table that says it is long"] = [[
      table.sort(setmetatable({}, { __len = function() return 1 << 30 end,
        __index = rawlen, __newindex = rawequal }))]],
    ["insert into a table that says it is long"] = [[
      table.insert(setmetatable({}, { __len = function() return 1 << 60 end,
        __newindex = rawequal }), 1, 1)]],
    ["remove from a table that says it is long"] = [[
      table.remove(setmetatable({}, { __len = function() return 1 << 60 end,
        __newindex = rawequal }), 1)]],
    ["concat of a table that says it is long"] = [[
      table.concat(setmetatable({}, { __len = function() return 1 << 60 end,
        __index = function() return "" end }))]],
    ["split at nothing"] =
      "while true do pcall(str.split, 'abc', '') end",
    ["__tostring that loops"] =
      "tostring(setmetatable({}, { __tostring = loop }))",
    ["__index that loops"] = "local x = setmetatable({}, { __index = loop }).x",
    ["gsub with a function that loops"] = "('a'):gsub('a', loop)",
    ["upper of a long text, over and over"] = "local s = ('a'):rep(1e6) "
      .. "while true do s:upper() end",
    ["repeat of a short text, over and over"] =
      "while true do ('a'):rep(900000) end",
  }
  for name, body in pairs(hostile) do
    it("stops " .. name, function()
      -- in a decision, and at the top level of the file
      local texts = { LOOP .. rule(body), LOOP .. body }
      for _, text in ipairs(texts) do
        local sentence, word, line = fails(text)
        assert.are.equal("rule-limit", word, sentence)
        assert.is_truthy(sentence:find("instructions", 1, true)
          or sentence:find("memory", 1, true), sentence)
        assert.is_true(line >= 1)
        assert.are.equal(("%s:%d: "):format(PATH, line),
          sentence:match("^.-:%d+: "))
      end
      assert.are.equal("fine", of "return 'fine'")
    end)
  end

  local harmless = {
    { "return #('').rep('', 1 << 62)", 0 },
    { "return (pcall(setmetatable, {}, { __gc = error }))", false },
    { "return (pcall(setmetatable, {}, { __gc = true }))", false },
    -- Lua looks for the field when the metatable is set, not later
    { [[local mt = {}
        for i = 1, 100 do setmetatable({}, mt) end
        mt.__gc = function() while true do end end
        local t = {} for i = 1, 1e4 do t = { {} } end
        return 1]], 1 },
    { "local f = pcall for i = 1, 220 do f = coroutine.wrap(f) end "
      .. "return (pcall(f, error))", false },
    { "return #('a'):rep(1e5):match('a*')", 100000 },
    { "local n = 0 for _ in utf8.codes(('é'):rep(8000)) do n = n + 1 end "
      .. "return n", 8000 },
    { "return (pcall(string.rep, 'x', 1 << 62))", false },
    { "return (pcall(table.unpack, {}, 1, 1 << 60))", false },
    { "return (pcall(table.concat, {}, '', 1, 1 << 60))", false },
    { "return (pcall(string.find, 'x', ('('):rep(1e5)))", false },
    { "return (pcall(string.find, 'x', ('[x'):rep(1e4)))", false },
    { "return (pcall(string.find, ('a'):rep(1e5), ('a?'):rep(300) .. 'b'))",
      false },
    { "return (pcall(string.format, '%99999d', 1))", false },
    { "return select('#', pcall(string.byte, ('x'):rep(3000), 1, -1))", 3001 },
  }
  for _, row in ipairs(harmless) do
    it("is not met by " .. row[1], function()
      assert.are.equal(row[2], of(row[1]))
    end)
  end

  it("names the line, also inside a coroutine", function()
    local sentence, word, line = fails(rule("\n\ncoroutine.wrap("
      .. "function()\nwhile true do end end)()"))
    assert.are.equal("rules/trigger.lua:5: stopped after 300000 instructions",
      sentence)
    assert.are.equal("rule-limit", word)
    assert.are.equal(5, line)
  end)

  local hungry = {
    "local s = 'x' while true do s = s .. s end",
    "local t = {} for i = 1, 1e9 do t[i] = i end",
    "local t = {} while true do t = { t, {}, {}, {}, {}, {}, {} } end",
    "local function f() return 1 + f() end f()",
    "local t = {} while true do pcall(function() t[#t + 1] = "
      .. "('x'):rep(5e5) .. #t end) end",
    "return ('x'):rep(1 << 24)",
    "return table.concat({ ('x'):rep(9e5), ('x'):rep(9e5) })",
    "local co = coroutine.wrap(function() local s = 'x' "
      .. "while true do s = s .. s end end) pcall(co) while true do end",
    "while true do xpcall(string.rep, error, 'x', 1 << 24) end",
  }
  for _, body in ipairs(hungry) do
    it("is met by a hungry rule: " .. body, function()
      local roomy = assert(sandbox.new { instructions = 20000000 })
      local sentence, word, line = fails(rule(body), nil, roomy)
      assert.are.equal("rule-limit", word, sentence)
      assert.are.equal("rules/trigger.lua:2: stopped: over 16384 KiB of "
        .. "memory, or 1024 in one piece", sentence)
      assert.are.equal(2, line)
      assert.are.equal("fine", (results(rule "return 'fine'", nil, roomy)))
      roomy:close()
    end)
  end

  it("is not met because of other files", function()
    local roomy = assert(sandbox.new())
    local sites = {}
    for i = 1, 9000 do sites[i] = ('["%012x"] = %d'):format(i, i) end
    for i = 1, 24 do
      local text = ("local SITES = { %s } %s"):format(
        table.concat(sites, ", "), rule("return " .. i))
      local answer, sentence = roomy:ask { stage = "trigger", text = text,
        path = ("site%d/trigger.lua"):format(i), view = VIEW }
      assert.is_nil(sentence)
      assert.are.equal(i, answer[1])
    end
    roomy:close()
  end)

  it("is met by deep source text", function()
    for _, text in ipairs { ("("):rep(1e5), ("{"):rep(1e5),
      "return " .. ("("):rep(300) .. "1" .. (")"):rep(300),
      ("do "):rep(50000), "local x = " .. ("-"):rep(1e5, " ") .. "1",
      "return " .. ("function() return "):rep(250) } do
      local _, word = fails(text)
      assert.are.equal("bad-rule-file", word)
    end
  end)
end)

describe("a rule cannot escape by", function()
  setup(function() box = assert(sandbox.new()) end)
  teardown(function() box:close() end)

  it("names that are not there", function()
    for _, name in ipairs { "load", "loadstring", "loadfile", "dofile",
      "require", "package", "io", "os", "debug", "print", "warn",
      "collectgarbage", "_G", "string.dump", "('').dump", "math.random",
      "math.randomseed", "coroutine.clear" } do
      assert.are.equal("nil", (of("return type(" .. name .. ")")), name)
    end
  end)

  -- The second decision must not see what the first one left.
  local poison = {
    { "leak = 1", "return leak", nil },
    { "string.rep = nil", "return type(string.rep)", "function" },
    { "table.insert = error", "local t = {} table.insert(t, 1) return #t", 1 },
    { "_ENV.pairs = nil", "return type(pairs)", "function" },
    { "str.trim = error", "return str.trim ' x '", "x" },
    { "classic.expand = error", "return type(classic.expand)", "function" },
    { "macro.secret_names[1] = 'MA'", "return macro.secret_names[1]", "SA" },
    { "macro.secret_names.x = function() end",
      "return macro.secret_names.x", nil },
    { "utf8.x = phone", "return utf8.x", nil },
    { "local s = getmetatable('') if s then s.__index = {} end",
      "return ('x'):rep(2)", "xx" },
    { "string.x = 1", "return ('').x", nil },
    { "_ENV = { setmetatable = setmetatable } x = 1", "return x", nil },
    { "setmetatable(_ENV, { __index = { y = 1 } }) return y",
      "return y", nil },
    { "math.co = coroutine.wrap(function() coroutine.yield() end)",
      "return math.co", nil },
  }
  for _, row in ipairs(poison) do
    it(row[1], function()
      ask(rule(row[1]))
      ask(row[1]) -- at the top level
      assert.are.equal(row[3], (of(row[2])))
      local answer = box:ask { stage = "apply", path = "rules/apply.lua",
        text = ("return { stage = 'apply', decide = function(phone) %s end }")
          :format(row[2]), view = VIEW }
      assert.are.equal(row[3], answer[1])
    end)
  end

  it("locals of its file that live on", function()
    local text = "local n = 0 local kept = {} local count = function() "
      .. "n = n + 1 kept[n] = n return n, #kept end "
      .. "return { stage = 'trigger', decide = count }"
    for _ = 1, 3 do
      assert.are.same({ 1, 1 }, { results(text) })
    end
  end)

  it("a new text under the old path", function()
    assert.are.equal(1, (of "return 1"))
    assert.are.equal(2, (of "return 2"))
    assert.are.equal(1, (of "return 1"))
  end)

  it("metatables of what is no table", function()
    assert.are.same({ false, true, true, true }, { of [[
      return pcall(setmetatable, "", {}) or false,
        getmetatable("") == nil, getmetatable(1) == nil,
        getmetatable(pairs) == nil]] })
  end)

  it("addresses", function()
    assert.are.same({ "table", "function", "thread table", "false" }, { of [[
      return tostring({}), tostring(pairs),
        ("%s %5s"):format(coroutine.create(error), {}),
        tostring((pcall(string.format, "%p", {})))]] })
    assert.are.same({ "\0table", false }, { of [[
      return ("\0%s"):format({}), (pcall(string.format, "\0%p", {}))]] })
  end)

  it("odd answers", function()
    for _, text in ipairs { "return { [0/0 == 0] = 1 }",
      "return setmetatable({}, { __pairs = error, __index = error })",
      "return { [{}] = 1 }" } do
      local answer, sentence, word = ask(rule(text))
      assert.is_true(answer ~= nil or word == "bad-rule-file", sentence)
    end
  end)

  -- Whoever reads them compares each with all that fall into its place.
  it("keys that are slow to read", function()
    for _, key in ipairs { "1.5", "true", "0", "-1", "1 << 40" } do
      local sentence, word = fails(rule(("return { { [%s] = 1 } }")
        :format(key)))
      assert.are.equal("rules/trigger.lua: the answer holds a key that is no "
        .. "text and no place in a list", sentence)
      assert.are.equal("bad-rule-file", word)
    end
  end)

  it("an answer that is much larger than it looks", function()
    local sentence, word = fails(rule [[
      local few, many = {}, {}
      for i = 1, 30000 do few[i] = true end
      for i = 1, 30000 do many[i] = few end
      return many]])
    assert.are.equal("rules/trigger.lua: stopped after 10000000 instructions",
      sentence)
    assert.are.equal("rule-limit", word)
  end)

  it("odd uses of _ENV", function()
    for _, text in ipairs { "local _ENV <const> = 11; X = 'hi'",
      "local _ENV = nil; x = 1", "local _ENV = 'x'; rep = 1",
      "local _ENV = {}; return { stage = 'trigger', decide = print }",
      "_ENV = nil; x = 1" } do
      local sentence = fails(text)
      assert.are.equal(PATH, sentence:sub(1, #PATH))
    end
  end)
end)

describe("in a box", function()
  setup(function() box = assert(sandbox.new()) end)
  teardown(function() box:close() end)

  local works = {
    { "return pcall(error, 'x', 0)", false, "x" },
    { "return select('#', pcall(function() return 1, 2 end))", 3 },
    { "return xpcall(error, function(m) return m .. '!' end, 'x', 0)",
      false, "x!" },
    { "return xpcall(function(...) return ... end, error, 1, 2)", true, 1, 2 },
    { "return (xpcall(error, function() error('again') end))", false },
    { "local co = coroutine.wrap(function(a) local b = coroutine.yield(a) "
      .. "return b end) return co(1), co(2)", 1, 2 },
    { "local co = coroutine.create(function() pcall(coroutine.yield, 1) "
      .. "return 2 end) local _, a = coroutine.resume(co) "
      .. "local _, b = coroutine.resume(co) "
      .. "return a, b, coroutine.status(co)", 1, 2, "dead" },
    { "return coroutine.resume(coroutine.create(error), 'x')", false, "x" },
    { "local co = coroutine.wrap(error) return pcall(co, {}) and 1", false },
    { "local co = coroutine.create(error) coroutine.resume(co) "
      .. "return coroutine.resume(co)", false,
      "cannot resume dead coroutine" },
    { "return coroutine.resume(coroutine.running())", false,
      "cannot resume non-suspended coroutine" },
    { "local log = {} local co = coroutine.wrap(function() local x <close> ="
      .. " setmetatable({}, { __close = function() log[1] = 'closed' end }) "
      .. "error('x', 0) end) local ok, m = pcall(co) return ok, m, log[1]",
      false, "x", "closed" },
    { "local t = { 3, 1, 2 } table.sort(t) return table.concat(t, ',')",
      "1,2,3" },
    { "local t = { 1, 2, 3 } table.insert(t, 1, 0) return table.remove(t), "
      .. "table.remove(t, 1), #t", 3, 0, 2 },
    { "return (pcall(table.insert, {}, 5, 1))", false },
    { "return table.remove({}), #table.pack(1, 2)", nil, 2 },
    { "local n = 0 for p, c in utf8.codes('aé') do n = n * 1000 + c end "
      .. "return n, utf8.len('aé'), utf8.char(233)", 97233, 2, "é" },
    { "return tonumber('ff', 16), tostring(1.5), ('%5.1f|%q'):format(1, 'x')",
      255, "1.5", '  1.0|"x"' },
    { "return tostring(setmetatable({}, { __tostring = function() "
      .. "return 'me' end }))", "me" },
    { "return condition.evaluate('1 lt 2'), version.compare('1-2-3', "
      .. "'1-2-4'), time.iso(0)", true, nil, nil },
  }
  for _, row in ipairs(works) do
    it("works as in Lua: " .. row[1], function()
      local answer = assert(ask(rule(row[1])))
      for i = 2, #row do assert.are.same(row[i], answer[i - 1]) end
    end)
  end

  -- Patterns: what the library of Lua says, the box says.
  local texts = { "", "a", "hello world", "aaab", "THE (quick) fox",
    "x=1, y = 2", "  trim  ", "[[]]", "a.b.c", "\0z\0", "%d", "((a)b)c" }
  local patterns = { "", ".", "a*", "a+b", ".-b", "^a", "a$", "^$", "%a+",
    "(%w+)%s*=%s*(%w+)", "%b()", "%f[%a]%a+", "%f[%A]", "()", "()a()",
    "(.)%1", "[^%s]+", "[a-c]+", "[%]]", "[]]", "[^]]", "[a-]", "^%s*(.-)%s*$",
    "%", "[", "(", ")", "%b", "%f", "(()", "%1", "[%", "%z", "[\0]", "\0",
    "a?b?c?", "(a*(.)%w(%s*))", "x-", "%D", "%.%a", "[^", "%bxx", "^(.-)%.",
    "a-$", "$", "$a", "a^", "((.)(.))", "%2(a)", "(.)(.)%2" }
  it("patterns match as in Lua", function()
    local body = [[
      local out = {}
      for _, text in ipairs(phone.texts) do
        for _, p in ipairs(phone.patterns) do
          for _, name in ipairs { "find", "match" } do
            out[#out + 1] = table.pack(pcall(string[name], text, p))
            out[#out + 1] = table.pack(pcall(string[name], text, p, 2))
            out[#out + 1] = table.pack(pcall(string[name], text, p, -2))
          end
          for _, new in ipairs { "<%0>", "%1", "%%", "%2", "%", "x" } do
            out[#out + 1] = table.pack(pcall(string.gsub, text, p, new))
          end
          out[#out + 1] = table.pack(pcall(string.gsub, text, p, "-", 1))
          out[#out + 1] = table.pack(pcall(string.gsub, text, p,
            { a = "A", x = 1 }))
          out[#out + 1] = table.pack(pcall(string.gsub, text, p,
            function(c) return c == "a" and "" or nil end))
          out[#out + 1] = table.pack(pcall(function()
            local all = {}
            for a, b in text:gmatch(p) do all[#all + 1] = { a, b } end
            return all
          end))
        end
      end
      for _, r in ipairs(out) do
        if not r[1] then r[2] = r[2]:gsub("^[^:]*:%d+: ", "") end
      end
      return out]]
    local here = assert(load("local phone = ... " .. body))
    local view = { texts = texts, patterns = patterns }
    local want = here(view)
    for i = 1, #texts do -- in parts: an answer has a size
      local part = { texts = { texts[i] }, patterns = patterns }
      local got, expected = of(body, part), here(part)
      for n = 1, #expected do assert.are.same(expected[n], got[n]) end
    end
    assert.are.equal(#texts * #patterns * 16, #want)
  end)
end)
