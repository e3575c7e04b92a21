local control_log = require "peal.world.control_log"
local process = require "support.process"
local program = require "support.program"
local secret = require "peal.secret"

local INTERPRETER <const> = program.path:match("^(.*)/") .. "/tests/peal-lua"
local T <const> = 1795342530 -- 2026-11-22T10:15:30Z

describe("the control log", function()
  local dir, log, mono

  before_each(function()
    dir, mono = process.temp_dir(), 0
    log = control_log.new(dir)
  end)
  after_each(function() process.remove(dir) end)

  -- Lines far enough apart to be let through.
  local function write(text)
    mono = mono + 1
    return log:write(text, { time = T, mono = mono })
  end

  local function read(name)
    local file = io.open(dir .. "/" .. (name or "messages"), "rb")
    if not file then return nil end
    local text = file:read("a")
    file:close()
    return text
  end

  it("is one line an event, oldest first, in UTC", function()
    write("one")
    write("two")
    assert.are.equal("2026-11-22T10:15:30Z one\n2026-11-22T10:15:30Z two\n",
      read())
  end)

  it("shows control characters by their numbers, and no secret", function()
    write("a\nb\r\27[31m\0 " .. secret.reference("GPP_SA", "s3cret"))
    local text = read()
    assert.are.equal(1, select(2, text:gsub("\n", "")))
    assert.is_nil(text:find("[%z\1-\9\11-\31]"))
    assert.is_truthy(text:find("a\\nb", 1, true))
    assert.is_nil(text:find("s3cret", 1, true))
  end)

  it("cuts long lines", function()
    write(("x"):rep(100000))
    assert.is_true(#read() < 1100)
  end)

  it("keeps six files of 64 KiB at most, the newest in messages", function()
    for i = 1, 4000 do
      mono = mono + 1
      assert.is_true(log:write(("%05d "):format(i) .. ("x"):rep(200),
        { time = T, mono = mono }))
    end
    local list = {}
    for _, name in ipairs { "messages.4", "messages.3", "messages.2",
      "messages.1", "messages.0", "messages" } do
      local text = read(name)
      assert.is_true(#text <= 65536, name)
      list[#list + 1] = text
    end
    assert.is_nil(read("messages.5"))
    local last
    for number in table.concat(list):gmatch("Z (%d+) ") do
      local n = math.tointeger(tonumber(number))
      assert.is_true(last == nil or n == last + 1)
      last = n
    end
    assert.are.equal(4000, last)
  end)

  it("lets a flood through for a while only, and says what is missing",
    function()
      local written = 0
      for i = 1, 100000 do
        if log:write("flood " .. i, { time = T, mono = 5 }) then
          written = written + 1
        end
      end
      assert.is_true(written <= 500)
      assert.is_true(log:write("after", { time = T, mono = 100 }))
      assert.is_truthy(read():find(
        (" %d lines are missing here"):format(100000 - written), 1, true))
      assert.is_truthy(read():find("Z after\n$"))
    end)

  it("loses lines, and no more, while it cannot be written", function()
    write("before")
    process.remove(dir)
    assert.is_false(write("lost"))
    assert.is_false(write("lost as well"))
    process.mkdir(dir)
    assert.is_true(write("again"))
    local text = read()
    assert.is_truthy(text:find("Z 2 lines are missing here", 1, true))
    assert.is_nil(text:find("lost", 1, true))
  end)

  it("goes on after a full disk, each line on its own", function()
    local unshare = io.open("/usr/bin/unshare")
    if not unshare or process.uid() ~= 0 then
      return pending("a small file system takes root and unshare")
    end
    unshare:close()
    -- in a mount namespace of its own: 64 KiB of file system, filled, freed
    local script = dir .. "/full.lua"
    local file = assert(io.open(script, "w"))
    file:write([[
      local log = require("peal.world.control_log").new(arg[1])
      local function write(text, mono)
        return log:write(text, { time = ]] .. T .. [[, mono = mono })
      end
      assert(write("before", 1))
      local f = assert(io.open(arg[1] .. "/filler", "wb"))
      f:setvbuf("no")
      while f:write(("x"):rep(512)) do end
      f:close()
      local lost, mono = 0, 1
      for _ = 1, 60 do
        mono = mono + 1
        if not write(("full "):rep(150), mono) then lost = lost + 1 end
      end
      assert(lost > 0)
      os.remove(arg[1] .. "/filler")
      assert(write("after", mono + 1))
      for line in io.lines(arg[1] .. "/messages") do print(line) end
    ]])
    file:close()
    process.mkdir(dir .. "/small")
    local got = program.run { "/usr/bin/unshare", "-m", "/bin/sh", "-c",
      ("mount -t tmpfs -o size=64k tmpfs %s/small && exec %s %s %s/small")
        :format(dir, INTERPRETER, script, dir) }
    if got.err:find("mount") or got.err:find("unshare") then
      return pending("no file system of its own here: " .. got.err)
    end
    assert.are.equal(0, got.code, got.err)
    assert.is_truthy(got.out:find("Z before\n", 1, true))
    assert.is_truthy(got.out:find("\n2026%-11%-22T10:15:30Z %d+ lines are "
      .. "missing here"))
    assert.is_truthy(got.out:find("Z after\n$"))
  end)
end)
