local fixture = require "support.fixture"
local macro = require "peal.macro"

local function vars(changes)
  return macro.variables(fixture.phone(changes))
end

local function expand(text, changes)
  return (macro.expand(text, vars(changes)))
end

-- The mask in readable form: opaque bytes as ".".
local function mask_of(text, changes)
  local _, mask = macro.expand(text, vars(changes))
  return (mask:gsub("\1", "."))
end

describe("macro expansion", function()
  local outcomes = {
    { "$(MAU)config.cfg", "000E08ABCDEFconfig.cfg" },
    { "$STRANGE$MAU.cfg", "$STRANGE000E08ABCDEF.cfg" },
    { "$$MAU", "$MAU" },
    { "$$$MA", "$000e08abcdef" },
    { "$(A:2)", "CDEF" },
    { "$(A:2:3)", "CDE" },
    { "$(MAU:8:2)", "CD" },
    { "$(A:9)", "" },
    { "$(A:x)", "$(A:x)" },
    { "$A$B", "ABCDEFDj6Lmp23Q" },
    { "$D", "$MA" },
    { "$MAUX.cfg", "$MAUX.cfg" },
    { "$MA_1.cfg", "000e08abcdef_1.cfg" },
    { "$ma", "$ma" },
    { "cost $5", "cost $5" },
    { "$GPP_A", "ABCDEF" },
    { "$SA", "$SA" },
    { "/$PSN.xml", "/8841-3PCC.xml" },
    { "tftp://prov.telco.com/cisco/$B/$MA.cfg",
      "tftp://prov.telco.com/cisco/Dj6Lmp23Q/000e08abcdef.cfg" },
    -- edges
    { "", "" },
    { "$", "$" },
    { "$$", "$" },
    { "$$$$", "$$" },
    { "a$(", "a$(" },
    { "$(MA", "$(MA" },
    { "$()", "$()" },
    { "$(MA )", "$(MA )" },
    { "$($(MA))", "$(000e08abcdef)" },
    { "$(A:)", "$(A:)" },
    { "$(A:1:)", "$(A:1:)" },
    { "$(A:1:2:3)", "$(A:1:2:3)" },
    { "$(A:-1)", "$(A:-1)" },
    { "$(A:0:0)", "" },
    { "$(A:6)", "" },
    { "$(A:5)", "F" },
    { "$(A:0:99999999999999999999999)", "ABCDEF" },
    { "$(A:99999999999999999999999)", "" },
    { "$(A:002:1)", "C" },
    { "$(GPP_A:4)", "EF" },
    { "$(GPP_Q)$GPP_Q$GPP_AB$GPP_", "$(GPP_Q)$GPP_Q$GPP_AB$GPP_" },
    { "$GPP_A_B", "ABCDEF_B" },
    { "$(NOPE)$(NOPE:1)", "$(NOPE)$(NOPE:1)" },
    { "$(SA)$(SB:1:2)$SD$MPWD", "$(SA)$(SB:1:2)$SD$MPWD" },
    { "$GPP_SA", "$GPP_SA" },
  }
  for _, case in ipairs(outcomes) do
    it(("makes %q of %q"):format(case[2], case[1]), function()
      assert.equal(case[2], expand(case[1]))
    end)
  end

  it("keeps a text of 64 KiB and refuses a longer one", function()
    local text = ("x"):rep(65536)
    assert.equal(text, expand(text))
    local got, sentence, word = macro.expand(text .. "x", vars())
    assert.is_nil(got)
    assert.equal("Text longer than 65536 bytes", sentence)
    assert.equal("too-long", word)
  end)

  it("refuses to grow beyond 64 KiB", function()
    local big = { params = { GPP_A = ("x"):rep(4096) } }
    local _, _, word = macro.expand(("$A"):rep(2000), vars(big))
    assert.equal("too-long", word)
  end)

  it("takes long malformed macros in its stride", function()
    local text = "$(A" .. ("1"):rep(60000)
    assert.equal(text, expand(text))
    text = "$(A:" .. ("1"):rep(60000)
    assert.equal(text, expand(text))
    text = ("$("):rep(30000)
    assert.equal(text, expand(text))
  end)

  it("survives any text", function()
    local all = vars()
    fixture.fuzz({ "$", "(", ")", ":", "A", "GPP_", "SA", "MA", "1", "$$" },
      function(text)
        local expanded, mask = macro.expand(text, all)
        assert(#expanded == #mask)
        macro.expand_secrets(expanded, all, mask)
      end)
  end)
end)

describe("the mask", function()
  it("is the text itself where nothing is opaque", function()
    assert.equal("x | $FOO", mask_of("x | $FOO"))
    assert.equal("x | http://evil/", mask_of("$E"))
  end)

  it("hides variables other than A to P", function()
    assert.equal("ABCDEF-............", mask_of("$A-$MA"))
    assert.equal('".........."', mask_of('"$UID1"'))
  end)

  it("hides the dollar of a doubled one", function()
    assert.equal(".MAU", mask_of("$$MAU"))
  end)

  it("has the length of the text", function()
    local text, mask = macro.expand("$MA$(SN:3)$A$$$UID1$NO", vars())
    assert.equal(#text, #mask)
  end)
end)

describe("the second pass", function()
  local function secrets(text, changes)
    local all = vars(changes)
    local expanded, mask = macro.expand(text, all)
    return macro.expand_secrets(expanded, all, mask)
  end

  it("expands the secret names", function()
    assert.equal("MyUserID/k3y", secrets("$SA/$SC"))
    assert.equal('My "Secret" Pass', secrets("$(SB)"))
    assert.equal("Secret", secrets("$(SB:4:6)"))
    assert.equal("", secrets("$SD"))
    assert.equal("", secrets("$MPWD"))
    assert.equal("pin", secrets("$MPWD", { identity = { MPWD = "pin" } }))
  end)

  it("leaves alone what came out of a variable or a doubled dollar",
    function()
      assert.equal("$SA", secrets("$$SA"))
      assert.equal("$SA", secrets("$UID1", { params = { User_ID_1_ = "$SA" } }))
    end)

  it("expands names that a register holds, once", function()
    local changes = { params = { GPP_A = "$SA", GPP_SA = "$SB" } }
    assert.equal("$SB", secrets("$A", changes))
  end)

  it("expands nothing else", function()
    local all = vars()
    assert.equal("$MA$A$$SA", macro.expand_secrets("$MA$A$$SA", all))
  end)
end)

describe("the variables of a phone", function()
  it("show the MAC in three forms, however it is given", function()
    for _, mac in ipairs { "000E08ABCDEF", "00:0e:08:ab:cd:ef",
                           "00-0E-08-AB-CD-EF", "000e.08ab.cdef" } do
      assert.equal("000e08abcdef 000E08ABCDEF 00:0e:08:ab:cd:ef",
        expand("$MA $MAU $MAC", { identity = { MAC = mac } }))
    end
  end)

  it("leave a malformed MAC empty", function()
    assert.equal("<>", expand("<$MA$MAU$MAC>", { identity = { MAC = "0e" } }))
  end)

  it("derive the series from the product", function()
    assert.equal("8841-3PCC", expand("$PSN"))
    assert.equal("X", expand("$PSN", { identity = { PSN = "X" } }))
    assert.equal("D715", expand("$PSN", { identity = { PN = "D715" } }))
  end)

  it("show whole seconds", function()
    assert.equal("900 4000 0 0 -1", expand("$PRVTMR $UPGTMR $REGTMR1 $REGTMR16 "
      .. "$PRVST", { state = { PRVTMR = 900.7, PRVST = -1 } }))
  end)

  it("know 16 lines", function()
    assert.equal('1001" eq " 0 $UID17 $REGTMR17 $UID0',
      expand("$UID1 $REGTMR16 $UID17 $REGTMR17 $UID0"))
  end)

  it("have the documented defaults", function()
    assert.equal("Not Installed|orig_mpp|none|0||||", (macro.expand(
      "$CCERT|$ORIGTYPE|$AUTHSTATUS|$ISCUST|$EXTIP|$ERR|$UPGCOND|$EMS",
      macro.variables {})))
  end)

  it("show the parts of a request only in one", function()
    local text = "$SCHEME $METH $SERV $SERVIP $PORT $PATH"
    assert.equal("     ", expand(text))
    assert.equal("tftp tftp h 192.0.2.1 69 /x?y", expand(text, { request = {
      SCHEME = "tftp", SERV = "h", SERVIP = "192.0.2.1", PORT = 69,
      PATH = "/x?y" } }))
  end)

  it("show the result text", function()
    assert.equal("File not found", expand("$ERR", { ERR = "File not found" }))
  end)

  it("show flags as 1 and 0", function()
    assert.equal("1", expand("$ISCUST", { identity = { ISCUST = true } }))
    assert.equal("0", expand("$ISCUST", { identity = { ISCUST = false } }))
  end)
end)

describe("the user agent", function()
  local function agent(swver)
    return expand("$VERSION ($MA)",
      { user_agent = true, identity = { SWVER = swver } })
  end

  it("names product and three numbers", function()
    assert.equal("Cisco-CP-8841-3PCC/11.3.1 (000e08abcdef)", agent())
    assert.equal("Cisco-CP-8841-3PCC/12.0.2 (000e08abcdef)",
      agent("sip88xx.12-0-2MPP0001-5"))
    assert.equal("Cisco-CP-8841-3PCC/1.0.0 (000e08abcdef)", agent("1.0.0"))
  end)

  it("shows a load that is no version without header breaks", function()
    assert.equal("Cisco-CP-8841-3PCC/devX (000e08abcdef)",
      agent("dev\r\nX"))
  end)

  it("is unknown elsewhere", function()
    assert.equal("$VERSION", expand("$VERSION"))
  end)
end)
