--- Pages of the documents, run. How a snippet is written, and what becomes of
-- it, is told at the top of tests/spec/docs_spec.lua.
local process = require "support.process"
local program = require "support.program"

local pages = {}

-- A guard against hanging, not a measurement.
local GUARD_S <const> = 240
local READY_S <const> = 30
-- One line of a program at most stands in so many more of a page.
local LINES_MAX <const> = 3

-- --- reading ----------------------------------------------------------------

-- "not run: it needs a phone" gives "not run", "it needs a phone".
local function marks_of(comments)
  local out = {}
  for _, comment in ipairs(comments) do
    local key, rest = comment:match("^%s*([%a ]-)%s*:%s*(.-)%s*$")
    out[key or comment:match("^%s*(.-)%s*$")] = rest or true
  end
  return out
end

local function lines_of(text)
  local out = {}
  for line in (text .. "\n"):gmatch("(.-)\n") do out[#out + 1] = line end
  return out
end

-- The fenced block that begins at lines[i]; and the line behind it.
local function fenced(lines, i)
  local block = { line = i, kind = lines[i]:match("^```(%a*)") }
  i = i + 1
  while lines[i] and not lines[i]:find("^```") do
    block[#block + 1] = lines[i]
    i = i + 1
  end
  return block, i + 1
end

-- The indented block that begins at lines[i]: blank lines in it belong to it.
local function indented(lines, i)
  local block = { line = i, kind = "" }
  while lines[i] and (lines[i]:find("^    ") or lines[i] == "") do
    block[#block + 1] = lines[i]:sub(5)
    i = i + 1
  end
  while block[#block] == "" do block[#block] = nil end
  return block, i
end

-- A comment that begins at lines[i], as text; and the line behind it.
local function comment(lines, i)
  local text = lines[i]
  while not text:find("-->", 1, true) do
    i = i + 1
    text = text .. " " .. (lines[i] or "-->")
  end
  return text:match("^<!%-%-(.*)%-%->"), i + 1
end

--- The blocks of a page: list of { line =, kind = what the fence says,
-- marks = { ["not run"] = reason ... }, its lines }.
function pages.blocks(text)
  local lines, out, comments = lines_of(text), {}, {}
  local i, before = 1, ""
  while lines[i] do
    local line, block, said = lines[i], nil, nil
    if line:find("^```") then
      block, i = fenced(lines, i)
    elseif line:find("^    ") and before == "" then
      block, i = indented(lines, i)
    elseif line:find("^<!%-%-") then
      said, i = comment(lines, i)
      comments[#comments + 1] = said
    else
      if line ~= "" then comments = {} end
      i = i + 1
    end
    if block then
      block.marks = marks_of(comments)
      out[#out + 1], comments = block, {}
    end
    before = (block or said) and "" or line
  end
  return out
end

-- Lines of a command that goes on: behind "\", or up to the end of its text.
local function whole_command(block, i, command)
  while command:find("\\$") and block[i] do
    command, i = command .. "\n" .. block[i], i + 1
  end
  local till = command:match("<<%s*['\"]?([%u_]+)['\"]?")
  while till and block[i] do
    local line = block[i]
    command, i = command .. "\n" .. line, i + 1
    if line == till then break end
  end
  return command, i
end

--- The commands of a session: list of { command =, line =, what it writes }.
function pages.commands(block)
  local out, i = {}, 1
  while block[i] do
    local line = block.line + i - (block.kind == "" and 1 or 0)
    local command = block[i]:match("^%$ (.*)$")
    i = i + 1
    if command then
      command, i = whole_command(block, i, command)
      out[#out + 1] = { command = command, line = line }
    elseif out[#out] then
      table.insert(out[#out], block[i - 1])
    end
  end
  for _, command in ipairs(out) do
    while command[#command] == "" do command[#command] = nil end
  end
  return out
end

--- What a block is: "session", "synopsis", "not run" ..., or nil: nobody knows
-- how to run it.
function pages.kind(block)
  if block.marks["not run"] then return "not run" end
  for _, mark in ipairs { "file", "lua", "parameters" } do
    if block.marks[mark] then return mark end
  end
  if block.kind == "lua" or block.kind == "repl" or block.kind == "json" then
    return block.kind
  end
  local commands, others = 0, 0
  for _, line in ipairs(block) do
    if line:find("^%$ ") then return "session" end
    if line:find("^peal ") then
      commands = commands + 1
    elseif line ~= "" and not line:find("^ ") then
      others = others + 1
    end
  end
  if commands > 0 and others == 0 then return "synopsis" end
end

-- --- running ----------------------------------------------------------------

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function fixed(text)
  return (text:gsub("%p", "%%%0"))
end

local Page = {}
Page.__index = Page

-- What stands in a page, as it is here: a folder and a port of our own.
function Page:here(text)
  text = text:gsub("/tmp/", self.folder .. "/tmp/")
  return (text:gsub("127%.0%.0%.1:8080", "127.0.0.1:" .. self.port)
    :gsub("http%.server 8080", "http.server " .. self.port)
    :gsub("port 8080", "port " .. self.port))
end

-- And what was written here, as the page has it.
function Page:there(text)
  text = text:gsub(fixed(self.folder .. "/tmp/"), "/tmp/")
    :gsub(fixed(self.folder .. "/"), "")
    :gsub(fixed(self.folder), ".")
    :gsub(fixed(program.path), "peal")
  return (text:gsub("127%.0%.0%.1:" .. self.port, "127.0.0.1:8080")
    :gsub("port " .. self.port, "port 8080"))
end

local function absolute(path)
  local made = program.run({ "/bin/sh", "-c",
    "cd \"$1\" && pwd -P", "sh", path })
  return (made.out:gsub("\n$", ""))
end

-- A folder with what a reader has: peal, and the folders of the sources.
local function furnish(folder)
  local script = { "set -e", "cd " .. quoted(folder), "mkdir bin tmp build" }
  local build = absolute((program.path:gsub("/peal$", "")))
  script[#script + 1] = ("ln -s %s/peal bin/peal"):format(quoted(build))
  script[#script + 1] = "ln -s ../bin/peal build/peal"
  local root = absolute(program.root)
  for _, name in ipairs { "examples", "rules", "docs", "tests" } do
    script[#script + 1] = ("ln -s %s %s"):format(
      quoted(root .. "/" .. name), name)
  end
  local made = program.run { "/bin/sh", "-c", table.concat(script, "\n") }
  assert(made.code == 0, made.err)
end

-- Waits until the n-th command has said its first line.
local READY <const> = [[
timeout %d tail -n +1 -f %s.out | grep -qF -m 1 -- %s
]]

function Page:add(text) self.script[#self.script + 1] = text end

function Page:add_command(step, background)
  self.count = self.count + 1
  local name = ("%s/steps/%d"):format(self.folder, self.count)
  step.name = name
  local command = self:here(step.command)
  if not background then
    self:add(("{ %s\n} >%s.out 2>&1 </dev/null; echo $? >%s.code")
      :format(command, name, name))
    return
  end
  self:add((": >%s.out; { %s\n} >%s.out 2>&1 </dev/null &"):format(name,
    command:gsub("%s*&%s*$", ""), name))
  local first = (step[1] or ""):match("^(.-)%.%.%.") or step[1]
  step[#step + 1] = "..." -- it goes on
  if first and first ~= "" then
    self:add(READY:format(READY_S, name, quoted(self:here(first))))
  end
  self:add(("echo 0 >%s.code"):format(name))
end

function Page:add_session(block)
  block.commands = pages.commands(block)
  for _, step in ipairs(block.commands) do
    self:add_command(step, block.marks.running ~= nil
      or step.command:find("[^&]&%s*$") ~= nil)
  end
end

function Page:add_text(path, lines)
  self:add(("mkdir -p \"$(dirname %s)\"; cat >%s <<'END OF FILE'\n%s\n"
    .. "END OF FILE"):format(quoted(path), quoted(path),
    self:here(table.concat(lines, "\n"))))
end

function Page:add_file(block) self:add_text(block.marks.file, block) end

-- What is typed at the prompt of a session goes to its stdin.
function Page:add_repl(block)
  local typed, shown = {}, { line = block.line }
  for _, line in ipairs(block) do
    local input = line:match("^> ?(.*)$")
    local list = input and typed or shown
    list[#list + 1] = input or line
  end
  local input = ("%s/steps/%d.in"):format(self.folder, self.count + 1)
  local options = block.marks.repl
  shown.command = ("peal repl %s <\"$STEPS/%d.in\""):format(
    type(options) == "string" and options or "", self.count + 1)
  block.commands = { shown }
  self:add_text(input, typed)
  self:add_command(shown)
end

local ADD <const> = { session = Page.add_session, file = Page.add_file,
  repl = Page.add_repl }

--- Run a page: every block knows its `kind` afterwards, each command of a
-- session what it wrote (`out`) and its exit `code`.
-- @tparam string text the page
-- @treturn table list of blocks
function pages.run(text)
  local folder = process.temp_dir()
  furnish(folder)
  process.mkdir(folder .. "/steps")
  local page = setmetatable({ folder = folder, script = {}, count = 0,
    port = assert(process.free_port "tcp") }, Page)
  local blocks = pages.blocks(text)
  for _, block in ipairs(blocks) do
    block.how = pages.kind(block)
    if ADD[block.how] then ADD[block.how](page, block) end
  end
  if page.count > 0 then
    local p = assert(process.spawn({ "/bin/sh", "-c",
      table.concat(page.script, "\n") }, { cwd = folder,
      stderr = folder .. "/stderr", env = { HOME = folder, TZ = "UTC",
        STEPS = folder .. "/steps",
        PATH = folder .. "/bin:" .. os.getenv "PATH", NO_COLOR = "1",
        PYTHONUNBUFFERED = "1" } }))
    p:wait(GUARD_S)
    p:kill()
    p:wait(GUARD_S)
  end
  for _, block in ipairs(blocks) do
    for _, step in ipairs(block.commands or {}) do
      local function read(suffix)
        local file = io.open(step.name .. suffix, "rb")
        local got = file and file:read("a") or ""
        if file then file:close() end
        return got
      end
      step.out, step.code = page:there(read ".out"), tonumber(read ".code")
    end
  end
  process.remove(folder)
  return blocks
end

-- --- comparing --------------------------------------------------------------

-- One line of a page with "..." in it, against one that was written.
local function line_fits(want, got)
  local pattern = fixed(want):gsub("%%%.%%%.%%%.", ".-")
  return got:gsub("%s+$", ""):find("^" .. pattern:gsub("%s+$", "") .. "$")
    ~= nil
end

-- A long line that was written may stand in several in the page, broken at a
-- blank: line j of the page and those behind it that fit it. Returns the next.
local function broken_line_fits(want, i, line)
  local text = want[i]
  for k = i, math.min(i + LINES_MAX, #want) do
    if k > i then text = text .. " " .. want[k]:match("^%s*(.*)$") end
    if line_fits(text, line) then return k + 1 end
  end
end

--- Does the text that was written fit what the page shows? A line of "..."
-- stands for any lines, "..." within one for any text. What is longer than a
-- page is wide may be broken at blanks.
function pages.fits(want, got)
  local lines = lines_of((got:gsub("\n$", "")))
  if got == "" then lines = {} end
  local function from(i, j)
    if not want[i] then return lines[j] == nil end
    if want[i]:match("^%s*%.%.%.$") then
      for k = j, #lines + 1 do
        if from(i + 1, k) then return true end
      end
      return false
    end
    local after = lines[j] and broken_line_fits(want, i, lines[j])
    return after ~= nil and from(after, j + 1)
  end
  return from(1, 1)
end

return pages
