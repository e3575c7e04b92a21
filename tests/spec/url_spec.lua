local fixture = require "support.fixture"
local macro = require "peal.macro"
local url = require "peal.url"

local function shown(text)
  return (text:sub(1, 40):gsub("%c", "?"))
end

local function refused(text, sentence)
  it("refuses " .. shown(text), function()
    local u, why, word = url.parse(text)
    assert.is_nil(u)
    assert.equal(sentence, why)
    assert.equal("bad-url", word)
  end)
end

describe("a URL", function()
  local outcomes = {
    { "http://h/x", "http", "h", 80, "/x" },
    { "https://h/x", "https", "h", 443, "/x" },
    { "tftp://h/x", "tftp", "h", 69, "/x" },
    { "HTTP://Host.Example/X", "http", "host.example", 80, "/X" },
    { "192.168.1.130/profiles/init.cfg", "tftp", "192.168.1.130", 69,
      "/profiles/init.cfg" },
    { "h:6900/x", "tftp", "h", 6900, "/x" },
    { "http://h:65535/", "http", "h", 65535, "/" },
    { "http://h:080/", "http", "h", 80, "/" },
    { "http://h/config?x", "http", "h", 80, "/config?x" },
    { "http://h/config?", "http", "h", 80, "/config?" },
    { "http://h/?a=/b?c", "http", "h", 80, "/?a=/b?c" },
    { "/x.cfg", "tftp", nil, 69, "/x.cfg" },
    { "https:///x.cfg", "https", nil, 443, "/x.cfg" },
    { "http://my_host-1.example./x", "http", "my_host-1.example.", 80, "/x" },
    { " http://h/x\t", "http", "h", 80, "/x" },
    { "http://h/a b", "http", "h", 80, "/a%20b" },
    { "http://h/\195\164%20", "http", "h", 80, "/%C3%A4%20" },
    { "http://h/x#part", "http", "h", 80, "/x" },
    { "tftp://h/x#1", "tftp", "h", 69, "/x#1" },
    { 'http://h/~!"\'<>|', "http", "h", 80, '/~!"\'<>|' },
  }
  for _, case in ipairs(outcomes) do
    it(("%q is read"):format(case[1]), function()
      local u = assert(url.parse(case[1]))
      assert.same({ case[2], case[3], case[4], case[5] },
        { u.scheme, u.host, u.port, u.path })
      assert.is_false(u.ipv6)
    end)
  end

  it("tells what was given from what was assumed", function()
    local u = url.parse("http://h/x")
    assert.is_true(u.scheme_given)
    assert.is_false(u.port_given)
    u = url.parse("h:69/x")
    assert.is_false(u.scheme_given)
    assert.is_true(u.port_given)
  end)

  it("may hold user and password, percent-encoded", function()
    local u = url.parse("http://us%3Aer:p%40ss:w@h/x")
    assert.same({ "us:er", "p@ss:w", "h" }, { u.user, u.password, u.host })
    u = url.parse("http://a@b:c@h/x")
    assert.same({ "a@b", "c", "h" }, { u.user, u.password, u.host })
    u = url.parse("http://user@h/x")
    assert.same({ "user", "" }, { u.user, u.password })
  end)

  refused("http://h", "No path")
  refused("http://h?x", "No path")
  refused("foo.cfg", "No path")
  refused("", "No path")
  refused("http://", "No path")
  refused("ftp://h/x", "Bad scheme")
  refused("gds://h/x", "Bad scheme")
  refused("file:///etc/passwd", "Bad scheme")
  refused("http://h:0/x", "Bad port")
  refused("http://h:99999/x", "Bad port")
  refused("http://h:/x", "Bad port")
  refused("http://h:1a/x", "Bad port")
  refused("http://h:-1/x", "Bad port")
  refused("http:/x", "Bad port")
  refused("http://h:1:2/x", "Bad port")
  refused(":80/x", "Bad address")
  refused("http://user@/x", "Bad address")
  refused("http://192.168.1.300/x", "Bad address")
  refused("http://192.168.1/x", "Bad address")
  refused("http://192.168.1.1.1/x", "Bad address")
  refused("http://192.168.1.1./x", "Bad address")
  refused("http://192.168.01.1/x", "Bad address")
  refused("http://3232235777/x", "Bad address")
  refused("http://0x7f.1/x", "Bad address")
  refused("http://127.0.0.0x1/x", "Bad address")
  refused("http://a..b/x", "Bad address")
  refused("http://.a/x", "Bad address")
  refused("http://./x", "Bad address")
  refused("http://a b/x", "Bad address")
  refused("http://h%41/x", "Bad address")
  refused("http://m\195\188nchen.example/x", "Bad address")
  refused("http://" .. ("a"):rep(64) .. ".b/x", "Bad address")
  refused("http://" .. ("a."):rep(127) .. "b/x", "Bad address")
  refused("http://h/x\r\nHost: evil", "Control character in URL")
  refused("http://h/x\0y", "Control character in URL")
  refused("http://h/x\ty", "Control character in URL")
  refused("http://h\127/x", "Control character in URL")
  refused("http://a%0d%0a:b@h/x", "Bad user or password")
  refused("http://h/" .. ("x"):rep(9000), "URL too long")
end)

