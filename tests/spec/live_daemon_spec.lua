-- peal run with real servers: what it does by itself, and what clients see.
-- Everything is waited for by events; nothing sleeps.
local daemons = require "support.daemons"
local json = require "peal.json"
local phones = require "support.phones"
local process = require "support.process"
local program = require "support.program"
local servers = require "support.servers"
local tcp = require "support.tcp"

local need, profile, write = phones.need, phones.profile, phones.write

local LONG <const> = os.getenv("PEAL_LONG") == "1"
local WHO <const> = "CP%-8841%-3PCC 00:0e:08:ab:cd:ef"

-- A phone that resyncs at once and every second.
local function eager(params, o)
  o = o or {}
  o.params = { Resync_Random_Delay = "0", Resync_Periodic = "1",
    Resync_Error_Retry_Delay = "1" }
  for name, value in pairs(params or {}) do o.params[name] = value end
  return phones.new(o)
end

-- A phone that resyncs when it is asked.
local function calm(params, o)
  o = o or {}
  o.params = { Resync_On_Reset = "No", Resync_Periodic = "0",
    Resync_Error_Retry_Delay = "0" }
  for name, value in pairs(params or {}) do o.params[name] = value end
  return phones.new(o)
end

local function without(text, piece)
  return (text:gsub(piece:gsub("%p", "%%%0"), ""))
end

local NOWHERE <const> = "http://127.0.0.1:9/a.xml"

