-- The recipes of docs/cookbook.md do what the book says, and pass the check.
-- (Twelve of them have their tests in example_rules_spec.)
local check = require "peal.check"
local isolation = require "peal.world.isolation"
local program = require "support.program"
local registry = require "peal.registry"
local support = require "support.rules"
local sys = require "peal.sys"
local url = require "peal.url"
local view = require "peal.view"

local FOLDER <const> = program.root .. "/examples/rules"

-- 2026-11-22 is a Sunday; UTC.
local SUNDAY <const> = 1795305600
local DAY <const>, HOUR <const> = 86400, 3600
local function at(day, hour)
  return SUNDAY + day * DAY + math.floor(hour * HOUR)
end

local function files_of(name)
  local files = {}
  for _, file in ipairs(sys.list(FOLDER .. "/" .. name)) do
    files[file] = program.slurp(("%s/%s/%s"):format(FOLDER, name, file))
  end
  return files
end

-- What a recipe answers. about: asked_by, explicit, state; time, identity,
-- params, failures, lines; `fields` are the stage's own.
local function ask(name, stage, about, fields)
  local identity = { MAC = "000e08abcdef", PN = "CP-8841-3PCC",
    IP = "10.1.0.23", SWVER = "sip88xx.11-3-1MPP-234" }
  for key, value in pairs(about.identity or {}) do identity[key] = value end
  local p = support.phone(files_of(name), { time = about.time,
    identity = identity, params = about.params,
    device = { lines_active = about.lines or 0 } })
  if about.failures then
    p.phone.keep:set("engine", "failures", about.failures)
  end
  local state = p.phone:timers()
  for key, value in pairs(about.state or {}) do state[key] = value end
  local answer = p.ask(stage, view.of(p.phone, { state = state,
    asked_by = about.asked_by or "periodic",
    explicit = about.explicit or false }, fields))
  assert.are.same({}, p.notes)
  assert.are.equal("op/" .. stage .. ".lua", answer.rule_file)
  answer.rule_file = nil
  return answer
end

local function url_of(plan)
  assert.are.equal("run", plan.action)
  local u = plan.fetch.url
  return type(u) == "string" and u or url.format(u)
end

