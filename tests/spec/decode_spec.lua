local decode = require "peal.decode"
local encode = require "peal.encode"

local PLAIN <const> = "<flat-profile><GPP_A>12345678</GPP_A></flat-profile>"
local KEY <const> = "SecretPhrase1234"
local SALT8 <const> = "8 bytes!"
local SALT16 <const> = "16 bytes of salt"

local function base64(text)
  local map, out, bits, have = {}, {}, 0, 0
  local letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
  letters = letters .. letters:lower() .. "0123456789+/"
  for i = 1, 64 do map[letters:sub(i, i)] = i - 1 end
  map["-"], map["_"] = 62, 63
  for c in text:gmatch("[^=]") do
    bits, have = bits << 6 | map[c], have + 6
    if have >= 8 then
      have = have - 8
      out[#out + 1] = string.char(bits >> have & 255)
    end
  end
  return table.concat(out)
end

describe("decode.text", function()
  local ikm <const> = "base64url:yqdlZ-tYemfogSmv7Ws5PQ"
  local examples = {
    ["a gzip file"] = {
      "H4sIAAAAAAAC/7NJy0ks0S0oyk/LzEm1s3EPCIh3tDM0MjYxNTO3sNGH8G30UVQBAN+B"
        .. "Qyw0AAAA", {}, "gzip" },
    ["openssl -md md5"] = {
      "U2FsdGVkX18BI0VniavN7wWkEFE77S9zTUUQsrSwQt3cEi6f20++t2pPz1Jt6U+UyL3Tyj"
        .. "/kKOkW2649VBgrKQvg38iEY0pEohRX5cD1OAQ=",
      { key = KEY }, "aes-256-cbc (md5)" },
    ["openssl -md sha256"] = {
      "U2FsdGVkX18BI0VniavN79kXAfsbm7B1/hcnRqtl4MnehQOZJhGxol1pd/KNBLCZSTY6Tu"
        .. "QS5xvKZQaxGrkoFy/fCn/fEZIB8LvDQjKpnoE=",
      { key = KEY }, "aes-256-cbc (sha256)" },
    ["openssl -pbkdf2"] = {
      "U2FsdGVkX18BI0VniavN73fNjU7P9h3TH2UdDH64X7scAKdmzKvh05PBYSdn3I415C+8ef"
        .. "trG6K9d4WFEFX3VcPidd0Hf9HLionRwBvkp6U=",
      { key = KEY }, "aes-256-cbc (pbkdf2)" },
    ["gzip, then openssl"] = {
      "U2FsdGVkX18BI0VniavN7+oJgdW64oK9iZTY+sMYYW5AK5nyRYWSelY6/Sdo+9ADTAwSBx"
        .. "Mxgj91pNsPn4PGJOCgUD63TCc+D1Qt8mboPeA=",
      { key = KEY }, "aes-256-cbc (md5), gzip" },
    ["RFC 8188, two records"] = {
      "AAECAwQFBgcICQoLDA0ODwAAACsAlPK7X18R3HsoNMPGgD2re1aoLdm2HLwhOCufQTDVSa"
        .. "IK6epuCzc7+94rpb7ZCbymsYnaLfRmf/yNY1gU2JGiCgt8kVcaZBaiMSYwFNh31V5c"
        .. "5fR+06U=",
      { ikm = ikm, codings = "aes128gcm" }, "aes128gcm" },
  }
  for name, example in pairs(examples) do
    it("reads " .. name, function()
      local file = base64(example[1])
      local text, facts = decode.text(file, example[2])
      assert.equal(PLAIN, text)
      assert.equal(example[3], table.concat(facts.steps, ", "))
      assert.equal(#file, facts.bytes_in)
      assert.equal(#PLAIN, facts.bytes_plain)
    end)
  end

  it("reads the example of RFC 8188, which is no XML", function()
    assert.equal("I am the walrus", (decode.text(base64(
      "I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-ly8"
      .. "Thjg"), { ikm = ikm, codings = "aes128gcm" })))
  end)

  it("says what failed by word", function()
    local rows = {
      { "Salted__12345678" .. ("x"):rep(16), nil, "corrupt",
        "encrypted, no key" },
      { PLAIN, { key = KEY }, "corrupt", "not encrypted, but a key is given" },
      { PLAIN, { key = "" }, "invalid", "the key is empty" },
      { PLAIN, { codings = "br" }, "bad-coding",
        'unknown content coding "br"' },
      { (" "):rep(5 * 2 ^ 20 + 1), {}, "toobig" },
      { PLAIN, { codings = "aes128gcm" }, "corrupt",
        "encrypted with aes128gcm, no key" },
    }
    for _, row in ipairs(rows) do
      local text, sentence, word, place = decode.text(row[1], row[2])
      assert.is_nil(text)
      assert.equal(row[3], word)
      if row[4] then assert.equal(row[4], sentence) end
      assert.is_nil(place)
    end
  end)
end)

describe("decode.elements", function()
  it("gives names, values, lines and what was marked", function()
    local list, facts = decode.elements([[
<device><flat-profile>
  <GPP_A ua="rw"> a
 b </GPP_A>
  <GPP_B>""</GPP_B>
  <GPP_C preserve-value="y" user-pref="y" ua="RW">1</GPP_C>
  <GPP_D><x/></GPP_D>
  <GPP_E>]] .. ("x"):rep(8193) .. [[</GPP_E>
</flat-profile></device>]])
    assert.same({
      { name = "GPP_A", value = "a  b", ua = "rw", line = 2 },
      { name = "GPP_B", value = "", quoted_empty = true, line = 4 },
      { name = "GPP_C", value = "1", preserve = true, user_pref = true,
        bad_ua = true, line = 5 },
      { name = "GPP_D", value = "", children = true, line = 6 },
      { name = "GPP_E", value = ("x"):rep(8192), too_long = true, line = 7 },
    }, list)
    assert.same({ "xml" }, facts.steps)
  end)

  it("follows an alias map", function()
    local list = decode.elements("<r><a><b>1</b></a><b>2</b></r>", {
      aliases = { { path = "/b", name = "GPP_A" },
        { path = "/a/b", name = "GPP_B" } } })
    assert.equal("GPP_B", list[1].name)
    assert.equal("GPP_A", list[2].name)
  end)

  it("tells where a file is damaged", function()
    local list, sentence, word, place =
      decode.elements("<flat-profile>\n<A>x&y</A>\n</flat-profile>")
    assert.is_nil(list)
    assert.equal("an unknown &reference; a bare & is written &amp;", sentence)
    assert.equal("corrupt", word)
    assert.equal(2, place.line)
  end)

  it("tells nothing of what is damaged behind a key", function()
    for _, text in ipairs { "<flat-profile>\n\n&x;</flat-profile>", "<a/>",
      "\x1f\x8b\x08\0 no gzip" } do
      local list, sentence, word, place = decode.elements(
        encode.aes(text, KEY, "md5", SALT8), { key = KEY })
      assert.is_nil(list)
      assert.equal("cannot be decrypted with this key, or is damaged inside",
        sentence)
      assert.equal("corrupt", word)
      assert.is_nil(place)
    end
  end)

  it("names a login page", function()
    local _, sentence = decode.elements("<!DOCTYPE html><html></html>")
    assert.equal("not a profile: an HTML page (a login page?)", sentence)
  end)

  it("takes no bytes as an empty profile", function()
    assert.same({}, (decode.elements("")))
  end)
end)

describe("wrong use", function()
  it("raises", function()
    assert.has_error(function() decode.text() end)
    assert.has_error(function() decode.text("", { keys = "x" }) end)
    assert.has_error(function() decode.text("", { key = 1 }) end)
    assert.has_error(function() decode.text("", { aliases = "x" }) end)
    assert.has_error(function() decode.text("", { aliases = { 1 } }) end)
    assert.has_error(function() decode.text("", { aliases = { {} } }) end)
    local many = {}
    for i = 1, 31 do many[i] = { path = "a", name = "b" } end
    assert.has_error(function() decode.text("", { aliases = many }) end)
    assert.has_error(function() decode.apply("", {}) end)
    assert.has_error(function() decode.apply("", {}, io.stdout) end)
  end)
end)

describe("a round trip", function()
  for _, kdf in ipairs { "md5", "sha256", "pbkdf2" } do
    it("through gzip and AES with " .. kdf, function()
      local file = encode.aes(encode.gzip(PLAIN), KEY, kdf, SALT8)
      assert.equal(PLAIN, (decode.text(file, { key = KEY })))
    end)
  end
  it("through aes128gcm with records of every size", function()
    for size = 18, 80 do
      local file = encode.aes128gcm(PLAIN, "an ikm", SALT16, size)
      assert.equal(PLAIN, (decode.text(file,
        { ikm = "an ikm", codings = "aes128gcm" })))
    end
  end)
end)

describe("decode.gunzip", function()
  local long = ("peal \0\xff"):rep(40000)
  it("reads what encode.gzip made", function()
    for _, text in ipairs { "", "a", long, encode.gzip("again") } do
      assert.equal(text, decode.gunzip(encode.gzip(text), #text))
    end
  end)
  it("stops at the maximum", function()
    local bytes, sentence, word = decode.gunzip(encode.gzip(long), #long - 1)
    assert.same({ nil, "inflates to more than 279999 bytes", "toobig" },
      { bytes, sentence, word })
    assert.equal("toobig",
      select(3, decode.gunzip(encode.gzip(("\0"):rep(1 << 24)), 1000)))
  end)
  it("takes one whole member and nothing behind it", function()
    local file = encode.gzip("a text")
    for _, bad in ipairs { "", "a text", file .. "x", file .. file,
        file:sub(1, -9) .. "\0" .. file:sub(-7) } do
      assert.equal("corrupt", select(3, decode.gunzip(bad, 1000)))
    end
    for n = 0, #file - 1 do
      assert.equal("corrupt", select(3, decode.gunzip(file:sub(1, n), 1000)))
    end
  end)
end)
