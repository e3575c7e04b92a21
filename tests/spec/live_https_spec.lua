-- Whole resyncs over HTTPS: who is trusted, and who the phone is.
-- Source: MPP provisioning guide, "HTTPS provisioning", client and server
-- certificates; TLS_Client_Min_Version.
local cycle = require "peal.cycle"
local live = require "peal.world.live"
local loop = require "peal.loop"
local phone = require "peal.phone"
local phones = require "support.phones"
local pki = require "support.pki"
local process = require "support.process"
local program = require "support.program"
local registry = require "peal.registry"
local servers = require "support.servers"
local store = require "peal.store"
local sys = require "peal.sys"
local tcp = require "support.tcp"
local trust_module = require "peal.trust"

local fails, succeeds = phones.fails, phones.succeeds
local need, profile, write = phones.need, phones.profile, phones.write

local DAY <const> = 86400
local now = os.time()

local lab, root, trust

local function new_lab()
  lab = pki.shared()
  root = process.temp_dir()
  write(root .. "/a.xml", profile { GPP_C = "got" })
  local client = lab:client()
  trust = { ca = lab.ca.cert, cert = client.cert, key = client.key }
end

local function remove_root() process.remove(root) end

-- What a failed handshake looks like, whatever its reason.
local function refused(word, cause, says)
  return { word = word, class = "C", err = "Download failed", cause = cause,
    says = says }
end

