local decode = require "peal.decode"
local encode = require "peal.encode"

describe("encode.gzip", function()
  it("makes the same bytes each time", function()
    local one = encode.gzip("abc")
    assert.equal(one, encode.gzip("abc", 9))
    assert.equal("\x1f\x8b\x08\0\0\0\0\0", one:sub(1, 8))
    assert.not_equal(one, encode.gzip("abc", 0))
  end)
  it("takes nothing, too", function()
    assert.equal("", (decode.text(encode.gzip(""))))
  end)
end)

describe("encode.aes", function()
  it("makes the documents' example", function()
    local plain = "<flat-profile><GPP_A>12345678</GPP_A></flat-profile>"
    local hex = encode.aes(plain, "SecretPhrase1234", "md5",
      "\x01\x23\x45\x67\x89\xab\xcd\xef")
      :gsub(".", function(c) return ("%02x"):format(c:byte()) end)
    assert.equal("53616c7465645f5f0123456789abcdef05a410513bed2f734d4510b2b4"
      .. "b042dddc122e9fdb4fbeb76a4fcf526de94f94c8bdd3ca3fe428e916dbae3d5418"
      .. "2b290be0dfc884634a44a21457e5c0f53804", hex)
  end)
  it("refuses an empty key as a failure", function()
    local file, _, word = encode.aes("x", "", "md5", "8 bytes!")
    assert.is_nil(file)
    assert.equal("invalid", word)
  end)
end)

describe("encode.profile", function()
  it("writes what reads back", function()
    local list = {
      { name = "GPP_A", text = 'a<b>&"\'c]]>', ua = "rw" },
      { name = "GPP_B", text = "" },
      { name = "GPP_C", text = "1", user_pref = true, user_modified = true },
    }
    local xml = encode.profile(list)
    assert.equal([=[
<device>
<flat-profile>
<GPP_A ua="rw">a&lt;b&gt;&amp;&quot;'c]]&gt;</GPP_A>
<GPP_B/>
<GPP_C user-pref="y" um="y">1</GPP_C>
</flat-profile>
</device>
]=], xml)
    local back = decode.elements(xml)
    for i, element in ipairs(list) do
      assert.equal(element.name, back[i].name)
      assert.equal(element.text, back[i].value)
      assert.equal(element.ua, back[i].ua)
    end
  end)
  it("marks what is no value to apply", function()
    local xml = encode.profile { { name = "GPP_A", text = "***", ua = "na",
      preserve = true } }
    assert.truthy(xml:find('<GPP_A ua="na" preserve-value="y">***</GPP_A>',
      1, true))
    assert.is_true(decode.elements(xml)[1].preserve)
  end)
  it("refuses what is no element name", function()
    for _, name in ipairs { "", "a b", "1", "a>", "-a", "a:b" } do
      local xml, _, word = encode.profile { { name = name, text = "" } }
      assert.is_nil(xml)
      assert.equal("invalid", word)
    end
  end)
end)

describe("encode.escape", function()
  it("keeps text apart from markup", function()
    assert.equal("a&lt;&gt;&amp;&quot;&#10;&#13;\t?", encode.escape(
      'a<>&"\n\r\t\1'))
    assert.equal("é", encode.escape("é"))
    assert.equal("??", encode.escape("\xff\xc0"))
    assert.equal("", encode.escape(""))
  end)
end)

describe("encode.stretch", function()
  local function hex(bytes)
    return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
  end
  it("makes the keys of RFC 7914 11", function()
    assert.equal("55ac046e56e3089fec1691c22544b605"
      .. "f94185216dde0465e68b9d57c20dacbc",
      hex(encode.stretch("passwd", "salt", 1)))
    assert.equal("4ddcd8f60b98be21830cee5ef22701f9"
      .. "641a4418d04c0414aeff08876b34ab56",
      hex(encode.stretch("Password", "NaCl", 80000)))
  end)
  it("makes keys that seal, from any passphrase", function()
    local key = encode.stretch("\0é", "", 1)
    local sealed = encode.seal(key, "secret")
    assert.equal("secret", encode.unseal(key, sealed))
    assert.equal("corrupt",
      select(3, encode.unseal(encode.stretch("\0e", "", 1), sealed)))
  end)
  it("refuses a number of rounds that would never end", function()
    for _, rounds in ipairs { 0, -1, 10000001, math.maxinteger } do
      assert.equal("invalid", select(3, encode.stretch("a", "b", rounds)))
    end
  end)
end)

