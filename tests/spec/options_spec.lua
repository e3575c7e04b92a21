local options = require "peal.cli.options"

describe("the command line", function()
  it("finds the command before or after the options", function()
    assert.are.equal("get", options.command_of { "--store", "d", "get", "X" })
    assert.are.equal("get", options.command_of { "get", "--store", "d" })
    assert.are.equal("get", options.command_of { "--json", "get" })
    assert.are.equal("get", options.command_of { "--store=d", "-v", "get" })
    assert.is_nil(options.command_of { "--store", "get" })
  end)

  it("takes values behind a blank or an equals sign", function()
    local given = options.parse({ "--store", "a", "--phone=b", "x" }, {})
    assert.are.same({ "a", "b", "x" },
      { given.store, given.phone, given[1] })
  end)

  it("collects --set", function()
    local given = options.parse({ "--set", "A=1", "--set=B=2=3" }, {})
    assert.are.same({ "A=1", "B=2=3" }, given.set)
  end)

  it("takes what follows -- as it is, and negative numbers", function()
    local given = options.parse({ "-1 eq -1", "--", "--json" }, {})
    assert.are.same({ "-1 eq -1", "--json" }, { given[1], given[2] })
    assert.is_nil(given.json)
  end)

  it("names the option that an unknown one may have been", function()
    local given, why = options.parse({ "--stoer", "x" }, {})
    assert.is_nil(given)
    assert.are.equal("no such option: --stoer (did you mean --store?)", why)
  end)

  it("says what is missing or too much", function()
    assert.are.same({ nil, "--store needs DIR" },
      { options.parse({ "--store" }, {}) })
    assert.are.same({ nil, "--json takes no value" },
      { options.parse({ "--json=1" }, {}) })
  end)
end)
