--- Profile rules: what a rule asks the phone to do now.
--
-- decide() expands, parses, evaluates and chooses in one call and keeps a
-- trace of it. It asks nothing and changes nothing: assignments and the fetch
-- are the caller's to carry out.
--
-- Source: MPP provisioning guide, "Profile rules", "Conditional expressions".
local condition = require "peal.condition"
local default_server = require "peal.rule.server"
local json = require "peal.json"
local macro = require "peal.macro"
local parse = require "peal.rule.parse"
local redact = require "peal.rule.redact"
local resolve = require "peal.rule.target"
local url = require "peal.url"

local find, match, sub = string.find, string.match, string.sub

local rule = {
  parse = parse,                    -- see peal.rule.parse
  -- see peal.rule.redact
  redact = function(...) return (redact(...)) end,
  secrets_in = function(...) return select(2, redact(...)) end,
  default_server = default_server,  -- see peal.rule.server
}

--- Longest rule before expansion, bytes (our choice).
rule.limit = 4096

-- What the result message says: $ERR.
local function err_text(sentence, word)
  return word == "no-server" and sentence or "Bad rule: " .. sentence
end

local function failure(d, sentence, word, at, conditions)
  return nil, sentence, word, {
    at = at,
    err = err_text(sentence, word),
    conditions = conditions,
    trace = d.trace,
  }
end

local function skip(d, reason, word)
  return { action = "skip", reason = reason, word = word, trace = d.trace }
end

-- Evaluates alternatives until one is to be taken.
-- The alternative; false if there is none; nil and a failure.
local function choose(d)
  for i, alt in ipairs(d.parsed.alternatives) do
    local entry = d.trace.alternatives[i]
    entry.verdict = true
    if alt.condition then
      local verdict, detail, word, where =
        condition.evaluate(alt.condition.text, alt.condition.mask)
      if verdict == nil then
        entry.verdict, entry.conditions = nil, where.conditions
        return failure(d, detail, word,
          where.at and where.at + alt.condition.at - 1, where.conditions)
      end
      entry.verdict, entry.conditions = verdict, detail
    end
    if entry.verdict then
      entry.chosen = true
      return alt
    end
  end
  return false
end

-- Puts the texts into the trace. `broken`: the rule cannot be read or names
-- no valid URL, so that more is hidden.
local function show(d, broken)
  local trace, is_secret = d.trace, d.opts.is_secret
  trace.expanded = redact(d.expanded, d.mask, is_secret, broken)
  trace.text = d.text == d.expanded and trace.expanded
    or redact(d.text, nil, is_secret, broken)
  local clean = trace.expanded == d.expanded
  for i, alt in ipairs(d.parsed and d.parsed.alternatives or {}) do
    local entry = trace.alternatives[i] or { chosen = false }
    local text = sub(d.expanded, alt.at, alt.to)
    entry.text = clean and text
      or redact(text, sub(d.mask, alt.at, alt.to), is_secret, broken)
    trace.alternatives[i] = entry
  end
end

local function assigns_of(alt)
  local assigns = {}
  for i, assign in ipairs(alt.assigns) do
    assigns[i] = { name = assign.name, value = assign.value }
  end
  return assigns
end

-- A host for a rule without one, where the caller knows it.
local function fill_host(d, fetch)
  if fetch.url.host or not d.opts.host then
    return
  end
  local u = url.parse(("tftp://%s/"):format(
    url.is_ipv6(d.opts.host) and "[" .. d.opts.host .. "]" or d.opts.host))
  if u then
    fetch.url.host, fetch.url.ipv6 = u.host, u.ipv6
  end
end

local function fetches_of(d, alt)
  local fetches = {}
  for i, target in ipairs(alt.targets) do
    local fetch, sentence, at =
      resolve(target, d.vars, d.trace.warnings)
    if not fetch then
      show(d, true)
      return failure(d, sentence, "bad-rule", at)
    end
    fill_host(d, fetch)
    if not fetch.url.host and d.kind ~= "profile" then
      return failure(d, "No server", "no-server", target.at)
    end
    fetches[i] = fetch
  end
  return fetches
end

-- What stands behind gds:// if the alternative is an activation.
local function activation(alt)
  local target = alt.targets[1]
  return target and target.url
    and match(target.url_mask, "^[Gg][Dd][Ss]://")
    and sub(target.url, 7)
