-- The doctor's verdicts where a real server would be slow or strange: on the
-- virtual clock. The common breaks are in live_doctor_spec.lua.
local doctor = require "peal.doctor"
local phone = require "peal.phone"
local rule_files = require "peal.world.rule_files"
local support = require "support.engine"
local virtual = require "peal.world.virtual"

local URL <const> = "https://prov.example.com/a.xml"

-- Examine URL against this answer; the steps by name, and the report.
local function examine(answer, o)
  o = o or {}
  local rules = rule_files.read()
  for name, text in pairs(o.rules or {}) do
    rules[name] = { text = text, path = "operator/" .. name }
  end
  local world = virtual.new { store = support.store(o.params or {}),
    rules = rules, dns = o.dns or { ["prov.example.com"] = { "192.0.2.7" } },
    trust = { anchors = assert(require("peal.trust").anchors()) },
    server = function(request)
      local got, sentence, word, facts = answer(request)
      if type(got) == "table" then got.headers = got.headers or {} end
      return got, sentence, word, facts
    end }
  local p = phone.new { world = world, identity = { PN = "CP-8841-3PCC",
    MAC = "000e08abcdef" } }
  local before = world.store:bytes()
  local report = assert(world.run(doctor.examine, p, { rule = o.rule or URL,
    servers = "192.0.2.53" }))
  assert.are.equal(before, (world.store:bytes()))
  local steps = {}
  for _, step in ipairs(report.steps) do steps[step.step] = step end
  return steps, report
end

local function failing(word, sentence, facts)
  return function() return nil, sentence or "it failed", word, facts end
end

local function body(text)
  return function() return { status = 200, body = text } end
end

