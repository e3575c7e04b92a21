local fixture = require "support.fixture"
local macro = require "peal.macro"
local rule = require "peal.rule"
local url = require "peal.url"

local function vars(changes)
  return macro.variables(fixture.phone(changes))
end

local function decide(text, changes, opts)
  return rule.decide(text, vars(changes), opts)
end

-- What a plan does, in one line.
local function doing(text, changes, opts)
  local plan, sentence = decide(text, changes, opts)
  if not plan then
    return "error: " .. sentence
  elseif plan.action == "skip" then
    return "skip: " .. plan.word
  end
  local words = {}
  for _, assign in ipairs(plan.assigns) do
    words[#words + 1] = assign.name .. "=" .. assign.value
  end
  for _, fetch in ipairs(plan.fetches or { plan.fetch }) do
    for _, name in ipairs { "key", "uid", "pwd", "post", "put", "alias" } do
      if fetch[name] then
        words[#words + 1] = name .. ":" .. fetch[name]
      end
    end
    for _, name in ipairs { "srv", "delta", "status" } do
      if fetch[name] then
        words[#words + 1] = name
      end
    end
    words[#words + 1] = url.format(fetch.url)
  end
  return table.concat(words, " ")
end

local function each(kind, outcomes)
  for _, case in ipairs(outcomes) do
    it(("%s -> %s"):format(case[1], case[2]), function()
      assert.equal(case[2], doing(case[1], case[3], { kind = kind }))
    end)
  end
end

local LATE <const> = { state = { PRVTMR = 10 } }
local REGISTERED <const> = "($PRVTMR ge 600)? http://p.tel.com/has-reg.cfg"
  .. " | [--post a] http://p.tel.com/lost-reg?"

describe("a profile rule:", function()
  each("profile", {
    { "http://remote.server.com/cisco/$MA.cfg",
      "http://remote.server.com/cisco/000e08abcdef.cfg" },
    { REGISTERED, "http://p.tel.com/has-reg.cfg" },
    { REGISTERED, "post:a http://p.tel.com/lost-reg?", LATE },
    { '("$A" ne "Provisioned")? (Line_Enable_1_ = "No";)! '
      .. "https://p.tel.com/init-prov | https://p.tel.com/configs",
      "Line_Enable_1_=No https://p.tel.com/init-prov" },
    { "[--alias b] https://p.tel.com/account/$PN$MA.xml",
      "alias:b https://p.tel.com/account/CP-8841-3PCC000e08abcdef.xml" },
    { "[--key MyOwnSecret ] tftp://192.168.1.200/basic.cfg",
      "key:MyOwnSecret tftp://192.168.1.200/basic.cfg" },
    { "[--uid $SA --pwd $SB] https://h/c.xml",
      'uid:MyUserID pwd:My "Secret" Pass https://h/c.xml' },
    { "[--key $$SA] http://h/x", "key:$SA http://h/x" },
    { "http://h/$SA", "http://h/$SA" },
    { "[--key my secret] http://h/x", "error: Option expected" },
    { "[--kee x] http://h/x", "error: Unknown option --kee" },
    { "http://a b", "error: Text after the URL" },
    { "[--key a]", "error: Options without URL" },
    { "http://h", "error: No path" },
    { "foo.cfg", "error: No path" },
    { "# http://x/y", "skip: disabled" },
    { "", "skip: empty" },
    { "($PRVST eq 5)? http://a/ | ($PRVST eq 6)? http://b/",
      "skip: no-alternative" },
    { '(c="$MA"; d="";)!', "GPP_C=000e08abcdef GPP_D=" },
    { '(c="new";)! http://h/x$C', "GPP_C=new http://h/x" },
    { "/$PSN.xml", "/8841-3PCC.xml" },
    { '[--key "$E"] http://h/x', "key:x | http://evil/ http://h/x" },
    { "$E", "error: No path" },
  })
end)

describe("white space in a rule", function()
  each("profile", {
    { '\t(1=1) ? ( a = "x" ; b="y" ) ! [ --key  k  --srv ] https://h/x  ',
      "GPP_A=x GPP_B=y key:k srv https://h/x" },
    { '(1=1)?(a="x")![--key k]https://h/x|http://b/',
      "GPP_A=x key:k https://h/x" },
    { "(1=2)?http://a/|(1=1)?http://b/|http://c/", "http://b/" },
    { "  ", "skip: empty" },
    { "  # off", "skip: disabled" },
    { " (1=1)?\r\nhttp://a/ ", "http://a/" },
  })
end)

describe("an option", function()
  each("profile", {
    { '[--key "a ] | b"] http://h/x', "key:a ] | b http://h/x" },
    { '[--key"k"--srv] http://h/x', "key:k srv http://h/x" },
    { "[--key a --key b] http://h/x", "key:b http://h/x" },
    { "[--post a --put b] http://h/x", "put:b http://h/x" },
    { "[] http://h/x", "http://h/x" },
    { "[--uid u --pwd p --key k --alias c --srv] http://h/x",
      "key:k uid:u pwd:p alias:c srv http://h/x" },
    { "[--key a|b] http://h/x", "key:a|b http://h/x" },
    { "[--key a(b] http://h/x", "key:a(b http://h/x" },
    { "[--key $(SB:0:2)] http://h/x", "key:My http://h/x" },
    { "[--key pre-$SC] http://h/x", "key:pre-k3y http://h/x" },
    { "[--key $MA] http://h/x", "key:000e08abcdef http://h/x" },
    { '[--uid "" --pwd ""] http://h/x', "uid: pwd: http://h/x" },
    -- errors
    { "[--key] http://h/x", "error: Argument missing for --key" },
    { "[--key --srv] http://h/x", "error: Argument missing for --key" },
    { '[--key ""] http://h/x', "error: Empty key" },
    { "[--key $SD] http://h/x", "error: Empty key" },
    { '[--key "$SD"] http://h/x', "error: Empty key" },
    { "[--post q] http://h/x", "error: --post takes a letter a to p" },
    { "[--alias A] http://h/x", "error: --alias takes a letter a to p" },
    { "[--alias ab] http://h/x", "error: --alias takes a letter a to p" },
    { "[--post a] tftp://h/x", "error: No POST or PUT with tftp" },
    { "[--put a] h/x", "error: No POST or PUT with tftp" },
    { "[--srv] h/x", "error: TFTP Scheme not supported in SRV lookups" },
    { "[--srv x] http://h/x", "error: Option expected" },
    { "[--delete] http://h/x", "error: Unknown option --delete" },
    { "[--report] http://h/x", "error: Unknown option --report" },
    { "[--http_proxy p] http://h/x", "error: Unknown option --http_proxy" },
    { "[--delta] http://h/x", "error: Unknown option --delta" },
    { "[--status] http://h/x", "error: Unknown option --status" },
    { "[--key a] [--key b] http://h/x", "error: Unbalanced bracket" },
    { "[--key a", "error: Unbalanced bracket" },
    { '[--key "a] http://h/x', "error: Unbalanced quote" },
    { '[--key a"b"] http://h/x', "error: Option expected" },
    { "[--] http://h/x", "error: Option expected" },
    { "[key a] http://h/x", "error: Unbalanced bracket" },
    { "http://h/x [--key a]", "error: Text after the URL" },
  })

  it("does not open where an IPv6 server is named", function()
    assert.equal("tftp://[2001:db8::1]/x", doing("[2001:db8::1]/x"))
    assert.equal("key:k http://[::1]:81/x",
      doing("[--key k] http://[::1]:81/x"))
  end)

  it("with user and password is ignored with tftp, and says so", function()
    for _, text in ipairs { "[--uid u --pwd p] h/x", "tftp://u:p@h/x" } do
      local plan = decide(text)
      assert.is_nil(plan.fetch.uid)
      assert.is_nil(plan.fetch.pwd)
      assert.same({ "User and password are ignored with tftp" },
        plan.trace.warnings)
    end
  end)

  it("beats user and password in the URL", function()
    assert.equal("uid:u pwd:p http://h/x", doing("http://u:p@h/x"))
    assert.equal("uid:a pwd:b http://h/x",
      doing("[--uid a --pwd b] http://u:p@h/x"))
    assert.is_nil(decide("http://u:p@h/x").fetch.url.password)
  end)

  it("may come from a register, secrets and all", function()
    assert.equal("key:k3y http://h/x", doing("$A http://h/x",
      { params = { GPP_A = "[--key $SC]" } }))
  end)

  it("may not come from another variable", function()
    local hostile = { params = { User_ID_1_ = "x] http://evil/ #" } }
    assert.equal("key:x] http://evil/ # http://h/x",
      doing("[--key $UID1] http://h/x", hostile))
    hostile.params.User_ID_1_ = "| http://evil/"
    assert.equal("http://h/|%20http://evil/", doing("http://h/$UID1", hostile))
    hostile.params.User_ID_1_ = "$SC"
    assert.equal("key:$SC http://h/x",
      doing("[--key $UID1] http://h/x", hostile))
  end)
end)

describe("an alternative", function()
  each("profile", {
    { "http://a/ | http://b/", "http://a/" },
    { "(1=2)? http://a/", "skip: no-alternative" },
    { "(1=1)?", "skip: nothing" },
    { "(1=1)? | http://b/", "skip: nothing" },
    { "(1=2)? http://a/ |", "skip: nothing" },
    { "|", "skip: nothing" },
    { "(2.0.6(b) gt 2.0.6)? http://a/", "http://a/" },
    { '("(|" eq "(|")? http://a/', "http://a/" },
    { "http://h/x?(a|b)", "http://h/x?(a|b)" },
    { '("$C" ne "")? [--key $C] http://h/x | http://h/y', "http://h/y" },
    { '("$C" ne "")? [--post $C] $C | http://h/y', "http://h/y" },
    { '("$C" ne "")? h$C | http://h/y', "http://h/y" },
    { "(1=2)? ftp://h/x | http://h/y", "http://h/y" },
    -- errors, wherever they stand
    { "http://a/ | [--kee x] http://b/", "error: Unknown option --kee" },
    { "http://a/ | (1=1 http://b/", "error: Unbalanced bracket" },
    { 'http://a/ | ("a eq 1)? http://b/', "error: Unbalanced quote" },
    { "http://a/ | http://b/)", "error: Unbalanced bracket" },
    { 'http://a/ | http://b/"', "error: Quote in URL" },
    { "(1=1) http://a/", "error: '?' or '!' expected" },
    { "(1=1)? (1=1)? http://a/", "error: '?' or '!' expected" },
    { '(a="1")! (1=1)? http://a/', "error: '?' or '!' expected" },
    { "()? http://a/", "error: Operand missing" },
    { "($FOO eq 1)? http://a/ | http://b/", "error: Unknown macro" },
    { "($SWVER ge 11.0.0)? http://a/ | http://b/",
      "error: Versions of different form" },
  })

  it("without a condition makes later ones unreachable, and says so",
    function()
      assert.same(
        { "Alternative 1 has no condition: later ones are never reached" },
        decide("http://a/ | http://b/").trace.warnings)
      assert.same({}, decide("(1=2)? http://a/ | http://b/").trace.warnings)
    end)

  it("that is not reached may hold any condition", function()
    assert.equal("http://a/", doing("http://a/ | (1 == 1)? http://b/"))
  end)
end)

describe("an assignment", function()
  each("profile", {
    { '(a="1")!', "GPP_A=1" },
    { '(p="1";)! ', "GPP_P=1" },
    { '(Enable_802.1X_Authentication = "Yes")!',
      "Enable_802.1X_Authentication=Yes" },
    { '(Auth_Resync-Reboot_1_="No"; b="$$MA|)!;")!',
      "Auth_Resync-Reboot_1_=No GPP_B=$MA|)!;" },
    { '(a="")!', "GPP_A=" },
    { '(a="$UID1")!', 'GPP_A=1001" eq "' },
    { '(a="$SA")!', "GPP_A=$SA" },
    { "()!", "error: Assignment expected" },
    { "(a)!", "error: Assignment expected" },
    { "(a=1)!", "error: Quoted value expected" },
    { '(a="1" b="2")!', "error: ';' expected" },
    { '(a="1";;)!', "error: Assignment expected" },
    { '(="1")!', "error: Assignment expected" },
    { '($UID1="1")!', "error: Assignment expected" },
    { '(a="1)!', "error: Unbalanced quote" },
    { '(1="1")!', "error: Assignment expected" },
  })
end)

describe("onboarding", function()
  it("is an event and no download", function()
    local plan = decide("gds://")
    assert.same({ "skip", "onboarding", "" },
      { plan.action, plan.event, plan.activation })
    plan = decide('(a="1")! GDS://1234567890123456@h')
    assert.equal("1234567890123456@h", plan.activation)
    assert.equal("GPP_A", plan.assigns[1].name)
    assert.is_nil(plan.trace.text:find("1234567890123456", 1, true))
  end)
end)

describe("an upgrade rule:", function()
  each("upgrade", {
    { "($SWVER lt sip88xx.11-3-2MPP0001-1)? http://p/l.loads",
      "http://p/l.loads" },
    { "[--key x] http://p/l.loads", "error: Options not allowed here" },
    { "[--kee x] http://p/l.loads", "error: Options not allowed here" },
    { "/l.loads", "error: No server" },
    { "gds://x", "error: Bad scheme" },
    { "", "skip: empty" },
  })

  it("keeps the condition that chose it", function()
    local plan = decide("(1 = 2)? http://a/ | (2 = 2)? http://b/", nil,
      { kind = "upgrade" })
    assert.equal("2 = 2", plan.condition)
    assert.equal("", decide("http://a/", nil, { kind = "upgrade" }).condition)
  end)

  it("says what is missing", function()
    local _, _, word, detail = decide("/x", nil, { kind = "upgrade" })
    assert.equal("no-server", word)
    assert.equal("No server", detail.err)
  end)
end)

describe("a report rule:", function()
  each("report", {
    { "http://s/cfg.xml", "http://s/cfg.xml" },
    { "[--delta]http://s/d.xml [--status]http://s/st.xml",
      "delta http://s/d.xml status http://s/st.xml" },
    { "[--delta --key test123]http://s/d.enc",
      "key:test123 delta http://s/d.enc" },
    { "http://s/a.xml; http://s/b.xml;", "http://s/a.xml http://s/b.xml" },
    { "tftp://s/a.xml", "tftp://s/a.xml" },
    { '(1=1)? (a="1")! http://s/a.xml | http://s/b.xml',
      "GPP_A=1 http://s/a.xml" },
    { "http://s/a http://s/b http://s/c", "error: More than two URLs" },
    { "[--post a] http://s/a", "error: Unknown option --post" },
    { "[--alias a] http://s/a", "error: Unknown option --alias" },
    { "/a.xml", "error: No server" },
    { "", "skip: empty" },
  })
end)

describe("a trigger:", function()
  each("trigger", {
    { "$PRVTMR ge 600", "" },
    { "$PRVTMR ge 6000", "skip: false" },
    { "", "skip: empty" },
    { "$C", "skip: empty" },
    { "(1 eq 1)?", "error: Neither number, version nor quoted text" },
    { "1 == 1", "error: Operand missing" },
  })

  it("shows its comparisons", function()
    local plan = decide("$PRVTMR ge 600", nil, { kind = "trigger" })
    assert.same({
      text = "900 ge 600", verdict = true, chosen = true,
      conditions = { { left = "900", op = ">=", right = "600",
                       verdict = true } },
    }, plan.trace.alternatives[1])
  end)
end)

describe("a rule without server", function()
  it("is left to DHCP", function()
    local plan = decide("/x.cfg")
    assert.is_nil(plan.fetch.url.host)
    assert.equal("tftp", plan.fetch.url.scheme)
  end)

  it("may be given one", function()
    local opts = { host = "192.168.1.9" }
    assert.equal("tftp://192.168.1.9/basic.txt",
      doing("/basic.txt", nil, opts))
    assert.equal("http://h/x", doing("http://h/x", nil, opts))
    opts = { host = "2001:db8::9", kind = "upgrade" }
    assert.equal("https://[2001:db8::9]/l.loads",
      doing("https:///l.loads", nil, opts))
  end)
end)

describe("the trace of a rule", function()
  it("shows text, expansion, comparisons and choice", function()
    local text = '("$CCERT" eq "x")? http://a/$MA | http://b/$MA'
    assert.same({
      text = text,
      expanded = '("Installed" eq "x")? http://a/000e08abcdef'
        .. " | http://b/000e08abcdef",
      alternatives = {
        { text = '("Installed" eq "x")? http://a/000e08abcdef',
          verdict = false, chosen = false,
          conditions = { { left = '"Installed"', op = "=", right = '"x"',
                           verdict = false } } },
        { text = "http://b/000e08abcdef", verdict = true, chosen = true },
      },
      warnings = {},
    }, decide(text).trace)
  end)

  it("hides keys and passwords", function()
    local trace = decide("[--uid u --pwd s3cret --key s3cret] http://h/x").trace
    assert.equal("[--uid u --pwd *** --key ***] http://h/x", trace.text)
    assert.equal(trace.text, trace.expanded)
    assert.equal(trace.text, trace.alternatives[1].text)
  end)

  it("hides what the caller calls secret", function()
    local trace = decide('(Foo="s3cret"; Bar="1")!', nil, {
      is_secret = function(name) return name == "Foo" end }).trace
    assert.equal('(Foo="***"; Bar="1")!', trace.expanded)
  end)
end)

describe("a rule error", function()
  it("has a word, a place and the text for $ERR", function()
    local plan, sentence, word, detail =
      decide("(1=1)? http://h/$MA x | http://b/")
    assert.is_nil(plan)
    assert.equal("Text after the URL", sentence)
    assert.equal("bad-rule", word)
    assert.equal(30, detail.at)
    assert.equal("Bad rule: Text after the URL", detail.err)
    assert.equal("(1=1)? http://h/$MA x | http://b/", detail.trace.text)
  end)

  it("in a condition has its own word and the way there", function()
    local _, _, word, detail = decide("(1=2)? http://a/ | (1=1 and $FOO=1)? /x")
    assert.equal("bad-condition", word)
    assert.equal(29, detail.at)
    assert.equal("Bad rule: Unknown macro", detail.err)
    assert.equal(1, #detail.conditions)
    assert.is_false(detail.trace.alternatives[1].verdict)
    assert.is_nil(detail.trace.alternatives[2].verdict)
  end)

  it("does not give a secret away", function()
    for _, text in ipairs {
      "[--key s3cret http://h/x", "[--keys3cret] http://h/x",
      "[--key my s3cret] http://h/x", '[--key "s3cret] http://h/x',
      "[--key a]s3cret] http://h/x", "[--pwd s3cret] http://h",
      "http://u:s3cret@h", "http://u:s3cret@h:0/x", "http://u:s3cret",
      "u:s3cret@h/x y", "[\226\128\147key s3cret] http://h/x",
      "--key s3cret http://h/x", "[--KEY s3cret] http://h/x",
      "[-key s3cret] http://h/x", "[--sleutel s3cret] http://h/x",
      '(GPP_SA="s3cret" x)! http://h/x', '(GPP_SA="s3cret)! http://h/x',
      '(Admin_Password = "s3cret")! http://h', "http://u:s3cret@h | http://a/",
      "[--key a | b s3cret] http://h/x", "(1=1)? [--key s3cret]",
      "http://u:x/s3cret@h/x", "http://u:p|s3cret@h/x",
    } do
      local plan, sentence, _, detail = decide(text)
      assert.is_nil(plan, text)
      for _, shown in ipairs { sentence, detail.err, detail.trace.text,
                               detail.trace.expanded, rule.redact(text) } do
        assert.is_nil(shown:find("s3cret", 1, true), text .. " " .. shown)
      end
    end
  end)

  it("comes of too long a rule", function()
    local long = "http://h/" .. ("x"):rep(4096)
    assert.equal("error: Rule longer than 4096 bytes", doing(long))
    assert.equal("error: Text longer than 65536 bytes",
      doing(("$A"):rep(2000), { params = { GPP_A = ("x"):rep(4096) } }))
    assert.equal("error: Too many alternatives", doing(("|"):rep(300)))
  end)
end)

describe("deciding", function()
  it("survives any text, always with plan or word", function()
    local all = vars()
    local kinds = { "profile", "report", "upgrade", "trigger" }
    local n = 0
    fixture.fuzz({ "(", ")", "?", "!", "[", "]", "--key ", "--post a", '"',
                   "|", " ", "http://h/x", "$MA", "$SA", "$E", '(1=1)?',
                   '(a="1";)!', "#", ";", "--", "gds://", "$UID1", "@" },
      function(text)
        n = n + 1
        local kind = kinds[n % 4 + 1]
        local plan, sentence, word, detail =
          rule.decide(text, all, { kind = kind })
        assert(plan and plan.trace
          or word and detail.trace and detail.err and sentence)
        rule.redact(text)
        local fetch = plan and plan.fetch
        if fetch and not fetch.url.host then
          rule.default_server(fetch.url, { ["66"] = text }, "66", all)
        end
      end)
  end)

  it("of hostile rules takes no time", function()
    local started = os.clock()
    for _, piece in ipairs { "(", "[", '"', "|", " ", "((", "[--", "(1=1)?",
                             "[--key x", "1=1 and ", '(a="', "$A", "://" } do
      local big = { params = { GPP_A = (piece):rep(4000 // #piece) } }
      decide(("$A"):rep(15), big)
      decide("(" .. ("$A"):rep(15) .. ")? http://h/x", big)
      decide(("$A"):rep(15), big, { kind = "trigger" })
    end
    assert.is_true(os.clock() - started < 10)
  end)
end)