describe("wrong use", function()
  it("raises", function()
    assert.has_error(function() encode.stretch("a", "b", "c") end)
    assert.has_error(function() decode.gunzip("x") end)
    assert.has_error(function() decode.gunzip("x", -1) end)
    assert.has_error(function() encode.gzip("x", 10) end)
    assert.has_error(function() encode.aes("x", "k", "sha1", "8 bytes!") end)
    assert.has_error(function() encode.aes("x", "k", "md5", "short") end)
    assert.has_error(function() encode.aes128gcm("x", "k", "short") end)
    assert.has_error(function()
      encode.aes128gcm("x", "k", "16 bytes of salt", 17)
    end)
    assert.has_error(function() encode.profile("x") end)
    assert.has_error(function() encode.profile { 1 } end)
    assert.has_error(function() encode.profile { { name = "a" } } end)
    assert.has_error(function()
      encode.profile { { name = "a", text = "", ua = "RW" } }
    end)
    assert.has_error(function()
      encode.profile { { name = "a", text = "", other = 1 } }
    end)
  end)
end)

describe("encode.sha256", function()
  local text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
  -- FIPS 180-2, appendix B
  local want = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06"
    .. "c1"

  it("takes bytes in any pieces", function()
    for size = 1, #text do
      local h = encode.sha256()
      for at = 1, #text, size do
        assert.equal(h, h:add(text:sub(at, at + size - 1)))
      end
      assert.equal(want, h:hex())
    end
  end)

  it("tells the digest so far, and goes on", function()
    local h = encode.sha256()
    assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852"
      .. "b855", h:hex())
    assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f200"
      .. "15ad", h:add("abc"):hex())
    assert.equal(want, h:add(text:sub(4)):hex())
    assert.equal(want, h:add(""):hex())
  end)

  it("refuses what is no bytes", function()
    assert.has_error(function() encode.sha256():add() end)
    assert.has_error(function() encode.sha256():add({}) end)
  end)
end)

describe("encode.seal", function()
  local key, other = ("k"):rep(32), ("K"):rep(32)

  it("gives bytes that only its key reads again", function()
    for _, text in ipairs { "", "a", ("secret "):rep(10000) } do
      local sealed = encode.seal(key, text)
      assert.equal(#text + 28, #sealed)
      assert.equal(text, encode.unseal(key, sealed))
      assert.is_nil(sealed:find("secret", 1, true))
      local got, sentence, word = encode.unseal(other, sealed)
      assert.same({ nil, "corrupted file", "corrupt" },
        { got, sentence, word })
    end
  end)

  it("never gives the same bytes twice", function()
    assert.not_equal(encode.seal(key, "a"), encode.seal(key, "a"))
  end)

  it("sees any change of a bit, and any cut", function()
    local sealed = encode.seal(key, "state")
    for at = 1, #sealed do
      local changed = sealed:sub(1, at - 1)
        .. string.char(sealed:byte(at) ~ 1) .. sealed:sub(at + 1)
      assert.equal("corrupt", select(3, encode.unseal(key, changed)))
      assert.equal("corrupt",
        select(3, encode.unseal(key, sealed:sub(1, at - 1))))
    end
  end)

  it("takes keys of 32 bytes", function()
    assert.has_error(function() encode.seal("short", "") end)
    assert.has_error(function() encode.unseal(key .. "1", "") end)
  end)
end)
