-- How the pages of the documents are read and run, see docs_spec.
local pages = require "support.pages"

local function kinds(text)
  local out = {}
  for i, block in ipairs(pages.blocks(text)) do
    out[i] = pages.kind(block) or "nobody knows"
  end
  return out
end

local function fits(want, got)
  local lines = {}
  for line in (want .. "\n"):gmatch("(.-)\n") do lines[#lines + 1] = line end
  return pages.fits(lines, got)
end

describe("a snippet", function()
  it("is known by what it looks like, or by the comment before it", function()
    assert.are.same({ "session", "synopsis", "lua", "json", "repl" }, kinds [[
text

    $ peal version
    peal 1

text

    peal status --store DIR    what is next
                               and why

```lua
return 1
```
```json
{}
```
```repl
> 1
```
]])
    assert.are.same({ "file", "not run", "lua", "parameters" }, kinds [[
<!-- file: a.lua -->
```lua
return 1
```

<!-- not run: it
     would not end -->
    $ yes

<!-- lua -->
    return 1

<!-- parameters -->
    GPP_A  1
]])
  end)

  it("that nobody knows how to run is none that passes", function()
    assert.are.same({ "nobody knows", "nobody knows" },
      kinds "a\n\n    something else\n\n```text\nthis\n```\n")
  end)

  it("has no comment of the one before", function()
    assert.are.same({ "not run", "session" }, kinds [[
<!-- not run: no -->
    $ a

text

    $ b
]])
  end)

  it("is no part of a paragraph that is indented further", function()
    assert.are.same({}, kinds "- a list\n    that goes on\n")
  end)
end)

describe("a command", function()
  it("goes on behind a backslash and up to the end of its text", function()
    local block = pages.blocks [[

    $ peal get \
        GPP_A
    1
    $ cat > x <<'EOF'
    $ this is text
    EOF
    $ true
]]
    local list = pages.commands(block[1])
    assert.are.equal(3, #list)
    assert.are.equal("peal get \\\n    GPP_A", list[1].command)
    assert.are.equal("1", list[1][1])
    assert.are.equal("cat > x <<'EOF'\n$ this is text\nEOF", list[2].command)
    assert.are.equal(0, #list[2])
  end)
end)

describe("what is shown", function()
  for _, row in ipairs {
    { "a\nb", "a\nb\n", true },
    { "a\nb", "a\nc\n", false },
    { "a", "a\nb\n", false },
    { "a\n...", "a\nb\nc\n", true },
    { "...\nc", "a\nb\nc\n", true },
    { "...\nd", "a\nb\nc\n", false },
    { "a ... z", "a b c z\n", true },
    { "a (b) ... z", "a (b) z\n", false },
    { "one two\nthree", "one two three\n", true },
    { "one two\n  three\nfour", "one two three\nfour\n", true },
    { "a.b", "axb\n", false },
  } do
    it(("%s %q where it says %q"):format(row[3] and "fits" or "does not fit",
      row[2], row[1]), function()
      assert.are.equal(row[3], fits(row[1], row[2]))
    end)
  end
end)

describe("a page", function()
  it("is run from its top to its end, in one shell and folder", function()
    local blocks = pages.run [[
    $ x=1; mkdir d; cd d
    $ echo $x; false

<!-- file: f.lua -->
```lua
return 1
```

    $ cat f.lua; pwd; echo 127.0.0.1:8080 /tmp/phone
]]
    assert.are.equal(0, blocks[1].commands[1].code)
    assert.are.same({ 1, "1\n" }, { blocks[1].commands[2].code,
      blocks[1].commands[2].out })
    assert.are.equal("return 1\nd\n127.0.0.1:8080 /tmp/phone\n",
      blocks[3].commands[1].out)
  end)

  it("waits for what is to run on", function()
    local blocks = pages.run [[
    $ { echo begun; exec tail -f /dev/null; } &
    begun
    $ echo on
]]
    assert.are.equal("on\n", blocks[1].commands[2].out)
    assert.are.equal("begun\n", blocks[1].commands[1].out)
  end)
end)
