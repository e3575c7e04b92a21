-- Source: MPP administration guide, "Download Status", "Reboot History".
local cases = require "support.cases"
local history = require "peal.history"

local NOON <const> = 1795342531 -- 2026-11-22 10:15:31

describe("the history of a phone", function()
  local phone
  before_each(function()
    phone = cases.run { request = { asked_by = "cli", explicit = true,
      rule = "" } }.phone
  end)

  local function came_of(second, url, cause)
    history.add(phone, "provisioning", { time = NOON + second, url = url,
      ok = cause == nil, cause = cause })
  end

  it("has the newest first, and three of them", function()
    came_of(0, "tftp://192.168.1.200/basic.txt")
    assert.same({ "11/22/2026 10:15:31 tftp://192.168.1.200:69/basic.txt "
      .. "Succeeded" }, history.list(phone, "provisioning"))
    assert.equal("", history.failure(phone))
    came_of(60, "http://192.168.1.200/none.cfg", "File not found")
    local list = history.list(phone, "provisioning")
    assert.equal("11/22/2026 10:16:31 http://192.168.1.200:80/none.cfg "
      .. "Failed: File not found", list[1])
    assert.equal("11/22/2026 10:15:31 tftp://192.168.1.200:69/basic.txt "
      .. "Succeeded", list[2])
    assert.equal("File not found", history.failure(phone))
    assert.equal("http://192.168.1.200:80/none.cfg", history.profile(phone))
    came_of(120, "https://h/c")
    came_of(180, "https://[2001:db8::1]:8443/d?x")
    list = history.list(phone, "provisioning")
    assert.equal(3, #list)
    assert.equal("11/22/2026 10:18:31 https://[2001:db8::1]:8443/d?x "
      .. "Succeeded", list[1])
    assert.matches("none%.cfg", list[3])
    assert.equal("", history.failure(phone))
  end)

  it("keeps no credentials", function()
    came_of(0, "http://bob:geheim@h/x", "Connection error")
    came_of(1, "[--key geheim] http://h/x y", "Connection error")
    local all = table.concat(history.list(phone, "provisioning"), "\n")
      .. phone.keep:get("history", "provisioning")
    assert.is_nil(all:find("geheim", 1, true))
    assert.is_nil(all:find("bob", 1, true))
    assert.truthy(all:find("http://h:80/x", 1, true))
  end)

  it("says what came of a resync", function()
    local r = cases.run { phone = { params = {
      Profile_Rule = "http://bob:geheim@s/a.xml",
      Profile_Rule_B = "tftp://192.0.2.9/none" } },
      server = { ["http://s/a.xml"] = { body =
        "<flat-profile><GPP_A>1</GPP_A></flat-profile>" },
        ["tftp://192.0.2.9/none"] = { error = "fnf" } }, runs = 2 }
    local list = history.list(r.phone, "provisioning")
    assert.same({ "11/22/2026 10:15:30 tftp://192.0.2.9:69/none Failed: "
      .. "File not found", "11/22/2026 10:15:30 http://s:80/a.xml Succeeded",
      list[1] }, list)
    assert.equal("File not found", history.failure(r.phone))
    r = cases.run { phone = { params = { Profile_Rule = "[--key" } } }
    assert.matches("^11/22/2026 10:15:30 Profile_Rule Failed: Bad rule: ",
      history.list(r.phone, "provisioning")[1])
  end)

  it("has five reasons of reboots, in the words of the page", function()
    for i, reason in ipairs { "crash", "user", "upgrade", "resync_applied",
      "sip", "ip_changed" } do
      history.add(phone, "reboot", { reason = reason, time = NOON + i })
    end
    assert.same({ "11/22/2026 10:15:37 IP Changed",
      "11/22/2026 10:15:36 SIP Triggered", "11/22/2026 10:15:35 Provisioning",
      "11/22/2026 10:15:34 Upgrade", "11/22/2026 10:15:33 User Triggered" },
      history.list(phone, "reboot"))
  end)

  it("outlives a restart", function()
    came_of(0, "http://h/a")
    assert(phone.keep:flush())
    local again = require("peal.keep").new(phone.world)
    phone.keep = again
    assert.equal(1, #history.list(phone, "provisioning"))
    assert.same({}, history.list(phone, "upgrade"))
  end)
end)