describe("an IPv6 address", function()
  for _, host in ipairs { "::", "::1", "2001:db8::1", "1:2:3:4:5:6:7:8",
                          "1::8", "::ffff:192.168.1.1", "fe80::a:b:c:d",
                          "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7::" } do
    it(host .. " is read between brackets", function()
      local u = assert(url.parse("http://[" .. host .. "]:8080/x"))
      assert.same({ host, true, 8080 }, { u.host, u.ipv6, u.port })
      assert.equal("http://[" .. host .. "]:8080/x", url.format(u))
    end)
  end

  for _, host in ipairs { "", ":", ":::", "1::2::3", "1:2:3:4:5:6:7",
                          "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::",
                          "12345::", "g::", "fe80::1%eth0", "1.2.3.4",
                          "::1.2.3", "::1.2.3.4:1", "1.2.3.4::", ":1:2" } do
    it(host .. " is refused", function()
      local u, sentence = url.parse("http://[" .. host .. "]/x")
      assert.is_nil(u)
      assert.equal("Bad address", sentence)
    end)
  end

  it("needs brackets, and nothing but a port behind them", function()
    assert.is_nil(url.parse("http://2001:db8::1/x"))
    assert.is_nil(url.parse("http://[::1]x/x"))
    assert.is_nil(url.parse("http://[::1/x"))
  end)

  it("is lower case", function()
    assert.equal("2001:db8::a", url.parse("http://[2001:DB8::A]/").host)
  end)
end)

describe("a variable in a URL", function()
  local function parse(text, user_id)
    local vars = macro.variables(fixture.phone {
      params = { User_ID_1_ = user_id } })
    local expanded, mask = macro.expand(text, vars)
    return url.parse(expanded, nil, { mask = mask })
  end

  it("cannot change the server", function()
    assert.is_nil(parse("http://$UID1.example.com/x", "evil.com/"))
    assert.is_nil(parse("http://$UID1.example.com/x", "evil.com#"))
    assert.is_nil(parse("http://$UID1.example.com/x", "u:p@evil.com"))
    assert.is_nil(parse("http://$UID1/x", "evil:80"))
    assert.is_nil(parse("$UID1/x", "http://evil"))
  end)

  it("cannot cut the path or break the request", function()
    assert.equal("/a%23b.cfg", parse("http://h/$UID1.cfg", "a#b").path)
    assert.equal("/a%20b", parse("http://h/$UID1", "a b").path)
    assert.is_nil(parse("http://h/$UID1", "a\r\nb"))
  end)

  it("may be the server", function()
    local u = parse("http://[$UID1]:8080/x", "2001:db8::1")
    assert.same({ "2001:db8::1", 8080 }, { u.host, u.port })
    assert.equal("h.example", parse("http://$UID1/x", "h.example").host)
  end)
end)