describe("a server that demands the phone's certificate", function()
  local nginx, known, url

  setup(function()
    if not servers.find("nginx") then return end
    new_lab()
    local cert = lab:server { cn = "localhost" }
    local plain = process.free_port("tcp")
    nginx = servers.nginx { root = root, tls = { cert = cert.cert,
      key = cert.key, client_ca = lab.ca.cert, verify = "on" },
      locations = ([[
        location /down { return 302 http://localhost:%d/a.xml; }
        location /moved { return 301 https://127.0.0.1:$server_port/a.xml; }
      ]]):format(plain) }
    url = ("https://localhost:%d"):format(nginx.https_port)
  end)
  teardown(function()
    if nginx then
      nginx:stop()
      remove_root()
    end
  end)
  before_each(function() known = nginx and phones.new { trust = trust } end)
  after_each(function()
    if known then known:close() end
    known = nil
  end)

  it("reads product, serial number and MAC in it", function()
    if not need("nginx") then return end
    local before = #nginx.requests()
    succeeds(known, url .. "/a.xml")
    local r = nginx.requests(before + 1)[before + 1]
    assert.same({ "SUCCESS", "TLSv1.3", 200 }, { r.client_verify, r.tls,
      r.status })
    for _, part in ipairs { "OU=CP%-8841%-3PCC", "L=88012BA01234",
      "ST=000e08abcdef" } do
      assert.matches(part, r.client_dn)
    end
    assert.equal("got", known:param("GPP_C"))
  end)

  it("answers a phone without one by the HTTP table", function()
    if not need("nginx") then return end
    local p <close> = phones.new { trust = { ca = lab.ca.cert } }
    fails(p, url .. "/a.xml", { class = "C", status = 400,
      err = "Download failed (HTTP 400)",
      cause = "Unknown, error code(400)" })
    assert.equal("Not Installed\n", p:run("expand", "$CCERT").out)
    assert.equal("Installed\n", known:run("expand", "$CCERT").out)
  end)

  it("may lead to another name of its own", function()
    if not need("nginx") then return end
    local before = #nginx.requests()
    succeeds(known, url .. "/moved")
    local r = nginx.requests(before + 2)
    assert.same({ "/moved", "/a.xml" }, { r[before + 1].uri,
      r[before + 2].uri })
    assert.equal("SUCCESS", r[before + 2].client_verify)
  end)

  it("may not lead away from https", function()
    if not need("nginx") then return end
    fails(known, url .. "/down", { word = "bad-response", class = "C",
      says = "https to http" })
  end)

  it("does not speak to phones that trust nobody", function()
    if not need("nginx") then return end
    local p <close> = phones.new()
    fails(p, url .. "/a.xml", refused("c.untrusted",
      "certificate not trusted", { "no trusted roots", "trust = {" }))
  end)

  it("is found by its SRV record; its name is the one in the rule",
    function()
      if not need("nginx", "dnsmasq") then return end
      local cert = lab:server { cn = "telco.net", sans = { "DNS:telco.net" } }
      local server <close> = servers.nginx { root = root, tls = {
        cert = cert.cert, key = cert.key, client_ca = lab.ca.cert,
        verify = "on" } }
      local dns <close> = servers.dnsmasq {
        records = { ["a.telco.net"] = { "127.0.0.1" } },
        srv = { ["_ciscoprov-https._tls.telco.net"] = { {
          target = "a.telco.net", port = server.https_port } } } }
      local p <close> = phones.new { trust = trust,
        dns = "127.0.0.1:" .. dns.dns_port }
      succeeds(p, "[--srv] https://telco.net/a.xml")
      fails(p, ("https://a.telco.net:%d/a.xml"):format(server.https_port),
        refused("c.name", "certificate name mismatch", "telco%.net"))
    end)

  it("is not shown a key that does not fit, or that others may read",
    function()
      if not need("nginx") then return end
      local other = lab:client { cn = "other" }
      local p <close> = phones.new()
      local function try(key)
        local file = p.dir .. "/bad.lua"
        write(file, ("return { trust = { ca = %q, cert = %q, key = %q } }")
          :format(trust.ca, trust.cert, key))
        local r = program.peal("resync", url .. "/a.xml", "--phone", file)
        assert.is_true(r.code ~= 0)
        return r.err
      end
      local before = #nginx.requests()
      assert.matches("^peal: trust.cert, trust.key: [^\n]+ %[[%l-]+%]\n",
        try(other.key))
      local open = write(p.dir .. "/open.key",
        program.slurp(trust.key))
      process.chmod(open, 420) -- 0644
      assert.matches("^peal: trust.cert, trust.key: [^\n]+ %[[%l-]+%]\n",
        try(open))
      assert.equal(before, #nginx.requests())
    end)
end)

describe("Apache", function()
  -- Subject fields, as today's servers have them. mod_ssl calls a surname _S.
  local REFLECT <const> = [[#!/bin/sh
printf 'Content-Type: text/plain\r\n\r\n'
printf '<flat-profile><GPP_D>OU=%s,\nL=%s,\nS=%s\n</GPP_D></flat-profile>' \
  "$SSL_CLIENT_S_DN_OU" "$SSL_CLIENT_S_DN_L" "$SSL_CLIENT_S_DN_ST"
]]
  local cgi

  setup(function()
    if not servers.find("apache2") then return end
    new_lab()
    cgi = process.temp_dir()
    write(cgi .. "/reflect.pl", REFLECT)
    process.chmod(cgi .. "/reflect.pl", 493) -- 0755
  end)
  teardown(function()
    if not cgi then return end
    process.remove(cgi)
    remove_root()
  end)

  local function apache(protocol)
    local cert = lab:server { cn = "localhost" }
    return servers.apache { root = root, cgi = cgi, tls = { cert = cert.cert,
      key = cert.key, client_ca = lab.ca.cert, verify = "on",
      extra = "SSLOptions +StdEnvVars\nSSLProtocol " .. protocol } }
  end

  -- In TLS 1.3 the phone may be sending its request when the alert comes,
  -- and then cannot read it.
  for version, words in pairs {
    ["TLSv1.2"] = { none = "%(alert 40%)", stranger = "%(alert 48," },
    ["TLSv1.3"] = { none = "certificate", stranger = "certificate" } } do
    it("reflects the phone's certificate, and refuses phones without: "
      .. version, function()
      if not need("apache2") then return end
      local server <close> = apache(version)
      local url = ("https://localhost:%d/cgi-bin/reflect.pl?"):format(
        server.https_port)
      local p <close> = phones.new { trust = trust }
      succeeds(p, url)
      assert.equal("OU=CP-8841-3PCC, L=88012BA01234, S=000e08abcdef",
        p:param("GPP_D"))
      local seen = server.requests(1)[1]
      assert.same({ version, "SUCCESS" }, { seen.tls, seen.client_verify })

      local bare <close> = phones.new { trust = { ca = lab.ca.cert } }
      fails(bare, url, refused("t.client", "client certificate rejected",
        { words.none, "trust = { cert" }))

      local other <close> = pki.new()
      local foreign = other:client()
      local stranger <close> = phones.new { trust = { ca = lab.ca.cert,
        cert = foreign.cert, key = foreign.key } }
      fails(stranger, url, refused("t.client",
        "client certificate rejected", words.stranger))
    end)
  end
end)

describe("a server's certificate", function()
  local RSA_OLD <const> = { "-cipher", "DEFAULT@SECLEVEL=0" }

  setup(new_lab)
  teardown(remove_root)

  -- openssl's server takes any certificate.
  local function serve(cert, options)
    return servers.s_server { cert = cert.cert, key = cert.key, root = root,
      chain = cert.chain ~= cert.cert and cert.by and cert.by.by
        and cert.by.chain or nil, options = options }
  end

  local other
  local function foreign()
    other = other or pki.new()
    return other:server {}
  end
  teardown(function() if other then other:close() end end)

  local intermediate
  local function below()
    intermediate = intermediate or lab:authority { cn = "Lab Sub CA",
      by = lab.ca }
    return lab:server { by = intermediate }
  end

  local cases = {
    { "expired", function()
      return lab:server { from = now - 400 * DAY, to = now - DAY }
    end, "c.expired", "certificate expired", { "expired %d+", "clock" } },
    { "not yet valid", function()
      return lab:server { from = now + DAY, to = now + 9 * DAY }
    end, "c.future", "certificate not yet valid", { "not valid before",
      "clock" } },
    { "by another CA", foreign, "c.untrusted", "certificate not trusted",
      { "no trusted root", "trust = { ca" } },
    { "self-signed", function()
      return lab:issue { subject = { { "CN", "localhost" } },
        sans = { "DNS:localhost" } }
    end, "c.untrusted", "certificate not trusted", { "self%-signed",
      "trust = { ca" } },
    { "for clients alone", function()
      return lab:server { eku = "clientAuth" }
    end, "c.untrusted", "certificate not trusted", "serverAuth" },
    { "for another name", function()
      return lab:server { sans = { "DNS:pv.telco.net" } }
    end, "c.name", "certificate name mismatch", { "pv%.telco%.net",
      "localhost" } },
    { "for another name in the SAN, though the CN fits", function()
      return lab:server { cn = "localhost", sans = { "DNS:other.net" } }
    end, "c.name", "certificate name mismatch", "other%.net" },
    { "with the name behind the slash", function()
      return lab:server { cn = "other.net/localhost", sans = {} }
    end, "c.name", "certificate name mismatch", "other%.net" },
    { "with an address as a name", function()
      return lab:server { sans = { "DNS:127.0.0.1" } }
    end, "c.name", "certificate name mismatch", "127%.0%.0%.1",
      host = "127.0.0.1" },
    { "with 1024 bits", function()
      return lab:server { key = "rsa:1024" }
    end, "c.weak", "certificate key too weak", { "1024 bits",
      "TLS_Min_RSA_Bits" }, options = RSA_OLD },
    { "signed with SHA-1", function()
      return lab:server { md = "sha1" }
    end, "c.weak", "certificate key too weak", "SHA%-256",
      options = RSA_OLD },
    { "without its intermediate", function()
      local cert = below()
      return { cert = cert.cert, key = cert.key }
    end, "c.untrusted", "certificate not trusted", { "intermediate" } },
  }
  for _, case in ipairs(cases) do
    it("is refused " .. case[1], function()
      local server <close> = serve(case[2](), case.options)
      local p <close> = phones.new { trust = trust }
      fails(p, ("https://%s:%d/a.xml"):format(case.host or "localhost",
        server.https_port), refused(case[3], case[4], case[5]))
    end)
  end

  it("of 1024 bits passes where TLS_Min_RSA_Bits says so", function()
    local server <close> = serve(lab:server { key = "rsa:1024" }, RSA_OLD)
    local p <close> = phones.new { trust = trust }
    succeeds(p, ("https://localhost:%d/a.xml"):format(server.https_port),
      { set = { "TLS_Min_RSA_Bits=1024" } })
  end)

  it("is taken for an address in its SAN", function()
    local server <close> = serve(lab:server { sans = { "IP:127.0.0.1" } })
    local p <close> = phones.new { trust = trust }
    succeeds(p, ("https://127.0.0.1:%d/a.xml"):format(server.https_port))
    assert.equal("got", p:param("GPP_C"))
  end)

  it("is taken with its intermediate, with RSA, and over HTTP/1.0 (H8)",
    function()
      for _, cert in ipairs { below(), lab:server { key = "rsa:2048" } } do
        local server <close> = serve(cert)
        local p <close> = phones.new { trust = trust }
        succeeds(p, ("https://localhost:%d/a.xml"):format(server.https_port))
      end
    end)

  -- nginx prefers its own order of signatures: RSA-PSS comes first in it.
  it("with RSA is taken in TLS 1.2 as well", function()
    if not need("nginx") then return end
    local cert = lab:server { cn = "localhost", key = "rsa:2048" }
    local nginx <close> = servers.nginx { root = root, tls = {
      cert = cert.cert, key = cert.key, protocols = "TLSv1.2",
      extra = "ssl_prefer_server_ciphers on;" } }
    local p <close> = phones.new { trust = { ca = lab.ca.cert } }
    succeeds(p, ("https://localhost:%d/a.xml"):format(nginx.https_port))
    local r = nginx.requests(1)[1]
    assert.same({ "TLSv1.2", 200 }, { r.tls, r.status })
    assert.equal("got", p:param("GPP_C"))
  end)

  it("passes for any name where HTTPS_Name_Validate is No", function()
    local server <close> = serve(lab:server { sans = { "DNS:other.net" } })
    local p <close> = phones.new { trust = trust }
    succeeds(p, ("https://localhost:%d/a.xml"):format(server.https_port),
      { set = { "HTTPS_Name_Validate=No" } })
  end)

  it("is judged less strictly, and that is said each time", function()
    local server <close> = serve(lab:server {})
    local p <close> = phones.new { trust = trust }
    local url = ("https://localhost:%d/a.xml"):format(server.https_port)
    for set, word in pairs { ["HTTPS_Name_Validate=No"] = "tls-name",
      ["TLS_Min_RSA_Bits=1024"] = "tls-weak",
      ["TLS_Client_Min_Version=TLS 1.1"] = "tls-version" } do
      local sink <close> = servers.syslog_sink()
      local r = p:run("resync", "-v", url, "--set", set, "--set",
        "Debug_Level=INFO", "--set",
        "Debug_Server=127.0.0.1:" .. sink.port)
      assert.equal(0, r.code, r.err)
      assert.is_truthy(r.err:find('"' .. word .. '"', 1, true), r.err)
      local name = set:match("[^=]+=(.*)")
      local key = word == "tls-version" and name or set:match("[^=]+")
      assert.is_truthy(table.concat(sink.lines(3), "\n"):find(key, 1, true))
      assert.is_nil(p:run("resync", "-v", url).err:find(word, 1, true))
    end
  end)

  describe("with the documents' names,", function()
    local dns
    setup(function()
      if not servers.find("dnsmasq") then return end
      local records = {}
      for _, name in ipairs { "sprov.callme.com", "pv.telco.net", "telco.net",
        "admin.telco.net", "prof.voice.com", "a.b.telco.net" } do
        records[name] = { "127.0.0.1" }
      end
      dns = servers.dnsmasq { records = records }
    end)
    teardown(function() if dns then dns:stop() end end)

    local names = {
      { "sprov.callme.com", "sprov.callme.com", {}, true },
      { "pv.telco.net", "pv.telco.net/mailto:admin@telco.net", {}, true },
      { "PROF.voice.com.", "prof.voice.com/info@voice.com", {}, true },
      { "telco.net", "pv.telco.net/mailto:admin@telco.net", {} },
      { "admin.telco.net", "pv.telco.net/admin.telco.net", {} },
      { "pv.telco.net", "pv.telco.net", { "DNS:other.net" } },
      { "pv.telco.net", "pv.telco.net/x", { "email:a@b.c" }, true },
      { "pv.telco.net", "x", { "DNS:*.telco.net" }, true },
      { "a.b.telco.net", "x", { "DNS:*.telco.net" } },
      { "sprov.callme.com",
        "sprov.callme.com.evil.org/sprov.callme.com", {} },
    }
    for _, row in ipairs(names) do
      it(("%s is %sCN=%s %s"):format(row[1], row[4] and "" or "not ", row[2],
        table.concat(row[3], ",")), function()
        if not need("dnsmasq") then return end
        local server <close> = serve(lab:server { cn = row[2],
          sans = row[3] })
        local p <close> = phones.new { trust = trust,
          dns = "127.0.0.1:" .. dns.dns_port }
        local rule = ("https://%s:%d/a.xml"):format(row[1],
          server.https_port)
        if row[4] then
          succeeds(p, rule)
        else
          fails(p, rule, refused("c.name", "certificate name mismatch"))
        end
      end)
    end
  end)

  it("is of no use under TLS 1.1", function()
    local server <close> = serve(lab:server {}, { "-tls1_1", "-cipher",
      "DEFAULT@SECLEVEL=0" })
    local p <close> = phones.new { trust = trust }
    local url = ("https://localhost:%d/a.xml"):format(server.https_port)
    fails(p, url, refused("t.version", "TLS version not supported",
      { "TLS 1.2 or 1.3", "TLS_Client_Min_Version" }))
    fails(p, url, refused("t.version", "TLS version not supported"),
      { set = { "TLS_Client_Min_Version=TLS 1.1" } })
  end)

  it("needs TLS 1.3 where TLS_Client_Min_Version says so", function()
    local server <close> = serve(lab:server {}, { "-tls1_2" })
    local p <close> = phones.new { trust = trust }
    local url = ("https://localhost:%d/a.xml"):format(server.https_port)
    fails(p, url, refused("t.version", "TLS version not supported",
      "TLS 1%.3"), { set = { "TLS_Client_Min_Version=TLS 1.3" } })
    fails(p, url, refused("t.version", "TLS version not supported"),
      { set = { "TLS_Min_Version=TLS 1.3" } })
    succeeds(p, url)
  end)

  it("is never asked for of a server that speaks no TLS", function()
    local server <close> = tcp.serve { { "HTTP/1.1 400 Bad Request\r\n\r\n",
      at_once = true } }
    local p <close> = phones.new { trust = trust }
    fails(p, ("https://127.0.0.1:%d/x"):format(server:port()),
      refused("t.handshake", "TLS handshake failed"))
  end)
end)

-- The engine in this process: the program has no other clock than the
-- machine's.
describe("a clock that is not set", function()
  local time = sys.time

  setup(new_lab)
  teardown(remove_root)
  after_each(function() sys.time = time end)

  local function resync(cert)
    local server <close> = servers.s_server { cert = cert.cert,
      key = cert.key, root = root }
    local anchors = trust_module.anchors()
    anchors:load(lab.ca.cert)
    local world = live.new { loop = loop.new(), trust = { anchors = anchors },
      store = assert(store.open { schema = assert(registry.load {}) }) }
    sys.time = function() return 86400 end
    local result = world.run(cycle.run, phone.new { world = world,
      identity = { PN = "x" } }, { asked_by = "cli", explicit = true,
      rule = ("https://localhost:%d/a.xml"):format(server.https_port) })
    sys.time = time
    local noted = 0
    for _, step in ipairs(result.trace.steps) do
      if step.word == "clock" then noted = noted + 1 end
    end
    assert.is_true(noted > 0)
    return result
  end

  it("counts as the time of the build, which lets good ones pass", function()
    assert.equal("success", resync(lab:server {}).outcome)
  end)

  it("lets no certificate pass that had expired by then", function()
    local result = resync(lab:server { from = now - 4000 * DAY,
      to = now - 3650 * DAY })
    assert.same({ "failure", "c.expired" }, { result.outcome,
      result.failure.word })
  end)
end)

describe("a connection that is cut", function()
  setup(new_lab)
  teardown(remove_root)

  -- The end of an HTTP/1.0 answer is the end of the connection: only TLS can
  -- tell whether it was meant.
  it("in the middle of the body: nothing is applied", function()
    local elements = { "<flat-profile><GPP_C>bad</GPP_C>" }
    for i = 1, 2000 do
      elements[#elements + 1] = ("<X_%d>%d</X_%d>"):format(i, i, i)
    end
    write(root .. "/long.xml", table.concat(elements, "\n")
      .. "</flat-profile>")
    write(root .. "/plain.xml", profile { GPP_C = "bad" }
      .. (" "):rep(60000))
    local cert = lab:server {}
    for _, version in ipairs { "-tls1_2", "-tls1_3" } do
      local server <close> = servers.s_server { cert = cert.cert,
        key = cert.key, root = root, options = { version } }
      for _, name in ipairs { "/long.xml", "/plain.xml" } do
        local cut <close> = tcp.serve { { relay = server.https_port,
          after = 30000 } }
        local p <close> = phones.new { trust = trust }
        fails(p, ("https://localhost:%d%s"):format(cut:port(), name),
          { word = "partial", class = "C", err = "Download failed",
            cause = "Connection error" })
      end
    end
  end)

  it("in the handshake", function()
    local cert = lab:server {}
    local server <close> = servers.s_server { cert = cert.cert,
      key = cert.key, root = root }
    for _, after in ipairs { 1, 100, 600 } do
      local cut <close> = tcp.serve { { relay = server.https_port,
        after = after } }
      local p <close> = phones.new { trust = trust }
      fails(p, ("https://localhost:%d/a.xml"):format(cut:port()),
        refused("t.handshake", "TLS handshake failed"))
    end
  end)
end)
