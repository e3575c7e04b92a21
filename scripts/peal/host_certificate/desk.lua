--- What a phone remembers about its host certificate besides the files: what
-- outlives a restart (record) and what does not.
--   desk.pair      in force, or nil
--   desk.damaged   why there is none, or not the last one: a sentence
--   desk.record    kept: work (a generation under way), failures, failure,
--                  retry_at, plan { id, raw, at }, state, alarms (word ->
--                  text)
--   desk.book      of terminals: entries and away (kept), and flights (what
--                  they have been asked, and have not answered)
--   desk.bad_time  why Cert_Regen_Time is not used
local clock = require "peal.engine.clock"
local calendar = require "peal.host_certificate.calendar"
local distribution = require "peal.host_certificate.distribution"
local json = require "peal.json"
local pair = require "peal.host_certificate.pair"

local desk = {}
desk.__index = desk

local NS <const> = "host"
local RECORD <const>, TERMINALS <const> = "record", "terminals"
local AWAY <const> = "away"
local DEFAULT_MINUTE <const> = 120

local function read(phone, key)
  local text = phone.keep:get(NS, key)
  return text and json.decode(text) or {}
end

--- The desk of a phone, with the pair that the keyring has now.
function desk.of(phone)
  local self = phone.host_desk
  if not self then
    self = setmetatable({ phone = phone, world = phone.world, said = {},
      record = read(phone, RECORD),
      book = { entries = read(phone, TERMINALS), away = read(phone, AWAY),
        flights = {} } }, desk)
    self.record.alarms = self.record.alarms or {}
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

--- Write what is kept; what cannot be written now waits.
function desk:flush()
  distribution.written(self.book)
  self.phone.keep:flush("certificates")
end

--- Keep the record, and write it where it is another; how terminals stand may
-- wait for the next write.
function desk:save()
  local keep, text = self.phone.keep, json.encode(self.record)
  local is_new = keep:get(NS, RECORD) ~= text
  keep:set(NS, RECORD, text)
  keep:set(NS, TERMINALS, json.encode(self.book.entries))
  keep:set(NS, AWAY, next(self.book.away) and json.encode(self.book.away))
  if is_new or distribution.is_worth_writing(self.book) then self:flush() end
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
