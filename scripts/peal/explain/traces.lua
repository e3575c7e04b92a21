--- The traces that a store keeps: each revision has that of the cycle that it
-- ends, and of the newest ones that wrote nothing.
local json = require "peal.json"

local traces = {}

-- Keys of the namespace "trace"; see docs/trace.md.
local SLOTS <const> = { "cycle", "last", "failed", "undo" }

local function read(slot, text)
  local ok, found = pcall(json.decode, text)
  if not ok or type(found) ~= "table" or type(found.steps) ~= "table" then
    return nil
  end
  if slot == "undo" then found.undo = true end
  return found
end

-- Take what a store has and `list` has not. (A trace is in several revisions,
-- and its cycle's last one has the most of it.)
local function take(list, seen, st, revision)
  for _, slot in ipairs(SLOTS) do
    local text = st:state("trace", slot)
    local found = text and not seen[text] and read(slot, text)
    if text then seen[text] = true end
    local id = found and ("%s %s %s"):format(found.undo, found.cycle,
      found.outcome == "refused" and found.time)
    if found and not seen[id] then
      seen[id] = true
      found.revision = revision
      list[#list + 1] = found
    end
  end
end

-- The newest cycle first; what was undone after what it undoes.
local function newer(a, b)
  if a.cycle ~= b.cycle then return (a.cycle or 0) > (b.cycle or 0) end
  if a.undo ~= b.undo then return a.undo == true end
  return (a.time or 0) > (b.time or 0)
end

--- All of them, the newest first, as the trace was kept; revision: where it is
-- found; undo: of what rules/health.lua took back.
--   from   look no further back than this revision
--   look   function(store, number), called for each revision on the way, from
--          the newest on
function traces.all(store, from, look)
  local list, seen = {}, {}
  look = look or function() end
  take(list, seen, store, store:revision())
  look(store, store:revision())
  local revisions = store:revisions() or {}
  for i = #revisions, 1, -1 do
    local number = revisions[i].number
    if from and number < from then break end
    local past = number ~= store:revision() and store:past(number)
    if past then
      take(list, seen, past, number)
      look(past, number)
      past:close()
    end
  end
  table.sort(list, newer)
  return list
end

return traces
