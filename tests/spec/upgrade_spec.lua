-- Firmware upgrades on the virtual world.
-- Source: MPP provisioning guide, Upgrade_Rule, Upgrade_Enable,
-- Downgrade_Rev_Limit, Upgrade_Error_Retry_Delay, Log_Upgrade_Request_Msg.
local upgrades = require "support.upgrades"

local NEW <const> = "sip88xx.11-3-2MPP0001-609"
local OLD <const> = "sip88xx.11-3-1MPP-234"
local OLDER <const> = "sip88xx.11-2-3MPP-256"
local NEW_URL <const> = "http://p/" .. NEW .. ".loads"
local WHO <const> = "CP-8841-3PCC 00:0e:08:ab:cd:ef -- "

describe("Upgrade_Rule", function()
  it("asks for nothing while its load runs (U1)", function()
    local p = upgrades.new { rule = "http://p.tel.com/f/" .. OLD .. ".loads" }
    assert.same({ outcome = "none", reason = OLD .. " runs already" },
      p.consider("boot"))
    assert.same({}, p.requests())
    assert.same({}, p.syslog())
  end)

  it("downloads once where its condition is true (U2)", function()
    local p = upgrades.new { rule = "($SWVER lt sip88xx.11-3-2MPP0001-1)? "
      .. NEW_URL, server = { body = ("image"):rep(1000) } }
    local done = p.consider("boot")
    assert.equal("done", done.outcome)
    assert.is_true(done.reboot)
    assert.is_true(done.attempted)
    assert.same({ "GET " .. NEW_URL }, p.requests())
    assert.same({ {
      load = NEW, size = 5000, sha256 = upgrades.sha256(("image"):rep(1000)),
    } }, p.device.images)
    assert.same({
      WHO .. "Requesting upgrade http://192.0.2.7:80/" .. NEW .. ".loads",
      WHO .. "Successful upgrade http://192.0.2.7:80/" .. NEW .. ".loads -- "
        .. NEW,
    }, p.syslog())
    p.device.reboot("upgrade")
    assert.equal("none", p.consider("boot").outcome)
    assert.equal("none", p.consider("resync").outcome)
    assert.equal(1, #p.requests())
    assert.equal(NEW, p.phone.identity.SWVER)
  end)

  it("boots a load that lies in the other partition (U3)", function()
    local p = upgrades.new { rule = "http://p/" .. OLDER .. ".loads",
      load = { active = OLD, inactive = OLDER } }
    local done = p.consider("resync")
    assert.equal("done", done.outcome)
    assert.is_true(done.reboot)
    assert.same({}, p.requests())
    p.device.reboot("upgrade")
    assert.equal(OLDER, p.device.load().active)
  end)

  it("does nothing where Upgrade_Enable is No (U6)", function()
    local p = upgrades.new { rule = NEW_URL,
      params = { Upgrade_Enable = "No" } }
    for _, event in ipairs { "boot", "resync", "change", "request" } do
      assert.same({ outcome = "none", reason = "Upgrade_Enable is No" },
        p.consider(event))
    end
    assert.equal("none", p.consider("request", { url = NEW_URL }).outcome)
    assert.same({}, p.requests())
  end)
end)
