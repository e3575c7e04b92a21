-- What a resync tells the log servers, datagram by datagram.
-- Source: MPP provisioning guide, Log_Request_Msg, Log_Success_Msg,
-- Log_Failure_Msg; administration guide, Syslog_Server, Debug_Server,
-- Debug_Level, Syslog_Identifier; RFC 3164, RFC 5424.
local phones = require "support.phones"
local pki = require "support.pki"
local process = require "support.process"
local servers = require "support.servers"

local fails, succeeds = phones.fails, phones.succeeds
local need, profile, write = phones.need, phones.profile, phones.write

local WHO <const> = "CP-8841-3PCC 00:0e:08:ab:cd:ef"

describe("a log server", function()
  local root, web, url, sink, where

  setup(function()
    if not servers.find("nginx") then return end
    root = process.temp_dir()
    write(root .. "/a.xml", profile { GPP_C = "got", GPP_SC = "geh31m" })
    web = servers.nginx { root = root }
    url = ("http://127.0.0.1:%d"):format(web.http_port)
  end)
  teardown(function()
    if web then web:stop() end
    if root then process.remove(root) end
  end)
  before_each(function()
    sink = servers.syslog_sink()
    where = "127.0.0.1:" .. sink.port
  end)
  after_each(function() sink.stop() end)

  local function phone(params, o)
    o = o or {}
    o.params = { Syslog_Server = where }
    for key, value in pairs(params or {}) do o.params[key] = value end
    return phones.new(o)
  end

  -- Messages of a run: the priority, then the text behind the time. The time
  -- is that of the run, UTC.
  local function messages(n, from, of)
    local list = (of or sink).lines(n)
    local stamps = {}
    for t = from, os.time() + 1 do -- os.time() may lag behind
      stamps[os.date("!%b %e %H:%M:%S", t)] = true
    end
    for i, bytes in ipairs(list) do
      local pri, time, text = bytes:match(
        "^(<%d+>)(%a%a%a [ %d]%d %d%d:%d%d:%d%d) (.*)$")
      assert.is_true(stamps[time], bytes)
      assert.is_nil(text:find("[%c\x7f]"), bytes)
      list[i] = pri .. text
    end
    return list
  end

  local function requesting(path, ident)
    return ("<133>%s%s -- Requesting resync %s%s"):format(ident or "", WHO,
      url, path)
  end

  local function successful(path, ident)
    return ("<133>%s%s -- Successful resync %s%s"):format(ident or "", WHO,
      url, path)
  end

  it("gets a request and a result (vectors 1 and 2)", function()
    if not need("nginx") then return end
    local from = os.time()
    local p <close> = phone()
    succeeds(p, url .. "/a.xml?x=1")
    assert.same({ requesting "/a.xml?x=1", successful "/a.xml?x=1" },
      messages(2, from))
    succeeds(p, url .. "/a.xml") -- which changes nothing
    assert.same({ requesting "/a.xml", successful "/a.xml" },
      messages(2, from))
    assert.is_nil(sink.recv())
  end)

  it("gets the text of a failure (vector 3)", function()
    if not need("nginx") then return end
    local from = os.time()
    local p <close> = phone()
    fails(p, url .. "/none.xml", { word = "fnf" })
    assert.same({ requesting "/none.xml",
      "<131>" .. WHO .. " -- Resync failed: File not found" },
      messages(2, from))
    fails(p, "http://127.0.0.1:" .. process.free_port("tcp") .. "/x",
      { word = "connect" })
    assert.equal("<131>" .. WHO .. " -- Resync failed: Download failed",
      messages(2, from)[2])
    fails(p, "[--kee x] http://127.0.0.1/x", {})
    local bad = messages(1, from)
    assert.equal(1, #bad)
    assert.matches("^<131>" .. WHO:gsub("%p", "%%%0")
      .. " %-%- Resync failed: Bad rule: ", bad[1])
    succeeds(p, url .. "/none.xml", { set = { "Resync_Fails_On_FNF=No" } })
    assert.same({ requesting "/none.xml", successful "/none.xml" },
      messages(2, from))
  end)

  it("gets the cause at INFO, and not before", function()
    if not need("nginx") then return end
    local from = os.time()
    local lab = pki.shared()
    local cert = lab:server { from = os.time() - 9 * 86400,
      to = os.time() - 86400 }
    local tls <close> = servers.s_server { cert = cert.cert, key = cert.key,
      root = root }
    local rule = ("https://localhost:%d/a.xml"):format(tls.https_port)
    local p <close> = phone(nil, { trust = { ca = lab.ca.cert } })
    fails(p, rule, { word = "c.expired" })
    local quiet = messages(2, from)
    assert.equal(2, #quiet)
    assert.equal("<131>" .. WHO .. " -- Resync failed: Download failed",
      quiet[2])
    fails(p, rule, { word = "c.expired" }, { set = { "Debug_Level=INFO" } })
    local expired = {}
    for _, text in ipairs(messages(3, from)) do
      if text:find("certificate expired", 1, true) then
        expired[#expired + 1] = text
      end
    end
    assert.equal(1, #expired)
    assert.matches("^<134>", expired[1])
  end)

  for choice, ident in pairs { None = "", ["$MAC"] = "00:0e:08:ab:cd:ef ",
    ["$MA"] = "000e08abcdef ", ["$MAU"] = "000E08ABCDEF ",
    ["$SN"] = "88012BA01234 " } do
    it("sees who it is by Syslog_Identifier " .. choice .. " (vector 4)",
      function()
        if not need("nginx") then return end
        local from = os.time()
        local p <close> = phone { Syslog_Identifier = choice }
        succeeds(p, url .. "/a.xml")
        assert.same({ requesting("/a.xml", ident),
          successful("/a.xml", ident) }, messages(2, from))
      end)
  end

  it("gets other texts, and none for a blank one (L3, vectors 5 and 7)",
    function()
      if not need("nginx") then return end
      local from = os.time()
      local p <close> = phone()
      local set = { "Log_Request_Msg=$PN $MAC -- Requesting resync "
        .. "$SCHEME://$SERVIP$PATH", "Log_Success_Msg=" }
      succeeds(p, url .. "/a.xml", { set = set })
      assert.same({ "<133>" .. WHO
        .. " -- Requesting resync http://127.0.0.1/a.xml" },
        messages(1, from))
      succeeds(p, url .. "/a.xml", { set = { "Log_Request_Msg=  " } })
      assert.same({ successful "/a.xml" }, messages(1, from))
      fails(p, url .. "/none", { word = "fnf" },
        { set = { "Log_Failure_Msg=" } })
      assert.same({ requesting "/none" }, messages(1, from))
      assert.is_nil(sink.recv())
    end)

  it("takes a profile's empty elements for blank messages", function()
    if not need("nginx") then return end
    write(root .. "/quiet.xml", '<flat-profile><Log_Success_Msg/>'
      .. '<Log_Request_Msg>""</Log_Request_Msg></flat-profile>')
    local from = os.time()
    local p <close> = phone()
    succeeds(p, url .. "/quiet.xml")
    -- the request went out before
    assert.same({ requesting "/quiet.xml" }, messages(1, from))
    succeeds(p, url .. "/a.xml")
    assert.is_nil(sink.recv())
  end)

  it("gets RFC 5424 (vector 6), and RFC 3164", function()
    if not need("nginx") then return end
    local p <close> = phone { Syslog_Format = "rfc5424" }
    succeeds(p, url .. "/a.xml")
    local l = sink.lines(2)
    local stamp = "%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ"
    for i, id in ipairs { "RESYNC-REQ", "RESYNC-OK" } do
      local text = l[i]:match("^<133>1 " .. stamp
        .. " 192%.168%.1%.100 peal %- " .. id:gsub("%-", "%%-") .. " %- (.*)$")
      assert.is_string(text, l[i])
      assert.equal(1, (text:find(WHO .. " -- ", 1, true)))
    end
    succeeds(p, url .. "/a.xml", { set = { "Syslog_Format=rfc3164",
      "Syslog_Identifier=$SN" } })
    assert.matches("^<133>%a+ [ %d]%d %d%d:%d%d:%d%d 88012BA01234 peal: "
      .. "CP%-8841", sink.lines(2)[2])
  end)

  it("shares its messages with the debug server (vector 9)", function()
    if not need("nginx") then return end
    local debug <close> = servers.syslog_sink()
    local from = os.time()
    local p <close> = phone { Debug_Server = "127.0.0.1:" .. debug.port }
    succeeds(p, url .. "/a.xml")
    local want = { requesting "/a.xml", successful "/a.xml" }
    assert.same(want, messages(2, from))
    assert.same(want, messages(2, from, debug))
    -- debug lines go to one of them
    succeeds(p, url .. "/a.xml", { set = { "Debug_Level=DEBUG" } })
    assert.same(want, messages(2, from))
    local all = table.concat(messages(4, from, debug), "\n")
    assert.matches("<135>[^\n]*GET " .. url, all)
    assert.matches("<135>[^\n]*200", all)
    -- the same server twice is one
    succeeds(p, url .. "/a.xml", { set = { "Debug_Server=" .. where } })
    assert.same(want, messages(2, from))
    assert.is_nil(sink.recv())
  end)

  it("is told no secret at any level (L4)", function()
    if not need("nginx") then return end
    for _, level in ipairs { "NOTICE", "INFO", "DEBUG" } do
      local p <close> = phone({ Debug_Level = level, GPP_SA = "s3cret",
        Log_Request_Msg = "$PN $SA ${SA} $(SA:0:3) Requesting" })
      fails(p, "[--key s3cret] " .. url .. "/a.xml", { word = "corrupt" })
      fails(p, "[--key $SA --uid joe --pwd s3cret] " .. url .. "/a.xml",
        { word = "corrupt" })
      succeeds(p, ("http://s3cret:s3cret@127.0.0.1:%d/a.xml"):format(
        web.http_port))
      fails(p, "[--key s3cret --kee x] " .. url .. "/a.xml", {})
      local all = table.concat(sink.lines(7), "\n")
      assert.is_nil(all:find("s3c", 1, true), all)
      assert.is_nil(all:find("geh31m", 1, true), all)
    end
  end)

  it("is looked up by name", function()
    if not need("nginx", "dnsmasq") then return end
    local dns <close> = servers.dnsmasq { records = {
      ["log.telco.net"] = { "127.0.0.1" } } }
    local p <close> = phone({ Syslog_Server = "log.telco.net:" .. sink.port },
      { dns = "127.0.0.1:" .. dns.dns_port })
    succeeds(p, url .. "/a.xml")
    assert.equal(2, #sink.lines(2))
    -- once, not for each message
    local asked = 0
    for _, query in ipairs(dns.queries(1)) do
      if query.type == "A" then asked = asked + 1 end
    end
    assert.equal(1, asked)
  end)

  it("that cannot be reached hurts nobody", function()
    if not need("nginx", "dnsmasq") then return end
    local dns <close> = servers.dnsmasq { records = {} }
    for _, value in ipairs { "127.0.0.1:" .. process.free_port("udp"),
      "nosuch.telco.net", "192.0.2.1" } do
      local p <close> = phone({}, { dns = "127.0.0.1:" .. dns.dns_port })
      local r = succeeds(p, url .. "/a.xml",
        { set = { "Debug_Server=" .. value } })
      assert.equal("", r.err)
      assert.equal(2, #sink.lines(2))
    end
  end)

  it("hears of each download of a run, in order", function()
    if not need("nginx") then return end
    write(root .. "/moved.xml", profile { GPP_D = "d" })
    local from = os.time()
    local p <close> = phone { Profile_Rule = url .. "/a.xml",
      Profile_Rule_B = "($PRVST eq 9)? " .. url .. "/never.xml",
      Profile_Rule_C = '(d="1";)!', Profile_Rule_D = url .. "/none.xml" }
    local r = p:resync()
    assert.equal(1, r.code)
    assert.same({ requesting "/a.xml", successful "/a.xml",
      requesting "/none.xml",
      "<131>" .. WHO .. " -- Resync failed: File not found" },
      messages(4, from))
    assert.is_nil(sink.recv())
  end)

  it("may be rsyslog", function()
    if not need("nginx", "rsyslogd") then return end
    local server <close> = servers.rsyslog {}
    local p <close> = phone { Syslog_Server = "127.0.0.1:" .. server.port,
      Syslog_Format = "rfc5424" }
    succeeds(p, url .. "/a.xml")
    local l = server.lines(2)
    assert.same({ 133, "192.168.1.100", "peal", "RESYNC-REQ",
      WHO .. " -- Requesting resync " .. url .. "/a.xml" }, { l[1].pri,
      l[1].host, l[1].app, l[1].msgid, l[1].msg })
    assert.equal("RESYNC-OK", l[2].msgid)
    fails(p, url .. "/none.xml", { word = "fnf" },
      { set = { "Syslog_Format=rfc3164" } })
    l = server.lines(4)
    assert.same({ 131, "192.168.1.100", "peal:",
      " " .. WHO .. " -- Resync failed: File not found" }, { l[4].pri,
      l[4].host, l[4].tag, l[4].msg })
    fails(p, url .. "/none.xml", { word = "fnf" },
      { set = { "Syslog_Format=cisco" } })
    l = server.lines(6)
    assert.matches("^<131>%a+ .* " .. WHO:gsub("%p", "%%%0")
      .. " %-%- Resync failed: File not found$", l[6].raw)
  end)
end)
