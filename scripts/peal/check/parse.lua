--- The syntax tree of a Lua 5.4 text, with places and scopes.
-- Written for the check of rule files, in place of luacheck's parser: a phone
-- carries no luacheck, and the check needs to know which name is which local,
-- which a pattern over the text cannot tell.
--
-- A node has kind, line, column and last (line of its end), and
--   expressions  nil, true, false, number {value}, string {value}, vararg,
--                name {name, var = its local, or nil: a global},
--                index {base, key}, call {func, args}, method {base, name,
--                args}, binary {op, left, right}, unary {op, operand},
--                table {fields = list of {key = node or nil, value}},
--                function {params = vars, body}
--   statements   local {vars, values}, assign {targets, values}, expression
--                {call}, do {body}, while {condition, body}, repeat {body,
--                condition}, if {clauses = list of {condition, body}, other},
--                for {vars, values, body}, define {target, func} (function
--                a.b()), define_local {var, func}, return {values}, break,
--                goto, label
-- A var: { name, line, column, attribute, value = what it is made of where
-- that is plain, writes = assignments after that }.
-- Source: Lua 5.4 reference manual, sections 3.3, 3.4 and 9.
local lexer = require "peal.check.lexer"

local parser = {}
parser.__index = parser

-- Left and right priority, as Lua's own parser has them.
local BINARY <const> = {
  ["or"] = { 1, 1 }, ["and"] = { 2, 2 },
  ["<"] = { 3, 3 }, [">"] = { 3, 3 }, ["<="] = { 3, 3 }, [">="] = { 3, 3 },
  ["~="] = { 3, 3 }, ["=="] = { 3, 3 },
  ["|"] = { 4, 4 }, ["~"] = { 5, 5 }, ["&"] = { 6, 6 },
  ["<<"] = { 7, 7 }, [">>"] = { 7, 7 }, [".."] = { 9, 8 },
  ["+"] = { 10, 10 }, ["-"] = { 10, 10 },
  ["*"] = { 11, 11 }, ["/"] = { 11, 11 }, ["//"] = { 11, 11 },
  ["%"] = { 11, 11 }, ["^"] = { 14, 13 },
}
local UNARY <const> = { ["not"] = true, ["-"] = true, ["#"] = true,
  ["~"] = true }
local UNARY_PRIORITY <const> = 12

-- So deep Lua itself goes, or less.
local DEPTH_MAX <const> = 200
-- Operators, calls and fields of one file. a+a+a is a tree as deep as it is
-- long, and who walks over it must not run out of stack. Our choice: more than
-- a file of the greatest length that phones read has.
local STEPS_MAX <const> = 30000

local BLOCK_ENDS <const> = { ["end of file"] = true, ["end"] = true,
  ["else"] = true, ["elseif"] = true, ["until"] = true }

-- --- tokens ---

function parser:advance()
  local token = self.token
  self.token, self.ahead = self.ahead or self.lexer:next(), nil
  self.last = token and token.last
  return token
end

function parser:peek()
  self.ahead = self.ahead or self.lexer:next()
  return self.ahead.kind
end

function parser:is(kind) return self.token.kind == kind end

function parser:take(kind)
  if self:is(kind) then return self:advance() end
end

function parser:expect(kind)
  if not self:is(kind) then
    self.lexer:fail(("%s expected, not %s"):format(kind == "name" and "a name"
      or "'" .. kind .. "'", self.token.kind), self.token.line,
      self.token.column)
  end
  return self:advance()
end

local function node(kind, at, fields)
  local out = fields or {}
  out.kind, out.line, out.column = kind, at.line, at.column
  return out
end

function parser:close(made)
  made.last = self.last
  return made
end

function parser:deeper()
  self.depth = self.depth + 1
  if self.depth > DEPTH_MAX then
    self.lexer:fail("nested too deeply", self.token.line, self.token.column)
  end
end

function parser:step()
  self.steps = self.steps + 1
  if self.steps > STEPS_MAX then
    self.lexer:fail(("too long: over %d operators, calls and fields"):format(
      STEPS_MAX), self.token.line, self.token.column)
  end
end

-- --- scopes ---

function parser:open_scope()
  self.scope = setmetatable({}, { __index = self.scope, parent = self.scope })
end

function parser:close_scope()
  self.scope = getmetatable(self.scope).parent
end

local function var_of(token)
  return { name = token.value, line = token.line, column = token.column,
    writes = 0 }
end

function parser:declare(var) self.scope[var.name] = var end

-- --- expressions ---

