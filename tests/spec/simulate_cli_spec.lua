-- peal simulate, as people use it; and the scripts of examples/simulations.
local json = require "peal.json"
local process = require "support.process"
local program = require "support.program"
local pty = require "support.pty"

local PHONE <const> = [[return {
  identity = { PN = "CP-8841-3PCC", MAC = "000e08abcdef" },
  device = { simulated = true, registered = true%s },
  params = { Profile_Rule = "%s", GPP_SA = "s3cret-word" },
}]]

local SERVER <const> = [[
return { zone = "CET-1CEST,M3.5.0,M10.5.0/3", from = "2027-03-20 00:00",
  events = { "day 3 02:00 server down for 4 h" },
  server = function(request, about)
    return "<flat-profile><Resync_Periodic>3600</Resync_Periodic><GPP_A>week "
      .. about.day // 7 .. "</GPP_A></flat-profile>"
  end }
]]

local dir, phone, server

local function write(name, text)
  local file = assert(io.open(dir .. "/" .. name, "wb"))
  file:write(text)
  file:close()
  return dir .. "/" .. name
end

local function peal(...)
  return program.peal("simulate", ...)
end

local function run(...)
  local r = peal("--phone", phone, "--server", server, ...)
  assert.are.equal(0, r.code, r.out .. r.err)
  return r
end

