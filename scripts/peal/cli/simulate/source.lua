--- The phone that a simulation begins with: that of --phone and --store, or
-- the one of a cassette.
local one = require "peal.cli.plan.one"
local rule_files = require "peal.world.rule_files"

local source = {}

-- Where a daemon owns the store, from what its phone knows as well.
local function of_session(options)
  local open, found = one.open(options)
  if not open then return nil, found end
  local file, p, world = open.file, open.phone, open.world
  return { schema = open.schema, store = open.store, device = world.device,
    trust = world.trust, rules = world.rules(), phone = {
      identity = p.identity, overrides = p.overrides, state = file.state,
      account = file.account, dhcp = file.dhcp,
      keep_unknown = p.keep_unknown, memory = found and found.memory } }
end

-- Its memory is of a phone that was under way: here it boots.
local function of_cassette(c, options)
  local cassette = require "peal.cassette"
  local start, sentence, word = cassette.start(c)
  if not start then return nil, { sentence = sentence, word = word } end
  start.phone.memory = nil
  return { schema = start.schema, store = start.store,
    zone = start.zone, time = start.time and math.floor(start.time),
    rules = options.rules and rule_files.read(options.rules) or start.rules,
    trust = start.anchors and { anchors = start.anchors },
    phone = start.phone }
end

--- @param cassette  that of --recorded, or nil
-- @treturn[1] table schema, store, phone (options for phone.new()), rules,
--   trust, device, zone, time
-- @return[2] nil, failure
function source.open(options, cassette)
  if cassette and not options.phone and not options.store then
    return of_cassette(cassette, options)
  end
  return of_session(options)
end

return source