end

local function plan_of(d, alt)
  if #alt.assigns == 0 and #alt.targets == 0 then
    return skip(d, "the chosen alternative asks for nothing", "nothing")
  end
  local plan = {
    action = "run",
    assigns = assigns_of(alt),
    condition = alt.condition and alt.condition.text or "",
    trace = d.trace,
  }
  local code = d.kind == "profile" and activation(alt)
  if code then
    plan.action, plan.event, plan.activation = "skip", "onboarding", code
    plan.reason, plan.word = "activation code onboarding", "onboarding"
    return plan
  end
  local fetches, sentence, word, detail = fetches_of(d, alt)
  if not fetches then
    return nil, sentence, word, detail
  end
  plan.fetch = fetches[1]
  if d.kind == "report" then
    plan.fetches = fetches
  end
  return plan
end

local function decide_trigger(d)
  show(d, false)
  if not find(d.expanded, "[^ \t\r\n]") then
    return skip(d, "the trigger is empty", "empty")
  end
  local entry = { text = d.trace.expanded, chosen = false }
  d.trace.alternatives[1] = entry
  local verdict, detail, word, where =
    condition.evaluate(d.expanded, d.mask)
  if verdict == nil then
    entry.conditions = where.conditions
    return failure(d, detail, word, where.at, where.conditions)
  end
  entry.verdict, entry.conditions, entry.chosen = verdict, detail, verdict
  if not verdict then
    return skip(d, "the trigger is false", "false")
  end
  return { action = "run", assigns = {}, trace = d.trace }
end

local function decide_rule(d)
  local parsed, sentence, word, detail = parse(d.expanded, d.mask, d.kind)
  d.parsed = parsed
  show(d, not parsed)
  if not parsed then
    return failure(d, sentence, word, detail.at)
  end
  d.trace.warnings = json.array(parsed.warnings)
  if parsed.disabled then
    return skip(d, "the rule is disabled by #", "disabled")
  elseif #parsed.alternatives == 0 then
    return skip(d, "the rule is empty", "empty")
  end
  local alt
  alt, sentence, word, detail = choose(d)
  if alt == nil then
    return nil, sentence, word, detail
  elseif not alt then
    return skip(d, "no condition is true", "no-alternative")
  end
  return plan_of(d, alt)
end

--- Decides about a rule.
--   opts.kind       "profile" (default), "report", "upgrade" or "trigger"
--   opts.host       server for a rule that names none
--   opts.is_secret  function(parameter) -> boolean, for what the trace hides
--
-- The plan:
--   action      "run", or "skip" with reason and word ("empty", "disabled",
--               "no-alternative", "nothing", "false", "onboarding")
--   event       "onboarding" for gds://; activation holds what follows it
--   assigns     {name, value} in order; also with onboarding
--   condition   text of the condition that was true, or ""
--   fetch       nil, or url, key, uid, pwd, post, put, alias, srv, delta,
--               status. uid and pwd hold user:pw@ too, and url neither. Without
--               opts.host a profile's url.host may be nil: ask DHCP.
--   fetches     "report" only: one or two of them
--   trace       text, expanded, alternatives {text, conditions, verdict,
--               chosen}, warnings; secrets are hidden
-- @tparam string text
-- @tparam function vars see macro.variables()
-- @tparam[opt] table opts
-- @treturn[1] table
-- @return[2] nil, sentence, "bad-rule" | "bad-condition" | "no-server",
--   {at = byte of the expanded text, err = text for $ERR, conditions, trace}
function rule.decide(text, vars, opts)
  opts = opts or {}
  local d = { text = text, vars = vars, opts = opts,
              kind = opts.kind or "profile" }
  d.trace = { text = "", alternatives = json.array(),
              warnings = json.array() }
  if #text > rule.limit then
    return failure(d, ("Rule longer than %d bytes"):format(rule.limit),
      "bad-rule", rule.limit)
  end
  d.expanded, d.mask = macro.expand(text, vars)
  if not d.expanded then
    return failure(d, d.mask, "bad-rule")
  elseif d.kind == "trigger" then
    return decide_trigger(d)
  end
  return decide_rule(d)
end

return rule
