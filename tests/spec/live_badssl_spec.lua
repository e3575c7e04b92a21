-- Some hundred servers, each with one thing wrong or unusual in its
-- certificate: refused with its own word, or accepted for a reason that is
-- given. Real handshakes with openssl's server, which takes any certificate.
-- Source: MPP provisioning guide, "HTTPS provisioning"; RFC 5280, RFC 9525.
-- What goes wrong below the certificate is in live_badssl_wire_spec.lua.
local badssl = require "support.badssl"
local phones = require "support.phones"
local pki = require "support.pki"
local process = require "support.process"
local servers = require "support.servers"

local need, profile, write = phones.need, phones.profile, phones.write

local DAY <const> = 86400
local now = os.time()

-- openssl itself refuses to show weak certificates, unless told so.
local WEAK <const> = { "-cipher", "ALL@SECLEVEL=0" }
local WEAK_1_2 <const> = { "-cipher", "ALL@SECLEVEL=0", "-tls1_2" }

local lab, root, dns, phone

local function sub_ca(o)
  o.by = o.by or lab.ca
  o.cn = o.cn or "Lab Sub CA"
  return lab:authority(o)
end

local function below(o) return lab:server { by = sub_ca(o) } end

local function named(cn, ...)
  return lab:server { cn = cn, sans = { ... } }
end

-- A certificate that is its own root, and trusted.
local function rooted(o)
  local ca = lab:authority(o)
  local made = lab:server { by = ca, md = o.leaf_md }
  return { cert = made.cert, key = made.key, trusted = ca.cert }
end

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

-- The certificate with another list behind it.
local function with_chain(made, ...)
  local parts = {}
  for i, other in ipairs { ... } do parts[i] = read(other.cert) end
  return { cert = made.cert, key = made.key,
    sent = write(made.cert .. ".sent", table.concat(parts)) }
end

-- n certificates below each other; the small ones fit into one message.
local function deep(n, name)
  local ca = lab:authority { cn = name, key = "P-256" }
  local top = ca
  for i = 1, n do
    ca = lab:authority { subject = { { "CN", name .. i } }, by = ca,
      key_of = top }
  end
  local made = lab:server { by = ca, sans = { "DNS:localhost" } }
  return { cert = made.cert, key = made.key, sent = ca.chain,
    trusted = top.cert }
end

-- A NUL where the name was "!".
local function nul(signed) return (signed:gsub("net!", "net\0")) end

-- subjectAltName with n names.
local function names(n)
  local list = { "DNS:localhost" }
  for i = 2, n do list[i] = ("DNS:h%05d.telco.net"):format(i) end
  return list
end

-- Name, certificate, word, piece of the sentence; host, set, options of the
-- server. Those that are accepted say why.
local groups = {}

