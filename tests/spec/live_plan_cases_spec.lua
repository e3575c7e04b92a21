-- What peal plan prints is what peal resync then prints: over real servers, in
-- cases drawn by fixed seeds; and the same for an inventory.
local json = require "peal.json"
local plans = require "support.plans"
local process = require "support.process"
local program = require "support.program"
local pty = require "support.pty"
local servers = require "support.servers"
local support = require "support.engine"
local sys = require "peal.sys"

local SEEDS <const> = 20

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- Files of a case below a server's root; what it fails with is not there.
local function serve(root, profiles)
  sys.mkdir(root .. "/p")
  for path, answer in pairs(profiles) do
    if answer.status == 200 and #(answer.body or "") > 0 then
      write(root .. path, answer.body)
    end
  end
end

local function lua_table(t)
  local parts = {}
  for name, value in pairs(t) do
    parts[#parts + 1] = ("[%q] = %q"):format(name, value)
  end
  table.sort(parts)
  return "{ " .. table.concat(parts, ", ") .. " }"
end

-- A folder with the phone, the rule files and the profiles of a case.
local function desk(case, port)
  local self = { dir = process.temp_dir() }
  local function here(text)
    return (text:gsub("//192%.0%.2%.7/", ("//127.0.0.1:%d/"):format(port)))
  end
  local params = {}
  for name, value in pairs(case.params) do params[name] = here(value) end
  params.Syslog_Server = nil
  write(self.dir .. "/phone.lua", ("return { identity = %s, params = %s }")
    :format(lua_table(case.identity), lua_table(params)))
  sys.mkdir(self.dir .. "/rules")
  for name, text in pairs(case.rules) do
    write(self.dir .. "/rules/" .. name, text)
  end
  function self.peal(command, ...)
    return program.peal(command, "--phone", self.dir .. "/phone.lua",
      "--store", self.dir .. "/st", "--rules", self.dir .. "/rules", ...)
  end
  return setmetatable(self, { __close = function()
    process.remove(self.dir)
  end })
end

-- What both say, without what only one of them knows.
local function said(r)
  local out = json.decode(r.out)
  assert(out, r.out .. r.err)
  out.effects, out.schedule, out.daemon = nil, nil, nil
  return out
end

local function compare(seed, web, root)
  local case = plans.case(seed)
  local d <close> = desk(case, web.http_port)
  assert.equal(0, d.peal("set", "GPP_P=begun").code)
  for _ = 1, #case.past do d.peal("resync") end
  serve(root, case.profiles)
  local before = {}
  for _, name in ipairs(sys.list(d.dir .. "/st")) do
    before[name] = program.slurp(d.dir .. "/st/" .. name)
  end
  local planned = d.peal("plan", "--json")
  for _, name in ipairs(sys.list(d.dir .. "/st")) do
    assert.equal(before[name], program.slurp(d.dir .. "/st/" .. name), name)
  end
  local real = d.peal("resync", "--json")
  assert.equal(real.code, planned.code)
  assert.same(said(real), said(planned))
  assert.is_nil((planned.out .. planned.err):find("geheim", 1, true))
  assert.is_nil((planned.out .. planned.err):find("stored-secret", 1, true))
  return real.code
end

describe("peal plan", function()
  it("says in 20 drawn cases what peal resync then says", function()
    local root = process.temp_dir()
    local web <close> = servers.nginx { root = root }
    local codes = {}
    for seed = 1, SEEDS do
      local ok, code = xpcall(compare, debug.traceback, 1000 + seed, web, root)
      if not ok then error(("seed %d: %s"):format(1000 + seed, code), 0) end
      codes[code] = (codes[code] or 0) + 1
    end
    process.remove(root)
    assert(codes[0] and codes[1], json.encode(codes))
  end)
end)

describe("peal plan --fleet", function()
  local root, web, dir

  setup(function()
    root, dir = process.temp_dir(), process.temp_dir()
    web = servers.nginx { root = root }
    for i = 1, 6 do
      write(("%s/000e0800000%d.xml"):format(root, i), support.profile {
        GPP_A = i % 2 == 0 and "even" or "odd", Password_1_ = "geheim" .. i })
    end
    write(dir .. "/phone.lua", ([[return { params = { Profile_Rule =
      "http://127.0.0.1:%d/$MA.xml", GPP_A = "even" } }]]):format(
      web.http_port))
  end)

  teardown(function()
    web:stop()
    process.remove(root)
    process.remove(dir)
  end)

  local function fleet(rows, ...)
    write(dir .. "/phones.csv", "MAC,group,Password_1_\r\n"
      .. table.concat(rows, "\r\n") .. "\r\n")
    return program.peal("plan", "--fleet", dir .. "/phones.csv", "--phone",
      dir .. "/phone.lua", ...)
  end

  local SIX <const> = { "000e08000001,a,", "000e08000002,a,geheim2",
    "000e08000003,a,", "000e08000004,b,geheim4", "000e08000005,b,geheim5",
    "000e08000006,b,geheim6" }

  it("sums up what changes, for people", function()
    local r = fleet(SIX)
    assert.equal(0, r.code, r.err)
    assert.matches("group a: 2 of 3 phones changed", r.out)
    assert.matches("GPP_A +2 *\n +2 +even %-> odd", r.out)
    assert.matches('Password_1_ +2 *\n +2 +"" %-> %*+', r.out)
    assert.matches("group b: 1 of 3 phones changed", r.out)
    assert.matches("2 reboot, 2 register a line anew", r.out)
    assert.matches("plan: 6 phones: 3 unchanged, 3 changed, 0 failed, "
      .. "0 refused; nothing was written", r.out)
    assert.is_nil((r.out .. r.err):find("geheim", 1, true))
    assert.is_nil(r.err:find("\r", 1, true)) -- no progress into a file
  end)

  it("says at a terminal how far it is, and leaves nothing of that", function()
    write(dir .. "/phones.csv", "MAC\n000e08000001\n000e08000077\n")
    local tty = pty.spawn { program.path, "plan", "--fleet",
      dir .. "/phones.csv", "--phone", dir .. "/phone.lua" }
    assert.same({ "exited", 1 }, { tty:wait() })
    assert(tty:bytes():find("\r2 of 2 phones, 1 failed or refused", 1, true))
    assert.is_nil(tty:text():find("2 of 2 phones", 1, true))
    assert.matches("plan: 2 phones: 0 unchanged, 1 changed, 1 failed",
      tty:text())
    tty:close()
  end)

  it("is one document with --json, and ends with 4 if asked to", function()
    local r = fleet(SIX, "--json", "--exit-code", "--jobs", "2")
    assert.equal(4, r.code)
    local out = json.decode(r.out)
    assert.same({ 6, 3, 3, 0 }, { out.phones, out.unchanged, out.changed,
      out.failed })
    assert.equal("a", out.groups[1].group)
  end)

  it("ends with 1 where a phone fails, and says why and which", function()
    local r = fleet { "000e08000001,a,", "000e08000077,a,",
      "000e08000078,b," }
    assert.equal(1, r.code)
    assert.matches("failed: 2 phones: Profile_Rule: the server answered "
      .. "HTTP 404 %[fnf%] %(lines 3, 4%)", r.out)
  end)

  it("ends with 3 where a rule refuses", function()
    local r = fleet({ "000e08000001,a," }, "--set", "Provision_Enable=No")
    assert.equal(3, r.code)
    assert.matches("refused: 1 phone: Provision_Enable is No", r.out)
  end)

  it("begins with what a phone's own store holds", function()
    assert.equal(0, program.peal("set", "GPP_A=odd", "Password_1_=geheim1",
      "Profile_Rule=http://127.0.0.1:" .. web.http_port .. "/$MA.xml",
      "--store", dir .. "/st1").code)
    write(dir .. "/own.csv", "MAC,store\n000e08000001,st1\n")
    local r = program.peal("plan", "--fleet", dir .. "/own.csv")
    assert.equal(0, r.code, r.err)
    assert.matches("1 phone: 1 unchanged", r.out)
  end)

  it("tells mistakes with their lines, and plans nothing", function()
    local r = fleet { "000e08000001,a,", "zz,a,", "1,2" }
    assert.equal(2, r.code)
    assert.matches('phones.csv: line 3: no MAC address: "zz"', r.err)
    assert.matches("phones.csv: line 4: 2 fields, not 3", r.err)
    assert.matches("2 mistakes; nothing was planned", r.err)
    assert.equal("", r.out)
  end)

  it("takes no --store, --out, nor any number of jobs", function()
    for _, more in ipairs { { "--store", dir }, { "--out", dir .. "/x" },
      { "--jobs", "0" }, { "--jobs", "5000" } } do
      assert.equal(2, fleet(SIX, table.unpack(more)).code)
    end
    assert.equal(2, program.peal("plan", "--jobs", "3").code)
    assert.equal(1, program.peal("plan", "--fleet", "/nowhere").code)
  end)
end)
