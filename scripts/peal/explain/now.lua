--- Why is no resync running, and when will the next?
local causes = require "peal.explain.causes"
local civil = require "peal.civil"
local span = require "peal.span"
local steps = require "peal.explain.steps"
local tree = require "peal.explain.tree"

local now = {}

local function next_resync(status)
  for _, one in ipairs(status.next or {}) do
    if one.what == "resync" or one.what == "trigger" then return one end
  end
end

--- @param status   of an engine (engine/status.lua); held: what a resync that
--   is due waits for, { asked_by, since, trigger }
-- @treturn table state, why, running, next (the first that may lead to a
--   resync: what, cause, at, in_s, earliest, latest, why), held, asked (what
--   the triggers would say now, where no daemon is), last, lines_active,
--   queued; daemon: false where none keeps the phone
function now.of(status)
  return { state = status.state, why = status.why_not_now,
    running = status.running, next = next_resync(status),
    held = status.held, asked = status.asked, last = status.last,
    lines_active = status.lines_active, queued = status.queued,
    daemon = status.asked == nil }
end

local function next_text(one, daemon)
  if not one then return "none is scheduled" end
  local text = ("%s at %s, in %s: %s"):format(one.what == "trigger"
    and "the trigger is asked again" or "resync", civil.iso(one.at),
    span(one.in_s or 0), one.why or one.cause)
  return daemon and text or text .. " (if peal run starts now)"
end

local function last_text(last)
  return ("%s, %s (%s)%s"):format(civil.iso(last.time), last.outcome or "?",
    last.asked_by or "?", last.reason and ", " .. last.reason or "")
end

--- The same as a tree for a person.
function now.text(found)
  local root = tree.new(found.running and "a resync is running"
    or "no resync is running: " .. (found.why or found.state or "?"))
  if found.running then root:add("why", found.why) end
  if found.held then
    local due = root:add("due", causes.of(found.held.asked_by))
    due:add("since", civil.iso(found.held.since))
    steps.add(due, { found.held.trigger })
  elseif found.asked then
    steps.add(root:add("if due now", "what the trigger would say"),
      { found.asked })
  end
  if (found.lines_active or 0) > 0 then
    root:add("lines", ("%d in use"):format(found.lines_active))
  end
  if (found.queued or 0) > 0 then
    root:add("waiting", ("%d %s"):format(found.queued,
      found.queued == 1 and "request" or "requests"))
  end
  root:add("next", next_text(found.next, found.daemon))
  if found.last then root:add("last", last_text(found.last)) end
  return root:write()
end

return now
