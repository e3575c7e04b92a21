local secret = require "peal.secret"

local function lookup(name)
  return ({ GPP_SA = "Gehe1m" })[name]
end

describe("a reference to a secret", function()
  it("says nothing of the secret", function()
    local reference = secret.reference("GPP_SA", "Gehe1m")
    assert.is_nil(reference:find("Gehe1m", 1, true))
    assert.are.equal("x-********", secret.mask("x-" .. reference))
  end)

  it("can be joined with other text and passed on", function()
    local reference = secret.reference("GPP_SA", "Gehe1m")
    assert.are.equal("pre-Gehe1m-Gehe1m",
      secret.resolve("pre-" .. reference .. "-" .. reference, lookup))
  end)

  it("is the empty text for an empty secret", function()
    assert.are.equal("", secret.reference("GPP_SB", ""))
  end)

  it("cannot be taken apart", function()
    local part = secret.reference("GPP_SA", "Gehe1m"):sub(1, 4)
    local text, sentence, word = secret.resolve(part, lookup)
    assert.is_nil(text)
    assert.are.equal("a part of a secret cannot be taken", sentence)
    assert.are.equal("invalid", word)
  end)

  it("cannot name a secret that there is not", function()
    assert.is_nil(secret.resolve("\0Nope\0", lookup))
  end)

  it("leaves text without references as it is", function()
    assert.are.equal("plain", secret.resolve("plain", lookup))
    assert.are.equal("plain", secret.mask("plain"))
  end)
end)
