-- What an engine says of itself: how it stands, what is next, and why.
local civil = require "peal.civil"
local support = require "support.engine"

local START <const> = 1795342530 -- 2026-11-22 10:15:30

local function forecast(lab, n)
  local list
  lab.world.run(function() list = lab.engine:schedule(n) end)
  return list
end

-- cause, seconds after the start of earliest and latest
local function short(list)
  local out = {}
  for i, one in ipairs(list) do
    out[i] = { one.cause, one.earliest - START, one.latest - START }
  end
  return out
end

local function why(lab) return lab.engine:status().why_not_now end

describe("the status", function()
  it("says in one sentence why nothing runs now", function()
    local lab = support.new { params = { Resync_Random_Delay = "2",
      Resync_Trigger_1 = '"$A" eq "go"' } }
    assert.equal("not started", why(lab))
    lab.engine.plan = {} -- a session plans, and starts nothing
    assert.equal("not started", why(lab))
    lab:boot("power_on")
    assert.equal("the random delay after the start ends at "
      .. "2026-11-22T10:16:10Z", why(lab))
    lab:advance(40)
    assert.equal("waiting for the trigger: Resync_Trigger_1 is false; asked "
      .. "again at 2026-11-22T10:16:20Z", why(lab))
    lab:lines(1)
    lab:set { GPP_A = "go" }
    lab:advance(50)
    assert.equal("line busy, at the latest at 2026-11-22T14:16:20Z",
      why(lab))
    lab:lines(0)
    assert.equal("next: periodic at 2026-11-22T11:16:20Z", why(lab))
    lab:set { Resync_Periodic = "0" }
    assert.equal("no resync is scheduled", why(lab))
    lab:set { Provision_Enable = "No" }
    assert.equal("Provision_Enable is No", why(lab))
  end)

  it("shows the run, the requests behind it and the last outcome",
    function()
      local lab = support.new { server = function()
        return { status = 503, delay = 5 }
      end }:boot("power_on"):advance(2)
      lab.engine:resync { by = "url", rule = "http://192.0.2.7/once" }
      local s = lab.engine:status()
      assert.equal("RUN", s.state)
      assert.same({ asked_by = "boot", since = START }, s.running)
      assert.equal(1, s.queued)
      assert.equal("a resync (boot) runs since 2026-11-22T10:15:30Z",
        s.why_not_now)
      lab:advance(20)
      s = lab.engine:status()
      assert.equal("failure", s.last.outcome)
      assert.equal("url", s.last.asked_by)
      assert.equal(2, s.last.cycle)
      assert.is_nil(s.last_success)
      assert.same({ PN = "CP-8841-3PCC", MAC = "000e08abcdef",
        SWVER = "sip88xx.11-3-1MPP-234" }, s.phone)
    end)

  it("lists what is next by time, with the range it was drawn from",
    function()
      local lab = support.new { dice = "min", params = {
        Resync_Periodic = "600+30" } }:boot("power_on"):advance(10)
      local first = lab.engine:status().next[1]
      assert.same({ what = "resync", cause = "periodic", at = START + 600,
        in_s = 590, earliest = START + 600, latest = START + 630,
        why = "Resync_Periodic" }, first)
    end)

  it("is plain data, and names no secret", function()
    local lab = support.new { params = { GPP_SA = "s3cret",
      Profile_Rule = "[--key s3cret] http://192.0.2.7/x" },
      told = true }:boot("power_on"):advance(10)
    local json = require "peal.json"
    local text = json.encode(lab.engine:status())
    for _, event in ipairs(lab.world.told) do
      text = text .. json.encode(event)
    end
    text = text .. table.concat(lab.world.lines, "\n")
    assert.is_nil(text:find("s3cret", 1, true))
    assert.is_truthy(text:find("Corrupt", 1, true)
      or text:find("corrupt", 1, true))
  end)

  it("outlives a restart", function()
    local lab = support.new():boot("power_on"):advance(10)
    lab:restart("resync_applied")
    local s = lab.engine:status()
    assert.equal("success", s.last.outcome)
    assert.equal(START, s.last_success)
  end)
end)

