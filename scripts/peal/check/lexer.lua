--- The words of a Lua 5.4 text, each with its place.
-- A token: { kind = "name", "number", "string", "end of file", or the keyword
-- or sign itself; value =, line =, column =, last = line of its end }.
-- Columns count bytes from 1.
-- Source: Lua 5.4 reference manual, section 3.1.
local lexer = {}
lexer.__index = lexer

local KEYWORDS <const> = {}
for word in ([[and break do else elseif end false for function goto if in
  local nil not or repeat return then true until while]]):gmatch("%a+") do
  KEYWORDS[word] = true
end

-- Longest first.
local SIGNS <const> = { "...", "<<", ">>", "//", "==", "~=", "<=", ">=", "::",
  "..", "+", "-", "*", "/", "%", "^", "#", "&", "~", "|", "<", ">", "=", "(",
  ")", "{", "}", "[", "]", ";", ":", ",", "." }

local ESCAPES <const> = { a = "\a", b = "\b", f = "\f", n = "\n", r = "\r",
  t = "\t", v = "\v", ["\\"] = "\\", ['"'] = '"', ["'"] = "'", ["\n"] = "\n" }

local NEWLINES <const> = { "\r\n", "\n\r", "\r" }

--- @tparam string text
function lexer.new(text)
  -- to Lua each of these is one end of a line, in long texts as well
  for _, newline in ipairs(NEWLINES) do text = text:gsub(newline, "\n") end
  return setmetatable({ text = text, at = 1, line = 1, start = 1, newline = 0 },
    lexer)
end

-- A syntax error is a table, which parse() catches.
function lexer:fail(sentence, line, column)
  error({ sentence = sentence, line = line or self.line,
    column = column or self.at - self.start + 1 }, 0)
end

-- On to the byte behind `last`; lines are counted. The next newline is kept: a
-- long line is searched for it once, not for each of its words.
function lexer:move(last)
  while self.newline <= last do
    if self.newline > 0 then
      self.line, self.start = self.line + 1, self.newline + 1
    end
    self.newline = self.text:find("\n", self.newline + 1, true) or math.huge
  end
  self.at = last + 1
end

-- The long bracket at the current byte: what is in it, and its last byte.
function lexer:long_bracket()
  local level = self.text:match("^%[(=*)%[", self.at)
  if not level then return nil end
  local from = self.at + #level + 2
  local first, last = self.text:find("]" .. level .. "]", from, true)
  if not first then self:fail("unfinished long text or comment") end
  return self.text:sub(from, first - 1):gsub("^\n", ""), last
end

function lexer:skip_blanks()
  while true do
    local _, last = self.text:find("^%s+", self.at)
    if last then self:move(last) end
    if self.text:sub(self.at, self.at + 1) ~= "--" then return end
    self.at = self.at + 2
    local body
    body, last = self:long_bracket()
    if not body then
      last = (self.text:find("\n", self.at, true) or #self.text + 1) - 1
    end
    self:move(last)
  end
end

-- What an escape stands for, and the byte behind it; nil: there is no such.
local function escaped(text, at)
  local hex = text:match("^x(%x%x)", at)
  if hex then return string.char(tonumber(hex, 16)), at + 3 end
  local digits = text:match("^%d%d?%d?", at)
  if digits then
    return tonumber(digits) < 256 and string.char(tonumber(digits)) or nil,
      at + #digits
  end
  local zeros, code = text:match("^u{(0*)(%x*)}", at)
  if code and #zeros + #code > 0 then
    local n = #code <= 8 and tonumber("0" .. code, 16) or math.huge
    return n < 2 ^ 31 and utf8.char(n) or nil, at + #zeros + #code + 3
  end
  local blanks = text:match("^z(%s*)", at)
  if blanks then return "", at + #blanks + 1 end
  return ESCAPES[text:sub(at, at)], at + 1
end

function lexer:quoted()
  local quote = self.text:sub(self.at, self.at)
  local stop = "[\\\n" .. quote .. "]"
  local parts, at = {}, self.at + 1
  while true do
    local found = self.text:find(stop, at)
    local c = found and self.text:sub(found, found)
    if not found or c == "\n" then self:fail("unfinished text") end
    parts[#parts + 1] = self.text:sub(at, found - 1)
    if c == quote then return table.concat(parts), found end
    local part, behind = escaped(self.text, found + 1)
    if not part then self:fail("no such escape in a text") end
    parts[#parts + 1], at = part, behind
  end
end

-- All that looks like a part of a number belongs to it, as in Lua's own lexer:
-- "3..2" and "0x1g" are malformed.
function lexer:number()
  local text, at = self.text, self.at
  if not text:find("^%.?%d", at) then return nil end
  local sign = text:find("^0[xX]", at) and "^[pP][+-]?" or "^[eE][+-]?"
  local behind = at + (sign == "^[pP][+-]?" and 2 or 0)
  while true do
    local _, last = text:find(sign, behind)
    if not last then _, last = text:find("^[%x.]", behind) end
    if not last then break end
    behind = last + 1
  end
  if text:find("^[%a_]", behind) then behind = behind + 1 end
  local value = tonumber(text:sub(at, behind - 1))
  if not value then self:fail("malformed number") end
  return value, behind - 1
end

-- Kind, value and last byte of the token at the current byte.
function lexer:read()
  local text, at = self.text, self.at
  if at > #text then return "end of file", nil, at - 1 end
  local name = text:match("^[%a_][%w_]*", at)
  if name then
    return KEYWORDS[name] and name or "name", name, at + #name - 1
  end
  local value, last = self:number()
  if value then return "number", value, last end
  if text:find("^[\"']", at) then
    value, last = self:quoted()
    return "string", value, last
  end
  value, last = self:long_bracket()
  if value then return "string", value, last end
  for _, sign in ipairs(SIGNS) do
    if text:sub(at, at + #sign - 1) == sign then
      return sign, sign, at + #sign - 1
    end
  end
  self:fail(("%q means nothing here"):format(text:sub(at, at)))
end

--- The next token; "end of file" again and again at the end.
function lexer:next()
  self:skip_blanks()
  local token = { line = self.line, column = self.at - self.start + 1 }
  local last
  token.kind, token.value, last = self:read()
  self:move(last)
  token.last = self.line
  return token
end

return lexer
