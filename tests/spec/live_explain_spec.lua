-- peal explain over real stores: without a daemon, beside one, and after it.
local daemons = require "support.daemons"
local phones = require "support.phones"
local servers = require "support.servers"
local process = require "support.process"

local need, profile, write = phones.need, phones.profile, phones.write

local CALM <const> = { Resync_On_Reset = "No", Resync_Periodic = "0",
  Resync_Error_Retry_Delay = "0" }

local function phone(params)
  local all = {}
  for name, value in pairs(CALM) do all[name] = value end
  for name, value in pairs(params) do all[name] = value end
  return phones.new { params = all }
end

describe("peal explain", function()
  local root, web, url

  setup(function()
    root = process.temp_dir()
    if not servers.find("nginx") then return end
    web = servers.nginx { root = root }
    url = ("http://127.0.0.1:%d/a.xml"):format(web.http_port)
  end)
  teardown(function()
    if web then web:stop() end
    process.remove(root)
  end)
  before_each(function()
    write(root .. "/a.xml", profile { GPP_C = "got", GPP_SC = "geh31m" })
  end)

  it("tells a cycle of yesterday, from the disk", function()
    if not need("nginx") then return end
    local p <close> = phone { Profile_Rule = url,
      Profile_Rule_B = "(1 = 2)? http://h/y | " .. url }
    assert.equal(0, p:resync().code)
    local out = p:run("explain", "--cycle", "last").out
    assert.matches("^cycle 1: success\n", out)
    assert.matches("condition +1 = 2 is false", out)
    assert.matches("not taken: its condition is false", out)
    assert.matches("GPP_C %(line %d+%): says the same", out)
    assert.matches('GPP_C: "" %-> "got" %(Profile_Rule%)', out)
    assert.is_nil(out:find("geh31m", 1, true))
    out = p:run("explain", "GPP_C").out
    assert.matches("in vain +who else", out)
    assert.matches("cycle 1, Profile_Rule_B http", out)
  end)

  it("tells of a cycle that failed, after the daemon has ended", function()
    local p <close> = phone { Profile_Rule = "http://127.0.0.1:9/a.xml" }
    do
      local d <close> = daemons.start { p }
      local done = d:ask("resync", { wait = true })
      assert.equal("failure", done.public.outcome)
      assert.equal(0, d:stop())
    end
    local r = p:run("explain", "--cycle", "1")
    assert.equal(0, r.code, r.err)
    assert.matches("^cycle 1: failure\n", r.out)
    assert.matches("failed +.*%[connect%]", r.out)
    r = p:run("explain", "--cycle", "9")
    assert.equal(1, r.code)
    assert.matches("trace of cycle 9 is not kept", r.err)
    assert.matches("kept are those of cycle 1", r.err)
  end)

  it("tells of a cycle that failed, while the daemon has yet to write it",
    function()
      local p <close> = phone { Profile_Rule = "http://127.0.0.1:9/a.xml" }
      local d <close> = daemons.start { p }
      for cycle = 1, 2 do
        d:ask("resync", { wait = true })
        for _, which in ipairs { "last", tostring(cycle) } do
          local r = p:run("explain", "--cycle", which)
          assert.equal(0, r.code, r.err)
          assert.matches(("^cycle %d: failure\n"):format(cycle), r.out)
          assert.matches("failed +.*%[connect%]", r.out)
        end
      end
      local r = p:run("explain", "GPP_A")
      assert.matches("in vain +who else", r.out)
      assert.matches("cycle 2 failed: Profile_Rule", r.out)
      assert.equal(0, d:stop())
    end)

  it("tells of a name that is none, while the daemon has yet to write it",
    function()
      if not need("nginx") then return end
      write(root .. "/a.xml", profile { Odd_Name = "y" })
      local p <close> = phone { Profile_Rule = url }
      local d <close> = daemons.start { p }
      d:ask("resync", { wait = true })
      local r = p:run("explain", "Odd_Name")
      assert.equal(1, r.code)
      assert.matches("no such parameter: Odd_Name; Profile_Rule names it: http",
        r.err)
      assert.equal(0, d:stop())
    end)

  it("says why no resync is running, beside a daemon and without", function()
    local p <close> = phone { Resync_Trigger_1 = "$PRVTMR ge 999999999",
      Resync_On_Reset = "Yes", Resync_Random_Delay = "0",
      Resync_Periodic = "3600" }
    local r = p:run("explain", "--not-now")
    assert.equal(0, r.code, r.err)
    assert.matches("^no resync is running: no daemon keeps this phone\n",
      r.out)
    assert.matches("condition +%d+ >= 999999999 is false", r.out)
    local d <close> = daemons.start { p }
    local s <close> = d:follow()
    while d:ask("status").state ~= "GATED" do s:wait { event = "state" } end
    local found = p:run("explain", "--not-now")
    assert.matches("^no resync is running: waiting for the trigger", found.out)
    assert.matches("due +the phone started", found.out)
    assert.matches("condition +%d+ >= 999999999 is false", found.out)
    assert.equal(0, d:stop())
  end)

  it("names a file where a parameter's name is none", function()
    if not need("nginx") then return end
    write(root .. "/a.xml", profile { GPP_C = "x", Odd_Name = "y" })
    local p <close> = phone { Profile_Rule = url }
    assert.equal(0, p:resync().code)
    local r = p:run("explain", "Odd_Name")
    assert.equal(1, r.code)
    assert.matches("no such parameter: Odd_Name; Profile_Rule names it: http",
      r.err)
    assert.matches("keep%-unknown", r.err)
  end)

  it("takes one thing at a time", function()
    local p <close> = phone {}
    for _, args in ipairs { { "explain" }, { "explain", "GPP_A", "GPP_B" },
      { "explain", "GPP_A", "--not-now" }, { "explain", "--cycle", "x" },
      { "explain", "--cycle", "1", "--not-now" } } do
      assert.equal(2, p:run(table.unpack(args)).code)
    end
    local r = p:run("explain", "--cycle", "last")
    assert.same({ 1, true }, { r.code,
      r.err:find("no trace of a cycle is kept", 1, true) ~= nil })
  end)
end)
