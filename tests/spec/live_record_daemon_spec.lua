-- peal record and peal replay as an operator uses them, with a daemon and
-- without.
local daemons = require "support.daemons"
local json = require "peal.json"
local phones = require "support.phones"
local process = require "support.process"
local program = require "support.program"
local servers = require "support.servers"
local tcp = require "support.tcp"

local need, profile, write = phones.need, phones.profile, phones.write

local SECRET <const> = { env = { PEAL_PASSPHRASE = "open sesame" } }

local folder, root, web, url

setup(function()
  folder, root = process.temp_dir(), process.temp_dir()
  write(root .. "/a.xml", profile { GPP_C = "got", GPP_SC = "geh31m" })
  if not servers.find("nginx") then return end
  web = servers.nginx { root = root }
  url = ("http://127.0.0.1:%d"):format(web.http_port)
end)

teardown(function()
  if web then web:stop() end
  process.remove(folder)
  process.remove(root)
end)

-- A phone that resyncs when it is asked.
local function calm(params)
  local all = { Resync_On_Reset = "No", Resync_Periodic = "0",
    Resync_Error_Retry_Delay = "0" }
  for name, value in pairs(params or {}) do all[name] = value end
  return phones.new { params = all }
end

local function out(name) return ("%s/%s.peal"):format(folder, name) end

