-- The rule folders that operators copy: each acts where it says so, and lets
-- the rest pass. They run as an operator's files do.
local cases = require "support.cases"
local program = require "support.program"
local support = require "support.rules"
local sys = require "peal.sys"
local view = require "peal.view"

local FOLDER <const> = program.root .. "/examples/rules"

-- 2026-11-22 is a Sunday; UTC.
local SUNDAY <const> = 1795305600
local DAY <const>, HOUR <const> = 86400, 3600
local function at(day, hour) return SUNDAY + day * DAY + hour * HOUR end

-- Their names; .luarc.json is for editors.
local function examples()
  local names = {}
  for _, name in ipairs(sys.list(FOLDER)) do
    if not name:find("^%.") then names[#names + 1] = name end
  end
  return names
end

-- The files of an example, by name.
local function files_of(name)
  local files = {}
  for _, file in ipairs(sys.list(FOLDER .. "/" .. name)) do
    files[file] = program.slurp(("%s/%s/%s"):format(FOLDER, name, file))
  end
  return files
end

-- What an example answers. about: asked_by, explicit, prvst; time, identity,
-- params, failures; `fields` are the stage's own.
local function ask(name, stage, about, fields)
  local p = support.phone(files_of(name), { time = about.time,
    identity = about.identity, params = about.params })
  if about.failures then
    p.phone.keep:set("engine", "failures", about.failures)
  end
  local state = p.phone:timers()
  state.PRVST = about.prvst or state.PRVST
  local answer = p.ask(stage, view.of(p.phone, { state = state,
    asked_by = about.asked_by or "cli", explicit = about.explicit or false },
    fields))
  assert.are.same({}, p.notes)
  assert.are.equal("op/" .. stage .. ".lua", answer.rule_file)
  answer.rule_file = nil
  return answer
end

describe("example rules/night-only", function()
  local function decides(hour, explicit)
    return ask("night-only", "trigger", { time = at(1, hour),
      explicit = explicit, asked_by = explicit and "cli" or "periodic" })
  end

  it("holds timed resyncs back by day", function()
    for _, hour in ipairs { 5, 12, 21 } do
      assert.are.same({ pass = false,
        reason = "timed resyncs run from 22:00 to 05:00" }, decides(hour))
    end
  end)

  it("lets them pass by night, and explicit ones always", function()
    for _, hour in ipairs { 0, 4, 22, 23 } do
      assert.are.same({ pass = true }, decides(hour))
    end
    assert.are.same({ pass = true }, decides(12, true))
  end)

  it("goes by the clock where the phone stands", function()
    local function decide(zone)
      return ask("night-only", "trigger", { time = at(1, 22),
        asked_by = "periodic", params = { Time_Zone = zone } }).pass
    end
    assert.is_true(decide "GMT")
    assert.is_false(decide "GMT-08:00")
  end)

  it("knows Provision_Enable", function()
    assert.is_false(ask("night-only", "trigger", { time = at(1, 0),
      params = { Provision_Enable = "No" } }).pass)
  end)
end)

-- The URL that a plan asks for.
local function url_of(plan)
  assert.are.equal("run", plan.action)
  return require("peal.url").format(plan.fetch.url)
end

describe("example rules/staged-rollout", function()
  local function url(mac, rule)
    return url_of(ask("staged-rollout", "profile",
      { identity = { MAC = mac } },
      { rule = { name = rule or "Profile_Rule", text = "http://h/old" } }))
  end

  it("gives the new profile to about one phone in ten, always the same",
    function()
      local chosen = {}
      for i = 1, 300 do
        local mac = ("000e08%06x"):format(i * 7919)
        if url(mac) ~= "http://h/old" then
          chosen[#chosen + 1] = mac
          assert.are.equal("https://prov.example.com/next/" .. mac .. ".xml",
            url(mac))
        end
      end
      assert.is_true(#chosen >= 15 and #chosen <= 45, #chosen .. " of 300")
      assert.are.equal("http://h/old", url(chosen[1], "Profile_Rule_B"))
    end)
end)

describe("example rules/site-server", function()
  local function url(ip, prvst, failures)
    local got = url_of(ask("site-server", "profile", { prvst = prvst or 1,
      failures = failures, identity = { MAC = "000e08abcdef", IP = ip } },
      { rule = { name = "Profile_Rule", text = "http://h/x" } }))
    return got:match("^https://(%l+)%.example%.com/000e08abcdef.xml$")
  end

  it("asks the server of the phone's site", function()
    assert.are.equal("berlin", url "10.1.0.23")
    assert.are.equal("potsdam", url "10.1.7.23") -- within Berlin's network
    assert.are.equal("lisbon", url "10.2.7.1")
    assert.are.equal("hq", url "192.168.1.1")
  end)

  it("takes turns with headquarters while it fails", function()
    assert.are.equal("hq", url("10.1.0.23", 2, 1))
    assert.are.equal("berlin", url("10.1.0.23", 2, 2))
    assert.are.equal("hq", url("10.1.0.23", 2, 3))
    assert.are.equal("berlin", url("10.1.0.23", 1, 1)) -- no retry
  end)

  it("leaves the other rules alone", function()
    assert.are.equal("http://h/b", url_of(ask("site-server", "profile", {},
      { rule = { name = "Profile_Rule_B", text = "http://h/b" } })))
  end)
end)

-- A resync of a profile with an example's rules.
local function resync(name, profile, about)
  about = about or {}
  return cases.run { time = about.time, rules = files_of(name),
    phone = { params = { Profile_Rule = "http://192.0.2.7/a" } },
    server = { ["*"] = { body = "<flat-profile>" .. profile
      .. "</flat-profile>" } } }
end

describe("example rules/refuse-dangerous", function()
  it("keeps what would lock everybody out, and takes the rest", function()
    local run = resync("refuse-dangerous",
      "<Provision_Enable>No</Provision_Enable><GPP_P>new</GPP_P>"
        .. "<Resync_Periodic>0</Resync_Periodic>"
        .. "<Enable_Web_Server>No</Enable_Web_Server>")
    assert.are.equal("Yes", run.store:get("Provision_Enable"))
    assert.are.equal("Yes", run.store:get("Enable_Web_Server"))
    assert.are.equal("3600", run.store:get("Resync_Periodic"))
    assert.are.equal("new", run.store:get("GPP_P"))
    assert.are.equal(3, #run.results[1].refused)
  end)

  it("lets the same parameters have harmless values", function()
    local run = resync("refuse-dangerous",
      "<Resync_Periodic>7200</Resync_Periodic>")
    assert.are.equal("7200", run.store:get("Resync_Periodic"))
    assert.are.same({}, run.results[1].refused)
    assert.are.same({}, run.results[1].notes)
  end)
end)

describe("example rules/model-firmware", function()
  local function plan(pn, fields, params)
    local all = { event = "resync", active = "sip88xx.11-3-1MPP-234",
      failures = 0, retry_due = true }
    for key, value in pairs(fields or {}) do all[key] = value end
    return ask("model-firmware", "upgrade", { params = params,
      identity = { PN = pn, MAC = "000e08abcdef",
        SWVER = "sip88xx.11-3-1MPP-234" } }, all)
  end

  it("fetches the load of the model", function()
    local load <const> = "sip88xx.11-3-7MPP-28"
    assert.are.same({ action = "fetch", load = load, fetch = { url =
      "https://firmware.example.com/" .. load .. ".loads" } },
      plan "CP-8841-3PCC")
    assert.are.equal("sip78xx.11-3-7MPP-28", plan("CP-7841-3PCC").load)
  end)

  it("activates one that is here already", function()
    assert.are.same({ action = "activate", load = "sip88xx.11-3-7MPP-28" },
      plan("CP-8841-3PCC", { inactive = "sip88xx.11-3-7MPP-28" }))
  end)

  it("lets the phone be where there is nothing to do", function()
    assert.are.equal("no load is meant for CP-6821",
      plan("CP-6821").reason)
    assert.are.equal("sip88xx.11-3-7MPP-28 runs already",
      plan("CP-8841-3PCC", { active = "sip88xx.11-3-7MPP-28" }).reason)
    assert.are.equal("skip",
      plan("CP-8841-3PCC", { retry_due = false }).action)
    assert.are.equal("Upgrade_Enable is No",
      plan("CP-8841-3PCC", nil, { Upgrade_Enable = "No" }).reason)
  end)

  it("does what somebody asks for by hand", function()
    local got = plan("CP-6821", { event = "request",
      url = "http://h/sip88xx.11-3-5MPP-1.loads" })
    assert.are.equal("fetch", got.action)
    assert.are.equal("sip88xx.11-3-5MPP-1", got.load)
  end)
end)

describe("example rules/no-reboot-at-work", function()
  local PROFILE <const> = "<GPP_P>new</GPP_P><Alternate_TFTP>Yes"
    .. "</Alternate_TFTP>"

  local function changes(time, explicit)
    return ask("no-reboot-at-work", "apply",
      { time = time, explicit = explicit },
      { rule = { name = "Profile_Rule" }, url = "http://h/a", changes = {
        { name = "GPP_P", type = "Str", old = "", new = "x" },
        { name = "DNS_Query_Mode", type = "Choice", old = "Parallel",
          new = "Sequential", reboot = true } } })
  end

  it("refuses at work what needs a restart", function()
    for _, hour in ipairs { 8, 12, 17 } do
      assert.are.same({ refuse = { DNS_Query_Mode =
        "needs a restart, and it is working time" } }, changes(at(2, hour)))
    end
  end)

  it("takes everything from a resync that somebody asked for", function()
    assert.are.same({}, changes(at(2, 12), true))
  end)

  it("takes everything in the evening and at the weekend", function()
    assert.are.same({}, changes(at(2, 18)))
    assert.are.same({}, changes(at(2, 7)))
    assert.are.same({}, changes(at(0, 12)))
    assert.are.same({}, changes(at(6, 12)))
  end)

  it("is brought by the resync after work", function()
    local run = resync("no-reboot-at-work", PROFILE, { time = at(2, 20) })
    assert.are.equal("new", run.store:get("GPP_P"))
    assert.are.same({}, run.results[1].refused)
  end)
end)

describe("example rules/quiet-weekend", function()
  local function periodic(time)
    local answer = ask("quiet-weekend", "schedule", { time = time },
      { event = "success", last = "success", failures = 0, periods = 0,
        success_seen = true, ever_synced = true })
    return answer.periodic, answer
  end

  it("puts a resync of the weekend off until Monday morning", function()
    for _, time in ipairs { at(-1, 10), at(0, 12), at(-2, 23) + 1800,
      at(0, 3) + 77 }
    do
      local wait = periodic(time)
      assert.are.equal(at(1, 6), time + wait.after)
      assert.are.equal(3600, wait.spread)
    end
  end)

  it("leaves those of working days alone", function()
    assert.are.same({ after = 3600, spread = 0 }, (periodic(at(2, 12))))
    assert.are.same({ after = 3600, spread = 0 }, (periodic(at(0, 23))))
  end)

  it("keeps what else is scheduled", function()
    local answer = ask("quiet-weekend", "schedule", { time = at(0, 12),
      params = { Resync_At__HHmm_ = "0300" } }, { event = "boot",
      boot_reason = "power_on", failures = 0, periods = 0 })
    assert.is_table(answer.start)
    assert.are.equal(180, answer.at.minute)
    assert.is_nil(answer.periodic)
  end)
end)

describe("example rules/private-lines", function()
  local function edits(line, values, to)
    return ask("private-lines", "privacy", {}, { line = line,
      values = values, self_mask = false, emergency = { "112" },
      aor = "<sip:joe@example.com>", message = { method = "INVITE",
        uri = "sip:" .. (to or "1234") .. "@example.com", in_dialog = false,
        headers = { { name = "From", value = "<sip:joe@example.com>;tag=1" },
          { name = "To", value = "<sip:" .. (to or "1234")
            .. "@example.com>" } } } })
  end

  local function privacy_of(answer)
    for _, one in ipairs(answer.add or {}) do
      if one.name == "Privacy" then return one.value end
    end
  end

  it("hides who calls from lines 2 and 3", function()
    assert.are.equal("id", privacy_of(edits(2, { "Disabled" })))
    assert.are.equal("id", privacy_of(edits(3, { "none" })))
  end)

  it("leaves the other lines to their parameter", function()
    assert.is_nil(privacy_of(edits(1, { "Disabled" })))
    assert.are.equal("header", privacy_of(edits(4, { "header" })))
  end)

  it("hides nothing from those who help", function()
    assert.is_nil(privacy_of(edits(2, { "Disabled" }, "112")))
  end)
end)

describe("example rules/report-by-person", function()
  local function answer(fields)
    return ask("report-by-person", "report", { params = { Report_Rule =
      "http://h/report" } }, fields)
  end

  it("reports five minutes after a person's change, and on request",
    function()
      assert.are.same({ after = 300 }, answer({ event = "change" }).again)
      assert.is_nil(answer({ event = "change" }).send)
      assert.are.equal(1, #answer({ event = "timer",
        timer_for = "change" }).send)
      assert.are.equal(1, #answer({ event = "request" }).send)
    end)

  it("keeps quiet otherwise", function()
    for _, event in ipairs { "boot", "mode", "timer" } do
      assert.are.same({ reason = "nobody has changed anything" },
        answer { event = event })
    end
  end)
end)

describe("example rules/long-probation", function()
  local function verdict(ip, waited, registered, was)
    return ask("long-probation", "health", { identity = { IP = ip } },
      { change = { revision = 2, names = { "GPP_P" } }, waited = waited,
        registered = registered, was_registered = was })
  end

  it("gives remote sites more time than others", function()
    assert.are.same({ verdict = "wait", after = 1500 },
      verdict("10.9.0.23", 300, false, true))
    assert.are.equal("undo", verdict("10.9.0.23", 1800, false, true).verdict)
    assert.are.same({ verdict = "wait", after = 100 },
      verdict("192.168.1.7", 200, false, true))
    assert.are.same({ verdict = "undo",
      reason = "not registered 300 s after the change" },
      verdict("192.168.1.7", 300, false, true))
  end)

  it("keeps what works, and what nobody can judge", function()
    assert.are.same({ verdict = "keep" }, verdict("10.9.0.23", 5, true, true))
    assert.are.same({ verdict = "keep" },
      verdict("10.9.0.23", 9999, nil, true))
    assert.are.same({ verdict = "keep" },
      verdict("10.9.0.23", 9999, false, false))
  end)
end)

describe("example rules/old-lab-server", function()
  local OLD <const> =
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

  local function answer(fields)
    local all = { word = "c.weak", host = "old.lab.example", port = 443,
      url = "https://old.lab.example/a", sentence = "too weak",
      certificate = { sha256 = OLD }, chain = { { sha256 = OLD } } }
    for key, value in pairs(fields or {}) do all[key] = value end
    return ask("old-lab-server", "trust", {}, all)
  end

  it("believes that server in spite of its weak key", function()
    assert.are.same({ accept = true, list = false,
      reason = "the lab's old server" }, answer())
  end)

  it("believes no other, and for no other reason", function()
    for _, fields in ipairs { { word = "c.expired" }, { host = "other" },
      { certificate = { sha256 = ("0"):rep(64) } } } do
      assert.are.same({ accept = false, reason = "too weak" },
        answer(fields))
    end
  end)
end)

describe("example rules", function()
  it("are pages: what they decide, what comes in, what goes out", function()
    local count = 0
    for _, name in ipairs(examples()) do
      for file, text in pairs(files_of(name)) do
        local where = name .. "/" .. file
        assert.matches("^%-%- %u", text, 1, where)
        assert.is_truthy(text:find("\n--   in    phone.", 1, true), where)
        assert.is_truthy(text:find("\n--   out   ", 1, true), where)
        assert.is_truthy(text:find(('\nreturn { stage = %q, decide = decide }')
          :format(file:gsub("%.lua$", "")), 1, true), where)
        local _, lines = text:gsub("\n", "")
        assert.is_true(lines <= 60, where)
        count = count + 1
      end
    end
    assert.is_true(count >= 11)
  end)

  it("all load", function()
    for _, name in ipairs(examples()) do
      local p = support.phone(files_of(name))
      p.set()
      assert.are.same({}, p.notes)
    end
  end)
end)
