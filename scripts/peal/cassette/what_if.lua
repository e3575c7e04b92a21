--- What other rule files would have done with a recorded resync: the same
-- phone, time and servers over the virtual world, other rules.
local answers = require "peal.cassette.answers"
local contents = require "peal.cassette.contents"
local cycle = require "peal.cycle"
local phone = require "peal.phone"
local shown = require "peal.shown"
local start = require "peal.cassette.start"
local virtual = require "peal.world.virtual"

local what_if = {}

-- A phone as it was, with nothing but its clock.
local function device_of(c)
  local began = contents.began(c)
  return { zone = began.zone, clock_trusted = function()
    return began.trusted ~= false
  end }
end

--- Run it.
--   sources   rule sources, as world.rules() gives them
-- @treturn[1] table result, store, phone
-- @return[2] nil, sentence, word
function what_if.run(c, sources)
  local begin, sentence, word = start.of(c)
  if not begin then return nil, sentence, word end
  local server, dns = answers(c)
  local world = virtual.new { store = begin.store, server = server, dns = dns,
    time = begin.time, rules = sources, device = device_of(c),
    trust = { anchors = begin.anchors } }
  begin.phone.world = world
  begin.phone.identity.CCERT = begin.phone.identity.CCERT
    or begin.certificate
  local p = phone.new(begin.phone)
  return { result = world.run(cycle.run, p, begin.request),
    store = begin.store, phone = p, lines = world.lines,
    datagrams = world.datagrams }
end

local function rules_by_name(result)
  local out = {}
  for _, done in ipairs(result.rules or {}) do out[done.rule] = done end
  return out
end

local function verdict(done)
  if not done then return "not run" end
  local why = done.reason or done.sentence
  return why and ("%s: %s"):format(done.outcome, why) or done.outcome
end

local function rule_differences(was, now)
  local a, b, list = rules_by_name(was), rules_by_name(now), {}
  for _, name in ipairs { "rule", "Profile_Rule", "Profile_Rule_B",
    "Profile_Rule_C", "Profile_Rule_D" } do
    local before, after = verdict(a[name]), verdict(b[name])
    if before ~= after then
      list[#list + 1] = { rule = name, was = before, now = after }
    end
  end
  return list
end

local function value_differences(was, now)
  local list = {}
  for about in was:each() do
    local other = now:value(about.name)
    if other and other.text ~= about.text then
      list[#list + 1] = { name = about.name, was = shown.value(was, about),
        now = shown.value(now, other) }
    end
  end
  for about in now:each() do
    if not was:value(about.name) then
      list[#list + 1] = { name = about.name, now = shown.value(now, about) }
    end
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

--- In what two runs differ: { outcome = { was, now } or nil, rules = list of
-- { rule, was, now }, params = list of { name, was, now } }.
function what_if.compare(was, now)
  local before = was.result.outcome ~= "refused" and was.result.outcome
    or ("refused: %s"):format(was.result.reason)
  local after = now.result.outcome ~= "refused" and now.result.outcome
    or ("refused: %s"):format(now.result.reason)
  return { outcome = before ~= after and { was = before, now = after } or nil,
    rules = rule_differences(was.result, now.result),
    params = value_differences(was.store, now.store) }
end

return what_if
