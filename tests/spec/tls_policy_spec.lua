-- How strict a TLS connection is, the DNS check, and the second look at a
-- certificate that fails: on the virtual world. Real servers are in
-- live_lists_spec.lua and live_dns_check_spec.lua.
-- Source: MPP administration guide, "HTTPS provisioning",
-- TLS_Client_Min_Version, TLS_Cipher_List; Gigaset wiki, Security.
local cases = require "support.cases"
local certificates = require "peal.certificates"
local certs = require "support.certs"
local explain = require "peal.explain"
local issue = require "peal.issue"
local keyring = require "peal.keyring"
local phone = require "peal.phone"
local process = require "support.process"
local registry = require "peal.registry"
local store = require "peal.store"
local tls_policy = require "peal.tls_policy"
local trust = require "peal.trust"
local virtual = require "peal.world.virtual"

local ACCEPT_ALL <const> =
  "SystemSettings.Security_Certificates_AcceptAllCertificates"

local schema, lab
setup(function()
  schema = assert(registry.load {})
  lab = certs.new()
end)

-- A phone; options of the virtual world, params on top.
local function new(options, params)
  local st = assert(store.open { schema = schema })
  local txn = assert(st:begin())
  txn:source { author = "phone-file" }
  for name, text in pairs(params or {}) do assert(txn:set(name, text)) end
  assert(txn:commit("initial", 0))
  options = options or {}
  options.store = st
  local world = virtual.new(options)
  world.trust = options.trust
  return phone.new { world = world, identity = {} }, world
end