-- Answer a pipe's worth of commands.
local function step(text, ...)
  local words = { "'" .. program.path .. "'", "simulate", "--step" }
  for _, word in ipairs { "--phone", phone, "--server", server, ... } do
    words[#words + 1] = "'" .. word .. "'"
  end
  return program.run { "/bin/sh", "-c", ("printf '%s' | %s"):format(text,
    table.concat(words, " ")) }
end

setup(function()
  dir = process.temp_dir()
  phone = write("phone.lua", PHONE:format("", "http://prov.example.com/a.xml"))
  server = write("server.lua", SERVER)
end)
teardown(function() process.remove(dir) end)

-- At a terminal.
local function at_terminal(...)
  return pty.spawn { program.path, "simulate", "--phone", phone, "--server",
    server, ... }
end

describe("peal simulate at a terminal", function()
  local tty

  after_each(function() tty:close() end)

  it("says how far it is, and leaves no trace of that", function()
    tty = at_terminal("--days", "3660")
    tty:expect("day %d+ of 3660, %d+ requests")
    tty:send("\3")
    tty:wait()
    tty:close()
    tty = at_terminal("--days", "60")
    tty:see("peal: 60 days: ")
    assert.is_nil(tty:text():find("of 60", 1, true))
  end)

  it("ends a step with ^C, and is where it was before it", function()
    tty = at_terminal("--step")
    tty:see("> ")
    tty:send("t day 2\n")
    tty:see("at 2027-03-21 00:00:00 +01:00")
    tty:send("t day 3000\n")
    tty:expect("day %d%d+, %d+ requests")
    tty:send("\3")
    tty:see("peal: interrupted\nat 2027-03-21 00:00:00 +01:00")
    tty:send("p GPP_A\n")
    tty:see("GPP_A = week 0\n")
    tty:send("t day 7 12:00\np GPP_A\nq\n")
    tty:see("GPP_A = week 1\n")
    assert.same({ "exited", 0 }, { tty:wait() })
  end)

  it("ends a server's script that never answers with ^C", function()
    local path = write("endless.lua", [[return function(_, about)
      if about.day > 2 then io.stderr:write("busy\n") end
      while about.day > 2 do end
      return "<flat-profile/>"
    end]])
    tty = at_terminal("--server", path, "--step")
    tty:see("> ")
    tty:send("t day 2\n")
    tty:expect("\nat (%S+)")
    tty:send("t day 8\n")
    tty:see("busy")
    tty:send("\3")
    tty:see("peal: interrupted\n")
    tty:send("q\n")
    assert.same({ "exited", 0 }, { tty:wait() })
  end)
end)

describe("peal simulate", function()
  it("prints thirty days as a timeline, equal lines as one", function()
    local r = run("--days", "30")
    assert.matches("\n2027%-03%-28 03:00:00 %+02:00  zone     the clock goes "
      .. "forward by 1 h\n", r.out)
    assert.matches("  fault    server down for 4 h\n", r.out)
    assert.matches("%d+ resyncs, all ok, every 1 h, the last at", r.out)
    assert.matches("retry in 1 min\n", r.out)
    assert.matches("^peal: 30 days: %d+ resyncs ok, 8 failed, 1 boot", r.err)
    local _, lines = r.out:gsub("\n", "")
    assert.is_true(lines < 60, r.out)
  end)

  it("shows every line with -v", function()
    local _, lines = run("--days", "3", "-v").out:gsub("\n", "")
    assert.is_true(lines > 144)
  end)

  it("prints one object a line with --json", function()
    local n, kinds = 0, {}
    for line in run("--days", "3", "--json").out:gmatch("[^\n]+") do
      local entry = json.decode(line)
      kinds[entry.kind], n = true, n + 1
      assert.is_string(entry.text)
      assert.is_number(entry.time)
      assert.matches("^2027%-03%-2%d .* %+01:00$", entry["local"])
    end
    assert.is_true(n > 144)
    assert.is_true(kinds.resync and kinds.boot and kinds.fault)
  end)

  it("shows values and what has changed at a time", function()
    local r = run("--at", "day 8", "GPP_A", "GPP_SA")
    assert.matches("^2027%-03%-27 00:00:00 %+01:00, revision %d+\n"
      .. "GPP_A = week 1\nGPP_SA = #%x+\n", r.out)
    assert.matches("\nGPP_A +week 1\n", r.out)
    assert.is_nil(r.out:find("s3cret", 1, true))
    local got = json.decode(run("--at", "day 8", "GPP_A", "--json").out)
    assert.are.equal("week 1", got.values[1].value)
    assert.are.equal("GPP_A", got.changes[1].name)
  end)

  it("begins from the store of the phone, and writes nothing to it", function()
    local st = dir .. "/store"
    assert.are.equal(0, program.peal("set", "GPP_B=kept", "--phone", phone,
      "--store", st).code)
    local before = program.snapshot(st)
    local r = run("--store", st, "--at", "day 10", "GPP_A", "GPP_B")
    assert.matches("GPP_A = week 1\nGPP_B = kept\n", r.out)
    assert.are.same(before, program.snapshot(st))
  end)

  it("tries rules for thirty days", function()
    process.mkdir(dir .. "/rules")
    write("rules/trigger.lua", [[
return { stage = "trigger", decide = function(phone)
  if time.local_time and false then return true end
  return false, "not this month"
end }]])
    local r = run("--rules", dir .. "/rules")
    assert.matches("0 resyncs ok, 0 failed", r.err)
    assert.matches("held     .*not this month", r.out)
  end)

  it("lets things happen that --event names", function()
    local r = run("--days", "2", "--event", "day 1 05:00 power cut for 1 h",
      "--event", "day 1 08:00 clock +10 min")
    assert.matches("fault    power cut for 1 h\n2027%-03%-20 06:00:00 "
      .. "%+01:00  boot ", r.out)
    assert.matches("clock    the clock is set forward by 10 min\n", r.out)
  end)

  it("goes forward and back by hand, from a pipe", function()
    local r = step("n\\nn 2\\nb\\nn\\nt day 8\\np GPP_A\\nd\\n"
      .. "t day 2\\np GPP_A\\ns GPP_B=mine\\np GPP_B\\n"
      .. "e +2 days power cut\\nl\\nh\\nq\\n")
    assert.are.equal(0, r.code, r.out .. r.err)
    assert.matches("boot %(power_on%)", r.out)
    assert.matches("\nGPP_A = week 1\n", r.out)
    assert.matches("\nat 2027%-03%-21 00:00:00 %+01:00\nGPP_A = week 0\n",
      r.out)
    assert.matches("\nGPP_B = mine\n", r.out)
    assert.matches("\nb %[N%] ", r.out)
    assert.are.equal("", r.err)
  end)

  it("names a parameter that is not there by its word", function()
    local r = peal("--phone", phone, "--server", server,
      "--at", "day 2", "Resync_Periodik")
    assert.are.equal(1, r.code)
    assert.is_truthy(r.err:find("Resync_Periodik [unknown-name]\n"
      .. "      did you mean Resync_Periodic?", 1, true), r.err)
  end)

  it("answers by objects with --json", function()
    local r = step("n\\np Resync_Periodic\\nd\\nb\\nt +1 h\\nl\\n",
      "--json")
    assert.are.equal(0, r.code, r.err)
    local n = 0
    for text in r.out:gmatch("[^\n]+") do
      assert.is_table(json.decode(text), text)
      n = n + 1
    end
    assert.is_true(n > 6)
  end)

  it("says what it does not understand, and fails for a script", function()
    local r = step("x\\nt soon\\np Nothing\\ns nothing\\ne nothing\\nn x\\n")
    assert.are.equal(1, r.code)
    for _, text in ipairs { "no such command: x", "not a time such as",
      "no such parameter: Nothing", "s takes NAME=VALUE",
      "a happening begins with its time", "n takes a number" } do
      assert.is_truthy(r.err:find(text, 1, true), text)
    end
  end)

  it("records a resync that replays bit for bit, and answers again", function()
    local env = { PEAL_PASSPHRASE = "a word", PATH = os.getenv "PATH" }
    local out = dir .. "/night.peal"
    local r = peal("--phone", phone, "--server", server, "--at", "+49 h",
      "--record", out, { env = env })
    assert.are.equal(0, r.code, r.err)
    assert.is_nil(program.slurp(out):find("GPP_A", 1, true))
    r = program.peal("replay", out, { env = env })
    assert.are.equal(0, r.code, r.out .. r.err)
    assert.matches("the same: %d+ calls", r.out)
    r = peal("--recorded", out, "--days", "2", { env = env })
    assert.are.equal(0, r.code, r.out .. r.err)
    assert.matches("48 resyncs ok, 0 failed", r.err)
    r = peal("--recorded", out, "--days", "2", { env = {
      PEAL_PASSPHRASE = "another", PATH = env.PATH } })
    assert.are.equal(1, r.code)
    assert.matches("%[bad%-key%]", r.err)
  end)

  local BAD <const> = {
    { "--days", "0" }, { "--days", "x" }, { "--seed", "x" },
    { "--from", "soon" }, { "--zone", "Mars" }, { "GPP_A" },
    { "--at", "soon" }, { "--event", "soon" }, { "--event", "day 2 sing" },
    { "--recorded", "x" }, { "--days", "2", "--step" },
    { "--days", "2", "--at", "day 2" }, { "--step", "--at", "day 2" },
    { "--step", "--record", "x" },
    { "--event", "day 2 address nonsense" },
    { "--event", "day 2 set Nope=1" },
    { "--event", "day 2 set Resync_Periodic=often" },
    { "--at", "2000-01-01" },
    { "--at", "+3661 days" }, { "--at", "+99999999999999 days" },
  }
  for _, words in ipairs(BAD) do
    it("refuses " .. table.concat(words, " "), function()
      local r = peal("--phone", phone, "--server", server,
        table.unpack(words))
      assert.are.equal(2, r.code, r.err)
    end)
  end

  it("names what an event is to be, and the value that it is not", function()
    local r = peal("--event", "day 2 address nonsense")
    assert.matches('address is an IP address, not "nonsense"', r.err, 1, true)
    r = peal("--event", "day 2 set Nope=1")
    assert.matches("there is no parameter Nope", r.err, 1, true)
    assert.are.equal("", r.out)
  end)

  local SCRIPTS <const> = {
    { "that cannot be read", "return {" },
    { "that is no script", "return 7" },
    { "with a strange field", "return { server = {}, tea = 1 }" },
    { "that is a phone", "return { identity = {}, params = {} }" },
    { "that fails", "error('oh')" },
    { "with events that are no list", "return { server = {}, events = 5 }" },
    { "with an event that is none",
      "return { server = {}, events = { 5 } }" },
    { "with names that are none", "return { server = {}, dns = 5 }" },
    { "with addresses that are no list",
      "return { server = {}, dns = { a = 5 } }" },
    { "with a zone that is none", "return { server = {}, zone = 5 }" },
    { "with a start that is none", "return { server = {}, from = {} }" },
    { "whose function fails", "return function() local t; return t.x end" },
    { "with a file that is not there",
      "return { ['*'] = { file = 'nothing.xml' } }" },
  }
  for i, case in ipairs(SCRIPTS) do
    it("names the fault of a script " .. case[1], function()
      local path = write(("bad-%d.lua"):format(i), case[2])
      local r = peal("--phone", phone, "--server", path, "--days", "1")
      assert.are.equal(1, r.code, r.out .. r.err)
      assert.is_truthy(r.err:find(i < #SCRIPTS and ("bad-%d.lua"):format(i)
        or "nothing.xml", 1, true), r.err)
    end)
  end
end)

describe("examples/simulations", function()
  local seen = {}

  local function example(name, days, rule)
    seen[name .. ".lua"] = true
    local path = write("phone-of-example.lua", PHONE:format("", rule
      or "http://prov.example.com/a.xml"))
    local r = peal("--phone", path, "--days", tostring(days), "--seed", "3",
      "-v", "--server", ("%s/examples/simulations/%s.lua"):format(program.root,
        name))
    assert.are.equal(0, r.code, r.out .. r.err)
    return r
  end

  it("flaky: fails at times, and comes back", function()
    local r = example("flaky", 3)
    local ok, failed = r.err:match("(%d+) resyncs ok, (%d+) failed")
    assert.is_true(tonumber(ok) > 60)
    assert.is_true(tonumber(failed) > 4)
    assert.matches("HTTP 503; retry in 1 min", r.out)
  end)

  it("summer-time: the resync of the short night is at 03:00", function()
    local r = example("summer-time", 5)
    for _, text in ipairs { "2027-03-27 02:3", "2027-03-28 03:0",
      "2027-03-29 02:3" } do
      assert.is_truthy(r.out:find(text, 1, true), text .. "\n" .. r.out)
    end
  end)

  it("upgrade: boots the new load, once", function()
    local r = example("upgrade", 6)
    local _, times = r.out:gsub(
      "boot %(upgrade%), load sip88xx%.12%-0%-1MPP%-100", "")
    assert.are.equal(1, times, r.out)
  end)

  it("bad-profile: the change is undone", function()
    local r = example("bad-profile", 3)
    assert.matches("health: undone", r.out)
  end)

  it("rename: the old server is asked once", function()
    local r = example("rename", 3, "http://old.example.com/phone.xml")
    assert.matches("0 failed", r.err)
    assert.matches("GPP_A:  %-> moved", r.out)
  end)

  it("are all run here", function()
    for _, name in ipairs(require("peal.sys").list(program.root
      .. "/examples/simulations")) do
      if name:find("%.lua$") then assert.is_true(seen[name], name) end
    end
  end)
end)
