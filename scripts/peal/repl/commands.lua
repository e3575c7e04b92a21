--- What begins with a colon at the prompt.
local commit = require "peal.repl.commit"
local failure = require "peal.repl.failure"
local output = require "peal.cli.output"
local sorted = require "peal.sorted"

local commands = {}

local function usage(sentence)
  failure.raise { sentence = sentence, word = "usage", next = "see: :help" }
end

local function columns(list, names)
  return setmetatable(list, { __columns = names })
end

local function needed(rest, what)
  if rest == "" then usage(what) end
  return rest
end

-- --- looking ---

local function why(repl, rest)
  local explain = require "peal.explain"
  if rest == "" then
    return repl:say(explain.not_now_text(explain.not_now(repl.env.status())))
  end
  repl:say(explain.text(repl.env.why(rest)))
end

-- Is there a daemon that this session is not attached to? Its store, or nil.
local function owned_by_another(session)
  local other = not session.daemon and session.path
    and require("peal.cli.remote").at(session.path)
  if not other then return nil end
  other:close()
  return session.path
end

local function plan(repl, rest)
  local session = repl.session
  local result = session:dry_cycle(rest ~= "" and rest or nil)
  local done = require("peal.daemon.outcome").of(result.phone, result, true)
  done.public.effects, done.public.schedule = result.effects, result.schedule
  done.public.daemon = session.daemon and true or nil
  if repl.json or repl.format == "json" then return repl:show(done.public) end
  done.not_attached = owned_by_another(session)
  require("peal.cli.plan.text").print(done)
end

local function step(repl, rest)
  require("peal.repl.step").run(repl, rest ~= "" and rest or nil)
end

local function trace(repl)
  local session, explain = repl.session, require "peal.explain"
  local found, failed = session.last_trace, nil
  if not found then
    found, failed = explain.cycle(session.store, nil,
      { waiting = session.phone.keep.waiting.trace })
  end
  if not found then failure.raise(failed) end
  repl:say(explain.cycle_text(found))
end

