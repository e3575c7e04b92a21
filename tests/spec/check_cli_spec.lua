-- peal check as a person or an editor runs it.
local json = require "peal.json"
local process = require "support.process"
local program = require "support.program"

describe("peal check", function()
  local dir

  before_each(function() dir = process.temp_dir() end)
  after_each(function() process.remove(dir) end)

  local function write(name, text)
    local file = assert(io.open(dir .. "/" .. name, "wb"))
    file:write(text)
    file:close()
  end

  local function rule(stage, body)
    write(stage .. ".lua", ("return { stage = %q, decide = function(phone)\n"
      .. "%s\nend }"):format(stage, body))
  end

  it("ends with 0 where all is well, with 1 where there are errors",
    function()
      rule("trigger", "return true")
      local got = program.peal("check", dir)
      assert.are.same({ 0, "" }, { got.code, got.err })
      rule("trigger", "return phone.lines_activ == nil")
      got = program.peal("check", dir)
      assert.are.equal(1, got.code)
      assert.is_truthy(got.out:find(dir .. "/trigger.lua:2:8: error: ", 1,
        true))
    end)

  it("lets warnings fail with --strict only", function()
    rule("trigger", "seen = true\nreturn true")
    assert.are.equal(0, program.peal("check", dir).code)
    assert.are.equal(1, program.peal("check", dir, "--strict").code)
  end)

  it("tells programs what it has found, and which lines ran", function()
    rule("trigger", "if phone.identity.SN == '12345' then\nreturn true\nend\n"
      .. "return phone.lines_activ == nil")
    local got = program.peal("check", dir, "--json")
    local out = assert(json.decode(got.out))
    assert.is_false(out.ok)
    assert.are.same({ error = 1, warning = 0, note = 1 }, out.counts)
    local codes = {}
    for _, one in ipairs(out.findings) do
      codes[one.code] = ("%s:%d:%d"):format(one.severity, one.line, one.column)
    end
    assert.are.same({ ["unknown-field"] = "error:5:8",
      ["not-covered"] = "note:3:1" }, codes)
    assert.are.equal("trigger.lua", out.coverage[1].file)
    assert.are.same({ 3 }, out.coverage[1].missed)
    assert.are.equal(out.coverage[1].executable - 1, out.coverage[1].executed)
  end)

  it("kills a file that only a kill stops, and names the limit", function()
    rule("trigger", [[
local digits = ("9"):rep(1000000)
for i = 1, 10000000 do if tonumber(digits) == i then return true end end
return true]])
    local got = program.peal("check", dir)
    assert.are.equal(1, got.code)
    assert.is_truthy(got.out:find("[limit]", 1, true), got.out)
  end)

  it("reads files as phones do: a mark of the encoding is no mistake",
    function()
      write("trigger.lua", "\xEF\xBB\xBFreturn { stage = 'trigger', decide = "
        .. "function() return true end }")
      local got = program.peal("check", dir, "--strict")
      assert.are.same({ 0, "" }, { got.code, got.err }, got.out)
    end)

  local function unreadable(sentence)
    local got = program.peal("check", dir)
    assert.are.equal(1, got.code)
    assert.is_truthy(got.out:find(("%s/trigger.lua:1:1: error: %s "
      .. "[unreadable]"):format(dir, sentence), 1, true), got.out)
  end

  it("says which file no phone reads, and waits for no pipe", function()
    write("trigger.lua", "")
    unreadable("the file is empty")
    write("trigger.lua", "return 1 --" .. ("x"):rep(256 * 1024))
    unreadable("longer than 262144 bytes")
    os.remove(dir .. "/trigger.lua")
    assert(os.execute(("mkfifo %s/trigger.lua"):format(dir)))
    unreadable("not a file, but something else")
    assert.are.equal(2,
      program.peal("check", dir, "--against", dir).code)
    os.remove(dir .. "/trigger.lua")
    assert(os.execute(("ln -s trigger.lua %s/trigger.lua"):format(dir)))
    unreadable("Too many levels of symbolic links")
  end)

  it("leaves an editor's hidden files alone", function()
    rule("trigger", "return true")
    assert(os.execute(("ln -s me@desk.1 %s/.#trigger.lua"):format(dir)))
    local got = program.peal("check", dir)
    assert.are.same({ 0, "" }, { got.code, got.err }, got.out)
  end)

  it("tries the phones of a folder", function()
    rule("trigger", "if phone.identity.SN == '12345' then error('x') end\n"
      .. "return true")
    assert.are.equal(0, program.peal("check", dir).code)
    local phones = process.temp_dir()
    finally(function() process.remove(phones) end)
    local file = assert(io.open(phones .. "/one.lua", "wb"))
    file:write("return { identity = { SN = '12345' } }")
    file:close()
    local got = program.peal("check", dir, "--against", phones)
    assert.are.equal(1, got.code)
    assert.is_truthy(got.out:find("one.lua (cli)) [fails]", 1, true), got.out)
  end)

  it("runs the properties", function()
    rule("trigger", "return false, 'never'")
    local got = program.peal("check", dir, "--properties")
    assert.are.equal(1, got.code)
    assert.is_truthy(got.out:find("[way-home]", 1, true), got.out)
    assert.is_truthy(got.out:find("keeps_secrets: no secret", 1, true))
  end)

  it("says what it was not given", function()
    assert.are.equal(2, program.peal("check").code)
    assert.are.equal(2, program.peal("check", dir .. "/none").code)
    rule("trigger", "return true")
    assert.are.equal(2, program.peal("check", dir, "--against", dir).code)
  end)
end)
