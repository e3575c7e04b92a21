-- peal.trust as scripts see it; the handshakes are in tests/c/trust_test.c.
local trust = require("peal.trust")

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
end)
