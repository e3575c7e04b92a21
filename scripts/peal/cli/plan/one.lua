--- The plan of one phone: from its store, and from where its daemon is.
local dry_run = require "peal.dry_run"
local inputs = require "peal.dry_run.inputs"
local json = require "peal.json"
local outcome = require "peal.daemon.outcome"
local phone = require "peal.phone"
local plan_file = require "peal.dry_run.plan_file"
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

-- A daemon that has written in between is asked again, so often.
local TRIES <const> = 5

--- Open what a plan starts from.
-- @treturn[1] table as session.open() gives it
-- @treturn[1] table snapshot of the daemon, or nil
-- @return[2] nil, failure
function one.open(options)
  local open, failed, found
  for _ = 1, TRIES do
    found, failed = snapshot_of(options)
    if failed then return nil, failed end
    open, failed = session.open(options, { read_only = true, trust = true })
    if not open then return nil, failed end
    if not found or found.revision == open.store:revision() then break end
    open.store:close()
  end
  if found then go_on(open, found) end
  return open, found
end

-- What --out can hold: what peal apply is given as well.
local function check_out(options, open, found)
  if not options.out then return true end
  local here = found and (options.set and "--set" or options.rules
    and "--rules")
  if here then
    return nil, { sentence = ("a daemon owns %s: a plan for it goes by its own "
      .. "values and rule files, not by %s"):format(open.store_path, here),
      word = "usage", code = 2, next = "leave out --out, or " .. here }
  elseif not open.store_path or open.store:revision() == 0 then
    return nil, { sentence = "--out: there is no store yet that a plan could "
      .. "be applied to", word = "usage", code = 2,
      next = "make one with: peal resync --store DIR" }
  end
  return true
end

--- Plan.
-- @treturn[1] table public (what --json shows); for people told, empty, steps;
--   and plan, where options.out asks for one, see dry_run/plan_file.lua
-- @return[2] nil, failure
function one.run(options)
  local open, found = one.open(options)
  if not open then return nil, found end
  local ok, failed = check_out(options, open, found)
  if not ok then return nil, failed end
  local before = options.out and inputs.before(open.phone)
  local result, sentence, word = open.world.run(dry_run.cycle, open.phone,
    { rule = options[1], engine = found and found.engine,
      progress = found and found.progress })
  if not result then return nil, { sentence = sentence, word = word } end
  local done = outcome.of(result.phone, result, true)
  done.public.effects = json.array(result.effects)
  done.public.schedule, done.public.daemon = result.schedule, found ~= nil
  done.plan = before and plan_file.of(open.phone, before, result, options[1])
  return done
end

return one
