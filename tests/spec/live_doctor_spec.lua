-- peal doctor against real servers, each with one thing broken: it names the
-- step and its cure, and leaves the store as it was.
local badssl = require "support.badssl"
local doctor = require "peal.doctor"
local encode = require "peal.encode"
local json = require "peal.json"
local phones = require "support.phones"
local pki = require "support.pki"
local process = require "support.process"
local program = require "support.program"
local servers = require "support.servers"
local tcp = require "support.tcp"

local need, profile, write = phones.need, phones.profile, phones.write

local DAY <const> = 86400
local GOOD <const> = profile { GPP_C = "one" }

local lab, root

local function by_name(report)
  local steps = {}
  for _, step in ipairs(report.steps) do steps[step.step] = step end
  return steps
end

-- Examine; nothing of the store's folder may change.
local function ask(p, rule)
  local before = program.snapshot(p.store)
  local r = p:run("doctor", rule, "--json")
  assert.same(before, program.snapshot(p.store))
  local report = json.decode(r.out)
  assert.is_table(report.steps, r.out .. r.err)
  return report, by_name(report), r
end

-- The step that is broken, what it says and what mends it; what comes before
-- is sound, and what comes behind is not reached.
local function broken(p, rule, step, says, cure)
  local report, steps, r = ask(p, rule)
  assert.equal(step, report.broken, r.out)
  assert.is_false(report.ok)
  assert.equal(1, r.code)
  assert.matches(says, steps[step].text)
  assert.matches(cure, steps[step].cure)
  local after = false
  for _, name in ipairs(doctor.steps) do
    local verdict = steps[name].verdict
    if name == step then
      after = true
    else
      assert.equal(after, verdict == "not reached", name .. " " .. verdict)
    end
  end
  return steps, report
end

local function sound(p, rule)
  local report, steps, r = ask(p, rule)
  assert.is_true(report.ok, r.out .. r.err)
  assert.equal(0, r.code)
  return steps, report
end

setup(function()
  lab = pki.shared()
  root = process.temp_dir()
  write(root .. "/a.xml", GOOD)
  write(root .. "/zipped", encode.gzip(GOOD))
  write(root .. "/torn", encode.gzip(GOOD:rep(50)):sub(1, -20))
  write(root .. "/locked", assert(encode.aes(GOOD, "right", "md5",
    "12345678")))
  write(root .. "/bad.xml", "<flat-profile>\n<GPP_C>x</GPP_D>\n")
  write(root .. "/unknown.xml", profile { GPP_C = "one",
    Resync_Periodik = "1", Resync_Periodic = "often" })
  write(root .. "/empty.xml", "")
end)
teardown(function() process.remove(root) end)

