local fixture = require "support.fixture"
local version = require "peal.version"

describe("a version", function()
  it("of a load drops model and .loads", function()
    assert.same({
      kind = "mpp",
      { 11, "", 0 }, { 3, "", 0 }, { 2, "", 1 },
      build = { 609, "" },
    }, version.parse("sip88xx.11-3-2MPP0001-609.loads"))
  end)

  it("may have four parts", function()
    assert.same({
      kind = "mpp",
      { 11, "", 0 }, { 0, "", 0 }, { 0, "MN", 0 }, { 1, "", 0 },
      build = { 12, "dev" },
    }, version.parse("11-0-0MN-1MPP-12dev"))
  end)

  it("of three numbers may have a suffix", function()
    assert.same({ kind = "spa", 2, 0, 6, suffix = "b" },
      version.parse("2.0.6(b)"))
    assert.same({ kind = "spa", 2, 0, 1 }, version.parse("2.0.1"))
  end)

  local malformed = {
    "", "1", "1.2", "1.2.3.4", "1.2.3()", "1.2.3(b", "1.2.3(b)x", "a.b.c",
    "11-3", "11-3-", "x-1-2", "11-3-1MPP-", "11-3-1MPP-x", "11-3-1MPP-1-2",
    "11-3-1-1-2", "11-3-1MPPx", "sip8845_65.0104-MPP-9875dev.loads",
    "sip88xx.", "11-3-1MPP-99999999999999999999", "99999999999999999999.0.0",
    "11-3-1 MPP", ("1"):rep(300) .. "-1-1",
  }
  for _, text in ipairs(malformed) do
    it(("is not %q"):format(text:sub(1, 40)), function()
      local parsed, sentence, word = version.parse(text)
      assert.is_nil(parsed)
      assert.equal("Not a version", sentence)
      assert.equal("invalid", word)
    end)
  end

  it("is never made of any text by raising", function()
    fixture.fuzz({ "1", "0", "-", ".", "MPP", "MN", "sip88xx.", "(b)",
                   ".loads" },
      function(text)
        version.parse(text)
        version.compare(text, "11-3-1MPP-1")
      end)
  end)
end)

describe("comparing versions", function()
  local orders = {
    { "sip88xx.11-3-1MPP-110", 1, "sip88xx.11-2-3MPP-256" },
    { "sip88xx.11-3-2MPP0002-256", 1, "sip88xx.11-3-2MPP0001-609" },
    { "sip88xx.11-0-0MPP-5", 1, "sip88xx.9-3-1-7MPP-5" },
    { "sip68xx.11-0-0MPP-1", -1, "sip68xx.11-0-0MN-1MPP-1" },
    { "sip78xx.14-1-1MN-366", 1, "sip78xx.12-0-7MPP0201-66" },
    { "11-1-0MPP-19", -1, "ATA19x.11-1-1MPP-2" },
    { "sip88xx.12-0-2MPP0001-5", 1, "sip88xx.12-0-2MPP-9" },
    { "2.0.6", -1, "2.0.6(b)" },
    { "1.0.31(b)", -1, "1.0.33" },
    { "2.0.3(G)", 1, "2.0.3(0412s)" },
    { "11-3-1MPP-234", 0, "11-3-1MPP" },
    { "sip88xx.11-3-1MPP-2", 0, "sip8845_65.11-3-1MPP-2.loads" },
    { "11-3-1MPP-2", -1, "11-3-1MPP-10" },
    { "11-3-1MPP-9dev", 1, "11-3-1MPP-9" },
    { "9-3-1-7MPP", 1, "9-3-1MPP" },
    { "9-3-1-0MPP", 0, "9-3-1MPP" },
    { "11-3-1MSR-1", 1, "11-3-1MPP-1" },
  }
  for _, case in ipairs(orders) do
    it(("%s with %s gives %d"):format(case[1], case[3], case[2]), function()
      assert.equal(case[2], version.compare(case[1], case[3]))
      assert.equal(-case[2], version.compare(case[3], case[1]))
      assert.equal(case[2], version.compare(version.parse(case[1]),
        version.parse(case[3])))
    end)
  end

  it("of two forms is refused", function()
    local order, sentence, word = version.compare("11-3-1MPP", "11.3.1")
    assert.is_nil(order)
    assert.equal("Versions of different form", sentence)
    assert.equal("invalid", word)
  end)

  it("with something else is refused", function()
    assert.is_nil(version.compare("11-3-1MPP", "11"))
    assert.is_nil(version.compare("", "1.0.0"))
  end)
end)

describe("the short version", function()
  it("has three numbers", function()
    assert.equal("11.3.1", version.short("sip88xx.11-3-1MPP-234"))
    assert.equal("2.0.6", version.short("2.0.6(b)"))
    assert.is_nil(version.short("dev"))
  end)
end)
