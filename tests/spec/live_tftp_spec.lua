-- Whole resyncs over TFTP.
-- Source: MPP provisioning guide, "TFTP provisioning", DHCP options; RFC 1350,
-- RFC 2347 to 2349.
local encode = require "peal.encode"
local phones = require "support.phones"
local process = require "support.process"
local program = require "support.program"
local servers = require "support.servers"

local fails, succeeds = phones.fails, phones.succeeds
local profile, write = phones.profile, phones.write

local function need(...)
  if not phones.need(...) then return false end
  if process.uid() ~= 0 then
    pending("tftpd needs root")
    return false
  end
  return true
end

describe("tftpd", function()
  local root, server, url, phone

  setup(function()
    if not servers.find("in.tftpd") or process.uid() ~= 0 then return end
    root = process.temp_dir()
    write(root .. "/a.xml", profile { GPP_C = "got" })
    write(root .. "/empty.xml", "")
    write(root .. "/with space.xml", profile { GPP_C = "space" })
    write(root .. "/mine.xml", profile { GPP_C = "mine" })
    process.chmod(root .. "/mine.xml", 384) -- 0600: not for everybody
    write(root .. "/key.enc", encode.aes(encode.gzip(profile {
      GPP_C = "sealed" }), "s3cret", "md5", "12345678"))
    write(root .. "/plain.gz", encode.gzip(profile { GPP_C = "zipped" }))
    write(root .. "/page.xml", "<html><body>log in</body></html>")
    server = servers.tftpd { root = root }
    url = ("tftp://127.0.0.1:%d"):format(server.port)
  end)
  teardown(function()
    if server then server:stop() end
    if root then process.remove(root) end
  end)
  before_each(function() phone = server and phones.new() end)
  after_each(function()
    if phone then phone:close() end
    phone = nil
  end)

  for path, value in pairs { ["/a.xml"] = "got", ["/plain.gz"] = "zipped",
    ["/with%20space.xml"] = "space" } do
    it("serves " .. path, function()
      if not need("in.tftpd") then return end
      local r = succeeds(phone, url .. path)
      assert.equal(value, phone:param("GPP_C"))
      assert.same({ url .. path, nil }, { r.last.url, r.last.status })
      assert.equal(url .. path, phone:explain("GPP_C").url)
    end)
  end

  it("serves an encrypted, gzipped profile", function()
    if not need("in.tftpd") then return end
    succeeds(phone, "[--key s3cret] " .. url .. "/key.enc")
    assert.equal("sealed", phone:param("GPP_C"))
  end)

  it("has no such file", function()
    if not need("in.tftpd") then return end
    fails(phone, url .. "/none.xml", { word = "fnf", class = "B",
      err = "File not found", cause = "File not found",
      says = "Resync_Fails_On_FNF" })
    local r = succeeds(phone, url .. "/none.xml",
      { set = { "Resync_Fails_On_FNF=No" } })
    assert.equal(0, #r.json.changes)
  end)

  it("has an empty file, which changes nothing", function()
    if not need("in.tftpd") then return end
    local before = program.snapshot(phone.store)
    succeeds(phone, url .. "/empty.xml")
    assert.same(before, program.snapshot(phone.store))
  end)

  it("does not give a file away", function()
    if not need("in.tftpd") then return end
    fails(phone, url .. "/mine.xml", { word = "access", class = "C",
      err = "Download failed", cause = "Access violation" })
  end)

  it("has what is no profile", function()
    if not need("in.tftpd") then return end
    fails(phone, url .. "/page.xml", { word = "corrupt", class = "B",
      cause = "corrupted file" })
    fails(phone, "[--key wrong] " .. url .. "/key.enc", { word = "corrupt",
      class = "B", cause = "corrupted file" })
    fails(phone, url .. "/key.enc", { word = "corrupt", class = "B" })
  end)

  it("is not there", function()
    if not need("in.tftpd") then return end
    local port = process.free_port("udp")
    fails(phone, ("tftp://127.0.0.1:%d/a.xml"):format(port),
      { word = "connect", class = "C", err = "Download failed",
        cause = "Connection error", says = "running" })
  end)

  it("is not asked where a rule makes no sense", function()
    if not need("in.tftpd") then return end
    for rule, pattern in pairs {
      ["[--srv] " .. url .. "/a.xml"] =
        "TFTP Scheme not supported in SRV lookups",
      ["[--post a] " .. url .. "/a.xml"] = "POST",
      ["tftp://127.0.0.1:0/a.xml"] = "[Pp]ort",
      ["tftp://127.0.0.1:99999/a.xml"] = "[Pp]ort",
      [url .. "/"] = "file name",
      [url .. "/a%00b"] = "file name",
    } do
      fails(phone, rule, { class = "C", says = pattern })
    end
  end)

  it("is asked without the credentials of the rule", function()
    if not need("in.tftpd") then return end
    local r = succeeds(phone, "[--uid u --pwd geheim] " .. url .. "/a.xml")
    assert.matches("tftp", r.json.notes[1].text)
    assert.is_nil((r.out .. r.err):find("geheim", 1, true))
  end)
end)

describe("a TFTP server", function()
  -- Answers as the test says while the program runs.
  local function serve(rule, set, answer)
    local server = process.udp()
    local p <close> = phones.new()
    local running = assert(process.spawn { program.path, "resync", "--phone",
      p.file, "--store", p.store, "--set", set,
      ("tftp://127.0.0.1:%d%s"):format(server:port(), rule) })
    local bytes, address, port = server:recv(20)
    assert.is_string(bytes)
    answer(server, bytes, address, port)
    local how, code = running:wait(20)
    server:close()
    assert.equal("exited", how)
    return code, p:param("GPP_C"), bytes, port
  end

  local function data(server, _, address, port)
    server:send(address, port, "\0\3\0\1" .. profile { GPP_C = "got" })
  end

  it("is asked from the ports of TFTP_Client_Ports", function()
    local lo = process.free_port("udp")
    local code, value, bytes, port = serve("/basic.txt",
      ("TFTP_Client_Ports=%d:%d"):format(lo, lo), data)
    assert.same({ 0, "got", lo }, { code, value, port })
    assert.equal("\0\1basic.txt\0octet\0tsize\0" .. "0\0blksize\0"
      .. "1428\0timeout\0" .. "5\0", bytes)
  end)

  it("may say that there is no such file in words of its own", function()
    local code = serve("/x", "Resync_Fails_On_FNF=No",
      function(server, _, address, port)
        server:send(address, port, "\0\5\0\1Datei fehlt\0")
      end)
    assert.equal(0, code)
  end)

  it("may say something else with such words", function()
    local code = serve("/x", "Resync_Fails_On_FNF=No",
      function(server, _, address, port)
        server:send(address, port, "\0\5\0\2File not found\0")
      end)
    assert.equal(1, code)
  end)

  it("is not mistaken for another that answers first", function()
    local stranger = process.udp()
    local code, value = serve("/x", "GPP_B=", function(server, _, address,
      port)
      server:send(address, port, "\0\6tsize\0" .. "9\0blksize\0" .. "1428\0")
      local ack = server:recv(20)
      assert.equal("\0\4\0\0", ack)
      stranger:send(address, port, "\0\3\0\1" .. profile { GPP_C = "evil" })
      assert.matches("^\0\5\0\5", (stranger:recv(20)))
      data(server, nil, address, port)
    end)
    stranger:close()
    assert.same({ 0, "got" }, { code, value })
  end)
end)

describe("a network of its own", function()
  it("has the documents' addresses and ports", function()
    if not need("dnsmasq") then return end
    if not servers.find("unshare") then
      pending("no unshare here")
      return
    end
    local interpreter, busted = arg[-1], arg[0]
    local r = program.run { "unshare", "--net", "sh", "-c",
      "ip link set lo up && for a in 192.168.1.200 192.168.1.210 192.168.1.9 "
        .. "192.168.150.20; do ip address add $a/32 dev lo; done && "
        .. 'exec "$@"', "sh", interpreter, busted, "--ignore-lua",
      "--output=plainTerminal", program.root .. "/tests/support/lan.lua" }
    if r.err:find("unshare failed", 1, true) then
      pending("no network of our own")
      return
    end
    assert.equal(0, r.code, r.out .. r.err)
    assert.matches("%d+ successes / 0 failures / 0 errors / 0 pending", r.out)
  end)
end)