describe("peal doctor, http", function()
  local server, url, p

  setup(function()
    if not servers.find("nginx") then return end
    write(root .. "/password", "prov:{PLAIN}s3cret-word\n")
    server = servers.nginx { root = root, locations = ([[
      location /oops { return 500; }
      location /private { auth_basic "lab"; auth_basic_user_file %s/password;
        alias %s; }
      location /moved { return 302 /a.xml; }
    ]]):format(root, root) }
    url = ("http://127.0.0.1:%d"):format(server.http_port)
    p = phones.new {}
  end)
  teardown(function()
    if server then server:stop() end
    if p then p:close() end
  end)

  local function when(name, fn)
    it(name, function()
      if need("nginx") then fn() end
    end)
  end

  when("finds everything fine", function()
    local steps, report = sound(p, url .. "/a.xml")
    assert.equal("none", steps.dns.verdict)
    assert.matches("^127%.0%.0%.1 port %d+ in %d+ ms$", steps.tcp.text)
    assert.equal("none", steps.tls.verdict)
    assert.matches("^HTTP 200, %d+ bytes", steps.answer.text)
    assert.equal("neither encrypted nor compressed", steps.decode.text)
    assert.matches("^1 parameters", steps.parse.text)
    assert.equal("1 would change: GPP_C", steps.apply.text)
    assert.equal(1, report.changes)
  end)

  when("asks Profile_Rule where no rule is given", function()
    local own <close> = phones.new { params =
      { Profile_Rule = url .. "/zipped" } }
    local r = own:run("doctor", "--json")
    assert.equal(0, r.code, r.out .. r.err)
    assert.equal("gzip", by_name(json.decode(r.out)).decode.text)
  end)

  when("says each step in a line for people", function()
    local r = p:run("doctor", url .. "/a.xml")
    assert.equal(0, r.code, r.err)
    for _, step in ipairs(doctor.steps) do
      assert.matches("\n" .. step .. " ", "\n" .. r.out)
    end
    r = p:run("doctor", url .. "/oops")
    assert.matches("\nanswer       BROKEN      the server answered HTTP 500\n",
      r.out)
    assert.matches("\napply        not reached\n", r.out)
  end)

  when("follows a redirect, and says so", function()
    local steps = sound(p, url .. "/moved")
    assert.matches("^redirected %(302%) to http://127%.0%.0%.1:%d+/a%.xml; "
      .. "HTTP 200", steps.answer.text)
  end)

  when("names a refused port", function()
    broken(p, "http://127.0.0.1:1/a.xml", "tcp", "refused",
      "is the server running, and the port right")
  end)

  when("names a rule that cannot be read", function()
    broken(p, "[--key] " .. url .. "/a.xml", "rule", ".", "peal rule 'TEXT'")
  end)

  when("names a condition that lets nothing through", function()
    broken(p, "($GPP_A eq never)? " .. url .. "/a.xml", "rule", ".",
      "peal eval 'CONDITION'")
  end)

  when("names 404", function()
    broken(p, url .. "/nothing", "answer", "HTTP 404",
      "does the server have that file")
  end)

  when("lets a missing file pass where Resync_Fails_On_FNF is No", function()
    local own <close> = phones.new { params = { Resync_Fails_On_FNF = "No" } }
    local steps = sound(own, url .. "/nothing")
    assert.equal("warning", steps.answer.verdict)
    assert.matches("Resync_Fails_On_FNF", steps.answer.cure)
    assert.equal("there is no file", steps.decode.text)
  end)

  when("names 500", function()
    broken(p, url .. "/oops", "answer", "HTTP 500", "see the server's log")
  end)

  when("names a 401 without credentials", function()
    broken(p, url .. "/private/a.xml", "auth", "there are none",
      "%-%-uid and %-%-pwd")
  end)

  when("names a 401 with wrong credentials, and does not show them", function()
    local _, report = broken(p, "[--uid prov --pwd wr0ng-word] " .. url
      .. "/private/a.xml", "auth", "refused the user and password",
      "check the user and password")
    assert.is_nil(json.encode(report):find("wr0ng", 1, true))
  end)

  when("says that credentials were taken", function()
    local steps, report = sound(p, "[--uid prov --pwd s3cret-word] " .. url
      .. "/private/a.xml")
    assert.matches("^asked for, and the user and password", steps.auth.text)
    assert.is_nil(json.encode(report):find("s3cret", 1, true))
  end)

  when("names a wrong key", function()
    broken(p, "[--key wr0ng-word] " .. url .. "/locked", "decode", ".",
      "is it the key that the file was encrypted with")
  end)

  when("names a missing key", function()
    broken(p, url .. "/locked", "decode", ".", "%[%-%-key K%] URL")
  end)

  when("decrypts with the right key", function()
    local steps, report = sound(p, "[--key right] " .. url .. "/locked")
    assert.matches("^aes%-256%-cbc %(md5%) with %-%-key$", steps.decode.text)
    assert.is_nil(json.encode(report):find("right", 1, true))
  end)

  when("names a key for a file that is not encrypted", function()
    broken(p, "[--key right] " .. url .. "/a.xml", "decode", "not encrypted",
      "leave %-%-key out.*peal profile encode")
  end)

  when("names a corrupt gzip", function()
    broken(p, url .. "/torn", "decode", ".", "gzip %-t FILE")
  end)

  when("names bad XML and its line", function()
    broken(p, url .. "/bad.xml", "parse", "line %d",
      "peal profile check FILE")
  end)

  when("warns of unknown parameters, with what may have been meant", function()
    local steps = sound(p, url .. "/unknown.xml")
    assert.equal("warning", steps.apply.verdict)
    assert.matches("1 unknown: Resync_Periodik %(did you mean "
      .. "Resync_Periodic%?%)", steps.apply.text)
    assert.matches("1 not taken: Resync_Periodic", steps.apply.text)
    assert.matches("^mend Resync_Periodic in the profile: .*; write "
      .. "Resync_Periodic for Resync_Periodik; ", steps.apply.cure)
  end)

  when("goes through a proxy, which looks the name up", function()
    local own <close> = phones.new { params = { Proxy_Mode = "Manual",
      Proxy_Host = "127.0.0.1", Proxy_Port = tostring(server.http_port) } }
    local steps = sound(own, "http://prov.example.com/a.xml")
    assert.matches("^the proxy looks prov%.example%.com up", steps.dns.text)
    assert.matches("^proxy 127%.0%.0%.1 port %d+", steps.tcp.text)
  end)

  when("names a proxy that is not there", function()
    local own <close> = phones.new { params = { Proxy_Mode = "Manual",
      Proxy_Host = "127.0.0.1", Proxy_Port = "1" } }
    broken(own, "http://prov.example.com/a.xml", "tcp", "refused",
      "is the server running")
  end)

  it("names a name that does not exist, and who was asked", function()
    if not need("dnsmasq") then return end
    local dns <close> = servers.dnsmasq { records =
      { ["prov.telco.net"] = { "127.0.0.1" } } }
    local at = "127.0.0.1:" .. dns.dns_port
    local own <close> = phones.new { dns = at }
    broken(own, "http://nothing.telco.net/a.xml", "dns",
      "asked 127%.0%.0%.1:" .. dns.dns_port, "is the host name right")
    local steps = broken(own, "http://prov.telco.net:1/a.xml", "tcp",
      "refused", ".")
    assert.matches("^prov%.telco%.net: 127%.0%.0%.1 %(%d+ ms, asked "
      .. "127%.0%.0%.1:" .. dns.dns_port, steps.dns.text)
  end)

  it("names a server that says nothing", function()
    local silent <close> = tcp.serve { { hold = true } }
    local phone = badssl.phone { ca = lab.ca.cert }
    local fetch = phone.world.fetch
    function phone.world.fetch(request)
      request.idle = 1 -- the patience of a test
      return fetch(request)
    end
    local report = phone.world.run(doctor.examine, phone.phone,
      { rule = ("http://127.0.0.1:%d/a"):format(silent:port()) })
    assert.equal("answer", report.broken)
    assert.matches("is the server reachable", by_name(report).answer.cure)
    phone:close()
  end)
end)

