--- What came of a resync, or would come of it, for people.
local json = require "peal.json"
local output = require "peal.cli.output"

local told = {}

local function change_rows(changes)
  local rows = { { "PARAMETER", "OLD", "NEW", "RULE" } }
  for _, change in ipairs(changes) do
    local old, new = change.old, change.new
    if change.ua_only then
      old, new = "ua " .. tostring(change.ua_old), "ua " ..
        tostring(change.ua_new)
    end
    rows[#rows + 1] = { change.name, output.clip(old, 32),
      output.clip(new, 48), change.rule }
  end
  return rows
end

local function rule_line(done)
  if done.outcome == "skipped" then
    return ("%s: skipped, %s"):format(done.rule, done.reason or "")
  end
  if done.outcome == "assigned" then
    return ("%s: assigned, nothing to fetch"):format(done.rule)
  end
  local parts = { ("%s: %s"):format(done.rule, done.url or "") }
  if done.status then parts[#parts + 1] = "HTTP " .. done.status end
  if done.missing then parts[#parts + 1] = "no such file, which is no fault" end
  if done.bytes then parts[#parts + 1] = ("%d bytes"):format(done.bytes) end
  local counts = done.counts
  if counts then
    parts[#parts + 1] = ("%d parameters"):format(counts.elements)
    local kept = counts.kept or 0
    if kept > 0 then
      parts[#parts + 1] = ("%d unknown but kept"):format(kept)
    end
    if counts.unknown > kept then
      parts[#parts + 1] = ("%d unknown"):format(counts.unknown - kept)
    end
    if counts.bad > 0 then
      parts[#parts + 1] = ("%d refused"):format(counts.bad)
    end
  end
  if done.changes then
    parts[#parts + 1] = ("%d changed"):format(done.changes)
  end
  return table.concat(parts, ", ")
end

local MAX_NOTES <const> = 20

--- Notes, on stderr.
function told.notes(result)
  for i, note in ipairs(result.notes) do
    if i > MAX_NOTES then
      output.say("and %d more notes (--json shows all)",
        #result.notes - MAX_NOTES)
      return
    end
    local text = output.note(note)
    if note.line and note.line > 0 then
      text = ("line %d: %s"):format(note.line, text)
    end
    output.say("%s", output.clip(text, 300))
  end
end

--- The steps of a trace, on stderr.
function told.steps(steps)
  for _, step in ipairs(steps) do
    local kind = step.step
    step.step = nil
    io.stderr:write(("  %-9s %s\n"):format(kind, json.encode(step)))
    step.step = kind
  end
end

--- What the rules have done, value by value.
--   done   of daemon/outcome.lua
function told.print(done)
  local result, empty = done.public, {}
  for _, name in ipairs(done.empty) do empty[name] = true end
  local all_empty = #done.empty > 0
  for _, one in ipairs(result.rules) do
    all_empty = all_empty and empty[one.rule]
    if one.outcome ~= "failure" and not empty[one.rule] then
      output.print(rule_line(one))
    end
  end
  if all_empty then output.print("no rule asks for anything") end
  if #result.changes > 0 then
    output.print(output.columns(change_rows(result.changes), "  "))
  end
  for _, refused in ipairs(result.refused) do
    output.print(("  %s refused by %s: %s"):format(refused.name,
      refused.by or "a rule", refused.reason))
  end
end

return told
