--- Records one resync of a phone.
--
--   local taken = take.new(phone, schema)
--   local run = cycle.new(taken.phone, request)   ... gate, carry_out
--   local cassette = taken:cassette(run, request)
--
-- The phone may go on with other things meanwhile; what others write to its
-- store is an input of the resync as well.
local encode = require "peal.encode"
local over = require "peal.cassette.over"
local registry = require "peal.registry"
local sys_versions = require("peal.sys").versions

local take = {}
take.__index = take

local REQUEST <const> = { "asked_by", "explicit", "rule", "prvst" }

local function sha256(text)
  return encode.sha256():add(text):hex()
end

-- What phone.new() takes besides the world.
local function phone_of(phone)
  local identity = {}
  for name, value in pairs(phone.identity) do identity[name] = value end
  return { identity = identity, state = phone.state,
    overrides = phone.overrides, account = phone.account, dhcp = phone.dhcp,
    keep_unknown = phone.keep_unknown, memory = phone:memory() }
end

--- Begin. The store is as it is now, and so is what the phone knows.
-- @treturn table phone, to run the resync with
function take.new(phone, schema)
  local self = setmetatable({ store = phone.world.store }, take)
  self.before, self.key = self.store:bytes()
  self.about = phone_of(phone)
  self.about.certificate = phone.identity.CCERT
  self.added = registry.added(schema)
  self.phone, self.record = over(phone)
  return self
end

--- What of a resync's end has to come out the same.
--   store   as it is then
function take.outcome(result, store)
  return { outcome = result.outcome, reason = result.reason,
    trace = result.trace:encode(), store = sha256((store:bytes())),
    revision = store:revision() }
end

--- The end of it: what was recorded, as plain data.
function take:cassette(run, request)
  self.record:stop()
  local asked = {}
  for _, name in ipairs(REQUEST) do asked[name] = request[name] end
  return { kind = "resync", peal = sys_versions().peal, request = asked,
    phone = self.about, registry = self.added,
    store = { bytes = self.before, key = self.key },
    anchors = self.record:anchors_list(), roots = self.record:roots(),
    sources = self.record:sources(), tape = self.record:bytes(),
    entries = self.record:count(),
    outcome = take.outcome(run.result, self.store) }
end

return take