local function timers(repl)
  local when = require "peal.cli.when"
  local status = repl.env.status()
  local rows = columns({}, { "what", "cause", "at", "left", "why" })
  for i, due in ipairs(status.next or {}) do
    rows[i] = { what = due.what, cause = due.cause, at = when.utc(due.at),
      left = "in " .. require("peal.span")(due.in_s or 0), why = due.why }
  end
  if #rows > 0 then repl:show(rows) end
  local state, parts = repl.session.phone:timers(), {}
  for _, name in ipairs(sorted.keys(state)) do
    local value = state[name]
    if type(value) == "number" then value = math.floor(value) end
    parts[#parts + 1] = ("$%s %s"):format(name, value)
  end
  repl:say(table.concat(parts, "  "))
  repl:say(status.why_not_now or "")
end

local function rules(repl)
  local list = {}
  for i, rule in ipairs(repl.env.status().rules) do list[i] = rule end
  repl:show(columns(list, { "stage", "state", "path", "problem" }))
end

local function reload(repl)
  local session = repl.session
  if session.daemon then
    session:check_write(":reload")
    failure.check(session:call("reload"))
  else
    session.phone.book:reload()
  end
  repl:say("the rule files are read anew")
end

local function certs(repl)
  local list = repl.env.certs()
  if #list == 0 then return repl:say("there are none") end
  local rows = {}
  for i, one in ipairs(list) do
    rows[i] = { id = (one.id or ""):sub(1, 12), subject = one.subject,
      kind = one.kind or one.list, status = one.status }
  end
  repl:show(columns(rows, { "id", "status", "kind", "subject" }))
end

local function history(repl, rest)
  local name = rest ~= "" and rest or nil
  local list = repl.env.history(name)
  if repl.json or repl.format ~= "table" then return repl:show(list) end
  repl:say(require("peal.cli.history").text(list, name))
end

-- --- writing ---

local function diff(repl)
  local list = repl.session:diff()
  if #list == 0 and not repl.json then
    return repl:say("nothing is written that is not committed")
  end
  repl:show(list)
end

-- Somebody says yes, or has said so before.
local function agreed(repl, sure, count)
  if sure or repl.yes then return true end
  if not repl.interactive then
    failure.raise { sentence = "nobody can be asked here",
      word = "bad-state", next = "write :commit!, or start with --yes" }
  end
  local answer = repl:read(("write %s? [y/N] "):format(count == 1
    and "this value" or ("these %d values"):format(count)))
  return answer and answer:lower():find("^%s*y") ~= nil
end

-- What others have written in between, a line each.
local function overtaken(list)
  local lines = {}
  for i, one in ipairs(list) do
    lines[i] = ("%s is %q meanwhile, by %s (revision %d): that is written over")
      :format(one.name, one.now, one.author or "?", one.revision or 0)
  end
  return table.concat(lines, "\n")
end

-- Whoever writes all the time is given way to.
local TRIES_MAX <const> = 10

-- Ask, and write; ask again where others have written in between what would
-- be written over.
-- @treturn integer the revision; nil: it was not to be
local function ask_and_write(repl, sure, count)
  local session, told = repl.session, nil
  for _ = 1, TRIES_MAX do
    local list, seen = session:overtaken()
    local text = overtaken(list)
    if text ~= told then
      if text ~= "" then output.say("%s", repl.session.guard:text(text)) end
      if not agreed(repl, sure, count) then return nil end
      told = text
    end
    local revision = commit.run(session, seen)
    if revision then return revision end
  end
  failure.raise { sentence = "the store is written to all the time",
    word = "changed", next = "try :commit again" }
end

local function write(repl, sure)
  local session = repl.session
  session:check_write(":commit")
  local list = session:diff()
  if #list == 0 then return repl:say("there is nothing to commit") end
  if not repl.json then repl:show(list) end
  local revision = ask_and_write(repl, sure, #list)
  if not revision then return repl:say("nothing was written") end
  if repl.json then
    return repl:show { changed = #list, revision = revision }
  end
  repl:say(("%d changed, revision %d"):format(#list, revision))
end

local function discard(repl)
  local count = #repl.session:written()
  repl.session:refresh()
  repl:say(("%d forgotten; revision %d"):format(count,
    repl.session.base:revision()))
end

-- --- the session ---

local function parameter(repl, name)
  local known = repl.session.schema:find(name)
  if known then return known end
  local _, failed = require("peal.daemon.write").unknown(repl.session.schema,
    name)
  failure.raise(failed)
end

local function break_at(repl, rest)
  local breaks = repl.breaks
  local off, name = rest:match("^(%-?)(.*)$")
  if name == "" then
    local list = sorted.keys(breaks)
    return repl:say(#list > 0 and "stops at: " .. table.concat(list, ", ")
      or "no break is set")
  end
  name = parameter(repl, name)
  breaks[name] = off == "" or nil
  if off ~= "" then return repl:say(name .. ": no break any more") end
  repl:say(("%s stops when %s is written%s"):format(repl.session.daemon
    and "a run of this session (:step, :plan)" or "a run", name,
    repl.session.daemon and "; resync() is the daemon's, and goes on" or ""))
end

local LEVELS <const> = { off = true, info = true, debug = true }

local function log(repl, rest)
  if rest == "" then return repl:say("the level is " .. repl.level) end
  if not LEVELS[rest] then usage(":log takes off, info or debug") end
  if not repl.session.daemon then
    failure.raise { sentence = "no daemon is attached that tells anything",
      word = "bad-state", next = "start with: peal repl --attach DIR" }
  end
  repl.level = rest
  repl:say("live events: " .. rest)
end

local function timing(repl, rest)
  if rest ~= "" and rest ~= "on" and rest ~= "off" then
    usage(":timing takes on or off")
  end
  repl.timing = rest == "on" or rest == "" and not repl.timing
  repl:say("timing is " .. (repl.timing and "on" or "off"))
end

local FORMATS <const> = { lua = true, json = true, table = true }

local function format(repl, rest)
  if rest == "" then return repl:say("the format is " .. repl.format) end
  if not FORMATS[rest] then usage(":format takes lua, json or table") end
  repl.format = rest
end

local function load(repl, rest)
  repl:load(needed(rest, ":load FILE: which one?"))
end

local function quit(repl)
  if repl.interactive and repl.session:has_written() and not repl.leaving then
    repl.leaving = true
    local count = #repl.session:written()
    if count > 0 then
      return repl:say(("%d written and not committed: :commit, or leave "
        .. "again"):format(count))
    end
  end
  repl.over = true
end

local function help(repl, rest)
  repl:say(rest == "" and commands.help()
    or commands.help_of(rest) or usage("there is no command " .. rest))
end

--- name, arguments, one line of help, fn(repl, rest); takes: what completion
-- offers for the argument.
commands.list = {
  { "why", "[NAME]", "why has a parameter its value? Why no resync now?",
    why, takes = "parameter" },
  { "diff", "", "what this session has written and not committed", diff },
  { "commit", "", "show the diff, ask, and write it into the store",
    function(repl) write(repl, false) end },
  { "commit!", "", "the same without asking",
    function(repl) write(repl, true) end },
  { "discard", "", "forget what was written; take the snapshot anew",
    discard },
  { "plan", "[RULE]", "what would the next resync do?", plan },
  { "step", "[RULE]", "a dry resync that stops between its phases", step },
  { "break", "[-][NAME]", "stop when a parameter is written (-: no more)",
    break_at, takes = "parameter" },
  { "trace", "", "the steps of the last cycle", trace },
  { "history", "[NAME]", "the revisions, or the values of a parameter",
    history, takes = "parameter" },
  { "timers", "", "what is due, and when", timers },
  { "rules", "", "the rule files in force", rules },
  { "reload", "", "read the rule files anew", reload },
  { "certs", "", "the certificates on the phone's lists", certs },
  { "log", "[LEVEL]", "live events: off, info or debug (each step)", log,
    takes = "level" },
  { "timing", "[on|off]", "how long each answer took", timing,
    takes = "switch" },
  { "format", "[FORMAT]", "print answers as lua, json or table", format,
    takes = "format" },
  { "load", "FILE", "run a Lua file in this session", load },
  { "help", "[COMMAND]", "this text", help, takes = "command" },
  { "quit", "", "leave (also ^D)", quit },
}

for _, command in ipairs(commands.list) do
  command.name = command[1]
end

local function usage_of(command)
  return (":" .. command[1] .. " " .. command[2]):match("^.*%S")
end

--- All commands and functions, a line each.
function commands.help()
  local rows = {}
  for i, command in ipairs(commands.list) do
    rows[i] = { usage_of(command), command[3] }
  end
  return "Commands\n" .. output.columns(rows, "  ") .. "\n\n"
    .. require("peal.reference").overview() .. "\n\n"
    .. "Anything else is Lua. param.NAME reads a parameter, param.NAME = "
    .. "VALUE writes\nit here until :commit; help(FUNCTION) and "
    .. 'help "NAME" tell more.'
end

--- One of them; nil: there is none of this name, with or without its colon.
function commands.help_of(name)
  name = name:gsub("^:", "")
  for _, command in ipairs(commands.list) do
    if command[1] == name then
      return ("%s: %s"):format(usage_of(command), command[3])
    end
  end
end

local function names()
  local list = {}
  for i, command in ipairs(commands.list) do list[i] = command[1] end
  return list
end

--- Run what was typed.
function commands.run(repl, text)
  local name, rest = text:match("^:(%a+!?)%s*(.-)%s*$")
  for _, command in ipairs(commands.list) do
    if command[1] == name then
      if name ~= "quit" then repl.leaving = nil end
      return command[4](repl, rest)
    end
  end
  local near = require("peal.cli.options").nearest(name or "", names())
  failure.raise { sentence = "there is no command :" .. tostring(name),
    word = "usage", next = near and ("did you mean :%s?"):format(near)
      or "see: :help" }
end

return commands
