--- Texts as a session prints them: no secret in clear, whatever way it came.
-- References to secrets, and the values themselves, become fingerprints; keys
-- and passwords in rules and URLs become ***.
local secret = require "peal.secret"
local shown = require "peal.shown"

local guard = {}
guard.__index = guard

-- Shorter ones stand in too many words to be hidden where they are printed:
-- they are reached through references only (our choice). A line with one as a
-- word of its own is not remembered either.
local SHORTEST <const> = 4

--- @tparam function lookup name of a secret -> its text
--   store   whose key makes the fingerprints
function guard.new(store, lookup)
  return setmetatable({ store = store, lookup = lookup, known = {},
    list = {}, short = {}, count = 0 }, guard)
end

--- A text that is never to be printed.
function guard:add(text)
  if not text or text == "" or self.known[text] then return end
  self.known[text], self.count = true, self.count + 1
  if #text < SHORTEST then
    table.insert(self.short, text)
    return
  end
  table.insert(self.list, text)
  table.sort(self.list, function(a, b) return #a > #b end)
end

-- "user:password" hides its password alone as well, as it is sent too.
local function add_user_info(self, text)
  self:add(text)
  local password = text:match("^[^:]*:(.+)$")
  if password then
    self:add(password)
    self:add((password:gsub("%%(%x%x)", function(hex)
      return string.char(tonumber(hex, 16))
    end)))
  end
end

--- The secret of a parameter, or those in its rule.
--   about   name, type, text, secret, as of store:value()
function guard:learn_value(about)
  if about.secret then return self:add(about.text) end
  for _, text in ipairs(shown.secrets_in(self.store, about)) do
    add_user_info(self, text)
  end
end

--- The secrets of a store.
function guard:learn(store)
  self.store = store
  for about in store:each() do
    if not about.is_default then self:learn_value(about) end
  end
end

-- Does it stand there, with no letter or digit on either side?
local function has_word(text, word)
  local from, to = text:find(word, 1, true)
  while from do
    if not text:find("^%w", to + 1)
      and (from == 1 or not text:find("^%w", from - 1)) then
      return true
    end
    from, to = text:find(word, from + 1, true)
  end
  return false
end

--- Does a text hold a secret in clear? A short one counts as a word only.
function guard:holds(text)
  for _, hidden in ipairs(self.list) do
    if text:find(hidden, 1, true) then return true end
  end
  for _, hidden in ipairs(self.short) do
    if has_word(text, hidden) then return true end
  end
  return false
end

local function replace(text, hidden, by)
  local out, from = {}, 1
  while true do
    local a, b = text:find(hidden, from, true)
    out[#out + 1] = text:sub(from, (a or 0) - 1)
    if not a then return table.concat(out) end
    out[#out + 1], from = by, b + 1
  end
end

local function may_hold_rule(text)
  return text:find("://", 1, true) or text:find("-key", 1, true)
    or text:find("-pwd", 1, true)
end

--- The text as it may be printed.
function guard:text(text)
  if secret.holds(text) then
    text = text:gsub("%z([^%z]*)%z", function(name)
      local value = self.lookup(name)
      return value and self.store:fingerprint(value) or "********"
    end)
  end
  for _, hidden in ipairs(self.list) do
    if text:find(hidden, 1, true) then
      text = replace(text, hidden, self.store:fingerprint(hidden))
    end
  end
  return text
end

--- A value that is a text: a rule without its keys.
function guard:value(text)
  text = self:text(text)
  if may_hold_rule(text) then return shown.rule(self.store, text) end
  return text
end

--- Is all of it one secret? Then it is printed bare.
function guard:is_secret(text)
  return text:find("^%z[^%z]+%z$") ~= nil
end

return guard
