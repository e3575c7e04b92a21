-- peal simulate from the store of a daemon: it goes on from where its phone
-- is, and the daemon does not notice.
local phones = require "support.phones"
local daemons = require "support.daemons"
local process = require "support.process"
local program = require "support.program"
local servers = require "support.servers"
local support = require "support.engine"

describe("peal simulate with a daemon", function()
  it("begins, with a boot, from what the daemon's phone knows", function()
    local root = process.temp_dir()
    local web = servers.nginx { root = root }
    phones.write(root .. "/a.xml", support.profile { GPP_A = "after" })
    local p <close> = phones.new { params = {
      Profile_Rule = ("http://127.0.0.1:%d/a.xml"):format(web.http_port),
      Resync_Random_Delay = "0" } }
    assert.are.equal(0, p:resync().code)
    local d = daemons.start { p }
    for _ = 1, 3 do d:ask("resync", { wait = true }) end
    local cycle = d:ask("status", {}).cycle
    local before = d:ask("status", {}).revision
    local r = program.peal("simulate", "--phone", p.file, "--store", p.store,
      "--days", "0.1", "-v")
    assert.are.equal(0, r.code, r.err)
    assert.matches("boot %(power_on%)", r.out)
    assert.truthy(r.out:find(("resync %d (boot) "):format(cycle + 1), 1, true),
      cycle .. r.out)
    assert.are.equal(before, d:ask("status", {}).revision)
    assert.are.equal(0, d:stop())
    d:close()
    web:stop()
    process.remove(root)
  end)

  it("says so in its help", function()
    assert.matches("begins from what that daemon knows",
      program.peal("simulate", "--help").out)
  end)
end)
