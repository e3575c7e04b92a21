--- A timeline as lines: resyncs that go the same way are one line.
local moment = require "peal.simulate.moment"
local span = require "peal.span"

local fold = {}

-- So many in a row are folded.
local LEAST <const> = 3

-- What begins a block of its own.
local ALONE <const> = { boot = true, fault = true, start = true }

-- Does an entry belong to the block before it? A block is a resync with what
-- is said in its course, from its start to its end; every other entry alone.
local function belongs(block, entry)
  if not block or ALONE[entry.kind] then return false end
  if block.done then
    return entry.tick == block.done.tick and entry.kind ~= "held"
      and entry.kind ~= "reboot"
  end
  return block[1].kind == "start"
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
  local least, most = span(group.least), span(group.most)
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
  local first, last = group[1].done, group.last.done
  local outcome = first.outcome == "success" and "all ok"
    or "all failed" .. first.text:match(" failed(: .-)$")
  local entry = { kind = "resyncs", time = first.time, offset = first.offset,
    n = group.n, outcome = first.outcome, until_time = last.time,
    until_offset = last.offset }
  entry.text = ("%d resyncs, %s, %s, the last at %s%s"):format(group.n, outcome,
    every(group), moment.show_at(last.time, last.offset), besides(group[1]))
  return entry
end

-- What ends a wait, where nobody did anything else in it.
local ENDS_WAIT <const> = { start = true, resync = true, held = true }

-- A resync that takes no time has no line for its start, nor has a wait of no
-- time one.
local function unfold(block, after, emit)
  for i, entry in ipairs(block) do
    local follows = entry.kind == "start" and block.done
      or entry.kind == "held" and (block[i + 1] or after)
    if not follows or not ENDS_WAIT[follows.kind]
      or follows.mono > entry.mono
    then
      emit(entry)
    end
  end
end

-- Blocks that go the same way; of a long row, only what its line tells.
local function group_of(block)
  return { block, n = 1, last = block, mark = signature(block) }
end

local function add_to(group, block)
  local apart = block[1].mono - group.last[1].mono
  group.least = math.min(group.least or apart, apart)
  group.most = math.max(group.most or apart, apart)
  group.n, group.last = group.n + 1, block
  if group.n < LEAST then group[group.n] = block end
end

-- Print a group, before the entry `after`.
local function emit_group(group, after, emit)
  if group.n >= LEAST then return emit(folded(group)) end
  for i, block in ipairs(group) do
    unfold(block, group[i + 1] and group[i + 1][1] or after, emit)
  end
end

local folding = {}
folding.__index = folding

-- The block is over: `after` is the first entry behind it.
local function end_block(self, after)
  local block, group = self.block, self.group
  self.block = nil
  if not block then return end
  if group and group.mark and group.mark == signature(block) then
    add_to(group, block)
  else
    if group then emit_group(group, block[1], self.emit) end
    self.group = group_of(block)
  end
  if not after then emit_group(self.group, nil, self.emit) end
end

--- The next entry.
function folding:add(entry)
  if self.all then return self.emit(entry) end
  if belongs(self.block, entry) then
    table.insert(self.block, entry)
  else
    end_block(self, entry)
    self.block = { entry }
  end
  if entry.kind == "resync" then self.block.done = entry end
end

--- There are no more.
function folding:finish()
  end_block(self)
end

--- Entries one by one; emit(entry) gets those to print, as early as it is
-- known how they go on.
--   all   true: every one
function fold.new(emit, all)
  return setmetatable({ emit = emit, all = all }, folding)
end

--- The entries to print.
--   all   true: every one
function fold.entries(entries, all)
  local out = {}
  local stream = fold.new(function(entry) out[#out + 1] = entry end, all)
  for _, entry in ipairs(entries) do stream:add(entry) end
  stream:finish()
  return out
end

--- A line.
function fold.line(entry)
  return ("%s  %-8s %s"):format(moment.show_at(entry.time, entry.offset),
    entry.kind, entry.text)
end

return fold
