--- The classic rule language, as rule files call it: pure functions of a view.
-- Source: MPP provisioning guide, Profile_Rule and Resync_Trigger_1.
local condition = require "peal.condition"
local macro = require "peal.macro"
local rule = require "peal.rule"

local classic = {}

classic.schedule = require "peal.classic.schedule"

local function variables(phone)
  return macro.variables {
    identity = phone.identity,
    state = phone.state,
    param = function(name) return phone.param[name] end,
  }
end

--- What the text of a profile rule says: a plan.
-- @param phone a view
-- @tparam[opt] string text default: the rule being decided
function classic.profile(phone, text)
  return rule.decide(text or phone.rule.text, variables(phone),
    { kind = "profile" })
end

--- Is a condition, such as "$PRVTMR ge 600", true?
-- @return[2] nil, sentence, "bad-condition"
function classic.condition(phone, text)
  local expanded, mask, word = macro.expand(text, variables(phone))
  if not expanded then return nil, mask, word end
  return condition.evaluate(expanded, mask)
end

--- Expand the macros of a text.
function classic.expand(phone, text)
  local expanded, sentence, word = macro.expand(text, variables(phone))
  if not expanded then return nil, sentence, word end
  return expanded
end

-- One trigger: is it true, why not, and its part of the trace.
local function trigger(phone, name, text)
  local plan, why, _, detail = rule.decide(text, variables(phone),
    { kind = "trigger" })
  local about = (plan or detail).trace
  local seen = about and about.alternatives[1] or {}
  local verdict = plan and plan.action == "run"
  return verdict, plan and name .. " is false" or ("%s: %s"):format(name, why),
    { name = name, text = about and about.text,
      expanded = about and about.expanded, conditions = seen.conditions,
      verdict = verdict, problem = not plan and why or nil }
end

--- Do the triggers let a timed resync pass? Blank triggers do not count; one
-- that is true is enough.
-- @return[1] true, nil, what was looked at (for the trace)
-- @return[2] false, reason, what was looked at
function classic.triggers(phone)
  local reasons, seen = {}, {}
  for _, name in ipairs { "Resync_Trigger_1", "Resync_Trigger_2" } do
    local text = phone.param[name] or ""
    if text:find("%S") then
      local verdict, why
      verdict, why, seen[#seen + 1] = trigger(phone, name, text)
      if verdict then return true, nil, seen end
      reasons[#reasons + 1] = why
    end
  end
  if #reasons == 0 then return true end
  return false, table.concat(reasons, "; "), seen
end

classic.privacy = require("peal.classic.privacy").edits

local upgrade = require "peal.classic.upgrade"
classic.upgrade, classic.upgrade_done = upgrade.plan, upgrade.done
classic.below_limit = upgrade.below_limit

local headset = require "peal.classic.headset"
classic.headset_manifest, classic.headset_offer = headset.manifest,
  headset.offer
classic.headset_newer = headset.newer

classic.reports = require("peal.classic.report").reports

return classic
