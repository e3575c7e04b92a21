-- peal plan against real servers: what it says, and that nothing else happens.
local process = require "support.process"
local program = require "support.program"
local servers = require "support.servers"
local support = require "support.engine"

local PHONE <const> = [[
return {
  identity = { PN = "CP-8841-3PCC", MAC = "000e08abcdef" },
  params = { Profile_Rule = %q, Resync_Periodic = "3600", GPP_A = "before",
    Syslog_Server = %q, User_ID_1_ = "1001" },
  device = { simulated = true, lines_active = 0 },
}
]]

-- A phone with a store, and a server with a profile for it.
local function desk(params, rule)
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
  file:write(PHONE:format(rule or self.url,
    "127.0.0.1:" .. self.sink.port))
  file:close()
  self.serve(params)
  assert(self.peal("set", "GPP_B=1").code == 0)
  return setmetatable(self, { __close = function()
    self.web:stop()
    self.sink.stop()
    process.remove(self.dir)
    process.remove(self.root)
  end })
end

describe("peal plan", function()
  it("prints what would change and leaves the store byte for byte as it was",
    function()
      local d <close> = desk { GPP_A = "after", Proxy_1_ = "sip.example",
        Password_1_ = "geheim-7", Resync_Periodic = "7200" }
      local before = program.snapshot(d.store)
      local r = d.peal("plan")
      assert.equal(0, r.code, r.err)
      assert.matches("GPP_A +before +after +Profile_Rule", r.out)
      assert.matches("line 1 registers anew: Password_1_, Proxy_1_", r.out)
      assert.matches("reboot +the phone reboots", r.out)
      assert.matches("after +periodic, ", r.out)
      assert.matches("plan: 4 changes; nothing was written", r.out)
      assert.is_nil((r.out .. r.err):find("geheim", 1, true))
      assert.same(before, program.snapshot(d.store))
      assert.is_nil(d.sink.recv(0)) -- a resync would send two lines
      assert.equal(1, #d.web.requests(1))
    end)
end)