describe("what is told", function()
  it("is each change of state, each step and each end of a run", function()
    local lab = support.new { told = true, params = {
      Resync_Random_Delay = "2" } }:boot("power_on"):advance(100)
    local states, steps, cycles = {}, 0, {}
    for _, event in ipairs(lab.world.told) do
      assert.is_number(event.time)
      if event.event == "state" then states[#states + 1] = event.state end
      if event.event == "step" then steps = steps + 1 end
      if event.event == "cycle" then cycles[#cycles + 1] = event.outcome end
    end
    assert.same({ "RANDOM_WAIT", "RUN", "IDLE" }, states)
    assert.is_true(steps > 5)
    assert.same({ "success" }, cycles)
    assert.same({ "the phone starts (power_on)",
      "resync 1 (boot) ok: 0 changes" }, lab.world.lines)
  end)

  it("is a failing rule file as well, and the good copy goes on", function()
    local lab = support.new { told = true, rules = { ["apply.lua"] =
      "return { stage = 'apply', decide = function() error('oops') end }" },
      server = function() return support.profile { GPP_A = "n" } end }
    lab:boot("power_on")
    assert.equal("n", lab.store:get("GPP_A"))
    local told
    for _, event in ipairs(lab.world.told) do
      if event.event == "rules" then told = event end
    end
    assert.is_truthy(told.text:find("oops", 1, true))
    assert.is_truthy(table.concat(lab.world.lines, "\n"):find("oops", 1,
      true))
  end)
end)

describe("a reload", function()
  it("takes rule files anew, arms what they say, and says what is wrong",
    function()
      local files = { ["schedule.lua"] = "return { stage = 'schedule', "
        .. "decide = function() return { periodic = { after = 100 } } end }" }
      local lab = support.new { told = true, rules = files }
      lab:boot("power_on"):advance(10)
      assert.equal(90, lab.engine:status().next[1].in_s)
      local sources = lab.world.rules()
      sources["schedule.lua"] = { path = "operator/schedule.lua",
        text = files["schedule.lua"]:gsub("100", "300") }
      sources["apply.lua"] = { path = "operator/apply.lua", text = "retur" }
      lab.world.rules = function() return sources end
      lab.engine:reload()
      assert.equal(300, lab.engine:status().next[1].in_s)
      assert.is_truthy(table.concat(lab.world.lines, "\n"):find(
        "operator/apply.lua:1", 1, true))
    end)
end)

describe("the forecast", function()
  it("is what the phone then does", function()
    local lab = support.new { params = {
      Resync_Periodic = "600,1200,300" } }:boot("power_on"):advance(10)
    local list = forecast(lab, 5)
    lab:advance(10000)
    for i, one in ipairs(list) do
      assert.equal("periodic", one.cause)
      assert.equal(lab.at[i + 1], one.earliest - START)
    end
    assert.equal("Resync_Periodic, 600 s", list[1].why)
    assert.equal("Resync_Periodic, 1200 s", list[2].why)
  end)

  it("adds up what the dice may fall on", function()
    local lab = support.new { params = { Resync_Periodic = "600+60" },
      dice = "min" }:boot("power_on"):advance(10)
    assert.same({ { "periodic", 600, 660 }, { "periodic", 1200, 1320 },
      { "periodic", 1800, 1980 } }, short(forecast(lab, 3)))
  end)

  it("supposes that what fails goes on failing", function()
    local lab = support.new { params = {
      Resync_Error_Retry_Delay = "60,120,500" },
      server = function() return 503 end }:boot("power_on"):advance(10)
    local list = forecast(lab, 4)
    assert.same({ { "retry", 60, 60 }, { "retry", 180, 180 },
      { "retry", 680, 680 }, { "retry", 1180, 1180 } }, short(list))
    assert.equal("Resync_Error_Retry_Delay, 60 s (1 failed)", list[1].why)
  end)

  it("knows the window of a daily resync, and the seasons", function()
    local lab = support.new { zone = "CET-1CEST,M3.5.0,M10.5.0/3",
      time = civil.days(2027, 3, 27) * 86400, params = {
        Resync_At__HHmm_ = "0230", Resync_At_Random_Delay = "660" } }
    lab:boot("power_on"):advance(10)
    local out = {}
    for i, one in ipairs(forecast(lab, 3)) do
      out[i] = civil.iso(one.earliest)
      assert.equal(660, one.latest - one.earliest)
    end
    assert.same({ "2027-03-27T01:30:00Z", "2027-03-28T01:00:00Z",
      "2027-03-29T00:30:00Z" }, out)
  end)

  it("is empty where nothing is scheduled, and arms nothing", function()
    local lab = support.new { params = { Resync_Periodic = "0" } }
    lab:boot("power_on"):advance(10)
    assert.same({}, forecast(lab, 5))
    assert.same({}, lab.engine:status().next)
    lab:advance(100000)
    assert.equal(1, #lab.at)
  end)
end)
