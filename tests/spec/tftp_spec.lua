local loop = require "peal.loop"
local process = require "support.process"
local servers = require "support.servers"
local tftp = require "peal.tftp"
local daemon = require "support.servers.daemon"

-- One transfer to its end.
local function run(request)
  local l = loop.new()
  local got
  local h, sentence, word = tftp.start(l, request, function(...)
    assert(got == nil, "called twice")
    got = table.pack(...)
  end)
  if not h then return nil, sentence, word end
  l:run()
  return table.unpack(got, 1, got.n)
end

local function need(name)
  local path, reason = servers.find(name)
  if not path then pending(reason) end
  if process.uid() ~= 0 then pending(name .. " needs root") end
end

local function octets(n)
  local part = {}
  for i = 0, 255 do part[#part + 1] = string.char(i * 7 % 256) end
  local block = table.concat(part)
  return block:rep(n // 256) .. block:sub(1, n % 256)
end

describe("tftp.name", function()
  for _, row in ipairs {
    { "/basic.txt", "basic.txt" },
    { "//abs/f", "/abs/f" },
    { "/a%20b", "a b" },
    { "/cisco/config/CP-8841-3PCC.cfg", "cisco/config/CP-8841-3PCC.cfg" },
    { "/f?x=1", "f?x=1" },
    { "/%2541", "%41" },
  } do
    it("reads " .. row[1], function()
      assert.equal(row[2], tftp.name(row[1]))
    end)
  end
  for _, path in ipairs { "", "/", "/a%00b", "/a\0b", "/%4", "/%zz" } do
    it(("refuses %q"):format(path), function()
      local name, sentence, word = tftp.name(path)
      assert.is_nil(name)
      assert.is_string(sentence)
      assert.equal("badop", word)
    end)
  end
end)

describe("tftp.start", function()
  it("raises for what a programmer gets wrong", function()
    local l = loop.new()
    local function fn() end
    for _, request in ipairs {
      {}, { address = "127.0.0.1" }, { name = "f" },
      { address = "127.0.0.1", name = "f", port = 70000 },
      { address = "127.0.0.1", name = "f", wait = -1 },
      { address = "127.0.0.1", name = "f", wait = "1" },
      { address = "127.0.0.1", name = "a\0b" },
      { address = "127.0.0.1", name = "f", color = "blue" },
      { address = "127.0.0.1", name = "f", sink = "file" },
    } do
      assert.has_error(function() tftp.start(l, request, fn) end)
    end
    assert.has_error(function()
      tftp.start(l, { address = "127.0.0.1", name = "f" })
    end)
  end)

  it("names what cannot be started", function()
    for request, word in pairs {
      [{ address = "tftp.telco.net", name = "f" }] = "invalid",
      [{ address = "127.0.0.1", name = "" }] = "badop",
      [{ address = "127.0.0.1", name = ("x"):rep(2000) }] = "badop",
      [{ address = "127.0.0.1", name = "f", blksize = 7 }] = "invalid",
      [{ address = "127.0.0.1", name = "f", port_lo = 9, port_hi = 8 }]
      = "invalid",
    } do
      local ok, sentence, got = run(request)
      assert.is_nil(ok)
      assert.is_string(sentence)
      assert.equal(word, got)
    end
  end)

  -- One that sends a file of two blocks to whom asks.
  local function serve_blocks()
    return process.udp(), "\0\3\0\1" .. ("x"):rep(512), "\0\3\0\2end"
  end

  local function run_sink(sink)
    local server, first, second = serve_blocks()
    local l = loop.new()
    local got
    tftp.start(l, { address = "127.0.0.1", port = server:port(), name = "f",
      sink = sink }, function(...) got = table.pack(...) end)
    local seen = {}
    repeat
      l:timer(0.001, function() end)
      l:run(true)
      local bytes, address, port = server:recv()
      if bytes then
        seen[#seen + 1] = bytes
        if bytes:sub(2, 2) == "\1" then server:send(address, port, first) end
        if bytes == "\0\4\0\1" then server:send(address, port, second) end
      end
    until got
    local last = server:recv()
    server:close()
    return got, last or seen[#seen]
  end

  it("hands a file to a sink, block by block", function()
    local pieces = {}
    local got = run_sink(function(bytes)
      pieces[#pieces + 1] = #bytes
      return true
    end)
    assert.same({ 512, 3 }, pieces)
    assert.equal(515, got[1].bytes)
    assert.equal("", got[1].body)
  end)

  it("ends with what a sink says", function()
    local got, last = run_sink(function()
      return nil, "wrong model", "bad-image"
    end)
    assert.is_nil(got[1])
    assert.equal("wrong model", got[2])
    assert.equal("bad-image", got[3])
    assert.equal("\0\5", last:sub(1, 2))
    got = run_sink(function() error("broken", 0) end)
    assert.equal("broken", got[2])
    assert.equal("internal", got[3])
  end)

  it("tells about a silent server", function()
    local silent = process.udp()
    local ok, sentence, word, r = run { address = "127.0.0.1",
      port = silent:port(), name = "f.xml", wait = 0.003 }
    assert.is_nil(ok)
    assert.equal("no answer in time", sentence)
    assert.equal("timeout", word)
    assert.equal(6, r.sent)
    assert.equal(0, r.received)
    local seen = {}
    repeat
      local bytes = silent:recv()
      seen[#seen + 1] = bytes
    until not bytes
    assert.equal(6, #seen)
    for _, bytes in ipairs(seen) do
      assert.equal("\0\1f.xml\0octet\0tsize\0" .. "0\0blksize\0" .. "1428\0"
        .. "timeout\0" .. "1\0", bytes)
    end
    silent:close()
  end)

  it("tells at once when nobody listens", function()
    local closed = process.udp()
    local port = closed:port()
    closed:close()
    local ok, _, word, r = run { address = "127.0.0.1", port = port,
      name = "f", wait = 600 }
    assert.is_nil(ok)
    assert.equal("connect", word)
    assert.equal(1, r.sent)
  end)

  it("ends a canceled transfer once", function()
    local l = loop.new()
    local silent = process.udp()
    local got = {}
    local h = tftp.start(l, { address = "127.0.0.1", port = silent:port(),
      name = "f" }, function(...) got[#got + 1] = { ... } end)
    assert.equal("peal.tftp (under way)", tostring(h))
    l:timer(0.001, function()
      h:cancel()
      h:cancel()
    end)
    l:run()
    assert.equal(1, #got)
    assert.equal("canceled", got[1][3])
    assert.equal("peal.tftp (over)", tostring(h))
    h:cancel()
    silent:close()
  end)

  it("survives the end of its interpreter", function()
    local script = os.tmpname()
    daemon.write(script, [[
      local l = require("peal.loop").new()
      local tftp = require "peal.tftp"
      local silent = require("support.process").udp()
      local q = { address = "127.0.0.1", port = silent:port(), name = "f" }
      tftp.start(l, q, function() error("called") end) -- never ran
      local h = tftp.start(l, q, function() error("called") end)
      l:timer(0.001, function() l:stop() end)
      l:run()
      h:cancel()
      assert(tftp.start(l, q, function() error("called") end))
    ]])
    local output = os.tmpname()
    local p = assert(process.spawn({ arg[-1], script }, { stdout = output,
      stderr = output }))
    assert.same({ "exited", 0 }, { p:wait(30) })
    assert.equal("", daemon.read(output))
    os.remove(script)
    os.remove(output)
  end)

  it("raises from run() what fn raised", function()
    local l = loop.new()
    local closed = process.udp()
    tftp.start(l, { address = "127.0.0.1", port = closed:port(), name = "f",
      wait = 0.001, sendings = 1 }, function() error("mine") end)
    assert.error_matches(function() l:run() end, "mine")
    closed:close()
  end)
end)

describe("tftp and tftpd-hpa", function()
  local root, server

  lazy_setup(function()
    if not servers.find("in.tftpd") or process.uid() ~= 0 then return end
    root = process.temp_dir()
    server = servers.tftpd { root = root, upload = true }
  end)
  lazy_teardown(function()
    if server then
      server:stop()
      process.remove(root)
    end
  end)

  local function request(name, more)
    local q = { address = "127.0.0.1", port = server.port, name = name }
    for key, value in pairs(more or {}) do q[key] = value end
    return q
  end

  for _, size in ipairs { 0, 1, 511, 512, 513, 1427, 1428, 1429, 14280,
    300000 } do
    it(("read and write %d octets"):format(size), function()
      need("in.tftpd")
      local bytes = octets(size)
      daemon.write(root .. "/down", bytes)
      for _, more in ipairs { {}, { no_options = true }, { blksize = 8192 } }
      do
        local r = assert(run(request("down", more)))
        assert.is_true(r.body == bytes)
        assert.equal(more.no_options and 512 or more.blksize or 1428,
          r.blksize)
        more.body = bytes
        r = assert(run(request("up", more)))
        assert.equal("", r.body)
        assert.is_true(daemon.read(root .. "/up") == bytes)
      end
    end)
  end

  it("agree after 65,535 blocks", function()
    need("in.tftpd")
    local bytes = octets(40 << 20)
    daemon.write(root .. "/big", bytes)
    local r = assert(run(request("big", { max = 40 << 20, blksize = 512 })))
    assert.is_true(r.body == bytes)
    assert.equal(512, r.blksize)
    assert.is_true(r.received > 81920)
    process.remove(root .. "/big")
  end)

  it("stop at the maximum", function()
    need("in.tftpd")
    daemon.write(root .. "/large", octets(5001))
    for _, plain in ipairs { false, true } do
      local ok, sentence, word = run(request("large", { max = 5000,
        no_options = plain }))
      assert.is_nil(ok)
      assert.equal("file too large", sentence)
      assert.equal("toobig", word)
    end
  end)

  it("say that a file is missing", function()
    need("in.tftpd")
    local ok, sentence, word, r = run(request("none.xml"))
    assert.is_nil(ok)
    assert.equal("fnf", word)
    assert.equal("File not found (TFTP error 1)", sentence)
    assert.equal(1, r.error_code)
    assert.equal("File not found", r.error_text)
    assert.equal("", r.body)
  end)

  it("say that access is refused", function()
    need("in.tftpd")
    daemon.write(root .. "/secret", "x")
    process.chmod(root .. "/secret", 0)
    local ok, _, word = run(request("secret"))
    assert.is_nil(ok)
    assert.equal("access", word)
  end)

  it("agree over IPv6", function()
    need("in.tftpd")
    daemon.write(root .. "/six", "six")
    local s <close> = servers.tftpd { root = root, address = "::1" }
    local r = assert(run { address = "::1", port = s.port, name = "six" })
    assert.equal("six", r.body)
    assert.equal("::1", r.peer)
  end)

  it("serve a hundred phones at once", function()
    need("in.tftpd")
    local bytes = octets(20000)
    daemon.write(root .. "/many", bytes)
    local l = loop.new()
    local good = 0
    for _ = 1, 100 do
      tftp.start(l, request("many"), function(r)
        if r and r.body == bytes then good = good + 1 end
      end)
    end
    l:run()
    assert.equal(100, good)
  end)
end)

describe("tftp and dnsmasq", function()
  -- dnsmasq serves on port 69 only: in a network of its own.
  it("agree on a file", function()
    need("dnsmasq")
    if not servers.find("unshare") then pending("no unshare here") end
    local folder = process.temp_dir()
    local p = assert(process.spawn({ "unshare", "--net", "sh", "-c",
      'ip link set lo up && exec "$@"', "sh", arg[-1],
      "tests/support/dnsmasq_tftp.lua", folder },
      { stdout = folder .. "/out", stderr = folder .. "/err" }))
    local how, code = p:wait(60)
    local out = daemon.read(folder .. "/out")
    local err = daemon.read(folder .. "/err")
    process.remove(folder)
    if err:find("unshare failed") then pending("no network of our own") end
    assert.equal("", err)
    assert.same({ "exited", 0 }, { how, code })
    assert.equal("all well\n", out)
  end)
end)
