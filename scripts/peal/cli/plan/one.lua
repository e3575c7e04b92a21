--- The plan of one phone: from its store, and from where its daemon is.
local dry_run = require "peal.dry_run"
local json = require "peal.json"
local outcome = require "peal.daemon.outcome"
local phone = require "peal.phone"
local remote = require "peal.cli.remote"
local session = require "peal.cli.session"

local one = {}

-- How far the daemon's phone has come; nil: nobody owns the store.
-- @return[2] nil, failure
local function snapshot_of(options)
  local path, failed = session.store_path(options)
  if failed then return nil, failed end
  local daemon = path and remote.at(path)
  if not daemon then return nil end
  local found
  found, failed = daemon:call("snapshot", {})
  daemon:close()
  return found, failed
end

-- The phone as its daemon knows it.
local function go_on(open, found)
  local p = open.phone
  for name, value in pairs(found.identity) do p.identity[name] = value end
  open.phone = phone.new { world = open.world, identity = p.identity,
    state = p.state, overrides = p.overrides, account = p.account,
    dhcp = p.dhcp, keep_unknown = p.keep_unknown, memory = found.memory }
end

--- Open what a plan starts from.
-- @treturn[1] table as session.open() gives it
-- @treturn[1] table snapshot of the daemon, or nil
-- @return[2] nil, failure
function one.open(options)
  local found, failed = snapshot_of(options)
  if failed then return nil, failed end
  local open
  open, failed = session.open(options, { read_only = true, trust = true })
  if not open then return nil, failed end
  if found then go_on(open, found) end
  return open, found
end

--- Plan.
-- @treturn[1] table public (what --json shows), and for people told, empty,
--   conditions (rule -> list of { left, op, right, verdict }), steps
-- @return[2] nil, failure
function one.run(options)
  local open, found = one.open(options)
  if not open then return nil, found end
  local result, sentence, word = open.world.run(dry_run.cycle, open.phone,
    { rule = options[1], engine = found and found.engine,
      progress = found and found.progress })
  if not result then return nil, { sentence = sentence, word = word } end
  local done = outcome.of(result.phone, result, true)
  done.result, done.open = result, open
  done.public.effects = json.array(result.effects)
  done.public.schedule = result.schedule
  return done
end

return one
