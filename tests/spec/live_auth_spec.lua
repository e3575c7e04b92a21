-- Whole resyncs from servers and proxies that ask who is there.
-- Source: MPP provisioning guide, HTTP table, --uid and --pwd,
-- Profile_Authentication_Type, Proxy_*; RFC 7616, RFC 7617.
local daemon = require "support.servers.daemon"
local phones = require "support.phones"
local pki = require "support.pki"
local process = require "support.process"
local program = require "support.program"
local servers = require "support.servers"
local tcp = require "support.tcp"

local fails, succeeds = phones.fails, phones.succeeds
local need, profile, write = phones.need, phones.profile, phones.write

local USER <const> = "prov"
local PASSWORD <const> = 'pa:ss "w\u{f6}rd" \\1'
local REFUSED <const> = { word = "access", class = "C", status = 401,
  err = "Authentication failed", cause = "Access violation",
  says = { "refused", "%-%-uid" } }
local UNASKED <const> = { class = "C", status = 401,
  err = "Download failed (HTTP 401)", cause = "Unknown, error code(401)",
  says = { "there are none", "account" } }

-- Requests since the last call.
local function watch(server)
  local seen = 0
  return function(n)
    local list = server.requests(seen + n)
    local new = table.move(list, seen + 1, #list, 1, {})
    seen = #list
    return new
  end
end

local function statuses(list)
  local out = {}
  for i, entry in ipairs(list) do out[i] = entry.status end
  return out
end

describe("credentials", function()
  local root, server, url, phone, new
  local scheme = { basic = "^Basic ", digest = "^Digest " }

  setup(function()
    if not servers.find("apache2") then return end
    root = process.temp_dir()
    for _, name in ipairs { "basic", "digest", "open" } do
      process.mkdir(root .. "/" .. name)
      write(root .. "/" .. name .. "/a.xml", profile { GPP_C = name })
    end
    server = servers.apache { root = root,
      basic = { user = USER, password = PASSWORD, location = "/basic" },
      digest = { realm = "lab", user = USER, password = PASSWORD,
        location = "/digest" } }
    url = ("http://127.0.0.1:%d"):format(server.http_port)
    new = watch(server)
  end)
  teardown(function()
    if server then server:stop() end
    if root then process.remove(root) end
  end)
  before_each(function()
    phone = server and phones.new { params = { GPP_SA = USER,
      GPP_SB = PASSWORD } }
    if new then new(0) end -- a failed test's leavings
  end)
  after_each(function()
    if phone then phone:close() end
    phone = nil
  end)

  for kind, pattern in pairs(scheme) do
    it("of the rule are right: two requests, " .. kind, function()
      if not need("apache2") then return end
      succeeds(phone, ("[--uid $SA --pwd $SB] %s/%s/a.xml"):format(url, kind))
      local r = new(2)
      assert.same({ 401, 200 }, statuses(r))
      assert.is_nil(r[1].headers.authorization)
      assert.matches(pattern, r[2].headers.authorization)
      assert.equal(kind, phone:param("GPP_C"))
    end)

    it("of the rule are wrong: three requests, (H3) " .. kind, function()
      if not need("apache2") then return end
      fails(phone, ("[--uid %s --pwd wrong] %s/%s/a.xml"):format(USER, url,
        kind), REFUSED)
      assert.same({ 401, 401, 401 }, statuses(new(3)))
    end)

    it("are not there: one request (H4), " .. kind, function()
      if not need("apache2") then return end
      fails(phone, ("%s/%s/a.xml"):format(url, kind), UNASKED)
      assert.same({ 401 }, statuses(new(1)))
    end)

    it("stand in the URL: " .. kind, function()
      if not need("apache2") then return end
      local escaped = PASSWORD:gsub("[^%w]", function(c)
        return ("%%%02X"):format(c:byte())
      end)
      local rule = ("http://%s:%s@127.0.0.1:%d/%s/a.xml"):format(USER,
        escaped, server.http_port, kind)
      local r = succeeds(phone, rule)
      assert.same({ 401, 200 }, statuses(new(2)))
      -- and are seen nowhere
      local why = phone:run("explain", "GPP_C", "--json").out
      for _, said in ipairs { r.out, r.err, why } do
        assert.is_nil(said:find(escaped, 1, true))
        assert.is_nil(said:find(USER .. ":", 1, true))
      end
      for _, bytes in pairs(program.snapshot(phone.store)) do
        assert.is_nil(bytes:find(escaped, 1, true))
      end
    end)
  end

  it("of the rule go before those of the URL and the account", function()
    if not need("apache2") then return end
    local p <close> = phones.new { account = { user = USER,
      password = PASSWORD } }
    fails(p, ("[--uid x --pwd y] http://%s:%s@127.0.0.1:%d/basic/a.xml")
      :format(USER, "z", server.http_port), REFUSED)
    local r = new(3)
    assert.equal("Basic eDp5", r[3].headers.authorization)
  end)

  it("of the profile account answer where the rule has none", function()
    if not need("apache2") then return end
    local p <close> = phones.new { account = { user = USER,
      password = PASSWORD } }
    succeeds(p, url .. "/basic/a.xml")
    succeeds(p, url .. "/digest/a.xml")
    assert.same({ 401, 200, 401, 200 }, statuses(new(4)))
    succeeds(p, url .. "/open/a.xml")
    local r = new(1)
    assert.same({ 200 }, statuses(r))
    assert.is_nil(r[1].headers.authorization)
    fails(p, url .. "/basic/a.xml", UNASKED,
      { set = { "Profile_Authentication_Type=Disabled" } })
    assert.same({ 401 }, statuses(new(1)))
  end)

  it("are kept out of every output", function()
    if not need("apache2") then return end
    local sink <close> = servers.syslog_sink()
    local where = "127.0.0.1:" .. sink.port
    local p <close> = phones.new { params = { GPP_SB = PASSWORD,
      Syslog_Server = where, Debug_Server = where, Debug_Level = "DEBUG" } }
    local r = succeeds(p, ("[--uid %s --pwd $SB] %s/digest/a.xml"):format(
      USER, url))
    local verbose = p:run("resync", "-v", ("[--uid %s --pwd '%s'] %s/basic"
      .. "/a.xml"):format(USER, "sesame99", url))
    new(2)
    local all = { r.out, r.err, verbose.out, verbose.err,
      table.unpack(sink.lines(2)) }
    for _, text in ipairs(all) do
      for _, secret in ipairs { PASSWORD, "w\u{f6}rd", "sesame99" } do
        assert.is_nil(text:find(secret, 1, true), text)
      end
    end
  end)
end)

-- Apache knows MD5 alone.
describe("a Digest challenge with SHA-256", function()
  local function sha256(text)
    local input, output = os.tmpname(), os.tmpname()
    write(input, text)
    pki.openssl({ "dgst", "-sha256", "-r", input }, { stdout = output })
    local sum = daemon.read(output):match("^%x+")
    os.remove(input)
    os.remove(output)
    return sum
  end

  it("is answered, and goes before MD5 and Basic", function()
    local body = profile { GPP_C = "sha" }
    local server <close> = tcp.serve {
      "HTTP/1.1 401 Who?\r\nContent-Length: 0\r\nConnection: close\r\n"
        .. 'WWW-Authenticate: Basic realm="lab"\r\n'
        .. 'WWW-Authenticate: Digest realm="lab", nonce="n0nce", qop="auth", '
        .. "algorithm=SHA-256\r\n\r\n",
      ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"):format(#body,
        body) }
    local p <close> = phones.new()
    succeeds(p, ("[--uid prov --pwd geheim] http://127.0.0.1:%d/a?b=1")
      :format(server:port()))
    assert.equal("sha", p:param("GPP_C"))
    assert.is_nil(server:request(5):find("Authorization", 1, true))
    local sent = server:request(5):match("\r\nAuthorization: Digest ([^\r]+)")
    assert.is_string(sent)
    local function part(name)
      return sent:match(name .. '="([^"]*)"') or sent:match(name .. "=([%w-]+)")
    end
    assert.same({ "prov", "lab", "/a?b=1", "SHA-256", "auth", "00000001" },
      { part("username"), part("realm"), part("uri"), part("algorithm"),
        part("qop"), part("nc") })
    assert.equal(sha256(table.concat({ sha256("prov:lab:geheim"), "n0nce",
      "00000001", part("cnonce"), "auth", sha256("GET:/a?b=1") }, ":")),
      part("response"))
  end)
end)

