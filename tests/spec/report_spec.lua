-- Source: MPP provisioning guide, Report_Rule, HTTP_Report_Method,
-- Report_To_Server, Upload_Delay_On_Local_Change, Periodic_Upload_To_Server.
local cases = require "support.cases"
local context = require "peal.cycle.context"
local decode = require "peal.decode"
local history = require "peal.history"
local json = require "peal.json"
local report = require "peal.report"
local transport = require "peal.transport"

local phone, world, store, run

local function phone_with(params, o)
  local case = { phone = { params = params }, server = { ["*"] = {
    status = 200 } }, request = { asked_by = "cli", explicit = true,
    rule = "" } }
  for key, value in pairs(o or {}) do case[key] = value end
  local r = cases.run(case)
  phone, world, store = r.phone, r.world, r.store
  for i = #world.requests, 1, -1 do world.requests[i] = nil end
end

local function on(event, fields)
  local about = { event = event }
  for key, value in pairs(fields or {}) do about[key] = value end
  return world.run(function()
    run = context.new(phone, { asked_by = event, kind = "report" })
    return report.consider(phone, run, about)
  end)
end

local function set(values, by)
  local txn = assert(store:begin())
  txn:source { author = by or "user" }
  for name, text in pairs(values) do
    if text == false then assert(txn:reset(name))
    else assert(txn:set(name, text, { by_user = by == "user" })) end
  end
  assert(txn:commit("spec", 0))
end

-- "POST http://s/x" of each upload; their bodies by number.
local function uploads()
  local out = {}
  for i, request in ipairs(world.requests) do
    out[i] = ("%s %s"):format(request.method or "WRQ", request.url
      or ("tftp://%s%s"):format(request.host, request.path))
  end
  return out
end

local function body(i) return world.requests[i].body end

local function header(i, name)
  for _, line in ipairs(world.requests[i].headers) do
    local value = line:match("^" .. name .. ": (.*)$")
    if value then return value end
  end
end

local function names_in(xml)
  local out = {}
  for i, element in ipairs(decode.elements(xml)) do out[i] = element.name end
  return out
end

local function forget()
  for i = #world.requests, 1, -1 do world.requests[i] = nil end
end

