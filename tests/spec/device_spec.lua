-- The simulated device: what device.lua names, and partitions that outlive a
-- power cut.
local device = require "peal.device"
local process = require "support.process"
local program = require "support.program"
local simulated = require "peal.device.simulated"
local sys = require "peal.sys"
local upgrades = require "support.upgrades"

local OLD <const> = "sip88xx.11-3-1MPP-234"
local NEW <const> = "sip88xx.11-3-2MPP0001-609"

local function read(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read("a")
  file:close()
  return bytes
end

local function write(path, bytes)
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
end

describe("a simulated device", function()
  it("seals with a key in its folder, which only the owner reads", function()
    local folder = process.temp_dir()
    local d = assert(simulated.new { folder = folder })
    local sealed = assert(device.seal(d, "a secret"))
    assert.equal(384, sys.stat(folder .. "/seal.key").mode)
    local again = assert(simulated.new { folder = folder })
    assert.equal("a secret", device.unseal(again, sealed))
    local stranger = simulated.new()
    assert.equal("corrupt", select(3, device.unseal(stranger, sealed)))
    assert.equal("mine", device.unseal(stranger,
      device.seal(stranger, "mine")))
    process.chmod(folder .. "/seal.key", 420)
    again = assert(simulated.new { folder = folder })
    local _, sentence, word = device.unseal(again, sealed)
    assert.equal("permission", word)
    assert.matches("chmod 600", sentence)
    process.chmod(folder .. "/seal.key", 384)
    write(folder .. "/seal.key", "short")
    again = assert(simulated.new { folder = folder })
    assert.equal("bad-key", select(3, device.seal(again, "")))
    process.remove(folder)
  end)

  it("may have no key at all", function()
    assert.is_false(device.has_seal {})
    assert.is_true(device.has_seal(simulated.new()))
    assert.equal("not-found", select(3, device.seal({}, "x")))
  end)

  it("has what it was made with", function()
    local d = simulated.new { lines_active = 2, registered = false,
      clock_trusted = false, zone = "CET-1", load = { active = OLD,
      inactive = NEW }, headset = { model = "560", version = "1" } }
    assert.equal(2, device.lines_active(d))
    assert.is_false(device.registered(d))
    assert.is_false(device.clock_trusted(d))
    assert.equal("CET-1", device.zone(d))
    assert.same({ OLD, NEW }, { device.loads(d, {}) })
    assert.same({ model = "560", version = "1" }, device.headset(d))
    d = simulated.new()
    assert.equal(0, device.lines_active(d))
    assert.is_nil(device.registered(d))
    assert.is_true(device.clock_trusted(d))
    assert.equal("UTC0", device.zone(d))
    assert.is_nil(device.headset(d))
  end)

  it("tells who listens what happens to it", function()
    local d, seen = simulated.new(), {}
    d.subscribe(function(kind) seen[#seen + 1] = kind end)
    d.set_lines(1)
    d.set_registered(true)
    d.set_clock(true)
    d.plug { model = "700", version = "2" }
    d.unplug()
    assert.same({ "lines", "registration", "clock", "headset", "headset" },
      seen)
    assert.is_nil(device.headset(d))
    assert.is_true(device.registered(d))
  end)

  it("serves terminals, which take what they are given", function()
    assert.same({}, device.terminals(simulated.new()))
    local d = simulated.new { terminals = { { id = "17", kind = "sip" } } }
    local one, said = device.terminals(d)[1], {}
    local function answer(...) said[#said + 1] = { ... } end
    one.push({ id = "a" }, answer)
    one.restart(answer)
    assert.same({ id = "a" }, d.terminal("17").bundle)
    assert.equal(1, one.restarts)
    one.broken, one.slow = "it is off", true
    one.push({ id = "b" }, answer)
    assert.same({ { true }, { true } }, said)
    one.finish()
    assert.same({ false, "it is off" }, said[3])
    assert.equal("a", one.bundle.id)
  end)

  it("tells of another address, and of other terminals", function()
    local d, told = simulated.new { address = "192.0.2.1" }, {}
    d.subscribe(function(kind) told[#told + 1] = kind end)
    d.set_address("192.0.2.2")
    d.set_terminals { { id = "18", kind = "system" } }
    assert.same({ "address", "terminal" }, told)
    assert.equal("192.0.2.2", device.address(d))
    assert.equal("18", device.terminals(d)[1].id)
  end)

  it("passes the user's answer on, once", function()
    local d, got = simulated.new(), {}
    assert.is_false(d.answer("now"))
    d.prompt("headset_prompt", { model = "560" },
      function(choice) got[#got + 1] = choice end)
    assert.equal("560", d.asked.about.model)
    assert.is_true(d.answer("now"))
    assert.is_false(d.answer("now"))
    assert.same({ "now" }, got)
  end)

  it("boots what was activated", function()
    local d = simulated.new { load = { active = OLD } }
    assert.is_nil((d.activate(NEW)))
    local image = d.image_begin { load = NEW }
    assert.is_true(d.image_write(image, "x"))
    assert.is_nil((d.activate(NEW)))
    assert.is_true(d.image_finish(image, { size = 1, sha256 = "0" }))
    assert.is_true(d.activate(NEW))
    assert.equal(OLD, d.load().active)
    d.reboot("upgrade", false)
    assert.same({ active = NEW, inactive = nil }, d.load())
  end)

  it("says why its folder cannot be used", function()
    local d, sentence, word = simulated.new { folder = "/nowhere/at/all" }
    assert.is_nil(d)
    assert.matches("/nowhere/at/all", sentence)
    assert.equal("io", word)
  end)
end)

describe("partitions in a folder", function()
  local folder
  before_each(function() folder = process.temp_dir() end)
  after_each(function() process.remove(folder) end)

  local function upgraded(o)
    o = o or {}
    return upgrades.new { folder = folder, load = { active = o.old or OLD },
      rule = "http://p/" .. (o.new or NEW) .. ".loads",
      server = o.server or { body = upgrades.image } }
  end

  it("hold images that the next start finds", function()
    local p = upgraded()
    assert.equal("done", p.consider("boot").outcome)
    assert.equal(upgrades.image, read(folder .. "/slot-1"))
    local d = simulated.new { folder = folder, load = { active = "other" } }
    assert.equal(NEW, d.load().active)
  end)

  it("take turns", function()
    upgraded().consider("boot")
    local p = upgraded { new = "third" }
    assert.equal("done", p.consider("boot").outcome)
    assert.equal(upgrades.image, read(folder .. "/slot-0"))
    assert.equal(NEW, p.device.load().active)
    p.device.reboot("upgrade")
    assert.same({ active = "third", inactive = NEW }, p.device.load())
  end)

  it("are not booted from when they are damaged", function()
    local p = upgraded()
    p.consider("boot")
    p.device.reboot("upgrade")
    local image = p.device.image_begin { load = "third" }
    p.device.image_write(image, "abc")
    p.device.image_finish(image, { size = 3, sha256 = "0" })
    write(folder .. "/slot-0", "ab")
    assert.is_nil(p.device.load().inactive)
    assert.is_nil((p.device.activate("third")))
  end)

  it("refuse an image that is not all there", function()
    local d = simulated.new { folder = folder }
    local image = d.image_begin { load = NEW }
    d.image_write(image, "abc")
    local ok, _, word = d.image_finish(image, { size = 4, sha256 = "0" })
    assert.is_nil(ok)
    assert.equal("io", word)
    d.image_abort(image)
    assert.is_nil(d.load().inactive)
  end)

  it("do not boot what is written over before it has booted", function()
    for _, where in ipairs { folder, "" } do
      local o = { folder = where ~= "" and where or nil,
        load = { active = OLD } }
      local d = simulated.new(o)
      local image = d.image_begin { load = NEW }
      d.image_write(image, "abc")
      assert(d.image_finish(image, { size = 3, sha256 = "0" }))
      assert(d.activate(NEW))
      image = d.image_begin { load = "third" }
      d.image_write(image, "x")
      if o.folder then d = simulated.new(o) else d.reboot("power") end
      assert.same({ active = OLD }, d.load())
    end
  end)

  -- The state after a cut: one of two loads boots, and whole.
  local function check_state(at)
    local d = assert(simulated.new { folder = folder,
      load = { active = OLD } })
    local load = d.load()
    local slot = read(folder .. "/active"):sub(1, 1)
    if load.active == NEW then
      assert.equal(upgrades.image, read(folder .. "/slot-" .. slot), at)
    else
      assert.equal(OLD, load.active, at)
    end
    if load.inactive then
      assert.equal(NEW, load.inactive, at)
      assert.equal(upgrades.image, read(folder .. "/slot-1"), at)
    end
    return load.active, load.inactive
  end

  for _, half in ipairs { false, "half" } do
    it("survive a kill before each operation"
      .. (half and " and amid each write" or ""), function()
      local lua = program.path:gsub("peal$", "tests/peal-lua")
      local seen, steps = {}, 0
      repeat
        steps = steps + 1
        process.remove(folder)
        process.mkdir(folder)
        local child = assert(process.spawn { lua,
          program.root .. "/tests/support/cut_upgrade.lua", folder,
          tostring(steps), OLD, NEW, half or nil })
        local how, number = child:wait(60)
        if how == "killed" then assert.equal(9, number) end
        local active, inactive = check_state("operation " .. steps)
        seen[active .. (inactive and " and " .. inactive or "")] = true
        if active == OLD then -- a later attempt begins anew, and succeeds
          assert.equal("done", upgraded().consider("boot").outcome)
          assert.equal(NEW, (check_state("after " .. steps)))
        end
        if how == "exited" then assert.equal(0, number) end
      until how == "exited"
      assert.is_true(steps > 25, steps .. " operations")
      assert.same({ [OLD] = true, [OLD .. " and " .. NEW] = true,
        [NEW] = true }, seen)
    end)
  end
end)

describe("a phone file with a simulated device", function()
  local folder
  before_each(function() folder = process.temp_dir() end)
  after_each(function() process.remove(folder) end)

  local function peal(text, ...)
    write(folder .. "/phone.lua", ("return { identity = { SWVER = %q }, "
      .. "device = %s }"):format(OLD, text))
    local arguments = { ... }
    arguments[#arguments + 1] = "--phone"
    arguments[#arguments + 1] = folder .. "/phone.lua"
    return program.peal(table.unpack(arguments))
  end

  it("runs the load that its partitions hold", function()
    process.mkdir(folder .. "/flash")
    local flash <const> = "{ simulated = true, folder = 'flash', "
      .. "lines_active = 1, registered = true, zone = 'UTC0', "
      .. "headset = { model = '560', version = '1' } }"
    assert.equal(OLD .. "\n", peal(flash, "expand", "$SWVER").out)
    upgrades.new { folder = folder .. "/flash", load = { active = OLD },
      rule = "http://p/" .. NEW .. ".loads",
      server = { body = upgrades.image } }.consider("boot")
    assert.equal(NEW .. "\n", peal(flash, "expand", "$SWVER").out)
  end)

  local bad = { { "simulated = 1", "device.simulated" },
    { "simulated = true, frob = 1", "device.frob" },
    { "simulated = true, lines_active = '1'", "device.lines_active" },
    { "simulated = true, load = { next = 'x' }", "device.load.next" },
    { "simulated = true, load = { active = '' }", "device.load.active" },
    { "simulated = true, headset = { model = 'x' }", "device.headset" },
    { "simulated = true, headset = { model = 5 }", "device.headset.model" },
    { "simulated = true, folder = 'none'", "device.folder" },
    { "simulated = true, folder = ''", "device.folder" },
    { "simulated = true, terminals = { { id = '1' } }",
      "device.terminals[1]" },
    { "simulated = true, terminals = { { id = '1', kind = 'sip' }, "
      .. "{ id = '1', kind = 'sip' } }", "device.terminals[2]" },
    { "simulated = true, registered = 1", "device.registered" } }
  for _, row in ipairs(bad) do
    it("names the field of " .. row[1], function()
      local got = peal("{ " .. row[1] .. " }", "expand", "$PN")
      assert.equal(2, got.code, got.err)
      assert.is_truthy(got.err:find(row[2], 1, true), got.err)
    end)
  end
end)
