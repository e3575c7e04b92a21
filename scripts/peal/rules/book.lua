--- The rule files of one phone: what is in force, what was in force last, what
-- is wrong with which, and what has been said of it.
-- A copy is one text of one file, with what is known of it:
--   path, text   or, where it cannot be read, path, problem
--   factory      the text is the factory's own
--   loads        true; false: never will; nil: not known yet
--   rest         monotonic time before which it is not asked: it ran into a
--                limit
--   blemished    it has failed since it was first seen
local factory = require "peal.rules.factory"
local say = require "peal.rules.say"
local set_of = require "peal.rules.set"
local stages = require "peal.stages"

local book = {}
book.__index = book

-- Seconds that a file rests which ran into a limit.
local REST_S <const> = 3600
-- Longest text of a last good copy that outlives a restart, bytes.
local KEPT_MAX <const> = 16384
local NAMESPACE <const> = "rules"

local in_order = { table.unpack(stages.names) }
table.sort(in_order)

--- @param phone   world, keep, overrides
-- @tparam[opt] table known of another phone's book:memory(); the caller's no
--   more
function book.new(phone, known)
  local self = setmetatable({ phone = phone, entries = {}, files = {},
    notes = {}, unknown = {} }, book)
  if known then require("peal.rules.memory").restore(self, known) end
  return self
end

--- What it knows of the files, as plain data that it goes on using.
function book:memory()
  return require("peal.rules.memory").of(self)
end

function book:now()
  return self.phone.world.now().mono
end

--- A text that ran into a limit rests.
function book:rest(copy, word)
  copy.blemished = true
  if say.is_limit(word) then copy.rest = self:now() + REST_S end
end

function book:is_resting(copy)
  return copy.rest ~= nil and copy.rest > self:now()
end

--- May this text be asked now?
function book:usable(copy)
  return copy.text ~= nil and copy.loads ~= false
    and not self:is_resting(copy)
end

local function new_copy(stage, source)
  local loads
  if source.error then loads = false end
  return { path = source.path, text = source.text, problem = source.error,
    loads = loads,
    factory = source.text ~= nil and source.text == factory.text(stage) }
end

-- The last good copy that an earlier run has kept.
local function kept_copy(self, stage, path)
  local text = self.phone.keep:get(NAMESPACE, stage .. ".lua")
  return text and { path = path, text = text,
    factory = text == factory.text(stage) }
end

local function keep_good(self, stage, copy)
  local text = copy and #copy.text <= KEPT_MAX and copy.text or nil
  local keep, key = self.phone.keep, stage .. ".lua"
  if keep:get(NAMESPACE, key) == text then return end
  keep:set(NAMESPACE, key, text)
  self.unsaved = true
end

-- Is `source` what this entry has already?
local function is_same(entry, source)
  local current = entry.current
  return current.path == source.path and current.text == source.text
    and (source.text ~= nil or current.problem == source.error)
end

-- A text that could not be tried, and may be by now?
local function is_open(self, entry)
  local current = entry.current
  return current.loads == nil and not self:is_resting(current)
end

-- The copy for a source that is new: the good one where its text is back.
local function copy_of(self, stage, entry, source)
  local good = entry and entry.good or kept_copy(self, stage, source.path)
  if good and good.text == source.text and source.text then
    good.path = source.path
    return good
  end
  return new_copy(stage, source)
end

-- Load it aside, in the place where it would run. Suspends the task.
local function try(self, stage, copy)
  if copy.loads ~= nil then return end
  if copy.factory then
    copy.loads = true
    return
  end
  local phone = self.phone
  local ok, sentence, word, line = phone.world.ask({ stage = stage,
    path = copy.path, text = copy.text }, phone.overrides)
  copy.problem, copy.rest = nil, nil
  if ok then
    copy.loads = true
    return
  end
  if word == "bad-rule-file" then copy.loads = false end
  copy.word, copy.problem = word, say.placed(copy.path, sentence, line)
  self:rest(copy, word)
end

-- The operator's file of a stage. In a folder that cannot be read there is
-- what an earlier run has kept.
local function source_of(self, sources, stage)
  local source, folder = sources[stage .. ".lua"], sources["."]
  if source and not source.factory then return source end
  if folder and self.phone.keep:get(NAMESPACE, stage .. ".lua") then
    return { error = folder.error,
      path = ("%s/%s.lua"):format(folder.path, stage) }
  end
end

-- What there is to take over: stage -> copy; false: the file is gone.
local function changes_of(self, sources)
  local changes = {}
  for _, stage in ipairs(in_order) do
    local entry = self.entries[stage]
    local source = source_of(self, sources, stage)
    if entry and sources["."] then
      changes[stage] = nil -- what cannot be read stays as it was
    elseif not source then
      if entry then changes[stage] = false end
    elseif not entry or not is_same(entry, source) then
      changes[stage] = copy_of(self, stage, entry, source)
    elseif is_open(self, entry) then
      changes[stage] = entry.current
    end
  end
  return changes
end

-- The good copy, if it can stand in for the current one. Not in a stage that
-- fails closed: an edit may be there to take back what the copy allowed.
local function stand_in(self, stage, entry)
  if stages[stage].fails_closed then return nil end
  local good = entry.good
  return good and good ~= entry.current and self:usable(good) and good or nil
end