describe("a report", function()
  it("is a POST of the whole configuration (P1)", function()
    phone_with { Report_Rule = "http://s/cfg.xml",
      IKM_HTTP_Encrypt_Content = "" }
    local r = on "request"
    assert.same({ "sent", nil }, { r.outcome, r.again })
    assert.same({ "POST http://s/cfg.xml" }, uploads())
    assert.equal("application/xml", header(1, "Content%-Type"))
    assert.is_nil(header(1, "Content%-Encoding"))
    assert.matches("^<device>\n<flat%-profile>\n", body(1))
    local seen = {}
    for _, name in ipairs(names_in(body(1))) do seen[name] = true end
    assert.is_true(seen.GPP_A and seen.GPP_P and seen.Profile_Rule_D)
    for _, name in ipairs { "GPP_SA", "GPP_SB", "GPP_SC", "GPP_SD",
      "IKM_HTTP_Encrypt_Content", "Admin_Password", "User_Password",
      "Password_1_", "Proxy_Password", "XML_Password" } do
      assert.is_nil(seen[name], name)
    end
    for _, text in ipairs { "MyUserID", "Secret", "k3y" } do
      assert.is_nil(body(1):find(text, 1, true), text)
    end
  end)

  it("is in the registry's order, with access and the user's marks",
    function()
      phone_with { Report_Rule = "http://s/cfg.xml", GPP_B = 'a<"&' }
      local txn = assert(store:begin())
      assert(decode.apply([[<flat-profile>
        <Station_Name ua="rw" user-pref="y">x</Station_Name></flat-profile>]],
        {}, txn))
      assert(txn:commit("spec", 0))
      txn = assert(store:begin())
      assert(txn:set("Station_Name", "Bob", { by_user = true }))
      assert(txn:commit("spec", 0))
      on "request"
      local order, at = {}, 0
      for about in store:each() do
        at = at + 1
        order[about.name] = at
      end
      local last = 0
      for _, name in ipairs(names_in(body(1))) do
        assert.is_true(order[name] > last)
        last = order[name]
      end
      assert.truthy(body(1):find(
        '<Station_Name ua="rw" user-pref="y" um="y">Bob</Station_Name>', 1,
        true))
      assert.truthy(body(1):find('<GPP_C ua="na"/>', 1, true))
      assert.truthy(body(1):find(
        '<GPP_B ua="na">a&lt;&quot;&amp;</GPP_B>', 1, true))
    end)

  it("is a PUT where HTTP_Report_Method says so (P2)", function()
    phone_with { Report_Rule = "http://s/cfg.xml", HTTP_Report_Method = "PUT" }
    on "request"
    assert.same({ "PUT http://s/cfg.xml" }, uploads())
  end)

  it("of a change holds the change; the status goes besides (P3)", function()
    phone_with { Report_Rule =
      "[--delta]http://s/d.xml; [--status]http://s/st.xml;" }
    on "request" -- what was set before
    forget()
    set { GPP_A = "new" }
    assert.equal("sent", on("request").outcome)
    assert.same({ "POST http://s/d.xml", "POST http://s/st.xml" }, uploads())
    assert.same({ "GPP_A" }, names_in(body(1)))
    assert.matches("^<status>\n<Product_Name>CP%-8841%-3PCC</Product_Name>\n",
      body(2))
  end)

  it("is encrypted by the rule's key (P4)", function()
    phone_with { Report_Rule = "[--delta --key test123]http://s/d.enc" }
    on "request"
    assert.equal("application/octet-stream", header(1, "Content%-Type"))
    assert.equal("Salted__", body(1):sub(1, 8))
    local list = decode.elements(body(1), { key = "test123" })
    assert.is_true(#list > 0)
  end)

  it("is encrypted by the phone's key where the rule has none", function()
    phone_with { Report_Rule = "http://s/d.xml",
      IKM_HTTP_Encrypt_Content = "base64url:yqdlZ-tYemfogSmv7Ws5PQ" }
    on "request"
    assert.equal("aes128gcm", header(1, "Content%-Encoding"))
    assert.equal("application/xml", header(1, "Content%-Type"))
    local list = decode.elements(body(1), { codings = "aes128gcm",
      ikm = "base64url:yqdlZ-tYemfogSmv7Ws5PQ" })
    assert.is_true(#list > 100)
    set { Report_Rule = "[--key k]http://s/d.xml" }
    on "request"
    assert.is_nil(header(2, "Content%-Encoding"))
    set { Report_Rule = "tftp://192.0.2.9/up.xml" }
    on "request"
    assert.is_nil(body(3):find("flat-profile", 1, true))
  end)

  it("goes by TFTP as well", function()
    phone_with { Report_Rule = "tftp://192.0.2.9/$MA.xml" }
    assert.equal("sent", on("request").outcome)
    assert.same({ "WRQ tftp://192.0.2.9/000e08abcdef.xml" }, uploads())
    assert.matches("^<device>", body(1))
  end)

  it("answers who asks for a user", function()
    phone_with { Report_Rule = "[--uid $SA --pwd $SB] http://s/cfg.xml" }
    on "request"
    assert.same({ "MyUserID", 'My "Secret" Pass' },
      { world.requests[1].user, world.requests[1].password })
    assert.is_nil(run.trace:encode():find("Secret", 1, true))
  end)

  it("hides keys within rules, and says that they are no values", function()
    phone_with { Report_Rule = "http://s/cfg.xml",
      Profile_Rule_B = "[--key abc123] http://u:pw9@h/x",
      GPP_K = "[--pwd $SA --key zzz9] http://h/x" }
    on "request"
    for _, text in ipairs { "abc123", "pw9", "zzz9" } do
      assert.is_nil(body(1):find(text, 1, true), text)
    end
    assert.truthy(body(1):find('<Profile_Rule_B ua="na" preserve-value="y">'
      .. "[--key ***] http://***@h/x</Profile_Rule_B>", 1, true))
  end)

  it("that is applied to the same phone changes nothing (P7)", function()
    phone_with { Report_Rule = "http://s/cfg.xml",
      Profile_Rule_B = "[--key abc123] http://u:pw9@h/x",
      GPP_A = "x | \"y\" <&>'", Dial_Plan_1_ = "(S0 <:1800>)",
      Resync_At__HHmm_ = "0959" }
    local txn = assert(store:begin())
    assert(decode.apply([[<flat-profile><Station_Name ua="rw"/>
      <GPP_B ua="rw"/><GPP_C ua="ro">v</GPP_C></flat-profile>]], {}, txn))
    assert(txn:commit("spec", 0))
    on "request"
    txn = assert(store:begin())
    assert(decode.apply(body(1), {}, txn))
    assert.same({}, txn:changes())
    assert.same(0, txn:counts().bad)
    assert.same(0, txn:counts().unknown)
    txn:abort()
  end)

  it("does not change what no profile can say (P7)", function()
    phone_with { Report_Rule = "http://s/cfg.xml", GPP_A = " blanks\t",
      GPP_B = "tab\tx\1\27[31m", GPP_C = "two\r\nlines", GPP_D = "\255\254",
      GPP_E = '""', GPP_F = "\u{FFFE}", GPP_G = "]]>\tü\u{10FFFD}" }
    on "request"
    local txn = assert(store:begin())
    assert(decode.apply(body(1), {}, txn))
    assert.same({}, txn:changes())
    txn:abort()
    assert.truthy(body(1):find('<GPP_G ua="na">]]&gt;\tü', 1, true))
  end)

  it("is tried once, and what it held is told next time (P6)", function()
    local answers = { status = 500 }
    phone_with({ Report_Rule = "[--delta] http://s/d.xml" },
      { server = { ["*"] = { function() return answers end } } })
    set { GPP_A = "new" }
    local r = on "request"
    assert.same({ "failed", "delta report to http://s/d.xml failed: the "
      .. "server answered HTTP 500" }, { r.outcome, r.reason })
    assert.equal("internal server error", r.cause.text)
    assert.equal(1, #uploads())
    answers = { status = 226 } -- any 2xx is a success
    assert.equal("sent", on("request").outcome)
    assert.truthy(body(2):find("<GPP_A ", 1, true))
    assert.same({ "none", "nothing has changed" },
      { on("request").outcome, on("request").reason })
    assert.equal(2, #uploads())
  end)

  it("does not say what has changed back", function()
    phone_with { Report_Rule = "[--delta] http://s/d.xml" }
    on "request"
    set { GPP_A = "new" }
    set { GPP_A = "ABCDEF" }
    assert.equal("none", on("request").outcome)
    set { GPP_A = "new", Resync_Periodic = "7" }
    assert.equal("sent", on("request").outcome)
    assert.same({ "Resync_Periodic", "GPP_A" }, names_in(body(2)))
    set { Resync_Periodic = false, GPP_SA = "other" }
    assert.equal("sent", on("request").outcome)
    assert.same({ "Resync_Periodic" }, names_in(body(3)))
    assert.equal("none", on("request").outcome)
  end)

  it("of everything is what the next change is counted from", function()
    phone_with { Report_Rule = "http://s/full.xml" }
    on "request"
    set { Report_Rule = "[--delta] http://s/d.xml", GPP_A = "n" }
    on "request"
    assert.same({ "Report_Rule", "GPP_A" }, names_in(body(2)))
    assert(phone.keep:flush())
    phone.keep = require("peal.keep").new(world) -- a restart
    assert.equal("none", on("request").outcome)
  end)

  it("that one of two servers missed is told to both again", function()
    local status = 503
    phone_with({ Report_Rule = "[--delta]http://a/d [--delta]http://b/d" },
      { server = { ["http://a/d"] = { status = 200 },
        ["http://b/d"] = { function() return { status = status } end } } })
    assert.equal("failed", on("request").outcome)
    assert.equal(body(1), body(2))
    status = 200
    assert.equal("sent", on("request").outcome)
    assert.equal(body(1), body(3))
  end)

  it("makes assignments and takes conditions before its first URL",
    function()
      phone_with { Report_Rule = '("$PN" eq "x")? http://s/no | '
        .. '(c="told";)! [--status]http://s/st http://s/cfg' }
      assert.equal("sent", on("request").outcome)
      assert.equal("told", store:get("GPP_C"))
      assert.same({ "POST http://s/st", "POST http://s/cfg" }, uploads())
    end)

  for rule, pattern in pairs {
    ["http://a/1 http://a/2 http://a/3"] = "More than two URLs",
    ["[--status --delta] http://a/1"] = "%-%-delta and %-%-status",
    ["[--alias a] http://a/1"] = "Unknown option %-%-alias",
    ["/only/a/path"] = "No server",
    ['[--key ""] http://a/1'] = "[Ee]mpty",
  } do
    it("is not sent by " .. rule, function()
      phone_with { Report_Rule = rule }
      local r = on "request"
      assert.equal("failed", r.outcome)
      assert.matches(pattern, r.reason)
      assert.same({}, uploads())
    end)
  end

  it("follows a redirect, and keeps what it sends", function()
    phone_with({ Report_Rule = "http://s/a" }, { server = {
      ["http://s/a"] = { status = 302, headers = { Location = "/b" } },
      ["http://s/b"] = { status = 201 } } })
    assert.equal("sent", on("request").outcome)
    assert.same({ "POST http://s/a", "POST http://s/b" }, uploads())
    assert.equal(body(1), body(2))
  end)

  it("shows no secret in what is said of it", function()
    phone_with({ Report_Rule =
      "[--key hush77 --uid u --pwd hush88] http://x:hush99@s/a",
      Debug_Server = "192.0.2.1", Debug_Level = "DEBUG" },
      { server = { ["*"] = { error = "connect", text = "refused" } } })
    local r = on "request"
    local all = run.trace:encode() .. r.reason
      .. table.concat(world.lines, "\n") .. json.encode(world.told)
    for _, datagram in ipairs(world.datagrams) do
      all = all .. datagram.bytes
    end
    assert.is_nil(all:find("hush", 1, true))
    assert.truthy(all:find("full report to http://s/a failed", 1, true))
  end)
end)

describe("the time of a report", function()
  it("is On Request: when asked, and after a restart", function()
    phone_with { Report_Rule = "http://s/cfg" }
    assert.same({ "sent", nil }, { on("boot").outcome, on("mode").again })
    assert.equal("none", on("change").outcome)
    assert.equal("none", on("timer").outcome)
    assert.equal(1, #uploads())
    assert.equal("sent", on("request").outcome)
  end)

  it("is On Local Change: a while after the first one (P5)", function()
    phone_with { Report_Rule = "[--delta] http://s/d",
      Report_To_Server = "On Local Change",
      Upload_Delay_On_Local_Change = "10" }
    on "request"
    assert.same({ "none", nil }, { on("boot").outcome, on("boot").again })
    set({ GPP_A = "1" }, "user")
    assert.same({ after = 10 }, on("change").again)
    world.advance(world.now().mono + 5)
    set({ GPP_B = "2" }, "user")
    assert.same({ after = 5 }, on("change").again)
    world.advance(world.now().mono + 5)
    local r = on("timer", { timer_for = "change" })
    assert.same({ "sent", nil }, { r.outcome, r.again })
    assert.same({ "GPP_A", "GPP_B" }, names_in(body(2)))
    assert.same({ after = 10 }, on("change").again)
  end)

  it("is soon where a local change was told by a request", function()
    phone_with { Report_Rule = "[--delta] http://s/d",
      Report_To_Server = "On Local Change" }
    set({ GPP_A = "1" }, "user")
    assert.same({ after = 60 }, on("change").again)
    local r = on "request"
    assert.same({ "sent", nil }, { r.outcome, r.again })
    set { Report_Rule = "[--status] http://s/st" }
    set({ GPP_A = "2" }, "user")
    on "change"
    assert.same({ after = 60 }, on("request").again) -- that told nothing
  end)

  it("outlives a restart with what it waits for", function()
    phone_with { Report_Rule = "[--delta] http://s/d",
      Report_To_Server = "On Local Change" }
    set({ GPP_A = "1" }, "user")
    on "change"
    assert(phone.keep:flush())
    phone.keep, phone.report_timer = require("peal.keep").new(world), nil
    assert.same({ after = 60 }, on("boot").again)
    assert.equal("sent", on("timer", { timer_for = "change" }).outcome)
    assert.is_nil(on("boot").again)
  end)

  it("is tried once after a local change", function()
    phone_with({ Report_Rule = "http://s/d",
      Report_To_Server = "On Local Change" },
      { server = { ["*"] = { status = 500 } } })
    on "change"
    local r = on("timer", { timer_for = "change" })
    assert.same({ "failed", nil }, { r.outcome, r.again })
    assert.is_nil(on("boot").again)
  end)

  it("is Periodically: every so often", function()
    phone_with { Report_Rule = "[--status] http://s/st",
      Report_To_Server = "Periodically", Periodic_Upload_To_Server = "600" }
    local r = on "boot"
    assert.same({ "none", { after = 600 } }, { r.outcome, r.again })
    world.advance(world.now().mono + 100)
    assert.same({ after = 500 }, on("request").again)
    assert.same({ after = 500 }, on("change").again)
    world.advance(world.now().mono + 500)
    r = on("timer", { timer_for = "boot" })
    assert.same({ "sent", { after = 600 } }, { r.outcome, r.again })
    world.advance(world.now().mono + 100)
    set { Periodic_Upload_To_Server = "1200" }
    assert.same({ after = 1200 }, on("mode").again)
    set { Report_Rule = "[--key" }
    assert.same({ after = 1200 },
      on("timer", { timer_for = "mode" }).again)
  end)

  it("is never without a rule", function()
    phone_with { Report_To_Server = "Periodically" }
    for _, event in ipairs { "boot", "request", "change", "mode", "timer" } do
      local r = on(event)
      assert.same({ "none", "Report_Rule is empty", nil },
        { r.outcome, r.reason, r.again })
    end
  end)
end)

describe("the status report", function()
  it("has what the status page has", function()
    phone_with { Report_Rule = "[--status] http://s/st" }
    history.add(phone, "provisioning", { time = 1795342531, ok = true,
      url = "tftp://192.168.1.200/basic.txt" })
    history.add(phone, "upgrade", { time = 1795342531, cause = "a<b",
      url = "http://h/x.loads" })
    history.add(phone, "reboot", { time = 1795342531, reason = "sip" })
    phone.keep:set("status", "Custom_CA_Info", "Installed - Root")
    assert.equal([[
<status>
<Product_Name>CP-8841-3PCC</Product_Name>
<Serial_Number>88012BA01234</Serial_Number>
<MAC_Address>000E08ABCDEF</MAC_Address>
<Software_Version>sip88xx.11-3-1MPP-234</Software_Version>
<Hardware_Version>2.0.1</Hardware_Version>
<Client_Certificate>Installed</Client_Certificate>
<Customization>Open</Customization>
<Current_Time>11/22/2026 10:15:30</Current_Time>
<Elapsed_Time>0 days and 00:00:00</Elapsed_Time>
<Provisioning_Profile>tftp://192.168.1.200:69/basic.txt</Provisioning_Profile>
<Provisioning_Status_1>11/22/2026 10:15:31 tftp://192.168.1.200:69/basic.txt ]]
.. [[Succeeded</Provisioning_Status_1>
<Provisioning_Status_2/>
<Provisioning_Status_3/>
<Provisioning_Failure_Reason/>
<Firmware_Upgrade_Status_1>11/22/2026 10:15:31 http://h:80/x.loads ]]
.. [[Failed: a&lt;b</Firmware_Upgrade_Status_1>
<Firmware_Upgrade_Status_2/>
<Firmware_Upgrade_Status_3/>
<Custom_CA_Provisioning_Status/>
<Custom_CA_Info>Installed - Root</Custom_CA_Info>
<MIC_Cert_Provisioning_Status/>
<MIC_Cert_Info>Not Renewed</MIC_Cert_Info>
<Reboot_Reason_1>11/22/2026 10:15:31 SIP Triggered</Reboot_Reason_1>
<Reboot_Reason_2/>
<Reboot_Reason_3/>
<Reboot_Reason_4/>
<Reboot_Reason_5/>
</status>
]], report.status(phone))
    on "request"
    assert.equal(report.status(phone), body(1))
  end)
end)

describe("a report rule of an operator", function()
  it("decides what goes where", function()
    phone_with({ Report_Rule = "" }, { rules = { ["report.lua"] = [[
      return { stage = "report", decide = function(phone)
        if phone.event ~= "boot" then return { again = { after = 7 } } end
        return { send = { { content = "status", method = "PUT",
          fetch = { url = "http://op/" .. phone.identity.MAC,
            key = phone.param.GPP_SC } } } }
      end }]] } })
    assert.equal("sent", on("boot").outcome)
    assert.same({ "PUT http://op/000e08abcdef" }, uploads())
    assert.same({ after = 7 }, on("mode").again)
    assert.equal("Salted__", body(1):sub(1, 8))
  end)
end)

describe("an upload", function()
  it("says its coding in a header of its own", function()
    phone_with {}
    world.run(function()
      run = context.new(phone, { asked_by = "spec" })
      transport.fetch(run, require("peal.url").parse(
        "http://s/x"), { method = "PUT", body = "x",
        content_encoding = "aes128gcm" }, function() end)
    end)
    assert.equal("aes128gcm", header(1, "Content%-Encoding"))
  end)

  -- What becomes of one exchange after another, with a server of two
  -- addresses of which none answers.
  local function requests_of(method, facts)
    phone_with({}, { dns = { s = { "192.0.2.1", "192.0.2.2" } },
      server = { ["*"] = { error = "connect", facts = facts } } })
    world.run(function()
      run = context.new(phone, { asked_by = "spec" })
      for i = #world.requests, 1, -1 do world.requests[i] = nil end
      transport.fetch(run, require("peal.url").parse("http://s/x"),
        { method = method, body = method and "x" }, function() end)
    end)
    return #world.requests
  end

  it("goes to the next address, unless a server may have read it", function()
    assert.equal(2, requests_of("POST"))
    assert.equal(2, requests_of("POST", { sent = 0 }))
    assert.equal(1, requests_of("POST", { sent = 1 }))
    assert.equal(1, requests_of("PUT", { sent = 1 }))
    assert.equal(2, requests_of(nil, { sent = 1 }))
  end)
end)
