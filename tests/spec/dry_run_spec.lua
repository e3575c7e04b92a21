-- What a dry run tells, what it leaves alone, and how a plan is carried out.
local apply = require "peal.dry_run.apply"
local dry_run = require "peal.dry_run"
local inputs = require "peal.dry_run.inputs"
local json = require "peal.json"
local keyring = require "peal.keyring"
local plan_file = require "peal.dry_run.plan_file"
local phone = require "peal.phone"
local pki = require "support.pki"
local program = require "support.program"
local registry = require "peal.registry"
local sip_identity = require "peal.sip_identity"
local support = require "support.engine"
local task = require "peal.task"
local trust = require "peal.trust"

local LOAD <const> = "sip88xx.11-3-2MPP0001-609"

-- A lab and the plan of its next resync.
local function plan(options, about)
  options.told = true
  local lab = support.new(options)
  return lab.world.run(dry_run.cycle, lab.phone, about or {}), lab
end

local function kinds(result)
  local out = {}
  for i, effect in ipairs(result.effects) do out[i] = effect.kind end
  return out
end

local function effect(result, kind)
  for _, one in ipairs(result.effects) do
    if one.kind == kind then return one end
  end
end

local function serves(params)
  return function() return support.profile(params) end
end

describe("parameters of a line's SIP identity", function()
  it("are all known, for each of sixteen lines", function()
    local schema = assert(registry.load {})
    for name in pairs(sip_identity.names) do
      for line = 1, 16 do
        local full = ("%s_%d_"):format(name, line)
        assert(schema:find(full), full)
        assert.equal(line, sip_identity.line(full))
      end
    end
  end)

  it("are no others", function()
    for _, name in ipairs { "Station_Name", "Proxy", "Dial_Plan_1_", "GPP_A",
      "Upgrade_Rule", "" } do
      assert.is_nil(sip_identity.line(name))
    end
  end)
end)

