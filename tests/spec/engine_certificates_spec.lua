-- When an engine looks after certificates, and what it tells of them.
-- Source: MPP administration guide, Custom_CA_Rule, MIC_Cert_Refresh_Enable;
-- Gigaset wiki, Security; the daily look is our choice.
local certificates = require "peal.certificates"
local custom_ca = require "peal.custom_ca"
local history = require "peal.history"
local mic = require "peal.mic"
local pki = require "support.pki"
local program = require "support.program"
local support = require "support.engine"

local DAY <const> = 86400

-- Lines of the control log that hold a pattern.
local function lines(lab, pattern)
  local out = {}
  for _, text in ipairs(lab.world.lines) do
    if text:find(pattern) then out[#out + 1] = text end
  end
  return out
end

local function new(o)
  o = o or {}
  o.told, o.dice = true, "min"
  return support.new(o):boot():advance(0)
end

describe("switches that weaken trust", function()
  it("are named once at boot, and in the status", function()
    local lab = new { params = { HTTPS_Name_Validate = "No",
      TLS_Min_RSA_Bits = "1024" } }
    local said = lines(lab, "trust is weakened")
    assert.equal(1, #said)
    assert.matches("HTTPS_Name_Validate is No: a certificate for any name",
      said[1])
    assert.matches("TLS_Min_RSA_Bits is 1024", said[1])
    lab:advance(3 * DAY)
    assert.equal(1, #lines(lab, "trust is weakened"))
    local words = {}
    for i, one in ipairs(lab.engine:status().trust.weaknesses) do
      words[i] = one.param .. " " .. one.word
    end
    assert.same({ "HTTPS_Name_Validate tls-name",
      "TLS_Min_RSA_Bits tls-weak" }, words)
  end)

  it("are named again when they are others", function()
    local lab = new { params = { HTTPS_Name_Validate = "No" } }
    lab:set { ["SystemSettings.Security_Certificates_AcceptAllCertificates"] =
      "1" }
    lab:advance(1)
    assert.equal(2, #lines(lab, "trust is weakened"))
    assert.matches("AcceptAllCertificates is 1: any server is believed",
      lines(lab, "trust is weakened")[2])
    lab:set { GPP_A = "nothing to do with it" }
    lab:advance(2)
    assert.equal(2, #lines(lab, "trust is weakened"))
    lab:set { HTTPS_Name_Validate = "Yes",
      ["SystemSettings.Security_Certificates_AcceptAllCertificates"] = "0" }
    lab:advance(3)
    assert.equal(1, #lines(lab, "no switch weakens trust any more"))
    assert.same({}, lab.engine:status().trust.weaknesses)
  end)

  it("are no matter of a phone with the defaults", function()
    local lab = new()
    assert.same({}, lines(lab, "weak"))
    assert.same({}, lab.engine:status().trust.weaknesses)
  end)
end)

describe("the daily look", function()
  it("moves what has expired to the Invalid list, and says so", function()
    local ca <close> = pki.new()
    local now = 1795342530
    local soon = ca:authority { cn = "Short", from = now - DAY,
      to = now + DAY + DAY // 2 }
    local lab = new { params = { Resync_Periodic = "0" } }
    assert(certificates.import(lab.phone, program.slurp(soon.cert)))
    lab:advance(DAY + 60)
    assert.same({}, lines(lab, "certificate expired"))
    lab:advance(2 * DAY + 60)
    assert.equal(1, #lines(lab, "certificate expired.*CN=Short"))
    assert.equal("invalid", certificates.list(lab.phone)[1].list)
  end)

  it("asks no server by itself", function()
    local lab = new { params = { Resync_Periodic = "0", Custom_CA_Rule = "" } }
    local before = #lab.asked
    lab:advance(10 * DAY)
    assert.equal(before, #lab.asked)
  end)
end)

describe("the phone's own certificate", function()
  local considered, answer, was

  before_each(function()
    considered, answer, was = {}, { outcome = "none" }, mic.consider
    mic.consider = function(_, _, about)
      considered[#considered + 1] = about.event
      return answer
    end
  end)
  after_each(function() mic.consider = was end)

  it("is looked at at boot, each day, and when its switches change",
    function()
      local lab = new { params = { Resync_Periodic = "0" } }
      assert.same({ "boot" }, considered)
      lab:advance(DAY + 1)
      assert.same({ "boot", "daily" }, considered)
      lab:set { MIC_Cert_Refresh_Enable = "Yes" }
      lab:advance(DAY + 2)
      assert.same({ "boot", "daily", "change" }, considered)
      lab:set { GPP_A = "nothing to do with it" }
      lab:advance(DAY + 3)
      assert.equal(3, #considered)
    end)

  it("is looked at again when it asked for it", function()
    answer = { outcome = "waiting", after = 120 }
    local lab = new { params = { Resync_Periodic = "0" } }
    lab:advance(119)
    assert.same({ "boot" }, considered)
    answer = { outcome = "none" }
    lab:advance(1000)
    assert.same({ "boot", "retry" }, considered)
  end)

  it("is looked at soon where something came while it was looked at",
    function()
      local lab = new { params = { Resync_Periodic = "0" } }
      mic.consider = function(_, _, about)
        considered[#considered + 1] = about.event
        if #considered == 2 then about.again() end
        return { outcome = "waiting", after = 3600 }
      end
      lab:set { MIC_Cert_Refresh_Enable = "Yes" }
      lab:advance(10)
      assert.same({ "boot", "change", "retry" }, considered)
      lab:advance(3599)
      assert.equal(3, #considered)
      lab:advance(3700)
      assert.same({ "boot", "change", "retry", "retry" }, considered)
    end)

  it("restarts the phone where it was renewed", function()
    local lab = new { params = { Resync_Periodic = "0" } }
    lab:lines(1)
    answer = { outcome = "done", reason = "renewed", reboot = true }
    local result
    assert(lab.engine:certificate { what = "mic", force = true, by = "cli",
      done = function(r) result = r end })
    lab:advance(60)
    assert.equal("done", result.outcome)
    assert.same({}, lab.reboots) -- a line is in use
    lab:lines(0)
    lab:advance(61)
    assert.same({ "certificate", false }, { lab.reboots[1].reason,
      lab.reboots[1].cold })
    assert.matches("Certificate Renewed$",
      history.list(lab.phone, "reboot")[1])
  end)

  it("may fail by an error of its own: the phone goes on", function()
    mic.consider = function() error("this is a test", 0) end
    local lab = new { params = { Resync_Periodic = "600" } }
    lab:advance(1300)
    assert.equal(1, #lines(lab, "^internal error: this is a test"))
    assert.equal("success", lab.engine:status().last.outcome)
    assert.equal(3, lab.engine:status().cycle)
    assert.is_nil(lab.engine:status().why_not_now:find("under way"))
    local result
    assert(lab.engine:certificate { what = "mic", by = "cli",
      done = function(r) result = r end })
    lab:advance(1301)
    assert.same({ "failed", "internal" }, { result.outcome, result.word })
  end)

  it("is not begun once the engine stops", function()
    local wants, consider = custom_ca.wants, custom_ca.consider
    local lab
    custom_ca.wants = function() return true end
    custom_ca.consider = function()
      lab.engine:stop()
      return { outcome = "failed", reason = "a test" }
    end
    lab = support.new { params = { Resync_Periodic = "0" }, dice = "min" }
    lab:boot():advance(60)
    custom_ca.wants, custom_ca.consider = wants, consider
    assert.same({}, considered)
  end)
end)
