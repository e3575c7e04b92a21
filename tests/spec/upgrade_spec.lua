-- Firmware upgrades on the virtual world.
-- Source: MPP provisioning guide, Upgrade_Rule, Upgrade_Enable,
-- Downgrade_Rev_Limit, Upgrade_Error_Retry_Delay, Log_Upgrade_Request_Msg.
local classic = require "peal.classic.upgrade"
local image = require "peal.image"
local rule_files = require "peal.world.rule_files"
local support = require "support.rules"
local upgrade = require "peal.upgrade"
local upgrades = require "support.upgrades"
local url = require "peal.url"

local NEW <const> = "sip88xx.11-3-2MPP0001-609"
local OLD <const> = "sip88xx.11-3-1MPP-234"
local OLDER <const> = "sip88xx.11-2-3MPP-256"
local NEW_URL <const> = "http://p/" .. NEW .. ".loads"
local OLDER_URL <const> = "http://p/" .. OLDER .. ".loads"
local IMAGE <const> = ("image"):rep(1000)
local WHO <const> = "CP-8841-3PCC 00:0e:08:ab:cd:ef -- "
local REQUESTING <const> = WHO .. "Requesting upgrade http://192.0.2.7:80/"
  .. NEW .. ".loads"

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
      .. NEW_URL, server = { body = IMAGE } }
    local done = p.consider("boot")
    assert.equal("done", done.outcome)
    assert.is_true(done.reboot)
    assert.is_true(done.attempted)
    assert.same({ "GET " .. NEW_URL }, p.requests())
    assert.same({ { load = NEW, size = 5000,
      sha256 = upgrades.sha256(IMAGE) } }, p.device.images)
    assert.same({ REQUESTING,
      WHO .. "Successful upgrade http://192.0.2.7:80/" .. NEW .. ".loads -- "
        .. NEW }, p.syslog())
    assert.matches("^<133>", p.world.datagrams[1].bytes)
    assert.matches("^<133>", p.world.datagrams[2].bytes)
    p.device.reboot("upgrade")
    assert.equal("none", p.consider("boot").outcome)
    assert.equal("none", p.consider("resync").outcome)
    assert.equal(1, #p.requests())
    assert.equal(NEW, p.phone.identity.SWVER)
  end)

  it("boots a load that lies in the other partition (U3)", function()
    local p = upgrades.new { rule = OLDER_URL,
      load = { active = OLD, inactive = OLDER } }
    local done = p.consider("resync")
    assert.equal("done", done.outcome)
    assert.is_true(done.reboot)
    assert.same({}, p.requests())
    assert.same({}, p.syslog())
    p.device.reboot("upgrade")
    assert.equal(OLDER, p.device.load().active)
  end)

  it("refuses what is below Downgrade_Rev_Limit (U4)", function()
    for _, load in ipairs { { active = OLD },
      { active = OLD, inactive = OLDER } } do
      local p = upgrades.new { rule = OLDER_URL, load = load,
        params = { Downgrade_Rev_Limit = "sip88xx.11-3-1MPP-1" } }
      local done = p.consider("boot")
      assert.equal("failed", done.outcome)
      assert.equal("Below revision limit", done.err)
      assert.equal("Below revision limit", p.phone:timers().UPGERR)
      assert.same({}, p.requests())
      assert.same({ WHO .. "Upgrade failed: Below revision limit" },
        p.syslog())
      assert.equal(OLD, p.device.load().active)
    end
  end)

  it("retries a server that is down by the schedule (U5)", function()
    local p = upgrades.new { rule = NEW_URL, server = { status = 503 },
      params = { Upgrade_Error_Retry_Delay = "10,20" } }
    local waits, states = {}, {}
    for i = 1, 4 do
      local done = p.consider(i == 1 and "boot" or "retry")
      waits[i], states[i] = done.retry.after, p.run.state.UPGST
      assert.equal("Download failed (HTTP 503)", done.err)
    end
    assert.same({ 10, 20, 20, 20 }, waits)
    assert.same({ 1, 2, 2, 2 }, states)
    assert.same({ REQUESTING,
      WHO .. "Upgrade failed: Download failed (HTTP 503)" },
      { p.syslog()[1], p.syslog()[2] })
    assert.matches("^<131>", p.world.datagrams[2].bytes)
    assert.equal("Download failed (HTTP 503)", p.phone:timers().UPGERR)
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

  it("takes no options (U7)", function()
    local p = upgrades.new { rule = "[--key x] http://p/l.loads" }
    local done = p.consider("boot")
    assert.equal("failed", done.outcome)
    assert.matches("^Bad rule: ", done.err)
    assert.same({}, p.requests())
    assert.same({ WHO .. "Upgrade failed: " .. done.err }, p.syslog())
  end)

  it("waits for idle lines (U8)", function()
    local p = upgrades.new { rule = NEW_URL, lines_active = 1,
      server = { body = IMAGE } }
    assert.equal("waiting", p.consider("boot").outcome)
    assert.same({}, p.requests())
    assert.same({}, p.syslog())
    p.device.set_lines(0)
    assert.equal("done", p.consider("idle").outcome)
    assert.equal(1, #p.requests())
  end)

  local bad = {
    ["/f/x.loads"] = "No server",
    ["gopher://p/x.loads"] = "Bad rule: ",
    ["http://p/"] = "Bad rule: URL names no load",
    ["($SWVER lt 11.0.0)? " .. NEW_URL] = "Bad rule: ",
  }
  for rule, err in pairs(bad) do
    it("is an error as " .. rule, function()
      local p = upgrades.new { rule = rule }
      local done = p.consider("boot")
      assert.equal("failed", done.outcome)
      assert.equal(err, done.err:sub(1, #err))
      assert.same({}, p.requests())
    end)
  end

  it("is off while it is empty", function()
    local p = upgrades.new { rule = "" }
    assert.equal("none", p.consider("boot").outcome)
  end)

  it("assigns what it says when it acts", function()
    local p = upgrades.new { rule = '(GPP_A="was $SWVER")! ' .. NEW_URL,
      server = { body = IMAGE } }
    p.consider("boot")
    assert.equal("was " .. OLD, p.world.store:get("GPP_A"))
    p.set("GPP_A", "")
    p.device.reboot("upgrade")
    p.consider("boot")
    assert.equal("", p.world.store:get("GPP_A"))
  end)
end)

describe("an upgrade that succeeded", function()
  -- A phone whose images carry another version than their file says.
  local function stubborn(rule, server)
    local p = upgrades.new { rule = rule or NEW_URL,
      server = server or { body = IMAGE } }
    local real = p.device.load
    p.device.load = function() return { active = OLD,
      inactive = real().inactive } end
    return p
  end

  it("is not repeated where the old version comes up", function()
    local p = stubborn()
    assert.equal("done", p.consider("boot").outcome)
    local came = p.consider("boot")
    assert.equal("failed", came.outcome)
    assert.is_false(came.attempted)
    assert.equal("old-load", p.run.result.notes[1].word)
    for _, event in ipairs { "resync", "change", "idle" } do
      assert.equal("none", p.consider(event).outcome)
    end
    assert.equal(1, #p.requests())
    assert.equal("Old load came up", p.phone:timers().UPGERR)
  end)

  it("is retried in its time, and the same image not booted again", function()
    local same = { body = IMAGE }
    local p = stubborn(nil, { same, same, same, { body = IMAGE .. "mended" } })
    p.consider("boot")
    local came = p.consider("boot")
    assert.same({ after = 3600, spread = 0 }, came.retry)
    for _ = 1, 2 do
      local again = p.consider("retry")
      assert.same({ "failed", "old-load", "Old load came up" },
        { again.outcome, again.word, again.err })
      assert.is_nil(again.reboot)
      assert.is_table(again.retry)
    end
    assert.equal(3, #p.requests())
    local other = p.consider("retry")
    assert.same({ "done", true }, { other.outcome, other.reboot })
  end)

  it("is not booted again from the other partition either", function()
    local p = upgrades.new { rule = OLDER_URL,
      load = { active = OLD, inactive = OLDER } }
    p.device.load = function()
      return { active = OLD, inactive = OLDER }
    end
    assert.equal("done", p.consider("boot").outcome)
    assert.equal("failed", p.consider("boot").outcome)
    assert.equal("none", p.consider("resync").outcome)
    local again = p.consider("retry") -- nobody is there
    assert.same({ "failed", "connect" }, { again.outcome, again.word })
  end)

  it("is tried again when the rule is modified", function()
    local p = stubborn()
    p.consider("boot")
    p.set("Upgrade_Rule", NEW_URL .. " ")
    assert.equal("done", p.consider("change").outcome)
  end)

  local changes = { scheme = "https://$A/f/", server = "http://q/f/",
    port = "http://$A:81/f/", path = "http://$A/g/" }
  for what, to in pairs(changes) do
    it("is tried again when the " .. what .. " changes", function()
      local p = stubborn("$B" .. NEW .. ".loads")
      p.set("GPP_B", "http://p/f/")
      p.consider("boot")
      assert.equal("none", p.consider("resync").outcome)
      p.set("GPP_B", (to:gsub("%$A", "p")))
      assert.equal("done", p.consider("resync").outcome)
    end)
  end

  it("outlives a restart", function()
    local p = stubborn()
    p.consider("boot")
    local again = upgrades.new { rule = NEW_URL, device = p.device,
      store = p.world.store, server = { body = IMAGE } }
    assert.equal("failed", again.consider("boot").outcome)
    assert.same({}, again.requests())
    assert.equal("old-load", again.consider("retry").word)
    assert.equal(1, #again.requests())
  end)

  it("is tried again by a rule that somebody gives", function()
    local p = stubborn()
    p.consider("boot")
    p.device.load = function() return { active = OLD } end
    assert.equal("done", p.consider("request", { url = NEW_URL }).outcome)
    assert.equal(2, #p.requests())
    assert.equal("none", p.consider("resync").outcome)
  end)
end)

describe("an upgrade that failed", function()
  local function failing(o)
    o = o or {}
    o.rule, o.server = o.rule or NEW_URL, o.server or { status = 503 }
    return upgrades.new(o)
  end

  it("waits for its time, whatever happens meanwhile", function()
    local p = failing()
    assert.equal(3600, p.consider("boot").retry.after)
    for _, event in ipairs { "resync", "idle", "change" } do
      assert.equal("none", p.consider(event, { retry_due = false }).outcome)
      assert.equal("none", p.consider(event, { retry_due = true }).outcome)
    end
    assert.equal(1, #p.requests())
    p.world.advance(3600)
    assert.equal("failed", p.consider("resync",
      { retry_due = true }).outcome)
  end)

  it("is not retried where the delay is 0", function()
    for _, text in ipairs { "0", "" } do
      local p = failing { params = { Upgrade_Error_Retry_Delay = text } }
      assert.is_nil(p.consider("boot").retry)
      p.world.advance(1e6)
      assert.equal("none", p.consider("resync",
        { retry_due = true }).outcome)
      assert.equal("failed", p.consider("request").outcome)
      assert.equal(2, #p.requests())
    end
  end)

  it("begins anew with another rule", function()
    local p = failing { params = { Upgrade_Error_Retry_Delay = "10,20+5" } }
    p.consider("boot")
    assert.same({ after = 20, spread = 5 }, p.consider("retry").retry)
    p.set("Upgrade_Rule", "http://q/" .. NEW .. ".loads")
    local done = p.consider("change", { retry_due = false })
    assert.equal(10, done.retry.after)
    assert.equal(1, p.run.state.UPGST)
  end)

  it("begins anew after a success", function()
    local p = failing { server = { { status = 503 }, { status = 503 },
      { body = IMAGE }, { status = 503 } },
      params = { Upgrade_Error_Retry_Delay = "10,20" } }
    p.consider("boot")
    p.consider("retry")
    assert.equal("done", p.consider("retry").outcome)
    assert.equal("", p.phone:timers().UPGERR)
    p.device.reboot("upgrade")
    assert.equal("none", p.consider("boot").outcome)
    assert.equal(1, p.phone:timers().UPGST)
    p.set("Upgrade_Rule", OLDER_URL)
    assert.equal(10, p.consider("change").retry.after)
  end)

  it("counts what somebody asked for once, and puts off no retry", function()
    local p = failing()
    p.consider("boot")
    p.world.advance(600)
    local done = p.consider("request", { url = "http://q/x.loads" })
    assert.equal("failed", done.outcome)
    assert.equal(3000, done.retry.after)
    local other = failing { rule = "" }
    assert.is_nil(other.consider("request",
      { url = "http://q/x.loads" }).retry)
  end)

  it("keeps three attempts for status pages, credentials left out", function()
    local p = failing { rule = "http://me:pw@p/a.loads" }
    for _ = 1, 4 do p.consider("retry") end
    local list = upgrade.history(p.phone)
    assert.equal(3, #list)
    assert.same({ time = 1795342530, url = "http://p/a.loads",
      cause = "Service Unavailable" }, list[1])
  end)
end)

describe("an image", function()
  -- What a phone of this server comes to, and that its old load still runs.
  local function fails(server, want, o)
    o = o or {}
    o.rule, o.server = o.rule or NEW_URL, server
    local p = upgrades.new(o)
    local done = p.consider("boot")
    assert.equal("failed", done.outcome)
    assert.equal(want.err, done.err)
    if want.cause then assert.equal(want.cause, done.cause) end
    if want.word then assert.equal(want.word, done.word) end
    assert.is_nil(done.reboot)
    p.device.reboot("test")
    assert.equal(OLD, p.device.load().active)
    assert.is_nil(p.device.load().inactive)
    assert.equal(want.aborted or 0, p.device.aborted)
    return p
  end

  it("of no bytes is no image", function()
    local want = { err = "Download failed", cause = "Zero file size" }
    fails({ body = "" }, want)
    fails({ status = 204, body = "" }, want)
    fails({ body = "" }, want, { rule = "tftp://p/x.loads" })
  end)

  it("is taken as it is, in no coding", function()
    local p = upgrades.new { rule = NEW_URL, server = { body = IMAGE,
      headers = { ["Content-Encoding"] = "gzip" } } }
    local done = p.consider("boot")
    assert.equal("failed", done.outcome)
    assert.equal("bad-coding", done.word)
    assert.same({}, p.device.images)
    assert.equal(1, p.device.aborted)
    local offered
    for _, header in ipairs(p.world.requests[1].headers) do
      offered = offered or header:match("^Accept%-Encoding: (.*)$")
    end
    assert.equal("identity", offered)
    p = upgrades.new { rule = NEW_URL, server = { body = IMAGE,
      headers = { ["Content-Encoding"] = "identity" } } }
    assert.equal("done", p.consider("boot").outcome)
  end)

  it("that is too long is cut off", function()
    local max = image.max
    image.max = 4500
    local want = { err = "Corrupt file (file size exceed)",
      cause = "file size exceed", word = "toobig", aborted = 1 }
    fails({ body = IMAGE }, want)
    image.max = max
    assert.equal(512 * 1024 * 1024, max)
  end)

  it("that ends in the middle is dropped, and begun anew later", function()
    local p = fails({ { error = "partial", body = IMAGE:sub(1, 3000) },
      { body = IMAGE } }, { err = "Download failed",
      cause = "Connection error", aborted = 1 })
    assert.equal("done", p.consider("retry").outcome)
    assert.same({ { load = NEW, size = 5000,
      sha256 = upgrades.sha256(IMAGE) } }, p.device.images)
  end)

  it("is not continued from another address", function()
    local p = fails({ error = "connect", body = "abc" },
      { err = "Download failed", aborted = 1 }, { dns = function()
        return { { address = "192.0.2.7", age = 0 },
          { address = "192.0.2.8", age = 0 } }
      end })
    assert.equal(1, #p.requests())
  end)

  it("whose signature is wrong is refused", function()
    fails({ body = IMAGE }, { err = "Corrupt file (bad signature)",
      cause = "corrupted file", aborted = 1 }, { check = function(about)
        assert.equal(5000, about.size)
        assert.equal(upgrades.sha256(IMAGE), about.sha256)
        return nil, "bad signature", "corrupt"
      end })
  end)

  for step, aborted in pairs { image_begin = 0, image_write = 1,
    image_finish = 1, activate = 1 } do
    it("that the device refuses at " .. step .. " leaves the old", function()
      local p = upgrades.new { rule = NEW_URL, server = { body = IMAGE } }
      local real = p.device[step]
      p.device[step] = function() return nil, "no room", "no-space" end
      local done = p.consider("boot")
      assert.equal("failed", done.outcome)
      assert.equal("Disk full", done.cause)
      assert.equal("no room", done.reason)
      assert.equal(aborted, p.device.aborted)
      p.device.reboot("test")
      assert.equal(OLD, p.device.load().active)
      p.device[step] = real
      assert.equal("done", p.consider("retry").outcome)
    end)
  end

  it("holds nothing of redirects and of questions for passwords", function()
    local p = upgrades.new { rule = NEW_URL, server = {
      { status = 302, body = "moved", headers = { Location = "/b" } },
      { status = 301, body = "again", headers = { Location = "/c" } },
      { body = IMAGE } } }
    assert.equal("done", p.consider("boot").outcome)
    assert.same({ "GET " .. NEW_URL, "GET http://p/b", "GET http://p/c" },
      p.requests())
    assert.equal(upgrades.sha256(IMAGE), p.device.images[1].sha256)
    assert.equal(2, #p.syslog())
    fails({ status = 401, body = "who?" }, { err =
      "Download failed (HTTP 401)" })
    fails({ status = 404, body = "not here" }, { err = "File not found",
      cause = "File not found" })
    fails({ status = 206, body = "part" }, { err =
      "Download failed (HTTP 206)", aborted = 1 })
  end)

  it("comes by TFTP as well", function()
    local p = upgrades.new { rule = "tftp://p/f/" .. NEW .. ".loads",
      server = { body = IMAGE } }
    assert.equal("done", p.consider("boot").outcome)
    assert.equal(WHO .. "Successful upgrade tftp://192.0.2.7:69/f/" .. NEW
      .. ".loads -- " .. NEW, p.syslog()[2])
  end)

  it("is not asked for by a device that cannot take it", function()
    local p = upgrades.new { rule = NEW_URL, device = {} }
    assert.same({ outcome = "none",
      reason = "the device cannot take images" }, p.consider("boot"))
    assert.same({}, p.requests())
    assert.same({}, p.syslog())
  end)

  it("is asked for with the rule's user or the stored account", function()
    local p = upgrades.new { rule = "http://me:p%20w@p/x.loads",
      server = { status = 503 }, account = { user = "a", password = "b" } }
    p.consider("boot")
    p.set("Upgrade_Rule", "http://p/x.loads")
    p.consider("change")
    p.set("Upgrade_Rule", "http://p/y.loads")
    p.set("Profile_Authentication_Type", "Disabled")
    p.consider("change")
    local asked = p.world.requests
    assert.same({ "me", "p w", "a", "b" }, { asked[1].user,
      asked[1].password, asked[2].user, asked[2].password })
    assert.is_nil(asked[3].user)
  end)
end)

describe("messages of upgrades", function()
  it("are left out where they are blank", function()
    local p = upgrades.new { rule = NEW_URL, server = { body = IMAGE },
      params = { Log_Upgrade_Request_Msg = " " } }
    p.consider("boot")
    assert.equal(1, #p.syslog())
    assert.matches("Successful upgrade", p.syslog()[1])
  end)

  it("may show the condition that chose the load", function()
    local p = upgrades.new { rule = "($SWVER lt 11-3-2MPP)? " .. NEW_URL,
      server = { body = IMAGE },
      params = { Log_Upgrade_Request_Msg = "by $UPGCOND" } }
    p.consider("boot")
    assert.equal("by " .. OLD .. " lt 11-3-2MPP", p.syslog()[1])
  end)

  it("show an upgrade's last result as $UPGERR", function()
    local p = upgrades.new { rule = '("$UPGERR" eq "")? http://p/a.loads | '
      .. "http://p/b.loads", server = { status = 503 } }
    p.consider("boot")
    p.consider("retry")
    assert.same({ "GET http://p/a.loads", "GET http://p/b.loads" },
      p.requests())
  end)
end)

describe("classic.upgrade", function()
  it("reads a load's name from the URL's path", function()
    for path, name in pairs { ["/f/a.loads"] = "a", ["/a.loads?x=/y"] = "a",
      ["/a%20b.loads"] = "a b", ["/a"] = "a", ["/a.loads.loads"] = "a.loads",
    } do
      assert.equal(name, classic.load_of(assert(url.parse("http://h" .. path))))
    end
    for _, path in ipairs { "/", "/.loads", "/f/", "/a%2fb", "/a%0a" } do
      assert.is_nil(classic.load_of(assert(url.parse("http://h" .. path))))
    end
  end)

  it("compares versions with the limit", function()
    local function below(load, limit)
      return classic.below_limit({ param = { Downgrade_Rev_Limit = limit } },
        load)
    end
    assert.is_false(below("anything", ""))
    assert.is_false(below("anything", "  "))
    assert.is_true(below("anything", "11-3-1MPP-1"))
    assert.is_true(below("sip88xx.11-3-9MPP-1", "11-3-10MPP-1"))
    assert.is_false(below("sip88xx.11-3-10MPP-1", "11-3-9MPP-1"))
    assert.is_false(below("sip88xx.11-3-1MPP-1", "sip88xx.11-3-1MPP-1"))
    assert.is_true(below("sip88xx.11-3-1MPP-1", "not a version"))
  end)
end)

describe("an operator's upgrade rule", function()
  local function with(text, o)
    o = o or {}
    local rules = rule_files.read()
    rules["upgrade.lua"] = { text = text, path = "op/upgrade.lua" }
    o.rule, o.rules, o.ask = "", rules, support.box()
    o.server = { body = IMAGE }
    return upgrades.new(o)
  end

  it("names another load, and its own retry", function()
    local p = with([[
      return { stage = "upgrade", decide = function(phone)
        return { action = "fetch", fetch = { url = "http://op/x.loads" },
          retry = { after = 7 } }
      end }]])
    local done = p.consider("boot")
    assert.same({ "GET http://op/x.loads" }, p.requests())
    assert.equal("x", done.load)
  end)

  it("that asks for ever does so by Upgrade_Error_Retry_Delay", function()
    local p = with([[
      return { stage = "upgrade", decide = function(phone)
        if not phone.retry_due then
          return { action = "skip", reason = "not yet" }
        end
        return { action = "fetch", fetch = { url = "http://op/x.loads" } }
      end }]], { params = { Profile_Rule = "",
        Upgrade_Error_Retry_Delay = "100,1000" } })
    p.device.load = function() return { active = OLD } end
    p.device.on_reboot = function() p.again = true end
    p.boot("power_on")
    for t = 1, 3500 do
      p.world.advance(t)
      if p.again then
        p.again = nil
        p.boot()
      end
    end
    -- at 0, after 100 s, and every 1000 s from then on
    assert.equal(5, #p.requests())
    assert.equal(1, #p.device.reboots) -- the same image each time
  end)

  it("may not ask for a key", function()
    local p = with([[
      return { stage = "upgrade", decide = function(phone)
        return { action = "fetch", fetch = { url = "http://op/x.loads",
          key = "k" } }
      end }]])
    assert.equal("none", p.consider("boot").outcome)
    assert.same({}, p.requests())
  end)
end)

describe("the engine", function()
  -- A phone whose image server answers `answers` and whose profile server
  -- knows an empty profile; p.at holds the times of requests by URL.
  local function phone(answers, o)
    o = o or {}
    o.rule, o.params = NEW_URL, o.params or {}
    o.params.Profile_Rule = "http://c/a.xml"
    o.params.Resync_Random_Delay = "0"
    local p
    local at, count = {}, 0
    o.server = function(request)
      local times = at[request.url] or {}
      at[request.url] = times
      table.insert(times, p.world.now().mono)
      if request.url == "http://c/a.xml" then
        return { body = "<flat-profile></flat-profile>" }
      end
      count = count + 1
      table.insert(at.states, p.run_state())
      return answers[math.min(count, #answers)]
    end
    p = upgrades.new(o)
    p.at, at.states = at, {}
    function p.run_state() return p.phone:timers().UPGST end
    return p
  end

  it("tries again at 10, 30 and 50 s (U5)", function()
    local p = phone({ { status = 503 } }, { params = {
      Upgrade_Error_Retry_Delay = "10,20",
      Resync_After_Upgrade_Attempt = "No" } })
    p.boot("power_on")
    p.world.advance(60)
    assert.same({ 0, 10, 30, 50 }, p.at[NEW_URL])
    assert.same({ 1, 2, 2, 2 }, p.at.states)
    assert.same({ 0 }, p.at["http://c/a.xml"])
  end)

  it("resyncs after each attempt by Resync_After_Upgrade_Attempt", function()
    local p = phone({ { status = 503 } }, { params = {
      Upgrade_Error_Retry_Delay = "10,20" } })
    p.boot("power_on")
    p.world.advance(60)
    assert.same({ 0, 10, 30, 50 }, p.at[NEW_URL])
    assert.same({ 0, 0, 10, 30, 50 }, p.at["http://c/a.xml"])
  end)

  it("does not go round in circles where there is no retry", function()
    for _, rule in ipairs { NEW_URL, "[--key x] http://p/l.loads" } do
      local p = phone({ { status = 503 } }, { params = {
        Upgrade_Error_Retry_Delay = "0", Resync_Periodic = "600" } })
      p.set("Upgrade_Rule", rule)
      p.boot("power_on")
      p.world.advance(1300)
      assert.is_true(#(p.at[NEW_URL] or {}) <= 1)
      assert.same({ 0, 0, 600, 1200 }, p.at["http://c/a.xml"])
    end
  end)

  it("waits for idle lines (U8)", function()
    local p = phone({ { body = IMAGE } }, { lines_active = 1, params = {
      Resync_On_Reset = "No" } })
    p.boot("power_on")
    p.world.advance(500)
    assert.is_nil(p.at[NEW_URL])
    p.device.set_lines(0)
    p.world.advance(510)
    assert.same({ 500 }, p.at[NEW_URL])
  end)

  it("boots the new load, and it alone", function()
    local p = phone({ { body = IMAGE } })
    p.boot("power_on")
    p.world.advance(60)
    assert.same({ { reason = "upgrade", cold = false } }, p.device.reboots)
    assert.equal(NEW, p.device.load().active)
    assert.is_true(p.engine.stopped)
    p.boot()
    p.world.advance(7300)
    assert.equal(1, #p.at[NEW_URL])
    assert.same({ 0, 60, 3660, 7260 }, p.at["http://c/a.xml"])
    assert.equal(1, #p.device.reboots)
  end)

  it("waits for idle lines with what somebody names, too", function()
    local p = phone({ { body = IMAGE } }, { lines_active = 1 })
    p.set("Upgrade_Rule", "")
    p.boot("resync_applied")
    p.world.advance(10)
    local outcomes = {}
    assert(p.engine:upgrade { by = "url", url = NEW_URL,
      done = function(r) outcomes[#outcomes + 1] = r.outcome end })
    p.world.advance(500)
    assert.same({}, outcomes)
    p.device.set_lines(0)
    p.world.advance(501)
    assert.same({ "done" }, outcomes)
    assert.same({ 500 }, p.at[NEW_URL])
    assert.equal(1, #p.device.reboots)
  end)

  it("reboots into it when a call that came meanwhile is over", function()
    local p
    p = phone({ { body = IMAGE, delay = 30 } })
    p.boot("power_on")
    p.world.advance(10)
    p.device.set_lines(1)
    p.world.advance(100)
    assert.equal(1, #p.device.images)
    assert.same({}, p.device.reboots)
    p.device.set_lines(0)
    p.world.advance(110)
    assert.equal(1, #p.device.reboots)
  end)

  it("boots what it has taken before it takes another", function()
    local p = phone({ { body = IMAGE, delay = 30 } })
    p.boot("power_on")
    p.world.advance(10)
    p.device.set_lines(1)
    p.world.advance(100)
    local result
    assert(p.engine:upgrade { by = "url", url = OLDER_URL,
      done = function(r) result = r end })
    p.set("Upgrade_Rule", OLDER_URL)
    p.engine:changed { "Upgrade_Rule" }
    p.world.advance(110)
    assert.is_nil(result)
    p.device.set_lines(0)
    p.world.advance(120)
    assert.equal("refused", result.outcome)
    assert.is_nil(p.at[OLDER_URL])
    assert.equal(NEW, p.device.load().active)
  end)

  it("takes a load that somebody names, once", function()
    local p = phone({ { body = IMAGE } })
    p.set("Upgrade_Rule", "")
    p.boot("resync_applied")
    p.world.advance(10)
    local result
    assert(p.engine:upgrade { by = "url", url = OLDER_URL,
      done = function(r) result = r end })
    p.world.advance(20)
    assert.equal("done", result.outcome)
    assert.same({ 10 }, p.at[OLDER_URL])
    assert.equal(OLDER, p.device.load().active)
  end)
end)
