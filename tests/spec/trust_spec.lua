-- peal.trust as scripts see it; the handshakes are in tests/c/trust_test.c.
local trust = require("peal.trust")
local pki = require "support.pki"

local lab = pki.shared()

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

describe("trust", function()
  it("counts anchors and says what it cannot use", function()
    local a = trust.anchors()
    assert.equal(0, #a)
    local n, sentence, word = a:add("no certificate here")
    assert.is_nil(n)
    assert.equal("no usable CA certificate in it", sentence)
    assert.equal("invalid", word)
    assert.equal("not-found", select(3, a:load("/nonexistent.pem")))
    assert.equal("peal.anchors (0)", tostring(a))
  end)

  it("says why an identity cannot be loaded", function()
    local id, sentence, word = trust.identity("/nonexistent.pem", "/x.key")
    assert.is_nil(id)
    assert.matches("/nonexistent.pem", sentence)
    assert.equal("not-found", word)
  end)

  -- MPP administration guide, "HTTPS provisioning": text after the first
  -- slash of the common name is free.
  it("cuts the common name at the slash", function()
    local cn = "pv.telco.net/mailto:admin@telco.net"
    assert.is_true(trust.name_matches("pv.telco.net", {}, cn, true))
    assert.is_false(trust.name_matches("telco.net", {}, cn, true))
    assert.is_false(trust.name_matches("pv.telco.net", {}, cn, false))
  end)

  it("prefers the subject's alternative names", function()
    assert.is_false(trust.name_matches("a.example", { "DNS:b.example" },
                                       "a.example", true))
    assert.is_true(trust.name_matches("10.0.0.1", { "IP:10.0.0.1" }, nil,
                                      true))
    assert.has_error(function() trust.name_matches("a", { 1, {} }) end)
  end)

  it("shares the roots of another set, and tells sets apart", function()
    local base = trust.anchors()
    assert.equal(1, base:load(lab.ca.cert))
    local a, b = trust.anchors(base), trust.anchors(base)
    assert.equal(1, #a)
    assert.equal(base:digest(), a:digest())
    assert.equal(1, a:load(lab:authority { cn = "Mine" }.cert, "private"))
    assert.equal(1, b:load(lab:authority { cn = "Mine" }.cert,
      { "private", "dateless" }))
    assert.equal(2, #a)
    assert.matches("^%x+$", a:digest())
    assert.not_equal(a:digest(), b:digest())
    assert.equal("bad-state", select(3, base:load(lab.ca.cert)))
    assert.has_error(function() a:load(lab.ca.cert, "public") end)
    assert.has_error(function() trust.anchors(1) end)
  end)

  it("reads the facts of certificates", function()
    local server = lab:server { cn = "pv.telco.net", sans = {
      "DNS:pv.telco.net", "IP:192.168.1.200" } }
    local text = read(server.cert) .. "words\n" .. read(lab.ca.cert)
    local list = assert(trust.parse(text))
    assert.equal(2, #list)
    local leaf, ca = list[1], list[2]
    assert.equal("pv.telco.net", leaf.cn)
    assert.equal(ca.subject, leaf.issuer)
    assert.same({ "DNS:pv.telco.net", "IP:192.168.1.200" }, leaf.sans)
    assert.same({ "serverAuth" }, leaf.purposes)
    assert.is_false(leaf.is_ca)
    assert.is_true(ca.is_ca)
    assert.is_true(ca.self_signed)
    assert.equal("EC", leaf.key_type)
    assert.equal(256, leaf.key_bits)
    assert.equal(leaf.not_after, os.date("!%Y-%m-%dT%H:%M:%SZ", leaf.to))
    assert.equal(64, #leaf.sha256)
    assert.equal(40, #leaf.sha1)
    assert.same(leaf, trust.parse(leaf.der)[1])
    assert.equal(leaf.der, trust.parse(trust.pem(leaf.der))[1].der)
  end)

  it("says what is wrong with certificates that it cannot read", function()
    assert.same({ nil, "there is no certificate in it", "invalid" },
      { trust.parse("<html>") })
    local pem = read(lab.ca.cert)
    local list, sentence, word, place =
      trust.parse(pem .. pem:gsub("M", "!"))
    assert.is_nil(list)
    assert.matches("^certificate 2, at byte %d+, is broken", sentence)
    assert.equal("corrupt", word)
    assert.equal(#pem, place.byte)
  end)

  it("writes PEM as openssl does", function()
    local pem = read(lab.ca.cert)
    assert.equal(pem, trust.pem(trust.parse(pem)[1].der))
    assert.equal("-----BEGIN X-----\nYWI=\n-----END X-----\n",
      trust.pem("ab", "X"))
    assert.equal("-----BEGIN X-----\n-----END X-----\n", trust.pem("", "X"))
  end)

  it("keeps sets of fingerprints", function()
    local a, b = ("0"):rep(64), ("Ab"):rep(32)
    local set = trust.set { a, b, a }
    assert.equal(2, #set)
    assert.is_true(set:has(b:lower()))
    assert.is_false(set:has(("1"):rep(64)))
    assert.equal(set:digest(), trust.set { b, a }:digest())
    assert.not_equal(set:digest(), trust.set { b }:digest())
    assert.equal(0, #trust.set())
    assert.has_error(function() trust.set { "12" } end)
    assert.has_error(function() trust.set { ("g"):rep(64) } end)
    assert.has_error(function() set:has(("0"):rep(65)) end)
  end)

  it("makes cipher lists, with notes", function()
    local ciphers, notes = trust.ciphers("RSA:!aNULL:!eNULL:FOO")
    assert.same({ '"FOO" is no cipher suite known here; it is skipped' },
      notes)
    local names = ciphers:names()
    assert.equal("TLS_AES_256_GCM_SHA384", names[1])
    assert.equal("TLS_RSA_WITH_AES_256_GCM_SHA384", names[4])
    ciphers, notes = trust.ciphers()
    assert.same({}, notes)
    assert.equal(13, #ciphers:names())
    assert.has_error(function() trust.ciphers("a\0b") end)
  end)

  it("shows who an identity is", function()
    local mic = lab:client()
    local id = assert(trust.identity(mic.cert, mic.key))
    local facts = id:facts()
    assert.matches("ST=000e08abcdef", facts.subject, 1, true)
    assert.same({ "clientAuth" }, facts.purposes)
    assert.matches("^%x+$", id:digest())
    assert.equal(64, #id:digest())
  end)
end)
