-- What an engine must survive.
local support = require "support.engine"

local function changing(params_of)
  local n = 0
  return function()
    n = n + 1
    return support.profile(params_of(n))
  end
end

describe("a power cut", function()
  it("between two profiles leaves the first, and a resync is due", function()
    local b = "http://192.0.2.7/b.xml"
    local lab = support.new { params = { Profile_Rule_B = b },
      server = function(request)
        if request.url ~= b then return support.profile { GPP_A = "a" } end
        return { status = 200, delay = 1000,
          body = support.profile { GPP_B = "b" } }
      end }
    lab:boot("power_on"):advance(10)
    assert.equal("a", lab.store:get("GPP_A"))
    assert.equal("", lab.store:get("GPP_B"))
    -- the power goes: nothing of the engine is left but the store
    lab.engine.stopped = true
    lab:power()
    lab:boot("power_on"):advance(20)
    assert.equal("RUN", lab.engine:status().state)
    lab:advance(2000)
    assert.equal("b", lab.store:get("GPP_B"))
  end)
end)

describe("a changed value that needs a reboot", function()
  it("reboots once the lines are idle, and does not resync again",
    function()
      local lab = support.new { server = changing(function()
        return { User_ID_1_ = "1002" }
      end) }
      lab:lines(1)
      lab.phone.overrides.Forced_Resync_Delay = "0"
      lab:boot("power_on"):advance(100)
      assert.equal("REBOOT_WAIT", lab.engine:status().state)
      assert.equal("a reboot waits until all lines are idle",
        lab.engine:status().why_not_now)
      assert.same({}, lab.reboots)
      lab:advance(200):lines(0)
      assert.same({ { reason = "resync_applied", cold = false, at = 200 } },
        lab.reboots)
      assert.is_true(lab.engine.stopped)
      -- it comes back as it was told, and waits for the next one
      lab:power()
      lab:boot():advance(3799)
      assert.equal(1, #lab.at)
      lab:advance(3800)
      assert.same({ 0, 3800 }, lab.at)
      assert.equal(1, #lab.reboots)
    end)

  it("reboots no more than once for each change, whatever a profile does",
    function()
      local lab
      lab = support.new { params = { Resync_Periodic = "600" },
        server = changing(function(n)
          return { User_ID_1_ = tostring(1000 + n) }
        end),
        device = { reboot = function(reason)
          table.insert(lab.reboots, { reason = reason })
          lab:power()
          lab:boot()
        end } }
      lab:boot("power_on"):advance(6000)
      assert.equal(#lab.at, #lab.reboots)
      assert.is_true(#lab.at <= 11, #lab.at .. " resyncs")
      for _, reboot in ipairs(lab.reboots) do
        assert.equal("resync_applied", reboot.reason)
      end
    end)

  -- A resync with a rule of its own leaves the one that is due alone, and may
  -- ask for a reboot, after which none would be due.
  for state, params in pairs {
    RANDOM_WAIT = { Resync_Random_Delay = "2" },
    GATED = { Resync_Trigger_1 = "$PRVTMR ge 600" },
  } do
    it("does not end a start's resync that waits: " .. state, function()
      local own = "http://192.0.2.7/own.xml"
      local lab = support.new { params = params, server = function(request)
        if request.url == own then
          return support.profile { User_ID_1_ = "1002" }
        end
        return support.EMPTY
      end }
      lab:boot("power_on"):advance(5)
      assert.equal(state, lab.engine:status().state)
      assert(lab.engine:resync { by = "cli", rule = own })
      assert.equal("resync_applied", lab.reboots[1].reason)
      lab:power()
      lab:boot():advance(1000)
      assert.same({ own, support.URL }, lab.asked)
      assert.equal("boot", lab.engine:status().last.asked_by)
      -- once is enough
      lab:restart("resync_applied"):advance(2000)
      assert.equal(2, #lab.at)
    end)
  end

  it("is said aloud where the device cannot reboot", function()
    local lab = support.new { told = true, device = { reboot = false },
      server = changing(function() return { User_ID_1_ = "1002" } end) }
    lab:boot("power_on"):advance(10)
    assert.equal("IDLE", lab.engine:status().state)
    assert.is_truthy(table.concat(lab.world.lines, "\n"):find(
      "the device has no function for it", 1, true))
    lab:advance(3600)
    assert.same({ 0, 3600 }, lab.at)
  end)

  it("is said aloud where the reboot fails, and the phone goes on",
    function()
      local lab = support.new { told = true, device = { reboot = function()
        return nil, "the flash is busy", "bad-state"
      end }, server = changing(function() return { User_ID_1_ = "1" } end) }
      lab:boot("power_on"):advance(3600)
      assert.same({ 0, 3600 }, lab.at)
      assert.is_truthy(table.concat(lab.world.lines, "\n"):find(
        "cannot be rebooted: the flash is busy", 1, true))
      -- the next start is no reboot of ours
      lab:restart():advance(3600)
      assert.same({ 0, 3600, 3600 }, lab.at)
    end)

  it("stays due when a later profile of the run fails", function()
    local down = true
    local lab = support.new { params = {
      Profile_Rule_B = "http://192.0.2.7/b.xml" },
      server = function(request)
        if request.url:find("b.xml", 1, true) then
          return down and 503 or support.EMPTY
        end
        return support.profile { User_ID_1_ = "1002" }
      end }
    lab:boot("power_on"):advance(30)
    assert.same({}, lab.reboots)
    down = false
    lab:advance(60)
    assert.equal(1, #lab.reboots)
  end)
end)

describe("a profile", function()
  it("that sets its own rule counts at the next cycle", function()
    local other = "http://192.0.2.7/other.xml"
    local lab = support.new { server = function()
      return support.profile { Profile_Rule = other }
    end }
    lab:boot("power_on"):advance(3600)
    assert.same({ support.URL, other }, lab.asked)
  end)

  it("that sets all rules to itself is fetched four times, not for ever",
    function()
      local rules = { Profile_Rule = support.URL }
      for _, letter in ipairs { "B", "C", "D" } do
        rules["Profile_Rule_" .. letter] = support.URL
      end
      local lab = support.new { server = function()
        return support.profile(rules)
      end }
      lab:boot("power_on"):advance(100)
      assert.equal(4, #lab.at)
      lab:advance(3600)
      assert.equal(8, #lab.at)
    end)

  it("with a dead rule still leaves a way back", function()
    local lab = support.new { server = function(request)
      if request.url == support.URL then
        return support.profile { Profile_Rule = "http://192.0.2.9/dead" }
      end
      return nil, "no route", "connect"
    end }
    lab:boot("power_on"):advance(10000)
    assert.equal("IDLE", lab.engine:status().state)
    assert.is_true(lab.engine:resync { by = "cli",
      rule = "(Profile_Rule=\"" .. support.URL .. "\";)!" })
    assert.equal(support.URL, lab.store:get("Profile_Rule"))
  end)
end)

describe("Resync_Periodic", function()
  local function after(value)
    local lab = support.new():boot("power_on"):advance(1)
    local txn = assert(lab.store:begin())
    local ok = txn:set("Resync_Periodic", value)
    txn:abort()
    return ok and true or false
  end

  it("is refused where it is no schedule", function()
    for value, good in pairs { ["0"] = true, ["-60"] = false,
      ["abc"] = false, ["600 , 1200 , 300"] = true, ["2400+30"] = true,
      ["1000000000000000000"] = false } do
      assert.equal(good, after(value), value)
    end
  end)
end)

describe("a trigger that is wrong", function()
  local WRONG <const> = { "$PRVTMR ge", "((((1 eq 1))))", "1 / 0 eq 1",
    "$NOPE eq 1", ("1 eq 1 and "):rep(370) .. "x" }
  for i, text in ipairs(WRONG) do
    it(("counts as false, and is reported once (%d)"):format(i), function()
      local lab = support.new { told = true,
        params = { Resync_Trigger_1 = text } }
      lab:boot("power_on"):advance(3000)
      assert.same({}, lab.at)
      local said = 0
      for _, line in ipairs(lab.world.lines) do
        assert.is_true(#line < 600)
        if line:find("held back", 1, true) then said = said + 1 end
      end
      assert.equal(1, said)
      assert.is_true(lab.engine:resync { by = "cli" })
      assert.equal(1, #lab.at)
    end)
  end
end)

describe("a trigger rule that words its reason anew each time", function()
  it("does not fill the control log", function()
    local lab = support.new { told = true, rules = { ["trigger.lua"] = [[
      return { stage = "trigger", decide = function(phone)
        return false, "for " .. phone.since_resync .. " s"
      end }
    ]] } }
    lab:boot("power_on"):advance(3600)
    local said = 0
    for _, line in ipairs(lab.world.lines) do
      if line:find("held back", 1, true) then said = said + 1 end
    end
    assert.is_true(said >= 2 and said <= 7, said .. " lines")
    assert.is_truthy(lab.engine:status().why_not_now:find("for 3600 s", 1,
      true))
  end)
end)

describe("an upgrade that never takes", function()
  it("is followed by Upgrade_Error_Retry_Delay, not by itself", function()
    local attempts = {}
    local lab = support.new { params = {
      Upgrade_Rule = "http://192.0.2.7/f/sip88xx.12-0-1MPP-1.loads",
      Upgrade_Error_Retry_Delay = "1000" },
      device = support.slots(),
      server = function(request, lab)
        if request.url:find("/f/", 1, true) then
          attempts[#attempts + 1] = lab.world.now().mono
          return 503
        end
        return support.EMPTY
      end }
    lab:boot("power_on"):advance(3500)
    assert.same({ 0, 1000, 2000, 3000 }, attempts)
    -- each attempt is followed by one resync
    assert.same({ 0, 0, 0, 1000, 1000, 2000, 2000, 3000, 3000 }, lab.at)
    lab:advance(3600)
  end)
end)

describe("a call of resync from within a run", function()
  it("is queued, not recursive", function()
    local lab, depth, deepest = nil, 0, 0
    lab = support.new { server = function()
      depth = depth + 1
      deepest = math.max(deepest, depth)
      if #lab.at < 4 then lab.engine:resync { by = "rule" } end
      depth = depth - 1
      return support.EMPTY
    end }
    lab:boot("power_on"):advance(10)
    assert.equal(4, #lab.at)
    assert.equal(1, deepest)
  end)
end)

describe("a phone without a clock", function()
  it("says so instead of blaming the certificate, and tries again",
    function()
      local lab
      lab = support.new { trusted = false, time = 0, told = true,
        params = { Profile_Rule = "https://192.0.2.7/a.xml" },
        server = function(request)
          assert.equal("https", request.scheme)
          if not lab.trusted then
            return nil, "certificate for 192.0.2.7 is not valid before "
              .. "2026-01-01", "c.future"
          end
          return support.EMPTY
        end }
      lab:boot("power_on"):advance(30)
      local last = lab.engine:status().last
      assert.equal("failure", last.outcome)
      assert.is_truthy(last.reason:find("the clock is not set", 1, true))
      assert.is_truthy(table.concat(lab.world.lines, "\n"):find("(clock)", 1,
        true))
      lab.trusted = true
      lab:step(1795342530)
      lab:advance(60)
      assert.equal("success", lab.engine:status().last.outcome)
    end)

  it("still blames a certificate when the clock is set", function()
    local lab = support.new { params = {
      Profile_Rule = "https://192.0.2.7/a.xml" }, server = function()
        return nil, "certificate expired", "c.expired"
      end }
    lab:boot("power_on")
    assert.equal("Profile_Rule: certificate expired",
      lab.engine:status().last.reason)
  end)
end)

describe("two engines in one world", function()
  it("have timers and requests of their own", function()
    local task = require "peal.task"
    local engine = require "peal.engine"
    local phone = require "peal.phone"
    local fixture = require "support.fixture"
    local lab = support.new { params = { Resync_Periodic = "600" } }
    local other = setmetatable({ store = support.store {
      Profile_Rule = "http://192.0.2.7/other", Resync_Random_Delay = "0",
      Resync_Periodic = "900" } }, { __index = lab.world })
    local second = engine.new(phone.new { world = other,
      identity = fixture.identity })
    lab:boot("power_on")
    second:start("power_on")
    lab:advance(1000)
    assert.same({ support.URL, "http://192.0.2.7/other", support.URL,
      "http://192.0.2.7/other" }, lab.asked)
    assert.same({ 0, 0, 600, 900 }, lab.at)
    second:stop()
    lab:advance(2000)
    assert.same({ 0, 0, 600, 900, 1200, 1800 }, lab.at)
    assert.is_function(task.spawn)
  end)
end)
