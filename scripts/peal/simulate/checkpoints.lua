--- Where a simulation can begin again: its start, and boots on the way. At a
-- boot nothing is under way, so that a copy of the store and a page of plain
-- data is all there is. A few are kept, far apart.
local keyring = require "peal.keyring"
local virtual = require "peal.world.virtual"

local checkpoints = {}

local KEPT_MAX <const> = 8

local PLAIN <const> = { "offset", "ticks", "requests", "planned",
  "acts_done", "down", "dns_down", "off_mono", "hardware", "asked",
  "script_state", "ahead", "lasting", "last_seen" }

local function copy(value)
  if type(value) ~= "table" or getmetatable(value) then return value end
  local out = {}
  for key, item in pairs(value) do out[key] = copy(item) end
  return out
end

-- A phone that has made keys, and a server that counts by itself, begin at the
-- start.
local function can(self)
  return self.keys_made == 0 and not self.options.load_answers
end

-- Every other one goes: those that are left are twice as far apart.
local function thin(list)
  for i = #list - 1, 1, -2 do table.remove(list, i) end
end

--- No way back yet but to the start.
function checkpoints.start(self)
  self.checkpoints = {}
end

--- A boot is about to happen.
function checkpoints.take(self, happening)
  local list = self.checkpoints
  local last = list[#list]
  if self.ticks == 1 or not can(self)
    or last and last.plain.ticks >= self.ticks then
    return
  end
  local store = self.kept:copy()
  if not store then return end
  local plain = {}
  for _, name in ipairs(PLAIN) do plain[name] = copy(self[name]) end
  table.insert(plain.ahead, 1, copy(happening))
  plain.ticks = self.ticks - 1
  list[#list + 1] = { plain = plain, store = store, dice = self.dice(),
    entries = #self.timeline }
  if #list > KEPT_MAX then thin(list) end
end

--- What follows is another future than the one that was: its boots go.
function checkpoints.drop(self)
  local list = self.checkpoints
  for i = #list, 1, -1 do
    if list[i].plain.ticks >= self.ticks then list[i] = nil end
  end
end

local function go_to(self, one)
  for _, name in ipairs(PLAIN) do self[name] = copy(one.plain[name]) end
  self.kept = assert(one.store:copy())
  self.random, self.dice = virtual.dice(one.dice)
  self.keyring = assert(keyring.open())
  for i = #self.timeline, one.entries + 1, -1 do self.timeline[i] = nil end
  self.life, self.off = nil, true
end

--- Begin again at or before a tick and a time.
function checkpoints.restore(self, ticks, mono)
  local list = self.checkpoints
  for i = #list, 1, -1 do
    local one = list[i]
    if one.plain.ticks <= ticks and one.plain.off_mono <= mono then
      return go_to(self, one)
    end
  end
  self.begin(self)
end

return checkpoints
