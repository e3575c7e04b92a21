--- A plan, for people.
local civil = require "peal.civil"
local output = require "peal.cli.output"
local resync_result = require "peal.cli.resync_result"

local text = {}

--- Each step of the cycle, on stderr.
function text.steps(done)
  resync_result.steps(done.steps)
end

-- The conditions that were looked at where a rule does nothing.
local function conditions(done)
  local skipped = {}
  for _, rule in ipairs(done.public.rules) do
    skipped[rule.rule] = rule.outcome == "skipped"
  end
  for _, step in ipairs(done.steps) do
    if step.step == "rule" and skipped[step.rule] then
      for _, one in ipairs(step.alternatives or {}) do
        for _, condition in ipairs(one.conditions or {}) do
          output.print(("  %s: %s %s %s is %s"):format(step.rule,
            output.clip(condition.left), condition.op,
            output.clip(condition.right),
            condition.verdict and "true" or "false"))
        end
      end
    end
  end
end

local function effects(list)
  if #list == 0 then return end
  local rows = {}
  for i, effect in ipairs(list) do rows[i] = { effect.kind, effect.text } end
  output.print("what it brings about")
  output.print(output.columns(rows, "  "))
end

local function firing(due)
  if not due then return "no resync is scheduled" end
  local when = due.earliest and civil.iso(due.earliest) or "at once"
  if due.latest and due.latest ~= due.earliest then
    when = ("%s to %s"):format(when, civil.iso(due.latest))
  end
  return ("%s, %s%s"):format(due.cause, when,
    due.why and " (" .. due.why .. ")" or "")
end

-- What the schedule goes by, where it is not a daemon's.
local function basis(done)
  if done.public.daemon then return "" end
  return (" (%s: as after a start now)"):format(done.not_attached
    and "of its daemon with peal repl --attach " .. done.not_attached
    or "no daemon runs")
end

local function schedule(about, basis_text)
  output.print("the next resync" .. basis_text)
  output.print(output.columns({ { "now", firing(about.before) },
    { "after", firing(about.after) } }, "  "))
end

--- All of it.
--   done   of cli/plan/one.lua; not_attached: store of a daemon that was not
--          asked
function text.print(done)
  local public = done.public
  resync_result.print(done)
  conditions(done)
  resync_result.notes(public)
  effects(public.effects)
  if public.outcome == "refused" then
    output.say("it would be refused: %s%s", public.reason,
      public.by and (" (%s)"):format(public.by) or "")
    return
  end
  schedule(public.schedule, basis(done))
  if done.told then
    output.failure(done.told)
  else
    local n = #public.changes
    output.print(("plan: %s; nothing was written"):format(n == 0
      and "no change" or n == 1 and "1 change" or n .. " changes"))
  end
end

return text
