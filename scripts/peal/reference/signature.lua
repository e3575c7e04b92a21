--- How the tables of the reference write a function or a field in one line:
--
--   "profile(phone: peal.Phone, text?: string) -> plan: table"
--   "limit: integer"
--
-- A parameter with "?" may be left out, "..." stands for any number, what has
-- no type is of any. Several results stand between commas.
local signature = {}

-- "text?: string" -> { name = "text", optional = true, type = "string" }
local function read_one(text)
  local name, mark, kind = text:match("^%s*([%w_.]+)(%??)%s*:%s*(.-)%s*$")
  if not name then
    name, mark = text:match("^%s*([%w_.]+)(%??)%s*$")
    assert(name, "no such form: " .. text)
  end
  return { name = name, type = kind or "any", optional = mark == "?" or nil }
end

-- Commas within (), <> and {} belong to a type.
local function split(text)
  local out, depth, piece = {}, 0, {}
  for char in text:gmatch(".") do
    if char:find("[({<]") then depth = depth + 1 end
    if char:find("[)}>]") then depth = depth - 1 end
    if char == "," and depth == 0 then
      out[#out + 1], piece = table.concat(piece), {}
    else
      piece[#piece + 1] = char
    end
  end
  local last = table.concat(piece)
  if last:find("%S") then out[#out + 1] = last end
  return out
end

local function read_list(text)
  local out = {}
  for i, piece in ipairs(split(text)) do out[i] = read_one(piece) end
  return out
end

--- @tparam string text
-- @treturn table { name =, params = list or nil (a field), returns = list,
--   type = of a field }; each of a list is { name =, type =, optional = }
function signature.parse(text)
  local name, params = text:match("^([%w_]+)(%b())")
  if not name then return read_one(text) end
  local results = text:match("%->%s*(.-)$", #name + #params + 1)
  return { name = name, params = read_list(params:sub(2, -2)),
    returns = read_list(results or "") }
end

local function names_of(list)
  local out = {}
  for i, one in ipairs(list) do
    out[i] = one.name .. (one.optional and "?" or "")
  end
  return table.concat(out, ", ")
end

--- As a person reads it: "classic.profile(phone, text?) -> plan".
-- @tparam table s what parse() gave
-- @tparam string path with what the name is called by: "classic.profile"
function signature.text(s, path)
  if not s.params then return path end
  local out = ("%s(%s)"):format(path, names_of(s.params))
  if #s.returns > 0 then out = out .. " -> " .. names_of(s.returns) end
  return out
end

return signature