describe("the doctor", function()
  local CONNECTED <const> = { timing = { connect = 0.01 }, sent = 1 }

  -- word, facts -> broken step, pattern of the cure; o
  local BREAKS <const> = {
    { "timeout", nil, "tcp", "is the server reachable" },
    { "timeout", CONNECTED, "tls", "is the server reachable" },
    { "connect", nil, "tcp", "is the server running" },
    { "connect", CONNECTED, "tls", "TLS port" },
    { "connect", { timing = { connect = 0.01 }, tls = { chain = {} } },
      "answer", "." },
    { "t.version", CONNECTED, "tls", "TLS 1%.2 or 1%.3" },
    { "t.handshake", CONNECTED, "tls", "TLS port" },
    { "t.client", CONNECTED, "client", "trust = { cert =, key = }" },
    { "c.weak", CONNECTED, "certificate", "TLS_Min_RSA_Bits" },
    { "c.rejected", CONNECTED, "certificate", "peal cert list" },
    { "c.dns", CONNECTED, "certificate", "HTTPS_DNS_Check" },
    { "partial", CONNECTED, "answer", "stopped in the middle" },
    { "toobig", CONNECTED, "answer", "split it" },
    { "bad-response", CONNECTED, "answer", "curl %-v URL" },
  }
  for _, case in ipairs(BREAKS) do
    it(("names %s%s: %s"):format(case[1], case[2] and " after connecting"
      or "", case[3]), function()
      local steps, report = examine(failing(case[1], nil, case[2]))
      assert.are.equal(case[3], report.broken)
      assert.are.equal(case[1], steps[case[3]].word)
      assert.matches(case[4], steps[case[3]].cure)
    end)
  end

  it("names a clock that is not set", function()
    local steps, report = examine(failing("clock",
      "the clock is not set, and certificates have dates", CONNECTED))
    assert.are.equal("certificate", report.broken)
    assert.matches("set the clock", steps.certificate.cure)
  end)

  it("names a proxy that wants a password", function()
    local steps, report = examine(function()
      return { status = 407, body = "" }
    end, { rule = "http://prov.example.com/a.xml", params = {
      Proxy_Mode = "Manual", Proxy_Host = "192.0.2.8" } })
    assert.are.equal("auth", report.broken)
    assert.matches("Proxy_Username", steps.auth.cure)
  end)

  it("names a domain that is not allowed", function()
    local steps, report = examine(body "", { params = {
      Restricted_Access_Domains = "example.net" } })
    assert.are.equal("rule", report.broken)
    assert.matches("Restricted_Access_Domains", steps.rule.cure)
  end)

  it("names a rule without a server, where DHCP offers none", function()
    local steps, report = examine(body "", { rule = "/a.xml" })
    assert.are.equal("rule", report.broken)
    assert.matches("DHCP option 66", steps.rule.cure)
  end)

  it("names a content coding that nobody knows", function()
    local steps, report = examine(function()
      return { status = 200, body = "x",
        headers = { { "Content-Encoding", "br" } } }
    end)
    assert.are.equal("decode", report.broken)
    assert.matches("or with gzip", steps.decode.cure)
  end)

  it("tells a page for people from a profile with a fault", function()
    for _, text in ipairs { "<!DOCTYPE html><html></html>",
      "<HTML><body>Login</body></HTML>" } do
      local steps, report = examine(body(text))
      assert.matches("in a browser", steps[report.broken].cure)
    end
    local steps = examine(body "<flat-profile><GPP_A></flat-profile>")
    assert.matches("mend the line", steps.parse.cure)
  end)

  it("names the cures for values that do not fit and for unknown names",
    function()
      local steps = examine(body(support.profile { Resync_Periodik = "1",
        Resync_Periodic = "often" }))
      assert.are.equal("warning", steps.apply.verdict)
      assert.are.equal("mend Resync_Periodic in the profile: peal profile "
        .. "check FILE lists all; write Resync_Periodic for Resync_Periodik; "
        .. "names of the maker's own go into the phone file's registry",
        steps.apply.cure)
    end)

  it("tells the address that answers from those that do not", function()
    local steps, report = examine(function(request)
      if request.address == "192.0.2.7" then
        return nil, "refused", "connect"
      end
      return { status = 200, body = support.EMPTY, sent = 1 }
    end, { dns = { ["prov.example.com"] = { "192.0.2.7", "192.0.2.8" } } })
    assert.is_true(report.ok)
    assert.matches("^192%.0%.2%.7 did not answer, 192%.0%.2%.8 port 443",
      steps.tcp.text)
    assert.matches("192%.0%.2%.7, 192%.0%.2%.8 %(.*asked 192%.0%.2%.53%)",
      steps.dns.text)
  end)

  it("counts the attempt that came furthest", function()
    local _, report = examine(function(request)
      if request.address == "192.0.2.7" then
        return nil, "closed", "connect", CONNECTED
      end
      return nil, "refused", "connect"
    end, { dns = { ["prov.example.com"] = { "192.0.2.7", "192.0.2.8" } } })
    assert.are.equal("tls", report.broken)
  end)

  it("says what a rule file refuses", function()
    local steps, report = examine(body(support.profile { GPP_A = "new" }),
      { rules = { ["apply.lua"] = [[
        return { stage = "apply", decide = function()
          return { refuse = { GPP_A = "it stays" } }
        end }]] } })
    assert.is_true(report.ok)
    assert.matches("1 refused by a rule: GPP_A %(it stays%)", steps.apply.text)
  end)

  it("says that a rule only assigns", function()
    local steps, report = examine(failing "connect",
      { rule = '(GPP_A = "x")!' })
    assert.is_true(report.ok)
    assert.are.equal("the rule fetches nothing", steps.dns.text)
    assert.are.equal("none", steps.parse.verdict)
    assert.are.equal("1 would change: GPP_A", steps.apply.text)
  end)

  it("says that a reboot would be needed", function()
    local steps = examine(body(support.profile { Host_Name = "new" }))
    assert.matches("a reboot would be needed", steps.apply.text)
  end)

  it("shows no secret of a rule", function()
    local _, report = examine(function()
      return { status = 401, body = "", auth_exhausted = true }
    end, { rule = "[--uid me --pwd s3cret-word --key an0ther-word] " .. URL })
    local text = require("peal.json").encode(report)
    assert.is_nil(text:find("s3cret", 1, true))
    assert.is_nil(text:find("an0ther", 1, true))
    assert.are.equal("auth", report.broken)
  end)
end)
