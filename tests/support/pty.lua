--- A program at a terminal of its own, and what stands on its screen.
--
--     local tty = pty.spawn({ program.path, "repl" }, { env = { HOME = dir } })
--     tty:expect("> $")                  the prompt, with the cursor behind it
--     tty:send("1 + 1\n")
--     tty:expect("\n(%d+)\n> $")         -> "2"
--
-- The screen is that of an xterm, as far as line editors use one: the text is
-- what a person would see, all rows since the start with those that have
-- scrolled away, without blanks at their ends, up to the row of the cursor.
-- Nothing sleeps: expect() reads until the text has what it looks for, behind
-- what was found before and in lines that have changed since.
local outputs = require "support.outputs"
local process = require "support.process"

local pty = {}

local Pty = {}
Pty.__index = Pty

-- A guard against hanging, not a measurement.
local GUARD_S <const> = 30

-- --- the screen --------------------------------------------------------------

-- Rows are lists of characters (UTF-8), from 1; a wide one is followed by "".

-- Without blanks at its end, `least` columns at least.
local function row_text(row, least)
  local out, n = {}, row.n
  while n > 0 and (row[n] or " ") == " " do n = n - 1 end
  for i = 1, math.max(n, least or 0) do out[i] = row[i] or " " end
  return table.concat(out)
end

local function row_at(self, y)
  while #self.rows < y do self.rows[#self.rows + 1] = { n = 0 } end
  return self.rows[y]
end

