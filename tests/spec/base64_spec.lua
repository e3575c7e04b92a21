local base64 = require "peal.base64"

describe("base64", function()
  -- RFC 4648 section 10
  local VECTORS <const> = { [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v",
    foob = "Zm9vYg==", fooba = "Zm9vYmE=", foobar = "Zm9vYmFy",
    ["\0\255\254"] = "AP/+" }
  for bytes, text in pairs(VECTORS) do
    it(("writes and reads %q"):format(text), function()
      assert.are.equal(text, base64.encode(bytes))
      assert.are.equal(bytes, base64.decode(text))
    end)
  end

  it("has lines of 64 letters where they are wanted", function()
    local text = base64.encode(("x"):rep(100), true)
    assert.matches("^%S+\n%S+\n%S+\n$", text)
    assert.are.equal(64, #text:match("^%S+"))
    assert.are.equal(("x"):rep(100), base64.decode(text:gsub("\n", "\r\n")))
    assert.are.equal(65, #base64.encode(("x"):rep(48), true))
  end)

  for _, text in ipairs { "Z", "Zg", "Zg=", "Zg===", "=", "Z=g=", "Zm9v!",
    "Zm-v", "\0" } do
    it(("refuses %q"):format(text), function()
      local bytes, _, word = base64.decode(text)
      assert.is_nil(bytes)
      assert.are.equal("corrupt", word)
    end)
  end
end)