-- The policy, and the words of what was said.
local function policy(p)
  local words = {}
  local t = tls_policy.policy(p, { note = function(_, word)
    words[#words + 1] = word
  end })
  return t, words
end

describe("a policy", function()
  it("is strict where nobody says otherwise", function()
    local anchors = trust.anchors()
    local p = new { trust = { anchors = anchors } }
    local t, said = policy(p)
    assert.same({ anchors = anchors, min_version = "1.2", check_name = true,
      cn_fallback = true, min_rsa_bits = 2048, now = certs.NOW }, t)
    assert.same({}, said)
  end)

  it("goes by the parameters, and says what weakens it each time", function()
    local p = new(nil, { HTTPS_Name_Validate = "No", TLS_Min_RSA_Bits = "1024",
      HTTPS_CN_Fallback = "No", TLS_Client_Min_Version = "TLS 1.3" })
    for _ = 1, 2 do
      local t, said = policy(p)
      assert.same({ false, false, 1024, "1.3" }, { t.check_name,
        t.cn_fallback, t.min_rsa_bits, t.min_version })
      assert.same({ "tls-name", "tls-weak" }, said)
    end
  end)

  for _, row in ipairs {
    { "TLS_Min_Version counts alone", { TLS_Min_Version = "TLS 1.3" }, "1.3",
      {} },
    { "the new name wins where both are set",
      { TLS_Min_Version = "TLS 1.3", TLS_Client_Min_Version = "TLS 1.1" },
      "1.2", { "tls-version", "tls-version" } },
    { "TLS 1.1 acts as TLS 1.2", { TLS_Client_Min_Version = "TLS 1.1" },
      "1.2", { "tls-version" } },
    { "SSL 3.0 is stored and ignored", { Enable_SSLv3 = "Yes" }, "1.2",
      { "tls-version" } },
  } do
    it("knows versions: " .. row[1], function()
      local t, said = policy((new(nil, row[2])))
      assert.equal(row[3], t.min_version)
      assert.same(row[4], said)
    end)
  end

  it("offers the suites of TLS_Cipher_List, and says what it skips",
    function()
      local p = new(nil, { TLS_Cipher_List = "ECDHE+AESGCM:no-such" })
      local t, said = policy(p)
      assert.is_true(#t.ciphers:names() > 0)
      assert.same({ "tls-ciphers" }, said)
      assert.matches("no%-such", tls_policy.cipher_problem(p))
      assert.is_nil(tls_policy.cipher_problem((new())))
      t, said = policy(p)
      assert.equal(t.ciphers, policy(p).ciphers) -- read once
      assert.same({}, said) -- and said once
      assert.is_nil(policy((new())).ciphers)
    end)

  it("warns of a clock that is not set once for a boot", function()
    local p = new { device = { clock_trusted = false } }
    assert.same({ "clock" }, select(2, policy(p)))
    assert.same({}, select(2, policy(p)))
  end)

  it("is made once, and anew when something has changed", function()
    local anchors = trust.anchors()
    local p = new { trust = { anchors = anchors } }
    assert.equal(anchors, policy(p).anchors) -- nothing added: the same set
    p.keep:set("trust", "custom_ca", lab.ca.pem)
    tls_policy.changed(p)
    local grown = policy(p).anchors
    assert.equal(1, #grown)
    assert.equal(grown, policy(p).anchors)
    assert(certificates.import(p, certs.new().ca.pem))
    assert.equal(2, #policy(p).anchors)
  end)

  it("follows state that was reverted", function()
    local p, world = new { trust = { anchors = trust.anchors() } }
    assert(certificates.import(p, lab.ca.pem))
    assert.equal(1, #policy(p).anchors)
    local txn = assert(world.store:begin()) -- somebody else's commit
    assert(txn:state("trust", "list", nil))
    assert(txn:commit("revert", 0))
    assert.equal(0, #policy(p).anchors)
    assert.same({}, certificates.list(p))
  end)

  it("goes without a bundle that cannot be read, and says so", function()
    local p = new { trust = { anchors = trust.anchors() } }
    p.keep:set("trust", "custom_ca", "damaged")
    local t, said = policy(p)
    assert.equal(0, #t.anchors)
    assert.same({ "bad-anchors" }, said)
  end)
end)

describe("the phone's own certificate", function()
  local function client(o)
    local c = lab:make { cn = "client", to = o and o.to }
    return assert(issue.identity(c.pem, c.key)), c
  end

  it("is the maker's, until a renewed one is in the keyring", function()
    local first = client()
    local p, world = new { trust = { identity = first } }
    assert.equal(first, tls_policy.identity(p))
    assert.equal(first, policy(p).identity)
    local c = lab:make { cn = "renewed" }
    assert(world.keyring:install("mic", { ["cert.pem"] = c.pem },
      { ["key.pem"] = c.key }))
    tls_policy.changed(p)
    assert.equal("CN=renewed", tls_policy.identity(p):facts().subject)
  end)

  it("is the maker's again where the renewed one cannot be read, and that is "
    .. "said once", function()
      local dir = assert(process.temp_dir())
      finally(function() process.remove(dir) end)
      local first = client()
      local p, world = new { trust = { identity = first },
        keyring = assert(keyring.open(dir .. "/keys")) }
      local c = lab:make { cn = "renewed" }
      assert(world.keyring:install("mic", { ["cert.pem"] = c.pem },
        { ["key.pem"] = c.key }))
      process.chmod(dir .. "/keys/mic/1/key.pem", 420) -- 0644
      local said = {}
      local t = tls_policy.policy(p, { note = function(_, word, _, sentence)
        said[#said + 1] = { word, sentence }
      end })
      assert.equal(first, t.identity)
      assert.equal("bad-key", said[1][1])
      assert.matches("key.pem can be read by others", said[1][2])
      assert.same({}, select(2, policy(p)))
    end)

  it("is the one before where the newest is damaged, and that is said",
    function()
      local dir = assert(process.temp_dir())
      finally(function() process.remove(dir) end)
      local p, world = new { keyring = assert(keyring.open(dir .. "/keys")) }
      for i = 1, 2 do
        local c = lab:make { cn = "renewed " .. i }
        assert(world.keyring:install("mic", { ["cert.pem"] = c.pem },
          { ["key.pem"] = c.key }))
      end
      process.remove(dir .. "/keys/mic/2/cert.pem")
      local t, said = policy(p)
      assert.equal("CN=renewed 1", t.identity:facts().subject)
      assert.same({ "bad-key" }, said)
    end)

  it("may have its key in the device, which signs", function()
    local c = lab:make { cn = "element" }
    local p = new { device = { certificate = c.pem,
      sign = function() return nil, "no" end } }
    assert.equal("CN=element", tls_policy.identity(p):facts().subject)
    p = new { device = { certificate = "no PEM",
      sign = function() return nil, "no" end } }
    local t, said = policy(p)
    assert.is_nil(t.identity)
    assert.same({ "bad-key" }, said)
  end)

  it("makes $CCERT Installed", function()
    local function ccert(p)
      return p:variables()("CCERT"), p.identity.CCERT
    end
    local p = new()
    assert.same({ "Not Installed", "Not Installed" }, { ccert(p) })
    p.world.trust = { identity = client() }
    tls_policy.changed(p)
    assert.same({ "Installed", "Installed" }, { ccert(p) })
  end)

  it("is shown though it has expired, and that is said once", function()
    local old = client { to = certs.NOW - 1 }
    local p = new { trust = { identity = old } }
    local t, said = policy(p)
    assert.equal(old, t.identity)
    assert.same({ "mic-expired" }, said)
    assert.same({}, select(2, policy(p)))
  end)
end)

describe("TLS sessions", function()
  local function sealed_device()
    return { seal = function(bytes) return "sealed" .. bytes:reverse() end,
      unseal = function(bytes)
        if bytes:sub(1, 6) ~= "sealed" then return nil, "no", "corrupt" end
        return bytes:sub(7):reverse()
      end }
  end

  local function with_sessions(p, bytes)
    p.world.sessions = function() return bytes end
    p.world.resume = function(got) p.world.resumed = got end
  end

  it("are kept sealed, and taken up once after a restart", function()
    local p = new { device = sealed_device() }
    with_sessions(p, "secret\0bytes")
    tls_policy.save_sessions(p)
    local kept = p.keep:get("tls", "sessions")
    assert.is_nil(kept:find("secret", 1, true))
    tls_policy.restore_sessions(p)
    assert.equal("secret\0bytes", p.world.resumed)
    p.world.resumed = nil
    tls_policy.restore_sessions(p)
    assert.is_nil(p.world.resumed)
  end)

  it("are not kept at all where the device cannot seal", function()
    local p = new()
    with_sessions(p, "secret")
    tls_policy.save_sessions(p)
    assert.is_nil(p.keep:get("tls", "sessions"))
    p.keep:set("tls", "sessions", "secret")
    tls_policy.restore_sessions(p)
    assert.is_nil(p.world.resumed)
  end)

  it("of another phone are left alone", function()
    local p = new { device = sealed_device() }
    with_sessions(p, "")
    p.keep:set("tls", "sessions", "foreign")
    tls_policy.restore_sessions(p)
    assert.is_nil(p.world.resumed)
  end)
end)

describe("what weakens trust", function()
  local function words(params, files)
    local p = new(nil, params)
    p.book.status = files and function() return files end or p.book.status
    local out = {}
    for i, one in ipairs(tls_policy.weaknesses(p)) do
      out[i] = one.word
      assert.matches(one.param or one.word == "trust-rule" and "trust%.lua",
        one.sentence)
    end
    return out, p
  end

  it("is nothing at first", function() assert.same({}, (words {})) end)

  for param, row in pairs {
    [ACCEPT_ALL] = { "1", "accept-all" },
    HTTPS_Name_Validate = { "No", "tls-name" },
    HTTPS_DNS_Check = { "Legacy", "tls-dns" },
    TLS_Min_RSA_Bits = { "1024", "tls-weak" },
  } do
    it("names " .. param, function()
      assert.same({ row[2] }, (words { [param] = row[1] }))
    end)
  end

  it("is no version that is not spoken whoever asks for it", function()
    assert.same({}, (words { TLS_Client_Min_Version = "TLS 1.0",
      TLS_Min_Version = "TLS 1.0", Enable_SSLv3 = "Yes" }))
  end)

  it("names a rule file of the operator's own", function()
    assert.same({ "trust-rule" }, (words({}, { { stage = "trust",
      state = "operator", path = "/rules/trust.lua" } })))
  end)

  it("names a CA that came over the open network", function()
    local p = new()
    assert.same({}, tls_policy.weaknesses(p))
    p.keep:set("trust", "custom_ca", lab.ca.pem)
    assert.same({}, tls_policy.weaknesses(p))
    p.keep:set("trust", "custom_ca_by", "http")
    local one = tls_policy.weaknesses(p)[1]
    assert.equal("ca-in-clear", one.word)
    assert.matches("came by http", one.sentence)
  end)
end)

-- A server that shows `cert`, and fails with `word` unless it is pinned. about:
-- cert, word, text, private, chain (further certificates), status and headers
-- where it is pinned
local function server(about)
  return function(request)
    local tls = certs.tls(about.cert, table.unpack(about.chain or {}))
    tls.anchor_private = about.private
    local pinned = request.tls.pinned
    local why = request.tls.dns_failure
    if pinned and pinned:has(about.cert.id) then
      tls.pinned = true
      return { status = about.status or 200, headers = about.headers or {},
        tls = tls, sent = 1,
        body = "<flat-profile><GPP_A>got</GPP_A></flat-profile>" }
    elseif why and not about.word then
      return nil, why, "c.dns", { tls = tls }
    elseif about.word then
      return nil, about.text or "it is wrong", about.word, { tls = tls }
    end
    return { status = 200, headers = {}, tls = tls, sent = 1,
      body = "<flat-profile></flat-profile>", delay = about.delay }
  end
end

-- A resync of `rule` from it; options: params, dns, rules, device, trust,
-- prepare.
local function resync(rule, about, options)
  options = options or {}
  local params = { Profile_Rule = rule }
  for name, text in pairs(options.params or {}) do params[name] = text end
  local handler = server(about)
  return cases.run { phone = { params = params, device = options.device },
    dns = options.dns, rules = options.rules, runs = options.runs,
    trust = options.trust, prepare = options.prepare,
    server = { ["*"] = { function(request)
      local answer, sentence, word, facts = handler(request)
      if answer then return answer end
      return { error = word, text = sentence, facts = facts }
    end } } }
end

local function outcome(run)
  local result = run.results[#run.results]
  return result.failure and result.failure.word or result.outcome
end

local function noted(run, word)
  for _, note in ipairs(run.results[#run.results].notes) do
    if note.word == word then return note.text end
  end
end

describe("the DNS check", function()
  local ABOUT
  setup(function() ABOUT = { cert = lab:make() } end)

  local RULE <const> = "https://pv.telco.net/a"

  -- A resync where `hosts` is what names resolve to with the hosts file, and
  -- `answers` past it, both name -> list; the run, and what was asked of DNS.
  local function run(hosts, answers, options)
    options = options or {}
    local asked = {}
    function options.dns(name, kind, use_hosts)
      if not use_hosts then asked[#asked + 1] = name end
      local from = use_hosts and hosts or answers
      local found = type(from) == "function" and from(name, kind)
        or type(from) == "table" and from[name]
      if not found then return nil, "no address for " .. name, "dns" end
      local list = {}
      for i, one in ipairs(found) do
        list[i] = type(one) == "table" and one or { address = one, age = 0 }
      end
      return list
    end
    return resync(options.rule or RULE, options.about or ABOUT, options),
      asked
  end

  it("refuses an address of the hosts file that DNS does not give",
    function()
      local r = run({ ["pv.telco.net"] = { "192.168.1.66" } },
        { ["pv.telco.net"] = { "192.168.1.200" } })
      assert.equal("c.dns", outcome(r))
      assert.matches("192%.168%.1%.66", r.results[1].failure.sentence)
      assert.equal("certificate DNS check failed",
        r.results[1].failure.cause.text)
    end)

  it("passes where two addresses are given, and the peer is the second",
    function()
      local r = run({ ["pv.telco.net"] = { "192.168.1.201" } },
        { ["pv.telco.net"] = { "192.168.1.200", "192.168.1.201" } })
      assert.equal("success", outcome(r))
    end)

  it("refuses where the name server is down", function()
    local r = run({ ["pv.telco.net"] = { "192.168.1.200" } }, {})
    assert.equal("c.dns", outcome(r))
    assert.matches("cannot be looked up", r.results[1].failure.sentence)
  end)

  it("counts answers of the last minute: servers take turns", function()
    local hosts = { ["pv.telco.net"] = { "192.168.1.200" } }
    for delay, word in pairs { [30] = "success", [61] = "c.dns" } do
      local turn = 0
      local r = run(hosts, function()
        turn = turn + 1
        return { turn == 1 and "192.168.1.200" or "192.168.1.201" }
      end, { runs = 2, about = { cert = ABOUT.cert, delay = delay } })
      assert.equal(word, outcome(r))
    end
  end)

  it("asks once in a minute while the answer holds the address", function()
    local known = { ["pv.telco.net"] = { "192.168.1.200" } }
    for delay, questions in pairs { [10] = 1, [61] = 2 } do
      local r, asked = run(known, known, { runs = 2,
        about = { cert = ABOUT.cert, delay = delay } })
      assert.equal("success", outcome(r))
      assert.equal(questions, #asked)
    end
  end)

  it("asks once for a name, however many addresses of it are tried",
    function()
      local addresses = { "192.168.1.66", "192.168.1.67", "192.168.1.68" }
      local r, asked = run({ ["pv.telco.net"] = addresses },
        { ["pv.telco.net"] = { "192.168.1.200" } },
        { about = { cert = ABOUT.cert, word = "connect" } })
      assert.equal("connect", outcome(r))
      assert.equal(3, #r.world.requests)
      assert.same({ "pv.telco.net" }, asked)
      for i, request in ipairs(r.world.requests) do
        assert.matches(addresses[i], request.tls.dns_failure, 1, true)
      end
    end)

  it("asks nothing for an address, a proxy, localhost, or where names are "
    .. "not checked", function()
    local everywhere = { ["pv.telco.net"] = { "192.168.1.200" },
      ["192.168.1.200"] = { "192.168.1.200" }, ["p"] = { "192.168.1.9" },
      localhost = { "127.0.0.1" }, ["x.localhost"] = { "::1" } }
    for _, options in ipairs {
      { rule = "https://192.168.1.200/a" }, { rule = "https://localhost/a" },
      { rule = "https://x.localhost/a" },
      { params = { HTTPS_Name_Validate = "No" } },
      { params = { HTTPS_DNS_Check = "No" } },
      { params = { Proxy_Mode = "Manual", Proxy_Host = "p" } } } do
      local r, asked = run(everywhere, {}, options)
      assert.equal("success", outcome(r))
      assert.same({}, asked)
    end
  end)

  it("refuses a localhost that is somewhere else", function()
    local r = run({ localhost = { "192.168.1.66" } }, {},
      { rule = "https://localhost/a" })
    assert.equal("c.dns", outcome(r))
  end)

  it("looks up the target that an SRV record names", function()
    local srv = { { target = "a.telco.net", port = 443, priority = 0,
      weight = 0, age = 0 } }
    local hosts = { ["a.telco.net"] = { "192.168.1.200" } }
    local function answers(name, kind)
      if kind == "SRV" then return srv end
      return hosts[name]
    end
    local r = run(hosts, answers, { rule = "[--srv] https://telco.net/a" })
    assert.equal("success", outcome(r))
  end)

  describe("Legacy", function()
    local named, wild
    setup(function()
      named = lab:make { cn = "pv.telco.net/free text" }
      wild = lab:make { cn = "x", sans = { "DNS:*.telco.net",
        "DNS:pv.telco.net" } }
    end)

    local answers = { ["pv.telco.net"] = { "192.168.1.200" } }

    local function by_address(about, mode)
      about.word, about.text = "c.name", "another name"
      return run({ ["192.168.1.200"] = { "192.168.1.200" } }, answers,
        { about = about, rule = "https://192.168.1.200/x",
          params = { HTTPS_DNS_Check = mode } })
    end

    it("Yes refuses a bare address, whatever the name's is", function()
      assert.equal("c.name", outcome((by_address({ cert = named,
        private = true }, "Yes"))))
    end)

    it("passes with a private anchor where the certificate's name has the "
      .. "server's address", function()
      for _, cert in ipairs { named, wild } do
        local r = by_address({ cert = cert, private = true }, "Legacy")
        assert.equal("success", outcome(r))
        assert.matches("pv%.telco%.net has the address", noted(r, "trust"))
        local again = r.world.requests[2].tls
        assert.is_nil(r.world.requests[2].auth) -- checked in another way
        assert.is_true(again.once)
        assert.equal(1, #again.pinned)
        assert.is_nil(r.phone.keep:get("trust", "list"))
      end
    end)

    it("refuses with a public anchor", function()
      assert.equal("c.name", outcome((by_address({ cert = named,
        private = false }, "Legacy"))))
    end)

    it("refuses where the name has another address", function()
      answers["pv.telco.net"] = { "192.168.1.201" }
      assert.equal("c.name", outcome((by_address({ cert = named,
        private = true }, "Legacy"))))
      answers["pv.telco.net"] = { "192.168.1.200" }
    end)
  end)
end)

describe("the rule trust.lua", function()
  local RULE <const> = "https://192.0.2.7/a"
  local bad, other

  setup(function()
    bad, other = lab:make { cn = "bad" }, certs.new()
  end)

  it("of the factory refuses and lists", function()
    local r = resync(RULE, { cert = bad, word = "c.expired",
      text = "expired 2 days ago" })
    assert.equal("c.expired", outcome(r))
    assert.equal("expired 2 days ago", r.results[1].failure.sentence)
    assert.equal(1, #r.world.requests)
    local listed = certificates.find(r.phone, bad.id)
    assert.same({ "invalid", "c.expired", "192.0.2.7" }, { listed.state,
      listed.reason, listed.host })
  end)

  it("lists the unknown CA on top as well", function()
    local r = resync(RULE, { cert = other:make(), word = "c.untrusted",
      chain = { other.ca } })
    assert.equal("c.untrusted", outcome(r))
    assert.equal("invalid", certificates.find(r.phone, other.ca.id).state)
  end)

  it("accepts all where the switch is on: connected once, listed, and said "
    .. "each time", function()
    local r = resync(RULE, { cert = bad, word = "c.untrusted",
      text = "no trusted root" }, { params = { [ACCEPT_ALL] = "1",
        Profile_Rule_B = RULE } })
    assert.equal("success", outcome(r))
    assert.equal("got", r.store:get("GPP_A"))
    assert.equal("invalid", certificates.find(r.phone, bad.id).state)
    local said = 0
    for _, line in ipairs(r.world.lines) do
      if line:find("is let pass, although: no trusted root", 1, true) then
        said = said + 1
      end
    end
    assert.equal(2, said)
    local once = {}
    for i, request in ipairs(r.world.requests) do
      once[i] = request.tls.once or false
    end
    assert.same({ false, true, false, true }, once) -- nothing of it is kept
  end)

  it("shows no server that it lets pass who the phone is", function()
    local own = certs.new():self { cn = "phone" }
    local id = assert(issue.identity(own.pem, own.key))
    local r = resync(RULE, { cert = bad, word = "c.untrusted" },
      { params = { [ACCEPT_ALL] = "1" }, trust = { identity = id } })
    assert.equal("success", outcome(r))
    assert.equal(id, r.world.requests[1].tls.identity)
    assert.is_nil(r.world.requests[2].tls.identity)
  end)

  it("gives no server that it lets pass a password by Basic, and says so",
    function()
      local about = { cert = bad, word = "c.untrusted", status = 401,
        headers = { ["WWW-Authenticate"] = 'Basic realm="x"' } }
      for _, params in ipairs {
        { ["Security.global.HTTPAuthUsername"] = "base01",
          ["Security.global.HTTPAuthPassword"] = "pw74" },
        { Profile_Rule = "[--uid me --pwd mine] " .. RULE } } do
        params[ACCEPT_ALL] = "1"
        local r = resync(RULE, about, { params = params })
        assert.same({ "digest" }, r.world.requests[2].auth)
        assert.matches("wants Basic, and its certificate has failed a check",
          noted(r, "withheld"))
        assert.matches("was only let pass", r.results[1].failure.sentence)
      end
    end)

  it("may give one by Basic where the lists hold the certificate", function()
    local r = resync("[--uid me --pwd mine] " .. RULE, { cert = bad,
      word = "c.expired" }, { prepare = function(p)
        certificates.note_failure(p, certs.tls(bad), "c.expired", "h")
        assert(certificates.accept(p, bad.id))
      end })
    assert.equal("success", outcome(r))
    assert.is_nil(r.world.requests[1].auth)
  end)

  it("is not asked about a rejected one", function()
    local r = resync(RULE, { cert = bad, word = "c.rejected" },
      { params = { [ACCEPT_ALL] = "1" } })
    assert.equal("c.rejected", outcome(r))
    assert.equal(1, #r.world.requests)
    assert.is_nil(noted(r, "trust"))
  end)

  it("is not asked about other failures of TLS", function()
    for _, word in ipairs { "t.version", "t.client", "t.handshake",
      "connect" } do
      assert.equal(word, outcome(resync(RULE, { cert = bad, word = word },
        { params = { [ACCEPT_ALL] = "1" } })))
    end
  end)

  it("of an operator sees the facts, and decides", function()
    local r = resync(RULE, { cert = bad, word = "c.weak",
      text = "1024 bits", private = true }, { rules = { ["trust.lua"] = [[
      return { stage = "trust", decide = function(phone)
        local c = phone.certificate
        local ok = phone.word == "c.weak" and phone.sentence == "1024 bits"
          and phone.host == "192.0.2.7" and phone.port == 443
          and phone.address == "192.0.2.7"
          and phone.url == "https://192.0.2.7/a"
          and c.subject == "CN=bad" and #c.sha256 == 64 and c.der == nil
          and #phone.chain == 1 and phone.anchor_private
          and not phone.accept_all
        return { accept = ok, list = false, reason = "an old server" }
      end }]] } })
    assert.equal("success", outcome(r))
    assert.matches("an old server", noted(r, "trust"))
    assert.is_nil(r.phone.keep:get("trust", "list"))
  end)

  it("may name another word and reason", function()
    local r = resync(RULE, { cert = bad, word = "c.name" }, { rules = {
      ["trust.lua"] = [[return { stage = "trust", decide = function()
        return { accept = false, word = "c.rejected", reason = "not here" }
      end }]] } })
    assert.equal("c.rejected", outcome(r))
    assert.equal("not here", r.results[1].failure.sentence)
  end)

  it("that is broken refuses", function()
    for _, text in ipairs { "error 'x'", [[return { stage = "trust",
      decide = function() return { accept = 1 } end }]],
      [[return { stage = "trust", decide = function()
        return { accept = false, word = "c.nonsense" } end }]] } do
      local r = resync(RULE, { cert = bad, word = "c.name" },
        { rules = { ["trust.lua"] = text } })
      assert.equal("c.name", outcome(r))
      assert.equal(1, #r.world.requests)
    end
  end)

  it("is told of dates while the clock is not set, and lists nothing then",
    function()
      local device = { clock_trusted = false }
      local r = resync(RULE, { cert = bad, word = "c.future" },
        { device = device })
      assert.equal("clock", outcome(r))
      assert.is_nil(r.phone.keep:get("trust", "list"))
      r = resync(RULE, { cert = bad, word = "c.future" },
        { device = device, params = { [ACCEPT_ALL] = "1" } })
      assert.equal("success", outcome(r))
    end)

  it("is told by explain", function()
    local r = resync(RULE, { cert = bad, word = "c.untrusted",
      text = "no trusted root" }, { params = { [ACCEPT_ALL] = "1" } })
    local found = explain.value(r.store, "GPP_A", {})
    assert.matches("trust +let pass: no trusted root %(System",
      explain.text(found))
  end)
end)

describe("a certificate that an administrator has accepted", function()
  local RULE <const> = "https://192.0.2.7/a"

  it("passes, which is logged and told by explain", function()
    local cert = lab:make { cn = "old" }
    local about = { cert = cert, word = "c.expired" }
    local r = resync(RULE, about, { prepare = function(p)
      certificates.note_failure(p, certs.tls(cert), "c.expired", "h")
      assert(certificates.accept(p, cert.id))
    end })
    assert.equal("success", outcome(r))
    assert.matches("192%.0%.2%.7 .*lists", noted(r, "trust"))
    assert.matches("server +CN=old, .*believed by the lists",
      explain.text(explain.value(r.store, "GPP_A", {})))
  end)
end)
