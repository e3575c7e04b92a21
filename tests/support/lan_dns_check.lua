-- Specs that live_dns_check_spec.lua runs in a network of their own, with a
-- hosts file of their own: the documents' addresses exist there, and the hosts
-- file sends pv.telco.net elsewhere.
-- Source: MPP provisioning guide, "HTTPS provisioning"; HTTPS_DNS_Check is our
-- choice.
local badssl = require "support.badssl"
local daemon = require "support.servers.daemon"
local loop = require "peal.loop"
local phones = require "support.phones"
local pki = require "support.pki"
local process = require "support.process"
local servers = require "support.servers"

local profile, write = phones.profile, phones.write

local SERVER <const> = "192.168.1.200"
local STRANGER <const> = "192.168.1.66" -- who the hosts file speaks of

-- Apache as a forward proxy.
local PROXY <const> = ([[
LoadModule proxy_module "%s/mod_proxy.so"
LoadModule proxy_connect_module "%s/mod_proxy_connect.so"
ProxyRequests On
AllowCONNECT 1-65535
]]):gsub("%%s", daemon.file("/usr/lib/apache2/modules"))

local RECORDS <const> = {
  ["pv.telco.net"] = { SERVER },
  ["two.telco.net"] = { "192.168.1.9", SERVER },
  ["both.telco.net"] = { SERVER, "fd00::200" },
  ["turn.telco.net"] = { SERVER },
}