describe("a formatted URL", function()
  local outcomes = {
    { "http://u:p@h:80/x", "http://h/x" },
    { "tftp://192.168.1.200:69/x", "tftp://192.168.1.200/x" },
    { "https://h:8443/x?y", "https://h:8443/x?y" },
    { "h/x", "tftp://h/x" },
    { "/x", "/x" },
    { "https:///x", "https:///x" },
  }
  for _, case in ipairs(outcomes) do
    it(("of %s is %s"):format(case[1], case[2]), function()
      assert.equal(case[2], url.format(url.parse(case[1])))
    end)
  end
end)

describe("a reference", function()
  -- RFC 3986 sections 5.4.1 and 5.4.2; fragments are not sent.
  local outcomes = {
    { "g", "http://a/b/c/g" }, { "./g", "http://a/b/c/g" },
    { "g/", "http://a/b/c/g/" }, { "/g", "http://a/g" },
    { "//g", "http://g/" }, { "?y", "http://a/b/c/d;p?y" },
    { "g?y", "http://a/b/c/g?y" }, { "#s", "http://a/b/c/d;p?q" },
    { "g#s", "http://a/b/c/g" }, { "g?y#s", "http://a/b/c/g?y" },
    { ";x", "http://a/b/c/;x" }, { "g;x", "http://a/b/c/g;x" },
    { "", "http://a/b/c/d;p?q" }, { ".", "http://a/b/c/" },
    { "./", "http://a/b/c/" }, { "..", "http://a/b/" },
    { "../", "http://a/b/" }, { "../g", "http://a/b/g" },
    { "../..", "http://a/" }, { "../../g", "http://a/g" },
    { "../../../g", "http://a/g" }, { "../../../../g", "http://a/g" },
    { "/./g", "http://a/g" }, { "/../g", "http://a/g" },
    { "g.", "http://a/b/c/g." }, { "..g", "http://a/b/c/..g" },
    { "./../g", "http://a/b/g" }, { "./g/.", "http://a/b/c/g/" },
    { "g/./h", "http://a/b/c/g/h" }, { "g/../h", "http://a/b/c/h" },
    { "g;x=1/./y", "http://a/b/c/g;x=1/y" },
    { "g?y/../x", "http://a/b/c/g?y/../x" },
    { "https://z", "https://z/" }, { "https://z/a/../b", "https://z/b" },
    { "//z:81/x", "http://z:81/x" },
    { " /g ", "http://a/g" }, { "/a b", "http://a/a%20b" },
    { "/x?u=http://y/", "http://a/x?u=http://y/" },
  }
  for _, case in ipairs(outcomes) do
    it(("%q leads to %s"):format(case[1], case[2]), function()
      local base = url.parse("http://a/b/c/d;p?q")
      local u = assert(url.resolve(base, case[1]))
      assert.equal(case[2], url.format(u))
      assert.is_nil(u.user)
      assert.same(u, url.parse(case[1], base))
    end)
  end

  it("keeps port and IPv6 server of the base", function()
    local base = url.parse("https://u:p@[::1]:8443/a/b")
    assert.equal("https://[::1]:8443/a/c", url.format(url.resolve(base, "c")))
  end)

  for _, location in ipairs { "mailto:x@y", "ftp://h/x", "http:g", "http://",
                              "//", "///x", "http://h:0/", "/x\r\ny",
                              "javascript:alert(1)", "http://u:p@z/x",
                              "//u@z/x",
                              "/" .. ("x"):rep(9000) } do
    it(shown(location) .. " is refused", function()
      local u, _, word = url.resolve(url.parse("http://a/b"), location)
      assert.is_nil(u)
      assert.equal("bad-url", word)
    end)
  end
end)

describe("URL parsing", function()
  it("survives any text and keeps its word", function()
    local base = url.parse("http://a/b/c?d")
    fixture.fuzz({ "http://", "h", ":", "80", "/", "[", "]", "::1", "@", "?",
                   "#", "..", "%41", "192.168.1.1", " " },
      function(text)
        local u = url.parse(text)
        if u and u.host then
          local again = assert(url.parse(url.format(u)))
          again.port_given, u.port_given = nil, nil
          again.scheme_given, u.scheme_given = nil, nil
          u.user, u.password = nil, nil
          assert.same(u, again)
          assert(not u.path:find("[^!-~]"))
        end
        url.parse(text, nil, { mask = ("\1"):rep(#text) })
        url.resolve(base, text)
      end)
  end)
end)