describe("a dry run", function()
  it("tells which lines register anew, and for what", function()
    local result = plan { server = serves { Proxy_2_ = "p.example",
      User_ID_2_ = "7", Password_4_ = "x", Dial_Plan_1_ = "(xx)" } }
    assert.same({ "reboot", "reregister", "reregister" }, kinds(result))
    assert.equal("line 2 registers anew: Proxy_2_, User_ID_2_",
      result.effects[2].text:gsub("User_ID_2_, Proxy_2_",
        "Proxy_2_, User_ID_2_"))
    assert.equal(4, result.effects[3].line)
  end)

  it("tells of no line where only the access to a value changes", function()
    local result = plan { server = function()
      return '<flat-profile><Display_Name_1_ ua="ro"></Display_Name_1_>'
        .. "</flat-profile>"
    end }
    assert.equal(1, #result.changes)
    assert.same({}, kinds(result))
  end)

  it("tells of the upgrade that the rule starts, and fetches no image",
    function()
      local loads = {}
      local url = ("http://192.0.2.7/%s.loads"):format(LOAD)
      local result, lab = plan { device = support.slots(loads),
        server = serves { Upgrade_Rule = url } }
      local one = effect(result, "upgrade")
      assert.same({ LOAD, url }, { one.load, one.url })
      assert.matches("^the phone upgrades to " .. LOAD:gsub("%p", "%%%0"),
        one.text)
      assert.same({ "http://192.0.2.7/a.xml" }, lab.asked)
      assert.same({}, loads)
    end)

  it("tells of an upgrade that waits for a call to end", function()
    local lab = support.new { device = support.slots(), server = serves {
      Upgrade_Rule = ("http://192.0.2.7/%s.loads"):format(LOAD) } }
    lab.active = 1
    local result = lab.world.run(dry_run.cycle, lab.phone, {})
    assert.is_true(effect(result, "upgrade").waits)
  end)

  it("tells of a load that is there, and would only be activated", function()
    local loads = {}
    local device = support.slots(loads)
    device.load = { active = "sip88xx.11-3-1MPP-234", inactive = LOAD }
    local result = plan { device = device, server = serves {
      Upgrade_Rule = ("http://192.0.2.7/%s.loads"):format(LOAD) } }
    assert.equal(LOAD, effect(result, "upgrade").load)
    assert.same({}, loads)
  end)

  it("tells of an upgrade that the rule would refuse, as a note", function()
    local result = plan { device = support.slots(), server = serves {
      Upgrade_Rule = "http://192.0.2.7/sip88xx.10-1-1MPP-1.loads",
      Downgrade_Rev_Limit = "sip88xx.11-1-1MPP-1" } }
    assert.is_nil(effect(result, "upgrade"))
    assert.matches("the upgrade that follows would fail: Below revision limit",
      result.notes[#result.notes].text)
  end)

  it("tells that the user would be asked about a headset", function()
    local asked = {}
    local result, lab = plan { device = {
      headset = { model = "560", version = "1-5-1-10" },
      prompt = function(kind) asked[#asked + 1] = kind end,
      headset_install = function() asked[#asked + 1] = "install" end },
      server = function(request)
        if request.url:find("/h.xml", 1, true) then
          return '<headset-firmware><headset model="560" '
            .. 'version="1-6-0-162" file="f.bin"/></headset-firmware>'
        end
        return support.profile {
          Cisco_Headset_Upgrade_Rule = "http://192.0.2.7/h.xml" }
      end }
    assert.same({ "headset" }, kinds(result))
    assert.matches("firmware 1%-6%-0%-162 for headset 560",
      result.effects[1].text)
    assert.same({}, asked)
    assert.equal(2, #lab.asked)
  end)

  it("tells of a report that would be sent, and sends none", function()
    local lab = support.new { rules = { ["report.lua"] = [[
      return { stage = "report", decide = function(phone)
        if phone.event ~= "mode" then return { reason = "not now" } end
        return { send = { { content = "status", method = "PUT",
          fetch = { url = "http://192.0.2.9/report" } } } }
      end }]] },
      server = serves { Report_To_Server = "On Local Change" } }
    local result = lab.world.run(dry_run.cycle, lab.phone, {})
    assert.same({ "report" }, kinds(result))
    assert.same({ "PUT http://192.0.2.9/report",
      "a report is sent: PUT http://192.0.2.9/report" },
      { result.effects[1].url, result.effects[1].text })
    assert.same({ "http://192.0.2.7/a.xml" }, lab.asked)
  end)

  it("tells of no report that waits for a change by the user", function()
    local result, lab = plan { params = { Report_Rule =
      "http://192.0.2.9/report" }, server = serves {
        Report_To_Server = "On Local Change" } }
    assert.same({}, kinds(result))
    assert.same({ "http://192.0.2.7/a.xml" }, lab.asked)
  end)

  it("says that a rule's own --post is sent", function()
    local result, lab = plan({ params = { GPP_B = "mine" } },
      { rule = "[--post b] http://192.0.2.7/a.xml" })
    assert.same({ "sent" }, kinds(result))
    assert.equal("POST http://192.0.2.7/a.xml", result.effects[1].url)
    assert.equal("mine", lab.world.requests[1].body)
  end)

  it("keeps to what the device tells, and calls none of its actions",
    function()
      local called = {}
      local device = setmetatable({ headset = false }, { __index = nil })
      for _, name in ipairs { "apply", "reboot", "subscribe", "image_begin",
        "image_write", "image_finish", "image_abort", "activate", "prompt",
        "headset_install", "seal", "renew" } do
        device[name] = function() called[#called + 1] = name end
      end
      plan { device = device, params = { Upgrade_Rule =
        ("http://192.0.2.7/%s.loads"):format(LOAD) },
        server = serves { User_ID_1_ = "7", GPP_A = "x" } }
      assert.same({}, called)
    end)

  it("says nothing to servers of logs, to the log, or to who follows",
    function()
      local result, lab = plan { params = { Syslog_Server = "192.0.2.9",
        Debug_Server = "192.0.2.9", Debug_Level = "DEBUG" },
        server = serves { GPP_A = "x" } }
      assert.equal("success", result.outcome)
      assert.same({ {}, {}, {} }, { lab.world.datagrams, lab.world.lines,
        lab.world.told })
    end)

  it("shows when the next resync is, before and after", function()
    local result = plan { params = { Resync_Periodic = "600" },
      server = serves { Resync_Periodic = "7200+60" } }
    assert.equal("boot", result.schedule.before.cause)
    local after = result.schedule.after
    assert.same({ "periodic", 7200, 60 }, { after.cause, after.after,
      after.latest - after.earliest })
    assert.matches("7200 to 7260 s %(before: Resync_Periodic, 600 s%)",
      effect(result, "schedule").text)
  end)

  it("says of the resync after a start why it is due, whatever else is asked "
    .. "since", function()
    for _, engine in ipairs { false, { next = { { what = "resync",
      cause = "start", at = 2000000000, why = "the random delay" } } } } do
      local result = plan({ server = serves { Resync_Periodic = "7200" } },
        { rule = "http://h/a.xml", engine = engine or nil })
      for _, due in pairs(result.schedule) do
        assert.same({ "boot", engine and "the random delay"
          or "boot: power_on" }, { due.cause, due.why })
      end
    end
  end)

  it("shows the retry that follows a failure", function()
    local result = plan { server = function() return 503 end }
    assert.same({ "failure", "retry", 60 }, { result.outcome,
      result.schedule.after.cause, result.schedule.after.after })
  end)

  it("schedules nothing where a profile switches resyncs off", function()
    local result = plan { server = serves { Provision_Enable = "No" } }
    assert.is_nil(result.schedule.after)
  end)
end)

describe("a phone's memory as JSON", function()
  it("holds that an upgrade is not tried again by itself", function()
    local lab = support.new { server = function() return 503 end,
      device = support.slots(), params = { Upgrade_Error_Retry_Delay = "0",
        Upgrade_Rule = ("http://192.0.2.7/%s.loads"):format(LOAD) } }
    lab:boot("resync_applied"):advance(1)
    assert.equal(math.huge, lab.phone.upgrade_next)
    local other = phone.new { world = lab.world, identity = {},
      memory = json.decode(json.encode(lab.phone:memory())) }
    assert.equal(math.huge, other.upgrade_next)
  end)
end)

describe("a dry run with certificates", function()
  it("tells of a renewal, makes no key and asks no service", function()
    local lab_ca <close> = pki.new()
    local now = 1795342530
    local made = lab_ca:client { from = now - 86400, to = now + 10 * 86400 }
    local anchors = assert(trust.anchors())
    assert(anchors:load(lab_ca.ca.cert))
    local ring = assert(keyring.open())
    local lab = support.new { device = { renew = function()
      error("the service was asked")
    end }, server = serves { MIC_Cert_Refresh_Enable = "Yes",
      MIC_Cert_Refresh_Rule = "https://192.0.2.7/renew" } }
    lab.world.keyring = ring
    lab.world.trust = { anchors = anchors,
      identity = assert(trust.identity(made.cert, made.key)) }
    lab.world.new_key = function() error("a key was made") end
    local result = lab.world.run(dry_run.cycle, lab.phone, {})
    assert.equal("mic", effect(result, "certificate").what)
    assert.is_nil(ring:generation("mic"))
    assert.same({ "http://192.0.2.7/a.xml" }, lab.asked)
  end)

  it("tells of the roots that Custom_CA_Rule brings, and trusts none of them",
    function()
      local lab_ca <close> = pki.new()
      local pem = program.slurp(lab_ca.ca.cert)
      local function server(request)
        if request.url:find("ca.pem", 1, true) then return pem end
        return support.profile { GPP_A = "x",
          Custom_CA_Rule = "http://192.0.2.7/ca.pem" }
      end
      local result, lab = plan { server = server }
      assert.same({ "roots" }, kinds(result))
      assert.matches("^the site's own roots: Installed %- ",
        result.effects[1].text)
      assert.is_nil(lab.phone.keep:get("trust", "custom_ca"))
    end)

  it("tells what is wrong with a Custom_CA_Rule that the profile brings",
    function()
      local result = plan { server = function(request)
        if request.url:find("ca.pem", 1, true) then return "no bundle" end
        return support.profile { Custom_CA_Rule = "http://192.0.2.7/ca.pem" }
      end }
      assert.same({}, kinds(result))
      local texts = {}
      for i, note in ipairs(result.notes) do
        texts[i] = (note.name or "") .. ": " .. note.text
      end
      local text = table.concat(texts, "\n")
      assert.matches("Custom_CA_Rule: Custom CA: .*; none is installed", text)
      assert.matches("the bundle comes over http", text)
    end)

  it("says that a renewal would fail, where its rule is of no use",
    function()
      local lab_ca <close> = pki.new()
      local made = lab_ca:client { from = 0, to = 1795342530 + 86400 }
      local lab = support.new { server = serves {
        MIC_Cert_Refresh_Enable = "Yes",
        MIC_Cert_Refresh_Rule = "http://192.0.2.7/renew" } }
      lab.world.trust = {
        identity = assert(trust.identity(made.cert, made.key)) }
      local result = lab.world.run(dry_run.cycle, lab.phone, {})
      assert.same({}, kinds(result))
      assert.matches("that would fail: MIC_Cert_Refresh_Rule: no certificate "
        .. "is renewed by http", result.notes[#result.notes].text)
    end)
end)

-- --- applying ---------------------------------------------------------------

-- A lab, and the plan file's content of its next resync.
local function planned(options, about)
  about = about or {}
  local lab = support.new(options)
  lab.phone.keep_unknown = options.keep_unknown
  local before = inputs.before(lab.phone)
  local result = lab.world.run(dry_run.cycle, lab.phone, about)
  local text = plan_file.encode(plan_file.of(lab.phone, before, result,
    about.rule))
  return lab, assert(plan_file.decode(text)), result, text
end

local function check(lab, plan_, about)
  return lab.world.run(function()
    return apply.check(lab.phone, plan_, about or { asked_by = "cli" })
  end)
end

describe("a plan that is carried out", function()
  it("fetches each file once, and writes what was planned", function()
    local lab, plan_, result = planned { server = serves { GPP_A = "x",
      Password_1_ = "geheim" } }
    local checked = assert(check(lab, plan_))
    assert.equal(2, #lab.asked) -- the plan's, and this one
    local done
    task.spawn(function() done = checked:carry_out() end)
    assert(done, "it waits for something")
    assert.equal(2, #lab.asked)
    assert.equal("x", (lab.store:get("GPP_A")))
    assert.equal(#result.changes, #done.result.changes)
    assert.equal("profile", lab.store:value("GPP_A").author)
  end)

  it("runs to its end without a pause, with operators' rules too", function()
    local lab, plan_ = planned { rules = { ["apply.lua"] = [[
      return { stage = "apply", decide = function()
        return { change = { GPP_B = "by a rule" } } end }]] },
      server = serves { GPP_A = "x" } }
    local checked = assert(check(lab, plan_))
    lab.world.ask = function() error("asked again") end
    local done
    task.spawn(function() done = checked:carry_out() end)
    assert.equal("success", done.result.outcome)
    assert.equal("by a rule", (lab.store:get("GPP_B")))
  end)

  it("is of the real clock again afterwards", function()
    local lab, plan_ = planned { server = serves { GPP_A = "x" } }
    local real = lab.phone.world
    local checked = assert(check(lab, plan_))
    lab.world.run(checked.carry_out, checked)
    assert.equal(real, lab.phone.world)
    assert.equal(lab.world.now().mono, lab.phone.last_resync)
  end)

  it("holds digests and names, and no value", function()
    local _, _, _, text = planned({ params = { GPP_SA = "geheim-1" },
      server = serves { Password_1_ = "geheim-2", GPP_A = "offen" } },
      { rule = "[--uid u --pwd geheim-3] http://192.0.2.7/a.xml" })
    assert.is_nil(text:find("geheim", 1, true))
    assert.is_nil(text:find("offen", 1, true))
    assert.matches("Password_1_", text)
  end)

  it("holds no digest by which a short secret could be guessed", function()
    local profile = support.profile { Password_1_ = "1234" }
    local url = "http://192.0.2.7/a.xml?pin=1234"
    local options = { params = { Profile_Rule = url },
      server = function() return profile end }
    local _, one = planned(options)
    local _, other = planned(options)
    for _, field in ipairs { "id", "digest" } do
      -- under the key of each one's store
      assert.not_equal(one.answers[1][field], other.answers[1][field])
    end
  end)

  it("is refused for another store", function()
    local options = { server = serves { GPP_A = "x" } }
    local _, plan_ = planned(options)
    local _, failed = check(support.new(options), plan_)
    assert.equal("not applied: this plan is of another store",
      failed.sentence)
  end)

  -- What stands in each place of a plan, replaced.
  local function each_damage(plan_, fn, place)
    for name, value in pairs(plan_) do
      local here = (place or "") .. "/" .. name
      if type(value) == "table" then each_damage(value, fn, here) end
      for _, other in ipairs { true, 1.5, json.null, "\27[2J", { { 1 } } } do
        plan_[name] = other
        fn(here, other)
      end
      plan_[name] = value
    end
  end

  it("is refused, or as good, wherever its file is damaged", function()
    local lab, good = planned { rules = { ["apply.lua"] =
      "return { stage = 'apply', decide = function() return {} end }" },
      server = serves { GPP_A = "x" } }
    local txn = assert(lab.store:begin())
    txn:set("GPP_C", "later")
    txn:commit("set", 0)
    local n = 0
    each_damage(good, function(place, other)
      local plan_, failed = plan_file.check(good)
      if plan_ then failed = select(2, check(lab, plan_)) end
      assert(failed and failed.sentence, place .. " " .. tostring(other))
      assert.is_nil(failed.sentence:find("%c"), place)
      n = n + 1
    end)
    assert(n > 100, n)
  end)

  it("is refused where it is of a resync that fails", function()
    local lab, plan_ = planned { server = serves { GPP_A = "x" } }
    plan_.result.outcome = "failure"
    local _, failed = plan_file.check(plan_)
    assert.matches("a resync that does not work", failed.sentence)
    assert.equal("", (lab.store:get("GPP_A")))
  end)

  it("is refused while fetching, where somebody writes in between",
    function()
      local lab, plan_
      local server = serves { GPP_A = "x" }
      local late = false
      lab, plan_ = planned { server = function()
        if late then
          local txn = assert(lab.store:begin())
          txn:set("GPP_C", "sneaked in")
          txn:commit("set", 0)
        end
        return server()
      end }
      late = true
      local checked, failed = check(lab, plan_)
      assert.is_nil(checked)
      assert.equal("changed", failed.word)
      assert.matches("the store was written to", failed.sentence)
    end)

  it("names the file that is asked for no more, and the one that is new",
    function()
      local lab, plan_ = planned { params = { Profile_Rule =
        "($PRVTMR lt 10)? http://192.0.2.7/a.xml | http://192.0.2.7/b.xml" },
        server = serves { GPP_A = "x" } }
      lab:advance(20)
      local _, failed = check(lab, plan_)
      assert.equal("changed", failed.word)
      assert.matches("b.xml was not asked for in the plan", failed.sentence)
    end)

  it("takes back what was written, where the store takes not all of it",
    function()
      local lab, plan_ = planned { keep_unknown = true, params = {
        Profile_Rule = "http://192.0.2.7/a.xml",
        Profile_Rule_B = "http://192.0.2.7/b.xml",
        GPP_A = "before" }, server = function(request)
          return request.url:find("/a.xml", 1, true)
            and support.profile { GPP_A = "new", GPP_C = "c", Maker_X_ = "m" }
            or support.profile { GPP_B = "b" }
        end }
      local checked = assert(check(lab, plan_))
      -- the second transaction of the cycle finds no room
      local real, begun = lab.phone.world.store, 0
      checked.world.store = setmetatable({}, { __index = function(_, name)
        return function(_, ...)
          if name == "begin" then
            begun = begun + 1
            if begun == 2 then return nil, "no space", "no-space" end
          end
          return real[name](real, ...)
        end
      end })
      local _, failed = lab.world.run(checked.carry_out, checked)
      assert.matches("no space; what was written is taken back",
        failed.sentence)
      assert.equal("no-space", failed.word)
      assert.same({ "before", "", "" }, { (real:get("GPP_A")),
        (real:get("GPP_B")), (real:get("GPP_C")) })
      assert.is_nil(real:get("Maker_X_"))
    end)

  it("is refused where a file is another that is read after the resync",
    function()
      local files = { ["ca.pem"] = "one" }
      local lab, plan_ = planned { server = function(request)
        return files[request.url:match("[^/]*$")] or support.profile {
          GPP_A = "x", Custom_CA_Rule = "http://192.0.2.7/ca.pem" }
      end }
      files["ca.pem"] = "two"
      local _, failed = check(lab, plan_)
      assert.equal("changed", failed.word)
      assert.matches("GET http://192.0.2.7/ca.pem has changed",
        failed.sentence, 1, true)
    end)

  it("takes its turn in the engine, and says what has changed", function()
    local lab, plan_ = planned { server = function(_, self)
      return support.profile { GPP_A = self.text or "x" }
    end }
    lab:boot("resync_applied")
    local results = {}
    local function ask()
      assert(lab.engine:resync { by = "cli", plan = plan_,
        done = function(result) results[#results + 1] = result end })
      lab:advance(lab.world.now().mono)
    end
    lab.text = "y"
    ask()
    assert.equal("changed", results[1].not_applied.word)
    assert.equal("", (lab.store:get("GPP_A")))
    lab.text = "x"
    ask()
    assert.equal("success", results[2].outcome)
    assert.equal("x", (lab.store:get("GPP_A")))
    assert.equal("IDLE", lab.engine:status().state)
  end)
end)
