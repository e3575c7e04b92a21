--- What fuzz_rule.c feeds: returns function(which, text), which raises where a
-- parser raises, contradicts itself, or lets a secret out.
local alias = require "peal.alias"
local condition = require "peal.condition"
local json = require "peal.json"
local macro = require "peal.macro"
local rule = require "peal.rule"
local schedule = require "peal.schedule"
local syslog = require "peal.syslog"
local url = require "peal.url"
local version = require "peal.version"

-- What shows it has let it out. The fuzzer learns it from comparisons: texts
-- that hold a part of it themselves are passed over.
local PLANTED <const> = "q7Zx9Kw"

local KINDS <const> = { "profile", "report", "upgrade", "trigger" }

local params = {}
for letter in ("ABCD"):gmatch(".") do
  params["GPP_S" .. letter] = PLANTED .. letter
end

local vars = macro.variables {
  identity = { PN = "CP-8841-3PCC", MAC = "000e08abcdef", SN = "88012BA01234",
    SWVER = "sip88xx.11-3-1MPP-234", HWVER = "2.0.1", IP = "192.168.1.100",
    EXTIP = "66.43.16.52", CCERT = "Installed", MPWD = PLANTED },
  state = { PRVST = 1, PRVTMR = 900, UPGTMR = 4000, REGTMR1 = 0 },
  request = { SCHEME = "http", SERV = "h", SERVIP = "192.0.2.1",
    PORT = "80", PATH = "/x" },
  param = function(name) return params[name] end,
}

-- Texts of a result that people may see.
local function hidden(what, ...)
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    local text = type(value) == "table" and json.encode(value)
      or tostring(value)
    assert(not text:find(PLANTED, 1, true), what .. " shows a secret")
  end
end

-- The rule up to the first NUL; behind each NUL the next register.
local function split(text)
  local pieces = {}
  for piece in (text .. "\0"):gmatch("([^\0]*)\0") do
    pieces[#pieces + 1] = piece
  end
  params.GPP_A, params.GPP_B, params.GPP_C = pieces[2], pieces[3], pieces[4]
  return pieces[1]
end

local function decide(text, kind, host)
  local plan, sentence, word, detail =
    rule.decide(text, vars, { kind = kind, host = host })
  if not plan then
    assert(type(sentence) == "string" and type(word) == "string")
    return hidden("a failure", sentence, detail)
  end
  hidden("a trace", plan.trace, plan.reason, plan.condition)
  for _, fetch in ipairs(plan.fetches or { plan.fetch }) do
    hidden("a URL", url.format(fetch.url))
  end
end

-- A URL that was read reads the same again.
local function read_url(text)
  local u, sentence = url.parse(text)
  if not u then return assert(type(sentence) == "string") end
  if u.host then
    local again = assert(url.parse(url.format(u)))
    assert(again.host == u.host and again.port == u.port)
  end
  local base = assert(url.parse("http://a/b/c?d"))
  local to = url.resolve(base, text)
  assert(not to or to.user == nil and to.password == nil)
end

-- Whatever stands round an option, its argument is not shown.
local function redact(text)
  local expanded, mask = macro.expand(text, vars)
  if expanded then rule.redact(expanded, mask) end
  rule.redact(text)
  hidden("redact", rule.redact(("[--key %s] %s"):format(PLANTED, text)),
    rule.redact(("%s[--key %s]http://h/x"):format(text, PLANTED)),
    rule.redact(("%s [--uid u --pwd %s]http://h/x"):format(text, PLANTED)),
    rule.redact(("http://u:%s@h/%s"):format(PLANTED, text)))
end

-- What a document says is written and read back the same.
local function read_json(text)
  local value, sentence = json.decode(text)
  if value == nil then
    return assert(sentence == nil or type(sentence) == "string")
  end
  local once = json.encode(value)
  assert(json.encode(json.decode(once)) == once, "json changes")
end

local function compare(text)
  local a = version.parse(text)
  if a then
    assert(version.compare(a, a) == 0)
    version.short(text)
  end
end

local function delays(text)
  local s = schedule.parse(text)
  for i = 0, s and 3 or -1 do
    local delay = schedule.delay(s, i, function(_, hi) return hi end)
    assert(not delay or delay >= 0)
  end
end

local function log_target(text)
  local target = syslog.target(text)
  assert(not target or #target.host > 0 and target.port > 0)
  syslog.debug_level(text)
  local bytes = syslog.format { format = KINDS[#text % 4], time = 0,
    severity = "info", text = text, ident = text }
  assert(#bytes <= 1024 and not bytes:find("[%z\1-\31\127]"))
end

local PARTS <const> = {
  function(text) hidden("a text", macro.expand(split(text), vars)) end,
  function(text)
    local expanded, mask = macro.expand(split(text), vars)
    if expanded then condition.evaluate(expanded, mask) end
    condition.evaluate(text)
  end,
  function(text) decide(split(text), "profile") end,
  function(text) decide(split(text), "report", "h") end,
  function(text) decide(split(text), "upgrade", "::1") end,
  function(text) decide(split(text), "trigger") end,
  redact, read_url, delays, alias.parse, compare, log_target, read_json,
}

return function(which, text)
  if text:find("q7Z", 1, true) or text:find("Zx9", 1, true) then return end
  PARTS[which % #PARTS + 1](text)
end
