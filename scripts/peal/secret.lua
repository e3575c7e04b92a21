--- References to secrets: what rules see in their place.
-- A reference is a text that can be joined and passed on, such as to the key
-- of a fetch, and says nothing. Only the engine puts the secret in, and only
-- where a secret may stand.
local secret = {}

local MARK <const> = "\0"

local WORDS <const> = { "passw", "pwd", "secret", "key", "_pin", "ikm" }

--- Does the name of a parameter that no registry knows sound like a secret's?
function secret.sounds_like(name)
  name = name:lower()
  for _, word in ipairs(WORDS) do
    if name:find(word, 1, true) then return true end
  end
  return name:find("^gpp_s[a-d]$") ~= nil
end

--- What a rule sees of secret parameter `name`; "" where it is empty.
function secret.reference(name, text)
  if text == nil or text == "" then return text end
  return MARK .. name .. MARK
end

--- Does `text` hold a reference, whole or in part?
function secret.holds(text)
  return type(text) == "string" and text:find(MARK, 1, true) ~= nil
end

--- Put the secrets into `text`. `lookup(name)` gives the text of a secret.
-- @return[2] nil, sentence, "invalid"
function secret.resolve(text, lookup)
  if not secret.holds(text) then return text end
  local unknown
  local out = text:gsub("%z([^%z]*)%z", function(name)
    local value = lookup(name)
    unknown = unknown or not value
    return value
  end)
  if unknown or secret.holds(out) then
    return nil, "a part of a secret cannot be taken", "invalid"
  end
  return out
end

--- `text` with every reference shown as ********.
function secret.mask(text)
  if not secret.holds(text) then return text end
  return (text:gsub("%z[^%z]*%z", "********"):gsub("%z", "?"))
end

return secret
