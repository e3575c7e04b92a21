--- peal simulate: days of a phone's life in a second or so.
local fold = require "peal.simulate.fold"
local json = require "peal.json"
local moment = require "peal.simulate.moment"
local output = require "peal.cli.output"
local script = require "peal.cli.simulate.script"
local passphrase = require "peal.cli.passphrase"
local progress = require "peal.cli.progress"
local shown = require "peal.shown"
local simulate = require "peal.simulate"
local source = require "peal.cli.simulate.source"
local span = require "peal.span"
local sys = require "peal.sys"
local zone = require "peal.zone"

local command = {
  name = "simulate",
  usage = "[--at TIME [NAME...]]",
  summary = "Run the engine on a clock that jumps, over a copy of the phone, "
    .. "and print what\nit does: thirty days in a second or so.",
  details = "Nothing of the phone is written, and no network is touched: the "
    .. "answers come\nfrom --server or --recorded; without them every profile "
    .. "is empty. Times are\nlocal: \"2027-03-28 01:30\", \"day 3 02:00\", "
    .. "\"+4 h\". Resyncs that go the same way\nare one line; -v shows all. "
    .. "Without --phone and --store the phone is that of\n--recorded, else "
    .. "one with factory settings. Where a daemon owns the store (peal\nrun), "
    .. "it begins from what that daemon knows. In each case the phone boots.",
  options = {
    { "--days", "N", "how long (30); not with --at or --step" },
    { "--from", "TIME", "begin at that time (now)" },
    { "--zone", "TZ", "POSIX time zone of the phone's device" },
    { "--server", "SCRIPT", "Lua that answers for the servers" },
    { "--recorded", "FILE", "answers of a cassette, see peal record" },
    passphrase.option,
    { "--event", "TEXT", "\"day 3 02:00 server down for 4 h\"; may be "
      .. "repeated", repeated = true },
    { "--seed", "N", "other dice (1)" },
    { "--at", "TIME", "end there: print values and what has changed by then" },
    { "--step", nil, "go step by step, forward and back" },
    { "--record", "OUT", "write a resync to a cassette: the first one from "
      .. "--at,\n                       else the last one" },
  },
  examples = {
    "peal simulate --phone phone.lua --days 30 --from \"2027-03-20 00:00\"",
    "peal simulate --server server.lua --event \"day 3 02:00 power cut\"",
    "peal simulate --store st --rules new-rules --at \"day 7\" GPP_A",
  },
}

local DAY <const> = 86400
local DAYS <const>, DAYS_MAX <const> = 30, 3660

local function usage(sentence, next_step)
  return nil, { sentence = sentence, word = "usage", code = 2,
    next = next_step }
end

local function failure(sentence)
  return nil, { sentence = sentence, word = "invalid" }
end

local function check(options)
  local days = tonumber(options.days or DAYS)
  if not days or days <= 0 or days > DAYS_MAX then
    return usage(("--days is a number up to %d"):format(DAYS_MAX))
  end
  if options.days and options.step then
    return usage("--days is for a run without --step")
  elseif options.days and options.at then
    return usage("--at is where it ends, and so is --days: one of them")
  elseif options.step and options.at then
    return usage("--step begins at the start", "go there with: t TIME")
  elseif options.step and options.record then
    return usage("--record is for a run without --step")
  end
  if options.server and options.recorded then
    return usage("--server or --recorded, not both")
  end
  if options.seed and not math.tointeger(tonumber(options.seed)) then
    return usage("--seed is a whole number")
  end
  if options[1] and not options.at and not options.step then
    return usage("names are for --at: " .. output.clip(options[1]))
  end
  return days * DAY
end

local function inject(sim, list, from)
  for _, one in ipairs(list or {}) do
    local ok, why = sim:inject(one)
    if not ok then return usage(("%s: %s"):format(from, why)) end
  end
  return true
end

local function make(options, from, given)
  local sim, sentence = simulate.new { store = from.store,
    phone = from.phone, device = from.device,
    zone = options.zone or given.zone or from.zone,
    now = from.time or math.floor(sys.time()),
    time = options.from or given.from, load_server = given.load_server,
    load_answers = given.load_answers, read = given.read, dns = given.dns,
    rules = from.rules, trust = from.trust,
    dice = math.tointeger(tonumber(options.seed or 1)) }
  if not sim then return usage(sentence) end
  local ok, failed = inject(sim, given.events, options.server)
  if ok then ok, failed = inject(sim, options.event, "--event") end
  if not ok then return nil, failed end
  return sim
end

local function public(entry)
  local out = {}
  for key, value in pairs(entry) do
    if key ~= "tick" then out[key] = value end
  end
  out.zone = nil
  out["local"] = moment.show_at(entry.time, entry.offset)
  return out
end

local function print_line(entry, as_json)
  if as_json then
    io.stdout:write(json.encode(public(entry)), "\n")
  else
    output.print(fold.line(entry))
  end
end

-- Count what the summary tells.
local function count(sum, entry)
  local what = entry.kind == "resync" and (entry.outcome == "success" and "ok"
    or "failed") or entry.kind
  if sum[what] then sum[what] = sum[what] + 1 end
end

local function summary(sim, sum)
  output.say("%s: %d resyncs ok, %d failed, %d %s, %d requests, revision %d",
    span(sim:mono()), sum.ok, sum.failed, sum.boot,
    sum.boot == 1 and "boot" or "boots", sim.requests,
    sim:store():revision())
end

-- How far it has come, of `days` or of nobody knows how many.
local function far(sim, days)
  return ("day %d%s, %d requests"):format(sim:mono() // DAY + 1,
    days and (" of %d"):format(math.ceil(days)) or "", sim.requests)
