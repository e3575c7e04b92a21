local schema = require "peal.schema"

local function phone()
  local s = assert(schema.new())
  assert(s:add_all {
    { name = "Resync_Periodic", type = "Schedule", default = "3600",
      doc = "Time between resyncs.", unit = "s" },
    { name = "Privacy_Header_n_", type = "Choice", count = 10,
      choices = { "Disabled", "none", "id" }, default = "disabled" },
    { name = "GPP_SA", type = "Str", secret = true, max = 20 },
    { name = "Upload", type = "Uns", lo = 600, hi = 2592000,
      default = "0xe10", ua = "rw", reboot = true },
    { name = "Timer", type = "Uns", bits = 16, lo = 15, empty = true },
  })
  assert(s:alias("Periodic", "Resync_Periodic"))
  return assert(s:seal())
end

describe("schema", function()
  it("expands families in order", function()
    local s = phone()
    assert.equal(14, #s)
    local names = s:names()
    assert.equal("Resync_Periodic", names[1])
    assert.equal("Privacy_Header_10_", names[11])
    assert.equal("peal.schema (14 parameters)", tostring(s))
  end)

  it("takes several names that are alike in all else", function()
    local s = schema.new()
    assert(s:add { names = "A B\n  C_n_", type = "Uns", count = 0,
      default = "1" })
    s:seal()
    assert.same({ "A", "B", "C_n_" }, s:names())
    assert.equal("1", s:param("B").default)
  end)

  it("finds names, aliases and nothing else", function()
    local s = phone()
    assert.equal("Resync_Periodic", s:find("Periodic"))
    assert.equal("Privacy_Header_3_", s:find("Privacy_Header_3_"))
    assert.is_nil(s:find("Privacy_Header_11_"))
    assert.is_nil(s:find("resync_periodic"))
    assert.equal("Resync_Periodic", s:suggest("resync_periodc"))
    assert.is_nil(s:suggest("Nothing_Like_It"))
  end)

  it("describes a parameter", function()
    local p = phone():param("Upload")
    assert.same({ name = "Upload", type = "Uns", default = "3600", ua = "rw",
      secret = false, reboot = true, empty = false, lo = 600, hi = 2592000,
    }, p)
    assert.same({ "Disabled", "none", "id" },
      phone():param("Privacy_Header_1_").choices)
    assert.is_true(phone():param("GPP_SA").secret)
    local nothing, sentence, word = phone():param("Nope")
    assert.is_nil(nothing)
    assert.is_string(sentence)
    assert.equal("unknown-name", word)
  end)

  it("checks values and gives their canonical form", function()
    local s = phone()
    local cases = {
      { "Privacy_Header_3_", "ID", "id" }, { "Upload", "600", "600" },
      { "Upload", "0x300", "768" }, { "Periodic", "1 , 2+3", "1,2+3" },
      { "Timer", "", "" }, { "GPP_SA", "", "" },
      { "Upload", "599" }, { "Privacy_Header_3_", "geen" }, { "Timer", "14" },
      { "Upload", "" }, { "GPP_SA", ("x"):rep(21) },
    }
    for _, case in ipairs(cases) do
      local got, sentence, word = s:check(case[1], case[2])
      assert.equal(case[3], got)
      if not case[3] then
        assert.equal("bad-value", word)
        assert.is_string(sentence)
      end
    end
  end)

  it("says what is wrong with a definition", function()
    local s = schema.new()
    local nothing, sentence, word = s:add { name = "N", type = "Uns",
      default = "x" }
    assert.is_nil(nothing)
    assert.equal("bad-value", word)
    assert.truthy(sentence:find("N", 1, true))
    assert.has_error(function() s:add { name = "N", type = "Number" } end,
      "there is no type 'Number'")
    assert.has_error(function() s:add { name = "N", kind = "Uns" } end,
      "a parameter has no field 'kind'")
    assert.has_error(function() s:add { type = "Uns" } end,
      "a parameter has a name or names")
    assert.has_error(function()
      s:add { name = "N", type = "Choice", choices = { 1 } }
    end, "choices of a parameter are strings")
    assert.has_error(function() s:add { name = "N", ua = "all" } end,
      "ua of a parameter is na, ro or rw")
    nothing, sentence, word = s:alias("A", "Nope")
    assert.is_nil(nothing)
    assert.is_string(sentence)
    assert.equal("unknown-name", word)
  end)

  it("takes nothing more once it is sealed", function()
    local s = phone()
    local _, _, word = s:add { name = "Late", type = "Str" }
    assert.equal("bad-state", word)
    word = select(3, s:seal())
    assert.equal("bad-state", word)
  end)
end)
