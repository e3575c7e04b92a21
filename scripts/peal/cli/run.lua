--- peal run: the daemon.
local cold = require "peal.daemon.cold"
cold.install() -- before anything else is loaded
-- a heap that does not grow far leaves few holes when it is given back
collectgarbage("incremental", 110, 400)

local advice = require "peal.cli.advice"
local daemon = require "peal.daemon"
local isolation = require "peal.world.isolation"
local loop = require "peal.loop"
local output = require "peal.cli.output"
local session = require "peal.cli.session"

local run = {
  name = "run",
  usage = "",
  summary = "Keep phones provisioned: resync when it is time, until SIGTERM or "
    .. "^C.",
  details = "Runs in the foreground. One line on stderr says when it is ready; "
    .. "--json gives\nevents on stdout, one object a line; -v the lines of the "
    .. "control log. SIGHUP\nreads the rule files anew. What it did is in "
    .. "`messages` in the store's folder;\nhow it stands says peal status.",
  options = {
    { "--phone", "FILE.lua", "a phone; may be repeated, each with a store",
      repeated = true },
    { "--boot", "REASON", "why the phone started: power_on, user, sip, rc,"
      .. "\n                       ip_changed, crash, local_change, "
      .. "resync_applied,\n                       upgrade" },
  },
  examples = {
    "peal run --phone phone.lua --store st",
    "peal run --phone a.lua --phone b.lua --json",
  },
}

local REASONS <const> = { power_on = true, user = true, sip = true, rc = true,
  ip_changed = true, crash = true, local_change = true, resync_applied = true,
  upgrade = true }

local function usage(sentence, next_step)
  return nil, { sentence = sentence, word = "usage", code = 2,
    next = next_step }
end

local function check(options)
  if options[1] then
    return usage("peal run takes options only",
      "the phone file goes with --phone FILE")
  elseif options.boot and not REASONS[options.boot] then
    return usage(("--boot: no such reason: %s"):format(
      output.clip(options.boot)))
  elseif options.store and #(options.phone or {}) > 1 then
    return usage("--store goes with one phone",
      "write `store` into each phone file")
  end
  return true
end

-- The options of each phone.
local function each_phone(options)
  local list = {}
  for i, path in ipairs(options.phone or { false }) do
    list[i] = {}
    for key, value in pairs(options) do list[i][key] = value end
    list[i].phone = path or nil
  end
  return list
end

-- A phone that knows why it started says so.
local function boot_reason(open, options)
  local said = open.world.device.boot_reason
  if type(said) == "function" then said = said() end
  return options.boot or said
end

-- Open a phone and take it in.
local function open_one(host, options, shared)
  local member = host:member()
  local open, failed = session.open(options, { disk = "run", trust = true,
    loop = shared.loop, schemas = shared.schemas, ask = shared.ask,
    log = member.log_line, tell = member.tell_event })
  if not open then return nil, failed end
  member:adopt(open, boot_reason(open, options))
  local ok, sentence = host:add(member)
  if not ok then
    open.store:close()
    return usage(sentence, "give each phone file its own")
  end
  return true
end

-- What the schema was made from is not needed again.
local function forget_registry()
  for name in pairs(package.loaded) do
    if name:find("^peal%.registry%.") then package.loaded[name] = nil end
  end
  collectgarbage() -- what stays is to lie close together
end

local function problem(sentence, word)
  return nil, { sentence = sentence, word = word, next = advice.here(word) }
end

function run.run(options)
  local ok, failed = check(options)
  if not ok then return nil, failed end
  local own_loop, sentence, word = loop.new()
  if not own_loop then return problem(sentence, word) end
  local ask, about = isolation.worker(own_loop)
  local host = daemon.new { loop = own_loop, json = options.json,
    verbose = options.v, worker = about,
    say = function(text) output.say("%s", text) end }
  local shared = { loop = own_loop, ask = ask, schemas = {} }
  for _, one in ipairs(each_phone(options)) do
    ok, failed = open_one(host, one, shared)
    if not ok then
      host:stop()
      return nil, failed
    end
  end
  forget_registry()
  ok, sentence, word = host:start()
  if not ok then
    host:stop()
    return problem(sentence, word)
  end
  return host:run()
end

return run
