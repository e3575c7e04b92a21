-- Firmware upgrades from real servers into a simulated device.
-- Source: MPP provisioning guide, Upgrade_Rule, Log_Upgrade_Request_Msg.
local context = require "peal.cycle.context"
local encode = require "peal.encode"
local fixture = require "support.fixture"
local headset = require "peal.headset"
local live = require "peal.world.live"
local loop = require "peal.loop"
local need = require("support.phones").need
local phone_of = require "peal.phone"
local process = require "support.process"
local program = require "support.program"
local servers = require "support.servers"
local simulated = require "peal.device.simulated"
local tcp = require "support.tcp"
local upgrade = require "peal.upgrade"
local upgrades = require "support.upgrades"

local NEW <const> = "sip88xx.11-3-2MPP0001-609"
local MIB <const> = 1024 * 1024
local SIZE <const> = 40 * MIB
local WHO <const> = "CP-8841-3PCC 00:0e:08:ab:cd:ef -- "

-- A file of that many bytes that holds no piece twice; its SHA-256.
local function make_image(path, size)
  local file = assert(io.open(path, "wb"))
  local hash = encode.sha256()
  for i = 1, size // MIB do
    local piece = ("%07d\n"):format(i):rep(MIB // 8)
    file:write(piece)
    hash:add(piece)
  end
  file:close()
  return hash:hex()
end

local function sha256_of(path)
  local file = assert(io.open(path, "rb"))
  local hash = encode.sha256()
  for piece in function() return file:read(MIB) end do hash:add(piece) end
  file:close()
  return hash:hex()
end

-- Kilobytes of memory of this process: "VmRSS" now, "VmHWM" at most.
local function memory(field)
  for line in io.lines("/proc/self/status") do
    local kb = line:match("^" .. field .. ":%s*(%d+) kB")
    if kb then return tonumber(kb) end
  end
end

-- The most from now on.
local function forget_peak()
  local file = assert(io.open("/proc/self/clear_refs", "w"))
  file:write("5")
  file:close()
end

describe("an upgrade", function()
  local root, sha256, folder, sink

  setup(function()
    root = process.temp_dir()
    sha256 = make_image(root .. "/" .. NEW .. ".loads", SIZE)
  end)
  teardown(function() process.remove(root) end)
  before_each(function()
    folder = process.temp_dir()
    sink = servers.syslog_sink()
  end)
  after_each(function()
    sink.stop()
    process.remove(folder)
  end)

  -- A phone that upgrades into `folder`.
  local function phone(params, o)
    o = o or {}
    params.Syslog_Server = params.Syslog_Server
      or "127.0.0.1:" .. sink.port
    local p = { device = assert(simulated.new { folder = folder,
      load = { active = fixture.identity.SWVER }, headset = o.headset }) }
    local own = assert(loop.new())
    p.world = live.new { loop = own, store = upgrades.store(params),
      device = p.device }
    p.phone = phone_of.new { world = p.world, identity = fixture.identity,
      account = o.account }
    local function call(fn, about)
      return p.world.run(function()
        p.run = context.new(p.phone, { asked_by = about.event })
        return fn(p.phone, p.run, about)
      end)
    end
    function p.consider(event)
      return call(upgrade.consider, { event = event })
    end
    function p.headset(event)
      return call(headset.consider, { event = event,
        answer = function(choice) p.choice = choice end })
    end
    function p.answer()
      return p.world.run(function()
        return headset.answer(p.phone, context.new(p.phone,
          { asked_by = "user" }), p.choice)
      end)
    end
    return p
  end

  -- What the old load and the partitions must be after a failure.
  local function check_old(p)
    p.device.reboot("test")
    assert.same({ active = fixture.identity.SWVER, inactive = nil },
      p.device.load())
  end

  -- The phone takes 40 MiB, and not into memory.
  local function check_upgrade(url, syslog)
    local p = phone({ Upgrade_Rule = url, Syslog_Server = syslog })
    collectgarbage()
    forget_peak()
    local before = memory("VmRSS")
    local done = p.consider("boot")
    local grown = memory("VmHWM") - before
    assert.equal("done", done.outcome, done.reason)
    for _, step in ipairs(p.run.trace.steps) do
      if step.step == "response" then assert.equal(SIZE, step.bytes) end
    end
    assert.same({ { load = NEW, size = SIZE, sha256 = sha256 } },
      p.device.images)
    assert.equal(sha256, sha256_of(folder .. "/slot-1"))
    assert.is_true(program.sanitized or grown < 8 * 1024,
      grown .. " kB more memory")
    p.device.reboot("upgrade")
    assert.equal(NEW, p.device.load().active)
    assert.equal("none", p.consider("boot").outcome)
  end

  it("comes from nginx, and rsyslog sees its two lines", function()
    if not need("nginx", "rsyslogd") then return end
    local server <close> = servers.nginx { root = root }
    local log <close> = servers.rsyslog()
    local url = ("http://127.0.0.1:%d/%s.loads"):format(server.http_port,
      NEW)
    check_upgrade(url, "127.0.0.1:" .. log.port)
    local lines = log.lines(2)
    for i, want in ipairs { "Requesting upgrade " .. url,
      "Successful upgrade " .. url .. " -- " .. NEW } do
      assert.matches("^<133>%a%a%a [ %d]%d %d%d:%d%d:%d%d ", lines[i].raw)
      assert.equal(WHO .. want, (lines[i].raw:gsub("^.-:%d%d:%d%d ", "")))
    end
    assert.equal(1, #server.requests(1))
  end)

  it("comes from tftpd", function()
    if not need("in.tftpd") or process.uid() ~= 0 then return end
    local server <close> = servers.tftpd { root = root }
    local url = ("tftp://127.0.0.1:%d/%s.loads"):format(server.port, NEW)
    check_upgrade(url)
    local lines = sink.lines(2)
    assert.matches("Requesting upgrade " .. url:gsub("%p", "%%%0") .. "$",
      lines[1])
    assert.matches("Successful upgrade .* %-%- " .. NEW:gsub("%p", "%%%0")
      .. "$", lines[2])
  end)

  it("follows redirects and answers questions, and takes none of them",
    function()
    local body = ("image"):rep(100)
    local function answer(status, text, more)
      return ("HTTP/1.1 %s\r\nContent-Length: %d\r\n%sConnection: close\r\n"
        .. "\r\n%s"):format(status, #text, more or "", text)
    end
    local server <close> = tcp.serve {
      answer("302 Found", "elsewhere", "Location: /b.loads\r\n"),
      answer("401 Unauthorized", "who?",
        'WWW-Authenticate: Basic realm="r"\r\n'),
      answer("200 OK", body),
    }
    local url = ("http://127.0.0.1:%d"):format(server:port())
    local p = phone({ Upgrade_Rule = url .. "/a.loads" },
      { account = { user = "u", password = "p" } })
    assert.equal("done", p.consider("boot").outcome)
    assert.equal(upgrades.sha256(body), p.device.images[1].sha256)
    assert.equal(#body, p.device.images[1].size)
  end)

  it("that is cut off leaves the old load; the next begins anew", function()
    if not need("nginx") then return end
    local server <close> = servers.nginx { root = root }
    local cut <close> = tcp.serve {
      { relay = server.http_port, after = 10 * MIB },
      { relay = server.http_port, after = SIZE * 2 } }
    local p = phone { Upgrade_Rule = ("http://127.0.0.1:%d/%s.loads"):format(
      cut:port(), NEW) }
    local done = p.consider("boot")
    assert.equal("failed", done.outcome)
    assert.equal("Download failed", done.err)
    assert.equal("Connection error", done.cause)
    assert.matches("^<131>.* Upgrade failed: Download failed$",
      sink.lines(2)[2])
    assert.equal(1, p.device.aborted)
    check_old(p)
    assert.equal("done", p.consider("retry").outcome)
    assert.equal(sha256, p.device.images[1].sha256)
    assert.equal(sha256, sha256_of(folder .. "/slot-1"))
  end)

  it("from a server that is not there leaves the old load", function()
    local p = phone { Upgrade_Rule = ("http://127.0.0.1:%d/x.loads"):format(
      process.free_port("tcp")) }
    assert.equal("failed", p.consider("boot").outcome)
    assert.equal(0, p.device.aborted)
    check_old(p)
  end)

  it("that the device refuses amid it ends at once", function()
    if not need("nginx") then return end
    local server <close> = servers.nginx { root = root }
    for _, scheme in ipairs { "http", "tftp" } do
      local tftpd <close> = scheme == "tftp" and process.uid() == 0
        and servers.find("in.tftpd") and servers.tftpd { root = root } or nil
      local port = scheme == "http" and server.http_port
        or tftpd and tftpd.port
      if port then
        local p = phone { Upgrade_Rule = ("%s://127.0.0.1:%d/%s.loads"):format(
          scheme, port, NEW) }
        local taken, real = 0, p.device.image_write
        function p.device.image_write(image, bytes)
          taken = taken + #bytes
          if taken > MIB then return nil, "the flash is worn", "no-space" end
          return real(image, bytes)
        end
        local done = p.consider("boot")
        assert.equal("failed", done.outcome)
        assert.equal("the flash is worn", done.reason)
        assert.equal("Disk full", done.cause)
        assert.is_true(taken < 2 * MIB)
        check_old(p)
      end
    end
  end)

  it("of a headset is fetched when the user wants it", function()
    if not need("nginx") then return end
    local text = ("hs"):rep(5000)
    local file = assert(io.open(root .. "/560.bin", "wb"))
    file:write(text)
    file:close()
    file = assert(io.open(root .. "/h.xml", "wb"))
    file:write(('<headset-firmware><headset model="560" version="1-6-0-162" '
      .. 'file="560.bin" size="10000" sha256="%s"/></headset-firmware>')
      :format(upgrades.sha256(text)))
    file:close()
    local server <close> = servers.nginx { root = root }
    local p = phone({ Cisco_Headset_Upgrade_Rule =
      ("http://127.0.0.1:%d/h.xml"):format(server.http_port) },
      { headset = { model = "560", version = "1-5-1-10" } })
    assert.equal("prompted", p.headset("attach").outcome)
    p.device.answer("now")
    assert.equal("done", p.answer().outcome)
    assert.same({ { model = "560", version = "1-6-0-162", size = 10000 } },
      p.device.installed)
    assert.same({}, sink.lines())
  end)
end)
