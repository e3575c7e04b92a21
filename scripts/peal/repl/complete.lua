--- What may stand where the cursor is. Tables are looked at as they are:
-- nobody's __index is called.
local complete = {}

local KEYWORDS <const> = { "and", "break", "do", "else", "elseif", "end",
  "false", "for", "function", "goto", "if", "in", "local", "nil", "not", "or",
  "repeat", "return", "then", "true", "until", "while" }

local OPTIONS <const> = { "--key", "--uid", "--pwd", "--post", "--put",
  "--alias", "--srv" }

local MAX <const> = 500

local function add(out, name, prefix)
  if type(name) == "string" and name:sub(1, #prefix) == prefix
    and #out < MAX and not out[name] then
    out[name] = true
    out[#out + 1] = name
  end
end

local function finish(out)
  local list = {}
  for i = 1, #out do list[i] = out[i] end
  table.sort(list)
  return list
end

-- --- parts of the line ---

-- The quote that is open at the end of `text`, or nil.
local function open_quote(text)
  local quote, at = nil, 1
  while at <= #text do
    local c = text:sub(at, at)
    if quote and c == "\\" then
      at = at + 1
    elseif c == quote then
      quote = nil
    elseif not quote and (c == '"' or c == "'") then
      quote = c
    elseif not quote and c == "-" and text:sub(at, at + 1) == "--" then
      return nil
    end
    at = at + 1
  end
  return quote
end

-- --- where names come from ---

-- Tables behind a value, its own first: chains of __index that are tables.
local function tables_of(value)
  local list, seen = {}, {}
  if type(value) ~= "table" then
    local meta = debug.getmetatable(value)
    value = type(meta) == "table" and rawget(meta, "__index")
  end
  while type(value) == "table" and not seen[value] do
    seen[value] = true
    list[#list + 1] = value
    local meta = debug.getmetatable(value)
    value = type(meta) == "table" and rawget(meta, "__index")
  end
  return list
end

local function field(value, name)
  for _, t in ipairs(tables_of(value)) do
    local found = rawget(t, name)
    if found ~= nil then return found end
  end
end

-- The value that "a.b" names, or nil.
local function value_of(env, path)
  local value = env
  for name in path:gmatch("[^.:]+") do
    value = field(value, name)
    if value == nil then return nil end
  end
  return value
end

-- Fields that a table of the session's own has by its __index are told by its
-- __fields.
local function fields(out, value, prefix, methods)
  local meta = debug.getmetatable(value)
  local own = type(meta) == "table" and rawget(meta, "__fields")
  for _, name in ipairs(type(own) == "function" and own() or {}) do
    add(out, name, prefix)
  end
  for _, t in ipairs(tables_of(value)) do
    for name, item in next, t do
      if type(name) == "string" and name:find("^[%a_][%w_]*$")
        and (not methods or type(item) == "function") then
        add(out, name, prefix)
      end
    end
  end
end

local function parameters(out, session, prefix)
  for _, name in ipairs(session.schema:names()) do add(out, name, prefix) end
end

-- --- the kinds of places ---

local function in_text(session, word, before)
  local out = {}
  local dollar = word:match("%$%(?[%w_]*$")
  if dollar then
    local open = dollar:match("^%$%(?")
    for _, name in ipairs(require("peal.macro").names()) do
      add(out, open .. name, dollar)
    end
    return out, #before - #dollar + 1
  end
  local option = before:match("%-%-%a*$")
  if option then
    for _, name in ipairs(OPTIONS) do add(out, name, option) end
    return out, #before - #option + 1
  end
  local name = before:match("[%w_.]*$")
  parameters(out, session, name)
  for _, stage in ipairs(require("peal.stages").names) do
    add(out, stage, name)
  end
  if before:find("help%s*%(?%s*[\"'][^\"']*$") then
    for _, topic in ipairs(require("peal.reference").names(name)) do
      add(out, topic, name)
    end
  end
  return out, #before - #name + 1
end

local function in_code(session, env, before)
  local out = {}
  local path, sign, name = before:match("([%a_][%w_.]*)([.:])([%w_]*)$")
  if not path then
    name = before:match("[%w_]*$")
    fields(out, env, name)
    for _, word in ipairs(KEYWORDS) do add(out, word, name) end
  elseif path == "param" or path:find("%.param$") then
    parameters(out, session, name)
  else
    local value = value_of(env, path)
    if value ~= nil then fields(out, value, name, sign == ":") end
  end
  return out, #before - #name + 1
end

-- Arguments of a command: of the kind that it names.
local ARGUMENTS <const> = {
  parameter = function(session, out, word) parameters(out, session, word) end,
  format = function(_, out, word)
    for _, name in ipairs { "lua", "json", "table" } do
      add(out, name, word)
    end
  end,
  level = function(_, out, word)
    for _, name in ipairs { "off", "info", "debug" } do
      add(out, name, word)
    end
  end,
  switch = function(_, out, word)
    for _, name in ipairs { "on", "off" } do add(out, name, word) end
  end,
}

local function in_command(session, commands, before)
  local out, name = {}, before:match("^:([%w!]*)$")
  if name then
    for _, command in ipairs(commands) do
      add(out, ":" .. command.name, before)
    end
    return out, 1
  end
  local word = before:match("%S*$")
  local kind
  for _, command in ipairs(commands) do
    if before:match("^:(%S+)") == command.name then kind = command.takes end
  end
  if kind == "command" then
    for _, command in ipairs(commands) do add(out, command.name, word) end
  elseif ARGUMENTS[kind] then
    ARGUMENTS[kind](session, out, word)
  end
  return out, #before - #word + 1
end

--- @param about   session, env, commands
--   line     what is typed
--   cursor   bytes of it before the cursor
-- @treturn table names, in order
-- @treturn integer where in the line they begin, from 1
function complete.at(about, line, cursor)
  local before = line:sub(1, cursor)
  local out, start
  if before:sub(1, 1) == ":" then
    out, start = in_command(about.session, about.commands, before)
  elseif open_quote(before) then
    out, start = in_text(about.session, before:match("[^%s\"']*$"), before)
  else
    out, start = in_code(about.session, about.env, before)
  end
  return finish(out), start
end

return complete