groups["keys and hashes (TLS_Min_RSA_Bits; fault 53, 55)"] = {
  { "EC P-256", function() return lab:server {} end, "ok" },
  { "EC P-384", function() return lab:server { key = "P-384" } end, "ok" },
  { "EC P-521", function() return lab:server { key = "P-521" } end, "ok" },
  { "RSA 2048", function() return lab:server { key = "rsa:2048" } end, "ok" },
  { "RSA 3072", function() return lab:server { key = "rsa:3072" } end, "ok" },
  { "RSA 4096", function() return lab:server { key = "rsa:4096" } end, "ok" },
  { "RSA 8192, the longest known (fault 53)", function()
    return lab:server { key = "rsa:8192" }
  end, "ok" },
  { "RSA 2048 below an RSA root, signed with SHA-512", function()
    return rooted { cn = "RSA", key = "rsa:2048", md = "sha512" }
  end, "ok" },
  { "RSA 1024 (fault 55)", function()
    return lab:server { key = "rsa:1024" }
  end, "c.weak", "1024 bits", options = WEAK },
  { "RSA 1024, with TLS_Min_RSA_Bits 1024", function()
    return lab:server { key = "rsa:1024" }
  end, "ok", options = WEAK, set = { TLS_Min_RSA_Bits = "1024" } },
  { "RSA 512", function() return lab:server { key = "rsa:512" } end,
    "c.weak", "512 bits", options = WEAK_1_2 },
  { "RSA 512, with TLS_Min_RSA_Bits 1024", function()
    return lab:server { key = "rsa:512" }
  end, "c.weak", "512 bits", options = WEAK_1_2,
    set = { TLS_Min_RSA_Bits = "1024" } },
  { "an intermediate of RSA 1024", function()
    return below { key = "rsa:1024" }
  end, "c.weak", "1024 bits", options = WEAK },
  { "a root of RSA 1024", function()
    return rooted { cn = "Short", key = "rsa:1024" }
  end, "c.weak", "1024 bits", options = WEAK },
  { "SHA-1", function() return lab:server { md = "sha1" } end, "c.weak",
    "SHA%-256", options = WEAK },
  { "SHA-1 in the intermediate", function()
    return below { md = "sha1" }
  end, "c.weak", "SHA%-256", options = WEAK },
  { "SHA-1 in the root's own signature, which says nothing", function()
    return rooted { cn = "Old root", md = "sha1" }
  end, "ok", options = WEAK },
  { "MD5", function()
    return rooted { cn = "RSA root", key = "rsa:2048", leaf_md = "md5" }
  end, "c.weak", "SHA%-256", options = WEAK },
  { "an intermediate of EC P-224", function()
    return below { key = "P-224" }
  end, "c.weak", "224 bits", options = WEAK },
  { "an intermediate of EC P-192", function()
    return below { key = "P-192" }
  end, "c.weak", "192 bits", options = WEAK },
  -- Kinds of key that a phone does not offer: a server with nothing else ends
  -- the handshake, the phone never sees the certificate.
  { "EC P-192", function() return lab:server { key = "P-192" } end,
    "t.handshake", "alert 40", options = WEAK_1_2 },
  { "EC P-224", function() return lab:server { key = "P-224" } end,
    "t.handshake", "alert 40", options = WEAK_1_2 },
  { "EC secp256k1", function()
    return lab:server { key = "secp256k1" }
  end, "t.handshake", "alert 40", options = WEAK_1_2 },
  { "Ed25519", function() return lab:server { key = "ed25519" } end,
    "t.handshake", "alert 40" },
  { "DSA", function() return lab:server { key = "dsa" } end,
    "t.handshake", "alert 40", options = WEAK },
}

groups["dates (fault 46)"] = {
  { "expired", function()
    return lab:server { from = now - 9 * DAY, to = now - DAY }
  end, "c.expired", "expired %d+" },
  { "an expired intermediate", function()
    return below { from = now - 9 * DAY, to = now - DAY }
  end, "c.expired", "Lab Sub CA" },
  { "an expired root", function()
    return rooted { cn = "Tired root", from = now - 9 * DAY, to = now - DAY }
  end, "c.expired", "Tired root" },
  { "not yet valid", function()
    return lab:server { from = now + DAY, to = now + 9 * DAY }
  end, "c.future", "not valid before" },
  { "an intermediate that is not yet valid", function()
    return below { from = now + DAY, to = now + 9 * DAY }
  end, "c.future", "Lab Sub CA" },
  { "a hundred years long", function()
    return lab:server { days = 36500 }
  end, "ok" },
}

