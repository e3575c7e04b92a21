-- peal history, diff and revert as a person uses them, with and without a
-- daemon.
local daemons = require "support.daemons"
local json = require "peal.json"
local methods = require "peal.daemon.methods"
local phones = require "support.phones"
local servers = require "support.servers"
local program = require "support.program"
local tcp = require "support.tcp"

-- A phone that resyncs when it is asked.
local function calm()
  return phones.new { params = { Resync_On_Reset = "No",
    Resync_Periodic = "0", Resync_Error_Retry_Delay = "0" } }
end

-- A server's answer: a profile with these elements.
local function tcp_answer(elements)
  local body = "<flat-profile>" .. elements .. "</flat-profile>"
  return ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n"
    .. "\r\n%s"):format(#body, body)
end

local function set(p, ...)
  local r = p:run("set", ...)
  assert.equal(0, r.code, r.err)
end

-- What it prints as JSON.
local function data(p, ...)
  local r = p:run(...)
  assert.equal(0, r.code, r.err)
  return json.decode(r.out)
end

describe("peal history", function()
  it("lists the revisions, with who and how many changes", function()
    local p <close> = calm()
    set(p, "GPP_A=1", "GPP_B=1")
    local out = p:run("history").out
    assert.matches("REVISION +TIME +CYCLE +CAUSE +CHANGES +BY", out)
    assert.matches("1 +%d+%-%d%d%-%d%dT[%d:]+Z +%- +initial +%d+ +phone%-file",
      out)
    assert.matches("3 +%S+ +%- +set +2 +cli", out)
    local list = data(p, "history", "--json")
    assert.same({ 3, 2, "cli" }, { list[3].number, list[3].changes,
      list[3].authors[1] })
  end)

  it("lists the values of one parameter, secrets as fingerprints", function()
    local p <close> = calm()
    set(p, "GPP_SA=s3cret-one")
    set(p, "GPP_SA=s3cret-two")
    local r = p:run("history", "GPP_SA")
    assert.matches("3 +%S+ +%- +#%x+ +na +cli", r.out)
    assert.matches("4 +%S+ +%- +#%x+ +na +cli", r.out)
    for _, args in ipairs { { "history", "GPP_SA" }, { "diff", "3" },
      { "history", "GPP_SA", "--json" }, { "diff", "3", "--json" },
      { "revert", "3", "--yes" }, { "history" } } do
      r = p:run(table.unpack(args))
      assert.is_nil((r.out .. r.err):find("s3cret", 1, true))
    end
  end)

  it("shows a terminal no control characters of a profile", function()
    local p <close> = calm()
    local server = tcp.serve { tcp_answer("<GPP_A>a&#x9b;31m</GPP_A>") }
    assert.equal(0, p:run("resync", ("http://127.0.0.1:%d/a.xml"):format(
      server:port())).code)
    for _, args in ipairs { { "history", "GPP_A" }, { "diff", "-1" },
      { "revert", "-1" }, { "explain", "GPP_A" }, { "params", "GPP_A" } } do
      local out = p:run(table.unpack(args)).out
      assert.is_nil(out:find("\u{9b}", 1, true), args[1])
      assert.is_truthy(out:find("a\\x9b31m", 1, true), args[1])
    end
    server:close()
  end)

  it("takes names that no registry knows for secrets, by their sound",
    function()
      local p <close> = calm()
      set(p, "--keep-unknown", "Door_Password=s3cret-1", "Door_Colour=blue")
      for _, args in ipairs { { "history", "Door_Password" },
        { "diff", "-1" }, { "revert", "-1" }, { "explain", "Door_Password" },
        { "get", "Door_Password" }, { "params", "Door*" } } do
        for _, mode in ipairs { "", "--json" } do
          args[3] = mode ~= "" and mode or nil
          local r = p:run(table.unpack(args, 1, 3))
          assert.is_nil((r.out .. r.err):find("s3cret", 1, true), args[1])
        end
      end
      assert.equal("blue\n", p:run("get", "Door_Colour").out)
    end)

  it("says what is wrong", function()
    local p <close> = calm()
    local r = p:run("history", "Resync_Periodix")
    assert.same({ 1, true }, { r.code,
      r.err:find("did you mean Resync_Periodic?", 1, true) ~= nil })
    assert.equal(2, p:run("history", "a", "b").code)
    assert.equal(2, p:run("diff").code)
    assert.equal(2, p:run("diff", "x").code)
    r = p:run("diff", "77")
    assert.equal(1, r.code)
    assert.matches("there is no revision 77 %[not%-found%]\n +there are: "
      .. "1 to 2", r.err)
  end)
end)

describe("peal diff", function()
  it("compares with the newest, or two of them, or counts back", function()
    local p <close> = calm()
    set(p, "GPP_A=1")
    set(p, "GPP_A=2")
    assert.matches("GPP_A +1 +2 +cli", p:run("diff", "3").out)
    assert.matches("GPP_A +1 +2 +cli", p:run("diff", "-1").out)
    assert.matches("GPP_A +2 +1 +cli", p:run("diff", "4", "3").out)
    assert.matches("no parameter is different", p:run("diff", "4").err)
    local got = data(p, "diff", "-2", "-1", "--json")
    assert.same({ 2, 3, "before", "1" }, { got.a, got.b,
      got.changes[1].old, got.changes[1].new })
  end)
end)

describe("peal revert", function()
  it("shows the diff, and does it in scripts with --yes only", function()
    local p <close> = calm()
    set(p, "GPP_A=1")
    local r = p:run("revert", "2")
    assert.equal(2, r.code)
    assert.matches("GPP_A +1 +before", r.out)
    assert.matches("do it with: %-%-yes", r.err)
    assert.equal("1", p:param("GPP_A"))
    r = p:run("revert", "2", "--yes")
    assert.equal(0, r.code, r.err)
    assert.matches("GPP_A +1 +before", r.out)
    assert.equal("before", p:param("GPP_A"))
    assert.matches("4 +%S+ +%- +revert 2 +1 +revert", p:run("history").out)
    assert.equal("revert", p:explain("GPP_A").author)
  end)

  it("asks at a terminal", function()
    if not servers.find("script") then return pending("no script(1)") end
    local p <close> = calm()
    set(p, "GPP_A=1")
    local command = ("%s revert 2 --store %s"):format(program.path, p.store)
    local function answer(text)
      return program.run { "/bin/sh", "-c",
        ("(echo '%s'; cat) | script -qec '%s' /dev/null"):format(text,
          command) }
    end
    local r = answer "n"
    assert.matches("put it back%? %[y/N%]", r.out)
    assert.matches("nothing was changed", r.out)
    assert.equal("1", p:param("GPP_A"))
    answer "y"
    assert.equal("before", p:param("GPP_A"))
  end)

  it("is taken back by another", function()
    local p <close> = calm()
    set(p, "GPP_A=1", "GPP_B=b")
    local before = p:params()
    assert.equal(0, p:run("revert", "1", "--yes").code)
    assert.are_not.same(before, p:params())
    assert.equal(0, p:run("revert", "3", "--yes").code)
    assert.same(before, p:params())
  end)

  it("is explained where what it went back to is gone", function()
    local p <close> = calm()
    set(p, "GPP_A=1")
    assert.equal(0, p:run("revert", "2", "--yes").code)
    os.remove(p.store .. "/rev-0000000002")
    assert.matches("put back +as in revision 2, which cannot be read any more",
      p:run("explain", "GPP_A").out)
  end)

  it("takes the named parameters only", function()
    local p <close> = calm()
    set(p, "GPP_A=1", "GPP_B=b")
    local got = data(p, "revert", "2", "GPP_A", "--yes", "--json")
    assert.same({ 1, 4, { "GPP_A" } }, { got.changed, got.revision,
      got.names })
    assert.same({ "before", "b" }, { p:param("GPP_A"), p:param("GPP_B") })
  end)

  it("says where there is nothing to put back", function()
    local p <close> = calm()
    local before = program.snapshot(p.store)
    local r = p:run("revert", "2", "--yes")
    assert.same({ 1, true }, { r.code, r.err:find("[unchanged]", 1, true)
      ~= nil })
    assert.same(before, program.snapshot(p.store))
  end)

  it("warns that the next resync may write it again", function()
    local p <close> = calm()
    local r = p:run("resync", '(GPP_B = "by rule";)!')
    assert.equal(0, r.code, r.err)
    r = p:run("revert", "2", "--yes")
    assert.equal(0, r.code, r.err)
    assert.matches("rule wrote what is gone now, and the next resync may",
      r.err)
    assert.matches("apply.lua", r.err)
  end)

  it("goes through the daemon, which acts on it at once", function()
    local p <close> = calm()
    set(p, "Resync_Periodic=7200")
    local d <close> = daemons.start { p }
    set(p, "Resync_Periodic=3600")
    local r = p:run("revert", "3", "--yes")
    assert.equal(0, r.code, r.err)
    assert.equal("7200", p:param("Resync_Periodic"))
    assert.matches("1 parameter put back as in revision 3, by hand", d:log())
    assert.equal(0, d:stop())
  end)

  it("through a daemon is checked like any other call", function()
    local p <close> = calm()
    local d <close> = daemons.start { p }
    for _, params in ipairs { { revision = "x" }, { revision = 0 },
      { revision = 1, names = "GPP_A" }, { revision = 1, names = { 5 } },
      { revision = 1, expect = "x" }, { revision = 1, expect = -1 } } do
      local result, _, word = d:ask("revert", params)
      assert.same({ nil, "invalid" }, { result, word })
    end
    local result, sentence, word = d:ask("revert", { revision = 99 })
    assert.same({ nil, "there is no revision 99", "not-found" },
      { result, sentence, word })
    assert.equal(0, d:stop())
  end)

  it("does nothing where two have looked, and one was faster", function()
    local p <close> = calm()
    set(p, "GPP_A=1", "GPP_B=b")
    local d <close> = daemons.start { p }
    assert(d:ask("revert", { revision = 2, names = { "GPP_A" }, expect = 3 }))
    set(p, "GPP_A=2")
    local result, sentence, word = d:ask("revert", { revision = 2,
      expect = 3 })
    assert.same({ nil, "changed" }, { result, word })
    assert.matches("GPP_A", sentence)
    assert.same({ "2", "b" }, { p:param("GPP_A"), p:param("GPP_B") })
    assert.equal(0, d:stop())
  end)

  it("works while the daemon runs a resync", function()
    local silent = tcp.serve { { hold = true } }
    local p <close> = calm()
    local d <close> = daemons.start { p }
    assert(d:ask("resync", { rule = ("http://127.0.0.1:%d/a.xml"):format(
      silent:port()) }))
    assert(silent:request(20))
    assert.equal("RUN", d:ask("status").state)
    set(p, "GPP_A=1")
    assert(d:ask("revert", { revision = 2 }))
    assert.equal("before", p:param("GPP_A"))
    assert.equal("RUN", d:ask("status").state)
    silent:close()
    assert.equal(0, d:stop())
  end)

  it("waits while a resync is at a transaction", function()
    local member = { turns = 0, now = function() return { time = 0 } end }
    function member.next_event() member.turns = member.turns + 1 end
    -- nothing of it is read while the transaction is open
    member.store = { begin = function()
      if member.turns < 3 then return nil, "one is open", "bad-state" end
      return nil, "it has begun", "begun"
    end }
    local _, sentence = methods.of(member).revert({ revision = 1 }, {})
    assert.same({ "it has begun", 3 }, { sentence, member.turns })
  end)
end)
