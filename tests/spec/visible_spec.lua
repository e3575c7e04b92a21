local visible = require "peal.visible"

describe("a text of a stranger", function()
  local rows = {
    { "plain é €", "plain é €" },
    { "a\27[2Jb\0c", "a\\x1b[2Jb?c" },
    { "two\r\nlines\t", "two\\r\\nlines\\t" },
    { "\u{9b}31m", "\\x9b31m" },
    { "\xff\x9b", "\\xff\\x9b" },
    { "x\0GPP_SA\0y", "x********y" },
    { ("x"):rep(14), "xxxxxxxxxxxx…" },
    { ("€"):rep(5), "€€€€…" },
    { "x" .. ("€"):rep(5), "x€€€…" },
  }
  for _, row in ipairs(rows) do
    it(("is shown on one line: %q"):format(row[1]), function()
      assert.equal(row[2], visible.line(row[1], 12))
    end)
  end

  it("keeps its lines where there may be some", function()
    assert.equal("a\n\tb\\x1b", visible.text("a\n\tb\27", 100))
  end)
end)
