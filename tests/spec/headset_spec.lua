-- Firmware of headsets on the virtual world.
-- Source: MPP provisioning guide, Cisco_Headset_Upgrade_Rule; the manifest's
-- form is the lab's.
local classic = require "peal.classic.headset"
local manifest = require "peal.headset_manifest"
local upgrades = require "support.upgrades"

local RULE <const> = "http://p/h/ciscoheadsetfirmware.xml"
local FIRMWARE <const> = ("hs"):rep(700)

-- A manifest that offers `version` for a 560.
local function offers(version, more)
  return ('<?xml version="1.0"?>\n<headset-firmware>\n <headset model="520" '
    .. 'version="9-9" file="520.bin"/>\n <headset model="560" version="%s" '
    .. 'file="560.bin"%s/>\n</headset-firmware>\n'):format(version, more or "")
end

-- A phone with a 560 of firmware `have`, and a server with that manifest.
local function phone(have, text, o)
  o = o or {}
  local answers = o.server or function(request)
    if request.url:find("%.xml$") then
      return type(text) == "table" and text or { body = text }
    end
    return o.file or { body = FIRMWARE }
  end
  return upgrades.new { server = answers, device = o.device,
    lines_active = o.lines_active,
    headset = have and { model = "560", version = have },
    params = { Cisco_Headset_Upgrade_Rule = o.rule or RULE } }
end