describe("peal run", function()
  local root, web, url

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
    write(root .. "/a.xml", profile { GPP_C = "got", GPP_SC = "geh31m" })
  end)

  it("resyncs by itself, again and again", function()
    if not need("nginx") then return end
    local p <close> = eager { Profile_Rule = url .. "/a.xml" }
    local d <close> = daemons.start { p }
    local s <close> = d:follow()
    s:wait { event = "cycle", asked_by = "periodic", outcome = "success" }
    write(root .. "/a.xml", profile { GPP_C = "changed" })
    local event = s:wait { event = "cycle", changes = 1 }
    assert.are.equal("000e08abcdef", event.phone)
    assert.are.equal("changed", p:param("GPP_C"))
    assert.are.equal(0, d:stop())
  end)

  it("takes tftp", function()
    if not need("in.tftpd") then return end
    local server <close> = servers.tftpd { root = root }
    local p <close> = eager { Profile_Rule = ("tftp://127.0.0.1:%d/a.xml")
      :format(server.port) }
    local d <close> = daemons.start { p }
    local s <close> = d:follow()
    s:wait { event = "cycle", asked_by = "periodic", outcome = "success" }
    assert.are.equal(0, d:stop())
    assert.are.equal("got", p:param("GPP_C"))
  end)

  it("tries again while the server is away, and tells syslog of each",
    function()
      if not need("nginx", "rsyslogd") then return end
      local log <close> = servers.rsyslog()
      local port
      do
        local first <close> = servers.nginx { root = root }
        port = first.http_port
      end
      local p <close> = eager {
        Profile_Rule = ("http://127.0.0.1:%d/a.xml"):format(port),
        Syslog_Server = "127.0.0.1:" .. log.port }
      local d <close> = daemons.start { p }
      local s <close> = d:follow()
      s:wait { event = "cycle", outcome = "failure", asked_by = "retry" }
      assert.are.equal("before", p:param("GPP_A"))
      do
        local again = servers.nginx { root = root, port = port }
        s:wait { event = "cycle", outcome = "success" }
        s:wait { event = "cycle", outcome = "success",
          asked_by = "periodic" }
        again:stop()
      end
      s:wait { event = "cycle", outcome = "failure" }
      assert.are.equal(0, d:stop())
      local where = ("http://127.0.0.1:%d/a.xml"):format(port)
      local known = {
        [("Requesting resync %s"):format(where)] = 133,
        [("Successful resync %s"):format(where)] = 133,
        ["Resync failed: Download failed"] = 131,
      }
      local pairs_seen = 0
      local lines = log.lines(10)
      for i = 1, #lines - 1, 2 do
        local request = lines[i].raw:match(WHO .. " %-%- (.*)$")
        local result = lines[i + 1].raw:match(WHO .. " %-%- (.*)$")
        assert.are.equal("Requesting resync " .. where, request)
        assert.are.not_equal(request, result)
        assert.are.equal(known[result], lines[i + 1].pri, result)
        pairs_seen = pairs_seen + 1
      end
      assert.is_true(pairs_seen >= 5)
    end)

  it("writes its log beside the store, without secrets", function()
    if not need("nginx") then return end
    local p <close> = calm { Profile_Rule = url .. "/a.xml" }
    local d <close> = daemons.start { p }
    assert(d:ask("resync", { wait = true,
      rule = "[--uid joe --pwd wh1sper] " .. url .. "/a.xml" }))
    assert.are.equal(1, d:ask("set", { values = { GPP_SA = "mumb1e" } })
      .changed)
    assert.are.equal(0, d:stop())
    local text = d:log()
    assert.is_truthy(text:find("peal [%d.]+ starts, process %d+\n"))
    assert.is_truthy(text:find("resync 1 %(cli%) ok"), text)
    assert.is_truthy(text:find("stopped: SIGTERM\n$"))
    for line in text:gmatch("[^\n]+") do
      assert.is_truthy(line:find("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ "))
    end
    local out, err = d:said()
    for _, secret in ipairs { "wh1sper", "geh31m", "mumb1e" } do
      assert.is_nil((text .. out .. err):find(secret, 1, true))
    end
  end)

  it("gives its events as JSON, one object a line", function()
    if not need("nginx") then return end
    local p <close> = eager { Profile_Rule = url .. "/a.xml" }
    local d <close> = daemons.start { p, options = { "--json" } }
    d:wait_out('"event":"cycle"[^\n]*\n')
    assert.are.equal(0, d:stop())
    local kinds = {}
    for line in d:said():gmatch("[^\n]+") do
      local event = assert(json.decode(line))
      assert.are.equal("000e08abcdef", event.phone)
      assert.are.equal("number", type(event.time))
      kinds[event.event] = true
    end
    assert.is_true(kinds.state and kinds.cycle)
  end)

  it("says on which boot it resyncs", function()
    if not need("nginx") then return end
    local p <close> = eager { Profile_Rule = url .. "/a.xml",
      Resync_Periodic = "0" }
    local d <close> = daemons.start { p,
      options = { "--boot", "resync_applied" } }
    assert.are.equal("IDLE", d:ask("status").state)
    assert.are.equal(0, d:ask("status").cycle)
    assert.are.equal(0, d:stop())
    assert.is_truthy(d:log():find("the phone starts (resync_applied)", 1, true))
    assert.are.equal(2, p:run("run", "--boot", "boredom").code)
  end)

  describe("asked by commands", function()
    it("resyncs as peal resync does by itself", function()
      if not need("nginx") then return end
      -- secrets are shown by another fingerprint in each store
      write(root .. "/b.xml", profile { GPP_C = "got", GPP_D = "x" })
      local rules = { url .. "/b.xml", url .. "/missing.xml", NOWHERE,
        "[--kee x] http://h/x" }
      for _, rule in ipairs(rules) do
        local alone <close> = calm { Profile_Rule = url .. "/a.xml" }
        local kept <close> = calm { Profile_Rule = url .. "/a.xml" }
        local d = daemons.start { kept }
        local a = alone:run("resync", rule)
        local b = kept:run("resync", rule)
        assert.are.equal(a.code, b.code)
        assert.are.equal(a.out, b.out)
        assert.are.equal(without(a.err, alone.dir), without(b.err, kept.dir))
        a, b = alone:resync(rule).json, kept:resync(rule).json
        a.notes, b.notes = nil, nil
        a.cycle, b.cycle = nil, nil -- failed ones may count differently
        assert.are.same(a, b)
        assert.are.equal(0, d:stop())
        d:close()
      end
    end)

    it("refuses as peal resync does", function()
      local alone <close> = calm { Provision_Enable = "No" }
      local kept <close> = calm { Provision_Enable = "No" }
      local d <close> = daemons.start { kept }
      assert.are.equal("OFF", d:ask("status").state)
      assert.are.equal(3, alone:run("resync").code)
      local got = kept:run("resync")
      assert.are.equal(3, got.code)
      assert.is_truthy(got.err:find("refused: Provision_Enable is No", 1,
        true), got.err)
    end)

    it("says how it stands", function()
      local p <close> = eager { Profile_Rule = NOWHERE,
        Resync_Error_Retry_Delay = "3600" }
      local got = p:run("status")
      assert.are.equal(1, got.code)
      assert.is_truthy(got.err:find("no daemon owns the store\n      start it "
        .. "with: peal run", 1, true), got.err)
      local d <close> = daemons.start { p }
      local s <close> = d:follow()
      if d:ask("status").cycle == 0 then s:wait { event = "cycle" } end
      got = p:run("status", "--json")
      assert.are.equal(0, got.code)
      local status = json.decode(got.out)
      assert.are.equal("failure", status.last.outcome)
      assert.are.equal("retry", status.next[1].cause)
      assert.is_true(status.next[1].in_s > 3500)
      got = p:run("status")
      for _, text in ipairs { "IDLE since", "failure (boot)",
        "Resync_Error_Retry_Delay", "rule files    the factory's" } do
        assert.is_truthy(got.out:find(text, 1, true), got.out)
      end
    end)

    it("says when resyncs are next, with a daemon and without", function()
      local p <close> = calm { Resync_Periodic = "600",
        Resync_On_Reset = "Yes", Profile_Rule = "" }
      local got = json.decode(p:run("schedule", "3", "--json").out)
      assert.are.equal(3, #got.firings)
      assert.are.equal("boot", got.firings[1].cause)
      local d <close> = daemons.start { p }
      assert.are.equal("daemon", d:ask("status").daemon and "daemon")
      got = json.decode(p:run("schedule", "3", "--json").out)
      assert.are.equal(3, #got.firings)
      local first = got.firings[1].cause == "boot" and 2 or 1
      assert.are.equal("periodic", got.firings[first].cause)
      assert.are.equal(600, got.firings[3].earliest
        - got.firings[2].earliest)
      local text = p:run("schedule", "2").out
      assert.is_truthy(text:find("^CAUSE +EARLIEST +LATEST +LOCAL +WHY\n"))
      assert.are.equal(2, p:run("schedule", "many").code)
      assert.are.equal(2, p:run("schedule", "0").code)
    end)

    it("takes values, and acts on them at once", function()
      if not need("nginx") then return end
      local p <close> = calm { Profile_Rule = url .. "/a.xml" }
      local d <close> = daemons.start { p }
      local s <close> = d:follow()
      assert.are.equal(0, p:run("resync").code)
      assert.are.equal(0, p:run("set", "Resync_Periodic=1").code)
      s:wait { event = "cycle", asked_by = "periodic" }
      assert.are.equal("1", p:param("Resync_Periodic"))
      local got = p:run("set", "Resync_Perodic=1")
      assert.are.equal(1, got.code)
      assert.is_truthy(got.err:find("did you mean Resync_Periodic?", 1, true))
      got = p:run("set", "Resync_Random_Delay=70000")
      assert.are.equal(1, got.code)
      assert.is_truthy(got.err:find("[bad-value]", 1, true), got.err)
      got = p:run("set", "GPP_A=x", "--set", "GPP_B=y")
      assert.are.equal(2, got.code)
    end)

    it("is followed by peal events", function()
      local p <close> = eager { Profile_Rule = NOWHERE }
      local d <close> = daemons.start { p }
      local got = p:run("events", "--count", "3")
      assert.are.equal(0, got.code)
      assert.are.equal(3, select(2, got.out:gsub("\n", "")))
      assert.are.equal(0, d:stop())
      got = p:run("events")
      assert.are.equal(1, got.code)
      assert.is_truthy(got.err:find("no daemon owns this store", 1, true))
      assert.are.equal(1, p:run("reload").code)
    end)
  end)

  describe("alone on its store", function()
    it("lets no second one in, nor another writer", function()
      local p <close> = calm()
      local d <close> = daemons.start { p }
      local got = p:run("run")
      assert.are.equal(1, got.code)
      assert.is_truthy(got.err:find(
        ("peal run, process %d, owns the store [locked]"):format(
          d.process:pid()), 1, true), got.err)
      assert.is_truthy(got.err:find("ask it: peal status", 1, true))
      assert.are.equal(d.process:pid(), d:ask("ping").pid)
      assert.are.equal(0, d:stop())
      local again <close> = daemons.start { p }
      assert.are.equal(0, again:stop())
    end)

    it("takes over what one that was killed has left", function()
      local p <close> = calm()
      local d <close> = daemons.start { p }
      d:stop(9)
      assert.are.equal("socket",
        require("peal.sys").stat(p.store .. "/control").type)
      assert.are.equal(1, p:run("status").code)
      local again <close> = daemons.start { p }
      assert.are.equal(0, p:run("status").code)
      assert.are.equal(0, again:stop())
      assert.is_nil(require("peal.sys").stat(p.store .. "/control"))
    end)

    it("needs a store, and phones that differ", function()
      local a <close> = calm()
      local b <close> = calm()
      local got = program.peal("run", "--phone", a.file)
      assert.are.equal(2, got.code)
      assert.is_truthy(got.err:find("needs a store", 1, true), got.err)
      got = program.peal("run", "--phone", a.file, "--phone", b.file,
        "--store", a.store)
      assert.are.equal(2, got.code)
      local c <close> = calm(nil, { store = "store" })
      local e <close> = calm(nil, { store = "store" })
      got = program.peal("run", "--phone", c.file, "--phone", e.file)
      assert.are.equal(2, got.code)
      assert.is_truthy(got.err:find("two phones have the MAC address", 1,
        true), got.err)
      got = program.peal("run", "--phone", c.file, "--phone", c.file)
      assert.are_not.equal(0, got.code)
      assert.is_truthy(got.err:find("store", 1, true), got.err)
    end)
  end)

  it("keeps two phones as well as one", function()
    if not need("nginx") then return end
    local rule = { Profile_Rule = url .. "/a.xml" }
    local a <close> = eager(rule, { store = "store" })
    local b <close> = eager(rule, { store = "store",
      identity = { MAC = "000e08000002" } })
    local d <close> = daemons.start { a, b }
    local first <close> = d:follow(a.store)
    local second <close> = d:follow(b.store)
    first:wait { event = "cycle", asked_by = "periodic",
      outcome = "success", phone = "000e08abcdef" }
    second:wait { event = "cycle", asked_by = "periodic",
      outcome = "success", phone = "000e08000002" }
    assert.are.equal(0, a:run("set", "Profile_Rule=" .. NOWHERE).code)
    first:wait { event = "cycle", outcome = "failure" }
    second:wait { event = "cycle", outcome = "success" }
    assert.are.equal(0, d:stop())
  end)

  describe("ended by SIGTERM", function()
    it("breaks a transfer off, and changes nothing", function()
      local silent = tcp.serve { { hold = true } }
      local p <close> = calm()
      local d <close> = daemons.start { p }
      local before = p:params()
      local s <close> = d:follow()
      assert(d:ask("resync", { rule = ("http://127.0.0.1:%d/a.xml"):format(
        silent:port()) }))
      assert(silent:request(20))
      assert.are.equal("RUN", s:ask("status").state)
      local began = process.now()
      assert.are.equal(0, d:stop())
      assert.is_true(process.now() - began < 2)
      s:wait { event = "nothing" } -- the socket is closed
      assert.is_true(s.over)
      assert.are.same(before, p:params())
      silent:close()
    end)

    it("tells a client that waits", function()
      local silent = tcp.serve { { hold = true } }
      local p <close> = calm()
      local d <close> = daemons.start { p }
      local client = assert(process.spawn({ program.path, "resync",
        ("http://127.0.0.1:%d/a.xml"):format(silent:port()), "--store",
        p.store }, { stderr = p.dir .. "/client" }))
      assert(silent:request(20))
      assert.are.equal(0, d:stop())
      assert.are.same({ "exited", 1 }, { client:wait(20) })
      assert.is_truthy(program.slurp(p.dir .. "/client"):find(
        "the daemon has ended", 1, true))
      silent:close()
    end)
  end)

  it("ends a resync whose client has gone", function()
    if not need("nginx") then return end
    local slow = tcp.serve { { hold = true }, { relay = web.http_port,
      after = 1 << 20 } }
    local p <close> = calm()
    local d <close> = daemons.start { p }
    local s <close> = d:follow()
    local client = assert(process.spawn({ program.path, "resync",
      ("http://127.0.0.1:%d/a.xml"):format(slow:port()), "--store",
      p.store }, {}))
    assert(slow:request(20))
    client:kill(9)
    client:wait(20)
    assert.are.equal("RUN", s:ask("status").state)
    slow:close()
    local done = s:wait { event = "cycle", asked_by = "cli" }
    assert.are.equal("failure", done.outcome)
    assert.are.equal(0, d:stop())
  end)

  describe("with an operator's rule files", function()
    local rules

    before_each(function() rules = process.temp_dir() end)
    after_each(function() process.remove(rules) end)

    local function trigger(body)
      -- a save in one step, as a rename is
      write(rules .. "/.new", "return { stage = \"trigger\", decide = "
        .. "function(phone)\n" .. body .. "\nend }\n")
      assert(os.rename(rules .. "/.new", rules .. "/trigger.lua"))
    end

    local function state_of(d, stage)
      for _, one in ipairs(d:ask("status").rules) do
        if one.stage == stage then return one end
      end
    end

    it("starts a worker for them only", function()
      local p <close> = calm { Profile_Rule = NOWHERE }
      local d <close> = daemons.start { p, options = { "--rules", rules } }
      d:ask("resync", { wait = true })
      assert.is_nil(d:ask("status").worker)
      trigger "return false, 'not now'"
      local result = d:ask("resync", { wait = true })
      assert.are.equal("not now", result.public.reason)
      assert.is_true(d:ask("status").worker.pid > 0)
      assert.are.equal(3, p:run("resync").code)
      assert.are.equal(0, d:stop())
    end)

    it("uses an edited file at the next cycle", function()
      local p <close> = calm { Profile_Rule = NOWHERE }
      trigger "return false, 'one'"
      local d <close> = daemons.start { p, options = { "--rules", rules } }
      for _, word in ipairs { "one", "two", "three" } do
        trigger(("return false, %q"):format(word))
        assert.are.equal(word,
          d:ask("resync", { wait = true }).public.reason)
      end
      assert.are.equal("operator", state_of(d, "trigger").state)
      os.remove(rules .. "/trigger.lua")
      assert.are.equal("failure",
        d:ask("resync", { wait = true }).public.outcome)
      assert.are.equal("factory", state_of(d, "trigger").state)
      assert.are.equal(0, d:stop())
    end)

    it("keeps the last good copy of a file that is half written", function()
      local p <close> = calm { Profile_Rule = NOWHERE }
      trigger "return false, 'good'"
      local d <close> = daemons.start { p, options = { "--rules", rules } }
      assert.are.equal("good", d:ask("resync", { wait = true }).public.reason)
      write(rules .. "/trigger.lua", "return { stage = \"trigger\", deci")
      for _ = 1, 3 do
        assert.are.equal("good",
          d:ask("resync", { wait = true }).public.reason)
      end
      local status = state_of(d, "trigger")
      assert.are.equal("last-good", status.state)
      assert.is_truthy(status.problem:find("trigger.lua", 1, true))
      assert.are.equal(0, d:stop())
      assert.are.equal(1, select(2, d:log():gsub("trigger%.lua", "")),
        d:log())
    end)

    it("answers within a second while a file loops", function()
      local loops = {
        "while true do end",
        "local s = ('x'):rep(1000) while true do s = s .. s end",
        "local t = {} while true do t[#t + 1] = {} end",
        "return (('a'):rep(40000) .. 'b'):find(('.-'):rep(40) .. 'c')",
        "while true do pcall(error) end",
      }
      local p <close> = calm { Profile_Rule = NOWHERE }
      for _, body in ipairs(loops) do
        trigger(body)
        local d <close> = daemons.start { p, options = { "--rules", rules } }
        local s <close> = d:follow()
        assert(s:ask("resync", {}))
        local began = process.now()
        assert(d:ask("status"))
        assert.is_true(process.now() - began < 1)
        s:wait { event = "cycle", asked_by = "cli" }
        local one = state_of(d, "trigger")
        assert.are_not.equal("operator", one.state, body)
        assert.is_truthy(one.problem, body)
        assert.are.equal(0, d:stop())
      end
    end)

    it("reads them anew at SIGHUP", function()
      local p <close> = calm { Profile_Rule = NOWHERE }
      trigger "return false, 'one'"
      local d <close> = daemons.start { p, options = { "--rules", rules } }
      d.process:kill(1)
      d:wait_log("rules are read anew, as SIGHUP asked")
      assert.are.equal(0, p:run("reload").code)
      d:wait_log("rules are read anew, as a client asked")
      assert.are.equal(0, d:stop())
    end)
  end)

  it("holds old values or new ones, whenever it is killed", function()
    if not need("nginx") then return end
    local p <close> = eager { Profile_Rule = url .. "/a.xml",
      Profile_Rule_B = url .. "/b.xml", Resync_Periodic = "1" }
    math.randomseed(20261122)
    for i = 1, LONG and 1000 or 10 do
      write(root .. "/a.xml", profile { GPP_C = "a" .. i, GPP_D = "a" .. i })
      write(root .. "/b.xml", profile { GPP_E = "b" .. i, GPP_F = "b" .. i })
      local d <close> = daemons.start { p, at_once = true }
      -- somewhere between the start and the end of a cycle
      process.grown(d.err, 1 << 20, math.random() * 0.06, d.process)
      d:stop(9)
      local v = p:params()
      assert.are.equal(v.GPP_C, v.GPP_D)
      assert.are.equal(v.GPP_E, v.GPP_F)
    end
    local d <close> = daemons.start { p }
    local s <close> = d:follow()
    s:wait { event = "cycle", outcome = "success", asked_by = "periodic" }
    assert.are.equal(0, d:stop())
    assert.are.equal("b" .. (LONG and 1000 or 10), p:param("GPP_E"))
  end)

  describe("at its socket", function()
    it("outlives every client", function()
      local p <close> = calm { Profile_Rule = NOWHERE }
      local d <close> = daemons.start { p }
      local control = require "peal.control"
      local loop = require("peal.loop").new()
      local peers, answers, over = {}, {}, 0
      local function connect()
        local peer = control.connect(loop, p.store .. "/control",
          function(line) answers[#answers + 1] = line end,
          function() over = over + 1 end)
        peers[#peers + 1] = peer
        return peer
      end
      for _, line in ipairs { "garbage", "", "[]", "{", '{"id":1}',
        ("["):rep(100000), ('{"id":'):rep(1000), "\0\1\255" } do
        connect():send(line)
      end
      local deaf = connect() -- asks, and is gone before the answer
      deaf:send('{"id":1,"method":"resync","params":{"wait":true}}')
      deaf:close()
      local many = connect()
      for id = 1, 100 do
        many:send(('{"id":%d,"method":"status"}'):format(id))
      end
      local began = process.now()
      assert(d:ask("status"))
      assert.is_true(process.now() - began < 1)
      local guard = loop:timer(20, function() loop:stop() end)
      while #answers < 108 and process.now() - began < 20 do loop:run(true) end
      guard:cancel()
      assert.are.equal(108, #answers)
      assert.are.equal(0, over)
      for _, peer in ipairs(peers) do peer:close() end
      assert.are.equal("failure",
        d:ask("resync", { wait = true }).public.outcome)
      assert.are.equal(0, d:stop())
    end)

    it("refuses what makes no sense, by name", function()
      local p <close> = calm()
      local d <close> = daemons.start { p }
      for _, case in ipairs {
        { "resync", { rule = 7 } }, { "resync", { rule = "a\nb" } },
        { "resync", { rule = ("x"):rep(9000) } },
        { "upgrade", { url = {} } }, { "schedule", { n = 0 } },
        { "schedule", { n = "x" } }, { "set", {} },
        { "set", { values = "x" } }, { "set", { values = { GPP_A = 3 } } },
      } do
        local result, _, word = d:ask(case[1], case[2])
        assert.is_nil(result)
        assert.are.equal("invalid", word, json.encode(case))
      end
      local _, _, word = d:ask("set", { values = { GPP_A = "a\nb" } })
      assert.are.equal("bad-value", word)
      _, _, word = d:ask("dance")
      assert.are.equal("not-found", word)
      assert.are.equal(0, d:stop())
    end)
  end)

  it("tells a service manager, where there is one", function()
    local p <close> = calm { Resync_Periodic = "600" }
    local socket = p.dir .. "/notify"
    local manager = p.dir .. "/manager"
    local found = io.popen("command -v python3 2>&1")
    local python = found:read("l")
    found:close()
    if not python then return pending("python3 is missing") end
    local listener = assert(process.spawn({ python, "-c", [[
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True: print(s.recv(1000).decode(), flush=True)]], socket },
      { stdout = manager }))
    assert(process.grown(manager, 0, 20, listener))
    local d <close> = daemons.start { p, env = { NOTIFY_SOCKET = socket,
      WATCHDOG_USEC = "100000" } }
    local function wait_for(text)
      while not program.slurp(manager):find(text, 1, true) do
        assert(process.grown(manager, #program.slurp(manager), 20, listener))
      end
    end
    wait_for("READY=1\nSTATUS=1 phone")
    -- the first when it starts, then every 50 ms
    wait_for("WATCHDOG=1\nREADY=1")
    wait_for("WATCHDOG=1\nWATCHDOG=1")
    d.process:kill(1)
    wait_for("RELOADING=1\n")
    assert.are.equal(0, d:stop())
    wait_for("STOPPING=1")
    listener:kill(15)
    listener:wait(20)
  end)

  it("does nothing at all while nothing is due", function()
    local p <close> = calm { Resync_Periodic = "86400",
      Resync_On_Reset = "Yes", Resync_Random_Delay = "65535" }
    local d <close> = daemons.start { p }
    local status = ("/proc/%d/status"):format(d.process:pid())
    local function switches()
      return tonumber(program.slurp(status):match(
        "\nvoluntary_ctxt_switches:%s*(%d+)"))
    end
    -- whatever follows the start is over when a call has been answered after
    -- the memory was tidied, a second after the last time
    local loop = require("peal.loop").new()
    local function span(seconds)
      local over
      loop:timer(seconds, function() over = true end)
      while not over do loop:run(true) end
    end
    span(1.5)
    assert(d:ask("ping"))
    span(0.2)
    local before = switches()
    span(2) -- nothing is waited for: this is the time it is looked at
    assert.are.equal(before, switches())
    assert.are.equal(0, d:stop())
  end)
end)
