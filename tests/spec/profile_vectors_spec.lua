-- Whole profiles into a store: what a phone makes of them.
-- Source: MPP administration guide, "Provisioning formats" and the access
-- control chapter; where those are silent, our choice.
local decode = require "peal.decode"
local encode = require "peal.encode"
local registry = require "peal.registry"
local store = require "peal.store"

-- A phone with Resync_Periodic 3600, GPP_A "old", Station_Name "Bob" (rw).
local function phone()
  local s = assert(store.open { schema = assert(registry.load()) })
  local txn = assert(s:begin())
  assert(decode.apply([[<flat-profile><GPP_A>old</GPP_A>
    <Resync_Periodic>3600</Resync_Periodic>
    <Station_Name ua="rw">Bob</Station_Name></flat-profile>]], nil, txn))
  assert(txn:commit("test", 0))
  return s
end

-- Applies `text`; returns the store, counts and the words of the notes, or
-- the store, nil and the word of the failure.
local function apply(text, options)
  local s = phone()
  local txn = assert(s:begin())
  local facts, _, word = decode.apply(text, options, txn)
  if not facts then
    txn:abort()
    return s, nil, word
  end
  local counts, notes = txn:counts(), {}
  for i, note in ipairs(txn:notes()) do notes[i] = note.word end
  assert(txn:commit("test", 1))
  return s, counts, table.concat(notes, " ")
end

local function flat(text)
  return "<flat-profile>" .. text .. "</flat-profile>"
end

-- Elements, then what the store holds: name = text or {text, ua}.
local values = {
  X1 = { "<GPP_A> 12345678\n </GPP_A>", GPP_A = "12345678" },
  X2 = { "<Dial_Plan_1_>\n (S0 &lt;:18005551212&gt;)\n</Dial_Plan_1_>",
    Dial_Plan_1_ = "(S0 <:18005551212>)" },
  X3 = { "<GPP_A>a\nb&#x2e;c&#40;</GPP_A>", GPP_A = "a b.c(" },
  X4a = { "<GPP_A/>", GPP_A = "" },
  X4b = { "<GPP_A ua=\"na\"></GPP_A>", GPP_A = { "", "na" } },
  X5 = { "<Station_Name ua=\"rw\"/>", Station_Name = { "Bob", "rw" } },
  X6 = { "<Station_Name ua=\"rw\">\"\"</Station_Name>",
    Station_Name = { "", "rw" } },
  X7 = { "<Station_Name ua=\"ro\" preserve-value=\"y\">Travel Agent 1"
    .. "</Station_Name>", Station_Name = { "Bob", "ro" } },
  X8 = { "<Resync_Periodic>abc</Resync_Periodic><GPP_A>n</GPP_A>",
    Resync_Periodic = "3600", GPP_A = "n", notes = "bad-value" },
  X9 = { "<Resync_On_Reset>no</Resync_On_Reset>"
    .. "<resync_periodic>5</resync_periodic><Nope>1</Nope>",
    Resync_On_Reset = "No", Resync_Periodic = "3600", unknown = 2 },
  X10 = { "<GPP_A>1</GPP_A><GPP_A>2</GPP_A>", GPP_A = "2" },
  X13 = { "<Provision_Enable ua=\"na\">Ja</Provision_Enable>",
    Provision_Enable = { "Yes", "na" }, notes = "bad-value" },
}

describe("a profile", function()
  for name, row in pairs(values) do
    it("is applied as in " .. name, function()
      local s, counts, notes = apply(flat(row[1]))
      assert.truthy(counts)
      for key, want in pairs(row) do
        if key == "notes" then
          assert.truthy(notes:find(want, 1, true), notes)
        elseif key == "unknown" then
          assert.equal(want, counts.unknown)
        elseif type(key) == "string" then
          local value = s:value(key)
          assert.equal(type(want) == "table" and want[1] or want, value.text)
          if type(want) == "table" then assert.equal(want[2], value.ua) end
        end
      end
    end)
  end

  it("is refused whole when corrupt (X11)", function()
    for _, text in ipairs {
      flat("<GPP_B>1</GPP_B><GPP_A>x&y</GPP_A>"),
      "<!DOCTYPE f [<!ENTITY x SYSTEM \"f\">]>" .. flat("<GPP_A>1</GPP_A>"),
      "<a/>",
    } do
      local s, counts, word = apply(text)
      assert.is_nil(counts)
      assert.equal("corrupt", word)
      assert.equal("old", s:get("GPP_A"))
      assert.equal("", s:get("GPP_B"))
    end
  end)

  it("may lie inside other elements (X12)", function()
    local s = apply("<device a=\"b\"><x>" .. flat("<GPP_A>1</GPP_A>")
      .. "</x></device>")
    assert.equal("1", s:get("GPP_A"))
  end)

  local credentials <const> = "<r><CPE><SIP-Credentials><name>J. Smith</name>"
    .. "<auth-secret>73</auth-secret></SIP-Credentials></CPE></r>"

  it("is read through an alias map (X14)", function()
    local s = apply(credentials, { aliases = {
      { path = "/CPE/SIP-Credentials/name", name = "Display_Name_1_" },
      { path = "/auth-secret", name = "Password_1_" } } })
    assert.equal("J. Smith", s:get("Display_Name_1_"))
    assert.equal("73", s:get("Password_1_"))
  end)

  it("is none without the map (X15)", function()
    local _, counts, word = apply(credentials)
    assert.is_nil(counts)
    assert.equal("corrupt", word)
  end)

  it("may be compressed, and then every bit counts (X16)", function()
    local file = encode.gzip(flat("<GPP_A>12345678</GPP_A>"))
    assert.equal("12345678", apply(file):get("GPP_A"))
    local s, counts = apply(file:sub(1, -2) .. "\1")
    assert.is_nil(counts)
    assert.equal("old", s:get("GPP_A"))
  end)

  it("is a success without a parameter", function()
    local _, counts = apply(flat(""))
    assert.equal(0, counts.elements)
  end)

  it("is refused with a wrong key, whatever the key", function()
    local file = encode.aes(flat("<GPP_A>1</GPP_A>"), "right", "md5",
      "8 bytes!")
    for i = 1, 20 do
      local s, counts, word = apply(file, { key = "wrong" .. i })
      assert.is_nil(counts)
      assert.equal("corrupt", word)
      assert.equal("old", s:get("GPP_A"))
    end
    assert.equal("1", apply(file, { key = "right" }):get("GPP_A"))
  end)
end)