groups["chains (fault 46, 53)"] = {
  { "with its intermediate", function() return below {} end, "ok" },
  { "self-signed", function()
    return lab:issue { subject = { { "CN", "localhost" } },
      sans = { "DNS:localhost" } }
  end, "c.untrusted", "self%-signed" },
  { "below a foreign root", function()
    return lab:server { by = lab:authority { cn = "Foreign" } }
  end, "c.untrusted", "Foreign" },
  { "below a foreign root of the same name", function()
    return lab:server { by = lab:authority { days = 99 } }
  end, "c.untrusted" },
  { "below a foreign root, which is sent", function()
    local foreign = lab:authority { cn = "Foreign" }
    return with_chain(lab:server { by = foreign }, foreign)
  end, "c.untrusted" },
  { "without its intermediate", function()
    local made = below {}
    return { cert = made.cert, key = made.key }
  end, "c.untrusted", "intermediate" },
  { "with another's signature", function()
    return lab:server { patch = nul, signer = sub_ca {} }
  end, "c.untrusted" },
  { "an intermediate that is no CA", function()
    return below { is_ca = false }
  end, "c.untrusted" },
  { "an intermediate that may not sign certificates", function()
    return below { usage = "cRLSign" }
  end, "c.untrusted" },
  { "below more intermediates than pathlen allows", function()
    return below { cn = "Below", by = sub_ca { pathlen = 0, cn = "Last" } }
  end, "c.untrusted" },
  { "as many intermediates as pathlen allows", function()
    return below { cn = "Below", by = sub_ca { pathlen = 1, cn = "Last" } }
  end, "ok" },
  -- RFC 5246 7.4.2 demands the order; RFC 8446 4.4.2 would like clients to
  -- cope: mbedTLS looks for an issuer behind what it signed only.
  { "in the wrong order", function()
    local first = sub_ca { cn = "First" }
    local second = sub_ca { cn = "Second", by = first }
    return with_chain(lab:server { by = second }, first, second)
  end, "c.untrusted", "CN=First" },
  { "with strangers among it: RFC 8446 4.4.2", function()
    local sub = sub_ca {}
    return with_chain(lab:server { by = sub },
      lab:authority { cn = "Foreign" }, lab:server { cn = "other" }, sub)
  end, "ok" },
  { "with its root, which is not needed", function()
    return with_chain(lab:server {}, lab.ca)
  end, "ok" },
  { "8 deep, as deep as is looked", function() return deep(6, "e") end,
    "ok" },
  { "20 deep", function() return deep(20, "t") end, "c.untrusted",
    "too long" },
  { "50 deep, more than one message (fault 53)", function()
    return deep(50, "f")
  end, "t.handshake", "16" },
}

groups["purposes and constraints"] = {
  { "for clients alone (fault 46)", function()
    return lab:server { eku = "clientAuth" }
  end, "c.untrusted", "serverAuth" },
  { "for clients and servers", function()
    return lab:server { eku = "clientAuth,serverAuth" }
  end, "ok" },
  { "for anything", function()
    return lab:server { eku = "anyExtendedKeyUsage" }
  end, "ok" },
  { "without a purpose, which is for all", function()
    return lab:issue { subject = { { "CN", "x" } }, by = lab.ca,
      sans = { "DNS:localhost" } }
  end, "ok" },
  { "below an intermediate for clients alone: RFC 5280 4.2.1.12 speaks of "
    .. "the key in the certificate, not of those below", function()
    return below { eku = "clientAuth" }
  end, "ok" },
  { "whose key may not sign", function()
    return lab:server { usage = "keyAgreement" }
  end, "c.untrusted", "keyUsage" },
  { "critical name constraints, which are not honoured", function()
    return below { extra = "nameConstraints = critical,permitted;DNS:net" }
  end, "c.untrusted", "critical or repeated extension" },
  { "an unknown critical extension", function()
    return lab:server { extra = "1.2.3.4.5 = critical,DER:0500" }
  end, "c.untrusted", "critical or repeated extension" },
  { "an unknown critical extension in the intermediate", function()
    return below { extra = "1.2.3.4.5 = critical,DER:0500" }
  end, "c.untrusted", "critical or repeated extension" },
  { "an unknown extension that is not critical", function()
    return lab:server { extra = "1.2.3.4.5 = DER:0500" }
  end, "ok" },
}

