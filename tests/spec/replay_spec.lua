-- A cycle is a pure function of recorded inputs: the same calls at the seam,
-- trace, store, log and datagrams, bit for bit (world/replay.lua).
local cassettes = require "support.cassettes"
local form = require "peal.world.tape_form"
local play = require "peal.cassette.play"
local tape = require "peal.world.tape"

local function said(list)
  local out = {}
  for i, datagram in ipairs(list) do
    out[i] = ("%s:%d %s"):format(datagram.address, datagram.port,
      datagram.bytes)
  end
  return out
end

describe("a recorded resync, played again,", function()
  it("has the same trace, store, log lines and datagrams", function()
    local c, run = cassettes.simple()
    local played = assert(play.resync(c))
    assert.is_nil(played.divergence)
    assert.is_true(played.identical)
    assert.are.equal(run.results[1].trace:encode(),
      played.result.trace:encode())
    assert.are.equal((run.store:bytes()), (played.store:bytes()))
    assert.are.same(run.world.lines, played.lines)
    assert.are.same(run.world.told, played.told)
    assert.are.same(said(run.world.datagrams), said(played.datagrams))
    assert.are.equal(2, #played.datagrams)
  end)

  cassettes.each_case(function(case, file)
    it(("is the same: %s, %s"):format(file, case.name), function()
      local list, run = cassettes.of_case(case)
      assert.is_truthy(list[1])
      for i, c in ipairs(list) do
        local played = assert(play.resync(c))
        assert.is_nil(played.divergence and played.divergence.sentence)
        assert.are.equal(run.results[i].trace:encode(),
          played.result.trace:encode())
      end
    end)
  end)
end)

-- A copy of a cassette that may be changed.
local function copy(c) return form.unpack(form.pack(c)) end

-- One text in place of another one of the same length, once.
local function swapped(text, from, to)
  assert(#from == #to)
  local at, last = text:find(from, 1, true)
  assert(at, from)
  return text:sub(1, at - 1) .. to .. text:sub(last + 1)
end

local function diverges(c)
  local played = assert(play.resync(c))
  assert.is_false(played.identical)
  return played.divergence
end

describe("a replay that does not come out the same", function()
  local c = cassettes.simple { rules = { ["apply.lua"] = [[
    return { stage = "apply", decide = function(phone)
      return { refuse = {} }
    end }]] } }

  it("names the call, what was recorded and what came: another answer",
    function()
    local other = copy(c)
    other.tape = swapped(other.tape, "<GPP_A>one<", "<GPP_A>two<")
    local found = diverges(other)
    assert.are.equal("integer", math.type(found.at))
    assert.are.equal("ask", found.call)
    assert.are.equal("view.changes[1].new", found.where)
    assert.are.equal('"one"', found.expected)
    assert.are.equal('"two"', found.got)
    assert.are.equal(("call %d, ask: view.changes[1].new was \"one\"; "
      .. "now it is \"two\""):format(found.at), found.sentence)
  end)

  it("names another element of a profile", function()
    local other = copy(c)
    other.tape = swapped(other.tape, "<GPP_A>one<", "<GPP_B>one<")
    assert.is_truthy(diverges(other).sentence:find("^call %d+"))
  end)

  it("names another value, of which only the store tells, at the end",
    function()
    local plain = cassettes.simple()
    local other = copy(plain)
    other.tape = swapped(other.tape, "<GPP_A>one<", "<GPP_A>two<")
    local found = diverges(other)
    assert.is_truthy(found.sentence:find("at the end: the store's bytes", 1,
      true), found.sentence)
  end)

  it("names another address of a server", function()
    local list = cassettes.of_case { phone = { params = {
      Profile_Rule = "http://example.com/a.xml" } },
      server = { ["*"] = { body = "<flat-profile/>" } } }
    local other = copy(list[1])
    other.tape = swapped(other.tape, "192.0.2.7", "192.0.2.8")
    local found = diverges(other)
    assert.is_truthy(found.sentence:find("192.0.2.8", 1, true))
    assert.is_truthy(found.sentence:find("192.0.2.7", 1, true))
  end)

  it("names a rule file of another text", function()
    local other = copy(c)
    local source = other.sources[1]["apply.lua"]
    source.text = source.text:gsub("refuse = {}",
      "refuse = { { name = 'GPP_A', reason = 'no' } }")
    local found = diverges(other)
    assert.are.equal("ask", found.call)
    assert.are.equal("text", found.where)
  end)

  it("names a rule file that answers otherwise, by its answer", function()
    local other = copy(c)
    -- the tape has the digest of the text: it is made to fit
    local source = other.sources[1]["apply.lua"]
    local function digest(text)
      return require("peal.encode").sha256():add(text):hex()
    end
    local text = source.text .. (" "):rep(300)
    local long = cassettes.simple { rules = { ["apply.lua"] = text } }
    local wrong = text:gsub("refuse = {}",
      "refuse = { { name = 'GPP_A', reason = 'no' } }")
    other = copy(long)
    other.sources[1]["apply.lua"].text = wrong
    other.tape = other.tape:gsub(digest(text), digest(wrong))
    local found = diverges(other)
    assert.is_truthy(found.got:find("no", 1, true), found.sentence)
    assert.is_truthy(found.got:find("apply.lua", 1, true), found.sentence)
  end)

  it("names another time", function()
    local other = copy(c)
    local now = form.pack(1795342530)
    assert.is_truthy(other.tape:find(now, 1, true))
    other.tape = swapped(other.tape, now, form.pack(1795342531))
    assert.is_truthy(diverges(other).sentence:find("1795342531", 1, true))
  end)

  it("names a store that was another one", function()
    local list = cassettes.of_case { phone = { params = {
      Profile_Rule = "http://192.0.2.7/b.xml", Syslog_Server = "192.0.2.9" } },
      server = { ["*"] = { body = "<flat-profile/>" } } }
    local other = copy(c)
    other.store = list[1].store
    assert.is_truthy(diverges(other).sentence:find("b.xml", 1, true))
  end)

  it("names what is missing when the tape ends early, and what is left",
    function()
    local reader, ends = tape.open(c.tape), {}
    while reader:peek() do
      reader:take()
      ends[#ends + 1] = reader.at
    end
    for _, n in ipairs { 1, #ends // 2, #ends - 1 } do
      local other = copy(c)
      other.tape = c.tape:sub(1, ends[n] - 1)
      assert.are.equal("nothing more", diverges(other).expected)
    end
    local longer = copy(c)
    longer.tape = c.tape .. c.tape:sub(ends[1], ends[2] - 1)
    assert.are.equal(#ends + 1, diverges(longer).at)
  end)

  it("says no password, though it is one that differs", function()
    local list = cassettes.of_case { phone = { params = {
      Profile_Rule = "[--uid u --pwd q9secret] http://192.0.2.7/a.xml" } },
      server = { ["*"] = { body = "<flat-profile/>" } } }
    local other = copy(list[1])
    other.tape = swapped(other.tape, "S8:q9secret", "S8:q8secret")
    local found = diverges(other)
    assert.is_nil(found.sentence:find("q[89]secret"))
    assert.are.equal("password", found.where)
    assert.are.equal("another one", found.got)
  end)

  it("ends where a result claims a length of millions, or is none", function()
    for _, result in ipairs { form.pack { n = 1 << 40 }, form.pack("x"),
      "rubbish" } do
      local more = tape.new()
      more:add("call", "log", result)
      local other = copy(c)
      other.tape = c.tape .. more:bytes()
      assert.are.equal("string", type(diverges(other).sentence))
    end
    local other = copy(c)
    other.tape = c.tape .. "Z"
    assert.are.equal("string", type(diverges(other).sentence))
  end)

  it("ends, whatever bytes of the tape are damaged", function()
    for at = 1, #c.tape, 41 do
      local other = copy(c)
      other.tape = c.tape:sub(1, at - 1) .. string.char(c.tape:byte(at) ~ 1)
        .. c.tape:sub(at + 1)
      local played, sentence = play.resync(other)
      assert.is_truthy(played or sentence)
      if played and not played.identical then
        assert.is_string(played.divergence.sentence)
      end
    end
  end)
end)

describe("a limit that only the worker enforces", function()
  it("comes from the tape", function()
    local case = { rules = { ["apply.lua"] = [[
      return { stage = "apply", decide = function() return {} end }]] },
      phone = { params = { Profile_Rule = "http://192.0.2.7/a.xml" } },
      server = { ["*"] = { body =
        "<flat-profile><GPP_A>one</GPP_A></flat-profile>" } } }
    local box = require("support.rules").box
    local rules = require "support.rules"
    rules.box = function()
      return function(_, _, job)
        if not job.view then return { n = 0 } end
        return nil, "it was killed after 1 s", "rule-limit"
      end
    end
    local ok, list = pcall(cassettes.of_case, case)
    rules.box = box
    assert(ok, list)
    local played = assert(play.resync(list[1]))
    assert.is_nil(played.divergence and played.divergence.sentence)
    local text = played.result.trace:encode()
    assert.is_truthy(text:find("rule-limit", 1, true))
  end)
end)
