--- peal repl: a prompt on a phone, and scripts for one.
local output = require "peal.cli.output"

local command = {
  name = "repl",
  usage = "[--attach [STORE]] | -e EXPR",
  summary = "Look at a phone, try anything, and commit what is good.",
  details = "A prompt for Lua on a snapshot of the store. What is written "
    .. "lives in the\nsession until :commit, which shows it first. --attach "
    .. "goes on from where the\ndaemon of the store is, and tells what it does "
    .. "meanwhile; the daemon runs\nnothing of the session. :help lists the "
    .. "commands. Where standard input is no\nterminal it is a script, which "
    .. "ends at its first error with exit code 1.",
  options = {
    { "--attach", nil, "to the daemon that owns the store" },
    { "-e", "EXPR", "evaluate this, print it, and end" },
    { "--read-only", nil, "refuse every write" },
    { "--yes", nil, ":commit asks nobody" },
  },
  examples = {
    "peal repl --phone phone.lua --store st",
    "peal repl --attach st",
    "peal -e 'param.Resync_Periodic' --store st",
    "peal -e 'schedule(3)' --json --store st",
  },
}

local function is_terminal()
  local ok, terminal = pcall(require, "peal.terminal")
  return ok and terminal.is_tty(0) and terminal.is_tty(1)
end

local function check(options)
  if options[2] or options[1] and not options.attach then
    return nil, { sentence = "peal repl takes options only", word = "usage",
      code = 2, next = "the store goes with --store DIR, or --attach DIR" }
  end
  return true
end

-- The reader of a terminal: with an editor where there is one.
local function at_terminal(session, about)
  local complete = require "peal.repl.complete"
  local history = require "peal.repl.history"
  local reader = require "peal.repl.reader"
  local path = history.prepare()
  local keeper = history.keeper(session, path)
  local found, sentence, word = reader.terminal { loop = session.loop,
    history = path, history_max = history.max, remember = keeper.remember,
    over = keeper.look, complete = function(line, cursor)
      return complete.at(about, line, cursor)
    end }
  if found then return found end
  output.say("no line editing: %s [%s]", sentence, word or "")
  return reader.bare(session.loop)
end

local function banner(session)
  output.say("%s, revision %d%s%s", session.path or "no store",
    session.base:revision(), session.daemon and ", attached to its daemon"
      or "", session.read_only and ", read-only" or "")
  output.say("Lua, or a command: :help lists them, ^D leaves")
end

local function interactive(session, options)
  local commands = require "peal.repl.commands"
  local about = { session = session, commands = commands.list }
  local reader = at_terminal(session, about)
  local repl = require("peal.repl").new { session = session, reader = reader,
    name = "prompt", interactive = true, yes = options.yes }
  about.env = repl.env
  banner(session)
  if session.daemon then require("peal.repl.events").follow(repl) end
  local code = repl:run()
  reader.close()
  return code
end

local function script(session, options)
  local repl = require("peal.repl").new { session = session,
    reader = require("peal.repl.reader").plain(), json = options.json,
    name = options.e and "-e" or "stdin", yes = options.yes }
  if options.e then return repl:once(options.e) end
  return repl:run()
end

function command.run(options)
  local ok, failed = check(options)
  if not ok then return nil, failed end
  options.store = options.attach and options[1] or options.store
  local session
  session, failed = require("peal.repl.session").open(options)
  if not session then return nil, failed end
  local run = not options.e and is_terminal() and interactive or script
  local code = run(session, options)
  session:close()
  return code
end

return command
