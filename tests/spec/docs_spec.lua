-- The snippets of the documents do what the documents show.
--
-- Every page (docs/, README.md, examples/) is run from its top to its end in
-- one shell, in a new folder that has `examples`, `rules` and `docs` of the
-- sources, `build/peal` and `peal` on the PATH. What one snippet leaves behind
-- (files, variables, the folder it went to) the next one finds. The snippets
-- are indented by four blanks, or fenced:
--
--     $ COMMAND        a session: COMMAND has to end with 0, and to write
--     its output       this; without output shown, it may write anything.
--                      stderr counts as well. A line of "..." stands for any
--                      lines, "..." in a line for any text in it: for times,
--                      ports and fingerprints. A long line may be broken at
--                      blanks. A command goes on behind a "\" and up to the
--                      end of <<'EOF'
--     $ COMMAND &      runs on until the page is over; waited for until it
--                      has written the first line that is shown
--     peal X --y ...   a synopsis: X is a command, and its --help has --y
--   ```lua             compiles; if it is a rule file (it returns a table with
--                      a stage), it is loaded as the engine does
--   ```json            each line is JSON
--   ```repl            a session of peal repl: what stands behind "> " is
--                      typed (on stdin), the rest is all the output together
--
-- http://127.0.0.1:8080 stands for a port that is free (for `python3 -m
-- http.server 8080 --bind 127.0.0.1 --directory DIR &`, say), /tmp/ for a
-- folder of the page's own; both are put back into the output. TZ is UTC.
--
-- Comments right before a snippet say more:
--   <!-- exit: 3 -->            the last command of the session ends with 3
--   <!-- running -->            its commands run on, as behind "&"
--   <!-- file: DIR/NAME -->     the snippet is saved there (from the folder
--                               where the shell is), not run; Lua has to
--                               compile
--   <!-- lua -->                an indented block is Lua
--   <!-- parameters -->         each line is the name of a parameter and a
--                               value that it takes
--   <!-- repl: --store phone -->   arguments of peal repl
--   <!-- not run: REASON -->    nobody runs it. These are counted and listed
local json = require "peal.json"
local pages = require "support.pages"
local program = require "support.program"
local sys = require "peal.sys"

local function page_paths()
  local out = { "README.md", "examples/servers/README.md" }
  for _, folder in ipairs { "docs", "docs/reference" } do
    for _, name in ipairs(sys.list(program.root .. "/" .. folder) or {}) do
      if name:find("%.md$") then out[#out + 1] = folder .. "/" .. name end
    end
  end
  table.sort(out)
  return out
end

local not_run = {}

local check = {}

check["not run"] = function(block, path)
  local reason = block.marks["not run"]
  assert.is_string(reason, "a reason is missing: <!-- not run: REASON -->")
  not_run[#not_run + 1] = ("%s:%d: %s"):format(path, block.line, reason)
end

local function check_commands(block)
  for i, step in ipairs(block.commands) do
    local wanted = 0
    if i == #block.commands then wanted = tonumber(block.marks.exit or 0) end
    local about = ("line %d: %s\n%s"):format(step.line, step.command, step.out)
    assert.are.equal(wanted, step.code, about)
    if #step > 0 then
      assert.is_true(pages.fits(step, step.out),
        about .. "\nis not what the page shows:\n" .. table.concat(step, "\n"))
    end
  end
end

check.session = check_commands
check.repl = check_commands

function check.lua(block)
  local text = table.concat(block, "\n")
  local chunk, why = load(text, "=snippet", "t")
  assert(chunk, why)
  if text:find("stage%s*=%s*\"") then
    local stage = text:match("stage%s*=%s*\"(%l+)\"")
    local environment = require "peal.environment"
    local rule = load(text, "=snippet", "t", environment.new())()
    assert.is_table(require("peal.stages")[stage], stage)
    assert.is_function(rule.decide)
  end
end

-- Two blanks or more end the value; what follows is for people.
function check.parameters(block)
  local schema = assert(require("peal.registry").load())
  for _, line in ipairs(block) do
    local name, value = line:match("^(%S+)%s+(.-)%f[%s\0]%s?%f[%s\0]")
    assert.is_truthy(name, line)
    assert(schema:check(name, value))
  end
end

function check.json(block)
  for _, line in ipairs(block) do
    if line ~= "" then assert(json.decode(line)) end
  end
end

function check.file(block)
  if block.marks.file:find("%.lua$") then check.lua(block) end
end

local help = {}

local function help_of(command)
  help[command] = help[command] or program.peal("help", command)
  return help[command]
end

function check.synopsis(block)
  for _, line in ipairs(block) do
    local command = line:match("^peal (%l+)")
    if command then
      local got = help_of(command)
      assert.are.equal(0, got.code, line)
      assert.is_truthy(got.out:find("usage: peal " .. command, 1, true), line)
      for option in line:gmatch("%s(%-%-[%l-]+)") do
        assert.is_truthy(got.out:find(option, 1, true), line)
      end
    end
  end
end

for _, path in ipairs(page_paths()) do
  describe(path, function()
    local text = program.slurp(program.root .. "/" .. path)
    local blocks

    setup(function() blocks = pages.run(text) end)

    for i, block in ipairs(pages.blocks(text)) do
      local how = pages.kind(block)
      it(("line %d: %s"):format(block.line, how or "a snippet"), function()
        assert.is_string(how, "nobody runs it: see tests/spec/docs_spec.lua\n"
          .. table.concat(block, "\n"))
        check[how](blocks[i], path)
      end)
    end
  end)
end

describe("snippets that nobody runs", function()
  it("are few, and say why", function()
    print(("\n%d snippets of the documents are not run:"):format(#not_run))
    for _, line in ipairs(not_run) do print("  " .. line) end
  end)
end)

describe("the readme", function()
  it("names files that are there", function()
    local text = program.slurp(program.root .. "/README.md")
    local count = 0
    for path in text:gmatch("`([%l]+/[%w%-./]+)`") do
      if not path:find("^build") then
        count = count + 1
        assert.is_not_nil(sys.stat(program.root .. "/" .. path), path)
      end
    end
    assert.is_true(count > 3)
  end)
end)
