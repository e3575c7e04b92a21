--- The traces that a store keeps: each revision has that of the cycle that it
-- ends, and of the newest ones that wrote nothing; and those that a running
-- daemon has yet to write.
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

-- Take what `text_of(slot)` has and `list` has not. (A trace is in several
-- revisions, and its cycle's last one has the most of it.)
local function take(list, seen, text_of, revision)
  for _, slot in ipairs(SLOTS) do
    local text = text_of(slot)
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

local function take_stored(list, seen, st, revision)
  take(list, seen, function(slot) return st:state("trace", slot) end, revision)
end

-- The newest cycle first; what was undone after what it undoes.
local function newer(a, b)
  if a.cycle ~= b.cycle then return (a.cycle or 0) > (b.cycle or 0) end
  if a.undo ~= b.undo then return a.undo == true end
  return (a.time or 0) > (b.time or 0)
end

--- All of them, the newest first, as the trace was kept; revision: where it is
-- found; undo: of what rules/health.lua took back.
--   kept             store:revisions()
--   options.waiting  those that wait for a commit, by slot, as in keep.lua
--   options.from     look no further back than this revision
--   options.look     function(store, number), called for each revision on the
--                    way, from the newest on
function traces.all(store, kept, options)
  local list, seen = {}, {}
  options = options or {}
  local look = options.look or function() end
  local waiting = options.waiting or {}
  take(list, seen, function(slot) return waiting[slot] end, store:revision())
  take_stored(list, seen, store, store:revision())
  look(store, store:revision())
  for i = #kept, 1, -1 do
    local number = kept[i].number
    if options.from and number < options.from then break end
    local past = number ~= store:revision() and store:past(number)
    if past then
      take_stored(list, seen, past, number)
      look(past, number)
      past:close()
    end
  end
  table.sort(list, newer)
  return list
end

return traces