local function top_row(self)
  return math.max(1, #self.rows - self.height + 1)
end

local function down(self)
  self.y = self.y + 1
  row_at(self, self.y)
end

local function put(self, char, width)
  if self.x + width - 1 > self.width then
    row_at(self, self.y).wraps = true
    self.x = 1
    down(self)
  end
  local row = row_at(self, self.y)
  row[self.x] = char
  if width == 2 then row[self.x + 1] = "" end
  self.x = self.x + width
  row.n = math.max(row.n, self.x - 1)
end

local function cut(row, from)
  row.wraps = nil
  for i = from, row.n do row[i] = nil end
  row.n = math.min(row.n, from - 1)
end

local function shift(row, from, by)
  local rest = {}
  for i = from, row.n do rest[#rest + 1] = row[i] or " " end
  cut(row, from)
  for _ = 1, by do
    row[from] = " "
    from = from + 1
  end
  for i = 1 - math.min(by, 0), #rest do
    row[from] = rest[i]
    from = from + 1
  end
  row.n = from - 1
end

local csi = {}

function csi.A(self, n) self.y = math.max(top_row(self), self.y - n) end
function csi.B(self, n)
  self.y = math.min(top_row(self) + self.height - 1, self.y + n)
  row_at(self, self.y)
end
function csi.C(self, n) self.x = math.min(self.width, self.x + n) end
function csi.D(self, n) self.x = math.max(1, self.x - n) end
function csi.G(self, n) self.x = math.min(self.width, n) end
function csi.K(self, _, what)
  local row = row_at(self, self.y)
  if what == "" or what == "0" then cut(row, self.x) end
  if what == "1" or what == "2" then
    for i = 1, what == "2" and row.n or self.x do row[i] = " " end
  end
end
function csi.J(self, _, what)
  assert(what == "" or what == "0" or what == "2")
  local from = self.y
  if what == "2" then from = top_row(self) - 1 else cut(row_at(self, from),
    self.x) end
  for y = from + 1, #self.rows do self.rows[y] = { n = 0 } end
end
function csi.H(self, n, all)
  local column = tonumber(all:match(";(%d+)")) or 1
  self.y = math.min(top_row(self) + n - 1, top_row(self) + self.height - 1)
  self.x = math.min(self.width, column)
  row_at(self, self.y)
end
csi["@"] = function(self, n) shift(row_at(self, self.y), self.x, n) end
function csi.P(self, n) shift(row_at(self, self.y), self.x, -n) end

local control = {
  ["\r"] = function(self) self.x = 1 end,
  ["\n"] = function(self)
    down(self)
    if self.x > self.width then self.x = self.width end
  end,
  ["\b"] = function(self)
    self.x = math.max(1, math.min(self.x, self.width + 1) - 1)
  end,
  ["\t"] = function(self)
    self.x = math.min(self.width, (self.x + 7) // 8 * 8 + 1)
  end,
  ["\a"] = function(self) self.bells = self.bells + 1 end,
}

-- East Asian and emoji blocks; enough for tests.
local function width_of(code)
  if code >= 0x300 and code <= 0x36f then return 0 end
  local wide = code >= 0x1100 and code <= 0x115f
    or code >= 0x2e80 and code <= 0xa4cf or code >= 0xac00 and code <= 0xd7a3
    or code >= 0xf900 and code <= 0xfaff or code >= 0xfe30 and code <= 0xfe6f
    or code >= 0xff00 and code <= 0xff60 or code >= 0x1f300 and code <= 0x1faff
  return wide and 2 or 1
end

local function put_char(self, char)
  local ok, code = pcall(utf8.codepoint, char)
  local width = ok and width_of(code) or 1
  if width > 0 then return put(self, char, width) end
  local row = row_at(self, self.y)
  if self.x > 1 then row[self.x - 1] = row[self.x - 1] .. char end
end

-- The length of what stands first in `s`, and what to do; nil: it is cut off.
local function first_of(s)
  local c = s:sub(1, 1)
  if control[c] then return 1, control[c] end
  if c == "\27" then
    local whole, all, final = s:match("^(\27%[([%d;?]*)([@-~]))")
    if whole then
      local n = math.max(1, tonumber(all:match("^%d+")) or 1)
      local act = csi[final]
      return #whole, act and function(self) act(self, n, all) end
    end
    if s:match("^\27%[[%d;?]*$") or s == "\27" then return nil end
    return #(s:match("^\27[()].") or s:match("^\27.")), nil
  end
  if c < " " then return 1, nil end
  local n = c < "\xc0" and 1 or c < "\xe0" and 2 or c < "\xf0" and 3 or 4
  if #s < n then return nil end
  return n, function(self) put_char(self, s:sub(1, n)) end
end

local function show(self, bytes)
  bytes = self.rest .. bytes
  local at = 1
  while at <= #bytes do
    local n, act = first_of(bytes:sub(at, at + 31))
    if not n then break end
    if act then act(self) end
    at = at + n
  end
  self.rest = bytes:sub(at)
end

-- --- the program -------------------------------------------------------------

--- Start `argv` at a new terminal.
-- @tparam table argv
-- @tparam[opt] table options of process.spawn; rows = 24, columns = 80;
--   reveals: why a secret may stand on the screen (who types one sees it)
function pty.spawn(argv, options)
  options = options or {}
  local env = { TERM = "xterm" }
  for key, value in pairs(options.env or {}) do env[key] = value end
  local p = assert(process.spawn(argv, { pty = true, env = env,
    cwd = options.cwd }))
  local self = setmetatable({ process = p, width = 80, height = 24, rest = "",
    rows = { { n = 0 } }, x = 1, y = 1, bells = 0, raw = {},
    text_then = "", after = 1,
    line = outputs.line(argv), reveals = options.reveals }, Pty)
  if options.rows or options.columns then
    self:resize(options.rows or 24, options.columns or 80)
  end
  return self
end

--- All rows so far up to that of the cursor, the last one up to the cursor at
-- least; rows that wrapped are one line.
function Pty:text()
  local out = {}
  for y = 1, self.y do
    local row = row_at(self, y)
    out[#out + 1] = row_text(row, y == self.y and self.x - 1
      or row.wraps and row.n)
    if y < self.y and not row.wraps then out[#out + 1] = "\n" end
  end
  return table.concat(out)
end

--- The rows that a person sees, from the top.
function Pty:screen()
  local out = {}
  for y = top_row(self), #self.rows do
    out[#out + 1] = row_text(self.rows[y])
  end
  return out
end

--- Row (of screen()) and column of the cursor, from 1.
function Pty:cursor()
  return self.y - top_row(self) + 1, self.x
end

--- Everything that came, byte by byte.
function Pty:bytes()
  return table.concat(self.raw)
end

local function more(self, seconds)
  local bytes, why = self.process:read(seconds)
  if not bytes then return nil, why end
  self.raw[#self.raw + 1] = bytes
  show(self, bytes)
  return true
end

--- Type this.
function Pty:send(text)
  assert(self.process:write(text))
end

-- Where the next search begins: behind what was found; or, for editors draw
-- lines anew, at the beginning of the first line that has changed since.
local function start_of(self, text)
  if text == self.text_then then return self.after end
  local at = 1
  for line in self.text_then:gmatch("[^\n]*\n") do
    if text:sub(at, at + #line - 1) ~= line then break end
    at = at + #line
  end
  return math.min(at, self.after)
end

local function note_found(self, text, last)
  self.text_then, self.after = text, last + 1
end

local function give_up(self, what, why)
  local text = self:text()
  if why == "eof" then
    local how, number = self.process:wait(1)
    why = ("eof (%s %s)"):format(how, number)
  end
  error(("%s, waiting for %q; from here on the screen has:\n%s"):format(why,
    what, text:sub(start_of(self, text))), 3)
end

-- Read until find() is true of the text behind what was found before.
local function wait_for(self, find, what, guard)
  local deadline = process.now() + (guard or GUARD_S)
  while true do
    local text = self:text()
    local found = table.pack(find(text, start_of(self, text)))
    if found[1] then
      if found[2] then note_found(self, text, found[2]) end
      return table.unpack(found, 3, found.n)
    end
    local ok, why = more(self, math.max(0, deadline - process.now()))
    if not ok then give_up(self, what, why) end
  end
end

--- Wait until the text has this Lua pattern behind what was found before.
-- @treturn string... its captures
function Pty:expect(pattern, guard)
  return wait_for(self, function(text, from)
    return text:find(pattern, from)
  end, pattern, guard)
end

--- The same for a text as it stands.
function Pty:see(plain, guard)
  return wait_for(self, function(text, from)
    return text:find(plain, from, true)
  end, plain, guard)
end

--- Wait until `holds(tty)` is true; it is asked after everything that comes,
-- and every so many seconds if `every` is given.
function Pty:until_(holds, guard, every)
  local deadline = process.now() + (guard or GUARD_S)
  while not holds(self) do
    local left = math.max(0, deadline - process.now())
    local ok, why = more(self, math.min(left, every or left))
    if not ok and (why == "eof" or left == 0) then
      give_up(self, "a condition", why)
    end
  end
end

--- Wait for the end of the program.
-- @return "exited" or "killed", and the code or signal
function Pty:wait(guard)
  local deadline = process.now() + (guard or GUARD_S)
  repeat
    local ok, why = more(self, math.max(0, deadline - process.now()))
    if why == "timeout" then give_up(self, "the end", why) end
  until not ok
  return self.process:wait(guard or GUARD_S)
end

--- Another size; the program hears of it by SIGWINCH. Rows are not wrapped
-- anew, as in an xterm.
function Pty:resize(rows, columns)
  self.height, self.width = rows, columns
  self.process:resize(rows, columns)
end

--- Is the terminal as a shell left it?
function Pty:cooked()
  return self.process:cooked()
end

function Pty:kill(signal) return self.process:kill(signal) end

--- Hang up, and end what runs there.
function Pty:close()
  self.process:hang_up()
  self.process:kill(9)
  self.process:wait(GUARD_S)
  outputs.keep(self.line, "terminal", self:bytes(), self.reveals)
end

return pty