groups["names (fault 46 to 48)"] = {
  { "vector 1: the CN is the host", function()
    return named("sprov.callme.com")
  end, "ok", host = "sprov.callme.com" },
  { "vector 2: a CN with an address behind the slash (fault 47)", function()
    return named("pv.telco.net/mailto:admin@telco.net")
  end, "ok", host = "pv.telco.net" },
  { "vector 3: capitals and a dot at the end", function()
    return named("prof.voice.com/info@voice.com")
  end, "ok", host = "PROF.voice.com." },
  { "vector 4: the domain of the CN", function()
    return named("pv.telco.net/mailto:admin@telco.net")
  end, "c.name", "not for telco%.net", host = "telco.net" },
  { "vector 5: the host behind the slash", function()
    return named("pv.telco.net/admin.telco.net")
  end, "c.name", "admin%.telco%.net", host = "admin.telco.net" },
  { "vector 6: the SAN decides (fault 47)", function()
    return named("pv.telco.net", "DNS:other.net")
  end, "c.name", "other%.net", host = "pv.telco.net" },
  { "vector 7: a SAN with a mail address only", function()
    return named("pv.telco.net/x", "email:a@b.c")
  end, "ok", host = "pv.telco.net" },
  { "vector 8: a wildcard is one label", function()
    return named("x", "DNS:*.telco.net")
  end, "c.name", "%*%.telco%.net", host = "a.b.telco.net" },
  { "vector 9: an address in the SAN", function()
    return named("x", "IP:127.0.0.1")
  end, "ok", host = "127.0.0.1" },
  { "vector 10: an address as a DNS name in the SAN", function()
    return named("x", "DNS:127.0.0.1")
  end, "c.name", "127%.0%.0%.1", host = "127.0.0.1" },
  { "vector 11: the host behind another one's slash", function()
    return named("sprov.callme.com.evil.org/sprov.callme.com")
  end, "c.name", "evil%.org", host = "sprov.callme.com" },
  { "an IPv6 address in the SAN", function()
    return named("x", "IP:::1")
  end, "ok", host = "[::1]", address = "[::1]" },
  { "another IPv6 address", function()
    return named("x", "IP:::2")
  end, "c.name", "::2", host = "[::1]", address = "[::1]" },
  { "an address in the CN, for that address: as texts they are equal",
    function() return named("127.0.0.1") end, "ok", host = "127.0.0.1" },
  { "an address in the CN, for a name (fault 48)", function()
    return named("127.0.0.1")
  end, "c.name", "127%.0%.0%.1" },
  { "another address in the CN (fault 48)", function()
    return named("127.0.0.2")
  end, "c.name", "127%.0%.0%.2", host = "127.0.0.1" },
  { "a wildcard", function() return named("x", "DNS:*.telco.net") end,
    "ok", host = "pv.telco.net" },
  { "a wildcard in the CN", function() return named("*.telco.net") end,
    "ok", host = "pv.telco.net" },
  { "a wildcard for its own domain", function()
    return named("x", "DNS:*.telco.net")
  end, "c.name", "%*%.telco%.net", host = "telco.net" },
  { "a wildcard in the middle (fault 48)", function()
    return named("x", "DNS:a.*.telco.net")
  end, "c.name", "%*", host = "a.b.telco.net" },
  { "a wildcard in the middle of the CN (fault 48)", function()
    return named("a.*.telco.net")
  end, "c.name", "%*", host = "a.b.telco.net" },
  { "half a label as a wildcard", function()
    return named("x", "DNS:p*.telco.net")
  end, "c.name", "%*", host = "pv.telco.net" },
  { "two wildcards", function()
    return named("x", "DNS:*.*.telco.net")
  end, "c.name", "%*", host = "a.b.telco.net" },
  { "a wildcard with one label behind it", function()
    return named("x", "DNS:*.net")
  end, "c.name", "%*", host = "telco.net" },
  { "a lone star", function() return named("x", "DNS:*") end, "c.name",
    "%*" },
  { "a lone star in the CN", function() return named("*") end, "c.name",
    "%*" },
  { "a wildcard for an address", function()
    return named("x", "DNS:*.0.0.1")
  end, "c.name", "%*", host = "127.0.0.1" },
  { "a wildcard for an A-label", function()
    return named("x", "DNS:*.telco.net")
  end, "c.name", "xn%-%-", host = "xn--bcher-kva.telco.net" },
  { "a NUL in the CN (fault 48)", function()
    return lab:server { cn = "pv.telco.net!.evil.org", sans = {},
      patch = nul }
  end, "c.name", "NUL", host = "pv.telco.net" },
  { "a NUL in the SAN (fault 48)", function()
    return lab:server { cn = "x", sans = { "DNS:pv.telco.net!.evil.org" },
      patch = nul }
  end, "c.name", "NUL", host = "pv.telco.net" },
  { "a NUL beside the right name (fault 48)", function()
    return lab:server { cn = "x", patch = nul,
      sans = { "DNS:pv.telco.net", "DNS:pv.telco.net!.evil.org" } }
  end, "c.name", "NUL", host = "pv.telco.net" },
  { "no name at all", function()
    return lab:issue { subject = { { "O", "Telco" } }, by = lab.ca }
  end, "c.name", "nobody" },
  { "the last of several CNs, the most specific", function()
    return lab:issue { by = lab.ca, subject = { { "CN", "other.net" },
      { "CN", "pv.telco.net" } } }
  end, "ok", host = "pv.telco.net" },
  { "the first of several CNs", function()
    return lab:issue { by = lab.ca, subject = { { "CN", "pv.telco.net" },
      { "CN", "other.net" } } }
  end, "c.name", "other%.net", host = "pv.telco.net" },
  { "the last of 500 names", function()
    local list = names(500)
    list[1], list[500] = list[500], list[1]
    return named("x", table.unpack(list))
  end, "ok" },
  { "10,000 names, more than one message (fault 53)", function()
    return named("x", table.unpack(names(10000)))
  end, "t.handshake", "16" },
  { "any name, where HTTPS_Name_Validate is No", function()
    return named("x", "DNS:other.net")
  end, "ok", set = { HTTPS_Name_Validate = "No" } },
  { "the CN, where HTTPS_CN_Fallback is No", function()
    return named("pv.telco.net")
  end, "c.name", host = "pv.telco.net", set = { HTTPS_CN_Fallback = "No" } },
}

