--- A timeline as lines: resyncs that go the same way are one line.
local moment = require "peal.simulate.moment"
local span = require "peal.span"

local fold = {}

-- So many in a row are folded.
local LEAST <const> = 3

-- The entries in blocks: a resync with what is said in its course, from its
-- start to its end; every other entry alone.
local function blocks_of(entries)
  local blocks, open = {}, nil
  for _, entry in ipairs(entries) do
    if open and entry.kind ~= "boot" and entry.kind ~= "fault"
      and entry.kind ~= "start" and (not open.done or entry.tick == open.tick
        and entry.kind ~= "held" and entry.kind ~= "reboot")
    then
      open[#open + 1] = entry
    else
      open = { entry }
      blocks[#blocks + 1] = open
    end
    if entry.kind == "resync" then
      open.done, open.tick = entry, entry.tick
    elseif open.done == nil and open[1].kind ~= "start" then
      open = nil
    end
  end
  return blocks
end

-- What two blocks that fold have in common.
local function signature(block)
  if not block.done or block[1].kind ~= "start" then return nil end
  local parts = {}
  for _, entry in ipairs(block) do
    if entry.kind ~= "start" then
      parts[#parts + 1] = entry.kind .. entry.text:gsub("^resync %d+", "")
    end
  end
  return table.concat(parts, "\n")
end

local function every(group)
  local least, most
  for i = 2, #group do
    local apart = group[i][1].mono - group[i - 1][1].mono
    least = math.min(least or apart, apart)
    most = math.max(most or apart, apart)
  end
  least, most = span(least), span(most)
  if least == most then return "every " .. least end
  return ("every %s to %s"):format(least, most)
end

-- What else each of them says.
local function besides(block)
  for _, entry in ipairs(block) do
    if entry.kind ~= "start" and entry.kind ~= "resync" then
      return "; each: " .. entry.text
    end
  end
  return ""
end

local function folded(group)
  local first, last = group[1].done, group[#group].done
  local outcome = first.outcome == "success" and "all ok"
    or "all failed" .. first.text:match(" failed(: .-)$")
  local entry = { kind = "resyncs", time = first.time, offset = first.offset,
    n = #group, outcome = first.outcome, until_time = last.time,
    until_offset = last.offset }
  entry.text = ("%d resyncs, %s, %s, the last at %s%s"):format(#group, outcome,
    every(group), moment.show_at(last.time, last.offset), besides(group[1]))
  return entry
end

-- What ends a wait, where nobody did anything else in it.
local ENDS_WAIT <const> = { start = true, resync = true, held = true }

-- A resync that takes no time has no line for its start, nor has a wait of no
-- time one.
local function unfold(block, after, out)
  for i, entry in ipairs(block) do
    local follows = entry.kind == "start" and block.done
      or entry.kind == "held" and (block[i + 1] or after)
    if not follows or not ENDS_WAIT[follows.kind]
      or follows.mono > entry.mono
    then
      out[#out + 1] = entry
    end
  end
end

--- The entries to print.
--   all   true: every one
function fold.entries(entries, all)
  if all then return entries end
  local out, blocks, i = {}, blocks_of(entries), 1
  while blocks[i] do
    local mark, group = signature(blocks[i]), { blocks[i] }
    while mark and blocks[i + #group]
      and signature(blocks[i + #group]) == mark do
      group[#group + 1] = blocks[i + #group]
    end
    if #group >= LEAST then
      out[#out + 1] = folded(group)
    else
      for k, block in ipairs(group) do
        local after = blocks[i + k]
        unfold(block, after and after[1], out)
      end
    end
    i = i + #group
  end
  return out
end

--- A line.
function fold.line(entry)
  return ("%s  %-8s %s"):format(moment.show_at(entry.time, entry.offset),
    entry.kind, entry.text)
end

return fold
