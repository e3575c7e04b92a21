--- peal explain: why a parameter has its value, what a cycle has done, why no
-- resync is running.
local explain = require "peal.explain"
local get = require "peal.cli.get"
local hints = require "peal.cli.hints"
local output = require "peal.cli.output"
local remote = require "peal.cli.remote"
local session = require "peal.cli.session"

local command = {
  name = "explain",
  usage = "NAME | --cycle N | --not-now",
  summary = "Say where the value of a parameter comes from, step by step, and "
    .. "what it\noverrode; or all that a cycle has done; or why no resync is "
    .. "running.",
  details = "Secrets are shown as fingerprints. What is told of cycles comes "
    .. "from the traces\nthat the store keeps: docs/trace.md.",
  options = {
    { "--cycle", "N", "all of cycle N; \"last\": the newest that is kept" },
    { "--not-now", nil, "why no resync is running, and when the next will" },
  },
  examples = { "peal explain Resync_Periodic --store st",
    "peal explain --cycle last --store st",
    "peal explain --not-now --store st" },
}

local function usage(sentence)
  return nil, { sentence = sentence, word = "usage", code = 2 }
end

local function show(options, found, text)
  if options.json then
    output.json(found)
  else
    output.print(text(found))
  end
  return 0
end

-- The traces that the store's daemon has yet to write; nil: there are none.
-- What the disk has is told also where the daemon does not answer.
local function waiting(options)
  local path = session.store_path(options)
  local daemon, failed
  if path then daemon, failed = remote.at(path) end
  local found
  if daemon then
    found, failed = daemon:call("snapshot")
    daemon:close()
  end
  if failed then
    output.say("%s; told is what the disk has", failed.sentence)
  end
  return found and found.memory.keep.trace
end

-- What to tell from: the daemon is asked before the disk is read, so that a
-- trace that is written in between is seen twice, and not missed.
local function open_store(options, wants)
  local traces = waiting(options)
  wants.read_only = true
  local open, failed = session.open(options, wants)
  if not open then return nil, failed end
  return open, { waiting = traces }
end

-- A name that a profile brings may be a parameter of another phone.
local function unknown(open, name, where)
  local _, failed = get.unknown(open.schema, name)
  local tried = explain.attempts(open.store, name, where)
  local last = tried[#tried]
  if last then
    failed.sentence = ("%s; %s names it: %s line %d"):format(failed.sentence,
      last.rule, last.url or "it", last.line or 0)
    failed.next = failed.next .. "\n      or keep such names: peal resync "
      .. "--keep-unknown"
  end
  return nil, failed
end

local function value(options)
  local name = options[1]
  local open, where = open_store(options, {})
  if not open then return nil, where end
  where.override = open.phone.overrides[open.schema:find(name) or name]
  local found = explain.value(open.store, name, where)
  if not found then return unknown(open, name, where) end
  return show(options, found, explain.text)
end

local function cycle(options)
  local n = math.tointeger(tonumber(options.cycle))
  if options.cycle ~= "last" and (not n or n < 0) then
    return usage("--cycle takes a number, or last")
  end
  local open, where = open_store(options, { disk = "explain" })
  if not open then return nil, where end
  local found, failed = explain.cycle(open.store, n, where)
  if found then return show(options, found, explain.cycle_text) end
  failed.next = hints.typed(failed.next, options)
  return nil, failed
end

-- How it stands without a daemon, and what the triggers would say now.
local function from_store(engine, open)
  local resyncs = require "peal.cycle"
  local status = engine:status()
  local run = resyncs.new(open.phone, { asked_by = "periodic", prvst = 1 })
  resyncs.gate(run)
  status.asked = run.trace.steps[#run.trace.steps]
  status.why_not_now = "no daemon keeps this phone"
  return status
end

local function not_now(options)
  local standing = require "peal.cli.standing"
  local status, is_daemon = standing.ask(options, "explain", "status", {},
    from_store)
  if not status then return nil, is_daemon end
  return show(options, explain.not_now(status), explain.not_now_text)
end

function command.run(options)
  local what = (options[1] and 1 or 0) + (options.cycle and 1 or 0)
    + (options.not_now and 1 or 0)
  if what ~= 1 or options[2] then
    return usage("one name, or --cycle N, or --not-now")
  end
  if options.cycle then return cycle(options) end
  if options.not_now then return not_now(options) end
  return value(options)
end

return command
