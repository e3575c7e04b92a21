-- What profiles do to parameters, and what is said of bad ones.
-- Source: MPP provisioning guide, "Provisioning formats".
local URL <const> = "http://192.0.2.7/a.xml"

local function flat(text)
  return "<flat-profile>" .. text .. "</flat-profile>"
end

local function profile(name, body, expect, more)
  local out = { name = name, phone = { params = { Profile_Rule = URL } },
    server = { [URL] = { body = body } }, expect = expect }
  for key, value in pairs(more or {}) do out[key] = value end
  return out
end

return {
  profile("X8 keeps a value that another does not fit, and succeeds",
    flat("<Resync_Periodic>abc</Resync_Periodic><GPP_A>n</GPP_A>"),
    { outcome = "success", params = { Resync_Periodic = "3600", GPP_A = "n" },
      words = { "bad-value" } }),
  profile("X9 ignores names that no registry knows, and says so",
    flat("<Resync_On_Reset>no</Resync_On_Reset>"
      .. "<resync_periodic>5</resync_periodic><Nope>1</Nope>"),
    { outcome = "success", params = { Resync_On_Reset = "No" },
      words = { "unknown-name", "unknown-name" } }),
  profile("keeps unknown names as text when it is told to",
    flat("<Acme_Colour>red</Acme_Colour>"),
    { outcome = "success", params = { Acme_Colour = "red" } },
    { phone = { params = { Profile_Rule = URL }, keep_unknown = true } }),
  profile("X11 applies nothing of a corrupt file",
    flat("<GPP_A>n</GPP_A><GPP_B>x&y</GPP_B>"),
    { outcome = "failure", params = { GPP_A = "ABCDEF" },
      failure = { class = "B", word = "corrupt" } }),
  profile("X15 refuses a file without flat-profile", "<r><a>1</a></r>",
    { outcome = "failure", failure = { class = "B", word = "corrupt" } }),
  profile("succeeds with a note where a profile holds nothing", flat(""),
    { outcome = "success", words = { "empty" } }),
  profile("E6 refuses a plain file where a key is given", flat(""),
    { outcome = "failure", failure = { word = "corrupt" } },
    { phone = { params = { Profile_Rule = "[--key k] " .. URL } } }),
  profile("E6 refuses an encrypted file where none is",
    "Salted__" .. ("\1"):rep(40),
    { outcome = "failure", failure = { word = "corrupt" } }),
  { name = "refuses a content coding that it does not know",
    phone = { params = { Profile_Rule = URL } },
    server = { [URL] = { body = flat(""),
      headers = { ["Content-Encoding"] = "br" } } },
    expect = { outcome = "failure", failure = { class = "C" } } },
  { name = "lets an operator's rule refuse one value and change another",
    phone = { params = { Profile_Rule = URL } },
    server = { [URL] = { body = flat("<GPP_A>1</GPP_A><GPP_B>2</GPP_B>"
      .. "<GPP_C>3</GPP_C>") } },
    rules = { ["apply.lua"] = [[
      return { stage = "apply", decide = function()
        return { refuse = { GPP_A = "not on this site" },
          change = { GPP_B = "two" } }
      end }]] },
    expect = { outcome = "success", refused = { "GPP_A" },
      params = { GPP_A = "ABCDEF", GPP_B = "two", GPP_C = "3" } } },
  { name = "lets an operator's rule choose the profile",
    phone = { params = { Profile_Rule = "http://h/old" } },
    server = { ["*"] = { body = flat("<GPP_C>3</GPP_C>") } },
    rules = { ["profile.lua"] = [[
      return { stage = "profile", decide = function(phone)
        if phone.rule.name ~= "Profile_Rule" then
          return { action = "skip", reason = "one is enough" }
        end
        return classic.profile(phone,
          "http://h/site-" .. phone.identity.MAC .. ".xml")
      end }]] },
    expect = { outcome = "success",
      requests = { "GET http://h/site-000e08abcdef.xml" } } },
  { name = "lets an operator's rule refuse a resync",
    phone = { params = { Profile_Rule = URL } },
    rules = { ["trigger.lua"] = [[
      return { stage = "trigger", decide = function()
        return false, "not today"
      end }]] },
    expect = { outcome = "refused", reason = "not today", requests = {} } },
  { name = "runs the factory's rule where an operator's does not load",
    phone = { params = { Profile_Rule = URL } },
    server = { [URL] = { body = flat("<GPP_C>3</GPP_C>") } },
    rules = { ["profile.lua"] = "return {" },
    expect = { outcome = "success", words = { "bad-rule-file" },
      notes_have = { "operator/profile.lua:1:" } } },
  { name = "runs the factory's rule where an operator's fails",
    phone = { params = { Profile_Rule = URL } },
    server = { [URL] = { body = flat("<GPP_C>3</GPP_C>") } },
    rules = { ["profile.lua"] = "return { stage = 'profile',\n"
      .. "decide = function(phone) return phone.nothing.here end }" },
    expect = { outcome = "success", words = { "bad-rule-file" },
      notes_have = { "operator/profile.lua:2:" } } },
  { name = "gives a rule no way out",
    phone = { params = { Profile_Rule = URL } },
    server = { [URL] = { body = flat("<GPP_C>3</GPP_C>") } },
    rules = { ["trigger.lua"] = [[
      local open = {}
      for _, name in ipairs { "io", "os", "debug", "require", "package",
          "load", "loadfile", "dofile", "collectgarbage", "print", "_G" } do
        if _ENV[name] ~= nil then open[#open + 1] = name end
      end
      return { stage = "trigger", decide = function(phone)
        return #open == 0, table.concat(open, " ")
      end }]] },
    expect = { outcome = "success" } },
  { name = "hands a rule secrets as references that it can only pass on",
    phone = { params = { Profile_Rule = "http://h/x", GPP_SA = "Gehe1m" } },
    server = { ["*"] = { body = flat("<GPP_C>3</GPP_C>") } },
    rules = { ["profile.lua"] = [[
      return { stage = "profile", decide = function(phone)
        if phone.rule.name ~= "Profile_Rule" then
          return { action = "skip", reason = "" }
        end
        if phone.param.GPP_SA:find("Gehe1m") then error("in clear") end
        return { action = "run", fetch = { url = "http://h/x", uid = "joe",
          pwd = "pre-" .. phone.param.GPP_SA } }
      end }]] },
    expect = { outcome = "success", password = "pre-Gehe1m",
      words = {}, sealed = { "Gehe1m" } } },
}
