-- What takes the place of a rule file that cannot answer, what is said of it,
-- and how edits come into force.
local stages = require "peal.stages"
local store = require "peal.store"
local registry = require "peal.registry"
local support = require "support.rules"

local VIEW <const> = { explicit = true, asked_by = "cli" }

-- A trigger file; `body` is its second line.
local function trigger(body)
  return ("return { stage = 'trigger', decide = function(phone)\n%s end }")
    :format(body)
end

local function file(stage, body)
  return ("return { stage = %q, decide = function(phone)\n%s end }"):format(
    stage, body)
end

local SAYS <const> = { A = trigger "return false, 'A'",
  B = trigger "return false, 'B'" }

local function texts(notes)
  local out = {}
  for i, note in ipairs(notes) do out[i] = note.text end
  return out
end

-- The reason that the trigger gives, "pass" or the file that gave none; and
-- the notes that came with it.
local function reason(p)
  local answer = p.ask("trigger", VIEW)
  return answer.reason or "pass", texts(p.notes)
end

describe("an edited rule file", function()
  it("comes into force with the next set, and is said once", function()
    local p = support.phone { ["trigger.lua"] = SAYS.A }
    assert.are.same({ "A", {} }, { reason(p) })
    p.put("trigger.lua", SAYS.B)
    assert.are.same({ "B", { "op/trigger.lua: in force from now on" } },
      { reason(p) })
    assert.are.equal("rule-changed", p.notes[1].word)
    assert.are.same({ "B", {} }, { reason(p) })
  end)

  it("leaves the set of a cycle that has begun as it was", function()
    local p = support.phone { ["trigger.lua"] = SAYS.A }
    local begun = p.set()
    p.put("trigger.lua", SAYS.B)
    assert.are.equal("B", p.ask("trigger", VIEW).reason)
    assert.are.equal("A", p.ask("trigger", VIEW, begun).reason)
    p.put("trigger.lua", nil)
    assert.is_true(p.ask("trigger", VIEW).pass)
    assert.are.equal("A", p.ask("trigger", VIEW, begun).reason)
  end)

  it("makes way for the factory's when it is removed", function()
    local p = support.phone { ["trigger.lua"] = SAYS.A }
    reason(p)
    p.put("trigger.lua", nil)
    assert.are.same({ "pass",
      { "op/trigger.lua: the file is gone; the factory rule is used" } },
      { reason(p) })
    assert.are.same({ "pass", {} }, { reason(p) })
    p.put("trigger.lua", "(") -- nothing good is left of it
    assert.are.equal("pass", (reason(p)))
    assert.is_truthy(p.notes[1].text:find("the factory rule is used"))
  end)

  it("is not asked where it is the factory's own text", function()
    local text = require("peal.factory")["trigger.lua"]
    local p = support.phone { ["trigger.lua"] = text }
    assert.are.same({ "pass", {} }, { reason(p) })
    assert.are.same({}, p.asked)
  end)

  it("is read no more often than it changes", function()
    local p = support.phone { ["trigger.lua"] = SAYS.A }
    local first, second = p.set(), p.set()
    assert.are.equal(1, #p.asked) -- the check
    assert.are.equal(first.files, second.files)
  end)

  it("is taken over once when two tasks ask for it at the same time",
    function()
      local box = support.box()
      local p
      p = support.phone({ ["trigger.lua"] = SAYS.A }, { ask = function(...)
        p.world.wait(1)
        return box(...)
      end })
      local task, sets = require "peal.task", {}
      for i = 1, 3 do
        task.spawn(function() sets[i] = p.phone.book:set() end)
      end
      assert.is_nil(sets[1])
      p.world.advance(10)
      assert.are.equal(1, #p.asked)
      for i = 1, 3 do
        assert.are.equal("A", p.ask("trigger", VIEW, sets[i]).reason)
      end
    end)
end)

describe("a broken rule file", function()
  local PLACE <const> = "op/trigger.lua:2: "

  it("makes way for its last good copy", function()
    local p = support.phone { ["trigger.lua"] = SAYS.A }
    reason(p)
    p.put("trigger.lua", trigger "return return")
    local got, said = reason(p)
    assert.are.equal("A", got)
    assert.are.equal(1, #said)
    assert.is_truthy(said[1]:find(PLACE, 1, true), said[1])
    assert.is_truthy(said[1]:find("; the last good copy is used", 1, true))
    assert.are.equal("op/trigger.lua (last good copy)",
      p.ask("trigger", VIEW).rule_file)
    assert.are.same({ "A", {} }, { reason(p) })
    p.put("trigger.lua", SAYS.B)
    assert.are.same({ "B", { "op/trigger.lua: in force again" } },
      { reason(p) })
  end)

  it("is known as soon as it is there, not when it is asked", function()
    local p = support.phone {}
    p.set()
    p.put("report.lua", "return {{")
    p.set()
    assert.is_truthy(p.notes[1].text:find("op/report.lua:1:", 1, true))
  end)

  it("makes way for the copy from before while it fails at work", function()
    local p = support.phone { ["trigger.lua"] = SAYS.A }
    reason(p)
    p.put("trigger.lua", trigger "error 'oops'")
    local got, said = reason(p)
    assert.are.equal("A", got)
    assert.are.same({ "op/trigger.lua: in force from now on",
      PLACE .. "oops; the last good copy is used" }, said)
    assert.are.same({ "A", {} }, { reason(p) })
    assert.are.equal("last-good", p.phone.book:status()[1].state)
  end)

  it("makes way for the factory's where no copy was ever good", function()
    local p = support.phone { ["trigger.lua"] = trigger "error 'oops'" }
    assert.are.same({ "pass",
      { PLACE .. "oops; the factory rule is used" } }, { reason(p) })
    assert.are.same({ "pass", {} }, { reason(p) })
    assert.are.equal(3, #p.asked) -- one check; tried again each cycle
  end)

  it("makes way for the factory's where its good copy fails too", function()
    local text = [[if phone.asked_by == "url" then error "url" end
      return false, "A"]]
    local p = support.phone { ["trigger.lua"] = trigger(text) }
    assert.are.equal("A", (reason(p)))
    p.put("trigger.lua", "(")
    assert.are.equal("A", (reason(p)))
    local answer = p.ask("trigger", { asked_by = "url", explicit = true })
    assert.are.same({ pass = true }, answer)
    assert.are.same({ "op/trigger.lua (last good copy):2: url; "
      .. "the factory rule is used" }, texts(p.notes))
  end)

  it("is asked once in a cycle, and said once for each reason", function()
    local p = support.phone { ["trigger.lua"] =
      trigger "error(phone.asked_by)" }
    local set = p.set()
    p.ask("trigger", { asked_by = "at" }, set)
    p.ask("trigger", { asked_by = "url" }, set)
    assert.are.equal(1, #set.notes)
    for _ = 1, 30 do p.ask("trigger", { asked_by = "at" }) end
    assert.are.same({}, p.notes)
    local count = 0
    for i = 1, 30 do
      p.ask("trigger", { asked_by = "x" .. i })
      count = count + #p.notes
    end
    assert.are.equal(7, count) -- eight reasons of one text
  end)

  it("is in force again when it answers what it failed at", function()
    local p = support.phone { ["trigger.lua"] = trigger
      "if phone.param.GPP_A == '' then error 'no site' end return true" }
    assert.are.equal(1, #select(2, reason(p)))
    p.phone.overrides.GPP_A = "7"
    assert.are.same({ "pass", { "op/trigger.lua: in force again" } },
      { reason(p) })
    assert.are.same({ "pass", {} }, { reason(p) })
  end)

  it("which is empty is an error, not the end of a rule", function()
    local p = support.phone { ["trigger.lua"] = SAYS.A }
    reason(p)
    for _, text in ipairs { "", "\n", "-- new\n", { error =
        "op/trigger.lua: the file is empty" } } do
      p.put("trigger.lua", text)
      local got, said = reason(p)
      assert.are.equal("A", got)
      assert.are.equal(1, #said)
      assert.is_truthy(said[1]:find("; the last good copy is used", 1, true))
    end
  end)

  it("which is half-written never comes into force", function()
    local whole = "-- May it?\nlocal function decide(phone)\n"
      .. "  return false, \"B\"\nend\n\n"
      .. "return { stage = \"trigger\", decide = decide }"
    local p = support.phone { ["trigger.lua"] = SAYS.A }
    reason(p)
    for n = 0, #whole - 1 do
      p.put("trigger.lua", whole:sub(1, n))
      assert.are.equal("A", (reason(p)), n)
    end
    p.put("trigger.lua", whole)
    assert.are.same({ "B", { "op/trigger.lua: in force again" } },
      { reason(p) })
  end)

  it("cannot change the phone before it fails", function()
    local p = support.phone { ["trigger.lua"] =
      trigger "pcall(function() phone.param.GPP_A = 'x' end) error 'half'" }
    local before = p.store:get("GPP_A")
    reason(p)
    assert.are.equal(before, p.store:get("GPP_A"))
    assert.are.equal(0, p.store:revision())
  end)
end)

describe("the last good copy of a rule file", function()
  local function restarted(p, files)
    assert(p.phone.keep:flush())
    return support.phone(files, { store = p.store })
  end

  it("outlives a restart", function()
    local p = support.phone { ["trigger.lua"] = SAYS.A }
    reason(p)
    local q = restarted(p, { ["trigger.lua"] = "(" })
    local got, said = reason(q)
    assert.are.equal("A", got)
    assert.is_truthy(said[1]:find("; the last good copy is used", 1, true))
  end)

  it("does so where the folder cannot be read any more", function()
    local p = support.phone { ["trigger.lua"] = SAYS.A }
    reason(p)
    local q = restarted(p, { ["."] = { error = "op: no such folder" } })
    assert.are.equal("A", (reason(q)))
    q.put(".", nil)
    q.put("trigger.lua", SAYS.B)
    assert.are.equal("B", (reason(q)))
  end)

  it("stays in force while the folder cannot be read", function()
    local p = support.phone { ["trigger.lua"] = SAYS.A }
    p.set() -- loaded, and not yet asked
    p.put("trigger.lua", nil)
    p.put(".", { error = "op: Input/output error" })
    assert.are.same({ "A", { "op: Input/output error" } }, { reason(p) })
    assert.are.same({ "A", {} }, { reason(p) })
  end)

  it("is forgotten with its file", function()
    local p = support.phone { ["trigger.lua"] = SAYS.A }
    reason(p)
    local q = restarted(p, {})
    assert.are.equal("pass", (reason(q)))
    local r = restarted(q, { ["trigger.lua"] = "(" })
    assert.are.equal("pass", (reason(r)))
  end)

  it("of more than 16 KiB is kept in memory only", function()
    local long = SAYS.A .. "\n--" .. ("x"):rep(16384)
    local p = support.phone { ["trigger.lua"] = long }
    reason(p)
    p.put("trigger.lua", "(")
    assert.are.equal("A", (reason(p)))
    local q = restarted(p, { ["trigger.lua"] = "(" })
    assert.are.equal("pass", (reason(q)))
  end)

  it("is written at the end of a program that nothing else writes for",
    function()
      local p = support.phone { ["trigger.lua"] = SAYS.A }
      reason(p)
      assert.is_true(p.phone.book:save())
      assert.are.equal(1, p.store:revision())
      assert.is_true(p.phone.book:save())
      assert.are.equal(1, p.store:revision())
      local q = support.phone({ ["trigger.lua"] = "(" }, { store = p.store })
      assert.are.equal("A", (reason(q)))
    end)

  it("writes nothing while nothing changes", function()
    local p = support.phone { ["trigger.lua"] = SAYS.A }
    reason(p)
    assert(p.phone.keep:flush())
    for _ = 1, 5 do reason(p) end
    assert.is_false(p.phone.keep:dirty())
  end)
end)

describe("a rule file that takes too much", function()
  local LOOP <const> = trigger "while true do end"

  -- Counts the questions, and answers as a box that has reached its limit.
  local function limited(files)
    local count, over = 0, { on = true }
    local box = support.box()
    local p = support.phone(files, { ask = function(st, overrides, job)
      if not job.view or not over.on then return box(st, overrides, job) end
      count = count + 1
      return nil, "took longer than 1 s", "rule-limit", 3
    end })
    return p, function() return count end, over
  end

  it("is stopped, and the factory's answers", function()
    local p = support.phone { ["trigger.lua"] = LOOP }
    local got, said = reason(p)
    assert.are.equal("pass", got)
    assert.are.equal("rule-limit", p.notes[1].word)
    assert.is_truthy(said[1]:find("op/trigger.lua:2: ", 1, true), said[1])
  end)

  it("rests for an hour", function()
    local p, count, over = limited { ["trigger.lua"] = SAYS.A }
    local _, said = reason(p)
    assert.are.same({ "op/trigger.lua:3: took longer than 1 s; "
      .. "the factory rule is used" }, said)
    p.world.advance(3599)
    assert.are.same({ "pass", {} }, { reason(p) })
    assert.are.equal(1, count())
    p.world.advance(3601)
    assert.are.same({ "pass", {} }, { reason(p) })
    assert.are.equal(2, count())
    over.on = false
    p.world.advance(7300)
    assert.are.same({ "A", { "op/trigger.lua: in force again" } },
      { reason(p) })
  end)

  it("rests until its text changes, or until it is asked to reload",
    function()
      local p, count, over = limited { ["trigger.lua"] = SAYS.A }
      reason(p)
      p.put("trigger.lua", SAYS.B)
      reason(p)
      assert.are.equal(2, count())
      over.on = false
      assert.are.equal("pass", (reason(p)))
      p.phone.book:reload()
      assert.are.same({ "B", { "op/trigger.lua: in force again" } },
        { reason(p) })
    end)

  it("while it loads does not come into force", function()
    local p = support.phone { ["trigger.lua"] = SAYS.A }
    reason(p)
    p.put("trigger.lua", "while true do end")
    local got, said = reason(p)
    assert.are.equal("A", got)
    assert.are.equal("rule-limit", p.notes[1].word)
    assert.is_truthy(said[1]:find("; the last good copy is used", 1, true))
    local asked = #p.asked
    reason(p)
    assert.are.equal(asked + 1, #p.asked) -- the good copy alone
  end)

  it("is not what a lack of processes is", function()
    local fails = true
    local box = support.box()
    local p = support.phone({ ["trigger.lua"] = SAYS.A },
      { ask = function(...)
        if fails then return nil, "no more descriptors", "resource" end
        return box(...)
      end })
    assert.are.same({ "pass",
      { "op/trigger.lua: no more descriptors; the factory rule is used" } },
      { reason(p) })
    fails = false
    assert.are.same({ "A", { "op/trigger.lua: in force again" } },
      { reason(p) })
  end)
end)

-- The real thing: a process that runs the files, and is killed.
describe("in a worker process", function()
  local isolation = require "peal.world.isolation"
  local live = require "peal.world.live"
  local loop = require "peal.loop"
  local phone = require "peal.phone"
  local process = require "support.process"
  local program = require "support.program"
  local rules = require "peal.rules"

  local schema = assert(registry.load {})
  local dir

  before_each(function() dir = process.temp_dir() end)
  after_each(function() process.remove(dir) end)

  local function write(name, text)
    local f = assert(io.open(dir .. "/" .. name, "w"))
    f:write(text)
    f:close()
  end

  -- A phone whose folder of rules is `dir`; its trigger's answer and notes.
  local function phone_of(path)
    local own_loop = assert(loop.new())
    local ask, about = isolation.worker(own_loop, path or program.path)
    local world = live.new { loop = own_loop, rules_dir = dir, ask = ask,
      store = assert(store.open { schema = schema }) }
    local p = phone.new { world = world, identity = { MAC = "000e08abcdef" } }
    return function()
      return world.run(function()
        local set = p.book:set()
        return rules.ask(set, "trigger", VIEW, p), texts(set.notes)
      end)
    end, about
  end

  it("a file answers, and is edited while the phone runs", function()
    write("trigger.lua", trigger "return false, phone.param.GPP_B .. 'x'")
    local ask, about = phone_of()
    local answer, said = ask()
    assert.are.same({ "x", {} }, { answer.reason, said })
    write("trigger.lua", SAYS.B)
    answer, said = ask()
    assert.are.equal("B", answer.reason)
    assert.are.same({ dir .. "/trigger.lua: in force from now on" }, said)
    assert(os.remove(dir .. "/trigger.lua"))
    answer = ask()
    assert.are.same({ pass = true }, answer)
    assert.are.equal(1, about().starts)
  end)

  it("what only a kill stops is killed; the next file has a new process",
    function()
      write("trigger.lua", SAYS.A)
      local ask, about = phone_of()
      ask()
      local first = about().pid
      write("trigger.lua", trigger [[local digits = ("1"):rep(1000000)
        for _ = 1, 1e6 do local _ = digits + 0 end]])
      local answer, said = ask()
      assert.are.equal("A", answer.reason)
      assert.are.equal(2, #said) -- in force, and what became of it
      assert.is_truthy(said[2]:find("; the last good copy is used", 1, true))
      assert.are_not.equal(first, about().pid)
      answer, said = ask() -- it rests
      assert.are.same({ "A", {} }, { answer.reason, said })
    end)

  it("nothing is asked without the phone's parameters", function()
    local own_loop = assert(loop.new())
    local ask = isolation.worker(own_loop, program.path)
    local world = live.new { loop = own_loop, ask = ask,
      store = assert(store.open { schema = schema }) }
    local job = { stage = "trigger", path = "t.lua", view = {},
      text = trigger "while true do end" }
    local none, sentence, word = world.run(world.ask, job,
      { GPP_A = ("x"):rep(17 << 20) })
    assert.is_nil(none)
    assert.is_truthy(sentence:find("^the parameters are over"), sentence)
    assert.are.equal("limit", word)
    job.text = trigger "return phone.param.GPP_A == ''"
    assert.is_true(world.run(world.ask, job, {})[1])
  end)

  it("which cannot be started, the factory's files answer", function()
    write("trigger.lua", SAYS.A)
    local ask = phone_of(dir .. "/no-such-program")
    local answer, said = ask()
    assert.are.same({ pass = true }, answer)
    assert.are.equal(1, #said)
    assert.is_truthy(said[1]:find("; the factory rule is used", 1, true))
    answer, said = ask()
    assert.are.same({ pass = true }, answer)
    assert.are.same({}, said)
  end)

  it("peal resync goes on by the ladder, whatever loops", function()
    for _, stage in ipairs { "trigger", "profile", "apply" } do
      for _, name in ipairs { "trigger", "profile", "apply" } do
        os.remove(("%s/%s.lua"):format(dir, name))
      end
      write(stage .. ".lua", file(stage, "while true do end"))
      local got = program.peal("resync", '(a="1";)!', "--rules", dir)
      assert.are.equal(0, got.code, got.err)
      assert.is_truthy(got.err:find(("%s.lua:2: stopped"):format(stage), 1,
        true), got.err)
      assert.is_truthy(got.err:find("; the factory rule is used", 1, true))
    end
  end)
end)

describe("a broken trust.lua", function()
  local ACCEPTS <const> = file("trust", "return { accept = true }")
  local VIEW_OF <const> = { word = "c.name", sentence = "another name" }

  local function accepts(p) return p.ask("trust", VIEW_OF).accept end

  it("makes way for the factory's at once: what an edit takes back stays "
    .. "taken back", function()
    for _, text in ipairs { "(", "", file("trust", "error 'x'"),
      file("trust", "return { accept = 1 }") } do
      local p = support.phone { ["trust.lua"] = ACCEPTS }
      assert.is_true(accepts(p))
      p.put("trust.lua", text)
      assert.is_false(accepts(p))
      assert.matches("; the factory rule is used$", p.notes[#p.notes].text)
      assert.is_false(accepts(p)) -- nor does it come back
      for _, one in ipairs(p.phone.book:status()) do
        if one.stage == "trust" then assert.equal("factory", one.state) end
      end
      p.put("trust.lua", ACCEPTS)
      assert.is_true(accepts(p))
    end
  end)

  it("does so after a restart as well", function()
    local st = assert(store.open { schema = assert(registry.load {}) })
    local p = support.phone({ ["trust.lua"] = ACCEPTS }, { store = st })
    assert.is_true(accepts(p))
    assert(p.phone.book:save())
    assert.is_false(accepts(support.phone({ ["trust.lua"] = "(" },
      { store = st })))
    assert.is_false(accepts(support.phone({ ["."] = { path = "op",
      error = "permission denied" } }, { store = st })))
  end)
end)

describe("the state of rule files", function()
  it("names what is in force, and what is wrong", function()
    local p = support.phone { ["trigger.lua"] = SAYS.A, ["apply.lua"] = "(" }
    reason(p)
    local by = {}
    for i, one in ipairs(p.phone.book:status()) do
      assert.are.equal(stages.names[i], one.stage)
      by[one.stage] = one
    end
    assert.are.same({ stage = "trigger", path = "op/trigger.lua",
      state = "operator" }, by.trigger)
    assert.are.equal("factory", by.apply.state)
    assert.is_truthy(by.apply.problem:find("op/apply.lua:1:", 1, true))
    assert.are.same({ stage = "report", path = "rules/report.lua",
      state = "factory" }, by.report)
  end)
end)

-- Every stage with every kind of broken file: the factory's answer or, where
-- there is no such file, the phone's default; one note with file and line.
describe("in each stage", function()
  local schema = assert(registry.load {})
  local shared = support.box()
  local function phone(files)
    return support.phone(files, { ask = shared,
      store = assert(store.open { schema = schema }) })
  end

  local FIELDS <const> = {
    profile = { rule = { name = "Profile_Rule", text = "" } },
    apply = { rule = { name = "Profile_Rule" }, url = "", changes = {} },
    upgrade = { event = "boot", active = "a", failures = 0, retry_due = true },
    headset = { event = "boot", headset = { model = "m", version = "1" } },
    report = { event = "boot" },
    health = { waited = 0, change = { revision = 1, names = {} } },
    schedule = { event = "boot", boot_reason = "power_on", failures = 0,
      periods = 0 },
    privacy = { line = 1, values = { "none" }, emergency = {},
      message = { method = "INVITE", headers = {} } },
  }

  local function view_of(p, stage)
    return require("peal.view").of(p.phone,
      { asked_by = "cli", explicit = true }, FIELDS[stage])
  end

  -- a line: is it named?
  local bodies = {
    { "an endless loop", "while true do end", true, "rule-limit" },
    { "an error", "error 'oops'", true },
    { "a nil error", "error(nil)", true },
    { "an error with a failing __tostring",
      "error(setmetatable({}, { __tostring = function() error 'x' end }))",
      true },
    { "an answer of a wrong type", "return 'x'" },
    { "not a number", "return 0/0" },
    { "a huge list", "local t = {} for i = 1, 20000 do t[i] = i end return t" },
    { "a huge table",
      "local t = {} for i = 1, 20000 do t['k' .. i] = i end return t" },
    { "a cyclic table", "local t = {} t.t = t return t" },
    { "a function", "return { function() end }" },
    { "a metatable that lies", "return setmetatable({}, { __index = "
      .. "function() error 'x' end, __pairs = error, __len = error, "
      .. "frob = 1 }), 1, 2, {}", nil, nil, { apply = true, privacy = true,
      report = true, schedule = true } },
    { "endless memory", "local t = {} while true do t[#t + 1] = "
      .. "('x'):rep(1000) .. #t end", nil, "rule-limit" },
  }
  local whole_files = {
    { "a syntax error", "return {{", true },
    { "an error while loading", "error 'oops'", true },
    { "an endless loop while loading", "while true do end", true,
      "rule-limit" },
    { "nothing", "" },
    { "bytecode", string.dump(function() end) },
  }

  local function check(stage, text, about)
    local p = phone { [stage .. ".lua"] = text }
    local plain = phone {}
    local view = view_of(p, stage)
    local want = plain.ask(stage, view)
    if about[5] and about[5][stage] then
      local fine = p.ask(stage, view) -- nothing of it is data
      assert.is_not_nil(fine)
      return
    end
    assert.are.same(want, p.ask(stage, view))
    local list = {}
    for _, note in ipairs(p.notes) do
      if note.path then list[#list + 1] = note end
    end
    assert.are.equal(1, #list)
    assert.are.equal(about[4] or "bad-rule-file", list[1].word, list[1].text)
    local place = "op/" .. stage .. ".lua" .. (about[3] and ":%d+: " or ": ")
    assert.is_truthy(list[1].text:find(place)
      or not about[3] and list[1].text:find("op/" .. stage .. ".lua:%d+: "),
      list[1].text)
    assert.is_truthy(list[1].text:find("; the factory rule is used", 1, true))
    assert.are.same(want, p.ask(stage, view))
    for _, note in ipairs(p.notes) do assert.is_nil(note.path, note.text) end
  end

  for _, stage in ipairs(stages.names) do
    for _, about in ipairs(bodies) do
      it(("%s: %s"):format(stage, about[1]), function()
        check(stage, file(stage, about[2]), about)
      end)
    end
    for _, about in ipairs(whole_files) do
      it(("%s: %s"):format(stage, about[1]), function()
        check(stage, about[2], about)
      end)
    end
  end
end)

describe("without a factory rule", function()
  local texts_of = require "peal.factory"

  for _, stage in ipairs(stages.names) do
    it("a phone does the documented thing: " .. stage, function()
      local p = support.phone {}
      local text = texts_of[stage .. ".lua"]
      finally(function() texts_of[stage .. ".lua"] = text end)
      texts_of[stage .. ".lua"] = "return { stage = '" .. stage
        .. "', decide = function() error 'broken' end }"
      local answer = p.ask(stage, { event = "boot", values = { "id" } })
      assert.are.same(stages[stage].default({ event = "boot",
        values = { "id" } }, function(name) return p.phone:shown(name) end),
        answer)
      assert.are.equal(1, #p.notes)
      assert.is_truthy(p.notes[1].text:find("rules/" .. stage
        .. ".lua:1: broken; the phone's default is used", 1, true),
        p.notes[1].text)
    end)
  end
end)
