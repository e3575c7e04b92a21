-- Requests that somebody makes of a phone: resyncs by hand, by URL, by NOTIFY.
local support = require "support.engine"

local ONCE <const> = "http://192.0.2.7/once"

-- A server that takes `delay` seconds for everything.
local function slow(delay)
  return function() return { status = 200, body = support.EMPTY,
    delay = delay } end
end

local function collect()
  local list = {}
  return list, function(result) list[#list + 1] = result.outcome end
end

describe("an explicit resync", function()
  it("runs at once and says how it ended", function()
    local lab = support.new { params = { Resync_Random_Delay = "2" } }
    lab:boot("power_on"):advance(10)
    local got
    assert.is_true(lab.engine:resync { by = "cli",
      done = function(result) got = result end })
    assert.same({ 10 }, lab.at)
    assert.equal("success", got.outcome)
    assert.equal(1, got.cycle)
  end)

  it("without a rule satisfies a start that waits", function()
    local lab = support.new { params = { Resync_Random_Delay = "2" } }
    lab:boot("power_on"):advance(10)
    lab.engine:resync { by = "cli" }
    assert.equal("IDLE", lab.engine:status().state)
    lab:advance(3609)
    assert.same({ 10 }, lab.at)
    lab:advance(3610)
    assert.same({ 10, 3610 }, lab.at)
  end)

  it("with a rule evaluates only that rule, and a start waits on", function()
    local lab = support.new { params = { Resync_Random_Delay = "2" } }
    lab:boot("power_on"):advance(10)
    lab.engine:resync { by = "url", rule = ONCE }
    assert.same({ ONCE }, lab.asked)
    assert.equal("RANDOM_WAIT", lab.engine:status().state)
    lab:advance(40)
    assert.same({ ONCE, support.URL }, lab.asked)
    assert.same({ 10, 40 }, lab.at)
  end)

  it("with a rule leaves a resync alone that a trigger holds back",
    function()
      local lab = support.new { params = {
        Resync_Trigger_1 = '"$A" eq "go"' } }:boot("power_on")
      lab:advance(5)
      lab.engine:resync { by = "url", rule = ONCE }
      assert.same({ ONCE }, lab.asked)
      assert.equal("GATED", lab.engine:status().state)
      lab:set { GPP_A = "go" }
      lab:advance(20)
      assert.same({ ONCE, support.URL }, lab.asked)
    end)

  it("with a rule is not retried and moves no timer", function()
    local lab = support.new { server = function(request)
      return request.url == ONCE and 503 or support.EMPTY
    end }
    lab:boot("power_on"):advance(1000)
    local list, done = collect()
    lab.engine:resync { by = "url", rule = ONCE, done = done }
    assert.same({ "failure" }, list)
    lab:advance(3600)
    assert.same({ 0, 1000, 3600 }, lab.at)
  end)

  it("without a rule is retried like any other", function()
    local down = false
    local lab = support.new { server = function()
      return down and 503 or support.EMPTY
    end }
    lab:boot("power_on"):advance(1000)
    down = true
    lab.engine:resync { by = "cli" }
    lab:advance(1060)
    assert.same({ 0, 1000, 1060 }, lab.at)
  end)

  it("sees $PRVST -1", function()
    local lab = support.new { params = {
      Profile_Rule = "http://192.0.2.7/x$PRVST" } }
    lab:boot("power_on")
    lab.engine:resync { by = "cli" }
    assert.same({ "http://192.0.2.7/x0", "http://192.0.2.7/x-1" }, lab.asked)
  end)

  it("waits for idle lines, for Forced_Resync_Delay at most", function()
    local lab = support.new():boot("power_on"):advance(100)
    lab:lines(1)
    lab.engine:resync { by = "notify", rule = ONCE }
    assert.equal("DEFERRED", lab.engine:status().state)
    assert.is_truthy(lab.engine:status().why_not_now:find(
      "line busy, at the latest at 2026-11-22T14:17:10Z", 1, true))
    lab:advance(150)
    lab:lines(0)
    assert.same({ 0, 150 }, lab.at)
    lab:lines(1)
    lab.engine:resync { by = "notify", rule = ONCE }
    lab:advance(150 + 14400)
    assert.equal(ONCE, lab.asked[#lab.asked])
  end)

  it("is refused to a user by User_Configurable_Resync", function()
    local lab = support.new { params = {
      User_Configurable_Resync = "No" } }:boot("power_on")
    assert.same({ nil, "User_Configurable_Resync is No", "refused" },
      { lab.engine:resync { by = "web", role = "user" } })
    assert.is_true(lab.engine:resync { by = "web", role = "admin" })
  end)

  it("is refused by an operator's trigger rule, and says so", function()
    local lab = support.new { rules = { ["trigger.lua"] = [[
      return { stage = "trigger", decide = function(phone)
        if phone.asked_by == "url" then return false, "not by URL" end
        return true
      end }]] } }:boot("power_on")
    local got
    lab.engine:resync { by = "url", done = function(r) got = r end }
    assert.equal("refused", got.outcome)
    assert.equal("not by URL", got.reason)
    assert.same({ 0 }, lab.at)
  end)

  it("is refused before the start and after the end", function()
    local lab = support.new()
    assert.equal("bad-state", select(3, lab.engine:resync { by = "cli" }))
    lab:boot("power_on")
    lab.engine:stop()
    assert.equal("bad-state", select(3, lab.engine:resync { by = "cli" }))
    assert.is_true(lab.engine.stopped)
  end)
end)

describe("an engine that was stopped", function()
  it("says so, whatever it was at", function()
    local states = {
      RUN = { server = function()
        return { status = 200, delay = 100, body = support.EMPTY }
      end },
      RANDOM_WAIT = { params = { Resync_Random_Delay = "2" } },
      GATED = { params = { Resync_Trigger_1 = "$PRVTMR ge 600" } },
      IDLE = {},
    }
    for state, options in pairs(states) do
      local lab = support.new(options):boot("power_on"):advance(5)
      assert.equal(state, lab.engine:status().state)
      lab.engine:stop()
      lab:advance(1000)
      assert.equal("the engine has stopped", lab.engine:status().why_not_now)
    end
  end)
end)

describe("the queue", function()
  local function running()
    return support.new { server = slow(100) }:boot("power_on")
  end

  it("holds four behind the one that runs, first come first served",
    function()
      local lab = running()
      for i = 1, 4 do
        assert.is_true(lab.engine:resync { by = "url", rule = ONCE .. i })
      end
      assert.same({ nil, "4 requests wait already", "busy" },
        { lab.engine:resync { by = "url", rule = ONCE .. 5 } })
      assert.equal(4, lab.engine:status().queued)
      lab:advance(600)
      assert.same({ support.URL, ONCE .. 1, ONCE .. 2, ONCE .. 3,
        ONCE .. 4 }, lab.asked)
      assert.equal(0, lab.engine:status().queued)
    end)

  it("merges equal requests, and answers each of them", function()
    local lab = running()
    local list, done = collect()
    for _ = 1, 3 do
      assert.is_true(lab.engine:resync { by = "url", rule = ONCE,
        done = done })
    end
    assert.equal(1, lab.engine:status().queued)
    lab:advance(600)
    assert.same({ support.URL, ONCE }, lab.asked)
    assert.same({ "success", "success", "success" }, list)
  end)

  it("keeps a request that equals the one that runs", function()
    local lab = running()
    assert.is_true(lab.engine:resync { by = "cli" })
    lab:advance(600)
    assert.same({ 0, 100 }, lab.at)
  end)

  it("survives a flood of 10,000 NOTIFYs with flat memory", function()
    local lab = support.new { server = slow(1000) }:boot("power_on")
    collectgarbage()
    collectgarbage()
    local before = collectgarbage("count")
    for i = 1, 10000 do
      lab.engine:notify("resync", i % 2 == 0 and { profile = ONCE } or nil,
        1, true)
    end
    assert.equal("RUN", lab.engine:status().state)
    assert.equal(2, lab.engine:status().queued)
    collectgarbage()
    collectgarbage()
    assert.is_true(collectgarbage("count") - before < 64)
    lab:advance(4000)
    assert.equal(3, #lab.at)
  end)

  it("takes 1,000 different URLs: four, and the others are told", function()
    local lab = support.new { server = slow(1000) }:boot("power_on")
    local busy = 0
    for i = 1, 1000 do
      local ok, _, word = lab.engine:resync { by = "url", rule = ONCE .. i }
      if not ok then
        assert.equal("busy", word)
        busy = busy + 1
      end
    end
    assert.equal(996, busy)
  end)

  it("drops a periodic resync that falls due in a run", function()
    local lab = support.new { server = slow(400), params = {
      Resync_Periodic = "300" } }:boot("power_on")
    lab:advance(500)                     -- run until 400, next at 700
    lab.engine:resync { by = "url", rule = ONCE }
    lab:advance(2000)                    -- until 900; 700 is dropped
    assert.same({ 0, 500, 1200, 1900 }, lab.at)
  end)

  it("takes a request that a done function makes", function()
    local lab, depth = support.new():boot("power_on"), 0
    local function again()
      depth = depth + 1
      if depth < 50 then
        lab.engine:resync { by = "cli", done = again }
      end
    end
    lab.engine:resync { by = "cli", done = again }
    assert.equal(50, depth)
    assert.equal(51, #lab.at)
  end)

  it("is refused when provisioning is switched off", function()
    local lab = running()
    local list, done = collect()
    lab.engine:resync { by = "url", rule = ONCE, done = done }
    lab:set { Provision_Enable = "No" }
    assert.equal("RUN", lab.engine:status().state)
    lab:advance(100)
    assert.same({ "refused" }, list)
    assert.equal("OFF", lab.engine:status().state)
    assert.same({ 0 }, lab.at)
  end)
end)

describe("a NOTIFY", function()
  local function notified(event, params, line, authenticated, values)
    local lab = support.new { params = values }:boot("power_on")
    lab:advance(10)
    local answer = { lab.engine:notify(event, params, line, authenticated) }
    return lab, answer
  end

  for _, event in ipairs { "resync", "RESYNC", "check-sync" } do
    it(event .. " resyncs", function()
      local lab, answer = notified(event, {}, 1, true)
      assert.same({ true }, answer)
      assert.same({ 0, 10 }, lab.at)
    end)
  end

  it("brings a rule for this once", function()
    local lab = notified("resync", { profile = ONCE }, 1, true)
    assert.equal(ONCE, lab.asked[2])
  end)

  it("is refused by Resync_From_SIP, and without authentication", function()
    local _, answer = notified("resync", {}, 1, true,
      { Resync_From_SIP = "No" })
    assert.same({ nil, "Resync_From_SIP is No", "refused" }, answer)
    local lab
    lab, answer = notified("resync", {}, 2, false)
    assert.equal("unauthenticated", answer[3])
    assert.same({ 0 }, lab.at)
    lab = notified("resync", {}, 2, false,
      { ["Auth_Resync-Reboot_2_"] = "No" })
    assert.same({ 0, 10 }, lab.at)
  end)

  it("of another event is not known", function()
    local _, answer = notified("message-summary", {}, 1, true)
    assert.equal("unknown-event", answer[3])
  end)

  it("restarts the phone, warm or cold, once lines are idle", function()
    for event, cold in pairs { reboot_now = true, reboot = true,
      restart_now = false, restart = false } do
      local lab = support.new():boot("power_on"):advance(10)
      lab:lines(1)
      assert.is_true(lab.engine:notify(event, nil, 1, true))
      assert.equal("REBOOT_WAIT", lab.engine:status().state)
      assert.same({}, lab.reboots)
      lab:advance(20):lines(0)
      assert.same({ { reason = "sip", cold = cold, at = 20 } }, lab.reboots)
    end
  end)

  it("check-sync;reboot=true resyncs, then restarts", function()
    local lab = notified("check-sync", { reboot = "true" }, 1, true)
    assert.same({ 0, 10 }, lab.at)
    assert.same({ { reason = "sip", cold = true, at = 10 } }, lab.reboots)
    lab = notified("check-sync", { reboot = "false" }, 1, true)
    assert.same({}, lab.reboots)
  end)

  it("check-sync;profile=;reboot=true asks for the stored rules", function()
    local lab = notified("check-sync", { profile = "", reboot = "true" }, 1,
      true)
    assert.same({ 0, 10 }, lab.at)
    assert.equal(1, #lab.reboots)
  end)

  it("on a line that is none needs a sender who is known", function()
    for _, line in ipairs { "x", 1.5 } do
      local lab, answer = notified("resync", {}, line, false)
      assert.equal("unauthenticated", answer[3])
      assert.same({ 0 }, lab.at)
    end
  end)

  it("asks for a report where there is a Report_Rule", function()
    local _, answer = notified("report", {}, 1, true)
    assert.equal("refused", answer[3])
    _, answer = notified("report", {}, 1, true,
      { Report_Rule = "http://192.0.2.7/r" })
    assert.same({ true }, answer)
  end)
end)

describe("parameters that change", function()
  it("re-arm only the timer that they concern, from now", function()
    local lab = support.new { params = { Resync_Periodic = "1000" } }
    lab:boot("power_on"):advance(400)
    lab:set { Resync_Error_Retry_Delay = "5" }
    lab:advance(1000)
    assert.same({ 0, 1000 }, lab.at)
    lab:advance(1100)
    lab:set { Resync_Periodic = "300" }
    lab:advance(1400)
    assert.same({ 0, 1000, 1400 }, lab.at)
  end)

  it("restart the list of Resync_Periodic", function()
    local lab = support.new { params = { Resync_Periodic = "10,500" } }
    lab:boot("power_on"):advance(20)
    lab:set { Resync_Periodic = "10,600" }
    lab:advance(700)
    assert.same({ 0, 10, 30, 630 }, lab.at)
  end)

  it("in a profile restart it as well", function()
    local list = "10,500"
    local lab = support.new { params = { Resync_Periodic = "10,600" },
      server = function()
        return support.profile { Resync_Periodic = list }
      end }
    lab:boot("power_on"):advance(15)
    assert.same({ 0, 10 }, lab.at)
    list = "20,600"
    lab:advance(600)
    assert.same({ 0, 10, 510, 530 }, lab.at)
  end)

  it("leave timers alone that no schedule reads", function()
    local lab = support.new { params = { Resync_Periodic = "1000+100" },
      dice = 5 }
    lab:boot("power_on"):advance(10)
    local before = lab.engine:status().next
    lab:set { GPP_A = "x", Resync_Trigger_1 = "" }
    assert.same(before, lab.engine:status().next)
  end)

  it("switch provisioning off and on", function()
    local lab = support.new():boot("power_on"):advance(100)
    lab:set { Provision_Enable = "No" }
    assert.equal("OFF", lab.engine:status().state)
    for _, one in ipairs(lab.engine:status().next) do
      assert.are_not.equal("resync", one.what)
    end
    lab:advance(10000)
    assert.same({ 0 }, lab.at)
    lab:set { Provision_Enable = "Yes" }
    lab:advance(13600)
    assert.same({ 0, 13600 }, lab.at)
  end)

  it("switched on, resync a phone at once that never was successful",
    function()
      local lab = support.new { params = { Provision_Enable = "No",
        Resync_Random_Delay = "100" } }:boot("power_on"):advance(100)
      lab:set { Provision_Enable = "Yes" }
      assert.same({ 100 }, lab.at)
    end)

  it("let the run that switches provisioning off come to its end", function()
    local lab = support.new { params = { Profile_Rule_B = ONCE },
      server = function(request)
        return request.url == ONCE and support.EMPTY
          or support.profile { Provision_Enable = "No" }
      end }
    lab:boot("power_on"):advance(100000)
    assert.same({ support.URL, ONCE }, lab.asked)
    assert.equal("OFF", lab.engine:status().state)
  end)

  it("move the end of a deferred resync", function()
    local lab = support.new { params = { Resync_Periodic = "100" } }
    lab:boot("power_on"):advance(50)
    lab:lines(1)
    lab:advance(150)
    lab:set { Forced_Resync_Delay = "200" }
    lab:advance(350)
    assert.same({ 0, 300 }, lab.at)
  end)
end)
