--- peal ca: the root and host certificates that a phone makes for terminals.
local advice = require "peal.cli.advice"
local files = require "peal.cli.files"
local output = require "peal.cli.output"
local remote = require "peal.cli.remote"
local session = require "peal.cli.session"

local command = {
  name = "ca",
  usage = "status | generate | export root|host | installed TERMINAL",
  summary = "The phone's own root and host certificates, and the terminals "
    .. "that get them.",
  details = "status     how they stand, when the next are made, and which "
    .. "terminal has what\n"
    .. "generate   make new ones now, and bring them onto the terminals\n"
    .. "export     print one as PEM, never a key; older roots that still hold "
    .. "follow\n"
    .. "installed  you have installed the host certificate on a terminal by "
    .. "hand\n"
    .. "Where a daemon owns the store, it is the one that is asked.",
  options = {
    { "--force", nil, "generate: even if the clock is not synchronised" },
    { "--out", "FILE", "export: write there (default: standard output)" },
  },
  examples = {
    "peal ca status --store st",
    "peal ca generate --store st",
    "peal ca export root --out root.pem --store st",
  },
}

-- What a verb takes besides options.
local TAKES <const> = { status = false, generate = false, export = "root|host",
  installed = "TERMINAL" }

local READS <const> = { status = true, export = true }

-- --- whom to ask ---

local function failure(sentence, word, next_step)
  return nil, { sentence = sentence, word = word,
    next = next_step or advice.here(word) }
end

-- Ask for something of daemon/ca.lua.
local function ask(on, action, params)
  if on.daemon then return on.daemon:call("ca_" .. action, params, false) end
  local result, sentence, word, _, next_step =
    require("peal.daemon.ca")[action](on.phone, params)
  if result then return result end
  return failure(sentence, word, next_step)
end

-- Without a daemon: make them, and wait for the terminals that answer.
local function generate_here(open, force)
  local context = require "peal.cycle.context"
  local host = require "peal.host_certificate"
  local phone, answered = open.phone, {}
  local function consider(event)
    local run = context.new(phone, { asked_by = "cli", explicit = true,
      kind = "certificate" })
    return host.consider(phone, run, { event = event, force = force,
      again = function() open.world.post(answered) end })
  end
  return open.world.run(function()
    local result = consider("request")
    local after = result.after
    while host.is_waiting(phone) do
      open.world.wait(after, answered)
      after = consider("retry").after
    end
    host.finish(phone)
    return result
  end)
end

local function generate(on, options)
  if on.daemon then
    return on.daemon:call("ca_generate", { force = options.force }, false)
  end
  return generate_here(on, options.force)
end

-- --- status ---

local function validity(one)
  return ("%s to %s, %s"):format(one.not_before, one.not_after,
    one.sha256:sub(1, 12))
end

local function facts_of(status)
  local rows = { { "state", status.state } }
  local function add(name, text) rows[#rows + 1] = { name, text } end
  if status.id then
    add("id", status.id)
    add("host", ("%s, %s"):format(status.address, validity(status.host)))
    add("root", validity(status.root))
  end
  for _, one in ipairs(status.previous) do
    add("older root", validity(one))
  end
  if status.next_run then add("next", status.next_run) end
  for _, one in ipairs(status.alarms) do add("alarm", one.text) end
  for _, one in ipairs(status.warnings) do add("warning", one.text) end
  return rows
end

local function terminal_rows(list)
  local rows = { { "TERMINAL", "KIND", "STATUS", "CERTIFICATE", "WHY" } }
  for _, one in ipairs(list) do
    rows[#rows + 1] = { one.id, one.kind, one.status,
      one.mismatched and one.has and "another" or one.mismatched and "none"
        or "matches", one.reason or "" }
  end
  return rows
end

local function print_status(status)
  if not status.takes_part then
    return output.print("the phone serves no terminals, and makes no "
      .. "certificates")
  end
  for _, row in ipairs(facts_of(status)) do
    output.print(("%-11s %s"):format(row[1], row[2]))
  end
  if #status.terminals > 0 then
    output.print(output.columns(terminal_rows(status.terminals)))
  end
end

-- --- verbs ---

local verbs = {}

function verbs.status(on, options)
  local status, failed = ask(on, "status", {})
  if not status then return nil, failed end
  if options.json then
    output.json(status)
  else
    print_status(status)
  end
  return 0
end

local CODES <const> = { done = 0, refused = 3 }

function verbs.generate(on, options)
  local result, failed = generate(on, options)
  if not result then return nil, failed end
  local code = CODES[result.outcome] or 1
  if options.json then
    output.json { outcome = result.outcome, reason = result.reason,
      word = result.word }
  elseif code == 0 then
    output.say("made: %s", result.reason)
  end
  if code == 0 or options.json then return code end
  output.failure { sentence = result.reason or result.outcome,
    word = result.word or result.outcome, next = code == 3
      and "once it is: the same again; if it never is: --force" or nil }
  return code
end

function verbs.export(on, options)
  local found, failed = ask(on, "export", { what = options[2] })
  if not found then return nil, failed end
  if options.out then
    local ok
    ok, failed = files.write(options.out, found.pem)
    if not ok then return nil, failed end
  elseif options.json then
    output.json(found)
  else
    io.stdout:write(found.pem)
  end
  return 0
end

function verbs.installed(on, options)
  local done, failed = ask(on, "installed", { terminal = options[2] })
  if not done then return nil, failed end
  if options.json then
    output.json(done)
  else
    output.say("terminal %s: installed", options[2])
  end
  return 0
end

local function usage(sentence)
  return nil, { sentence = sentence, word = "usage", code = 2 }
end

local function check(options)
  local takes = TAKES[options[1] or ""]
  if takes == nil then
    return usage("status, generate, export or installed?")
  elseif takes and not options[2] or options[takes and 3 or 2] then
    return usage(takes and ("peal ca %s takes one %s"):format(options[1],
      takes) or ("peal ca %s takes options only"):format(options[1]))
  elseif options[1] == "export" and options[2] ~= "root"
    and options[2] ~= "host"
  then
    return usage("peal ca export takes root or host; a key stays here")
  end
  return true
end

-- The daemon of the store, or the phone in it.
local function open(options)
  local daemon, failed = remote.find(options, "ca")
  if failed then return nil, failed end
  if daemon then return { daemon = daemon } end
  return session.open(options, { disk = "ca",
    read_only = READS[options[1]] })
end

function command.run(options)
  local ok, failed = check(options)
  if not ok then return nil, failed end
  local on
  on, failed = open(options)
  if not on then return nil, failed end
  local code
  code, failed = verbs[options[1]](on, options)
  if on.daemon then
    on.daemon:close()
  else
    on.store:close()
  end
  return code, failed
end

return command
