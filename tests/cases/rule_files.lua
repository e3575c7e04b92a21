-- What an operator's rule file may answer, and what becomes of the rest: the
-- factory's rule takes its place, or one decision is skipped with a note.
local URL <const> = "http://192.0.2.7/a.xml"
local BODY <const> = "<flat-profile><GPP_C>3</GPP_C></flat-profile>"

local function case(name, file, text, expect)
  return { name = name, phone = { params = { Profile_Rule = URL,
      GPP_SA = "Gehe1m" } },
    server = { ["*"] = { body = BODY } },
    rules = { [file] = ("return { stage = %q, decide = function(phone)\n"
      .. "%s end }"):format(file:gsub("%.lua$", ""), text) },
    expect = expect }
end

local function only_first(text)
  return 'if phone.rule.name ~= "Profile_Rule" then return { action = "skip" }'
    .. " end " .. text
end

local list = {}

local function add(...) list[#list + 1] = case(...) end

-- Answers in another form: the factory's rule runs, the note says why.
local odd = {
  { 'return { action = "run", assigns = { 5 } }',
    "the plan.assigns[1] is not a table" },
  { 'return { action = "run", assigns = { {} } }',
    "the plan.assigns[1] has no name" },
  { 'return { action = "run", assigns = { { name = "GPP_A", value = {} } } }',
    "the plan.assigns[1].value is not a text" },
  { 'return { action = "run", assigns = { x = 1 } }',
    "the plan.assigns is not a list" },
  { 'return { action = "run", trace = 5 }', "the plan.trace is not a table" },
  { 'return { action = "run", trace = { alternatives = 5, warnings = 7 } }',
    "the plan.trace.alternatives is not a list" },
  { 'return { action = "run", trace = { alternatives = { { conditions = '
      .. '{ { left = 1 } } } } } }',
    "the plan.trace.alternatives[1].conditions[1].left is not a text" },
  { 'return nil, "x", nil, 5', "the answer.detail is not a table" },
  { 'return nil, "x", "y", { at = "z" }',
    "the answer.detail.at is not an integer" },
  { "return nil", "the answer has no sentence" },
  { 'return { action = "run", fetch = { url = "http://h/", post = "zz" } }',
    "the plan.fetch.post is not a letter from a to p" },
  { 'return { action = "run", fetch = { url = "http://h/", alias = "zz" } }',
    "the plan.fetch.alias is not a letter from a to p" },
  { 'return { action = "run", fetch = { url = "http://h/", srv = "x" } }',
    "the plan.fetch.srv is not true or false" },
  { 'return { action = "run", fetch = { url = "http://h/", post = "a", '
      .. 'put = "b" } }', "the plan.fetch has both post and put" },
  { 'return { action = "run", fetch = { url = "http://h/", pots = "a" } }',
    "the plan.fetch has a field that is not known: pots" },
  { 'return { action = "run", fetch = {} }', "the plan.fetch has no url" },
  { 'return { action = "run", fetch = { url = { host = "h" } } }',
    "the plan.fetch.url has no scheme" },
  { 'return { action = "run", fetch = { url = { scheme = "http", '
      .. 'host = "h h", port = 80, path = "/" } } }',
    "the plan.fetch.url is not a URL" },
  { 'return { action = "run", fetsh = 1 }',
    "the plan has a field that is not known: fetsh" },
  { 'return { action = "error" }', '.action is not "run" or "skip"' },
  { 'return { action = "skip", fetch = { url = "http://h/" } }',
    "the plan skips, and has a fetch" },
  { 'return { action = "skip", reason = 5 }',
    "the plan.reason is not a text" },
  { "return phone", "the plan has a field that is not known" },
  { "return phone.param", "the plan has no action" },
  { "error({})", "operator/profile.lua:2: error value is a table" },
  { "error()", "operator/profile.lua:2: error value is a nil" },
  { "for _ in pairs(5) do end",
    "operator/profile.lua:2: bad argument #1 to 'pairs'" },
  { "local x = str.trim() return x", "operator/profile.lua:2: " },
  { 'error("oops", 0)', "operator/profile.lua:2: oops" },
}
for _, row in ipairs(odd) do
  add("takes the factory's rule for: " .. row[1], "profile.lua", row[1],
    { outcome = "success", params = { GPP_C = "3" }, words = {
      "bad-rule-file" }, notes_have = { "operator/profile.lua", row[2],
      "; the factory rule is used" } })
end

add("takes the factory's rule for an odd verdict", "apply.lua",
  "return { change = { GPP_A = 1 } }", { outcome = "success",
    params = { GPP_C = "3" }, words = { "bad-rule-file" },
    notes_have = { "the answer.change.GPP_A is not a text" } })
add("takes the factory's rule for a misspelt verdict", "apply.lua",
  'return { refuze = { GPP_C = "no" } }', { outcome = "success",
    params = { GPP_C = "3" }, words = { "bad-rule-file" },
    notes_have = { "a field that is not known: refuze" } })
add("takes the plan that classic.profile makes, and its changes",
  "profile.lua", only_first [[local plan = classic.profile(phone,
    "(1 eq 1)? (a=\"1\";)! http://h/x | http://h/y")
    plan.assigns[2] = { name = "GPP_B", value = "2" }
    return plan]], { outcome = "success", words = {},
    requests = { "GET http://h/x" },
    params = { GPP_A = "1", GPP_B = "2", GPP_C = "3" } })
add("takes a failure of classic.profile with all its details",
  "profile.lua", 'return classic.profile(phone, "(1 eq)? http://h/x")',
  { outcome = "failure", words = {}, failure = { word = "bad-condition" } })
add("reads user and password of a URL", "profile.lua",
  only_first 'return { action = "run", fetch = { url = "http://joe:pw@h/x" } }',
  { outcome = "success", user = "joe", password = "pw", words = {} })
add("shows control characters of a reason, and no secrets", "trigger.lua",
  [[return false, "no\27[2J\n\xc2\x9b" .. phone.param.GPP_SA]],
  { outcome = "refused", reason = "no\\x1b[2J\\n\\x9b********" })
add("shows control characters of a failure", "profile.lua",
  [[return nil, "\27]0;x\7", "a\27"]], { outcome = "failure",
    failure = { sentence = "\\x1b]0;x\\x07", word = "a\\x1b" } })

-- Secrets go nowhere but into secrets.
add("assigns a secret to no plain parameter", "profile.lua",
  only_first [[return { action = "run", assigns = {
    { name = "GPP_A", value = "x" .. phone.param.GPP_SA },
    { name = "GPP_SB", value = "x" .. phone.param.GPP_SA } } }]],
  { outcome = "success", words = { "secret" }, sealed = { "Gehe1m" },
    notes_have = { "assignment to GPP_A skipped: a secret may only" },
    params = { GPP_A = "ABCDEF", GPP_SB = "xGehe1m" } })
add("changes no plain parameter to a secret", "apply.lua",
  [[return { change = { GPP_A = phone.param.GPP_SA,
    GPP_SB = phone.param.GPP_SA } }]],
  { outcome = "success", words = { "secret" }, sealed = { "Gehe1m" },
    notes_have = { "operator/apply.lua: change of GPP_A skipped: a secret" },
    params = { GPP_A = "ABCDEF", GPP_SB = "Gehe1m" } })
list[#list + 1] = { name = "keeps no secret under a name that is unknown",
  phone = { keep_unknown = true, params = { Profile_Rule = URL,
    GPP_SA = "Gehe1m" } }, server = { ["*"] = { body = BODY } },
  rules = { ["apply.lua"] = [[return { stage = "apply",
    decide = function(phone)
      return { change = { Acme = phone.param.GPP_SA } }
    end }]] },
  expect = { outcome = "success", words = { "secret" },
    sealed = { "Gehe1m" } } }
list[#list + 1] = { name = "shows a rule the identity without its password",
  phone = { identity = { MPWD = "Gehe1m" }, params = { Profile_Rule = URL } },
  rules = { ["trigger.lua"] = [[return { stage = "trigger",
    decide = function(phone) return false, phone.identity.MPWD end }]] },
  expect = { outcome = "refused", reason = "********" } }

-- Decisions that come to nothing are said.
add("says which changes could not be made, in order", "apply.lua",
  [[return { change = { Resync_Periodic = "abc", Nope = "1", GPP_B = "b",
    ["\27[2J"] = "x" } }]],
  { outcome = "success", words = { "bad-rule-file" },
    notes_have = { "a name in the answer.change is not a name" } })
add("says which changes could not be made, by name", "apply.lua",
  [[return { change = { Resync_Periodic = "abc", Nope = "1",
    GPP_B = "b" } }]],
  { outcome = "success", words = { "unknown-name", "bad-value" },
    params = { GPP_B = "b", GPP_C = "3" }, notes_have = {
      "operator/apply.lua: change of Nope skipped",
      "operator/apply.lua: change of Resync_Periodic skipped" } })
add("says which refusals concern no change", "apply.lua",
  [[return { refuse = { GPP_C = "no", GPP_D = "no", Zap = "no" } }]],
  { outcome = "success", refused = { "GPP_C" }, params = { GPP_C = "" },
    words = { "not-changed", "not-changed" }, notes_have = {
      "operator/apply.lua: refusal of GPP_D skipped",
      "operator/apply.lua: refusal of Zap skipped" } })
list[#list + 1] = { name = "names broken files in the order of their names",
  phone = { params = { Profile_Rule = URL } },
  server = { ["*"] = { body = BODY } },
  rules = { ["trigger.lua"] = "(", ["apply.lua"] = "(", ["profile.lua"] = "(",
    ["b.lua"] = "", ["a.lua"] = "" },
  expect = { outcome = "success", note_paths = { "operator/a.lua",
    "operator/b.lua", "operator/apply.lua", "operator/profile.lua",
    "operator/trigger.lua" } } }
add("walks tables in the order of their keys", "trigger.lua",
  [[local names = {}
  for name in pairs(phone.identity) do names[#names + 1] = name end
  for name in pairs { b = 1, a = 2, [2] = 3 } do
    names[#names + 1] = tostring(name)
  end
  return false, table.concat(names, " ")]], { outcome = "refused",
    reason = "CCERT EXTIP HWVER IP MAC PN SN SWVER 2 a b" })
list[#list + 1] = { name = "writes empty lists of a trace as lists",
  phone = { params = { Profile_Rule = "" } }, expect = { outcome = "success",
    trace_has = { '"alternatives":[]', '"warnings":[]' } } }

return list
