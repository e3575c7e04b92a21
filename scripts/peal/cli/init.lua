--- The program: finds the command and runs it.
-- A command is a module peal.cli.NAME that returns { name, usage, summary,
-- options, run(options) }; run returns an exit code or nil and a failure
-- { sentence, word, place, next, code }.
-- Exit codes: 0 ok, 1 failed, 2 usage, 3 refused by a rule.
local options = require "peal.cli.options"
local output = require "peal.cli.output"

local cli = {}

local COMMANDS <const> = {
  -- what a phone does
  { "resync", "fetch, decode and apply the profiles; say what changed" },
  { "run", "keep phones provisioned: the daemon" },
  { "status", "what happens next, when, and why not now" },
  { "schedule", "the next resyncs" },
  { "events", "follow what a daemon does" },
  { "reload", "have a daemon read its rule files anew" },
  -- its parameters
  { "get", "print the value of a parameter" },
  { "set", "write parameters" },
  { "params", "list parameters" },
  { "explain", "why has a parameter this value?" },
  { "history", "what was written when, and by whom" },
  { "diff", "what is different between two revisions" },
  { "revert", "put parameters back to an earlier revision" },
  -- what would be
  { "plan", "what would the next resync do? Nothing is written" },
  { "apply", "carry out a plan, if nothing has changed since" },
  { "simulate", "days of a phone's life in a second: try rules, see faults" },
  { "check", "check rule files, and try them on sample phones" },
  { "repl", "a prompt on a phone: look, try, commit" },
  -- what went wrong
  { "doctor", "which step of a profile's way is broken, and its cure" },
  { "record", "record a resync on a cassette" },
  { "replay", "play a recorded resync again, or with other rules" },
  -- the classic language, files, certificates
  { "expand", "expand the macros of a text" },
  { "eval", "is a condition true?" },
  { "rule", "what would a profile rule do?" },
  { "profile", "encode, decode, show and check profile files" },
  { "cert", "see and change whom a phone believes" },
  { "ca", "root and host certificates for the terminals of a phone" },
  { "version", "versions of peal and its libraries" },
}

local function help()
  local out = { "usage: peal [options] COMMAND [arguments]",
    "       peal [options] -e EXPR", "",
    "peal keeps IP phones provisioned.", "", "Commands" }
  for _, command in ipairs(COMMANDS) do
    out[#out + 1] = ("  %-10s %s"):format(command[1], command[2])
  end
  out[#out + 1] = "\nOptions, before or after the command"
  out[#out + 1] = options.lines(options.global)
  out[#out + 1] = "\nExit codes: 0 ok, 1 failed, 2 usage, 3 refused by a rule"
  out[#out + 1] = "More on a command: peal COMMAND --help\n"
  return table.concat(out, "\n")
end

local function usage_error(sentence, next_step)
  output.failure { sentence = sentence, word = "usage",
    next = next_step or "see: peal --help" }
  return 2
end

local function load_command(name)
  for _, command in ipairs(COMMANDS) do
    if command[1] == name then return require("peal.cli." .. name) end
  end
end

local function names()
  local out = {}
  for i, command in ipairs(COMMANDS) do out[i] = command[1] end
  return out
end

local function run(command, args)
  local given, why = options.parse(args, command.options or {})
  if not given then
    return usage_error(why, ("see: peal %s --help"):format(command.name))
  end
  if given.help then
    io.stdout:write(options.help(command))
    return 0
  end
  local code, failed = command.run(given)
  if code then return code end
  if failed.code == 2 and not failed.next then
    failed.next = ("see: peal %s --help"):format(command.name)
  end
  output.failure(failed, given.json)
  return failed.code or 1
end

-- `peal -e EXPR` is short for `peal repl -e EXPR`: what follows -e is taken for
-- the command otherwise.
local function is_expression(argv, at)
  return argv[at and at - 1 or #argv] == "-e"
end

--- @tparam table argv arguments from [1] on
-- @treturn integer exit code
function cli.main(argv)
  local name, at = options.command_of(argv)
  if is_expression(argv, at) then return run(require "peal.cli.repl", argv) end
  if not name then
    local given, why = options.parse(argv, { { "--version", nil, "" } })
    if not given then return usage_error(why) end
    if given.version then return run(require "peal.cli.version", {}) end
    io.stdout:write(help())
    return given.help and 0 or 2
  end
  if name == "help" then
    local about = argv[at + 1] and load_command(argv[at + 1])
    io.stdout:write(about and options.help(about) or help())
    return 0
  end
  local command = load_command(name)
  if not command then
    local near = options.nearest(name, names())
    return usage_error(("no such command: %s"):format(output.clip(name)),
      near and ("did you mean: peal %s"):format(near) or nil)
  end
  local args = table.move(argv, 1, #argv, 1, {})
  table.remove(args, at)
  return run(command, args)
end

return cli