describe("the DNS check", function()
  local root, lab, dns, running

  setup(function()
    root = process.temp_dir()
    write(root .. "/a.xml", profile { GPP_C = "got" })
    lab = pki.shared()
    dns = servers.dnsmasq { address = SERVER, records = RECORDS }
    running = {}
  end)
  teardown(function()
    for _, server in pairs(running) do server:stop() end
    dns:stop()
    process.remove(root)
  end)

  -- A server with a certificate for this name; one for each pair.
  local function url_of(address, host, shown)
    local id = address .. " " .. host
    if not running[id] then
      local literal = host:find("^[%d.]+$")
      local cert = lab:server { cn = host,
        sans = { (literal and "IP:" or "DNS:") .. host } }
      running[id] = servers.nginx { root = root, address = address,
        tls = { cert = cert.cert, key = cert.key } }
    end
    return ("https://%s:%d/a.xml"):format(shown or host,
      running[id].https_port)
  end

  local function phone(o)
    o = o or {}
    o.ca = o.ca or lab.ca.cert
    o.dns = o.dns or SERVER .. ":" .. dns.dns_port
    return badssl.phone(o)
  end

  local function gets(word, p, url, set, says)
    local got = p:get(url, set)
    assert.equal(word, got.word, got.sentence)
    if says then assert.matches(says, got.sentence) end
    return got
  end

  -- The hosts file has pv.telco.net at 192.168.1.66.
  it("hosts override pv.telco.net -> .66, DNS says .200, peer .66: c.dns",
    function()
      local url = url_of(STRANGER, "pv.telco.net")
      local got = gets("c.dns", phone(), url, {}, "192%.168%.1%.66")
      assert.matches("pv%.telco%.net", got.sentence)
    end)

  it("hosts override, HTTPS_DNS_Check No: pass", function()
    gets("ok", phone(), url_of(STRANGER, "pv.telco.net"),
      { HTTPS_DNS_Check = "No" })
  end)

  it("hosts override, HTTPS_Name_Validate No: pass, nothing is looked up",
    function()
      local before = #dns.queries()
      gets("ok", phone(), url_of(STRANGER, "pv.telco.net"),
        { HTTPS_Name_Validate = "No" })
      assert.equal(before, #dns.queries())
    end)

  it("hosts override, Legacy: pass, since the name rule did", function()
    gets("ok", phone(), url_of(STRANGER, "pv.telco.net"),
      { HTTPS_DNS_Check = "Legacy" })
  end)

  it("is the last of all checks: an expired stranger is c.expired",
    function()
      local cert = lab:server { cn = "pv.telco.net", from = os.time() - 200000,
        to = os.time() - 100000, sans = { "DNS:pv.telco.net" } }
      local server <close> = servers.s_server { cert = cert.cert,
        key = cert.key, root = root, address = STRANGER }
      gets("c.expired", phone(), ("https://pv.telco.net:%d/a.xml"):format(
        server.https_port))
    end)

  it("the DNS server is down: c.dns", function()
    local down <const> = SERVER .. ":" .. process.free_port("udp", SERVER)
    gets("c.dns", phone { dns = down }, url_of(STRANGER, "pv.telco.net"), {},
      "cannot be looked up")
  end)

  it("DNS does not know the name: c.dns", function()
    local other <close> = servers.dnsmasq { address = SERVER, records = {} }
    gets("c.dns", phone { dns = SERVER .. ":" .. other.dns_port },
      url_of(STRANGER, "pv.telco.net"), {}, "cannot be looked up")
  end)

  -- Certificate for pv.telco.net, which DNS has at .200.
  local function by_address() return url_of(SERVER, "pv.telco.net", SERVER) end

  it("URL https://192.168.1.200/x, CN pv.telco.net, Yes: c.name", function()
    gets("c.name", phone { private = true }, by_address())
  end)

  it("URL https://192.168.1.200/x, Legacy, private anchor: pass", function()
    local p = phone { private = true }
    local got = gets("ok", p, by_address(), { HTTPS_DNS_Check = "Legacy" })
    local warned
    for _, step in ipairs(got.trace) do
      warned = warned or tostring(step.text):find("Legacy", 1, true)
    end
    assert.is_truthy(warned)
    assert.equal("got", p:param("GPP_C"))
  end)

  it("URL https://192.168.1.200/x, Legacy, public anchor: c.name", function()
    gets("c.name", phone(), by_address(), { HTTPS_DNS_Check = "Legacy" })
  end)

  it("URL https://192.168.1.66/x, Legacy, private anchor: c.name", function()
    gets("c.name", phone { private = true },
      url_of(STRANGER, "pv.telco.net", STRANGER),
      { HTTPS_DNS_Check = "Legacy" })
  end)

  it("two A records, peer = second: pass", function()
    gets("ok", phone(), url_of(SERVER, "two.telco.net"))
  end)

  it("A and AAAA records: pass", function()
    gets("ok", phone(), url_of(SERVER, "both.telco.net"))
  end)

  -- The same name server with another record: the connection goes where the
  -- name led a moment ago.
  it("round robin: an answer of the last 60 s counts, an older one does not",
    function()
      local turned <close> = servers.dnsmasq { address = SERVER,
        records = { ["turn.telco.net"] = { "192.168.1.9" } } }
      local shared = loop.new()
      local p = phone { loop = shared }
      local world = p.world
      local second = phone { loop = shared,
        dns = SERVER .. ":" .. turned.dns_port }.world
      local url = url_of(SERVER, "turn.telco.net")
      gets("ok", p, url)

      local resolve, now, later = world.resolve, world.now, 0
      world.resolve = function(name, kind, use_hosts)
        return (use_hosts and resolve or second.resolve)(name, kind,
          use_hosts)
      end
      world.now = function()
        local at = now()
        at.mono = at.mono + later
        return at
      end
      later = 50
      gets("ok", p, url)
      later = 61
      gets("c.dns", p, url, {}, "192%.168%.1%.200")
    end)

  it("localhost is never looked up", function()
    local before = #dns.queries()
    gets("ok", phone(), url_of("127.0.0.1", "localhost"))
    assert.equal(before, #dns.queries())
  end)

  it("an address in the URL is not looked up", function()
    local before = #dns.queries()
    gets("ok", phone(), url_of(SERVER, SERVER))
    assert.equal(before, #dns.queries())
  end)

  it("behind a proxy it is left out: the proxy has looked up", function()
    local proxy <close> = servers.apache { address = SERVER, root = root,
      config = PROXY }
    local before = #dns.queries()
    local p = phone()
    local got = gets("ok", p, url_of(STRANGER, "pv.telco.net"), {
      Proxy_Mode = "Manual", Proxy_Host = SERVER,
      Proxy_Port = tostring(proxy.http_port) })
    assert.equal(before, #dns.queries())
    assert.equal(SERVER, got.response.peer)
    p:close() -- Apache waits for the end of a tunnel
  end)

  it("a wildcard is checked by the host's name", function()
    local cert = lab:server { cn = "x", sans = { "DNS:*.telco.net" } }
    local server <close> = servers.nginx { root = root, address = SERVER,
      tls = { cert = cert.cert, key = cert.key } }
    gets("ok", phone(), ("https://two.telco.net:%d/a.xml"):format(
      server.https_port))
  end)
end)
