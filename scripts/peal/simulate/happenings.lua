--- What happens to a simulated phone from outside: servers that are down,
-- clocks that are set, calls, power cuts.
--
-- One is a table, or a sentence in the same words:
--   { at = "day 3 02:00", server_down = true, lasts = "4 h" }
--   "day 3 02:00 server down for 4 h"
local moment = require "peal.simulate.moment"

local happenings = {}

--- Seconds that a phone takes from power to its engine; our choice.
happenings.BOOT_S = 30

local LINES_MAX <const> = 1000

local function is_count(n)
  return math.type(n) == "integer" and n >= 0 and n <= LINES_MAX
end

local function is_step(seconds)
  return moment.span(math.abs(seconds)) ~= nil
end

local function are_values(set)
  for name, value in pairs(set) do
    if type(name) ~= "string" or type(value) ~= "string" then return false end
  end
  return next(set) ~= nil
end

-- Digits and dots, or hexadecimal groups: what a phone may have for its own.
local function is_address(text)
  local a, b, c, d = text:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$")
  if a then
    return math.max(tonumber(a), tonumber(b), tonumber(c), tonumber(d)) < 256
  end
  return text:find("^[%x:]*:[%x:]*:[%x:.]*$") ~= nil and #text <= 45
end

local function is_rule(value)
  return value == true or type(value) == "string"
end

-- field -> { type, may it last, check, what it checks for }
local FIELDS <const> = {
  server_down = { "boolean", true }, dns_down = { "boolean", true },
  power_cut = { "boolean", true },
  lines = { "number", true, is_count, "a whole number up to 1000" },
  registered = { "boolean", true }, trusted = { "boolean", true },
  clock = { "number", false, is_step, "seconds, 100 years at most" },
  set = { "table", false, are_values, "{ NAME = \"text\" }" },
  address = { "string", false, is_address, "an IP address" },
  resync = { "any", false, is_rule, "true, or the text of a rule" },
}

-- Sentence without its time and span -> the field and its value.
local WORDS <const> = {
  { "^server down$", "server_down", true }, { "^dns down$", "dns_down", true },
  { "^power cut$", "power_cut", true }, { "^call$", "lines", 1 },
  { "^registration lost$", "registered", false },
  { "^clock lost$", "trusted", false }, { "^resync$", "resync", true },
}

local function fields_of(text)
  for _, row in ipairs(WORDS) do
    if text:find(row[1]) then return { [row[2]] = row[3] } end
  end
  local n = text:match("^lines (%d+)$")
  if n then return { lines = tonumber(n) } end
  local sign, span = text:match("^clock ([+-])%s*(.+)$")
  local seconds = span and moment.span(span)
  if seconds then return { clock = sign == "-" and -seconds or seconds } end
  local name, value = text:match("^set ([%w_]+)=(.*)$")
  if name then return { set = { [name] = value } } end
  local address = text:match("^address (%S+)$")
  if address then return { address = address } end
  local rule = text:match("^resync (.+)$")
  return rule and { resync = rule }
end

-- Cut a time off the front of a sentence.
local TIMES <const> = { "^(day%s+%d+%s+%d%d?:%d%d:?%d*)%s+(.+)$",
  "^(day%s+%d+)%s+(.+)$", "^(%d+%-%d%d%-%d%d[T ]%d%d?:%d%d:?%d*Z?)%s+(.+)$",
  "^(%d+%-%d%d%-%d%d)%s+(.+)$", "^(%+%s*%d+%.?%d*%s*%a*)%s+(.+)$",
  "^(%+%s*%d+%.?%d*)%s+(.+)$" }

local function cut_time(text)
  for _, pattern in ipairs(TIMES) do
    local at, rest = text:match(pattern)
    local span = at and at:match("^%+(.*)$")
    if at and (not span or moment.span(span)) then return at, rest end
  end
end

--- A sentence as a table.
-- @return[2] nil, sentence
function happenings.parse(text)
  local at, rest = cut_time(text)
  if not at then
    return nil, ("a happening begins with its time, as \"day 3 02:00 server "
      .. "down for 4 h\" does: %q"):format(text)
  end
  local what, lasts = rest:match("^(.-)%s+for%s+(.-)$")
  local out = fields_of(what or rest)
  if what and (not out or not moment.span(lasts)) then
    lasts, out = nil, fields_of(rest) -- "for" in a value
  end
  if not out then
    return nil, ("not a happening: %q (server down, dns down, power cut, call, "
      .. "lines N, registration lost, clock lost, clock +SPAN, set NAME=VALUE, "
      .. "address A, resync)"):format(rest)
  end
  out.at, out.lasts = at, lasts
  return out
end

local function kind_of(given)
  local kind
  for name, value in pairs(given) do
    if name ~= "at" and name ~= "lasts" then
      local known = FIELDS[name]
      if not known then
        return nil, ("no such happening: %s"):format(tostring(name))
      elseif known[1] ~= "any" and type(value) ~= known[1] then
        return nil, ("%s is a %s, not a %s"):format(name, type(value),
          known[1])
      elseif known[3] and not known[3](value) then
        return nil, ("%s is %s%s"):format(name, known[4],
          type(value) == "string" and (", not %q"):format(value) or "")
      elseif kind then
        return nil, ("one thing at a time: %s, or %s"):format(kind, name)
      end
      kind = name
    end
  end
  if not kind then return nil, "a happening says what happens" end
  return kind
end

--- Check one, and say when it is.
--   given   a table or a sentence
--   here    { start, zone, now = s UTC } of the simulation
-- @treturn[1] table { time = s UTC, kind =, value =, lasts = s or nil }
-- @return[2] nil, sentence
function happenings.read(given, here)
  local sentence
  if type(given) == "string" then
    given, sentence = happenings.parse(given)
    if not given then return nil, sentence end
  end
  local out = {}
  out.kind, sentence = kind_of(given)
  if not out.kind then return nil, sentence end
  out.value = given[out.kind]
  out.time, sentence = moment.time(given.at or here.now, here)
  if not out.time then return nil, sentence end
  if given.lasts then
    if not FIELDS[out.kind][2] then
      return nil, ("%s does not last"):format(out.kind)
    end
    out.lasts, sentence = moment.span(given.lasts)
    if not out.lasts then return nil, sentence end
  end
  return out
end

-- What is when nothing happens.
local REST <const> = { server_down = false, dns_down = false, lines = 0,
  registered = true, trusted = true }

--- What ends one that lasts, or nil. Of those that overlap the last end counts.
--   lasting   kind -> when that is, s since the start
function happenings.ending(one, lasting)
  local rest = REST[one.kind]
  if rest == nil or one.ends then
    lasting[one.kind] = nil
  elseif one.lasts then
    local mono = one.mono + one.lasts
    lasting[one.kind] = math.max(mono, lasting[one.kind] or 0)
    return { mono = mono, kind = one.kind, value = rest, ends = true }
  else
    lasting[one.kind] = one.value ~= rest and math.huge or nil
  end
end

--- Is this the end of one while another of its kind goes on, or is over by
-- other means?
function happenings.is_outlasted(one, lasting)
  return one.ends and lasting[one.kind] ~= one.mono
end

return happenings
