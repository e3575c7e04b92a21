-- Plans for an inventory: what it may look like, and what is summed up.
local csv = require "peal.fleet_plan.csv"
local fleet_plan = require "peal.fleet_plan"
local inventory = require "peal.fleet_plan.inventory"
local registry = require "peal.registry"
local support = require "support.engine"
local virtual = require "peal.world.virtual"

describe("comma-separated values", function()
  local function parse(text)
    local out = {}
    for i, record in ipairs(assert(csv.parse(text))) do
      out[i] = record.line .. ":" .. table.concat(record, "|")
    end
    return out
  end

  -- RFC 4180 section 2
  local GOOD <const> = {
    { "1: records end with CRLF", "a,b\r\nc,d\r\n", { "1:a|b", "2:c|d" } },
    { "2: the last one may go without", "a,b\r\nc,d", { "1:a|b", "2:c|d" } },
    { "4: spaces are part of a field", " a ,b\r\n", { "1: a |b" } },
    { "4: a field may be empty", "a,,b,\n", { "1:a||b|" } },
    { "5: fields may be in quotes", '"a","b"\r\n', { "1:a|b" } },
    { "6: commas, quotes and line ends within",
      '"a\r\nb","c,d"\r\ne,f\r\n', { "1:a\r\nb|c,d", "3:e|f" } },
    { "7: a quote is written twice", '"a ""b"" c",""\r\n',
      { '1:a "b" c|' } },
    { "line ends of Unix", "a\nb\n", { "1:a", "2:b" } },
    { "a byte order mark", "\xEF\xBB\xBFa\n", { "1:a" } },
    { "blank lines", "a\n\n\r\nb\n", { "1:a", "4:b" } },
    { "rows of a spreadsheet without text", "a,b\n,\n \nc,\n,,,\n",
      { "1:a|b", "4:c|" } },
    { "nothing", "", {} },
  }
  for _, case in ipairs(GOOD) do
    it("RFC 4180: " .. case[1], function()
      assert.same(case[3], parse(case[2]))
    end)
  end

  local BAD <const> = {
    { 'a\n"b\nc', 2, "closing quote is missing" },
    { 'a,b"c"\n', 1, "a quote in the midst" },
    { 'x\ny\n"a"b\n', 3, "something stands behind" },
    { "a\rb", 1, "a CR ends a line" },
    { '"a"\rb', 1, "a CR ends a line" },
    { "\xFF\xFEa\0", 1, "this is UTF%-16" },
    { "MAC,group\n,Bern\n,Z\xFCrich\n", 3, "this is not UTF%-8" },
    { '"MAC";"group"\n', 1, "other signs than commas" },
    { '"MAC"\t"group"\n', 1, "other signs than commas" },
  }
  it("names the line of a mistake", function()
    for _, case in ipairs(BAD) do
      local list, sentence, line = csv.parse(case[1])
      assert.is_nil(list)
      assert.equal(case[2], line)
      assert.matches(case[3], sentence)
    end
  end)
end)

local schema = assert(registry.load {})

