--- The secrets that a cassette holds, each with what stands for it.
local redact_rule = require "peal.rule.redact"
local encode = require "peal.encode"

local secrets = {}
secrets.__index = secrets

-- Shorter ones would be found everywhere by chance: they are replaced where
-- they are a whole value only.
local SHORTEST <const> = 4

function secrets.new()
  return setmetatable({ by_text = {}, list = {} }, secrets)
end

--- What stands for a text: as long as a key of RFC 8188 in base64url, and a
-- good key, password and PIN otherwise.
function secrets:add(text)
  if not text or text == "" then return text end
  if not self.by_text[text] then
    self.list[#self.list + 1] = text
    self.by_text[text] = ("redacted%014d"):format(#self.list)
    self.sorted = nil
  end
  return self.by_text[text]
end

local function unquoted(text)
  return (text:gsub('^[%s"]+', ""):gsub('[%s"]+$', ""))
end

-- What macros in a key or password stand for: $K is GPP_K, $SA is GPP_SA.
local function add_meant(self, piece, value_of)
  for name in piece:gmatch("%$[({]?([%w_]+)") do
    local text = name:find("^[A-P]$") and value_of("GPP_" .. name)
      or name:find("^S[A-D]$") and value_of("GPP_" .. name)
    if text then self:add(text) end
  end
end

--- Those in a rule: keys, passwords, user info. Names of macros are none; what
-- they stand for is one.
--   value_of(name)   text of a parameter, or nil; nil: nobody knows
function secrets:add_rule(text, is_secret, value_of)
  local shown = redact_rule(text, nil, is_secret)
  if shown == text then return end
  local at, from = 1, 1
  while true do
    local star = shown:find("***", from, true)
    if not star then return end
    at = at + (star - from)
    from = star + 3
    local next_star = shown:find("***", from, true) or #shown + 1
    local rest = shown:sub(from, next_star - 1)
    local stop = rest == "" and #text + 1 or text:find(rest, at, true)
    local piece = unquoted(text:sub(at, (stop or #text + 1) - 1))
    if not piece:find("^%$[%w_{}()]+$") then self:add(piece) end
    if value_of then add_meant(self, piece, value_of) end
    at = stop or #text + 1
  end
end

-- The longest first: one may be a part of another.
local function in_order(self)
  if self.sorted then return self.sorted end
  self.sorted = {}
  for _, text in ipairs(self.list) do
    if #text >= SHORTEST then table.insert(self.sorted, text) end
  end
  table.sort(self.sorted, function(a, b)
    if #a ~= #b then return #a > #b end
    return a < b
  end)
  return self.sorted
end

local function swap(text, from, to)
  return (text:gsub(from:gsub("%p", "%%%0"), (to:gsub("%%", "%%%%"))))
end

--- A text without them.
function secrets:replace(text)
  if self.by_text[text] then return self.by_text[text] end
  for _, one in ipairs(in_order(self)) do
    local to = self.by_text[one]
    text = swap(text, one, to)
    local escaped = encode.escape(one)
    if escaped ~= one then text = swap(text, escaped, to) end
  end
  return text
end

--- The same for all texts in a table, in a copy.
function secrets:replace_all(value)
  if type(value) == "string" then return self:replace(value) end
  if type(value) ~= "table" then return value end
  local out = {}
  for key, item in pairs(value) do out[key] = self:replace_all(item) end
  return out
end

--- Does one stand in these bytes?
function secrets:stands_in(bytes)
  for _, one in ipairs(in_order(self)) do
    if bytes:find(one, 1, true)
      or bytes:find(encode.escape(one), 1, true) then
      return true
    end
  end
  return false
end

return secrets
