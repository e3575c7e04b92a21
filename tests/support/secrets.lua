--- Planted secrets, and the search for them in what was said.
local base64 = require "peal.base64"

local secrets = {}

--- Put into every store that tests make, where they set nothing there:
-- parameter -> secret.
secrets.planted = {
  Password_9_ = "Canary-Line-9-q7Zr",
  GPP_SD = "Canary-Register-D-x4Kt",
  XML_Password = "Canary-Xml-m2Vw",
}

--- Those that the specs use themselves: name -> text. Short ones are not
-- here: they would be found by chance in keys and fingerprints.
secrets.known = {
  ["GPP_SB of the fixture"] = 'My "Secret" Pass',
  ["key of the examples"] = "lab secret",
  ["key of the guide"] = "SecretPhrase1234",
  ["--key of rules"] = "MyOwnSecret",
  ["--key of cases"] = "q9secret",
  ["password of a line"] = "Gehe1m",
  ["admin password"] = "set-by-hand-1",
  ["GPP_SA of sessions"] = "stored-secret",
  ["password of Basic and Digest"] = "auth-secret",
  ["a private key"] = "PRIVATE KEY-----",
}

--- A copy of parameters, with what is planted beside them.
function secrets.plant(values)
  local out = {}
  for name, text in pairs(secrets.planted) do out[name] = text end
  for name, text in pairs(values) do out[name] = text end
  return out
end

local function hex_of(text)
  return (text:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

-- Base64 of a text in the midst of others: what of it does not depend on its
-- neighbours, for each of the three places where it may begin.
local function put_base64(forms, text)
  for before = 0, 2 do
    local letters = base64.encode(("\0"):rep(before) .. text)
    local from = (before * 8 + 5) // 6 + 1
    local to = (before + #text) * 8 // 6
    forms[#forms + 1] = letters:sub(from, to)
  end
end

local function escaped(text, pattern, form)
  return (text:gsub(pattern, form))
end

--- The forms in which a secret might be seen.
function secrets.forms(text)
  local forms = { text, hex_of(text),
    escaped(text, '["\\]', "\\%0"),
    escaped(text, '[&<>"]', { ["&"] = "&amp;", ["<"] = "&lt;",
      [">"] = "&gt;", ['"'] = "&quot;" }),
    escaped(text, "[^%w%-._~]", function(c)
      return ("%%%02X"):format(c:byte())
    end) }
  put_base64(forms, text)
  return forms
end

local all

local function list()
  if all then return all end
  all = {}
  local function add(name, text)
    for _, form in ipairs(secrets.forms(text)) do
      all[#all + 1] = { name = name, form = form }
    end
  end
  for name, text in pairs(secrets.planted) do add(name, text) end
  for name, text in pairs(secrets.known) do add(name, text) end
  table.sort(all, function(a, b)
    if a.name ~= b.name then return a.name < b.name end
    return a.form < b.form
  end)
  return all
end

--- The secrets in some bytes: list of { name =, form =, at = }, one of a name.
function secrets.find(bytes)
  local out, seen = {}, {}
  for _, one in ipairs(list()) do
    local at = not seen[one.name] and bytes:find(one.form, 1, true)
    if at then
      seen[one.name] = true
      out[#out + 1] = { name = one.name, form = one.form, at = at }
    end
  end
  return out
end

return secrets
