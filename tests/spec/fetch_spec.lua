-- peal.fetch as scripts see it, against openssl s_server. Broken answers are
-- in tests/c/fetch_test.c, certificates in tests/c/trust_test.c.
local fetch = require("peal.fetch")
local loop = require("peal.loop")
local trust = require("peal.trust")

local function sh(script)
  local p = assert(io.popen("exec 2>/dev/null\n" .. script))
  local out = p:read("a")
  assert(p:close(), script)
  return out
end

describe("fetch", function()
  local dir, server, pid, port, l, f, anchors

  setup(function()
    dir = sh("mktemp -d"):match("%S+")
    sh("cd " .. dir .. [[ && set -e
      new="openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
      $new -x509 -keyout ca.key -out ca.pem -subj "/CN=Test Root"
      $new -keyout s.key -out s.csr -subj "/CN=pv.telco.net"
      openssl x509 -req -in s.csr -CA ca.pem -CAkey ca.key -out s.pem
      printf "<flat-profile/>" > basic.xml]])
    server = assert(io.popen("cd " .. dir .. [[ && echo PID $$ && exec \
      openssl s_server -accept 127.0.0.1:0 -cert s.pem -key s.key -WWW \
      2>/dev/null </dev/null]]))
    for line in server:lines() do
      pid = line:match("^PID (%d+)") or pid
      port = line:match("ACCEPT 127%.0%.0%.1:(%d+)")
      if port then break end
    end
    anchors = trust.anchors()
    assert(anchors:load(dir .. "/ca.pem"))
  end)

  teardown(function()
    os.execute("kill " .. pid)
    server:close()
    sh("rm -r " .. dir)
  end)

  before_each(function()
    l = assert(loop.new())
    f = assert(fetch.new(l))
  end)

  local function url(host, path)
    return ("https://%s:%s%s"):format(host, port, path)
  end

  local function get(request)
    local got
    request.address = "127.0.0.1"
    assert(f:start(request, function(...) got = table.pack(...) end))
    assert.is_nil(got)
    l:run()
    return table.unpack(got, 1, 4)
  end

  it("brings a body, the facts and the certificate", function()
    local r = get({ url = url("pv.telco.net", "/basic.xml"),
                    tls = { anchors = anchors } })
    assert.equal(200, r.status)
    assert.equal("<flat-profile/>", r.body)
    assert.equal("127.0.0.1", r.peer)
    assert.equal(tonumber(port), r.port)
    assert.equal(1, r.sent)
    assert.same({ "Content-type", "text/plain" }, r.headers[1])
    assert.equal("TLSv1.3", r.tls.version)
    assert.equal("CN=pv.telco.net", r.tls.chain[1].subject)
    assert.equal("EC", r.tls.chain[1].key_type)
    assert.equal(64, #r.tls.chain[1].sha256)
    assert.is_false(r.tls.client_cert_sent)
    assert.is_false(r.tls.client_cert_requested)
    assert.is_true(r.timing.total >= 0)
  end)

  it("refuses a wrong name and still shows the certificate", function()
    local r, sentence, word, facts = get({ url = url("other.net", "/"),
                                           tls = { anchors = anchors } })
    assert.is_nil(r)
    assert.equal("c.name", word)
    assert.matches("pv.telco.net, not for other.net", sentence, 1, true)
    assert.equal("CN=pv.telco.net", facts.tls.chain[1].subject)
    assert.equal(0, facts.status)
  end)

  it("judges dates by the time it is given", function()
    local _, sentence, word = get({ url = url("pv.telco.net", "/"),
                                    tls = { anchors = anchors,
                                            now = 4102444800 } })
    assert.equal("c.expired", word)
    assert.matches("the phone's clock", sentence)
  end)

  it("trusts nobody without anchors", function()
    local _, _, word = get({ url = url("pv.telco.net", "/"), tls = {} })
    assert.equal("c.untrusted", word)
  end)

  it("caps the body", function()
    local _, _, word = get({ url = url("pv.telco.net", "/basic.xml"),
                             max = 5, tls = { anchors = anchors } })
    assert.equal("toobig", word)
  end)

  it("says that it was cancelled, and shows errors of callbacks", function()
    local word
    local h = f:start({ url = url("pv.telco.net", "/"),
                        address = "127.0.0.1", tls = {} },
                      function(_, _, w)
                        word = w
                        error("in callback")
                      end)
    h:cancel()
    assert.has_error(function() l:run() end)
    assert.equal("canceled", word)
    assert.equal("peal.fetch (over)", tostring(h))
  end)

  it("hands a body to a sink, piece by piece", function()
    local file = assert(io.open(dir .. "/image.bin", "wb"))
    local block = ("0123456789abcdef"):rep(4096)
    for _ = 1, 128 do file:write(block) end
    file:close()
    local bytes, pieces = 0, 0
    local r = get({ url = url("pv.telco.net", "/image.bin"),
                    tls = { anchors = anchors }, sink = function(piece)
      bytes, pieces = bytes + #piece, pieces + 1
      assert(#piece > 0)
      return true
    end })
    assert.equal(8 << 20, bytes)
    assert.is_true(pieces > 100)
    assert.equal(200, r.status)
    assert.equal(8 << 20, r.bytes)
    assert.equal("", r.body)
  end)

  it("ends with what a sink says, or raises", function()
    local value = setmetatable({}, { __tostring = function()
      return "a table"
    end })
    for _, row in ipairs {
      { function() return nil, "flash is full", "no-space" end,
        "flash is full", "no-space" },
      { function() return nil, "wrong model" end, "wrong model", "io" },
      { function() end, "the sink did not take the bytes", "io" },
      { function() error("broken", 0) end, "broken", "internal" },
      { function() error(value) end, "a table", "internal" },
      { function() error("not enough memory", 0) end, "not enough memory",
        "resource" },
    } do
      local calls = 0
      local r, sentence, word, facts = get({
        url = url("pv.telco.net", "/basic.xml"), tls = { anchors = anchors },
        sink = function(piece)
          calls = calls + 1
          return row[1](piece)
        end })
      assert.is_nil(r)
      assert.equal(row[2], sentence)
      assert.equal(row[3], word)
      assert.equal(200, facts.status)
      assert.equal(1, calls)
    end
  end)

  it("lets a sink cancel, but not close what calls it", function()
    local got, h
    h = f:start({ url = url("pv.telco.net", "/basic.xml"),
                  address = "127.0.0.1", tls = { anchors = anchors },
                  sink = function()
      local function another() end
      assert.equal("bad-state", select(3, f:start({ url = "http://a/",
        address = "127.0.0.1" }, another)))
      assert.is_false((pcall(f.close, f)))
      collectgarbage()
      h:cancel()
      return true
    end }, function(...) got = table.pack(...) end)
    l:run()
    assert.is_nil(got[1])
    assert.equal("canceled", got[3])
  end)

  it("keeps the fetcher of a sink that nobody else refers to", function()
    local bytes, response = 0, nil
    fetch.new(l):start({ url = url("pv.telco.net", "/basic.xml"),
                         address = "127.0.0.1", tls = { anchors = anchors },
                         sink = function(piece)
      collectgarbage()
      bytes = bytes + #piece
      return true
    end }, function(r) response = r end)
    collectgarbage()
    l:run()
    assert.equal(15, bytes)
    assert.equal(200, response.status)
  end)

  it("tells a bad URL from wrong use", function()
    local function start(request)
      return f:start(request, print)
    end
    assert.equal("bad-url", select(3, start({ url = "http://" })))
    assert.equal("scheme", select(3, start({ url = "ftp://a/" })))
    assert.equal("invalid", select(3, start({ url = "http://a/" })))
    assert.has_error(function() start({ uri = "http://a/" }) end)
    assert.has_error(function() start({ url = "http://a/", sink = 1 }) end)
    assert.has_error(function() start({ url = "http://a/\0" }) end)
    assert.has_error(function() start({ url = "http://a/", idle = -1 }) end)
    assert.has_error(function()
      start({ url = "https://a/", tls = { anchor = anchors } })
    end)
    assert.has_error(function()
      start({ url = "http://a/", auth = { "ntlm" } })
    end)
  end)

  it("is closed when told", function()
    f:close()
    assert.equal("peal.fetcher (closed)", tostring(f))
    assert.has_error(function() f:start({ url = "http://a/" }, print) end)
  end)
end)