end

-- Tell somebody who looks on; the way to clear that line.
local function watch(sim, days)
  local tell, clear = progress.new()
  function sim.on_tick() tell(far, sim, days) end
  return clear
end

-- Day by day, so that years need no more room than a day.
local function run_all(sim, seconds, options, clear)
  local sum = { ok = 0, failed = 0, boot = 0 }
  local lines = fold.new(function(entry)
    clear()
    print_line(entry, options.json)
  end, options.v or options.json)
  local left, ok, sentence = seconds, true, nil
  while ok and left > 0 do
    ok, sentence = sim:run(math.min(left, DAY))
    left = left - DAY
    for _, entry in ipairs(sim:take()) do
      count(sum, entry)
      lines:add(entry)
    end
  end
  lines:finish()
  clear()
  if not ok then return failure(sentence) end
  if not options.json then summary(sim, sum) end
  return 0
end

-- What a name has at the moment, or a failure.
local function value_of(sim, schema, name)
  local known = schema:find(name) or name
  local about = sim:store():value(known)
  if not about then
    return require("peal.cli.get").unknown(schema, name)
  end
  about.text = sim:param(known)
  return { name = about.name, value = shown.value(sim:store(), about) }
end

local function changes_text(list)
  if #list == 0 then return "nothing differs from the start" end
  local rows = { { "PARAMETER", "AT THE START", "THEN" } }
  for i, change in ipairs(list) do
    rows[i + 1] = { change.name, output.clip(change.old or "", 32),
      output.clip(change.new, 48) }
  end
  return output.columns(rows)
end

local function print_at(sim, options, schema)
  local values = json.array()
  for i = 1, #options do
    local one, failed = value_of(sim, schema, options[i])
    if not one then return nil, failed end
    values[i] = one
  end
  local time = math.floor(sim:time())
  if options.json then
    output.json { time = time, values = values, changes =
      json.array(sim:diff()), revision = sim:store():revision() }
    return 0
  end
  output.print(("%s, revision %d"):format(moment.show(time, sim.home.zone),
    sim:store():revision()))
  for _, one in ipairs(values) do
    output.print(("%s = %s"):format(one.name, output.clip(one.value, 300)))
  end
  output.print(changes_text(sim:diff()))
  return 0
end

-- To the time of --at.
local function go(sim, text)
  local time, sentence = moment.time(text, sim.home)
  if not time then return usage("--at: " .. sentence) end
  local after = time - sim.home.start
  if after < 0 then
    return usage(("--at: that is before the start, %s"):format(
      moment.show(sim.home.start, sim.home.zone)))
  elseif after > DAYS_MAX * DAY then
    return usage(("--at: up to %d days after the start"):format(DAYS_MAX))
  end
  local ok
  ok, sentence = sim:to(time)
  if not ok then return failure(sentence) end
  return true
end

local function show_at(sim, options, schema, clear)
  local ok, failed = go(sim, options.at)
  clear()
  if not ok then return nil, failed end
  return print_at(sim, options, schema)
end

-- To where the last resync begins: --record takes that one.
local function to_last_start(sim, seconds)
  local ok, sentence = sim:run(seconds)
  if not ok then return nil, sentence end
  for i = #sim.timeline, 1, -1 do
    if sim.timeline[i].kind == "start" then
      return sim:to_tick(sim.timeline[i].tick - 1)
    end
  end
  return nil, "no resync took place"
end

local function record(sim, options, schema, seconds, clear)
  local key, failed = passphrase.of(options, true)
  if not key then return nil, failed end
  local ok, cassette, sentence
  if options.at then
    ok, failed = go(sim, options.at)
    if not ok then return nil, failed end
  else
    ok, sentence = to_last_start(sim, seconds)
  end
  if ok then cassette, sentence = sim:record(schema) end
  clear()
  if not cassette then return failure(sentence) end
  local size
  size, failed = require("peal.cli.cassette_file").write(options.record,
    cassette, key)
  if not size then return nil, failed end
  output.print(("recorded the resync of %s: %d bytes in %s"):format(
    moment.show(math.floor(sim:time()), sim.home.zone), size, options.record))
  output.say("play it: peal replay %s", options.record)
  return 0
end

local function check_zone(text)
  local ok, sentence = zone.parse(text or "UTC0")
  if ok then return true end
  return usage("--zone: " .. sentence, "for example CET-1CEST,M3.5.0,M10.5.0/3")
end

local function open(options)
  local seconds, failed = check(options)
  if not seconds then return nil, failed end
  local given, from, sim
  given, failed = script.read(options)
  if not given then return nil, failed end
  from, failed = source.open(options, given.cassette)
  if not from then return nil, failed end
  local ok
  ok, failed = check_zone(options.zone or given.zone)
  if not ok then return nil, failed end
  sim, failed = make(options, from, given)
  if not sim then return nil, failed end
  return sim, from.schema, seconds
end

function command.run(options)
  local sim, schema, seconds = open(options)
  if not sim then return nil, schema end
  local days = not options.step and not options.at and seconds / DAY or nil
  local clear = watch(sim, days)
  if options.record then
    return record(sim, options, schema, seconds, clear)
  end
  if options.step then
    return require("peal.cli.simulate.steps").run(sim, {
      options = options, schema = schema, clear = clear,
      print_line = function(...)
        clear()
        print_line(...)
      end, value_of = value_of, changes_text = changes_text })
  end
  if options.at then return show_at(sim, options, schema, clear) end
  return run_all(sim, seconds, options, clear)
end

return command
