local span = require "peal.span"

describe("a length of time", function()
  local outcomes = {
    { 0, "0 s" }, { 0.4, "0 s" }, { 45, "45 s" }, { 60, "1 min" },
    { 90, "1 min 30 s" }, { 3600, "1 h" }, { 3565, "59 min 25 s" },
    { 61440, "17 h 4 min" }, { 86400, "24 h" }, { 21620, "6 h 20 s" },
    { 172799, "47 h 59 min" }, { 172800, "2 days" }, { 216000, "2 days 12 h" },
    { 2592000, "30 days" }, { -5, "0 s" },
  }
  for _, case in ipairs(outcomes) do
    it(("of %s s is %s"):format(case[1], case[2]), function()
      assert.equal(case[2], span(case[1]))
    end)
  end
end)
