--- What the plans of a fleet come to, phone by phone added up. Of each phone a
-- few numbers remain.
local json = require "peal.json"
local sorted = require "peal.sorted"

local summary = {}
summary.__index = summary

-- Pairs of old and new value that are told apart for a parameter of a group;
-- more are counted together, as where each phone has a user of its own.
local PATTERNS_MAX <const> = 50
-- Kinds of notes that are told apart.
local NOTES_MAX <const> = 200

--- @tparam integer total phones of the inventory
function summary.new(total)
  return setmetatable({ total = total, given_up = {}, phones = 0,
    unchanged = 0, changed = 0, failed = 0, refused = 0, groups = {},
    failures = {}, refusals = {}, effects = {}, notes = { n = 0 } }, summary)
end

local function group_of(self, name)
  local group = self.groups[name]
  if not group then
    group = { phones = 0, unchanged = 0, changed = 0, failed = 0, refused = 0,
      params = {} }
    self.groups[name] = group
  end
  return group
end

-- A secret's fingerprint is another in each store: it says nothing here.
local function shown(change, text)
  if change.secret and text ~= "" then return "********" end
  return text
end

local function pattern_of(change)
  if change.ua_only then
    return "ua " .. tostring(change.ua_old), "ua " .. tostring(change.ua_new)
  end
  return shown(change, change.old), shown(change, change.new)
end

local function add_change(group, change)
  local param = group.params[change.name]
  if not param then
    param = { phones = 0, patterns = {}, n = 0, others = 0,
      secret = change.secret }
    group.params[change.name] = param
  end
  param.phones = param.phones + 1
  local old, new = pattern_of(change)
  local id = old .. "\0" .. new
  local pattern = param.patterns[id]
  if pattern then
    pattern.phones = pattern.phones + 1
  elseif param.n < PATTERNS_MAX then
    param.n = param.n + 1
    param.patterns[id] = { old = old, new = new, phones = 1 }
  else
    param.others = param.others + 1
  end
end

-- One phone more of a kind of thing; the first one's sentence stands for all.
local function count(list, id, about, phone)
  local entry = list[id]
  if not entry then
    entry = about
    entry.phones, entry.lines = 0, {}
    list[id] = entry
  end
  entry.phones = entry.phones + 1
  entry.lines[#entry.lines + 1] = phone
end

local function add_failure(self, phone, public)
  local failed = public.error or {}
  local rule, cause = "", nil
  for _, one in ipairs(public.rules) do
    if one.outcome == "failure" then rule, cause = one.rule, one.cause end
  end
  count(self.failures, table.concat({ rule, failed.word or "", cause or "" },
    "\0"), { rule = rule, word = failed.word, cause = cause,
    sentence = failed.sentence, next = failed.next }, phone)
end

local function add_notes(self, notes)
  local seen = {}
  for _, note in ipairs(notes) do
    local id = note.word .. "\0" .. (note.name or "")
    local known = self.notes[id]
    if not known and self.notes.n < NOTES_MAX then
      known = { word = note.word, name = note.name, text = note.text,
        phones = 0 }
      self.notes[id], self.notes.n = known, self.notes.n + 1
    end
    if known and not seen[id] then known.phones = known.phones + 1 end
    seen[id] = true
  end
end

local function add_effects(self, effects)
  local seen = {}
  for _, effect in ipairs(effects) do
    if not seen[effect.kind] then
      self.effects[effect.kind] = (self.effects[effect.kind] or 0) + 1
    end
    seen[effect.kind] = true
  end
end

local function kind_of(public)
  if public.outcome == "failure" then return "failed" end
  if public.outcome == "refused" then return "refused" end
  return #public.changes > 0 and "changed" or "unchanged"
end

--- Add a phone.
--   entry     of the inventory
--   public    what came of its plan, as daemon/outcome.lua has it, with effects
function summary:add(entry, public)
  local kind = kind_of(public)
  local group = group_of(self, entry.group or "")
  for _, one in ipairs { self, group } do
    one.phones, one[kind] = one.phones + 1, one[kind] + 1
  end
  for _, change in ipairs(public.changes) do add_change(group, change) end
  if kind == "failed" then
    add_failure(self, entry.line, public)
  elseif kind == "refused" then
    count(self.refusals, public.reason .. "\0" .. (public.by or ""),
      { reason = public.reason, by = public.by }, entry.line)
  end
  add_notes(self, public.notes)
  add_effects(self, public.effects or {})
end

-- --- as plain data ---------------------------------------------------------

local function by_phones(list, name)
  table.sort(list, function(a, b)
    if a.phones ~= b.phones then return a.phones > b.phones end
    return (a[name] or "") < (b[name] or "")
  end)
  return list
end

local function values_of(map, name)
  local list = json.array {}
  for _, id in ipairs(sorted.keys(map)) do
    if type(map[id]) == "table" then list[#list + 1] = map[id] end
  end
  return by_phones(list, name)
end

-- The same, with the lines of their phones in order.
local function with_lines(map, name)
  for _, entry in pairs(map) do table.sort(entry.lines) end
  return values_of(map, name)
end

local function public_group(name, group)
  local params = json.array {}
  for param, about in pairs(group.params) do
    params[#params + 1] = { name = param, phones = about.phones,
      secret = about.secret or nil, others = about.others,
      patterns = values_of(about.patterns, "new") }
  end
  return { group = name, phones = group.phones, unchanged = group.unchanged,
    changed = group.changed, failed = group.failed, refused = group.refused,
    parameters = by_phones(params, "name") }
end

--- All of it as plain data, what concerns most phones first.
-- @treturn table phones, unchanged, changed, failed, refused; groups
--   { group, phones ..., parameters { name, phones, patterns { old, new,
--   phones }, others } }; stopped_of (how many phones it should have been,
--   where it was stopped); given_up, see patience.lua; failures { rule,
--   cause, word, sentence, next, phones, lines }; refusals { reason, by,
--   phones, lines }; effects (kind -> phones); notes { word, name, text,
--   phones }
function summary:public()
  local groups = json.array {}
  for i, name in ipairs(sorted.keys(self.groups)) do
    groups[i] = public_group(name, self.groups[name])
  end
  return { phones = self.phones, given_up = self.given_up,
    stopped_of = self.phones < self.total and self.total or nil,
    unchanged = self.unchanged, changed = self.changed,
    failed = self.failed, refused = self.refused,
    groups = groups, failures = with_lines(self.failures, "rule"),
    refusals = with_lines(self.refusals, "reason"), effects = self.effects,
    notes = values_of(self.notes, "word") }
end

return summary
