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
    got = phone("rule", "[--key=s3cret] http://h/x")
    assert.are.equal(1, got.code)
    assert.is_truthy(got.err:find("A blank, not =, behind --key", 1, true))
    assert.is_nil(got.err:find("s3cret", 1, true))
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

  it("sets no value that a profile could not hold", function()
    local st = dir .. "/st"
    peal("set", "GPP_A=1", "--store", st)
    local before = program.snapshot(st)
    for _, value in ipairs { "a\nb", "\1", "\27[31m", "\127", "\xff" } do
      local got = peal("set", "GPP_A=" .. value, "--store", st)
      assert.are.equal(1, got.code)
      assert.is_truthy(got.err:find("[bad-value]", 1, true), got.err)
      assert.is_nil(got.err:find("[\1\27\127]"))
    end
    assert.are.same(before, program.snapshot(st))
    assert.are.equal(0, peal("set", "GPP_A=a\tb é", "--store", st).code)
    assert.are.equal("a\tb é\n", peal("get", "GPP_A", "--store", st).out)
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

  -- The text of a rule holds keys that are no parameters.
  it("hides keys and passwords within rules, and only there", function()
    local st = dir .. "/st"
    local rule = "[--key Cq9secret] http://h/x"
    local port = process.free_port("tcp")
    peal("set", "GPP_A=http://u:Aq9secret@h/x", "--store", st)
    peal("set", "Profile_Rule_C=" .. rule, "GPP_A=1", "Upgrade_Rule="
      .. "http://u:Vq9secret@h/x.loads", "--store", st)
    peal("set", "Profile_Rule_C=[--key Dq9secret] http://h/x", "--store", st)
    local xml = write("p.xml", "<flat-profile><Profile_Rule_C>" .. rule
      .. "</Profile_Rule_C></flat-profile>")
    for _, args in ipairs { { "params" }, { "params", "--json" },
        { "explain", "Profile_Rule_C" }, { "explain", "GPP_A" },
        { "explain", "Profile_Rule_C", "--json" },
        { "explain", "Upgrade_Rule", "--set", "Upgrade_Rule="
          .. "http://u:Vq9secret@h/x" }, { "profile", "show", xml },
        { "profile", "show", xml, "--json" },
        { "resync", ('(Profile_Rule_D = "[--key Eq9secret] http://h/x")! '
          .. "http://127.0.0.1:%d/x"):format(port) },
        { "resync", "--json", '(Profile_Rule_D = "[--key Fq9secret] '
          .. 'http://h/x")!' } } do
      args[#args + 1], args[#args + 2] = "--store", st
      local got = peal(table.unpack(args))
      assert.is_nil((got.out .. got.err):find("q9secret", 1, true),
        table.concat(args, " ") .. "\n" .. got.out .. got.err)
    end
    assert.are.equal("http://u:Vq9secret@h/x.loads\n", peal("get",
      "Upgrade_Rule", "--store", st, { reveals = "peal get shows a value "
        .. "that is no secret as it is, a rule with its keys too" }).out)
  end)

  it("hides what a rule assigns to a secret, and says what is skipped",
    function()
      for _, more in ipairs { "-v", "--json" } do
        local got = peal("rule", more, '(GPP_SA="hunter2"; Frob="1"; '
          .. 'Resync_Periodic="abc"; GPP_A="x")! http://h/x')
        assert.are.equal(0, got.code)
        assert.is_nil(got.out:find("hunter2", 1, true))
      end
      local got = json.decode(peal("rule", "--json", '(GPP_SA="hunter2"; '
        .. 'Frob="1"; Resync_Periodic="abc"; GPP_A="x")!').out)
      assert.are.equal("no such parameter", got.assigns[2].skipped)
      assert.is_string(got.assigns[3].skipped)
      assert.is_nil(got.assigns[4].skipped)
    end)

  local bad_files = {
    { "trust={ca=3}", "trust.ca" },
    { "trust={cert=function() end}", "trust.cert" },
    { "trust={CA='x'}", "trust.CA" }, { "account={user=1}", "account.user" },
    { "account={name='x'}", "account.name" },
    { "identity={Mac='000e08abcdef'}", "identity.Mac" },
    { "identity={MAC='zz'}", "identity.MAC" },
    { "identity={PN={}}", "identity.PN" }, { "identity=3", "identity" },
    { "dhcp={['66']=1}", 'dhcp.66' }, { "dhcp={[66]='x'}", "dhcp" },
    { "state={PRVTMR=true}", "state.PRVTMR" },
    { "params={GPP_A=true}", "params.GPP_A" },
    { "params={Frob='1'}", "params.Frob" },
    { "dns='nonsense'", "dns" }, { "dns=''", "dns" },
    { "rules='/no/dir'", "rules" }, { "frob=1", "frob" },
  }
  for _, row in ipairs(bad_files) do
    it("names file and field of a phone file with " .. row[1], function()
      local path = write("phone.lua", "return { " .. row[1] .. " }")
      local got = peal("get", "GPP_A", "--phone", path)
      assert.are.equal(2, got.code, got.err)
      assert.are.equal("", got.out)
      assert.is_truthy(got.err:find(path, 1, true), got.err)
      assert.is_truthy(got.err:find(row[2], 1, true), got.err)
    end)
  end

  it("takes numbers in a phone file, and any state", function()
    local path = write("phone.lua", "return { identity = { SN = 12, MAC = "
      .. "'00:0E:08:AB:CD:EF' }, params = { GPP_A = 7 }, state = { X = 1 },"
      .. " device = { anything = {} }, dns = '127.0.0.1:53,[::1]:53' }")
    assert.are.equal("7 12 000e08abcdef\n", peal("expand", "$A $SN $MA",
      "--phone", path).out)
  end)

  it("says which rules a resync skipped, and why", function()
    for rule, want in pairs {
      [""] = "no rule asks for anything\n",
      ["gds://x"] = "rule: skipped, activation code onboarding\n",
      ['("a" eq "b")? http://h/x'] = "rule: skipped, no condition is true\n",
      ["# http://h/x"] = "rule: skipped, the rule is disabled by #\n",
    } do
      local got = peal("resync", rule)
      assert.are.same({ 0, want .. "resync ok: 0 changes\n" },
        { got.code, got.out })
    end
    local got = peal("resync", "--set", "Profile_Rule=", "--set",
      "Profile_Rule_C=#x")
    assert.are.equal("Profile_Rule_C: skipped, the rule is disabled by #\n"
      .. "resync ok: 0 changes\n", got.out)
  end)

  it("remembers how a resync by hand went", function()
    local st = process.temp_dir()
    finally(function() process.remove(st) end)
    local function status() return peal("status", "--store", st).out end
    peal("resync", '(GPP_B = "x")!', "--store", st)
    assert.matches("last resync +20%S+, success %(cli%), cycle 1\n", status())
    assert.matches("last success +20", status())
  end)

  it("names a list of ciphers that cannot be used", function()
    local st = process.temp_dir()
    finally(function() process.remove(st) end)
    peal("set", "TLS_Cipher_List=nonsense", "--store", st)
    assert.matches("ciphers +TLS_Cipher_List: [^\n]*nonsense[^\n]*default",
      peal("status", "--store", st).out)
  end)

  it("fits its help into 80 columns", function()
    for name in peal("--help").out:gmatch("\n  (%l[%l-]*) ") do
      for line in peal(name, "--help").out:gmatch("[^\n]+") do
        assert.is_nil(line:find("%s$"), name .. ": " .. line)
        -- a text of its own, or after two blanks at least
        assert.is_nil(line:find("^  %-[^ ]+ %u[^ ]* %l"), name .. ": " .. line)
        assert.is_true(#line <= 80, line)
      end
    end
  end)

  it("names the URL of a resync that failed", function()
    local url = ("http://127.0.0.1:%d/x"):format(process.free_port("tcp"))
    local got = peal("resync", "[--key Cq9secret] " .. url:gsub("//",
      "//u:Vq9secret@"))
    assert.is_truthy(got.err:find("peal: rule: " .. url .. ": ", 1, true),
      got.err)
    assert.is_nil(got.err:find("q9secret", 1, true))
  end)

  it("says what to do next", function()
    local hello = write("hello", "<flat-profile><a>")
    local to = dir .. "/no/st"
    write("no", "")
    for _, args in ipairs { { "profile", "check", hello },
        { "profile", "show", hello }, { "profile", "decode", hello, "--key",
        "x" }, { "profile", "decode", dir }, { "rule", "[--kee x] http://h" },
        { "eval", "1 == 1" }, { "set", "GPP_A=1", "--store", to },
        { "resync", "ftp://h/" }, { "profile", "encode", hello, "--out",
          to } } do
      local got = peal(table.unpack(args))
      assert.are.equal(1, got.code, got.err)
      assert.is_truthy(got.err:find("%]\n      %S"), got.err)
    end
    assert.is_truthy(peal("profile", "decode", dir).err:find(dir, 1, true))
  end)

  it("ends with 2 and names the option that cannot be", function()
    local path = write("p.xml", "<flat-profile/>")
    for _, row in ipairs {
      { "--ikm", "profile", "encode", path, "--ikm", "hex:zz" },
      { "--ikm", "profile", "encode", path, "--ikm", "x", "--key", "k" },
      { "--store", "get", "GPP_A", "--store", "" },
      { "Bool", "params", "--type", "Frob" },
      { "na, ro or rw", "params", "--ua", "xx" },
    } do
      local got = peal(table.unpack(row, 2))
      assert.are.same({ 2, "" }, { got.code, got.out }, got.err)
      assert.is_truthy(got.err:find(row[1], 1, true), got.err)
    end
  end)

  it("reads a profile as the phone that it is for", function()
    write("acme.lua", [[return { { name = "Acme_Code", type = "Str",
      default = "", secret = true, group = "x" }, { name = "Acme_Mode",
      type = "Bool", default = "No", group = "x" } }]])
    local phone_file = write("phone.lua", "return { registry = 'acme.lua' }")
    local xml = write("p.xml", "<flat-profile>\n<Acme_Code>q9secret"
      .. "</Acme_Code>\n<Acme_Mode>frob</Acme_Mode>\n<Foo>1</Foo>\n"
      .. "<GPP_A><b/></GPP_A>\n</flat-profile>")
    local got = peal("profile", "check", xml, "--phone", phone_file)
    assert.are.equal(1, got.code)
    assert.is_truthy(got.out:find("line 5: GPP_A: ", 1, true), got.out)
    assert.is_truthy(got.out:find("\n4 parameters, 1 applied, 1 unknown, "
      .. "1 refused, 1 left as they are\n", 1, true), got.out)
    got = peal("profile", "check", xml, "--phone", phone_file,
      "--keep-unknown").out
    assert.is_truthy(got:find("1 unknown but kept, 0 unknown", 1, true), got)
    assert.is_truthy(got:find("line 4: unknown, kept as plain text: Foo", 1,
      true), got)
    got = peal("profile", "show", xml, "--phone", phone_file).out
    assert.is_nil(got:find("q9secret", 1, true))
    assert.are.equal(2, peal("profile", "show", xml, "--phone", "/no").code)
  end)

  it("tells a value of --set from a stored one", function()
    assert.is_truthy(peal("params", "GPP_A", "--set", "GPP_A=x").out
      :find("--set", 1, true))
    local st = dir .. "/st"
    peal("set", "GPP_A=1", "--store", st)
    local got = json.decode(peal("explain", "GPP_A", "--json", "--store",
      st).out)
    assert.are.same({}, { got.rule, got.url, got.line })
  end)

  it("refuses a folder of something else as a store", function()
    write("letter.txt", "hello")
    for _, args in ipairs { { "get", "GPP_A" }, { "params" },
        { "set", "GPP_A=1" }, { "resync", "" }, { "explain", "GPP_A" } } do
      args[#args + 1], args[#args + 2] = "--store", dir
      local got = peal(table.unpack(args))
      assert.are.same({ 1, "" }, { got.code, got.out }, got.err)
      assert.is_truthy(got.err:find("holds files, but no store", 1, true))
    end
    local entries = program.snapshot(dir)
    assert.are.same({ ["letter.txt"] = "hello" }, entries)
  end)
end)