local function take_one(self, stage, copy)
  local entry = self.entries[stage]
  local first = entry == nil
  entry = entry or { good = kept_copy(self, stage, copy.path) or nil }
  local again = entry.current == copy
  local had = entry.problem
  if entry.good and entry.good.text == copy.text then entry.good = copy end
  entry.current, entry.path = copy, copy.path
  entry.problem = copy.problem and { text = copy.problem } or nil
  self.entries[stage] = entry
  if copy.problem then
    say.failure(self.notes, copy, copy.problem, copy.word,
      say.instead(stand_in(self, stage, entry)))
  elseif had then
    say.change(self.notes, copy, "in force again")
  elseif not again and (not first or self.began) then
    say.change(self.notes, copy, "in force from now on")
  end
end

local function drop_one(self, stage)
  say.change(self.notes, self.entries[stage],
    "the file is gone; the factory rule is used")
  self.entries[stage] = nil
  keep_good(self, stage, nil)
end

-- Names that no decision has, and a folder that cannot be read: said once.
local function check_names(self, sources)
  local seen = {}
  for _, about in ipairs(say.strange(sources, stages)) do
    seen[about.text] = true
    if not self.unknown[about.text] then
      self.notes[#self.notes + 1] = about
    end
  end
  self.unknown = seen
end

-- What a set takes with it: it never changes.
local function rebuild(self)
  self.files = {}
  for stage, entry in pairs(self.entries) do
    self.files[stage] = { current = entry.current,
      good = stand_in(self, stage, entry) }
  end
  self.stale = false
end

local function take(self, sources)
  check_names(self, sources)
  local changes = changes_of(self, sources)
  for _, stage in ipairs(in_order) do
    if changes[stage] then try(self, stage, changes[stage]) end
  end
  -- from here on nothing suspends: all of it is taken over, or nothing
  for _, stage in ipairs(in_order) do
    if changes[stage] then
      take_one(self, stage, changes[stage])
    elseif changes[stage] == false then
      drop_one(self, stage)
    end
  end
  -- a folder switched off leaves nothing behind
  if not self.began and not sources["."] then
    for _, stage in ipairs(in_order) do
      if not self.entries[stage] then keep_good(self, stage, nil) end
    end
  end
  self.sources, self.began, self.stale = sources, true, true
end

local function has_open(self)
  for _, entry in pairs(self.entries) do
    if is_open(self, entry) then return true end
  end
  return false
end

-- Two tasks may ask at once: the second one waits for the first.
local function refresh(self)
  local world = self.phone.world
  while self.busy do world.wait(nil, self) end
  local sources = world.rules()
  if sources == self.sources and not has_open(self) then return end
  self.busy = true
  local _ <close> = setmetatable({}, { __close = function()
    self.busy = false
    world.post(self)
  end })
  take(self, sources)
end

--- The rule files now in force, for one cycle. Call it in a task.
function book:set()
  refresh(self)
  if self.stale then rebuild(self) end
  local notes = self.notes
  self.notes = {}
  return set_of.new(self, self.files, notes)
end

--- A text has answered well.
--   about   which question of the stage it was
function book:answered(stage, copy, about, notes)
  local entry = self.entries[stage]
  if not entry or entry.current ~= copy then return end
  local problem = entry.problem
  if problem and (problem.about == about or copy.rest) then
    entry.problem, copy.rest = nil, nil
    say.change(notes, copy, "in force again")
  end
  if entry.good ~= copy and not (copy.blemished and entry.good) then
    entry.before, entry.good, self.stale = entry.good, copy, true
    keep_good(self, stage, copy)
  end
end

--- A text has failed: one that was good a moment ago makes way for the one
-- before it.
function book:failed(stage, failure, about)
  local copy = failure.copy
  self:rest(copy, failure.word)
  local entry = self.entries[stage]
  if not entry or entry.current ~= copy then return end
  entry.problem = { text = failure.why, about = about }
  if entry.good == copy and entry.before then
    entry.good, entry.before = entry.before, nil
    keep_good(self, stage, entry.good)
  end
  self.stale = true
end

--- Forget what rests; read and check everything anew at the next set().
function book:reload()
  for _, entry in pairs(self.entries) do
    for _, copy in ipairs { entry.current, entry.good } do
      copy.rest, copy.said, copy.blemished = nil, nil, nil
      if copy.text then copy.loads, copy.problem = nil, nil end
    end
  end
  self.sources, self.unknown = nil, {}
end

--- Write good copies that no commit has taken along: for a program that ends.
-- @treturn[1] boolean true
-- @return[2] nil, sentence, word
function book:save()
  if not self.unsaved then return true end
  self.unsaved = false
  return self.phone.keep:flush("rules")
end

--- What is in force where.
-- @treturn table list of { stage, path, state, problem }; state: "factory",
--   "operator", "last-good"
function book:status()
  local list = {}
  for i, stage in ipairs(stages.names) do
    local entry = self.entries[stage]
    local one = { stage = stage, path = factory.path(stage),
      state = "factory" }
    if entry then
      one.problem = entry.problem and entry.problem.text
      if not entry.problem then
        one.state, one.path = "operator", entry.path
      elseif stand_in(self, stage, entry) then
        one.state, one.path = "last-good", entry.path
      end
    end
    list[i] = one
  end
  return list
end

return book
