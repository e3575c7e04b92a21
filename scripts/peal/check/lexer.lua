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

local NUMBERS <const> = { "^0[xX][%x.]*[pP][+-]?%d+", "^0[xX][%x.]+",
  "^%d+%.?%d*[eE][+-]?%d+", "^%.%d+[eE][+-]?%d+", "^%d+%.?%d*", "^%.%d+" }

--- @tparam string text
function lexer.new(text)
  local self = setmetatable({ text = text, at = 1, line = 1, start = 1 },
    lexer)
  if text:find("^#") then self:move((text:find("\n") or #text + 1) - 1) end
  return self
end

-- A syntax error is a table, which parse() catches.
function lexer:fail(sentence, line, column)
  error({ sentence = sentence, line = line or self.line,
    column = column or self.at - self.start + 1 }, 0)
end

-- On to the byte behind `last`; lines are counted.
function lexer:move(last)
  local from = self.at
  while true do
    local newline = self.text:find("\n", from, true)
    if not newline or newline > last then break end
    self.line, self.start, from = self.line + 1, newline + 1, newline + 1
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
  return self.text:sub(from, first - 1):gsub("^\r?\n", ""), last
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

-- What an escape stands for, and the byte behind it.
local function escaped(text, at)
  local hex = text:match("^x(%x%x)", at)
  if hex then return string.char(tonumber(hex, 16)), at + 3 end
  local digits = text:match("^%d%d?%d?", at)
  if digits then
    return string.char(tonumber(digits) & 255), at + #digits
  end
  local code = text:match("^u{(%x+)}", at)
  if code then return utf8.char(tonumber(code, 16)), at + #code + 3 end
  local blanks = text:match("^z(%s*)", at)
  if blanks then return "", at + #blanks + 1 end
  local one = text:sub(at, at)
  return ESCAPES[one] or one, at + 1
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
    parts[#parts + 1], at = escaped(self.text, found + 1)
  end
end

local function number(text, at)
  for _, pattern in ipairs(NUMBERS) do
    local found = text:match(pattern, at)
    if found and tonumber(found) then
      return tonumber(found), at + #found - 1
    end
  end
end

-- Kind, value and last byte of the token at the current byte.
function lexer:read()
  local text, at = self.text, self.at
  if at > #text then return "end of file", nil, at - 1 end
  local name = text:match("^[%a_][%w_]*", at)
  if name then
    return KEYWORDS[name] and name or "name", name, at + #name - 1
  end
  local value, last = number(text, at)
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
