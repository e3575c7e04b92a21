--- Firmware upgrades as rule files speak of them: pure functions of a view.
-- Source: MPP provisioning guide, Upgrade_Rule, Downgrade_Rev_Limit,
-- Upgrade_Error_Retry_Delay; what they leave open is our choice.
local macro = require "peal.macro"
local rule = require "peal.rule"
local schedule = require "peal.schedule"
local url = require "peal.url"
local version = require "peal.version"

local upgrade = {}

local function variables(phone)
  return macro.variables {
    identity = phone.identity,
    state = phone.state,
    param = function(name) return phone.param[name] end,
  }
end

--- Name of the load that a URL's file holds: the file's, without `.loads`.
-- @tparam table u parsed URL
-- @treturn[1] string
-- @treturn[2] nil the path names no file
function upgrade.load_of(u)
  local path = u.path:match("^[^?]*")
  local name = path:match("([^/]*)$"):gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end):gsub("%.loads$", "")
  if name == "" or name:find("[%c/]") then return nil end
  return name
end

--- Scheme, server, port and path, as they are compared.
-- @tparam table u parsed URL
function upgrade.key(u)
  local host = u.host:find(":", 1, true) and "[" .. u.host .. "]" or u.host
  return ("%s://%s:%d%s"):format(u.scheme, host, u.port, u.path)
end

--- What the rule's text asks for: a plan with the URL and the name of the
-- load, before anything is said of whether it may.
-- @param phone a view
-- @tparam[opt] string text default: the rule that was asked for, else
--   Upgrade_Rule
-- @treturn[1] table { action = "fetch", fetch =, load =, assigns = } or
--   { action = "skip", reason = }
-- @return[2] nil, sentence, word, detail
function upgrade.plan(phone, text)
  text = text or phone.url or phone.param.Upgrade_Rule or ""
  local decided, sentence, word, detail = rule.decide(text, variables(phone),
    { kind = "upgrade" })
  if not decided then return nil, sentence, word, detail end
  local plan = { action = "skip", reason = decided.reason,
    word = decided.word, trace = decided.trace }
  if decided.action == "skip" then return plan end
  if not decided.fetch then
    plan.reason = "the chosen alternative names no load"
    return plan
  end
  plan.load = upgrade.load_of(decided.fetch.url)
  if not plan.load then
    return nil, "URL names no load", "bad-rule", { trace = decided.trace }
  end
  plan.action, plan.fetch = "fetch", decided.fetch
  plan.assigns, plan.condition = decided.assigns, decided.condition
  return plan
end

--- Has this rule led to this URL before, and was that a success? A rule that
-- somebody asks for is tried whatever was before.
function upgrade.done(phone, plan)
  local done = phone.done
  if phone.url or not done then return false end
  local u = plan.fetch.url
  if type(u) == "string" then u = url.parse(u) end
  return u ~= nil and u.host ~= nil and done.rule == phone.param.Upgrade_Rule
    and done.url == upgrade.key(u)
end

--- Is a load older than Downgrade_Rev_Limit? With a limit, a name that is no
-- version counts as older; a limit that is no version lets nothing pass.
function upgrade.below_limit(phone, load)
  local limit = (phone.param.Downgrade_Rev_Limit or ""):match("^%s*(.-)%s*$")
  if limit == "" then return false end
  local order = version.compare(load, limit)
  return order == nil or order < 0
end

--- The wait before the n-th attempt after a failure.
-- @treturn[1] table { after, spread } in seconds
-- @treturn[2] nil there is to be none
function upgrade.retry(text, failures)
  local parsed = schedule.parse(text or "")
  local items = parsed and parsed.items or {}
  local n = math.max(1, math.min(failures, #items))
  local item = items[n]
  if not item or parsed.stops_at and failures >= parsed.stops_at then
    return nil
  end
  return { after = item.base, spread = item.extra }
end

return upgrade
