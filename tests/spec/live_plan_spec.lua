-- peal plan against real servers: what it says, and that nothing else happens.
local daemons = require "support.daemons"
local json = require "peal.json"
local process = require "support.process"
local program = require "support.program"
local servers = require "support.servers"
local support = require "support.engine"
local tcp = require "support.tcp"
local sys = require "peal.sys"

local PHONE <const> = [[
return {
  identity = { PN = "CP-8841-3PCC", MAC = "000e08abcdef" },
  params = { Profile_Rule = %q, Resync_Periodic = "3600", GPP_A = "before",
    Syslog_Server = %q, User_ID_1_ = "1001" },
  device = { simulated = true, lines_active = 0 },
}
]]

-- A phone with a store, and a server with a profile for it.
local function desk(params)
  local self = { dir = process.temp_dir() }
  self.root = process.temp_dir()
  self.web = servers.nginx { root = self.root }
  self.sink = servers.syslog_sink()
  self.url = ("http://127.0.0.1:%d/a.xml"):format(self.web.http_port)
  self.store, self.phone = self.dir .. "/st", self.dir .. "/phone.lua"
  function self.serve(values)
    local file = assert(io.open(self.root .. "/a.xml", "wb"))
    file:write(support.profile(values))
    file:close()
  end
  function self.peal(...)
    return program.peal("--phone", self.phone, "--store", self.store, ...)
  end
  local file = assert(io.open(self.phone, "wb"))
  file:write(PHONE:format(self.url,
    "127.0.0.1:" .. self.sink.port))
  file:close()
  self.plan = self.dir .. "/a.plan"
  function self.write(name, text)
    local out = assert(io.open(self.dir .. "/" .. name, "wb"))
    out:write(text)
    out:close()
  end
  --- Its daemon.
  function self.run()
    return daemons.start { { file = self.phone, store = self.store } }
  end
  self.serve(params)
  assert(self.peal("set", "GPP_B=1").code == 0)
  return setmetatable(self, { __close = function()
    self.web:stop()
    self.sink.stop()
    process.remove(self.dir)
    process.remove(self.root)
  end })
end

-- The revisions of a store, byte for byte; a daemon has its socket there.
local function kept(d)
  local out = {}
  for _, name in ipairs(sys.list(d.store)) do
    if name:find("^rev") then
      out[name] = program.slurp(d.store .. "/" .. name)
    end
  end
  return out
end

local NEW <const> = { GPP_A = "after", Proxy_1_ = "sip.example",
  Password_1_ = "geheim-7", Resync_Periodic = "7200" }

local function has_no_secret(r)
  assert.is_nil((r.out .. r.err):find("geheim", 1, true))
end

