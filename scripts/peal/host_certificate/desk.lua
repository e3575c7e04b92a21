--- What a phone remembers about its host certificate besides the files: what
-- outlives a restart (record) and what does not.
--   desk.pair      in force, or nil
--   desk.damaged   why there is none, or not the last one: a sentence
--   desk.record    kept: work (a generation under way), failures, failure,
--                  retry_at, plan { id, raw, at }, entries of terminals, state,
--                  alarms (word -> text)
--   desk.book      of the terminals: entries, and flights (what they have been
--                  asked, and have not answered)
--   desk.bad_time  why Cert_Regen_Time is not used
local clock = require "peal.engine.clock"
local calendar = require "peal.host_certificate.calendar"
local json = require "peal.json"
local pair = require "peal.host_certificate.pair"

local desk = {}
desk.__index = desk

local NS <const> = "host"
local KEY <const> = "record"
local DEFAULT_MINUTE <const> = 120

local function read_record(phone)
  local text = phone.keep:get(NS, KEY)
  local record = text and json.decode(text) or {}
  for _, name in ipairs { "entries", "alarms" } do
    record[name] = record[name] or {}
  end
  return record
end

--- The desk of a phone, with the pair that the keyring has now.
function desk.of(phone)
  local self = phone.host_desk
  if not self then
    self = setmetatable({ phone = phone, world = phone.world, said = {},
      record = read_record(phone) }, desk)
    self.book = { entries = self.record.entries, flights = {} }
    phone.host_desk = self
  end
  self:look()
  return self
end

--- A phone that takes no part remembers nothing.
function desk.drop(phone)
  phone.host_desk = nil
end

--- Look at the files again, where they are others.
function desk:look()
  if self.looked and pair.is_current(self.world, self.pair) then return end
  local found, sentence, word = pair.load(self.world)
  self.looked, self.pair = true, found
  self.damaged = word == "corrupt" and sentence or found and found.note
end

--- Keep the record; what cannot be written now waits.
function desk:save()
  local keep = self.phone.keep
  self.record.entries = self.book.entries
  keep:set(NS, KEY, json.encode(self.record))
  if keep:dirty() then keep:flush("certificates") end
end

function desk:days()
  return math.tointeger(tonumber(self.phone:param("Cert_Regen_Days") or ""))
    or 365
end

-- Minute of the day; where the parameter names none, the default's.
local function minute_of(self)
  local minute, sentence =
    calendar.minute(self.phone:param("Cert_Regen_Time") or "")
  self.bad_time = not minute and sentence or nil
  return minute or DEFAULT_MINUTE
end

-- A plan that has changed does not make the past due: the next time of day.
local function moved(self, known, z, minute, raw)
  local now = self.world.now()
  if raw > now.time or not now.trusted or known.at <= now.time then
    return raw
  end
  return math.min(calendar.following(z, minute, now.time),
    self.pair.not_after - calendar.MARGIN_S)
end

--- When the next pair is due by parameters and zone; nil: there is none yet.
-- It changes the record where these have changed.
function desk:next_run()
  if not self.pair then return nil end
  local z, minute = clock.zone(self), minute_of(self)
  local raw = calendar.next_run(z, { made = self.pair.made,
    not_after = self.pair.not_after, days = self:days(), minute = minute })
  local known = self.record.plan
  local is_own = known and known.id == self.pair.id
  if not is_own or known.raw ~= raw then
    local at = is_own and moved(self, known, z, minute, raw) or raw
    self.record.plan = { id = self.pair.id, raw = raw, at = at }
  end
  return self.record.plan.at
end

return desk
