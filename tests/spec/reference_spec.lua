local environment = require "peal.environment"
local parameter = require "peal.reference.parameter"
local reference = require "peal.reference"
local registry = require "peal.registry"
local signature = require "peal.reference.signature"
local stages = require "peal.stages"
local store = require "peal.store"
local views = require "peal.reference.views"

-- Every entry of groups of one kind, by the name of its group and its own.
local function documented(kind)
  local out = {}
  for _, group in ipairs(reference.groups()) do
    if group.kind == kind then
      out[group.name] = {}
      for _, entry in ipairs(group) do
        out[group.name][signature.parse(entry[1]).name] = entry
      end
    end
  end
  return out
end

local function names_of(t)
  local out = {}
  for name in pairs(t or {}) do out[#out + 1] = name end
  table.sort(out)
  return out
end

describe("the reference of the rule library", function()
  -- What Lua brings itself is told by Lua's own manual.
  local function is_lua(name)
    return _G[name] ~= nil
  end

  local env = environment.new()
  local known = documented "library"

  it("has each table that a rule file is given, and no other", function()
    local there = {}
    for name, value in pairs(env) do
      if type(value) == "table" and not is_lua(name) then
        there[name] = true
      end
    end
    assert.are.same(names_of(there), names_of(known))
  end)

  for name, entries in pairs(known) do
    it("has each function of " .. name .. ", and no other", function()
      assert.are.same(names_of(env[name]), names_of(entries))
      for key, entry in pairs(entries) do
        local is_function = signature.parse(entry[1]).params ~= nil
        assert.are.equal(is_function, type(env[name][key]) == "function", key)
      end
    end)
  end

  it("has examples that run", function()
    local view = { identity = { PN = "CP-8841-3PCC", MAC = "000e08abcdef" },
      state = { PRVTMR = 900 }, param = {}, now = 0, rule = { text = "" } }
    local count = 0
    for _, group in ipairs(reference.groups()) do
      for _, entry in ipairs(group.kind == "library" and group or {}) do
        if entry.example then
          env.phone, count = view, count + 1
          local fn = assert(load("return " .. entry.example, entry.example,
            "t", env))
          assert.is_not_nil((fn()), entry.example)
        end
      end
    end
    assert.is_true(count > 10)
  end)
end)

-- Every module of the bindings, and every metatable that opening them makes.
local function bindings()
  local modules, classes = {}, {}
  for name in pairs(package.preload) do
    local module = name:find("^peal%.%l+$") and require(name)
    for _, value in pairs(module or {}) do -- peal.factory is texts
      if type(value) == "function" then modules[name] = module end
    end
  end
  for name, meta in pairs(debug.getregistry()) do
    if type(name) == "string" and name:find("^peal%.") and type(meta) == "table"
      and type(meta.__index) == "table"
    then
      classes[name] = meta.__index
    end
  end
  return modules, classes
end

describe("the reference of the bindings", function()
  local modules, classes = bindings()

  it("has each module, and no other", function()
    assert.are.same(names_of(modules), names_of(documented "module"))
    assert.is_true(#names_of(modules) >= 16)
  end)

  for name, entries in pairs(documented "module") do
    it("has each function of " .. name .. ", and no other", function()
      assert.are.same(names_of(modules[name]), names_of(entries))
    end)
  end

  it("has each kind of handle, and no other", function()
    local there = {}
    for _, group in ipairs(reference.groups()) do
      if group.kind == "class" then
        there[group.metatable] = true
        for _, name in ipairs(group.also or {}) do there[name] = true end
      end
    end
    assert.are.same(names_of(classes), names_of(there))
  end)

  for _, group in ipairs(reference.groups()) do
    if group.kind == "class" then
      it("has each method of " .. group.name .. ", and no other", function()
        local entries = documented("class")[group.name]
        assert.are.same(names_of(classes[group.metatable]), names_of(entries))
        for _, name in ipairs(group.also or {}) do
          assert.are.same(names_of(classes[name]), names_of(entries), name)
        end
      end)
    end
  end

  it("has the fields of a value, a change and a definition", function()
    local schema = assert(registry.load())
    local st = assert(store.open { schema = schema })
    local txn = assert(st:begin())
    assert(txn:set("GPP_A", "1"))
    local tables = documented "table"
    assert.are.same(names_of(st:value "GPP_A"), names_of(tables.Value))
    assert.are.same(names_of(txn:changes()[1]), names_of(tables.Change))
    for name in pairs(schema:param "GPP_A") do
      assert.is_table(tables.Definition[name], name)
    end
    txn:abort()
  end)

  it("names no type that is not told of", function()
    local known = { ["peal.Phone"] = true, ["peal.Plan"] = true,
      ["peal.Parameters"] = true }
    for _, group in ipairs(reference.groups()) do
      known["peal." .. group.name] = true
    end
    for _, name in ipairs(stages.names) do
      known["peal.Answer." .. name] = true
    end
    for _, group in ipairs(reference.groups()) do
      for _, entry in ipairs(group) do
        for name in entry[1]:gmatch("peal%.[%w.]+") do
          assert.is_true(known[name], name .. " in " .. entry[1])
        end
      end
    end
  end)
end)

describe("the reference of a session", function()
  local repl = require "peal.repl.environment"

  it("has each global, and no other", function()
    local there, rule = {}, environment.new()
    for name in pairs((repl.new {})) do
      -- the rule library is told of by itself
      if name ~= "_G" and not (rule[name] and not _G[name]) then
        there[name] = true
      end
    end
    assert.are.same(names_of(there), names_of(documented("globals").Globals))
  end)

  it("has each command, as it is typed, and no other", function()
    local there, known = {}, {}
    for _, command in ipairs(require("peal.repl.commands").list) do
      there[(":" .. command[1] .. " " .. command[2]):match("^.*%S")] = true
    end
    for _, group in ipairs(reference.groups()) do
      for _, entry in ipairs(group.kind == "commands" and group or {}) do
        known[entry[1]] = true
      end
    end
    assert.are.same(names_of(there), names_of(known))
  end)

  it("has examples that run at the prompt", function()
    local process, program = require "support.process",
      require "support.program"
    local dir, count = process.temp_dir(), 0
    finally(function() process.remove(dir) end)
    local phone = { "--phone", program.root
      .. "/examples/phones/cp-8841.lua", "--store", dir .. "/store" }
    assert.are.equal(0, program.peal("set", "GPP_P=1",
      table.unpack(phone)).code)
    for _, group in ipairs(reference.groups()) do
      for _, entry in ipairs(group.kind == "globals" and group or {}) do
        if entry.example then
          count = count + 1
          local got = program.peal("-e", entry.example, table.unpack(phone))
          assert.are.equal(0, got.code, entry.example .. "\n" .. got.err)
        end
      end
    end
    assert.is_true(count > 10)
  end)

  it("tells of a command by its name", function()
    local text = assert(reference.help ":plan")
    assert.is_truthy(text:find("^:plan %[RULE%]\n\n  What the next resync"))
  end)

  it("tells of a global by its name", function()
    assert.is_truthy(assert(reference.help "why"):find("^why%(name%)"))
  end)
end)

describe("the reference of simulations", function()
  it("has each function, and no other", function()
    local simulate = require "peal.simulate"
    local schema = assert(registry.load())
    local sim = assert(simulate.new { schema = schema,
      store = assert(store.open { schema = schema }) })
    assert.are.same(names_of(simulate),
      names_of(documented("script")["peal.simulate"]))
    local there = { timeline = true }
    for name in pairs(getmetatable(sim).__index) do
      if not name:find("^__") then there[name] = true end
    end
    assert.is_table(sim.timeline)
    assert.are.same(names_of(there), names_of(documented("object").Simulation))
  end)
end)

describe("the reference of the stages", function()
  it("has a type for each field that a rule sees, and for no other", function()
    assert.are.same(names_of(stages.common), names_of(views.common))
    for _, name in ipairs(stages.names) do
      assert.are.same(names_of(stages[name].fields), names_of(views[name]),
        name)
    end
  end)
end)

describe("an entry", function()
  it("says what it does, in sentences", function()
    for _, group in ipairs(reference.groups()) do
      assert.is_truthy(group.doc:find("%.$"), group.name)
      for _, entry in ipairs(group) do
        assert.is_truthy(entry[2]:find("[.?]$"), entry[1])
      end
    end
  end)

  it("tells its source", function()
    for _, group in ipairs(reference.groups()) do
      for _, entry in ipairs(group) do
        assert.is_string(entry.source or group.source, entry[1])
      end
    end
  end)

  it("can be found by its name", function()
    local item = assert(reference.find "classic.profile")
    assert.are.equal("classic.profile", item.path)
    assert.is_nil(reference.find "classic.nothing")
  end)
end)

describe("a signature", function()
  it("is read", function()
    assert.are.same({ name = "f", params = {
      { name = "a", type = "string|nil" },
      { name = "b", type = "table<string, integer>", optional = true },
      { name = "...", type = "any" } },
      returns = { { name = "c", type = "fun(x: integer)" },
        { name = "d", type = "any" } } },
      signature.parse("f(a: string|nil, b?: table<string, integer>, ...) -> "
        .. "c: fun(x: integer), d"))
    assert.are.same({ name = "limit", type = "integer" },
      signature.parse "limit: integer")
  end)

  it("is written for people", function()
    assert.are.equal("m.f(a, b?) -> c", signature.text(
      signature.parse "f(a: string, b?: integer) -> c: table", "m.f"))
  end)
end)

describe("help", function()
  local schema = assert(registry.load())

  local function lines(text)
    local out = {}
    for line in (text .. "\n"):gmatch("(.-)\n") do out[#out + 1] = line end
    return out
  end

  it("fits a terminal of 80 columns, whatever it is about", function()
    local topics = reference.names ""
    table.move(schema:names(), 1, #schema, #topics + 1, topics)
    for _, topic in ipairs(topics) do
      local text = assert(reference.help(topic, { schema = schema }))
      for _, line in ipairs(lines(text)) do
        -- one long word stays whole, such as a URL
        assert.is_true((utf8.len(line) or #line) <= 79
          or not line:find("%S+%s+%S+%s+%S"), topic .. "\n" .. line)
      end
      assert.is_nil(text:find("\n\n\n"), topic)
    end
  end)

  it("knows a parameter: type, unit, default, range, source, value, example",
    function()
      local st = assert(store.open { schema = schema })
      local txn = assert(st:begin())
      txn:source { cycle = 3, author = "cli" }
      assert(txn:set("Resync_Periodic", "7200"))
      assert(txn:commit("cli", 0))
      local text = assert(reference.help("Resync_Periodic", { store = st,
        schema = schema }))
      for _, part in ipairs { "value    7200", "from     cli, revision 1",
        "type     Schedule", "unit     s", "default  3600", "range    n[+m]",
        "source   MPP provisioning guide",
        "example  <Resync_Periodic ua=\"na\">3600</Resync_Periodic>" } do
        assert.is_truthy(text:find(part, 1, true), part .. "\n" .. text)
      end
    end)

  it("shows no secret", function()
    local st = assert(store.open { schema = schema })
    local txn = assert(st:begin())
    assert(txn:set("GPP_SA", "hide-me-1"))
    assert(txn:commit("cli", 0))
    local text = assert(reference.help("GPP_SA", { store = st,
      schema = schema }))
    assert.is_nil(text:find("hide-me-1", 1, true))
    assert.is_truthy(text:find("value    #", 1, true), text)
  end)

  it("knows a family's member, and another spelling", function()
    local text = assert(reference.help("Line_Enable_2_", {}))
    assert.is_truthy(text:find("family   one of Line_Enable_n_", 1, true))
    text = assert(reference.help("Resync_At", {}))
    assert.is_truthy(text:find("^Resync_At__HHmm_\n"))
  end)

  it("knows a function by itself", function()
    local env = environment.new()
    local names = { [env.classic.profile] = "classic.profile" }
    assert.are.equal(reference.help "classic.profile",
      reference.help(env.classic.profile, { names = names }))
    assert.is_truthy(reference.help(store.open):find("^store.open%("))
    local st = assert(store.open { schema = schema })
    assert.is_truthy(reference.help(st.get):find("^store:get%("))
  end)

  it("says of a decision what the rule sees and answers", function()
    local text = assert(reference.help "trigger")
    assert.is_truthy(text:find("^trigger.lua: may a due resync start now%?"))
    assert.is_truthy(text:find("phone.lines_active", 1, true))
    assert.is_truthy(text:find("Answer: true, or false and a reason", 1, true))
  end)

  it("says what it does not know", function()
    local text, sentence, word = reference.help "nothing.at.all"
    assert.is_nil(text)
    assert.are.equal("there is no help on nothing.at.all", sentence)
    assert.are.equal("unknown-name", word)
    assert.is_nil((reference.help(function() end)))
    assert.is_nil((reference.help(7)))
  end)

  it("completes names", function()
    assert.are.same({ "str", "str.split", "str.starts_with", "str.trim" },
      reference.names "str")
  end)
end)

describe("a parameter's range", function()
  it("is a list of choices, numbers or a length", function()
    local text, list = parameter.range(
      { type = "Choice", choices = { "0=NOTICE", "INFO" } })
    assert.are.equal("0 = NOTICE, INFO", text)
    assert.are.same({ "0 = NOTICE", "INFO" }, list)
    assert.are.equal("1 to 5 or empty",
      (parameter.range { type = "Uns", lo = 1, hi = 5, empty = true }))
    assert.are.equal("up to 8192 bytes", (parameter.range { type = "Str" }))
  end)
end)