describe("Cisco_Headset_Upgrade_Rule", function()
  it("offers a later version", function()
    local p = phone("1-5-1-10", offers("1-6-0-162"))
    assert.equal("prompted", p.headset("attach").outcome)
    assert.same({ kind = "headset_prompt", about = { model = "560",
      have = "1-5-1-10", offer = "1-6-0-162" } }, p.device.asked)
    assert.same({ "GET " .. RULE }, p.requests())
    assert.same({}, p.syslog())
    assert.equal("available", p.phone.headset.state)
  end)

  local none = { { "1-6-0-162", "1-6-0-162" }, { "1-10-0", "1-9-9" },
    { "1-6", "1-6-0-0" } }
  for _, case in ipairs(none) do
    it(("offers nothing to %s where %s is the latest"):format(case[1],
      case[2]), function()
      local p = phone(case[1], offers(case[2]))
      assert.same({ outcome = "none",
        reason = "the headset's firmware is the latest" },
        p.headset("attach"))
      assert.is_nil(p.device.asked)
    end)
  end

  it("takes 1.10 for later than 1-9", function()
    assert.equal("prompted", phone("1-9", offers("1.10")).headset("boot")
      .outcome)
  end)

  it("offers nothing to a model that nobody knows", function()
    local p = upgrades.new { server = { body = offers("2-0") },
      headset = { model = "700", version = "1" },
      params = { Cisco_Headset_Upgrade_Rule = RULE } }
    assert.same({ outcome = "none",
      reason = "the manifest does not know headset 700" },
      p.headset("attach"))
  end)

  it("fetches nothing while it is empty, or no headset is there", function()
    for _, p in ipairs { phone("1-0", offers("2-0"), { rule = " " }),
      phone(nil, offers("2-0")),
      phone("1-0", offers("2-0"), { device = { headset = { model = "560",
        version = "1" } } }) } do
      for _, event in ipairs { "attach", "boot", "resync", "change", "idle" }
      do
        assert.equal("none", p.headset(event).outcome)
      end
      assert.same({}, p.requests())
    end
  end)

  it("warns where there is no manifest, and asks nobody", function()
    local p = phone("1-0", { status = 404 })
    local done = p.headset("attach")
    assert.equal("failed", done.outcome)
    assert.equal("File not found", done.err)
    assert.is_nil(p.device.asked)
    assert.same({}, p.syslog())
    assert.equal("Cisco_Headset_Upgrade_Rule", p.run.result.notes[1].name)
    assert.equal("failed", p.phone.headset.state)
  end)

  it("fails where a web page comes instead", function()
    local p = phone("1-0", "<!DOCTYPE html><html><body>Log in</body></html>")
    local done = p.headset("attach")
    assert.equal("failed", done.outcome)
    assert.equal("corrupted file", done.cause)
    assert.is_nil(p.device.asked)
  end)

  it("expands macros, and says what is wrong with it", function()
    local p = phone("1-0", offers("2-0"), { rule = "http://p/$MA.xml" })
    p.headset("attach")
    assert.same({ "GET http://p/000e08abcdef.xml" }, p.requests())
    p = phone("1-0", offers("2-0"), { rule = "/h.xml" })
    assert.equal("No server", p.headset("attach").err)
  end)

  it("waits for the end of a call", function()
    local p = phone("1-0", offers("2-0"), { lines_active = 1 })
    assert.equal("none", p.headset("attach").outcome)
    assert.is_true(p.phone.headset_waits)
    assert.is_nil(p.device.asked)
    p.device.set_lines(0)
    assert.equal("prompted", p.headset("idle").outcome)
    assert.is_table(p.device.asked)
    assert.equal("none", p.headset("idle").outcome)
    assert.equal(1, #p.requests())
  end)

  it("asks nobody about a headset that went meanwhile", function()
    local p = phone("1-0", offers("2-0"), { lines_active = 1 })
    p.headset("attach")
    p.device.unplug()
    p.device.set_lines(0)
    assert.equal("none", p.headset("idle").outcome)
    assert.is_nil(p.device.asked)
  end)

  it("asks once, however often it looks", function()
    local p = phone("1-0", offers("2-0"))
    p.headset("attach")
    p.headset("resync")
    p.headset("boot")
    assert.equal(1, #p.device.prompts)
  end)
end)

describe("the user's answer", function()
  -- After it: the phone's state and what the device has installed.
  local function answered(choice, text, o)
    local p = phone("1-0", text or offers("2-0"), o)
    p.headset("attach")
    p.device.answer(choice)
    return p, p.phone.headset.state, p.device.installed
  end

  it("now installs", function()
    local p, state, installed = answered("now", offers("2-0",
      (' size="1400" sha256="%s"'):format(
        upgrades.sha256(FIRMWARE):upper())))
    assert.equal("done", state)
    assert.same({ { model = "560", version = "2-0", size = 1400 } },
      installed)
    assert.same({ "GET " .. RULE, "GET http://p/h/560.bin" }, p.requests())
    assert.equal("none", p.headset("resync").outcome)
  end)

  it("later is kept until the next attach or a newer offer", function()
    local text = offers("2-0")
    local p
    p = phone("1-0", nil, { server = function() return { body = text } end })
    p.headset("attach")
    p.device.answer("later")
    assert.equal("deferred", p.phone.headset.state)
    for _, event in ipairs { "resync", "boot", "change" } do
      assert.same({ outcome = "none",
        reason = "the user has put it off" }, p.headset(event))
    end
    text = offers("2-1")
    assert.equal("prompted", p.headset("resync").outcome)
    p.device.answer("later")
    assert.equal("none", p.headset("resync").outcome)
    assert.equal("prompted", p.headset("attach").outcome)
  end)

  for what, more in pairs { size = ' size="1401"',
    sha256 = (' sha256="%s"'):format(("0"):rep(64)) } do
    it("installs nothing of another " .. what, function()
      local p, state, installed = answered("now", offers("2-0", more))
      assert.equal("failed", state)
      assert.matches("^Corrupt file", p.phone.headset.err)
      assert.same({}, installed)
    end)
  end

  it("comes to nothing where the file is missing, empty or long", function()
    for _, file in ipairs { { status = 404 }, { body = "" },
      { error = "toobig" } } do
      local _, state, installed = answered("now", nil, { file = file })
      assert.equal("failed", state)
      assert.same({}, installed)
    end
  end)

  it("comes to nothing where the headset went meanwhile", function()
    local p = phone("1-0", offers("2-0"))
    p.headset("attach")
    p.device.unplug()
    p.device.answer("now")
    assert.equal("failed", p.phone.headset.state)
    assert.same({}, p.device.installed)
  end)

  it("is asked for in the engine's own task", function()
    local p = phone("1-0", offers("2-0"))
    p.set("Profile_Rule", "")
    p.boot("upgrade")
    p.world.advance(60)
    p.device.set_lines(1)
    p.device.plug { model = "560", version = "1-1" }
    p.world.advance(120)
    p.device.set_lines(0)
    p.world.advance(180)
    assert.equal("1-1", p.device.asked.about.have)
    p.device.answer("now")
    p.world.advance(240)
    assert.equal("2-0", p.device.installed[1].version)
    assert.equal("done", p.phone.headset.state)
  end)
end)

describe("a maker's own manifest", function()
  it("is read by the device", function()
    local p = phone("1-0", "their form")
    p.device.headset_manifest = function(bytes)
      assert.equal("their form", bytes)
      return { { model = "560", version = "3", file = "http://q/x" } }
    end
    assert.equal("prompted", p.headset("attach").outcome)
    p.device.answer("now")
    assert.equal("GET http://q/x", p.requests()[2])
    p.device.headset_manifest = function() return nil, "what is it?" end
    assert.equal("failed", p.headset("attach").outcome)
  end)
end)

describe("a headset's version", function()
  local orders = { { "1-6-0-162", "1-5-1-10", 1 }, { "1.10", "1-9", 1 },
    { "1-10-0", "1-9-9", 1 }, { "1", "1-0-0", 0 }, { "01-2", "1.2", 0 },
    { "2", "10", -1 }, { "99999999999999999999", "99999999999999999998", 1 } }
  for _, case in ipairs(orders) do
    it(("%s compares with %s"):format(case[1], case[2]), function()
      assert.equal(case[3], classic.compare(case[1], case[2]))
      assert.equal(-case[3], classic.compare(case[2], case[1]))
    end)
  end

  it("is numbers only", function()
    for _, text in ipairs { "", "1-", "a", "1-b", "-1", "1 2" } do
      assert.is_nil(classic.compare(text, "1"))
      assert.is_false(classic.newer(text, "1"))
    end
  end)
end)

describe("the manifest", function()
  it("may have a mark, a declaration, comments and entities", function()
    assert.same({ { model = "5&6", version = "1", file = 'a "b"' } },
      manifest.parse("\xEF\xBB\xBF<?xml version='1.0'?><!-- x --> "
        .. "<headset-firmware ><!-- <headset> --><headset model='5&amp;6' "
        .. "file='a &quot;b&quot;' version='1'></headset>"
        .. "</headset-firmware> <!-- end -->\n"))
    assert.same({}, manifest.parse(
      "<headset-firmware></headset-firmware>"))
  end)

  local bad = {
    "", "x", "<headset-firmware>", "<headset-firmware/>",
    "<!DOCTYPE a><headset-firmware></headset-firmware>",
    "<headset-firmware></headset-firmware><b/>",
    "<headset-firmware>text</headset-firmware>",
    "<headset-firmware><!-- </headset-firmware>",
    "<headset-firmware>\xff</headset-firmware>",
  }
  for _, attributes in ipairs { "", "model='1' version='1'",
    "model='1' version='1' file=''", "model='1' version='1' file='&x;'",
    "model='1' version='1' file='&amp'", "model='1' version='1' file='<'",
    "model='1' version='1' file='a' more='b'",
    "model='1' model='1' version='1' file='a'",
    "model='1' version='1' file='a' size='-1'",
    "model='1' version='1' file='a' sha256='12'",
    "model='1'version='1' file='a'", "model='1' version='1' file='a" } do
    bad[#bad + 1] = ("<headset-firmware><headset %s/></headset-firmware>")
      :format(attributes)
  end
  for _, text in ipairs(bad) do
    it(("is not %q"):format(text), function()
      local offers_of, sentence, word = manifest.parse(text)
      assert.is_nil(offers_of)
      assert.matches("^byte %d+: ", sentence)
      assert.equal("corrupt", word)
    end)
  end

  it("holds 1024 offers at most", function()
    local one = "<headset model='1' version='1' file='a'/>"
    local function of(n)
      return manifest.parse("<headset-firmware>" .. one:rep(n)
        .. "</headset-firmware>")
    end
    assert.equal(1024, #of(1024))
    assert.is_nil((of(1025)))
  end)

  it("survives any text", function()
    require("support.fixture").fuzz({ "<headset-firmware>", "<headset ",
      "</headset-firmware>", "model='1'", " version=\"1\"", "/>", "<!--",
      "-->", "&amp;", "<?xml ", "?>", " " }, manifest.parse)
  end)
end)
