local cold = require "peal.daemon.cold"

describe("a module that is let go of while a phone waits", function()
  it("is a plain table, for which a stand-in will do", function()
    for name in pairs(cold.names) do
      assert.are.equal("table", type(require(name)), name)
    end
  end)

  it("is a function only where others of them use it", function()
    for _, name in ipairs(cold.functions) do
      assert.are.equal("function", type(require(name)), name)
    end
  end)
end)
