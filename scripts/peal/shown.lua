--- Values as people may see them: secrets as fingerprints, rules and URLs
-- without keys, passwords and what they assign to secret parameters.
local rule = require "peal.rule"
local secret = require "peal.secret"

local shown = {}

--- Does parameter `name` of this store keep a secret?
function shown.is_secret(store, name)
  local about = store:value(name)
  if about and not about.untyped then return about.secret end
  return secret.sounds_like(name)
end

-- Texts of other types may be rules as well, such as a GPP that a rule names.
local function may_hold_rule(about)
  local text = about.text
  return about.type == "Rule" or about.type == "URL"
    or about.name:find("Rule", 1, true) or text:find("://", 1, true)
    or text:find("-key", 1, true) or text:find("-pwd", 1, true)
end

local function judge(store)
  return function(name) return shown.is_secret(store, name) end
end

--- A rule or URL without its secrets.
function shown.rule(store, text)
  return rule.redact(text, nil, judge(store))
end

--- The keys, passwords and the like that stand in a parameter's value.
--   about   as for value()
-- @treturn table texts
function shown.secrets_in(store, about)
  if about.secret or not may_hold_rule(about) then return {} end
  return rule.secrets_in(about.text, nil, judge(store))
end

--- The value of a parameter. One that no registry knows, and whose name sounds
-- like a secret's, is taken for one.
--   about   name, type, text, secret, as of store:value()
function shown.value(store, about)
  local hidden = about.secret
    or secret.sounds_like(about.name) and shown.is_secret(store, about.name)
  if hidden then return store:fingerprint(about.text) end
  if may_hold_rule(about) then return shown.rule(store, about.text) end
  return about.text
end

return shown
