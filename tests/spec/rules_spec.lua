-- What a rule file may be, and what becomes of one that is something else.
local environment = require "peal.environment"
local support = require "support.rules"

local VIEW <const> = { explicit = true, identity = { MAC = "000e08abcdef" } }

local function trigger(text)
  return ("return { stage = 'trigger', decide = function(phone)\n%s end }")
    :format(text)
end

local function load_one(name, text)
  return support.phone { [name] = text }
end

describe("rule files", function()
  it("answer in place of the factory's", function()
    local p = load_one("trigger.lua",
      trigger "return false, phone.identity.MAC")
    assert.are.same({ pass = false, reason = "000e08abcdef",
      rule_file = "op/trigger.lua" }, p.ask("trigger", VIEW))
    assert.are.same({}, p.notes)
  end)

  it("leave decisions that they do not take to the factory's", function()
    local answer = support.phone({}).ask("trigger", VIEW)
    assert.are.same({ pass = true }, answer)
  end)

  local broken = {
    { "a syntax error", "return {{", "op/trigger.lua:1:" },
    { "an error while loading", "local x = nil + 1", "op/trigger.lua:1:" },
    { "no table", "return 1", "op/trigger.lua: returns no table" },
    { "another stage's name",
      "return { stage = 'apply', decide = function() end }", "stage is" },
    { "bytecode", string.dump(function() end), "op/trigger.lua: " },
    { "a call of require", "require 'os'", "op/trigger.lua:1:" },
    { "a call of io", "io.open('/etc/passwd')", "op/trigger.lua:1:" },
    { "nothing", "", "op/trigger.lua: returns no table" },
    { "a comment alone", "-- soon\n", "op/trigger.lua: returns no table" },
  }
  for _, row in ipairs(broken) do
    it("make way for the factory's where there is " .. row[1], function()
      local p = load_one("trigger.lua", row[2])
      assert.is_true(p.ask("trigger", VIEW).pass)
      assert.are.equal(1, #p.notes)
      assert.are.equal("bad-rule-file", p.notes[1].word)
      assert.is_truthy(p.notes[1].text:find(row[3], 1, true),
        p.notes[1].text)
      assert.is_truthy(p.notes[1].text:find("; the factory rule is used",
        1, true), p.notes[1].text)
    end)
  end

  local wrong = {
    { "a text where a verdict belongs", "return 'yes'", "not true, or false" },
    { "an error", "error('oops')", "op/trigger.lua:2: oops" },
    { "a write to the phone", "phone.explicit = false", "cannot change" },
    { "a write to a part of the phone", "phone.identity.MAC = '1'",
      "cannot change" },
    { "a write to a parameter", "phone.param.GPP_A = '1'",
      "cannot write a parameter" },
  }
  for _, row in ipairs(wrong) do
    it("make way for the factory's after " .. row[1], function()
      local p = load_one("trigger.lua", trigger(row[2]))
      local set = p.set()
      local answer = p.ask("trigger", VIEW, set)
      assert.are.same({ pass = true }, answer)
      assert.is_truthy(p.notes[1].text:find(row[3], 1, true),
        p.notes[1].text)
      assert.are.same({ pass = true }, p.ask("trigger", VIEW, set))
      assert.are.equal(1, #p.notes)
    end)
  end

  it("cannot flood a log", function()
    local p = load_one("trigger.lua", trigger [[error(("\u{20AC}"):rep(1e6))]])
    assert.is_true(p.ask("trigger", VIEW).pass)
    local text = p.notes[1].text
    assert.is_true(#text < 600)
    assert.is_truthy(utf8.len(text))
    assert.is_truthy(text:find("the factory rule is used", 1, true))
  end)

  it("walk what they see in the order of its names", function()
    local names = {}
    local view = environment.freeze { b = false, a = { 1 }, c = 3 }
    for name, value in pairs(view) do
      names[#names + 1] = name .. type(value)
    end
    assert.are.same({ "atable", "bboolean", "cnumber" }, names)
  end)

  it("do not see the globals of another file", function()
    local p = support.phone {
      ["apply.lua"] = "leak = 1; string.rep = nil; return { stage = 'apply', "
        .. "decide = function() return nil end }",
      ["trigger.lua"] = trigger "return leak == nil and string.rep ~= nil" }
    local set = p.set()
    assert.are.same({ rule_file = "op/apply.lua" }, p.ask("apply", {}, set))
    assert.is_true(p.ask("trigger", VIEW, set).pass)
    assert.are.same({}, p.notes)
    assert.is_function(string.rep)
  end)

  it("are named when no decision has their name", function()
    local p = load_one("profle.lua", "return {}")
    p.set()
    assert.are.equal("op/profle.lua: no decision has this name",
      p.notes[1].text)
    p.set()
    assert.are.same({}, p.notes)
  end)

  it("say why a folder cannot be read", function()
    local p = load_one(".", { error = "/nowhere: no such folder" })
    p.set()
    assert.are.equal("/nowhere: no such folder", p.notes[1].text)
    p.set()
    assert.are.same({}, p.notes)
  end)
end)

describe("a folder of rule files", function()
  local process = require "support.process"
  local rule_files = require "peal.world.rule_files"
  local dir, read, opened
  local real_open = io.open

  local function write(name, text)
    local f = assert(real_open(dir .. "/" .. name, "w"))
    f:write(text)
    f:close()
  end

  before_each(function()
    dir, opened = process.temp_dir(), 0
    read = rule_files.reader(dir)
    io.open = function(...) -- luacheck: ignore
      opened = opened + 1
      return real_open(...)
    end
  end)
  after_each(function()
    io.open = real_open -- luacheck: ignore
    process.remove(dir)
  end)

  it("gives the same table as long as nothing changes", function()
    write("trigger.lua", "return 1")
    local first = read()
    assert.are.equal("return 1", first["trigger.lua"].text)
    assert.is_true(first["profile.lua"].factory)
    assert.are.equal(first, read())
    write("trigger.lua", "return 1")
    assert.are.equal(first, read()) -- the same text, written anew
  end)

  it("may begin with a mark of its encoding, as some editors write", function()
    write("trigger.lua", "\xEF\xBB\xBFreturn 1")
    assert.are.equal("return 1", read()["trigger.lua"].text)
  end)

  it("sees an edit of the same length in the same moment", function()
    for i = 1, 50 do
      local text = ("return %02d"):format(i)
      write("trigger.lua", text)
      assert.are.equal(text, read()["trigger.lua"].text)
    end
  end)

  it("reads no file twice that has rested for a while", function()
    local sys = require "peal.sys"
    local time = sys.time
    write("trigger.lua", "return 1")
    finally(function() sys.time = time end)
    sys.time = function() return time() + 60 end
    local first = read()
    local before = opened
    for _ = 1, 5 do assert.are.equal(first, read()) end
    assert.are.equal(before, opened)
    write("trigger.lua", "return 12")
    assert.are.equal("return 12", read()["trigger.lua"].text)
  end)

  it("says of an empty file that it is empty, and forgets one that is gone",
    function()
      write("trigger.lua", "")
      assert.are.equal(dir .. "/trigger.lua: the file is empty",
        read()["trigger.lua"].error)
      os.remove(dir .. "/trigger.lua")
      assert.is_true(read()["trigger.lua"].factory)
    end)

  it("is not held up by a pipe that nobody writes to", function()
    io.open = function() error("opened") end -- luacheck: ignore
    assert(os.execute(("mkfifo %s/trigger.lua && mkdir %s/profile.lua")
      :format(dir, dir)))
    local sources = read()
    assert.are.equal(dir .. "/trigger.lua: not a file, but something else",
      sources["trigger.lua"].error)
    assert.are.equal(dir .. "/profile.lua: not a file, but a directory",
      sources["profile.lua"].error)
    assert.are.equal(sources, read())
  end)

  it("says when it cannot be read, and when it can again", function()
    process.remove(dir)
    local first = read()
    assert.is_string(first["."].error)
    assert.are.equal(first, read())
    assert(os.execute("mkdir " .. dir))
    assert.is_nil(read()["."])
  end)

  it("holds no other files", function()
    write("trigger.lua~", "x")
    write("notes.txt", "x")
    write(".trigger.lua.swp", "x")
    for name, source in pairs(read()) do
      assert.is_true(source.factory, name)
    end
  end)
end)
