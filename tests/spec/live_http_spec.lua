-- Whole resyncs over HTTP: the program and real servers.
-- Source: MPP provisioning guide, HTTP table, "HTTP provisioning".
local phones = require "support.phones"
local process = require "support.process"
local program = require "support.program"
local servers = require "support.servers"
local tcp = require "support.tcp"

local fails, succeeds = phones.fails, phones.succeeds
local need, profile, write = phones.need, phones.profile, phones.write

local AGENT <const> = "Cisco-CP-8841-3PCC/11.3.1 (000e08abcdef)"

local function answer(body, more)
  return ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s"):format(#body,
    more or "", body)
end

-- Request line and header lines by name; the names in order.
local function parse(request)
  local head, body = request:match("^(.-)\r\n\r\n(.*)$")
  local out = { names = {}, body = body }
  for line in (head .. "\r\n"):gmatch("(.-)\r\n") do
    local name, value = line:match("^([%w-]+): (.*)$")
    if name then
      out[name:lower()] = value
      out.names[#out.names + 1] = name
    else
      out.line = line
    end
  end
  table.sort(out.names)
  return out
end

describe("the request", function()
  local server, phone, url

  before_each(function()
    server = tcp.serve { answer(profile { GPP_C = "got" }) }
    url = ("http://127.0.0.1:%d"):format(server:port())
    phone = phones.new { params = { GPP_B = 'id=$MA&x="1"\u{e9}' } }
  end)
  after_each(function()
    phone:close()
    server:close()
  end)

  it("has the documented headers and no others", function()
    succeeds(phone, url .. "/8841-3PCC.xml")
    local got = parse(server:request(5))
    assert.equal("GET /8841-3PCC.xml HTTP/1.1", got.line)
    assert.same({ "Accept", "Accept-Charset", "Accept-Encoding",
      "Accept-Language", "Host", "User-Agent" }, got.names)
    assert.same({ "127.0.0.1:" .. server:port(), AGENT, "*/*",
      "deflate, gzip", "en", "iso-8859-1" }, { got.host, got["user-agent"],
      got.accept, got["accept-encoding"], got["accept-language"],
      got["accept-charset"] })
    assert.equal("got", phone:param("GPP_C"))
  end)

  it("names another user agent, or none", function()
    succeeds(phone, url .. "/x", { set = { "HTTP_User_Agent_Name=$PN $SN" } })
    assert.equal("CP-8841-3PCC 88012BA01234",
      parse(server:request(5))["user-agent"])
    succeeds(phone, url .. "/x", { set = { "HTTP_User_Agent_Name=" } })
    assert.same({ "Accept", "Accept-Charset", "Accept-Encoding",
      "Accept-Language", "Host" }, parse(server:request(5)).names)
  end)

  for path, wire in pairs {
    ["/cgi-bin/reflect.pl?"] = "/cgi-bin/reflect.pl?",
    ["/cfg?mac=$MA&m=$PN"] = "/cfg?mac=000e08abcdef&m=CP-8841-3PCC",
    ["/a/../b/./c"] = "/a/../b/./c",
    ["/a%20b%2Fc"] = "/a%20b%2Fc",
    ["/caf\u{e9}"] = "/caf%C3%A9",
    ["//x"] = "//x",
    ["/?"] = "/?",
    ["/a?b?c"] = "/a?b?c",
  } do
    it("keeps " .. path .. " on the wire", function()
      succeeds(phone, url .. path)
      assert.equal("GET " .. wire .. " HTTP/1.1",
        parse(server:request(5)).line)
    end)
  end

  for option, method in pairs { ["--post b"] = "POST", ["--put b"] = "PUT" } do
    it("carries a general purpose parameter by " .. option, function()
      succeeds(phone, ("[%s] %s/lost-reg?"):format(option, url))
      local got = parse(server:request(5))
      assert.equal(method .. " /lost-reg? HTTP/1.1", got.line)
      assert.equal('id=000e08abcdef&x="1"\u{e9}', got.body)
      assert.equal("text/plain; charset=utf-8", got["content-type"])
      assert.equal(tostring(#got.body), got["content-length"])
      assert.same({ "Accept", "Accept-Charset", "Accept-Encoding",
        "Accept-Language", "Content-Length", "Content-Type", "Host",
        "User-Agent" }, got.names)
    end)
  end

  it("does not go where the environment names a proxy", function()
    local proxy = "http://127.0.0.1:" .. process.free_port("tcp")
    local env = {}
    for _, name in ipairs { "http_proxy", "HTTP_PROXY", "https_proxy",
      "all_proxy", "ALL_PROXY" } do
      env[name] = proxy
    end
    succeeds(phone, url .. "/x", { env = env })
    assert.equal("GET /x HTTP/1.1", parse(server:request(5)).line)
  end)
end)

describe("nginx", function()
  local root, other, server, url, other_url, phone
  local PROFILE <const> = profile { GPP_C = "got", GPP_B = "2" }

  local LOCATIONS <const> = [[
    location /moved/ { return 301 /a.xml; }
    location /found/ { return 302 $scheme://$http_host/a.xml; }
    location /relative/ { return 302 a.xml; }
    location = /relative/a.xml { try_files /a.xml =404; }
    location /hop/ { rewrite ^/hop/([0-9])[0-9]*([0-9])$ /hop/$2; }
    location /loop { return 302 /loop; }
    location /other { return 302 %s/a.xml; }
    location /chain/5 { return 301 /chain/4; }
    location /chain/4 { return 302 /chain/3; }
    location /chain/3 { return 301 /chain/2; }
    location /chain/2 { return 302 /chain/1; }
    location /chain/1 { return 301 /a.xml; }
    location /status/200 { return 200 ""; }
    location /file { return 302 file:///etc/passwd; }
    location /tftp { return 302 tftp://127.0.0.1/a.xml; }
    location /credentials { return 302 http://u:pw@$http_host/a.xml; }
    absolute_redirect off;
]]
  local CODES <const> = { 201, 202, 203, 204, 205, 206, 300, 303, 304, 307,
    308, 400, 401, 403, 404, 410, 418, 500, 501, 502, 503, 504, 599 }

  -- Requests of the last resync alone.
  local seen = 0
  local function uris(n)
    local list, out = server.requests(seen + n), {}
    for i = seen + 1, #list do out[#out + 1] = list[i].uri end
    seen = #list
    return out
  end

  setup(function()
    if not servers.find("nginx") then return end
    root = process.temp_dir()
    write(root .. "/a.xml", PROFILE)
    write(root .. "/empty.xml", "")
    other = servers.nginx { root = root, address = "127.0.0.2" }
    other_url = ("http://127.0.0.2:%d"):format(other.http_port)
    local locations = { LOCATIONS:format(other_url) }
    for _, code in ipairs(CODES) do
      locations[#locations + 1] =
        ("location /code/%d { return %d; }\n"):format(code, code)
    end
    locations[#locations + 1] = [[
      location /gz/ { alias ]] .. root .. [[/; gzip on; gzip_types text/xml;
        gzip_min_length 1; }
    ]]
    server = servers.nginx { root = root,
      locations = table.concat(locations) }
    url = ("http://127.0.0.1:%d"):format(server.http_port)
    seen = 0
  end)
  teardown(function()
    if other then other:stop() end
    if server then server:stop() end
    if root then process.remove(root) end
  end)
  before_each(function() phone = server and phones.new() end)
  after_each(function()
    if phone then phone:close() end
    phone = nil
  end)

  it("serves a profile", function()
    if not need("nginx") then return end
    local r = succeeds(phone, url .. "/a.xml")
    assert.same({ 200, 2, "got" }, { r.last.status, r.last.changes,
      phone:param("GPP_C") })
    local entry = server.requests(seen + 1)[seen + 1]
    assert.same({ AGENT, "HTTP/1.1", 200 }, { entry.user_agent,
      entry.protocol, entry.status })
    seen = seen + 1
  end)

  it("gzips as it sends, in chunks (H7)", function()
    if not need("nginx") then return end
    local r = succeeds(phone, url .. "/gz/a.xml")
    assert.equal("got", phone:param("GPP_C"))
    assert.is_true(r.last.bytes ~= #PROFILE)
    seen = #server.requests(seen + 1)
  end)

  for path, want in pairs {
    ["/moved/x"] = { "/moved/x", "/a.xml" }, -- H1
    ["/found/x"] = { "/found/x", "/a.xml" },
    ["/relative/x"] = { "/relative/x", "/relative/a.xml" },
    ["/chain/5"] = { "/chain/5", "/chain/4", "/chain/3", "/chain/2",
      "/chain/1", "/a.xml" },
  } do
    it("redirects " .. path, function()
      if not need("nginx") then return end
      succeeds(phone, url .. path)
      assert.same(want, uris(#want))
      assert.equal("got", phone:param("GPP_C"))
      assert.matches(path .. "$", phone:explain("GPP_C").url)
    end)
  end

  it("redirects for ever: six requests (H10)", function()
    if not need("nginx") then return end
    fails(phone, url .. "/loop", { word = "bad-response", class = "C",
      says = "redirects" })
    assert.same({ "/loop", "/loop", "/loop", "/loop", "/loop", "/loop" },
      uris(6))
  end)

  it("keeps credentials from the server that a redirect names", function()
    if not need("nginx") then return end
    local before = #other.requests()
    succeeds(phone, "[--uid u --pwd pw] " .. url .. "/other")
    local got = other.requests(before + 1)[before + 1]
    assert.equal("/a.xml", got.uri)
    assert.is_nil(got.headers.authorization)
    assert.equal("127.0.0.2:" .. other.http_port, got.headers.host)
    assert.same({ "/other" }, uris(1))
  end)

  for path, pattern in pairs { ["/file"] = "[Ss]cheme", ["/tftp"] = "tftp",
    ["/credentials"] = "[Cc]redentials" } do
    it("redirects " .. path .. " to no avail", function()
      if not need("nginx") then return end
      fails(phone, url .. path, { word = "bad-response", class = "C",
        says = pattern })
      assert.same({ path }, uris(1))
    end)
  end

  local success = { [201] = true, [202] = true, [203] = true, [204] = true }
  local texts = { [403] = "Access violation", [404] = "File not found",
    [500] = "internal server error", [501] = "Not Implemented",
    [502] = "Bad Gateway", [503] = "Service Unavailable" }
  for _, code in ipairs(CODES) do
    it(("answers %d"):format(code), function()
      if not need("nginx") then return end
      local path = ("/code/%d"):format(code)
      if success[code] and code ~= 204 then
        -- nginx adds a page of its own or nothing
        local before = program.snapshot(phone.store)
        local r = phone:resync(url .. path)
        assert.same(before, program.snapshot(phone.store))
        assert.equal(code, r.last.status)
      elseif success[code] then
        local r = succeeds(phone, url .. path)
        assert.equal(0, #r.json.changes)
      else
        fails(phone, url .. path, { class = code == 404 and "B" or "C",
          status = code,
          err = code == 404 and "File not found"
            or ("Download failed (HTTP %d)"):format(code),
          cause = texts[code] or ("Unknown, error code(%d)"):format(code),
          says = code == 401 and "account" or tostring(code) })
      end
      assert.same({ path }, uris(1))
    end)
  end

  it("answers 404, which Resync_Fails_On_FNF lets pass (H5)", function()
    if not need("nginx") then return end
    fails(phone, url .. "/none.xml", { word = "fnf", class = "B",
      err = "File not found" })
    succeeds(phone, url .. "/none.xml", { set = { "Resync_Fails_On_FNF=No" } })
    uris(2)
  end)

  it("has an empty file, which changes nothing", function()
    if not need("nginx") then return end
    local before = program.snapshot(phone.store)
    local r = succeeds(phone, url .. "/empty.xml")
    assert.same({ 200, 0 }, { r.last.status, r.last.changes })
    assert.same(before, program.snapshot(phone.store))
    uris(1)
  end)

  it("is looked for at the second address where the first refuses",
    function()
      if not need("nginx", "dnsmasq") then return end
      local dns <close> = servers.dnsmasq { records = {
        ["pv.telco.net"] = { "127.0.0.3", "127.0.0.1" } } }
      local sink <close> = servers.syslog_sink()
      local p <close> = phones.new { dns = "127.0.0.1:" .. dns.dns_port,
        params = { Syslog_Server = "127.0.0.1:" .. sink.port } }
      succeeds(p, ("http://pv.telco.net:%d/a.xml"):format(server.http_port))
      local entry = server.requests(seen + 1)[seen + 1]
      assert.equal("pv.telco.net:" .. server.http_port, entry.headers.host)
      local last = sink.lines(2)[2]
      assert.matches(" %-%- Successful resync http://127%.0%.0%.1:"
        .. server.http_port .. "/a%.xml$", last)
      seen = seen + 1
    end)

  it("is found by its SRV record, the next where the first refuses",
    function()
      if not need("nginx", "dnsmasq") then return end
      local closed = process.free_port("tcp")
      local dns <close> = servers.dnsmasq {
        records = { ["a.telco.net"] = { "127.0.0.1" },
          ["b.telco.net"] = { "127.0.0.1" } },
        srv = { ["_ciscoprov-http._tcp.telco.net"] = {
          { target = "b.telco.net", port = server.http_port, priority = 10,
            weight = 7 },
          { target = "a.telco.net", port = closed, priority = 10,
            weight = 5 } } },
      }
      local sink <close> = servers.syslog_sink()
      local p <close> = phones.new { dns = "127.0.0.1:" .. dns.dns_port,
        params = { Syslog_Server = "127.0.0.1:" .. sink.port } }
      succeeds(p, "[--srv] http://telco.net:9/a.xml")
      assert.same({ "/a.xml" }, uris(1))
      local l = sink.lines(2)
      assert.matches("Requesting resync http://127.0.0.1:" .. closed
        .. "/a.xml$", l[1])
      assert.matches("Successful resync http://127.0.0.1:"
        .. server.http_port .. "/a.xml$", l[2])
      local asked = {}
      for _, query in ipairs(dns.queries(2)) do
        asked[#asked + 1] = query.type .. " " .. query.name
      end
      assert.equal("SRV _ciscoprov-http._tcp.telco.net", asked[1])
      fails(p, "[--srv] http://nosuch.net/a.xml", { word = "dns", class = "C",
        err = "Download failed", cause = "Dns query failed" })
    end)
end)

describe("a server that is busy", function()
  it("is asked again with each resync, and answers the third (H6)",
    function()
      local busy = "HTTP/1.1 503 Busy\r\nRetry-After: 1\r\n"
        .. "Content-Length: 0\r\n\r\n"
      local server <close> = tcp.serve { busy, busy,
        answer(profile { GPP_C = "got" }) }
      local url = ("http://127.0.0.1:%d/x"):format(server:port())
      local p <close> = phones.new()
      for _ = 1, 2 do
        fails(p, url, { status = 503, class = "C",
          err = "Download failed (HTTP 503)", cause = "Service Unavailable",
          says = "503" })
      end
      succeeds(p, url)
      assert.equal("got", p:param("GPP_C"))
      for _ = 1, 3 do assert.is_string(server:request(5)) end
      assert.is_nil(server:request(0))
    end)
end)

describe("a server that is not there", function()
  it("is named, with what to look at", function()
    local p <close> = phones.new()
    local port = process.free_port("tcp")
    fails(p, ("http://127.0.0.1:%d/x"):format(port), { word = "connect",
      class = "C", err = "Download failed", cause = "Connection error",
      says = { "127%.0%.0%.1 port " .. port, "refused", "running" } })
  end)

  it("is not known to the name server", function()
    if not need("dnsmasq") then return end
    local dns <close> = servers.dnsmasq { records = {} }
    local p <close> = phones.new { dns = "127.0.0.1:" .. dns.dns_port }
    fails(p, "http://nosuch.telco.net/x", { word = "dns", class = "C",
      err = "Download failed", cause = "Dns query failed",
      says = { "nosuch%.telco%.net", "dns" } })
  end)

  it("is refused outside of Restricted_Access_Domains", function()
    local server <close> = tcp.serve { answer(profile { GPP_C = "got" }) }
    local p <close> = phones.new()
    local url = ("http://127.0.0.1:%d/x"):format(server:port())
    fails(p, url, { word = "access", err = "Download failed",
      cause = "Access violation" },
      { set = { "Restricted_Access_Domains=telco.net" } })
    assert.is_nil(server:request(0))
  end)
end)
