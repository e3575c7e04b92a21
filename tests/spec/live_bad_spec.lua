-- Whole resyncs from servers that misbehave: nothing is ever applied.
-- Source: MPP provisioning guide, HTTP table; RFC 9112; limits are our choice.
local encode = require "peal.encode"
local live = require "peal.world.live"
local loop = require "peal.loop"
local phones = require "support.phones"
local tcp = require "support.tcp"

local fails, succeeds = phones.fails, phones.succeeds
local profile = phones.profile

local function answer(body, more)
  return ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s"):format(#body,
    more or "", body)
end

describe("a bad answer", function()
  local GOOD <const> = profile { GPP_C = "bad" }
  local zipped = encode.gzip(GOOD)
  local function bomb(megabytes)
    return encode.gzip("<flat-profile><GPP_C>" .. ("x"):rep(megabytes << 20)
      .. "</GPP_C></flat-profile>")
  end
  local SALT <const> = "12345678"

  local partial = { word = "partial", class = "C", err = "Download failed",
    cause = "Connection error" }
  local corrupt = { word = "corrupt", class = "B", cause = "corrupted file",
    says = "peal profile check" }
  local toobig = { word = "toobig", class = "B",
    err = "Corrupt file (file size exceed)", cause = "file size exceed" }
  local odd = { word = "bad-response", class = "C", err = "Download failed",
    cause = "Bad operation" }
  local closed = { word = "connect", class = "C", err = "Download failed",
    cause = "Connection error" }

  local cases = {
    { "Content-Length larger than the body (H9)",
      ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"):format(#GOOD + 9,
        GOOD), partial },
    { "Content-Length smaller than the body",
      ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s\n\n"):format(#GOOD,
        GOOD), odd },
    { "two different Content-Length headers",
      answer(GOOD, "Content-Length: 9\r\n"), odd },
    { "a negative Content-Length",
      "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" .. GOOD, odd },
    { "Content-Length 10 GB",
      "HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n" .. GOOD,
      toobig },
    { "chunks that end too early",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        .. ("%x\r\n%s\r\n"):format(#GOOD, GOOD), partial },
    { "chunks that are none",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" .. GOOD,
      odd },
    { "a connection that closes without an answer", "", closed },
    { "a redirect that leads nowhere",
      "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", { class = "C",
        word = "bad-response", status = 302, says = "Location" } },
    { "a redirect to what is no address",
      "HTTP/1.1 302 Found\r\nLocation: http://a b/\r\n"
        .. "Content-Length: 0\r\n\r\n", { class = "C",
        word = "bad-response", says = "address" } },
    { "half a header line", "HTTP/1.1 200 OK\r\nContent-Le", {} },
    { "another protocol", "SSH-2.0-OpenSSH_9.2\r\n", odd },
    { "an endless body", { "HTTP/1.1 200 OK\r\n\r\n<flat-profile>",
      endless = ("<GPP_C>x</GPP_C>"):rep(1000) }, toobig },
    { "endless chunks",
      { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        endless = ("10000\r\n%s\r\n"):format((" "):rep(65536)) }, toobig },
    { "endless headers", { "HTTP/1.1 200 OK\r\n",
      endless = ("X-A: %s\r\n"):format(("x"):rep(1000)) }, odd },
    { "one endless header line", { "HTTP/1.1 200 OK\r\nX-A: ",
      endless = ("x"):rep(10000) }, odd },
    { "endless interim answers", { "",
      endless = ("HTTP/1.1 100 Continue\r\n\r\n"):rep(100) }, odd },
    { "a login page", answer("<html><head><title>Hotel</title></head><body>"
      .. "<form>log in</form></body></html>"), corrupt },
    { "a login page that is no XML", answer("<!DOCTYPE html><html><br>log in"),
      corrupt },
    { "plain text", answer("hello"), corrupt },
    { "a profile that ends too early", answer(GOOD:sub(1, -5)), corrupt },
    { "gzip that ends too early", answer(zipped:sub(1, -9)), corrupt },
    { "gzip with a bad sum", answer(zipped:sub(1, -9) .. ("\0"):rep(8)),
      corrupt },
    { "a gzip coding that is none",
      answer(GOOD, "Content-Encoding: gzip\r\n"), corrupt },
    { "an unknown content coding", answer(GOOD, "Content-Encoding: br\r\n"),
      { class = "C" } },
    { "a gzip bomb", answer(bomb(17)), toobig },
    { "a bomb within AES", answer(encode.aes(bomb(17), "k3y", "md5", SALT)),
      toobig, "[--key k3y] " },
    { "a wrong key", answer(encode.aes(zipped, "other", "md5", SALT)), corrupt,
      "[--key k3y] " },
    { "an encrypted file without a key",
      answer(encode.aes(zipped, "other", "md5", SALT)), corrupt },
    { "a plain file where a key is given", answer(GOOD), corrupt,
      "[--key k3y] " },
    { "an encrypted file that ends too early",
      answer(encode.aes(zipped, "k3y", "md5", SALT):sub(1, -2)), corrupt,
      "[--key k3y] " },
  }
  for _, case in ipairs(cases) do
    it("changes nothing: " .. case[1], function()
      local server <close> = tcp.serve { case[2] }
      local p <close> = phones.new()
      fails(p, ("%shttp://127.0.0.1:%d/x"):format(case[4] or "",
        server:port()), case[3])
    end)
  end

  it("is told apart from a decent one", function()
    for _, bytes in ipairs { answer(GOOD), answer(zipped),
      answer(zipped, "Content-Encoding: gzip\r\n"),
      answer(encode.gzip(zipped), "Content-Encoding: gzip\r\n"),
      "HTTP/1.0 200 OK\r\n\r\n" .. GOOD, -- H8
      "HTTP/1.1 200\r\nContent-Type: text/html\r\n\r\n" .. GOOD,
      "HTTP/1.1 100 Continue\r\n\r\n" .. answer(GOOD),
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        .. ("%x;a=b\r\n%s\r\n0\r\nX: y\r\n\r\n"):format(#GOOD, GOOD),
      answer("\u{feff}" .. GOOD) } do
      local server <close> = tcp.serve { bytes }
      local p <close> = phones.new()
      succeeds(p, ("http://127.0.0.1:%d/x"):format(server:port()))
      assert.equal("bad", p:param("GPP_C"))
    end
  end)
end)

describe("a server that takes its time", function()
  -- One exchange of the live world, with deadlines that a test can wait for.
  local function fetch(answers, more)
    local server <close> = tcp.serve { answers }
    local world = live.new { loop = loop.new() }
    local request = { scheme = "http", address = "127.0.0.1" }
    for key, value in pairs(more) do request[key] = value end
    request.url = ("%s://127.0.0.1:%d/x"):format(request.scheme,
      server:port())
    local got, sentence, word = world.run(world.fetch, request)
    assert.is_nil(got)
    return word, sentence
  end
  local slow = { "HTTP/1.1 200 OK\r\n\r\n<flat-profile>", hold = true }

  it("is given up when it is silent", function()
    for _, answers in ipairs { { hold = true }, slow } do
      local word, sentence = fetch(answers, { idle = 0.1 })
      assert.equal("timeout", word)
      assert.matches("127%.0%.0%.1", sentence)
    end
  end)

  it("is given up when all of it takes too long", function()
    local word, sentence = fetch(slow, { total = 0.1 })
    assert.equal("timeout", word)
    assert.matches("within", sentence)
  end)

  it("is given up when it is no TLS server, and silent", function()
    assert.equal("timeout", (fetch({ hold = true }, { connect = 0.1,
      scheme = "https", tls = { now = os.time() } })))
  end)
end)
