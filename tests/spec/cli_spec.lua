-- The program as a person or a script runs it.
local json = require "peal.json"
local process = require "support.process"
local program = require "support.program"

local PHONE <const> = program.root .. "/examples/phones/cp-8841.lua"
local peal = program.peal

local function phone(...)
  return peal("--phone", PHONE, ...)
end

describe("peal", function()
  local dir

  before_each(function() dir = process.temp_dir() end)
  after_each(function() process.remove(dir) end)

  local function write(name, text)
    local file = assert(io.open(dir .. "/" .. name, "wb"))
    file:write(text)
    file:close()
    return dir .. "/" .. name
  end

  it("expands macros and prints nothing else", function()
    for text, want in pairs {
      ["$(MAU)config.cfg"] = "000E08ABCDEFconfig.cfg",
      ["$STRANGE$MAU.cfg"] = "$STRANGE000E08ABCDEF.cfg",
      ["$$$MA"] = "$000e08abcdef",
      ["$(MAU:8:2)"] = "CD",
      ["/$PSN.xml"] = "/8841-3PCC.xml",
      ["$SA"] = "$SA",
      ["$IP $EXTIP $SN $HWVER $SWVER"] =
        "192.168.1.100 66.43.16.52 88012BA01234 2.0.1 sip88xx.11-3-1MPP-234",
    } do
      assert.are.same({ code = 0, how = "exited", out = want .. "\n",
        err = "" }, phone("expand", text))
    end
  end)

  it("evaluates conditions: true, false, or an error", function()
    for text, want in pairs {
      ["$UPGTMR gt 300 and $PRVTMR ge 600"] = "true\n",
      ['"$CCERT" eq "Installed"'] = "true\n",
      ["$SWVER ne sip88xx.11-3-1MPP-234"] = "false\n",
      ["-1 lt 0"] = "true\n",
    } do
      local got = phone("eval", text)
      assert.are.same({ 0, want, "" }, { got.code, got.out, got.err })
    end
    for _, text in ipairs { "$SWVER ge 11.0.0", "1 == 1", "", "$C eq 3" } do
      local got = phone("eval", text)
      assert.are.same({ 1, "" }, { got.code, got.out })
      assert.is_truthy(got.err:find("[bad-condition]", 1, true), got.err)
    end
  end)

  it("says what a rule would do, without its secrets", function()
    local got = phone("rule", "[--key $SC --uid joe --pwd $SB] http://h/$MA")
    assert.are.equal(0, got.code)
    assert.is_truthy(got.out:find("GET http://h/000e08abcdef", 1, true))
    assert.is_nil(got.out:find("k3y", 1, true))
    assert.is_nil(got.out:find("Secret", 1, true))
    assert.are.equal(1, phone("rule", "[--kee x] http://h/x").code)
  end)

  it("keeps what is set, and gives it back bare", function()
    local st = dir .. "/st"
    assert.are.equal(0, peal("set", "GPP_A=two  words", "--store", st).code)
    assert.are.equal(0, peal("--store", st, "set", "Resync_Periodic",
      "7200").code)
    assert.are.equal("two  words\n", peal("get", "GPP_A", "--store", st).out)
    assert.are.equal("7200\n", peal("get", "Resync_Periodic", "--store",
      st).out)
    assert.are.equal("/$PSN.xml\n", peal("get", "Profile_Rule", "--store",
      st).out)
  end)

  it("takes --set for this run only", function()
    local st = dir .. "/st"
    peal("set", "GPP_A=old", "--store", st)
    local before = program.snapshot(st)
    local got = peal("expand", "$A", "--store", st, "--set", "GPP_A=new")
    assert.are.equal("new\n", got.out)
    assert.are.equal("new\n", peal("get", "GPP_A", "--store", st, "--set",
      "GPP_A=new").out)
    assert.are.same(before, program.snapshot(st))
  end)

  it("writes all values or none", function()
    local st = dir .. "/st"
    peal("set", "GPP_A=1", "--store", st)
    local before = program.snapshot(st)
    local got = peal("set", "GPP_A=2", "Resync_Random_Delay=70000",
      "--store", st)
    assert.are.equal(1, got.code)
    assert.is_truthy(got.err:find("[bad-value]", 1, true), got.err)
    got = peal("set", "GPP_A=2", "Resync_Perodic=1", "--store", st)
    assert.are.equal(1, got.code)
    assert.is_truthy(got.err:find("did you mean Resync_Periodic?", 1, true))
    assert.are.same(before, program.snapshot(st))
  end)

  it("shows secrets as fingerprints", function()
    local st = dir .. "/st"
    peal("set", "GPP_SA=Gehe1m", "--store", st)
    for _, args in ipairs { { "get", "GPP_SA" }, { "params", "GPP_S*" },
        { "params", "--json" }, { "explain", "GPP_SA" },
        { "get", "GPP_SA", "--json" }, { "expand", "$SA $(SA:0:3)" } } do
      args[#args + 1], args[#args + 2] = "--store", st
      local got = peal(table.unpack(args))
      assert.are.equal(0, got.code)
      assert.is_nil((got.out .. got.err):find("Gehe", 1, true))
    end
    assert.is_truthy(peal("get", "GPP_SA", "--store", st).out:find("^#%x+\n$"))
  end)

  it("lists parameters by name, type, access and source", function()
    local st = dir .. "/st"
    peal("set", "GPP_A=1", "--store", st)
    local list = json.decode(peal("params", "--changed", "--json",
      "--store", st).out)
    assert.are.equal(1, #list)
    assert.are.equal("GPP_A", list[1].name)
    assert.are.equal("cli", list[1].author)
    local got = peal("params", "Resync_Trigger_*", "--store", st).out
    assert.is_truthy(got:find("Resync_Trigger_1", 1, true))
    assert.is_nil(got:find("Resync_Periodic", 1, true))
  end)

  it("lists by patterns, however many stars they have", function()
    local function names(pattern)
      local out = {}
      for i, about in ipairs(json.decode(peal("params", "--json",
          pattern).out)) do
        out[i] = about.name
      end
      return out
    end
    assert.are.same({ "Resync_Trigger_1", "Resync_Trigger_2" },
      names("Res*_Tr*"))
    assert.are.same({ "GPP_A" }, names("GPP_A"))
    assert.are.same({ "GPP_SA", "GPP_SB", "GPP_SC", "GPP_SD" },
      names("GPP_S*"))
    assert.are.same({}, names(("*"):rep(40) .. "x.%a"))
    assert.are.same({}, names(("*_"):rep(20) .. "Q"))
    assert.is_true(#names("**") > 1000)
  end)

  it("explains a default, and a value that overrode another", function()
    local st = dir .. "/st"
    peal("set", "GPP_A=1", "--store", st)
    peal("set", "GPP_A=2", "--store", st)
    local got = json.decode(peal("explain", "GPP_A", "--json", "--store",
      st).out)
    assert.are.equal("2", got.value)
    assert.are.equal(2, got.revision)
    assert.are.equal("1", got.overrode.value)
    got = peal("explain", "Resync_Periodic", "--store", st).out
    assert.is_truthy(got:find("factory default", 1, true))
  end)

  it("encodes profiles that openssl and gzip read, and reads theirs",
    function()
      local xml = "<flat-profile><GPP_A>12345678</GPP_A></flat-profile>"
      local plain = write("p.xml", xml)
      local out = dir .. "/p.enc"
      assert.are.equal(0, peal("profile", "encode", plain, "--key",
        "my secret", "--out", out).code)
      local got = peal("profile", "decode", out, "--key", "my secret")
      assert.are.same({ 0, xml, "" }, { got.code, got.out, got.err })
      local sh = program.run { "/bin/sh", "-c", ("openssl enc -d "
        .. "-aes-256-cbc -md md5 -k 'my secret' -in %s 2>/dev/null | gunzip")
        :format(out) }
      assert.are.equal(xml, sh.out)
      sh = program.run { "/bin/sh", "-c", ("openssl enc -aes-256-cbc -md "
        .. "sha256 -k k -in %s -out %s/o.enc 2>/dev/null"):format(plain, dir) }
      assert.are.equal(0, sh.code)
      assert.are.equal(xml, peal("profile", "decode", dir .. "/o.enc",
        "--key", "k").out)
    end)

  it("checks a profile: names, values and lines", function()
    local path = write("p.xml", "<flat-profile>\n<Resync_Periodic>abc"
      .. "</Resync_Periodic>\n<Resync_Perodic>1</Resync_Perodic>\n"
      .. "<GPP_A>1</GPP_A>\n</flat-profile>\n")
    local got = peal("profile", "check", path)
    assert.are.equal(1, got.code)
    assert.is_truthy(got.out:find("line 2", 1, true))
    assert.is_truthy(got.out:find("line 3", 1, true))
    assert.is_truthy(got.out:find("did you mean Resync_Periodic?", 1, true))
    assert.is_truthy(got.out:find("3 parameters, 1 applied", 1, true))
  end)

  it("hides secrets when it shows a profile", function()
    local path = write("p.xml",
      "<flat-profile><Password_1_>Gehe1m</Password_1_></flat-profile>")
    local got = peal("profile", "show", path)
    assert.are.equal(0, got.code)
    assert.is_truthy(got.out:find("Password_1_", 1, true))
    assert.is_nil(got.out:find("Gehe1m", 1, true))
  end)

  local bad = {
    { "no profile", "hello", "corrupt" },
    { "a truncated one", "<flat-profile><GPP_A>1</GPP_A>", "corrupt" },
    { "an entity", '<!DOCTYPE f [<!ENTITY x "y">]><flat-profile/>',
      "corrupt" },
    { "an encrypted one without a key", "Salted__12345678" .. ("x"):rep(16),
      "corrupt" },
  }
  for _, row in ipairs(bad) do
    it("says in one sentence that a file is " .. row[1], function()
      local path = write("bad", row[2])
      local got = peal("profile", "decode", path)
      if row[1] ~= "no profile" and row[1] ~= "a truncated one"
        and row[1] ~= "an entity" then
        assert.are.equal(1, got.code)
      end
      got = peal("profile", "check", path)
      assert.are.same({ 1, "" }, { got.code, got.out })
      assert.is_truthy(got.err:find("[" .. row[3] .. "]", 1, true), got.err)
    end)
  end

  local misuse = {
    { "no command" }, { "an unknown command", "resnyc" },
    { "an unknown option", "get", "X", "--stroe", "x" },
    { "a missing name", "get" }, { "a bad --set", "get", "X", "--set", "x" },
    { "an unknown name in --set", "get", "GPP_A", "--set", "Nope=1" },
    { "a bad value in --set", "get", "GPP_A", "--set",
      "Resync_Random_Delay=x" },
    { "a phone file that is not there", "get", "GPP_A", "--phone", "/no" },
    { "a folder of rules that is not there", "resync", "--rules", "/no/dir" },
    { "set without a store", "set", "GPP_A=1" },
    { "an unknown verb", "profile", "frobnicate", "x" },
  }
  for _, row in ipairs(misuse) do
    it("ends with 2 after " .. row[1], function()
      local got = peal(table.unpack(row, 2))
      assert.are.equal(2, got.code, got.err)
      if row[2] then assert.are.equal("", got.out) end
    end)
  end

  it("names the command that a mistyped one may have been", function()
    assert.is_truthy(peal("resnyc").err:find("peal resync", 1, true))
  end)

  it("has help for the program and for each command", function()
    local all = peal("--help")
    assert.are.equal(0, all.code)
    local count = 0
    for name in all.out:gmatch("\n  (%l+) +%l") do
      local got = peal(name, "--help")
      assert.are.equal(0, got.code)
      assert.is_truthy(got.out:find("usage: peal " .. name, 1, true))
      count = count + 1
    end
    assert.is_true(count >= 10)
  end)

  it("tells its version and its libraries'", function()
    local got = peal("version")
    assert.are.equal(0, got.code)
    assert.is_truthy(got.out:find("^peal %d+%.%d+%.%d+ %("))
    assert.is_truthy(got.out:find("mbedTLS 3.6", 1, true))
    assert.are.equal(got.out, peal("--version").out)
  end)

  it("answers for a phone whose store does not exist yet", function()
    local path = write("phone.lua", "return { store = 'st', identity = "
      .. "{ PN = 'X' }, params = { GPP_A = 'first' } }")
    assert.are.equal("first X\n", peal("expand", "$A $PN", "--phone",
      path).out)
    assert.are.equal(1, peal("get", "GPP_A", "--store", dir .. "/no").code)
  end)

  it("refuses a resync where Provision_Enable is No, with 3", function()
    local got = peal("resync", "--phone", PHONE, "--set",
      "Provision_Enable=No")
    assert.are.equal(3, got.code)
    assert.is_truthy(got.err:find("Provision_Enable is No", 1, true))
  end)

  it("leaves the store as it was when a resync fails", function()
    local st = dir .. "/st"
    peal("set", "GPP_A=1", "--store", st)
    local before = program.snapshot(st)
    local port = process.free_port("tcp")
    for _, rule in ipairs { ("http://127.0.0.1:%d/x"):format(port),
        "[--kee x] http://h/x", "ftp://h/x", "/x", "http://127.0.0.1:0/x",
        "http://192.168.1.300/x" } do
      local got = peal("resync", rule, "--store", st)
      assert.are.equal(1, got.code, rule)
      assert.are.equal("", got.out)
      assert.is_truthy(got.err:find("%[[%l%d.-]+%]\n"), got.err)
      assert.are.same(before, program.snapshot(st))
    end
  end)
end)
