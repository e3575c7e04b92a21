-- A simulated phone that reboots in peal run, with real servers. What happens
-- is counted on one event stream that outlives the reboots.
-- Source: MPP provisioning guide, Upgrade_Rule, Resync_After_Upgrade_Attempt.
local daemons = require "support.daemons"
local encode = require "peal.encode"
local phones = require "support.phones"
local process = require "support.process"
local program = require "support.program"
local servers = require "support.servers"
local sys = require "peal.sys"
local tcp = require "support.tcp"

local need, profile, write = phones.need, phones.profile, phones.write

local OLD <const> = "sip88xx.11-3-1MPP-234"
local NEW <const> = "sip88xx.11-3-2MPP0001-609"

describe("a simulated phone in peal run", function()
  local root, web, url, folder

  setup(function()
    root = process.temp_dir()
    if not servers.find("nginx") then return end
    web = servers.nginx { root = root }
    url = ("http://127.0.0.1:%d"):format(web.http_port)
    write(root .. "/" .. NEW .. ".loads", ("a load\n"):rep(300000))
  end)
  teardown(function()
    if web then web:stop() end
    process.remove(root)
  end)
  before_each(function()
    folder = process.temp_dir()
    write(root .. "/a.xml", profile { GPP_C = "got" })
  end)
  after_each(function() process.remove(folder) end)

  local function phone(params, device)
    local p = { Resync_Random_Delay = "0", Resync_Periodic = "0",
      Resync_Error_Retry_Delay = "0", Profile_Rule = url .. "/a.xml" }
    for name, value in pairs(params or {}) do p[name] = value end
    local d = { simulated = true, folder = folder }
    for name, value in pairs(device or {}) do d[name] = value end
    return phones.new { params = p, device = d }
  end

  local function upgrade_rule(from)
    return ("($SWVER ne %s)? %s/%s.loads"):format(NEW, from or url, NEW)
  end

  local function asked_for(pattern)
    local n = 0
    for _, request in ipairs(web.requests(0)) do
      if (request.path or request.uri or ""):find(pattern, 1, true) then
        n = n + 1
      end
    end
    return n
  end

  -- How often each event was heard; a "reboot" with its reason.
  local function count(s)
    local n = {}
    for _, event in ipairs(s.events) do
      local key = event.event
      if key == "reboot" then key = "reboot " .. event.reason end
      n[key] = (n[key] or 0) + 1
    end
    return n
  end

  -- After this, all that a boot has led to has been heard.
  local function settle(s)
    assert(s:ask("resync", { wait = true }))
    assert(s:ask("upgrade", { wait = true }))
    assert(s:ask("report", { wait = true }))
    return count(s)
  end

  it("takes a load, reboots into it, and takes it once", function()
    if not need("nginx") then return end
    local before = asked_for(NEW)
    local p <close> = phone { Upgrade_Rule = upgrade_rule(),
      Resync_On_Reset = "No" }
    local d <close> = daemons.start { p, at_once = true }
    d:wait_log("the phone starts %(upgrade%)")
    assert.are.equal(NEW, d:ask("status").phone.SWVER)
    local s <close> = d:follow()
    settle(s)
    assert.are.equal(before + 1, asked_for(NEW))
    assert.are.equal(0, d:stop())
    assert.matches("the phone starts %(power_on%).*reboot %(upgrade%).*"
      .. "up again, with the load " .. NEW:gsub("%p", "%%%0")
      .. ".*the phone starts %(upgrade%)", d:log())
    assert.are.equal(1, select(2, d:log():gsub("reboot %(", "")), d:log())
    -- power off and on: what runs is in the folder
    local again <close> = daemons.start { p }
    assert.are.equal(NEW, again:ask("status").phone.SWVER)
    assert(again:ask("resync", { wait = true }))
    assert.are.equal(0, again:stop())
    assert.are.equal(before + 1, asked_for(NEW))
  end)

  it("resyncs once it has tried to upgrade, on the same stream", function()
    if not need("nginx") then return end
    local before = asked_for(NEW)
    local p <close> = phone { Resync_On_Reset = "No",
      Resync_After_Upgrade_Attempt = "Yes" }
    local d <close> = daemons.start { p }
    local s <close> = d:follow()
    assert(s:ask("set", { values = { Upgrade_Rule = upgrade_rule() } }))
    assert.are.equal("done", s:wait { event = "upgrade" }.outcome)
    assert.are.equal("upgrade", s:wait { event = "reboot" }.reason)
    assert.are.equal(NEW, s:wait { event = "boot" }.SWVER)
    assert.are.equal("success", s:wait { event = "cycle" }.outcome)
    local n = settle(s)
    assert.are.equal(1, n["reboot upgrade"])
    assert.are.equal(1, n.boot)
    assert.are.equal(2, n.cycle) -- its own, and the one that was asked for
    assert.are.equal(before + 1, asked_for(NEW))
    assert.are.equal(0, d:stop())
    assert.matches("the phone starts %(upgrade%)\n.-resync 1 %(boot%) ok",
      d:log())
  end)

  it("measures its timers from each boot", function()
    if not need("nginx") then return end
    local p <close> = phone { Upgrade_Rule = upgrade_rule(),
      Resync_On_Reset = "No", GPP_A = "0" }
    local d <close> = daemons.start { p }
    d:wait_log("the phone starts %(upgrade%)")
    local result = d:ask("resync", { wait = true,
      rule = ("($PRVTMR lt 30 and $SWVER eq %s)? %s/a.xml"):format(NEW,
        url) })
    assert.are.equal("success", result.public.outcome)
    assert.are.equal("got", p:param("GPP_C"))
    assert.are.equal(0, d:stop())
  end)

  it("reboots once for a profile that asks for it", function()
    if not need("nginx") then return end
    write(root .. "/a.xml", profile { User_ID_1_ = "8080" })
    local p <close> = phone { Resync_On_Reset = "Yes" }
    local d <close> = daemons.start { p, at_once = true }
    d:wait_log("the phone starts %(resync_applied%)")
    local s <close> = d:follow()
    local n = settle(s)
    assert.is_nil(n["reboot resync_applied"])
    write(root .. "/a.xml", profile { User_ID_1_ = "8081" })
    assert(s:ask("resync", {}))
    s:wait { event = "reboot", reason = "resync_applied" }
    s:wait { event = "boot" }
    n = settle(s)
    assert.are.equal(1, n["reboot resync_applied"])
    assert.are.equal(1, n.boot)
    assert.are.equal(0, d:stop())
    assert.are.equal("8081", p:param("User_ID_1_"))
  end)

  it("answers a client across reboots", function()
    if not need("nginx") then return end
    local p <close> = phone { Resync_On_Reset = "No" }
    local d <close> = daemons.start { p }
    local s <close> = d:follow()
    for i = 1, 3 do
      write(root .. "/a.xml", profile { User_ID_1_ = 9000 + i })
      local result = assert(s:ask("resync", { wait = true }))
      assert.is_true(result.public.reboot)
      assert(s:ask("status"))
      s:wait { event = "boot" }
      local status = s:ask("status")
      assert.are_not.equal("FAILED", status.state)
    end
    assert.are.equal(3, count(s)["reboot resync_applied"])
    assert.are.equal(0, d:stop())
  end)

  it("does not hurry where a profile asks for a reboot each time", function()
    if not need("nginx") then return end
    write(root .. "/a.xml", profile { User_ID_1_ = "8080" })
    write(root .. "/b.xml", profile { User_ID_1_ = "8081" })
    local p <close> = phone { Resync_Periodic = "1",
      Profile_Rule_B = url .. "/b.xml" }
    local d <close> = daemons.start { p }
    d:wait_log("it has rebooted again: up in 1 s")
    local status = d:ask("status")
    assert.are.equal("the phone reboots", status.why_not_now)
    local none, _, word = d:ask("resync", { wait = true })
    assert.is_nil(none)
    assert.are.equal("bad-state", word)
    assert.are.equal(0, d:stop())
  end)

  it("does not come back by itself where it is a maker's", function()
    if not need("nginx") then return end
    write(root .. "/a.xml", profile { User_ID_1_ = "8080" })
    local p <close> = phones.new { params = { Resync_Random_Delay = "0",
      Resync_Periodic = "0", Profile_Rule = url .. "/a.xml" } }
    write(p.file, program.slurp(p.file):gsub("%s*}%s*$", [[,
      device = { reboot = function() end } }]]):gsub(",%s*,", ","))
    local d <close> = daemons.start { p }
    d:wait_log("reboot %(resync_applied%)")
    local none, _, word = d:ask("resync", {})
    assert.is_nil(none)
    assert.are.equal("bad-state", word)
    assert.are.equal(0, d:stop())
    assert.is_nil(d:log():find("up again", 1, true))
  end)

  it("that is killed while it takes a load runs the old one, and tries again",
    function()
      if not need("nginx") then return end
      local image = program.slurp(root .. "/" .. NEW .. ".loads")
      local slow <close> = tcp.serve { { "HTTP/1.1 200 OK\r\n"
        .. "Content-Length: 100000000\r\n\r\n", endless = "slow" } }
      local p <close> = phone { Resync_On_Reset = "No", Upgrade_Rule =
        upgrade_rule("http://127.0.0.1:" .. slow:port()) }
      local slot = folder .. "/slot-1"
      do
        local d <close> = daemons.start { p }
        local guard = process.now() + 30
        while (sys.stat(slot) or { size = 0 }).size < 10000 do
          assert(process.now() < guard)
          process.grown(slot, (sys.stat(slot) or { size = 0 }).size, 1,
            d.process)
        end
        d:stop(9)
      end
      slow:close()
      local d <close> = daemons.start { p }
      assert.are.equal(OLD, d:ask("status").phone.SWVER)
      local s <close> = d:follow()
      assert(s:ask("set", { values = { Upgrade_Rule = upgrade_rule() } }))
      assert.are.equal(NEW, s:wait { event = "boot" }.SWVER)
      assert.are.equal(encode.sha256():add(image):hex(),
        encode.sha256():add(program.slurp(slot)):hex())
      assert.are.equal(0, d:stop())
    end)
end)