describe("peal plan", function()
  it("prints what would change and leaves the store byte for byte as it was",
    function()
      local d <close> = desk(NEW)
      local before = program.snapshot(d.store)
      local r = d.peal("plan")
      assert.equal(0, r.code, r.err)
      assert.matches("GPP_A +before +after +Profile_Rule", r.out)
      assert.matches("line 1 registers anew: Password_1_, Proxy_1_", r.out)
      assert.matches("reboot +the phone reboots", r.out)
      assert.matches("after +periodic, ", r.out)
      assert.matches("plan: 4 changes; nothing was written", r.out)
      has_no_secret(r)
      assert.same(before, program.snapshot(d.store))
      assert.is_nil(d.sink.recv(0)) -- a resync would send two lines
      assert.equal(1, #d.web.requests(1))
    end)

  it("ends with 4 where something would change, if it is asked to", function()
    local d <close> = desk(NEW)
    assert.equal(4, d.peal("plan", "--exit-code").code)
    assert.equal(0, d.peal("resync").code)
    local r = d.peal("plan", "--exit-code")
    assert.equal(0, r.code)
    assert.matches("plan: no change; nothing was written", r.out)
  end)

  it("fails and is refused with the words of peal resync", function()
    local d <close> = desk(NEW)
    local function same(code, ...)
      local planned, real = d.peal("plan", ...), d.peal("resync", ...)
      assert.equal(code, planned.code, planned.err)
      assert.equal(code, real.code)
      local at = planned.err:find(real.err, 1, true)
        or planned.err:find((real.err:gsub("^peal: refused", "refused")), 1,
          true)
      assert(at, planned.err .. "\nis not\n" .. real.err)
    end
    same(1, d.url .. "-none")
    same(1, "[--key geheim-1] " .. d.url)
    same(1, "gopher://x/y")
    assert(d.peal("set", "Provision_Enable=No").code == 0)
    same(3)
  end)

  it("goes by the rule files that it is given", function()
    local d <close> = desk(NEW)
    sys.mkdir(d.dir .. "/rules")
    d.write("rules/apply.lua", [[return { stage = "apply",
      decide = function() return { refuse = { GPP_A = "not ours" } } end }]])
    local r = d.peal("plan", "--rules", d.dir .. "/rules")
    assert.matches("GPP_A refused by [^:]*apply.lua: not ours", r.out)
    assert.matches("plan: 3 changes", r.out)
  end)

  it("says which conditions of a rule that does nothing were false",
    function()
      local d <close> = desk(NEW)
      local r = d.peal("plan", '("$SWVER" eq "other")? ' .. d.url)
      assert.matches('rule: "sip88xx.11-3-1MPP-234" = "other" is false', r.out,
        1, true)
    end)

  it("is one document with --json", function()
    local d <close> = desk(NEW)
    local out = json.decode(d.peal("plan", "--json").out)
    assert.equal("success", out.outcome)
    assert.equal(4, #out.changes)
    local kinds = {}
    for i, effect in ipairs(out.effects) do kinds[i] = effect.kind end
    assert.same({ "reboot", "reregister", "schedule" }, kinds)
    assert.equal("periodic", out.schedule.after.cause)
    assert.equal("boot", out.schedule.before.cause)
  end)

  it("goes on from where the daemon of the store is", function()
    local d <close> = desk { GPP_A = "after" }
    local daemon <close> = d.run()
    daemon:ask("resync", { wait = true })
    d.serve { GPP_A = "later" }
    local log, before = daemon:log(), kept(d)
    local out = json.decode(d.peal("plan", "--json").out)
    assert.is_true(out.daemon)
    assert.equal("GPP_A", out.changes[1].name)
    assert.equal("after", out.changes[1].old)
    assert.equal("periodic", out.schedule.before.cause)
    assert.equal(log, daemon:log())
    assert.same(before, kept(d))
  end)
end)

describe("peal apply", function()
  it("applies exactly what was planned", function()
    local d <close> = desk(NEW)
    assert.equal(0, d.peal("plan", "--out", d.plan).code)
    assert.equal(384, sys.stat(d.plan).mode) -- 0600
    assert.is_nil(program.slurp(d.plan):find("geheim", 1, true))
    assert.is_nil(program.slurp(d.plan):find("after", 1, true))
    local asked = #d.web.requests(1)
    local r = d.peal("apply", d.plan)
    assert.equal(0, r.code, r.err)
    assert.matches("applied: 4 changes, revision %d+; a reboot is needed",
      r.out)
    assert.equal(asked + 1, #d.web.requests(asked + 1))
    assert.equal("after\n", d.peal("get", "GPP_A").out)
    has_no_secret(r)
  end)

  local function refuses(d, pattern, ...)
    local before = kept(d)
    local r = d.peal("apply", d.plan, ...)
    assert.equal(1, r.code, r.out)
    assert.matches(pattern, r.err)
    assert.matches("[changed]", r.err, 1, true)
    assert.same(before, kept(d))
    has_no_secret(r)
  end

  it("writes nothing once a byte of a file is another, and names it",
    function()
      local d <close> = desk(NEW)
      d.peal("plan", "--out", d.plan)
      d.serve { GPP_A = "after", Proxy_1_ = "sip.example",
        Password_1_ = "geheim-8", Resync_Periodic = "7200" }
      refuses(d, "a.xml has changed")
    end)

  it("writes nothing once the store is another, and names the parameter",
    function()
      local d <close> = desk(NEW)
      d.peal("plan", "--out", d.plan)
      d.peal("set", "GPP_C=x", "Password_2_=geheim-2")
      refuses(d, "the store has changed since revision %d+: "
        .. "GPP_C, Password_2_")
    end)

  it("writes nothing once a rule file or the phone is another", function()
    local d <close> = desk(NEW)
    d.peal("plan", "--out", d.plan)
    sys.mkdir(d.dir .. "/rules")
    d.write("rules/apply.lua", "return { stage = 'apply', decide = function()"
      .. " return {} end }")
    refuses(d, "rule files have changed: [^;]*apply.lua", "--rules",
      d.dir .. "/rules")
    refuses(d, "the phone is another", "--set", "GPP_D=1")
  end)

  it("takes the rule again whose secret the plan does not hold", function()
    local d <close> = desk(NEW)
    local rule = "[--uid u --pwd geheim-5] " .. d.url
    assert.equal(0, d.peal("plan", rule, "--out", d.plan).code)
    assert.is_nil(program.slurp(d.plan):find("geheim", 1, true))
    assert.equal(2, d.peal("apply", d.plan).code)
    refuses(d, "the rule is another", "[--uid u --pwd geheim-6] " .. d.url)
    assert.equal(0, d.peal("apply", d.plan, rule).code)
  end)

  it("refuses what is no plan", function()
    local d <close> = desk(NEW)
    for _, text in ipairs { "", "{}", "[1]", '{"peal_plan":2}',
      '{"peal_plan":1,"request":{},"before":1,"answers":[],"result":{}}' } do
      d.write("a.plan", text)
      local r = d.peal("apply", d.plan)
      assert.equal(1, r.code)
      assert.is_truthy(r.err:find(d.plan .. ": this", 1, true), r.err)
    end
  end)

  it("hands the plan to the daemon of the store, which says why not",
    function()
      local d <close> = desk { GPP_A = "after" }
      local daemon <close> = d.run()
      daemon:ask("resync", { wait = true })
      d.serve { GPP_A = "later" }
      assert.equal(0, d.peal("plan", "--out", d.plan).code)
      d.serve { GPP_A = "much later" }
      refuses(d, "a.xml has changed")
      assert.matches("a plan %(cli%) is not applied", daemon:log())
      d.serve { GPP_A = "later" }
      local r = d.peal("apply", d.plan)
      assert.equal(0, r.code, r.err)
      assert.matches("applied: 1 change", r.out)
      assert.matches("resync %d+ %(cli%) ok: 1 change", daemon:log())
      assert.equal(0, daemon:stop())
      assert.equal("later\n", d.peal("get", "GPP_A").out)
    end)
end)

describe("peal plan --fleet", function()
  it("sums up what is done where ^C stops it, and ends with 130", function()
    local dir = process.temp_dir()
    local server = tcp.serve({ { hold = true } }, "127.0.0.1")
    finally(function()
      server:close()
      process.remove(dir)
    end)
    local file = assert(io.open(dir .. "/phones.csv", "wb"))
    file:write("MAC,Profile_Rule\n000e08abcde1,\n000e08abcde2,"
      .. ("http://127.0.0.1:%d/a.xml\n000e08abcde3,\n"):format(
      server:port()))
    file:close()
    local phone = assert(io.open(dir .. "/phone.lua", "wb"))
    phone:write('return { params = { Profile_Rule = "" } }')
    phone:close()
    local p = assert(process.spawn({ program.path, "plan", "--fleet",
      dir .. "/phones.csv", "--phone", dir .. "/phone.lua", "--jobs", "1" },
      { stdout = dir .. "/out", stderr = dir .. "/err" }))
    assert(server:request(30))
    p:kill(2) -- INT
    assert.same({ "exited", 130 }, { p:wait(30) })
    local out = program.slurp(dir .. "/out")
    assert.matches("stopped after 1 of 3 phones\nplan: 1 phone: 1 unchanged, "
      .. "0 changed, 0 failed, 0 refused; nothing was written\n$", out)
  end)
end)