describe("an inventory", function()
  it("has identities, groups, stores and parameters", function()
    local list = assert(inventory.parse(
      "MAC,SN,group,store,GPP_A,params.User_ID_1_\r\n"
      .. "00:0E:08:AB:CD:EF,S1,site 1,st/1,a,1001\r\n"
      .. "000e08abcdf0,,,,\"b, c\",\r\n", schema))
    assert.same({ line = 2, group = "site 1", store = "st/1",
      identity = { MAC = "000e08abcdef", SN = "S1" },
      params = { { "GPP_A", "a" }, { "User_ID_1_", "1001" } } }, list[1])
    assert.same({ line = 3, identity = { MAC = "000e08abcdf0" },
      params = { { "GPP_A", "b, c" } } }, list[2])
  end)

  local function problems(text)
    local list, found = inventory.parse(text, schema)
    assert.is_nil(list)
    local out = {}
    for i, one in ipairs(found) do out[i] = one.line .. ": " .. one.text end
    return out, found.n
  end

  it("tells every mistake with its line", function()
    assert.same({ '1: no such column: "Resync_Periodik" '
      .. "(did you mean Resync_Periodic?)", "1: MAC is named twice" },
      problems "MAC,Resync_Periodik,MAC\n1,2,3\n")
    assert.same({ '1: no such column: "mac" (did you mean MAC?)',
      '1: no such column: "Group" (did you mean group?)' },
      problems "mac,Group\n1,2\n")
    assert.same({ "1: the columns are separated by other signs than commas" },
      problems "MAC;group\n1;2\n")
    assert.same({ '2: no MAC address: "000e08"',
      "3: 1 fields, not 2 as the first line has",
      "5: 000e08abcdef is in line 4 already",
      "6: SIP_Port_1_: wants a port from 0 to 65535" },
      problems("MAC,SIP_Port_1_\n000e08,1\nx\n000e08abcdef,\n"
        .. "00-0e-08-ab-cd-ef,\n000e08abcd01,99999\n"))
    assert.same({ "1: there is no line with the names of columns" },
      problems "")
    local _, n = problems("MAC\n" .. ("x\n"):rep(1000))
    assert.equal(1000, n)
  end)

  it("shows no value of a secret in a mistake", function()
    local text = problems("MAC,Password_1_\nx,geheim\n")
    assert.is_nil(table.concat(text):find("geheim", 1, true))
  end)
end)