describe("a proxy", function()
  local root, proxy, proxy_requests, web, tls_web, lab
  local params

  -- Apache as a forward proxy that asks for a password.
  local function start_proxy()
    local modules = daemon.file("/usr/lib/apache2/modules")
    local folder = process.temp_dir()
    local hash = folder .. "/hash"
    pki.openssl({ "passwd", "-apr1", "pr0xy" }, { stdout = hash })
    write(folder .. "/users", "joe:" .. daemon.read(hash))
    process.chmod(folder .. "/users", 420)
    return servers.apache { root = folder, config = ([[
LoadModule proxy_module "%s/mod_proxy.so"
LoadModule proxy_http_module "%s/mod_proxy_http.so"
LoadModule proxy_connect_module "%s/mod_proxy_connect.so"
ProxyRequests On
AllowCONNECT 1-65535
<Proxy "*">
  AuthType Basic
  AuthName "proxy"
  AuthUserFile "%s/users"
  Require valid-user
</Proxy>
]]):format(modules, modules, modules, folder) }, folder
  end

  local folder
  setup(function()
    if not (servers.find("apache2") and servers.find("nginx")) then return end
    lab = pki.shared()
    root = process.temp_dir()
    write(root .. "/a.xml", profile { GPP_C = "by proxy" })
    local cert, ca = lab:server { cn = "pv.telco.net" }, lab.ca.cert
    web = servers.nginx { root = root }
    tls_web = servers.nginx { root = root, tls = { cert = cert.cert,
      key = cert.key, client_ca = ca, verify = "on" } }
    proxy, folder = start_proxy()
    proxy_requests = watch(proxy)
    params = { Proxy_Mode = "Manual", Proxy_Host = "127.0.0.1",
      Proxy_Port = proxy.http_port,
      Proxy_Server_Requires_Authentication = "Yes", Proxy_Username = "joe",
      Proxy_Password = "pr0xy" }
  end)
  teardown(function()
    for _, s in pairs { proxy, web, tls_web } do s:stop() end
    for _, f in pairs { root, folder } do process.remove(f) end
  end)

  local function phone_with(more)
    local all = {}
    for key, value in pairs(params) do all[key] = value end
    for key, value in pairs(more or {}) do all[key] = value end
    local client = lab:client()
    return phones.new { params = all, trust = { ca = lab.ca.cert,
      cert = client.cert, key = client.key } }
  end

  it("passes http on, and has its password", function()
    if not need("apache2", "nginx") then return end
    local p <close> = phone_with()
    local url = ("http://127.0.0.1:%d/a.xml"):format(web.http_port)
    succeeds(p, url)
    local r = proxy_requests(2)
    assert.same({ 407, 200 }, statuses(r))
    assert.equal("Basic am9lOnByMHh5", r[2].headers["proxy-authorization"])
    local seen = web.requests(1)[1]
    assert.equal("/a.xml", seen.uri)
    assert.is_nil(seen.headers["proxy-authorization"])
    assert.equal("by proxy", p:param("GPP_C"))
  end)

  it("tunnels https; the certificates are the server's and the phone's",
    function()
      if not need("apache2", "nginx") then return end
      local p <close> = phone_with()
      succeeds(p, ("https://127.0.0.1:%d/a.xml"):format(tls_web.https_port))
      -- a tunnel is logged when it ends: the next test is not to see it
      local r = proxy_requests(2)
      assert.same({ 407, 200 }, statuses(r))
      assert.equal("CONNECT", r[2].method)
      local seen = tls_web.requests(1)[1]
      assert.same({ "/a.xml", "SUCCESS" }, { seen.uri, seen.client_verify })
      assert.matches("OU=CP%-8841%-3PCC", seen.client_dn)
      assert.is_nil(seen.headers["proxy-authorization"])
      assert.equal("by proxy", p:param("GPP_C"))
    end)

  for scheme, port in pairs { http = "http_port", https = "https_port" } do
    it("refuses a wrong password: " .. scheme, function()
      if not need("apache2", "nginx") then return end
      local p <close> = phone_with { Proxy_Password = "wrong" }
      local server = scheme == "http" and web or tls_web
      fails(p, ("%s://127.0.0.1:%d/a.xml"):format(scheme, server[port]),
        { word = "access", class = "C", status = 407,
          err = "Authentication failed", cause = "Access violation",
          says = { "proxy", "Proxy_" } })
      local r = proxy_requests(2)
      assert.is_true(#r <= 3)
      for _, status in ipairs(statuses(r)) do assert.equal(407, status) end
    end)
  end

  it("has no password to give", function()
    if not need("apache2", "nginx") then return end
    local p <close> = phone_with {
      Proxy_Server_Requires_Authentication = "No" }
    fails(p, ("http://127.0.0.1:%d/a.xml"):format(web.http_port),
      { class = "C", status = 407, err = "Download failed (HTTP 407)",
        says = { "proxy", "Proxy_" } })
    assert.same({ 407 }, statuses(proxy_requests(1)))
  end)

  it("is out of the way of tftp, and where Proxy_Mode is Off", function()
    if not need("apache2", "nginx", "in.tftpd") then return end
    proxy_requests(0)
    local p <close> = phone_with()
    local tftpd <close> = servers.tftpd { root = root }
    succeeds(p, ("tftp://127.0.0.1:%d/a.xml"):format(tftpd.port))
    succeeds(p, ("http://127.0.0.1:%d/a.xml"):format(web.http_port),
      { set = { "Proxy_Mode=Off" } })
    succeeds(p, ("http://127.0.0.1:%d/a.xml"):format(web.http_port),
      { set = { "Proxy_Mode=Auto" } })
    assert.same({}, statuses(proxy_requests(0)))
  end)

  it("is not there", function()
    if not need("apache2", "nginx") then return end
    local port = process.free_port("tcp")
    local p <close> = phone_with { Proxy_Port = port }
    fails(p, ("http://127.0.0.1:%d/a.xml"):format(web.http_port),
      { word = "connect", class = "C", err = "Download failed",
        says = tostring(port) })
  end)
end)
