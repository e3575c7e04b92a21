-- Specs that live_tftp_spec.lua runs in a network of their own, where the
-- documents' addresses exist and port 69 is free.
local encode = require "peal.encode"
local phones = require "support.phones"
local process = require "support.process"
local servers = require "support.servers"

local fails, succeeds = phones.fails, phones.succeeds
local profile, write = phones.profile, phones.write

local WHO <const> = "CP-8841-3PCC 00:0e:08:ab:cd:ef"

describe("a network with the documents' addresses", function()
  local root, server, sink

  setup(function()
    root = process.temp_dir()
    write(root .. "/basic.txt", profile { GPP_C = "basic" })
    write(root .. "/8841-3PCC.xml", profile { GPP_C = "by name" })
    server = servers.dnsmasq { address = "192.168.1.200",
      records = { ["tftp.telco.net"] = { "192.168.150.20" } },
      options = { "--listen-address=192.168.150.20", "--enable-tftp",
        "--tftp-root=" .. root } }
    sink = servers.syslog_sink { address = "192.168.1.210" }
  end)
  teardown(function()
    server:stop()
    sink.stop()
    process.remove(root)
  end)

  local function phone(o)
    o = o or {}
    o.params = o.params or {}
    o.params.Syslog_Server = "192.168.1.210:" .. sink.port
    return phones.new(o)
  end

  -- The next n messages, without their time.
  local function messages(n)
    local list = sink.lines(n)
    for i, text in ipairs(list) do
      list[i] = text:gsub("^(<%d+>)%a+ [ %d]%d %d%d:%d%d:%d%d ", "%1")
    end
    return list
  end

  it("sees the documents' two messages (L1)", function()
    local p <close> = phone()
    succeeds(p, "tftp://192.168.1.200/basic.txt")
    assert.same({
      "<133>" .. WHO
        .. " -- Requesting resync tftp://192.168.1.200:69/basic.txt",
      "<133>" .. WHO
        .. " -- Successful resync tftp://192.168.1.200:69/basic.txt",
    }, messages(2))
    assert.equal("basic", p:param("GPP_C"))
  end)

  it("sees the server down (L2)", function()
    local p <close> = phone()
    fails(p, "tftp://192.168.1.9/basic.txt", { word = "connect", class = "C",
      err = "Download failed", cause = "Connection error" })
    assert.equal("<131>" .. WHO .. " -- Resync failed: Download failed",
      messages(2)[2])
  end)

  it("sees the lines of the oldest guides, which have no port", function()
    local where = "$SCHEME://$SERVIP$PATH"
    local p <close> = phone { params = {
      Log_Request_Msg = "$PN $MAC -- Requesting resync " .. where,
      Log_Success_Msg = "$PN $MAC -- Successful resync " .. where } }
    succeeds(p, "192.168.1.200/basic.txt")
    assert.same({
      "<133>" .. WHO
        .. " -- Requesting resync tftp://192.168.1.200/basic.txt",
      "<133>" .. WHO
        .. " -- Successful resync tftp://192.168.1.200/basic.txt",
    }, messages(2))
  end)

  for _, option in ipairs { "66", "150" } do
    it("offers a server by DHCP option " .. option .. " (R12)", function()
      local p <close> = phone { dhcp = { [option] = "192.168.150.20" } }
      local r = succeeds(p)
      assert.equal("Profile_Rule", r.json.rules[1].rule)
      assert.equal("tftp://192.168.150.20/8841-3PCC.xml",
        r.json.rules[1].url)
      assert.equal("by name", p:param("GPP_C"))
      assert.equal("<133>" .. WHO .. " -- Successful resync "
        .. "tftp://192.168.150.20:69/8841-3PCC.xml", messages(2)[2])
    end)
  end

  it("offers a name, and one that is not there before it", function()
    local p <close> = phone { dhcp = {
      ["66"] = "192.168.1.9;tftp.telco.net" },
      dns = "192.168.1.200:" .. server.dns_port }
    succeeds(p)
    assert.equal("by name", p:param("GPP_C"))
    messages(2)
  end)

  it("gets all that dnsmasq serves", function()
    for _, size in ipairs { 0, 1428, 70000 } do
      local body = size == 0 and "" or profile { GPP_C = "sized" }
      body = body .. (" "):rep(size - #body)
      write(root .. "/size.xml", body)
      local p <close> = phone()
      local r = succeeds(p, "tftp://192.168.1.200/size.xml")
      assert.equal(size, r.last.bytes)
      assert.equal(size == 0 and "" or "sized", p:param("GPP_C"))
    end
    write(root .. "/k.enc", encode.aes(encode.gzip(profile {
      GPP_C = "sealed" }), "s3cret", "md5", "12345678"))
    local p <close> = phone()
    succeeds(p, "[--key s3cret] tftp://192.168.1.200/k.enc")
    assert.equal("sealed", p:param("GPP_C"))
    fails(p, "tftp://192.168.1.200/none.xml", { word = "fnf", class = "B",
      err = "File not found" })
    messages()
  end)
end)
