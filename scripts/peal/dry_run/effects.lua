--- What a resync would bring about besides new values: the list of
--   { kind = "reboot", names = }          values that take one; waits = true:
--                                         not after this resync, for it fails
--   { kind = "reregister", line =, names = }
--   { kind = "upgrade", load =, url =, waits = true: until lines are idle }
--   { kind = "headset" }                  the user would be asked
--   { kind = "certificate", what = "mic" or "host" }
--   { kind = "roots" }                    Custom_CA_Rule: others are trusted
--   { kind = "report", url = }
--   { kind = "schedule" }                 resyncs would come at other times
--   { kind = "sent", url = }              what a rule sends (--post, --put);
--                                         the dry run has sent it too
-- each with a text for people.
local context = require "peal.cycle.context"
local headset = require "peal.headset"
local sip_identity = require "peal.sip_identity"
local sorted = require "peal.sorted"
local upgrade = require "peal.upgrade"

local effects = {}

local function add(list, kind, text, fields)
  fields = fields or {}
  fields.kind, fields.text = kind, text
  list[#list + 1] = fields
end

-- A few names, and how many more there are.
local SHOWN <const> = 3

local function some(names)
  if #names <= SHOWN then return table.concat(names, ", ") end
  return ("%s and %d more"):format(table.concat(names, ", ", 1, SHOWN),
    #names - SHOWN)
end

-- A new value, not only another access to the old one.
local function is_new(change)
  return change.old ~= change.new
end

local function add_reboot(list, e, result)
  local now, names = e.reboot ~= nil, {}
  if not now and not result.reboot then return end
  for _, change in ipairs(result.changes) do
    if change.reboot then names[#names + 1] = change.name end
  end
  if not names[1] then names[1] = "what an earlier resync has changed" end
  add(list, "reboot", ("the phone reboots %s: %s"):format(now
    and "as soon as all lines are idle"
    or "after the next resync that succeeds", some(names)),
    { names = names, waits = not now or nil })
end

local function add_lines(list, result)
  local lines = {}
  for _, change in ipairs(result.changes) do
    local line = is_new(change) and sip_identity.line(change.name)
    if line then
      lines[line] = lines[line] or {}
      table.insert(lines[line], change.name)
    end
  end
  for _, line in ipairs(sorted.keys(lines)) do
    add(list, "reregister", ("line %d registers anew: %s"):format(line,
      some(lines[line])), { line = line, names = lines[line] })
  end
end

local function new_run(e, kind, run)
  return context.new(e.phone, { rules = run.rules, asked_by = "engine",
    explicit = false, kind = kind })
end

-- Notes of what would follow are told with those of the cycle.
local function take_notes(run, own)
  for _, note in ipairs(own.result.notes) do
    table.insert(run.result.notes, note)
  end
end

local function step_of(own, kind)
  for _, step in ipairs(own.trace.steps) do
    if step.step == kind then return step end
  end
end

local function add_upgrade(list, e, run)
  local own = new_run(e, "upgrade", run)
  local result = upgrade.consider(e.phone, own, { event = "resync" })
  local asked = step_of(own, "upgrade")
  local waits = result.outcome == "waiting"
  if result.word == "dry-run" or waits then
    local image = step_of(own, "image") or step_of(own, "activate") or asked
    local load = image.load
    add(list, "upgrade", ("the phone upgrades%s%s%s"):format(
      load and " to " .. load or "", result.url and " from " .. result.url
      or "", waits and ", as soon as all lines are idle" or ""),
      { load = load, url = result.url, waits = waits or nil })
  elseif result.outcome == "failed" then
    context.note(run, result.word, "Upgrade_Rule",
      "the upgrade that follows would fail: " .. result.reason)
  end
  take_notes(run, own)
end

local function add_headset(list, e, run)
  local own = new_run(e, "headset", run)
  local result = headset.consider(e.phone, own, { event = "resync",
    answer = function() end })
  if result.outcome == "prompted" then
    add(list, "headset", "the user is asked about " .. result.reason)
  end
  take_notes(run, own)
end

local OWN <const> = { mic = "the phone's own certificate is renewed",
  host = "the certificates of the terminals are made anew" }

local function add_certificates(list, e, run)
  for _, what in ipairs { "host", "mic" } do
    local seen = e.seen[what] or {}
    if seen.word == "dry-run" then
      add(list, "certificate", OWN[what], { what = what })
    elseif seen.outcome == "failed" then
      context.note(run, seen.word, nil, ("%s: that would fail: %s"):format(
        OWN[what], seen.reason))
    end
  end
end

local function add_roots(list, e)
  for _, event in ipairs(e.world.told) do
    if event.what == "custom-ca" and event.outcome == "done" then
      add(list, "roots", "the site's own roots: " .. event.reason)
    end
  end
end

-- The engine looks at certificates with a run of its own, whose notes are
-- told. (Those of rule files are the cycle's as well.)
local function note_certificates(e, run)
  for _, event in ipairs(e.world.told) do
    local step = event.kind == "certificate" and event.step or {}
    if step.step == "note" and not step.path then
      context.note(run, step.word, step.name, step.text)
    end
  end
end

local function add_sent(list, e)
  for _, one in ipairs(e.world.refused) do
    if one.what == "posted" then
      add(list, "sent", "sent by the plan as well, for the rule asks so: "
        .. one.about, { url = one.about })
    end
  end
end

local function add_report(list, e)
  for _, one in ipairs(e.world.refused) do
    if one.what == "sent" and not (e.seen.mic and e.seen.mic.word == "dry-run")
    then
      add(list, "report", "a report is sent: " .. one.about,
        { url = one.about })
    end
  end
end

local PARTS <const> = { "after", "spread", "minute" }

local function same(a, b)
  if not a or not b then return not a == not b end
  for _, part in ipairs(PARTS) do
    if a[part] ~= b[part] then return false end
  end
  return true
end

local function add_schedule(list, before, after)
  if not before then return end
  if not same(before.at, after.at) or not same(before.periodic, after.periodic)
  then
    add(list, "schedule", ("after a success: %s (before: %s)"):format(
      after.reason or "as the rule says", before.reason
      or "as the rule says"))
  end
end

--- All of them. Runs in a task.
-- @param e        the engine, when what follows the run is settled
-- @param run      of the cycle
-- @param before   what the schedule stage answers after a success, before
-- @param after    and after the cycle
function effects.of(e, run, before, after)
  local list = {}
  add_reboot(list, e, run.result)
  add_lines(list, run.result)
  add_upgrade(list, e, run)
  add_headset(list, e, run)
  add_certificates(list, e, run)
  add_roots(list, e)
  note_certificates(e, run)
  add_report(list, e)
  add_sent(list, e)
  add_schedule(list, before, after)
  return list
end

return effects