function parser:list()
  local out = { self:expression() }
  while self:take(",") do out[#out + 1] = self:expression() end
  return out
end

function parser:table_field()
  if self:take("[") then
    local key = self:expression()
    self:expect("]")
    self:expect("=")
    return { key = key, value = self:expression() }
  elseif self:is("name") and self:peek() == "=" then
    local name = self:advance()
    self:advance()
    return { key = node("string", name, { value = name.value,
      last = name.last }), value = self:expression() }
  end
  return { value = self:expression() }
end

function parser:table()
  local made = node("table", self:expect("{"), { fields = {} })
  while not self:is("}") do
    table.insert(made.fields, self:table_field())
    if not (self:take(",") or self:take(";")) then break end
  end
  self:expect("}")
  return self:close(made)
end

-- From the parameters to `end`.
function parser:body(at, has_self)
  local made = node("function", at, { params = {} })
  self:open_scope()
  if has_self then
    self:declare({ name = "self", line = at.line, column = at.column,
      writes = 0 })
  end
  self:expect("(")
  local more = not self:is(")")
  while more and not self:take("...") do
    local var = var_of(self:expect("name"))
    self:declare(var)
    table.insert(made.params, var)
    more = self:take(",")
  end
  self:expect(")")
  made.body = self:block()
  self:expect("end")
  self:close_scope()
  return self:close(made)
end

function parser:arguments()
  if self:is("string") then return { self:simple() } end
  if self:is("{") then return { self:table() } end
  self:expect("(")
  local args = self:is(")") and {} or self:list()
  self:expect(")")
  return args
end

function parser:name()
  local token = self:expect("name")
  return self:close(node("name", token, { name = token.value,
    var = self.scope[token.value] }))
end

-- @return a node; and whether it stands in parentheses
function parser:primary()
  if self:take("(") then
    local inner = self:expression()
    self:expect(")")
    return inner, true
  end
  local token = self:expect("name")
  return self:close(node("name", token, { name = token.value,
    var = self.scope[token.value] }))
end

local CALLS <const> = { ["("] = true, ["string"] = true, ["{"] = true }

-- @return as primary() has it
function parser:suffixed()
  local made, in_parentheses = self:primary()
  while true do
    local at = made
    if self:take(".") then
      local name = self:expect("name")
      made = node("index", at, { base = made, key = node("string", name,
        { value = name.value, last = name.last }) })
    elseif self:take("[") then
      made = node("index", at, { base = made, key = self:expression() })
      self:expect("]")
    elseif self:take(":") then
      local name = self:expect("name")
      made = node("method", at, { base = made, name = name.value,
        args = self:arguments() })
    elseif CALLS[self.token.kind] then
      made = node("call", at, { func = made, args = self:arguments() })
    else
      return made, in_parentheses
    end
    in_parentheses = false
    self:close(made)
    self:step()
  end
end

local CONSTANTS <const> = { ["nil"] = "nil", ["true"] = "true",
  ["false"] = "false", ["..."] = "vararg", number = "number",
  string = "string" }

function parser:simple()
  local token = self.token
  if CONSTANTS[token.kind] then
    self:advance()
    local value
    if token.kind == "number" or token.kind == "string" then
      value = token.value
    end
    return self:close(node(CONSTANTS[token.kind], token, { value = value }))
  elseif self:is("{") then
    return self:table()
  elseif self:take("function") then
    return self:body(token)
  end
  return self:suffixed()
end

function parser:unary()
  local token = self:advance()
  return self:close(node("unary", token, { op = token.kind,
    operand = self:expression(UNARY_PRIORITY) }))
end

function parser:expression(limit)
  limit = limit or 0
  self:deeper()
  local made = UNARY[self.token.kind] and self:unary() or self:simple()
  while true do
    local op = self.token.kind
    local priority = BINARY[op]
    if not priority or priority[1] <= limit then break end
    self:advance()
    self:step()
    made = self:close(node("binary", made, { op = op, left = made,
      right = self:expression(priority[2]) }))
  end
  self.depth = self.depth - 1
  return made
end

-- --- statements ---

local statements = {}

function parser:scoped_block()
  self:open_scope()
  local body = self:block()
  self:close_scope()
  return body
end

statements["if"] = function(self, at)
  local made = node("if", at, { clauses = {} })
  repeat
    local clause = { line = self.token.line, column = self.token.column,
      condition = self:expression() }
    self:expect("then")
    clause.body = self:scoped_block()
    table.insert(made.clauses, clause)
  until not self:take("elseif")
  if self:take("else") then made.other = self:scoped_block() end
  self:expect("end")
  return made
end

statements["while"] = function(self, at)
  local made = node("while", at, { condition = self:expression() })
  self:expect("do")
  made.body = self:scoped_block()
  self:expect("end")
  return made
end

statements["do"] = function(self, at)
  local made = node("do", at, { body = self:scoped_block() })
  self:expect("end")
  return made
end

statements["repeat"] = function(self, at)
  self:open_scope() -- the condition sees the locals of the body
  local made = node("repeat", at, { body = self:block() })
  self:expect("until")
  made.condition = self:expression()
  self:close_scope()
  return made
end

statements["for"] = function(self, at)
  local vars = { var_of(self:expect("name")) }
  while self:take(",") do vars[#vars + 1] = var_of(self:expect("name")) end
  if vars[2] or not self:take("=") then self:expect("in") end
  local made = node("for", at, { vars = vars, values = self:list() })
  self:expect("do")
  self:open_scope()
  for _, var in ipairs(vars) do
    var.writes = 1
    self:declare(var)
  end
  made.body = self:block()
  self:close_scope()
  self:expect("end")
  return made
end

statements["function"] = function(self, at)
  local target = self:name()
  local is_method
  while self:is(".") or self:is(":") do
    is_method = self:advance().kind == ":"
    local name = self:expect("name")
    self:step()
    target = self:close(node("index", target, { base = target,
      key = node("string", name, { value = name.value, last = name.last }) }))
    if is_method then break end
  end
  if target.var then target.var.writes = target.var.writes + 1 end
  return node("define", at, { target = target,
    func = self:body(at, is_method) })
end

local function define_local(self, at)
  local var = var_of(self:expect("name"))
  self:declare(var)
  var.value = self:body(at)
  return node("define_local", at, { var = var, func = var.value })
end

local ATTRIBUTES <const> = { const = true, close = true }

statements["local"] = function(self, at)
  if self:take("function") then return define_local(self, at) end
  local made = node("local", at, { vars = {}, values = {} })
  repeat
    local var = var_of(self:expect("name"))
    if self:take("<") then
      var.attribute = self:expect("name").value
      if not ATTRIBUTES[var.attribute] then
        self.lexer:fail("unknown attribute " .. var.attribute, var.line,
          var.column)
      end
      self:expect(">")
    end
    table.insert(made.vars, var)
  until not self:take(",")
  if self:take("=") then made.values = self:list() end
  for i, var in ipairs(made.vars) do
    var.value = made.values[i]
    self:declare(var)
  end
  return made
end

statements["return"] = function(self, at)
  local made = node("return", at, { values = {} })
  if not BLOCK_ENDS[self.token.kind] and not self:is(";") then
    made.values = self:list()
  end
  self:take(";")
  return made
end

statements["break"] = function(_, at) return node("break", at) end

statements["goto"] = function(self, at)
  return node("goto", at, { name = self:expect("name").value })
end

statements["::"] = function(self, at)
  local made = node("label", at, { name = self:expect("name").value })
  self:expect("::")
  return made
end

local IS_CALL <const> = { call = true, method = true }
local IS_TARGET <const> = { name = true, index = true }

local function must_be(self, kinds, made, in_parentheses)
  if in_parentheses or not kinds[made.kind] then
    self.lexer:fail("a statement expected", made.line, made.column)
  end
  return made
end

-- A call or an assignment.
local function other_statement(self)
  local first, in_parentheses = self:suffixed()
  if not self:is("=") and not self:is(",") then
    must_be(self, IS_CALL, first, in_parentheses)
    return node("expression", first, { call = first })
  end
  must_be(self, IS_TARGET, first, in_parentheses)
  local made = node("assign", first, { targets = { first } })
  while self:take(",") do
    table.insert(made.targets, must_be(self, IS_TARGET, self:suffixed()))
  end
  self:expect("=")
  made.values = self:list()
  for _, target in ipairs(made.targets) do
    if target.var then target.var.writes = target.var.writes + 1 end
  end
  return made
end

function parser:statement()
  local token = self.token
  local known = statements[token.kind]
  self:deeper()
  if known then self:advance() end
  local made = self:close((known or other_statement)(self, token))
  self.depth = self.depth - 1
  return made
end

function parser:block()
  local out = {}
  while not BLOCK_ENDS[self.token.kind] do
    if not self:take(";") then
      out[#out + 1] = self:statement()
      if out[#out].kind == "return" then break end
    end
  end
  return out
end

--- @tparam string text
-- @treturn[1] table the statements of the file
-- @return[2] nil, { sentence =, line =, column = }
local function parse(text)
  local self = setmetatable({ lexer = lexer.new(text), scope = {}, depth = 0,
    steps = 0 }, parser)
  local ok, result = pcall(function()
    self:advance()
    local block = self:block()
    self:expect("end of file")
    return block
  end)
  if ok then return result end
  if type(result) ~= "table" then error(result, 0) end
  return nil, result
end

return parse