describe("the plan of a fleet", function()
  -- An inventory of n phones, in two groups.
  local function phones(n)
    local rows = { "MAC,group,User_ID_1_" }
    for i = 1, n do
      rows[i + 1] = ("000e08%06x,site %d,%d"):format(i, i % 2 + 1, 1000 + i)
    end
    return assert(inventory.parse(table.concat(rows, "\n"), schema))
  end

  local function plan(list, options)
    local asked, at_once, most = {}, 0, 0
    local world
    world = virtual.new { rules = options.rules, forget = true,
      dns = function(name)
        table.insert(asked, name)
        return { { address = "192.0.2.7", age = 0 } }
      end,
      server = function(request)
        at_once = at_once + 1
        most = math.max(most, at_once)
        world.wait(1)
        at_once = at_once - 1
        return options.server(request.url:match("([^/]*)$"), world)
      end }
    local params = { Profile_Rule = "http://conf.example/$MA.xml" }
    local sum = world.run(fleet_plan.run, world, list, { schema = schema,
      store = support.store(params), identity = { PN = "CP-8841-3PCC" },
      jobs = options.jobs, stop = options.stop })
    return sum:public(), { asked = asked, most = most,
      seconds = world.now().mono }
  end

  local function answer(params)
    return { status = 200, body = support.profile(params), headers = {} }
  end

  it("counts what changes by group and value, and what fails by cause",
    function()
      local sum = plan(phones(40), { server = function(file)
        local n = tonumber(file:match("(%x%x)%.xml$"), 16)
        if n <= 3 then return { status = 404, body = "", headers = {} } end
        if n == 4 then return nil, "no answer", "timeout" end
        if n <= 20 then return answer { User_ID_1_ = tostring(1000 + n) } end
        return answer { GPP_A = n % 10 == 0 and "tens" or "new",
          User_ID_1_ = "9" .. n, Password_1_ = "geheim" .. n }
      end })
      assert.same({ 40, 16, 20, 4, 0 }, { sum.phones, sum.unchanged,
        sum.changed, sum.failed, sum.refused })
      assert.same({ "site 1", "site 2" }, { sum.groups[1].group,
        sum.groups[2].group })
      local even = sum.groups[1]
      assert.same({ 20, 10 }, { even.phones, even.changed })
      assert.same({ name = "GPP_A", phones = 10, others = 0, patterns = {
        { old = "", new = "new", phones = 8 },
        { old = "", new = "tens", phones = 2 } } }, even.parameters[1])
      assert.equal("Password_1_", even.parameters[2].name)
      assert.same({ { old = "", new = "********", phones = 10 } },
        even.parameters[2].patterns)
      assert.equal(10, #even.parameters[3].patterns)
      assert.same({ 3, "fnf", "Profile_Rule", { 2, 3, 4 } },
        { sum.failures[1].phones, sum.failures[1].word,
          sum.failures[1].rule, sum.failures[1].lines })
      assert.same({ 1, "timeout" }, { sum.failures[2].phones,
        sum.failures[2].word })
      assert.same({ reboot = 20, reregister = 20 }, sum.effects)
    end)

  it("counts values that are one phone's own together past fifty", function()
    local sum = plan(phones(200), { server = function(file)
      return answer { GPP_A = file }
    end })
    local param = sum.groups[1].parameters[1]
    assert.equal(50, #param.patterns)
    assert.equal(50, param.others)
  end)

  it("asks for so many at a time, and looks a name up once", function()
    local _, seen = plan(phones(200), { jobs = 10, server = function()
      return answer {}
    end })
    assert.equal(10, seen.most)
    assert.equal(20, seen.seconds)
    assert.same({ "conf.example" }, seen.asked)
    _, seen = plan(phones(200), { server = function() return answer {} end })
    assert.equal(64, seen.most)
  end)

  local function silence() return nil, "no answer in time", "timeout" end

  it("gives a server up that answered nobody in three rounds", function()
    local asked = 0
    local sum, seen = plan(phones(1000), { jobs = 10, server = function()
      asked = asked + 1
      return silence()
    end })
    assert.same({ 1000, 1000 }, { sum.phones, sum.failed })
    assert.is_true(asked >= 30 and asked < 40, tostring(asked))
    assert.is_true(seen.seconds <= 4)
    assert.same({ { server = "http://conf.example:80", after = 30,
      spared = 1000 - asked } }, sum.given_up)
    assert.equal(1, #sum.failures)
    assert.equal("timeout", sum.failures[1].word)
  end)

  it("goes on asking a server that answers in between, or with an error",
    function()
      local n = 0
      local sum = plan(phones(200), { jobs = 2, server = function()
        n = n + 1
        if n % 5 == 0 then return answer {} end
        return silence()
      end })
      assert.same({ 200, 40, {} }, { n, sum.unchanged, sum.given_up })
      sum = plan(phones(50), { jobs = 2, server = function()
        return nil, "refused", "connect"
      end })
      assert.same({ 50, {} }, { sum.failed, sum.given_up })
    end)

  it("ends with what is done where it is stopped", function()
    local stop, n = {}, 0
    local sum = plan(phones(100), { jobs = 4, stop = stop,
      server = function(_, world)
        n = n + 1
        if n == 40 then
          stop.asked = true
          world.post(stop)
        end
        return answer {}
      end })
    assert.is_true(sum.phones >= 36 and sum.phones <= 40)
    assert.equal(100, sum.stopped_of)
    assert.is_nil(plan(phones(2), { server = function()
      return answer {}
    end }).stopped_of)
  end)

  it("goes on where the plan of one phone runs into a fault of ours",
    function()
      local sum = plan(phones(3), { server = function(file)
        if file:find("02.xml", 1, true) then error("broken") end
        return answer {}
      end })
      assert.same({ 2, 1 }, { sum.unchanged, sum.failed })
      assert.equal("internal", sum.failures[1].word)
    end)

  it("says of an inventory without phones that there are none", function()
    local sum = plan({}, { server = error })
    assert.equal(0, sum.phones)
  end)

  it("says of a store that is not there which it is", function()
    local list = phones(1)
    list[1].store = "/nowhere/st"
    local sum = plan(list, { server = error })
    assert.matches("^/nowhere/st: ", sum.failures[1].sentence)
  end)

  it("says who refuses, and for how many", function()
    local rule_files = require "peal.world.rule_files"
    local rules = rule_files.read()
    rules["trigger.lua"] = { path = "op/trigger.lua", text = [[
      return { stage = "trigger", decide = function(phone)
        return phone.param.User_ID_1_ ~= "1002", "not 1002"
      end }]] }
    local sum = plan(phones(4), { rules = rules, server = function()
      return answer {}
    end })
    assert.equal(1, sum.refused)
    assert.same({ reason = "not 1002", by = "op/trigger.lua", phones = 1,
      lines = { 3 } }, sum.refusals[1])
  end)
end)