describe("the cookbook", function()
  local page = program.slurp(program.root .. "/docs/cookbook.md")
  local schema = assert(registry.load {})
  local box = isolation.box()
  local names = {}
  for _, name in ipairs(sys.list(FOLDER)) do
    if name:sub(1, 1) ~= "." then names[#names + 1] = name end
  end
  table.sort(names)

  it("has a recipe for each folder, and a folder for each recipe", function()
    local found = {}
    for name in page:gmatch("\n### `([%w-]+)`") do
      found[#found + 1] = name
    end
    table.sort(found)
    assert.are.same(names, found)
    assert.is_true(#names >= 30)
  end)

  for _, name in ipairs(names) do
    it(("tells the problem, how to try it and what it does not do: %s")
      :format(name), function()
        local section = page:match("\n### `" .. name:gsub("%-", "%%-")
          .. "`(.-)\n##")
        for _, word in ipairs { "Problem.", "Try it.", "Not done." } do
          assert.is_truthy(section:find("**" .. word .. "**", 1, true), word)
        end
        assert.is_truthy(section:find("$ peal check examples/rules/" .. name,
          1, true), name)
      end)

    it("has one that passes the check without a word: " .. name, function()
      local files = {}
      for file, text in pairs(files_of(name)) do
        files[file] = { path = file, text = text }
      end
      local done = check.run { files = files, schema = schema, ask = box }
      assert.are.equal(0, done.counts.error)
      assert.are.equal(0, done.counts.warning)
    end)
  end

  it("covers the stages", function()
    local stages = {}
    for _, name in ipairs(names) do
      for file in pairs(files_of(name)) do stages[file] = true end
    end
    for _, stage in ipairs { "trigger", "schedule", "profile", "apply",
      "upgrade", "health", "trust", "certificate", "headset", "report",
      "privacy" }
    do
      assert.is_true(stages[stage .. ".lua"], stage)
    end
  end)
end)

describe("recipe night-spread", function()
  local function passes(mac, hour, explicit)
    return ask("night-spread", "trigger", { time = at(1, hour),
      explicit = explicit, identity = { MAC = mac } }).pass
  end

  it("gives each phone a moment between 22:00 and 02:00", function()
    local count = {}
    for i = 1, 60 do
      local mac = ("000e08%06x"):format(i * 7919)
      for hour = 22, 26 do
        count[hour] = (count[hour] or 0) + (passes(mac, hour) and 1 or 0)
      end
      assert.is_false(passes(mac, 12))
      assert.is_true(passes(mac, 4))
      assert.is_false(passes(mac, 5))
    end
    assert.is_true(count[22] <= 3 and count[26] == 60)
    for hour = 23, 25 do
      local want = (hour - 22) * 15
      assert.is_true(math.abs(count[hour] - want) <= 8, count[hour])
    end
  end)

  it("lets explicit ones pass", function()
    assert.is_true(passes("000e08abcdef", 12, true))
  end)
end)

describe("recipe change-freeze", function()
  it("rests from 20 December to 6 January, but for people", function()
    local function passes(day, explicit)
      return ask("change-freeze", "trigger", { time = at(day, 12),
        explicit = explicit }).pass
    end
    assert.is_true(passes(27))  -- 19 December
    assert.is_false(passes(28)) -- the 20th
    assert.is_false(passes(45)) -- 6 January
    assert.is_true(passes(46))
    assert.is_true(passes(30, true))
  end)
end)

describe("recipe change-freeze, where the clock is not set", function()
  it("lets the phone come to its server, and so to its time", function()
    assert.is_true(ask("change-freeze", "trigger", { time = 90 }).pass)
  end)
end)

describe("recipes that name loads", function()
  it("fetch none again that calls itself by another name", function()
    for name, load in pairs { ["model-firmware"] = "sip88xx.11-3-7MPP-28",
      ["stepping-stone"] = "sip88xx.12-0-3MPP-10" }
    do
      local fields = { event = "resync", active = "sip88xx.11-3-1MPP-234",
        failures = 0, retry_due = true, done = { rule = "", url =
          ("https://firmware.example.com:443/%s.loads"):format(load) } }
      local about = { params = { Upgrade_Enable = "Yes", Upgrade_Rule = "" } }
      assert.are.equal("skip", ask(name, "upgrade", about, fields).action, name)
      fields.done.url = fields.done.url:gsub("loads$", "older")
      assert.are.equal("fetch", ask(name, "upgrade", about, fields).action)
    end
  end)
end)

describe("recipe no-notify-storm", function()
  it("answers a NOTIFY once in ten minutes, and people always", function()
    local function passes(asked_by, since)
      return ask("no-notify-storm", "trigger", { asked_by = asked_by,
        explicit = true, state = { PRVTMR = since } }).pass
    end
    assert.is_false(passes("notify", 599))
    assert.is_true(passes("notify", 600))
    assert.is_true(passes("cli", 3))
  end)
end)

local function schedule(name, fields, params)
  local all = { event = "failure", last = "failure", failures = 0,
    periods = 0, success_seen = false, ever_synced = true }
  for key, value in pairs(fields) do all[key] = value end
  return ask(name, "schedule", { failures = all.failures,
    params = params }, all)
end

describe("recipe wide-start", function()
  local function start(reason, ever)
    return schedule("wide-start", { event = "boot", boot_reason = reason,
      ever_synced = ever }).start
  end

  it("spreads a power cut over an hour, and lets people not wait",
    function()
      assert.are.same({ after = 0, spread = 3600 }, start("power_on", true))
      assert.are.same({ after = 0, spread = 5 }, start("user", true))
      assert.are.same({ after = 0, spread = 40 }, start("power_on", false))
      assert.are.same({ after = 0, spread = 40 }, start("crash", true))
    end)
end)

describe("recipe slow-retries", function()
  it("waits twice as long each time, four hours at most", function()
    for failures, want in pairs { [1] = { 150, 300 }, [2] = { 300, 600 },
      [3] = { 600, 1200 }, [9] = { 7200, 14400 }, [500] = { 7200, 14400 } }
    do
      local retry = schedule("slow-retries", { failures = failures }).retry
      assert.are.same(want, { retry.after, retry.spread })
    end
    assert.is_nil(schedule("slow-retries", { event = "success",
      last = "success" }).retry)
  end)
end)

describe("recipe fast-while-new", function()
  it("asks every two minutes until it was provisioned once", function()
    assert.are.same({ after = 120, spread = 30 }, schedule("fast-while-new",
      { failures = 7, ever_synced = false }).retry)
    assert.are.equal(3600, schedule("fast-while-new",
      { failures = 721, ever_synced = false },
      { Resync_Error_Retry_Delay = "3600" }).retry.after)
    assert.are.equal(3600, schedule("fast-while-new", { failures = 7 },
      { Resync_Error_Retry_Delay = "3600" }).retry.after)
  end)
end)

describe("recipe by-model", function()
  it("has a folder for each family", function()
    for pn, want in pairs { ["CP-8851-3PCC"] = "colour",
      ["CP-7841-3PCC"] = "desk", ["CP-6861-3PCC"] = "small",
      ["DBS-210-3PC"] = "dect", ["Acme 1"] = "all" }
    do
      assert.are.equal(("https://prov.example.com/%s/000e08abcdef.xml"):format(
        want), url_of(ask("by-model", "profile", { identity = { PN = pn } },
        { rule = { name = "Profile_Rule", text = "http://h/x" } })))
    end
    assert.are.equal("http://h/b", url_of(ask("by-model", "profile", {},
      { rule = { name = "Profile_Rule_B", text = "http://h/b" } })))
  end)
end)

describe("recipe move-server", function()
  local function plan(time, failures, text)
    return ask("move-server", "profile", { time = time, failures = failures },
      { rule = { name = "Profile_Rule", text = text
        or "[--key abc] https://prov.example.com/$MA.xml" } })
  end

  it("asks the new one from the day on, with the same key", function()
    assert.are.equal("https://prov.example.com/000e08abcdef.xml",
      url_of(plan(at(8, 23.9))))
    local moved = plan(at(9, 0))
    assert.are.equal("https://prov2.example.com/000e08abcdef.xml",
      url_of(moved))
    assert.are.equal("abc", moved.fetch.key)
  end)

  it("takes turns with the old one while it fails", function()
    assert.matches("//prov%.", url_of(plan(at(10, 0), 1)))
    assert.matches("//prov2%.", url_of(plan(at(10, 0), 2)))
  end)

  it("leaves other servers alone", function()
    assert.are.equal("http://h/x", url_of(plan(at(10, 0), 0, "http://h/x")))
  end)
end)

describe("recipe not-while-busy", function()
  it("leaves the large profiles for later", function()
    local function action(rule, lines)
      return ask("not-while-busy", "profile", { lines = lines },
        { rule = { name = rule, text = "http://h/x" } }).action
    end
    assert.are.equal("run", action("Profile_Rule", 1))
    assert.are.equal("skip", action("Profile_Rule_B", 1))
    assert.are.equal("run", action("Profile_Rule_B", 0))
  end)
end)

describe("recipe own-ring-tones", function()
  it("keeps what people have chosen, and fills in what is empty", function()
    local function change(name, old)
      return { name = name, type = "Str", old = old, new = "new" }
    end
    local answer = ask("own-ring-tones", "apply", {}, { url = "http://h/a",
      rule = { name = "Profile_Rule" }, changes = {
        change("Default_Ring_1_", "3"), change("Default_Ring_2_", ""),
        change("Ringer_Volume", "9"), change("GPP_P", "old") } })
    assert.are.same({ refuse = {
      Default_Ring_1_ = "the person at the phone has chosen it",
      Ringer_Volume = "the person at the phone has chosen it" } }, answer)
  end)
end)

describe("recipe upgrade-at-night", function()
  local RULE <const> = "https://h/sip88xx.11-3-7MPP-28.loads"

  local function plan(day, hour, more)
    local fields = { event = "resync", active = "sip88xx.11-3-1MPP-234",
      failures = 0, retry_due = true }
    for key, value in pairs(more or {}) do fields[key] = value end
    return ask("upgrade-at-night", "upgrade", { time = at(day, hour),
      params = { Upgrade_Rule = RULE } }, fields)
  end

  it("fetches in one night of seven, and only at night", function()
    local nights = 0
    for day = 0, 6 do
      if plan(day, 3).action == "fetch" then nights = nights + 1 end
      assert.are.equal("skip", plan(day, 0.5).action)
      assert.are.equal("skip", plan(day, 5).action)
      assert.are.equal("skip", plan(day, 13).action)
    end
    assert.are.equal(1, nights)
  end)

  it("does at once what somebody asks for", function()
    assert.are.equal("fetch", plan(0, 13, { event = "request",
      url = RULE }).action)
  end)

  it("knows what runs already", function()
    assert.are.equal("sip88xx.11-3-7MPP-28 runs already", plan(0, 3,
      { active = "sip88xx.11-3-7MPP-28" }).reason)
  end)
end)

describe("recipe stepping-stone", function()
  local function plan(active, more)
    local fields = { event = "resync", active = active, failures = 0,
      retry_due = true }
    for key, value in pairs(more or {}) do fields[key] = value end
    return ask("stepping-stone", "upgrade", {}, fields)
  end

  it("takes the load between first", function()
    assert.are.equal("sip88xx.11-3-1MPP-234",
      plan("sip88xx.11-2-1MPP-100").load)
    assert.are.equal("sip88xx.12-0-3MPP-10",
      plan("sip88xx.11-3-1MPP-234").load)
    assert.are.same({ action = "activate", load = "sip88xx.12-0-3MPP-10" },
      plan("sip88xx.11-3-1MPP-234", { inactive = "sip88xx.12-0-3MPP-10" }))
  end)

  it("leaves alone what is new enough, or of another family", function()
    assert.are.equal("sip88xx.12-0-3MPP-10 runs already",
      plan("sip88xx.12-0-3MPP-10").reason)
    assert.are.equal("factory is no load of this family",
      plan("factory").reason)
  end)
end)

describe("recipe careful-accounts", function()
  local function verdict(name, lost_for, waited)
    return ask("careful-accounts", "health", {}, { was_registered = true,
      registered = lost_for == nil, lost_for = lost_for,
      waited = waited or lost_for,
      change = { revision = 2, names = { name } } }).verdict
  end

  it("undoes a change of an account soon, others late", function()
    assert.are.equal("undo", verdict("User_ID_1_", 120))
    assert.are.equal("wait", verdict("User_ID_1_", 119))
    assert.are.equal("wait", verdict("GPP_P", 120))
    assert.are.equal("undo", verdict("GPP_P", 600))
    assert.are.equal("keep", verdict("Password_2_", nil, 120))
    assert.are.equal("wait", verdict("Password_2_", nil, 60))
  end)
end)

local function trust(name, fields, time)
  local all = { word = "clock", host = "prov.example.com", port = 443,
    url = "https://prov.example.com/a", sentence = "not believed",
    certificate = { not_after = at(0, 0) }, chain = {} }
  for key, value in pairs(fields) do all[key] = value end
  return ask(name, "trust", { time = time or at(0, 12) }, all).accept
end

describe("recipe clock-not-set", function()
  it("believes our servers in spite of dates, and of nothing else",
    function()
      assert.is_true(trust("clock-not-set", {}))
      assert.is_false(trust("clock-not-set", { host = "h.example.com" }))
      assert.is_false(trust("clock-not-set", { word = "c.expired" }))
    end)
end)

describe("recipe grace-for-expired", function()
  it("goes on for 14 days, with our server only", function()
    local expired <const> = { word = "c.expired" }
    assert.is_true(trust("grace-for-expired", expired, at(13, 23)))
    assert.is_false(trust("grace-for-expired", expired, at(14, 0)))
    assert.is_false(trust("grace-for-expired", { word = "c.expired",
      host = "h.example.com" }))
    assert.is_false(trust("grace-for-expired", { word = "c.name" }))
  end)
end)

describe("recipe early-renewal", function()
  local function answer(mac, days, more)
    local now = at(1, 12)
    local fields = { what = "mic", event = "daily", enabled = true,
      forced = false, due = true, clock = true, failures = 0, stale = false,
      pending = false, not_before = now - 300 * DAY,
      not_after = now + days * DAY }
    for key, value in pairs(more or {}) do fields[key] = value end
    return ask("early-renewal", "certificate", { time = now,
      identity = { MAC = mac } }, fields).renew
  end

  it("renews in the phone's own week", function()
    assert.is_true(answer("000e08000000", 60))
    assert.is_false(answer("000e08000000", 61))
    assert.is_false(answer("000e0800001b", 60))
    assert.is_true(answer("000e0800001b", 33))
  end)

  it("does at once what somebody insists on, and host certificates when due",
    function()
      assert.is_true(answer("000e08000000", 300, { forced = true }))
      assert.is_true(answer("000e08000000", 300, { what = "host" }))
      assert.is_false(answer("000e08000000", 3, { clock = false }))
    end)
end)

describe("recipe headset-after-work", function()
  local function action(hour, ip, more)
    local fields = { event = "resync",
      headset = { model = "Cisco 561", version = "1-5-1-10" } }
    for key, value in pairs(more or {}) do fields[key] = value end
    return ask("headset-after-work", "headset", { time = at(1, hour),
      identity = { IP = ip }, params = { Cisco_Headset_Upgrade_Rule =
        "https://h/headset.json" } }, fields).action
  end

  it("asks in the evening, and not at all in the call centre", function()
    assert.are.equal("skip", action(10, "10.1.0.23"))
    assert.are.equal("fetch", action(17, "10.1.0.23"))
    assert.are.equal("skip", action(17, "10.8.0.23"))
  end)

  it("offers what is newer, unless it was put off", function()
    local offers = { { model = "Cisco 561", version = "1-8-0-223",
      file = "561.bin", size = 9, sha256 = ("0"):rep(64) } }
    assert.are.equal("offer", action(18, "10.1.0.23", { offers = offers }))
    assert.are.equal("skip", action(18, "10.1.0.23", { offers = offers,
      deferred = "1-8-0-223" }))
  end)
end)

describe("recipe weekly-report", function()
  local function answer(fields)
    return ask("weekly-report", "report", { params = { Report_Rule =
      "https://h/report" } }, fields)
  end

  it("reports once a week, and what people change", function()
    assert.is_nil(answer { event = "boot" }.send)
    assert.are.same({ after = 302400, spread = 604800 },
      answer { event = "boot" }.again)
    assert.are.same({ after = 600 }, answer { event = "change" }.again)
    for _, timer_for in ipairs { "boot", "change", "timer" } do
      local got = answer { event = "timer", timer_for = timer_for }
      assert.are.equal(1, #got.send)
      assert.are.equal(604800, got.again.spread)
    end
    assert.are.equal(1, #answer { event = "request" }.send)
  end)
end)
