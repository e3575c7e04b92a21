--- What Report_Rule asks for.
-- Source: MPP provisioning guide, Report_Rule, HTTP_Report_Method.
local macro = require "peal.macro"
local rule = require "peal.rule"

local report = {}

local function variables(phone)
  return macro.variables {
    identity = phone.identity,
    state = phone.state,
    param = function(name) return phone.param[name] end,
  }
end

local function one_of(phone, fetch)
  local content = fetch.delta and "delta" or fetch.status and "status"
    or "full"
  if fetch.delta and fetch.status then
    return nil, "Report_Rule: --delta and --status of one URL", "bad-rule"
  end
  local about = {}
  for _, key in ipairs { "url", "key", "uid", "pwd", "srv" } do
    about[key] = fetch[key]
  end
  return { fetch = about, content = content,
    method = phone.param.HTTP_Report_Method }
end

--- The reports that Report_Rule names, one or two, as the answer of a report
-- rule: { send =, assigns =, reason = }.
-- @return[2] nil, sentence, word
function report.reports(phone)
  local plan, sentence, word = rule.decide(phone.param.Report_Rule or "",
    variables(phone), { kind = "report" })
  if not plan then return nil, "Report_Rule: " .. sentence, word end
  if plan.action == "skip" then
    return { reason = "Report_Rule: " .. plan.reason }
  end
  local answer = { send = {}, assigns = plan.assigns }
  for i, fetch in ipairs(plan.fetches or {}) do
    local one
    one, sentence, word = one_of(phone, fetch)
    if not one then return nil, sentence, word end
    answer.send[i] = one
  end
  return answer
end

return report
