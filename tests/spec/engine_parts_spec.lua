-- When an engine asks about upgrades, reports, headsets and health.
local support = require "support.engine"

local LOAD <const> = "http://192.0.2.7/f/sip88xx.12-0-1MPP-1.loads"

local function is_load(request)
  return (request.url or ""):find("/f/", 1, true) ~= nil
end

-- A phone that can take images; `answer` is what the server says to a load.
local function upgrading(params, answer, more)
  local loads = {}
  local options = { params = { Upgrade_Rule = LOAD },
    device = support.slots(loads), told = more and more.told,
    server = function(request)
      if is_load(request) then
        return type(answer) == "function" and answer() or answer
      end
      return support.EMPTY
    end }
  for name, value in pairs(params or {}) do options.params[name] = value end
  local lab = support.new(options)
  lab.loads = loads
  return lab
end

local function loads_asked(lab)
  local out = {}
  for i, url in ipairs(lab.asked) do
    if url:find("/f/", 1, true) then out[#out + 1] = lab.at[i] end
  end
  return out
end

local function resyncs(lab)
  return #lab.at - #loads_asked(lab)
end

describe("an upgrade", function()
  it("follows the first resync, and reboots for itself", function()
    local lab = upgrading({ Resync_Random_Delay = "2" }, "image")
    lab:boot("power_on"):advance(39)
    assert.same({}, lab.asked) -- no contact before the random delay
    lab:advance(40)
    assert.same({ support.URL, LOAD }, lab.asked)
    assert.same({ "sip88xx.12-0-1MPP-1" }, lab.loads)
    assert.same({ { reason = "upgrade", cold = false, at = 40 } },
      lab.reboots)
  end)

  it("is asked for at once by a boot that does not resync", function()
    local lab = upgrading({ Resync_On_Reset = "No" }, 503)
    lab:boot("power_on"):advance(10)
    assert.same({ 0 }, loads_asked(lab))
  end)

  it("is asked for when the boot's resync is held back", function()
    local lab = upgrading({ Resync_Trigger_1 = "1 eq 2",
      Resync_After_Upgrade_Attempt = "No" }, 503)
    lab:boot("power_on"):advance(10)
    assert.same({ LOAD }, lab.asked)
  end)

  it("is asked for with Provision_Enable No as well", function()
    local lab = upgrading({ Provision_Enable = "No" }, 503)
    lab:boot("power_on"):advance(10)
    assert.same({ LOAD }, lab.asked)
    assert.equal("OFF", lab.engine:status().state)
  end)

  it("waits for idle lines", function()
    local lab = upgrading({ Forced_Resync_Delay = "0" }, "image")
    lab:lines(1)
    lab:boot("power_on"):advance(1000)
    assert.same({}, loads_asked(lab))
    lab:lines(0)
    assert.same({ 1000 }, loads_asked(lab))
  end)

  it("that fails is followed by a resync, and by another one later",
    function()
      local lab = upgrading({ Upgrade_Error_Retry_Delay = "10,20" }, 503)
      lab:boot("power_on"):advance(50)
      assert.same({ 0, 10, 30, 50 }, loads_asked(lab))
      assert.equal(5, resyncs(lab)) -- the boot's, and one after each
    end)

  it("that fails is followed by none with Resync_After_Upgrade_Attempt No",
    function()
      local lab = upgrading({ Upgrade_Error_Retry_Delay = "10,20",
        Resync_After_Upgrade_Attempt = "No" }, 503)
      lab:boot("power_on"):advance(50)
      assert.equal(1, resyncs(lab))
    end)

  it("is tried anew when Upgrade_Rule changes", function()
    local lab = upgrading({ Upgrade_Rule = "",
      Resync_After_Upgrade_Attempt = "No" }, 503)
    lab:boot("power_on"):advance(100)
    lab:set { Upgrade_Rule = LOAD }
    assert.same({ 100 }, loads_asked(lab))
  end)

  it("that somebody asks for is answered when it is over", function()
    local got
    local lab = upgrading({ Upgrade_Rule = "" }, "image")
    lab:boot("power_on"):advance(10)
    lab:lines(1)
    assert.is_true(lab.engine:upgrade { by = "url", url = LOAD,
      done = function(result) got = result end })
    lab:advance(100)
    assert.is_nil(got)
    -- resyncs by the rule of once do not wait behind it for ever
    assert.equal(1, lab.engine:status().queued)
    lab:lines(0)
    assert.equal("done", got.outcome)
    assert.same({ 100 }, loads_asked(lab))
    assert.equal("upgrade", lab.reboots[1].reason)
  end)

  it("is refused by Upgrade_Enable No", function()
    local lab = upgrading({ Upgrade_Enable = "No" }, "image")
    lab:boot("power_on"):advance(10)
    assert.same({ nil, "Upgrade_Enable is No", "refused" },
      { lab.engine:upgrade { by = "url", url = LOAD } })
    assert.same({}, loads_asked(lab))
  end)

  it("may assign parameters, which counts at once", function()
    local lab = upgrading({ Upgrade_Rule = '(Resync_Periodic="500";)! '
      .. LOAD, Resync_After_Upgrade_Attempt = "No" }, 503)
    lab:boot("power_on"):advance(600)
    assert.equal("500", lab.store:get("Resync_Periodic"))
    assert.equal(2, resyncs(lab))
  end)

  it("and a resync never run at the same time", function()
    local busy, most = 0, 0
    local lab
    lab = support.new { params = { Upgrade_Rule = LOAD,
      Resync_Periodic = "50", Upgrade_Error_Retry_Delay = "70" },
      device = support.slots(),
      server = function(request)
        busy = busy + 1
        most = math.max(most, busy)
        lab.world.wait(20)
        busy = busy - 1
        return is_load(request) and 503 or support.EMPTY
      end }
    lab:boot("power_on"):advance(2000)
    assert.is_true(#lab.at > 40)
    assert.equal(1, most)
  end)

  it("reboots once when the resync before it asked for one too", function()
    local lab
    lab = support.new { params = { Upgrade_Rule = LOAD },
      device = support.slots(), server = function(request)
        return is_load(request) and "image"
          or support.profile { User_ID_1_ = "1002" }
      end }
    lab:boot("power_on"):advance(100)
    assert.equal(1, #lab.reboots)
    assert.equal("upgrade", lab.reboots[1].reason)
  end)
end)

describe("a device that does not tell about its lines", function()
  it("is looked at every ten seconds, while something waits", function()
    local lab = support.new { device = { subscribe = false }, params = {
      Resync_Periodic = "100" } }:boot("power_on"):advance(50)
    lab.active = 1
    lab:advance(150)
    lab.active = 0
    lab:advance(160)
    assert.same({ 0, 150 + 10 }, lab.at)
  end)
end)

describe("a report", function()
  local REPORT <const> = "http://192.0.2.7/report"

  local function reporting(params)
    params.Report_Rule = REPORT
    local lab = support.new { params = params, server = function(request)
      return request.method == "POST" and 200 or support.EMPTY
    end }
    return lab:boot("power_on"):advance(10)
  end

  local function reports(lab)
    local out = {}
    for i, url in ipairs(lab.asked) do
      if url == REPORT then out[#out + 1] = lab.at[i] end
    end
    return out
  end

  it("goes out on request", function()
    local lab = reporting {}
    local before = #reports(lab)
    local got
    lab.engine:report { by = "cli", done = function(r) got = r end }
    assert.equal(before + 1, #reports(lab))
    assert.equal("sent", got.outcome)
  end)

  it("goes out after local changes, those of resyncs are none", function()
    local lab = reporting { Report_To_Server = "On Local Change",
      Upload_Delay_On_Local_Change = "10" }
    lab:advance(100)
    local before = #reports(lab)
    lab:set { GPP_A = "1" }
    lab:advance(105)
    lab:set { GPP_A = "2" }
    lab:advance(200)
    local sent = reports(lab)
    assert.equal(before + 1, #sent)
    assert.equal(110, sent[#sent])
  end)

  it("goes out from time to time", function()
    local lab = reporting { Report_To_Server = "Periodically",
      Periodic_Upload_To_Server = "600" }
    lab:advance(3100)
    local sent = reports(lab)
    assert.is_true(#sent >= 5)
    assert.equal(600, sent[#sent] - sent[#sent - 1])
  end)
end)

describe("a phone that is not well after a change", function()
  it("takes the change back, and the engine goes by what is in force",
    function()
      local registered = true
      local lab = support.new { params = { Resync_Periodic = "3600" },
        device = { registered = function() return registered end },
        server = function()
          return support.profile { Resync_Periodic = "900",
            Display_Name_1_ = "x" }
        end }
      lab:boot("power_on")
      assert.equal("900", lab.store:get("Resync_Periodic"))
      registered = false
      lab.device_event("registration")
      lab:advance(890)
      assert.equal("3600", lab.store:get("Resync_Periodic"))
      local at
      for _, one in ipairs(lab.engine:status().next) do
        if one.cause == "periodic" then at = one.in_s end
      end
      assert.is_true(at > 900, tostring(at))
    end)
end)
