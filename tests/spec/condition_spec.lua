local fixture = require "support.fixture"
local condition = require "peal.condition"
local macro = require "peal.macro"

local function evaluate(text, changes)
  local vars = macro.variables(fixture.phone(changes))
  return condition.evaluate(macro.expand(text, vars))
end

local function each(verdict, texts)
  for _, text in ipairs(texts) do
    it(("%s is %s"):format((text:gsub("%c", " ")), verdict), function()
      assert.equal(verdict, (evaluate(text)))
    end)
  end
end

describe("true on the fixture phone:", function()
  each(true, {
    "$UPGTMR gt 300 and $PRVTMR ge 600",
    '"$CCERT" eq "Installed"',
    '"$A" ne "Provisioned"',
    '"" eq "$C"',
    "sip88xx.11-3-1MPP-110 > sip88xx.11-2-3MPP-256",
    "sip88xx.11-3-2MPP0002-256 > sip88xx.11-3-2MPP0001-609",
    "sip88xx.11-0-0MPP-5 > sip88xx.9-3-1-7MPP-5",
    "sip68xx.11-0-0MPP-1 < sip68xx.11-0-0MN-1MPP-1",
    "sip78xx.14-1-1MN-366 gt sip78xx.12-0-7MPP0201-66",
    "11-1-0MPP-19 lt ATA19x.11-1-1MPP-2",
    "sip88xx.12-0-2MPP0001-5 gt sip88xx.12-0-2MPP-9",
    "2.0.6 lt 2.0.6(b)",
    "1.0.31(b) lt 1.0.33",
    "2.0.3(G) gt 2.0.3(0412s)",
    "$PRVTMR>=600",
    "007 eq 7",
    "$PRVST != -1",
    "$PRVTMR GT 10 AND 1 = 1",
    '"a"eq"a"and"b"!="a"',
    "+5 = 5 And 5<=5 and 4 LT 5",
    "$HWVER gt 2.0.0",
    '"$SWVER" eq "sip88xx.11-3-1MPP-234"',
    "9223372036854775807 gt -9223372036854775808",
    "\t1\r\n=  1 ",
    '"and" ne "or"',
  })
end)

describe("false on the fixture phone:", function()
  each(false, {
    "$SWVER ne sip88xx.11-3-1MPP-234",
    "$SWVER ne sip78xx.11-3-1MPP",
    '"A" eq "a"',
    '"$UID1" eq "x"',
    '"$UID1" eq "1001"',
    "1 eq 2 and 1 eq 1",
    '1 eq 2 and "a" < "b"',
    '"$C" ne "" and $C ge 3',
    '"$C" ne "" and $FOO ge 3 and 1 = 1',
  })
end)

describe("an error on any phone:", function()
  each(nil, {
    "$SWVER ge 11.0.0",
    '"a" < "b"',
    '$PRVTMR ge "600"',
    "$FOO eq 1",
    "$C eq 3",
    "! 1.0.33",
    "1 == 1",
    "1 eq 1 or 1 eq 1",
    "1 eq 1 and",
    "$UPGTMR gt 300 en $PRVTMR ge 600",
    "",
    "  ",
    "sip8845_65.0104-MPP-9875dev.loads ge sip88xx.11-0-0MPP-1",
    -- and also
    "1 eq 2 or 1 eq 1",
    "1 eq 2 and",
    "1 eq 2 en 1 eq 1",
    "1 eq 2 and 1 == 1",
    "1 eq 2 3",
    '1 eq 2 and "a',
    '"a eq 1',
    "1 < = 1",
    "1 < > 1",
    "1 => 1",
    "1 eq",
    "eq 1",
    "eq eq eq",
    "1",
    "and",
    "not 1 eq 1",
    "(1 eq 1)",
    "$UID1 eq 1",
    "1 eq 99999999999999999999",
    "1 eq 0x1",
    "1.5 eq 1.5",
    "11 eq 11-3-1MPP",
    "1eq 1",
    "1 eq 1and 1 eq 1",
  })
end)

describe("a comparison", function()
  it("is not upset by quotes inside a variable", function()
    local hostile = { params = { User_ID_1_ = 'x" eq "x" and "1' } }
    assert.is_false((evaluate('"$UID1" eq "x"', hostile)))
    assert.is_true((evaluate('"$UID1" ne "x"', hostile)))
  end)

  it("does not take a variable's words for operators", function()
    local hostile = { params = { User_ID_1_ = "1 eq 1" } }
    assert.is_nil((evaluate("$UID1", hostile)))
    hostile = { params = { User_ID_1_ = "eq" } }
    assert.is_nil((evaluate("1 $UID1 1", hostile)))
  end)

  it("takes a register's words as they stand", function()
    local ok = { params = { GPP_A = '1 eq 1 and "x"' } }
    assert.is_true((evaluate('$A eq "x"', ok)))
  end)

  it("is shown with both sides and its verdict, up to the first false one",
    function()
      local verdict, detail =
        evaluate('$PRVTMR ge 600 and "$A" eq "x" and 1 eq 1')
      assert.is_false(verdict)
      assert.same({
        { left = "900", op = ">=", right = "600", verdict = true },
        { left = '"ABCDEF"', op = "=", right = '"x"', verdict = false },
      }, detail)
    end)
end)

describe("an error", function()
  it("has word, place and what was evaluated before", function()
    local verdict, sentence, word, detail = evaluate("1 eq 1 and $SWVER ge 1")
    assert.is_nil(verdict)
    assert.equal("Compares version with number", sentence)
    assert.equal("bad-condition", word)
    assert.equal(12, detail.at)
    assert.equal(1, #detail.conditions)
  end)

  it("quotes nothing from the text", function()
    for _, text in ipairs { "s3cret eq 1", '"s3cret eq 1', "1 s3cret 1",
                            '"s3cret" lt "a"', "1 eq 1 s3cret" } do
      local _, sentence = evaluate(text)
      assert.is_nil(sentence:find("s3cret", 1, true))
    end
  end)

  it("points at an unbalanced quote", function()
    local _, sentence, _, detail = evaluate('1 eq 2 and "a" eq "b')
    assert.equal("Unbalanced quote", sentence)
    assert.equal(19, detail.at)
  end)
end)

describe("evaluation", function()
  it("survives any text", function()
    fixture.fuzz({ '"', " ", "and", "eq", "<", "=", "!", "1", "11-3-1MPP-2",
                   "2.0.1", "1 = 1", " and ", "$" },
      function(text)
        local verdict, detail, word = condition.evaluate(text)
        assert(verdict ~= nil and type(detail) == "table"
          or word == "bad-condition")
        condition.evaluate(text, ("\1"):rep(#text))
      end)
  end)

  it("refuses to read without end", function()
    local text = ("1=1 and "):rep(20000) .. "1=1"
    local verdict, _, word = condition.evaluate(text)
    assert.is_nil(verdict)
    assert.equal("bad-condition", word)
  end)
end)
