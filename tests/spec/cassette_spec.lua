-- The file that a recorded resync is kept in (cassette.lua).
local cassette = require "peal.cassette"
local cassettes = require "support.cassettes"
local cycle = require "peal.cycle"
local encode = require "peal.encode"
local phone = require "peal.phone"
local play = require "peal.cassette.play"
local virtual = require "peal.world.virtual"

local URL <const> = "http://192.0.2.7/a.xml"

describe("a cassette's file", function()
  local c = cassettes.simple { phone = { params = { Profile_Rule = URL,
    Admin_Passwd = "planted-secret" } } }
  local bytes = assert(cassette.save(c, "open sesame"))

  it("begins with one line that says what it is", function()
    assert.is_truthy(bytes:find("^peal%-cassette 1 sealed %d+ %x+\n"))
  end)

  it("gives the cassette back for its passphrase", function()
    assert.are.same(c, assert(cassette.load(bytes, "open sesame")))
    assert.is_true(cassette.is_sealed(bytes))
  end)

  it("plays after that", function()
    local played = play.resync(assert(cassette.load(bytes, "open sesame")))
    assert.is_true(played.identical)
  end)

  it("is sealed anew each time", function()
    local again = assert(cassette.save(c, "open sesame"))
    assert.are_not.equal(bytes:sub(1, 80), again:sub(1, 80))
  end)

  it("says nothing of what is in it", function()
    assert.is_nil(bytes:find("planted-secret", 1, true))
    assert.is_nil(bytes:find("192.0.2.7", 1, true))
  end)

  it("does not open with another passphrase, nor without one", function()
    for _, passphrase in ipairs { "open sesam", "" } do
      local got, sentence, word = cassette.load(bytes, passphrase)
      assert.is_nil(got)
      assert.are.equal("bad-key", word)
      assert.is_truthy(sentence:find("passphrase", 1, true))
    end
    local _, sentence, word = cassette.load(bytes)
    assert.are.equal("bad-key", word)
    assert.is_truthy(sentence:find("sealed", 1, true))
  end)

  it("that is damaged or cut off is said to be so", function()
    local flipped = bytes:sub(1, -2) .. string.char(bytes:byte(-1) ~ 1)
    for _, damaged in ipairs { flipped, bytes:sub(1, 200) } do
      assert.are.equal("bad-key",
        (select(3, cassette.load(damaged, "open sesame"))))
    end
    for _, other in ipairs { "", "hello",
      "peal-cassette 1 sealed 0 00\nx",
      "peal-cassette 1 sealed 99999999 00\nx",
      "peal-cassette 1 clear\nx" } do
      local got, sentence, word = cassette.load(other, "open sesame")
      assert.is_nil(got)
      assert.are.equal("corrupt", word)
      assert.is_string(sentence)
    end
  end)

  it("of a newer peal is said to be so", function()
    local later = {}
    for name, value in pairs(c) do later[name] = value end
    later.kind, later.redacted = "fleet", true
    for _, other in ipairs { "peal-cassette 2 sealed 1 00\n",
      "peal-cassette 10 clear\n", assert(cassette.save(later)) } do
      local got, sentence, word = cassette.load(other, "open sesame")
      assert.is_nil(got)
      assert.are.equal("newer", word)
      assert.is_truthy(sentence:find("newer peal", 1, true))
    end
  end)

  it("without a part of it is damaged", function()
    local clear = { redacted = true }
    for name, value in pairs(c) do clear[name] = value end
    assert(cassette.load(assert(cassette.save(clear))))
    for _, name in ipairs { "kind", "phone", "registry", "store", "roots",
      "sources", "tape", "outcome", "request", "anchors" } do
      for _, other in ipairs { 7, {}, { 7 }, false } do
        local whole = clear[name]
        clear[name] = other or nil
        local got, _, word = cassette.load(assert(cassette.save(clear)))
        if (other or whole) and type(other or nil) ~= type(whole or {}) then
          assert.is_nil(got, name)
          assert.are.equal("corrupt", word)
        end
        if got then play.resync(got) end -- it ends
        clear[name] = whole
      end
    end
  end)

  it("of a few bytes does not fill the memory", function()
    local many = ("{0:}"):rep(2000000)
    local bomb = "peal-cassette 1 clear\n"
      .. encode.gzip(("{2000000:%s}"):format(many))
    assert.is_true(#bomb < 20000)
    many = nil -- luacheck: ignore
    collectgarbage()
    local before = collectgarbage "count"
    local got, _, word = cassette.load(bomb)
    assert.is_nil(got)
    assert.are.equal("corrupt", word)
    assert.is_true(collectgarbage "count" - before < 200 * 1024)
  end)

  it("with secrets is never written in clear", function()
    local text, _, word = cassette.save(c)
    assert.is_nil(text)
    assert.are.equal("invalid", word)
  end)
end)

describe("the size of a cassette", function()
  -- A profile of 200 KB, none of which repeats.
  local function profile()
    local parts, seed = { "<flat-profile>" }, 1
    for i = 1, 2600 do
      local hash = encode.sha256():add(tostring(seed + i)):hex()
      parts[#parts + 1] = ("<X_%d>%s</X_%d>"):format(i, hash, i)
    end
    parts[#parts + 1] = "</flat-profile>"
    return table.concat(parts, "\n")
  end

  local function recorded(body, rule)
    return cassettes.simple { phone = { keep_unknown = true,
      params = { Profile_Rule = rule or URL } },
      server = { [URL] = { body = body } } }
  end

  local function check(body, bytes)
    assert.is_true(#bytes <= 1.2 * #body,
      ("%d bytes of %d"):format(#bytes, #body))
  end

  it("is at most 1.2 x that of a profile of 200 KB", function()
    local body = profile()
    assert.is_true(#body > 200000)
    local bytes = assert(cassette.save(recorded(body), "p"))
    check(body, bytes)
  end)

  it("is at most 1.2 x that of one that came packed and encrypted, too",
    function()
    local big = {}
    for i = 1, 6 do big[i] = profile():gsub("X_", ("X%d_"):format(i)) end
    local packed = assert(encode.gzip(table.concat(big)))
    local body = assert(encode.aes(packed:sub(1, 200000), "k", "md5",
      ("s"):rep(8)))
    local bytes = assert(cassette.save(recorded(body, "[--key k]" .. URL),
      "p"))
    check(body, bytes)
  end)
end)

describe("the servers of a cassette", function()
  local function over(c, request)
    local server, dns = cassette.answers(c)
    local begin = assert(cassette.start(c))
    local world = virtual.new { store = begin.store, server = server,
      dns = dns, time = begin.time, rules = begin.rules,
      trust = { anchors = begin.anchors } }
    begin.phone.world = world
    local p = phone.new(begin.phone)
    return world.run(cycle.run, p, request or begin.request), world
  end

  it("answer a phone over the virtual world as they did", function()
    local c, run = cassettes.simple()
    local result = over(c)
    assert.are.equal("success", result.outcome)
    assert.are.equal(run.results[1].trace:encode(), result.trace:encode())
  end)

  it("give the n-th answer to the n-th request, then the last one", function()
    local case = { runs = 3, phone = { params = { Profile_Rule = URL } },
      server = { [URL] = { { status = 500 }, { body =
        "<flat-profile><GPP_A>two</GPP_A></flat-profile>" } } } }
    local list = cassettes.of_case(case)
    local server = cassette.answers(list[1])
    local request = { url = URL, method = "GET" }
    assert.are.equal(500, server(request).status)
    assert.are.equal(500, server(request).status)
  end)

  it("know nothing of what was never asked", function()
    local server, dns = cassette.answers((cassettes.simple()))
    local answer, sentence, word = server { url = "http://other/b.xml" }
    assert.is_nil(answer)
    assert.are.equal("the cassette has no answer for http://other/b.xml",
      sentence)
    assert.are.equal("not-found", word)
    assert.are.equal("dns", (select(3, dns("other", "ADDR", true))))
    assert.are.equal("192.0.2.77", dns("192.0.2.77", "ADDR", true)[1].address)
  end)

  it("fail as they did", function()
    local c, run = cassettes.simple { server = { [URL] = { error = "timeout",
      text = "no answer" } } }
    assert.are.equal("failure", run.results[1].outcome)
    local result = over(c)
    assert.are.equal("timeout", result.failure.word)
  end)

  it("give an image to a sink in whole", function()
    local recorder = require "peal.world.recorder"
    local inner = virtual.new { store = { revision = function() return 1 end },
      server = function()
        return { status = 200, headers = {}, body = ("image "):rep(500) }
      end }
    local world, record = recorder.new(inner)
    world.run(world.fetch, { url = URL, method = "GET",
      sink = function() return true end })
    local server = cassette.answers { tape = record:bytes() }
    assert.are.equal(("image "):rep(500), server { url = URL }.body)
  end)

  it("begin at the recorded time, with the recorded store", function()
    local c = cassettes.simple { time = 1700000000 }
    local begin = assert(cassette.start(c))
    assert.are.equal(1700000000, begin.time)
    assert.are.equal(URL, begin.store:get("Profile_Rule"))
    assert.are.equal("cli", begin.request.asked_by)
  end)
end)