describe("peal doctor, tftp", function()
  local server, p

  setup(function()
    if not servers.find("in.tftpd") or process.uid() ~= 0 then return end
    server = servers.tftpd { root = root }
    p = phones.new {}
  end)
  teardown(function()
    if server then server:stop() end
    if p then p:close() end
  end)

  it("finds everything fine", function()
    if not server then return pending("no tftpd here") end
    local steps = sound(p, ("tftp://127.0.0.1:%d/a.xml"):format(server.port))
    assert.equal("tftp is UDP", steps.tcp.text)
    assert.equal("none", steps.auth.verdict)
  end)

  it("names a file that is not there", function()
    if not server then return pending("no tftpd here") end
    broken(p, ("tftp://127.0.0.1:%d/nothing"):format(server.port), "answer",
      ".", "does the server have that file")
  end)
end)

describe("peal doctor, https", function()
  -- A phone that believes the lab, and a server with this certificate.
  local function with(o, fn)
    if not need("openssl") then return end
    local made = o.made
    local server <close> = servers.s_server { cert = made.cert, key = made.key,
      ca = lab.ca.cert, verify = o.verify, root = root, options = o.options }
    local p <close> = phones.new { trust = { ca = o.ca or lab.ca.cert,
      cert = o.client and o.client.cert, key = o.client and o.client.key },
      params = o.params }
    fn(p, ("https://%s:%d/a.xml"):format(o.host or "localhost",
      server.https_port))
  end

  it("finds everything fine", function()
    with({ made = lab:server {} }, function(p, url)
      local steps = sound(p, url)
      assert.matches("^TLS ?v?1%.3, .*full handshake in %d+ ms",
        steps.tls.text)
      assert.matches("CN=localhost, issued by .*CN=Lab CA", steps.certificate
        .text)
      assert.matches("from %d+%-%d+%-%d+.* to %d+", steps.certificate.text)
      assert.equal("not asked for; the phone has none", steps.client.text)
    end)
  end)

  it("shows that the phone's certificate was asked for and sent", function()
    with({ made = lab:server {}, verify = true, client = lab:client {} },
      function(p, url)
        assert.matches("the phone's own was sent", sound(p, url).client.text)
      end)
  end)

  it("tells a request for the phone's certificate from a demand", function()
    for _, version in ipairs { "-tls1_2", "-tls1_3" } do
      with({ made = lab:server {}, options = { "-verify", "4", version } },
        function(p, url)
          assert.equal("asked for, not demanded; the phone has none",
            sound(p, url).client.text)
        end)
    end
  end)

  it("names a plain port", function()
    if not need("nginx") then return end
    local server <close> = servers.nginx { root = root }
    local p <close> = phones.new { trust = { ca = lab.ca.cert } }
    broken(p, ("https://127.0.0.1:%d/a.xml"):format(server.http_port), "tls",
      ".", "TLS port")
  end)

  it("names a TLS port that is spoken to in plain", function()
    with({ made = lab:server {} }, function(p, url)
      broken(p, (url:gsub("^https", "http")), "answer", ".",
        "Is it a TLS port")
    end)
  end)

  it("names a version that is too old", function()
    with({ made = lab:server {}, options = { "-tls1_2" },
      params = { TLS_Client_Min_Version = "TLS 1.3" } }, function(p, url)
      broken(p, url, "tls", ".", "TLS 1%.3")
    end)
  end)

  it("names an expired certificate", function()
    local now = os.time()
    with({ made = lab:server { from = now - 20 * DAY, to = now - 10 * DAY } },
      function(p, url)
        broken(p, url, "certificate", "expired",
          "is the clock right.*peal cert accept %x+ %-%-phone")
      end)
  end)

  it("names a certificate of the future", function()
    local now = os.time()
    with({ made = lab:server { from = now + 10 * DAY, to = now + 20 * DAY } },
      function(p, url)
        broken(p, url, "certificate", ".", "is the clock right")
      end)
  end)

  it("names a certificate for another name", function()
    with({ made = lab:server { cn = "other.telco.net",
      sans = { "DNS:other.telco.net" } } }, function(p, url)
      broken(p, url, "certificate", "localhost",
        "use a name that the certificate holds %(.*other%.telco%.net")
    end)
  end)

  it("names a CA that the phone does not know", function()
    local other = lab:authority { cn = "Stranger" }
    with({ made = lab:server { by = other } }, function(p, url)
      broken(p, url, "certificate", ".",
        "Custom_CA_Rule.*peal cert import.*peal cert accept %x+")
    end)
  end)

  it("names the cure that works: a resync lists it, accept believes it",
    function()
      local other = lab:authority { cn = "Stranger" }
      with({ made = lab:server { by = other } }, function(p, url)
        local steps = broken(p, url, "certificate", ".", "peal cert accept")
        local id = steps.certificate.cure:match("peal cert accept (%x+)")
        assert.equal(1, p:resync(url).code)
        assert.equal(0, p:run("cert", "accept", id).code)
        assert.matches("believed because the lists hold it",
          sound(p, url).certificate.text)
      end)
    end)

  it("names a demand for a client certificate that the phone has not",
    function()
      for _, version in ipairs { "-tls1_2", "-tls1_3" } do
        with({ made = lab:server {}, verify = true, options = { version } },
          function(p, url)
            broken(p, url, "client", ".", "trust = { cert =, key = }")
          end)
      end
    end)

  it("names a client certificate that the server does not take", function()
    local other = lab:authority { cn = "Stranger" }
    with({ made = lab:server {}, verify = true,
      client = lab:client { by = other } }, function(p, url)
      broken(p, url, "client", ".", "does it know the CA")
    end)
  end)
end)