-- Names that the DNS check has to find where the server is.
local function records()
  local list = {}
  for _, cases in pairs(groups) do
    for _, case in ipairs(cases) do
      local host = (case.host or ""):lower():gsub("%.$", "")
      if host:find("%a") then list[host] = { "127.0.0.1" } end
    end
  end
  return list
end

setup(function()
  lab = pki.shared()
  root = process.temp_dir()
  write(root .. "/a.xml", profile { GPP_C = "got" })
  if servers.find("dnsmasq") then
    dns = servers.dnsmasq { records = records() }
    phone = badssl.phone { ca = lab.ca.cert,
      dns = "127.0.0.1:" .. dns.dns_port }
  end
end)

teardown(function()
  if dns then dns:stop() end
  process.remove(root)
end)

local function meet(case)
  local made = case[2]()
  local chain = made.sent or made.by and made.by.by and made.by.chain
  local server <close> = servers.s_server { cert = made.cert, key = made.key,
    root = root, chain = chain or nil, address = case.address,
    options = case.options }
  local p = phone
  if made.trusted then
    p = badssl.phone { ca = made.trusted, dns = "127.0.0.1:" .. dns.dns_port }
  end
  return p:get(("https://%s:%d/a.xml"):format(case.host or "localhost",
    server.https_port), case.set), p
end

for title, cases in pairs(groups) do
  describe("a server's certificate, " .. title .. ":", function()
    for _, case in ipairs(cases) do
      it(("%s: %s"):format(case[1], case[3]), function()
        if not need("dnsmasq") then return end
        local before = phone.store:revision()
        local got = meet(case)
        assert.equal(case[3], got.word, got.sentence)
        if case[4] then assert.matches(case[4], got.sentence) end
        if got.word ~= "ok" then
          assert.equal(before, phone.store:revision())
        end
      end)
    end
  end)
end
