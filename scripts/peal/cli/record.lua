--- peal record: one resync on a cassette.
local cassette = require "peal.cassette"
local cassette_file = require "peal.cli.cassette_file"
local cycle = require "peal.cycle"
local files = require "peal.cli.files"
local hex = require "peal.hex"
local output = require "peal.cli.output"
local passphrase = require "peal.cli.passphrase"
local remote = require "peal.cli.remote"
local resync = require "peal.cli.resync"

local record = {
  name = "record",
  usage = "[RULE] --out FILE",
  summary = "Record a resync on a cassette: all that went into it, to be "
    .. "played again on\nanother machine with peal replay.",
  details = "Without a daemon it makes one resync, as peal resync does. Where "
    .. "a daemon owns\nthe store, its next resync is recorded, whenever that "
    .. "is; --now or a RULE asks\nfor one. ^C ends the waiting; the daemon "
    .. "goes on.\n\nA cassette holds the phone's secrets and is sealed with a "
    .. "passphrase. For a\nticket, --redact makes one that holds none.",
  options = {
    { "--out", "FILE", "the cassette to write" },
    { "--now", nil, "have the daemon resync now" },
    { "--redact", "FILE", "make one without secrets of this one" },
    passphrase.option,
  },
  examples = {
    "peal record --phone phone.lua --store st --out tonight.peal",
    "peal record --now --store st --out now.peal --passphrase-file pass",
    "peal record --redact tonight.peal --out ticket.peal",
  },
}

local function usage(sentence, next_step)
  return nil, { sentence = sentence, word = "usage", code = 2,
    next = next_step }
end

local function check(options)
  if not options.out or options.out == "" then
    return usage("where to? name a file: --out FILE")
  elseif options[2] then
    return usage("one rule at most: quote it")
  elseif options.redact and (options[1] or options.now) then
    return usage("--redact reads a cassette and records nothing")
  end
  return true
end

-- --- without a daemon ---

-- A resync over a recorder of the world; it puts the cassette into `into`.
local function recorded(into)
  return function(open, request)
    local take = require "peal.cassette.take"
    local taken = take.new(open.phone, open.schema)
    local run = cycle.new(taken.phone, request)
    if cycle.gate(run).pass then cycle.carry_out(run) end
    into.cassette = taken:cassette(run, request)
    return run.result, taken.phone
  end
end

local function here(options, lock)
  local into = {}
  local done, failed = resync.here(options, recorded(into))
  if not done then return nil, failed end
  local c = into.cassette
  local bytes, sentence, word = cassette.seal(c, lock.key)
  if not bytes then return nil, { sentence = sentence, word = word } end
  return { outcome = done.public.outcome, reason = done.public.reason,
    cycle = done.public.cycle, calls = c.entries, bytes = bytes }
end

-- --- of a daemon ---

local function fetch_parts(daemon, size)
  local base64 = require "peal.base64"
  local parts, at = {}, 1
  while at do
    local part, failed = daemon:call("record_part", { at = at })
    if not part then return nil, failed end
    parts[#parts + 1], at = base64.decode(part.bytes), part.next
  end
  local bytes = table.concat(parts)
  if #bytes == size then return bytes end
  return nil, { sentence = "the daemon sent another cassette than it said",
    word = "corrupt" }
end

local function of_daemon(daemon, options, lock)
  if not options.now and not options[1] then
    output.say("waiting for the next resync (^C ends that)")
  end
  local done, failed = daemon:call("record", { key = hex(lock.key),
    now = options.now, rule = options[1] }, false)
  if done then done.bytes, failed = fetch_parts(daemon, done.size) end
  daemon:close()
  if not done or not done.bytes then return nil, failed end
  return done
end

-- --- the command ---

local function tell(done, options, size)
  if options.json then
    output.json { outcome = done.outcome, reason = done.reason,
      cycle = done.cycle, calls = done.calls, file = options.out,
      bytes = size }
    return
  end
  output.print(("recorded resync %s (%s): %d calls, %d bytes in %s"):format(
    done.cycle, done.outcome, done.calls, size, options.out))
  output.say("play it: peal replay %s", options.out)
end

local function make(options)
  local key, failed = passphrase.of(options, true)
  if not key then return nil, failed end
  local lock, sentence, word = cassette.lock(key)
  if not lock then return nil, { sentence = sentence, word = word } end
  -- before the resync, which cannot be made again
  local ok
  ok, failed = files.check(options.out)
  if not ok then return nil, failed end
  local daemon
  daemon, failed = remote.find(options, "record")
  if failed then return nil, failed end
  if options.now and not daemon then
    return usage("--now is for a daemon, and none owns the store",
      "without --now the resync is made at once")
  end
  local done
  if daemon then
    done, failed = of_daemon(daemon, options, lock)
  else
    done, failed = here(options, lock)
  end
  if not done then return nil, failed end
  local bytes = cassette.sealed(lock, done.bytes)
  ok, failed = files.replace(options.out, bytes)
  if not ok then return nil, failed end
  tell(done, options, #bytes)
  return 0
end

local function redact(options)
  local c, failed = cassette_file.read(options.redact, options)
  if not c then return nil, failed end
  if c.kind ~= "resync" then
    return usage("only a cassette of one resync can be redacted")
  end
  local clean, sentence, word = require("peal.cassette.redact")(c)
  if not clean then return nil, { sentence = sentence, word = word } end
  local size
  size, failed = cassette_file.write(options.out, clean)
  if not size then return nil, failed end
  if options.json then
    output.json { file = options.out, bytes = size, redacted = true }
  else
    output.print(("%d bytes without secrets in %s"):format(size, options.out))
  end
  return 0
end

function record.run(options)
  local ok, failed = check(options)
  if not ok then return nil, failed end
  if options.redact then return redact(options) end
  return make(options)
end

return record