local function replay(file, ...)
  local arguments = table.pack("replay", file, ...)
  arguments[#arguments + 1] = SECRET
  return program.peal(table.unpack(arguments))
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

local function is_same(file)
  local r = replay(file)
  assert.are.equal(0, r.code, r.out .. r.err)
  assert.is_truthy(r.out:find("the same: %d+ calls"), r.out)
  return r
end

describe("peal record without a daemon", function()
  it("makes one resync, and a sealed cassette of it", function()
    if not need("nginx") then return end
    local p <close> = calm { Profile_Rule = url .. "/a.xml" }
    local r = p:run("record", "--out", out "one", SECRET)
    assert.are.equal(0, r.code, r.err)
    assert.are.equal("got", p:param("GPP_C"))
    local bytes = read(out "one")
    assert.is_truthy(bytes:find("^peal%-cassette 1 sealed "))
    assert.is_nil(bytes:find("geh31m", 1, true))
    local played = is_same(out "one")
    assert.is_truthy(played.out:find("GPP_C", 1, true))
    assert.is_nil(played.out:find("geh31m", 1, true))
  end)

  it("writes files that are their owner's only, in place of others", function()
    if not need("nginx") then return end
    local p <close> = calm()
    local function mode(name)
      return program.run({ "stat", "-c", "%a", out(name) }).out
    end
    for _, name in ipairs { "mode", "mode-ticket" } do
      write(out(name), "older")
      assert.are.equal(0, program.run({ "chmod", "644", out(name) }).code)
    end
    local r = p:run("record", url .. "/a.xml", "--out", out "mode", SECRET)
    assert.are.equal(0, r.code, r.err)
    assert.are.equal("600\n", mode "mode")
    r = program.peal("record", "--redact", out "mode", "--out",
      out "mode-ticket", SECRET)
    assert.are.equal(0, r.code, r.err)
    assert.are.equal("600\n", mode "mode-ticket")
    assert.is_nil(io.open(out "mode" .. ".new"))
    r = program.peal("record", "--redact", out "mode", "--out",
      "/dev/stdout", SECRET)
    assert.is_truthy(r.out:find("^peal%-cassette 1 clear\n"), r.err)
  end)

  it("takes a rule for this once", function()
    if not need("nginx") then return end
    local p <close> = calm()
    local r = p:run("record", url .. "/a.xml", "--out", out "rule", SECRET)
    assert.are.equal(0, r.code, r.err)
    is_same(out "rule")
  end)

  it("records a resync that fails as well, and exits 0", function()
    local server <close> = tcp.serve { "nonsense" }
    local p <close> = calm()
    local r = p:run("record", ("http://127.0.0.1:%d/x"):format(server:port()),
      "--out", out "bad", "--json", SECRET)
    assert.are.equal(0, r.code, r.err)
    assert.are.equal("failure", json.decode(r.out).outcome)
    is_same(out "bad")
  end)

  it("reads the passphrase from a file, and never as an argument", function()
    local p <close> = calm()
    local pass = write(folder .. "/pass", "of a file\nanother line\n")
    local r = p:run("record", "http://127.0.0.1:1/x", "--out", out "file",
      "--passphrase-file", pass)
    assert.are.equal(0, r.code, r.err)
    assert.are.equal(1, replay(out "file").code) -- the other passphrase
    r = program.peal("replay", out "file", "--passphrase-file", pass)
    assert.are.equal(0, r.code, r.err)
    r = p:run("record", "--out", out "no", "--passphrase", "x")
    assert.are.equal(2, r.code)
  end)

  it("makes no resync whose cassette has no place", function()
    if not need("nginx") then return end
    local p <close> = calm { Profile_Rule = url .. "/a.xml" }
    local r = p:run("record", "--out", out "no/x", SECRET)
    assert.are.equal(1, r.code)
    assert.is_truthy(r.err:find("/no/x.peal: No such file", 1, true), r.err)
    assert.is_nil(p:run("history", "--all").out:find("resync", 1, true))
  end)

  it("says what is missing", function()
    local p <close> = calm()
    local r = p:run("record", SECRET)
    assert.are.equal(2, r.code)
    assert.is_truthy(r.err:find("--out", 1, true))
    r = p:run("record", "--now", "--out", out "no", SECRET)
    assert.are.equal(2, r.code)
    assert.is_truthy(r.err:find("daemon", 1, true))
    r = p:run("record", "--out", out "no", { env = { PEAL_PASSPHRASE = "" } })
    assert.are.equal(2, r.code)
    assert.is_truthy(r.err:find("empty", 1, true))
  end)
end)

describe("peal record with a daemon", function()
  it("records its next resync, whenever that is", function()
    if not need("nginx") then return end
    local p <close> = phones.new { params = { Resync_Random_Delay = "0",
      Resync_Periodic = "1", Resync_Error_Retry_Delay = "1",
      Profile_Rule = url .. "/a.xml" } }
    local d <close> = daemons.start { p }
    local r = p:run("record", "--out", out "next", SECRET)
    assert.are.equal(0, r.code, r.err)
    is_same(out "next")
    local s <close> = d:follow()
    s:wait { event = "cycle", outcome = "success" }
    assert.are.equal(0, d:stop())
  end)

  it("records one that is asked for now, with a rule or without", function()
    if not need("nginx") then return end
    local p <close> = calm { Profile_Rule = url .. "/a.xml" }
    local d <close> = daemons.start { p }
    for _, words in ipairs { { "--now" }, { url .. "/a.xml" },
      { "http://127.0.0.1:1/none" } } do
      local arguments = { "record" }
      table.move(words, 1, #words, 2, arguments)
      table.move({ "--out", out "now", SECRET }, 1, 3, #arguments + 1,
        arguments)
      local r = p:run(table.unpack(arguments))
      assert.are.equal(0, r.code, r.err)
      is_same(out "now")
    end
    assert.are.equal(0, d:stop())
    assert.are.equal("got", p:param("GPP_C"))
  end)

  it("is not in the way of what others write meanwhile", function()
    if not need("nginx") then return end
    -- the answer comes when the other one has written
    local held <close> = tcp.serve { { hold = true } }
    local p <close> = calm { Profile_Rule =
      ("http://127.0.0.1:%d/x"):format(held:port()),
      Profile_Rule_B = url .. "/a.xml" }
    local d <close> = daemons.start { p }
    local child = assert(process.spawn({ program.path, "record", "--now",
      "--out", out "held", "--store", p.store }, { stdout = folder .. "/o",
      stderr = folder .. "/e", env = SECRET.env }))
    assert(held:request(30))
    local r = p:run("set", "GPP_D=in between")
    assert.are.equal(0, r.code, r.err)
    held:close()
    assert.are.same({ "exited", 0 }, { child:wait(60) })
    is_same(out "held")
    assert.are.equal(0, d:stop())
    assert.are.equal("in between", p:param("GPP_D"))
  end)

  it("^C ends the waiting, and the daemon goes on", function()
    if not need("nginx") then return end
    local p <close> = calm { Profile_Rule = url .. "/a.xml" }
    local d <close> = daemons.start { p }
    local err = folder .. "/waiting"
    local child = assert(process.spawn({ program.path, "record", "--out",
      out "never", "--store", p.store }, { stdout = folder .. "/o2",
      stderr = err, env = SECRET.env }))
    local function said() return io.open(err) and read(err) or "" end
    while not said():find("waiting for the next resync", 1, true) do
      process.grown(err, #said(), 5, child)
    end
    child:kill(2)
    child:wait(30)
    assert.is_nil(io.open(out "never"))
    local r = p:run("resync")
    assert.are.equal(0, r.code, r.err)
    r = p:run("record", "--now", "--out", out "after", SECRET)
    assert.are.equal(0, r.code, r.err)
    is_same(out "after")
    assert.are.equal(0, d:stop())
  end)

  it("is for one at a time", function()
    local p <close> = calm()
    local d <close> = daemons.start { p }
    local s <close> = d:follow()
    local key = ("00"):rep(32)
    require("peal.task").spawn(function()
      s.client:call("record", { key = key })
    end)
    s:ask("ping")
    local got, sentence, word = d:ask("record", { key = key, now = true })
    assert.is_nil(got)
    assert.are.equal("busy", word)
    assert.is_truthy(sentence:find("already", 1, true))
    assert.are.equal("invalid", (select(3, d:ask("record", { key = "x" }))))
    assert.are.equal("not-found",
      (select(3, d:ask("record_part", { at = 1 }))))
    assert.are.equal(0, d:stop())
  end)
end)

describe("peal replay", function()
  local store, file

  setup(function()
    if not web then return end
    file = out "mine"
    store = calm { Profile_Rule = url .. "/a.xml" }
    local r = store:run("record", "--out", file, SECRET)
    assert.are.equal(0, r.code, r.err)
  end)
  teardown(function() if store then store:close() end end)

  it("needs no store, no server and no network", function()
    if not need("nginx", "unshare") then return end
    if process.uid() ~= 0 then return pending("unshare -n needs root") end
    local elsewhere = process.temp_dir()
    local r = program.run({ "unshare", "-n", program.path, "replay", file },
      { cwd = elsewhere, env = SECRET.env })
    assert.are.equal(0, r.code, r.out .. r.err)
    assert.is_truthy(r.out:find("the same", 1, true))
    process.remove(elsewhere)
  end)

  it("shows the trace with -v, and the verdicts with --json", function()
    if not need("nginx") then return end
    local r = replay(file, "-v")
    assert.is_truthy(r.err:find("response", 1, true), r.err)
    local told = json.decode(replay(file, "--json").out)
    assert.is_true(told.identical)
    assert.are.equal("success", told.result.outcome)
    assert.is_true(told.calls > 20)
  end)

  it("says which passphrase it wants, and exits 1", function()
    if not need("nginx") then return end
    local r = program.peal("replay", file,
      { env = { PEAL_PASSPHRASE = "wrong" } })
    assert.are.equal(1, r.code)
    assert.is_truthy(r.err:find("[bad-key]", 1, true), r.err)
    r = replay(root .. "/a.xml")
    assert.are.equal(1, r.code)
    assert.is_truthy(r.err:find("[corrupt]", 1, true), r.err)
    assert.are.equal(2, program.peal("replay").code)
  end)

  it("plays a redacted one, which needs no passphrase and has no secret",
    function()
    if not need("nginx") then return end
    local r = program.peal("record", "--redact", file, "--out", out "ticket",
      SECRET)
    assert.are.equal(0, r.code, r.err)
    assert.is_truthy(read(out "ticket"):find("^peal%-cassette 1 clear\n"))
    local played = program.peal("replay", out "ticket")
    assert.are.equal(0, played.code, played.err)
    assert.is_truthy(played.out:find("GPP_C", 1, true))
  end)

  it("writes a case, which runs", function()
    if not need("nginx") then return end
    local path = folder .. "/case.lua"
    local r = replay(file, "--case", path)
    assert.are.equal(0, r.code, r.err)
    local case = dofile(path)[1]
    local run = require("support.cases").run(case)
    assert.are.equal("success", run.results[1].outcome)
    assert.are.equal("got", run.store:get("GPP_C"))
    assert.is_nil(read(path):find("geh31m", 1, true))
  end)

  it("with --rules shows what these would have done, parameter by parameter",
    function()
    if not need("nginx") then return end
    local rules = process.temp_dir()
    write(rules .. "/apply.lua", [[return { stage = "apply",
      decide = function() return { change = { GPP_C = "otherwise" } } end }]])
    local r = replay(file, "--rules", rules)
    assert.are.equal(0, r.code, r.err)
    assert.is_truthy(r.out:find("GPP_C +got +otherwise"), r.out)
    assert.is_nil(r.out:find("GPP_SC", 1, true), r.out)
    local told = json.decode(replay(file, "--rules", rules, "--json").out)
    assert.are.same({ { name = "GPP_C", was = "got", now = "otherwise" } },
      told.params)
    write(rules .. "/apply.lua", "return { stage = 'apply', decide = "
      .. "function() end }")
    r = replay(file, "--rules", rules)
    assert.is_truthy(r.out:find("would have done the same", 1, true), r.out)
    write(rules .. "/trigger.lua", [[return { stage = "trigger",
      decide = function() return false, "not on Sundays" end }]])
    r = replay(file, "--rules", rules)
    assert.is_truthy(r.out:find("would be refused: not on Sundays", 1, true),
      r.out)
    assert.are.equal(2, replay(file, "--rules", rules .. "/none").code)
    process.remove(rules)
  end)
end)
