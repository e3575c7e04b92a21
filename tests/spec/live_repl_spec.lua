-- A session on real servers, and attached to a daemon.
local daemons = require "support.daemons"
local json = require "peal.json"
local phones = require "support.phones"
local process = require "support.process"
local program = require "support.program"
local servers = require "support.servers"

local need, profile, write = phones.need, phones.profile, phones.write

describe("peal repl", function()
  local root, web, url, p, d

  setup(function()
    root = process.temp_dir()
    if not servers.find("nginx") then return end
    web = servers.nginx { root = root }
    url = ("http://127.0.0.1:%d"):format(web.http_port)
  end)
  teardown(function()
    if web then web:stop() end
    process.remove(root)
  end)
  before_each(function()
    p = phones.new { params = { Profile_Rule = (url or "http://x") .. "/a.xml",
      Resync_On_Reset = "No", Resync_Periodic = "0",
      Resync_Error_Retry_Delay = "0" } }
    write(root .. "/a.xml", profile { GPP_B = "from the server",
      GPP_SB = "s3cret-of-server" })
  end)
  after_each(function()
    if d then d:close() end
    p:close()
    d = nil
  end)

  local function script(text, ...)
    local file = write(p.dir .. "/script", text)
    local r = program.run { "sh", "-c", 'f=$1; shift; exec "$@" < "$f"', "sh",
      file, program.path, "repl", "--phone", p.file, "--store", p.store, ... }
    assert.is_nil((r.out .. r.err):find("s3cret", 1, true), r.out .. r.err)
    return r
  end

  local function succeeds(text, ...)
    local r = script(text, ...)
    assert.equal(0, r.code, r.err .. r.out)
    return r.out, r.err
  end

  describe("without a daemon", function()
    it("runs a resync in the session, which :commit writes", function()
      if not need("nginx") then return end
      local out = succeeds [[
resync().outcome
param.GPP_B
store:revision() > 0
#why("GPP_B").steps > 0
:diff
]]
      assert.matches('^"success"\n"from the server"\ntrue\ntrue\n', out)
      assert.matches("GPP_B +from the server\n", out)
      assert.equal("", p:param("GPP_B"))
      succeeds "resync()\n:commit!\n"
      assert.equal("from the server", p:param("GPP_B"))
      assert.equal("repl", p:explain("GPP_B").author)
    end)

    it("plans, and leaves the session as it was", function()
      if not need("nginx") then return end
      local out = succeeds(":plan\n:diff\nplan().changes[1].name\n"
        .. "#plan('" .. url .. "/none.xml').changes\n")
      assert.matches("GPP_B +from the server +Profile_Rule\n", out)
      assert.matches("nothing was written\n", out)
      assert.matches('nothing is written.-\n"GPP_B"\n0\n', out)
    end)

    it("steps through the phases of a resync", function()
      if not need("nginx") then return end
      local out = succeeds [[
:step
step.step
run.asked_by
n
trace.steps[2].step
trace.on_step == nil and trace.on_note == nil
run.names
c
:trace
run
:step
n
q
]]
      assert.matches('trigger .-\n"trigger"\n"cli"\nrule .-\n"rule"\ntrue\n'
        .. '{ "Profile_Rule", "Profile_Rule_B"', out)
      assert.matches("success, 2 changes; nothing was written\n", out)
      assert.matches("\ncycle 1: success\n  at .-\n  because .-\n  trigger .-"
        .. "\n  rule +Profile_Rule\n.-\n    commit +2 changes\n", out)
      assert.matches("\nrule +Profile_Rule\n  text +http", out)
      assert.is_nil(out:find("triggers=", 1, true))
      assert.is_nil(out:find("alternatives=", 1, true))
      assert.matches("the run was left\n$", out)
    end)

    it("stops where a parameter is written", function()
      if not need("nginx") then return end
      local out = succeeds [[
:break GPP_B
:break GPP_SB
:plan
change
c
change.new
c
:break -GPP_B
:break
]]
      assert.matches('GPP_B is about to be written by Profile_Rule, line 2: '
        .. '"" %-> "from the server"\n', out)
      assert.matches('{.-line = 2.-rule = "Profile_Rule".-}', out)
      assert.matches('"#%x+"\n', out)
      assert.matches("stops at: GPP_SB\n$", out)
    end)
  end)

  describe("attached to a daemon", function()
    local function attach()
      if not need("nginx") then return false end
      d = daemons.start { p }
      return true
    end

    it("asks it for what is live", function()
      if not attach() then return end
      local out = succeeds([[
status().state
status().daemon.pid
select("#", status())
#schedule(3)
#certs()
:timers
:rules
:reload
]], "--attach")
      assert.matches(('^"IDLE"\n%d\n1\n0\n0\n'):format(d.process:pid()), out)
      d:wait_log("rules are read anew, as a client asked")
    end)

    it("says that :break stops the session's own runs, and not those there",
      function()
        if not attach() then return end
        local out = succeeds(":break GPP_B\nresync().outcome\n", "--attach")
        assert.equal("a run of this session (:step, :plan) stops when GPP_B is "
          .. "written; resync() is the daemon's, and goes on\n\"success\"\n",
          out)
      end)

    it("is asked for the trace of a cycle that it has yet to write",
      function()
        if not attach() then return end
        process.remove(root .. "/a.xml")
        assert.equal("failure", d:ask("resync",
          { wait = true }).public.outcome)
        local out = succeeds(":trace\n:why GPP_A\n", "--attach")
        assert.matches("^cycle %d+: failure\n", out)
        assert.matches("in vain .-cycle %d+ failed: Profile_Rule", out)
      end)

    it("is named by a :plan that is not attached", function()
      if not attach() then return end
      assert.matches("the next resync (of its daemon with peal repl --attach "
        .. p.store .. ": as after a start now)\n", succeeds ":plan\n", 1, true)
      assert.matches("the next resync\n", succeeds(":plan\n", "--attach"))
    end)

    it("has it do nothing where it is --read-only", function()
      if not attach() then return end
      for _, line in ipairs { ":reload", "resync()" } do
        local r = script(line .. "\n", "--attach", "--read-only")
        assert.equal(1, r.code)
        assert.matches("this session is --read-only", r.err, 1, true)
      end
    end)

    it("has it resync, and sees what came of it", function()
      if not attach() then return end
      local out = succeeds("param.GPP_B\nresync().outcome\nparam.GPP_B\n"
        .. ":diff\n", "--attach")
      assert.equal('""\n"success"\n"from the server"\n'
        .. "nothing is written that is not committed\n", out)
      assert.equal("from the server", p:param("GPP_B"))
    end)

    it("commits through it, as the author repl", function()
      if not attach() then return end
      local s <close> = d:follow()
      local out = succeeds("param.GPP_C = 'mine'\n:commit!\nparam.GPP_C\n",
        "--attach")
      assert.matches('1 changed, revision %d+\n"mine"\n$', out)
      assert.equal("repl", p:explain("GPP_C").author)
      s:ask("ping")
      d:wait_log("1 parameter set by hand")
    end)

    it("commits through a daemon that it is not attached to", function()
      if not attach() then return end
      succeeds "param.GPP_C = 'mine'\n:commit!\n"
      d:wait_log("1 parameter set by hand")
      assert.equal("repl", p:explain("GPP_C").author)
    end)

    it("takes the store's name after --attach", function()
      if not attach() then return end
      local r = program.peal("repl", "--attach", p.store, "-e",
        "phone.MAC", "--json")
      assert.same({ 0, "000e08abcdef" }, { r.code, json.decode(r.out) })
    end)

    it("goes on from where the daemon's phone is", function()
      if not attach() then return end
      assert(d:ask("resync", { wait = true }))
      local out = succeeds("plan().cycle\n#plan().changes\n"
        .. "phone.state.PRVTMR < 60\n", "--attach")
      assert.equal("2\n0\ntrue\n", out)
    end)

    it("says that it has ended, and keeps what it has", function()
      if not attach() then return end
      local r = script(("param.GPP_C = 'x'\nos.execute 'kill %d'\n"
        .. "repeat until not pcall(status)\nparam.GPP_C\nstatus()\n"):format(
        d.process:pid()), "--attach")
      assert.equal(1, r.code)
      assert.matches('"x"\n', r.out)
      assert.matches("the daemon has ended", r.err)
    end)
  end)
end)
