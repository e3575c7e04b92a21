local fixture = require "support.fixture"
local macro = require "peal.macro"
local rule = require "peal.rule"
local url = require "peal.url"

local vars = macro.variables(fixture.phone())

local function decide(text)
  return rule.decide(text, vars)
end

describe("the server from DHCP", function()
  local ORDER <const> = "66,160,159,150,60,43,125"

  local function servers(dhcp, order, text)
    local plan = assert(decide(text or "/$PSN.xml"))
    local found, sentence, word, warnings =
      rule.default_server(plan.fetch.url, dhcp, order or ORDER, vars)
    if not found then
      return sentence, word, warnings
    end
    local words = {}
    for i, u in ipairs(found) do
      words[i] = url.format(u)
    end
    return table.concat(words, " "), sentence
  end

  local outcomes = {
    { { ["66"] = "192.168.150.20" }, "tftp://192.168.150.20/8841-3PCC.xml" },
    { { ["66"] = "", ["160"] = "https://s.example/cfg/" },
      "https://s.example/cfg/8841-3PCC.xml" },
    { { ["66"] = "http://192.168.1.200" },
      "http://192.168.1.200/8841-3PCC.xml" },
    { { ["66"] = "https://p.example.net/a/$MA.cfg" },
      "https://p.example.net/a/000e08abcdef.cfg" },
    { { ["150"] = { "192.168.1.200", "192.168.1.201" } },
      "tftp://192.168.1.200/8841-3PCC.xml tftp://192.168.1.201/8841-3PCC.xml" },
    { { ["66"] = "a;b" }, "tftp://a/8841-3PCC.xml tftp://b/8841-3PCC.xml" },
    { { ["66"] = " a ; b:6900 \0\0" },
      "tftp://a/8841-3PCC.xml tftp://b:6900/8841-3PCC.xml" },
    { { ["159"] = "c", ["66"] = "a", ["160"] = "b" },
      "tftp://a/8841-3PCC.xml tftp://b/8841-3PCC.xml tftp://c/8841-3PCC.xml" },
    { { ["43"] = "http://192.168.1.200/$PSN.xml" },
      "http://192.168.1.200/8841-3PCC.xml" },
    { { ["43"] = "\160\29http://x/", ["60"] = "vendor", ["67"] = "x" },
      "No server" },
    { { ["66"] = "2001:db8::1" }, "tftp://[2001:db8::1]/8841-3PCC.xml" },
    { { ["66"] = "[2001:db8::1]:70" },
      "tftp://[2001:db8::1]:70/8841-3PCC.xml" },
    { { ["66"] = "h/cfg/" }, "tftp://h/cfg/8841-3PCC.xml" },
    { { ["66"] = "192.168.1.300", ["160"] = "b" }, "tftp://b/8841-3PCC.xml" },
    { { ["66"] = "ftp://h/", ["160"] = "a b" }, "No server" },
    { { ["160"] = "[--key k] https://s/x.cfg" }, "https://s/x.cfg" },
    { { ["160"] = "[--key k] /x.cfg" }, "No server" },
    { { ["160"] = "[--key" }, "No server" },
    { {}, "No server" },
  }
  for i, case in ipairs(outcomes) do
    it(("case %d is %s"):format(i, case[2]), function()
      assert.equal(case[2], (servers(case[1])))
    end)
  end

  it("follows the order asked for", function()
    local dhcp = { ["66"] = "a", ["160"] = "b", ["17"] = "c" }
    assert.equal("tftp://b/8841-3PCC.xml tftp://a/8841-3PCC.xml",
      (servers(dhcp, "160, 66")))
    assert.equal("tftp://c/8841-3PCC.xml tftp://b/8841-3PCC.xml",
      (servers(dhcp, "17,160,159")))
    local sentence, word = servers(dhcp, "")
    assert.same({ "No server", "no-server" }, { sentence, word })
  end)

  it("keeps the scheme that a rule names", function()
    assert.equal("https://a/x.cfg",
      (servers({ ["66"] = "a" }, nil, "https:///x.cfg")))
  end)

  it("may bring options of its own", function()
    local found = rule.default_server(decide("/x").fetch.url, {
      ["160"] = "[--key $SC --uid u] https://s/", ["66"] = "a" }, ORDER, vars)
    assert.same({ key = "k3y", uid = "u" }, found[2].fetch)
    assert.equal("160", found[2].option)
    assert.equal("https://s/x", url.format(found[2]))
    assert.is_nil(found[1].fetch)
  end)

  it("is named in a warning when it is no use", function()
    local _, warnings = servers { ["66"] = "a b", ["160"] = "c" }
    assert.same({ "DHCP option 66 is unusable" }, warnings)
  end)
end)
