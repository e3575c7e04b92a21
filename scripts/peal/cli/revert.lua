--- peal revert: parameters as they were in an earlier revision.
local advice = require "peal.cli.advice"
local diff = require "peal.cli.diff"
local hints = require "peal.cli.hints"
local output = require "peal.cli.output"
local remote = require "peal.cli.remote"
local revisions = require "peal.revisions"
local session = require "peal.cli.session"
local sys = require "peal.sys"

local command = {
  name = "revert",
  usage = "REVISION [NAME ...]",
  summary = "Put parameters back to what they were in a revision: all of "
    .. "them, or those\nthat are named.",
  details = "It is a new revision, so that nothing is lost: to revert to the "
    .. "one before\nbrings everything back. State is left alone. Says what "
    .. "changes and asks first;\nwithout a terminal it needs --yes. Where a "
    .. "daemon owns the store, it is the one\nthat writes, and acts on it at "
    .. "once.",
  options = {
    { "--yes", nil, "do it without asking" },
  },
  examples = { "peal revert 3 --store st",
    "peal revert -1 Resync_Periodic --yes --store st" },
}

-- What would change, while the store is only looked at.
local function look(options)
  local open, failed = session.open(options, { read_only = true,
    disk = "revert" })
  if not open then return nil, failed end
  local names, list = table.move(options, 2, #options, 1, {}), nil
  local number, why = revisions.number(open.store, options[1])
  failed = why
  if number then
    list, failed = revisions.preview(open.store, number, names)
  end
  local seen = open.store:revision()
  open.store:close()
  if list then
    return { number = number, names = names, changes = list, seen = seen }
  end
  failed.code = failed.word == "usage" and 2 or nil
  failed.next = hints.typed(failed.next, options)
  return nil, failed
end

-- May it be done? Asked at the terminal.
local function agreed(options, wanted)
  if options.yes then return true end
  local count = #wanted.changes
  if not require("peal.terminal").is_tty(0) then
    return nil, { sentence = ("%d %s would change, and nobody can be asked")
      :format(count, count == 1 and "parameter" or "parameters"),
      word = "usage", code = 2, next = "do it with: --yes" }
  end
  io.stderr:write(("put %s back? [y/N] "):format(count == 1 and "it"
    or ("these %d"):format(count)))
  local answer = io.stdin:read("l") or ""
  if answer:lower():find("^%s*y") then return true end
  return nil, { sentence = "nothing was changed", word = "canceled" }
end

local function ask(daemon, wanted)
  local done, failed = daemon:call("revert", { revision = wanted.number,
    names = wanted.names, expect = wanted.seen })
  daemon:close()
  if not done then return nil, failed end
  return done.names, done.revision
end

local function write_here(options, wanted)
  local open, failed = session.open(options, { disk = "revert" })
  if not open then return nil, failed end
  local names, revision = revisions.revert({ store = open.store,
    expect = wanted.seen, time = sys.time() }, wanted.number, wanted.names)
  open.store:close()
  if names then return names, revision end
  failed = revision
  failed.next = failed.next or advice.here(failed.word)
  return nil, failed
end

local function carry_out(options, wanted)
  local daemon, failed = remote.find(options, "revert")
  if failed then return nil, failed end
  if daemon then return ask(daemon, wanted) end
  return write_here(options, wanted)
end

-- Which of these a profile rule wrote: the next resync may do so again.
local function from_rules(changes)
  local rules, seen = {}, {}
  for _, change in ipairs(changes) do
    local rule = change.old_rule
    if rule and not seen[rule] then
      seen[rule] = true
      rules[#rules + 1] = rule
    end
  end
  return rules
end

local function say_done(names, revision, wanted, options)
  output.say("%d changed, revision %d", #names, revision)
  local rules = from_rules(wanted.changes)
  if #rules == 0 then return end
  output.say("%s wrote what is gone now, and the next resync may write it "
    .. "again", table.concat(rules, ", "))
  io.stderr:write("      change the profile, or keep it off with a rule file "
    .. "apply.lua;\n      or hold resyncs back: ", hints.typed(
    "peal set Provision_Enable=No --store DIR", options), "\n")
end

function command.run(options)
  if not options[1] then
    return nil, { sentence = "back to which revision?", word = "usage",
      code = 2, next = hints.typed("see them: peal history --store DIR",
        options) }
  end
  local wanted, failed = look(options)
  if not wanted then return nil, failed end
  if not options.json then
    output.print(output.columns(diff.rows(wanted.changes)))
  end
  local ok
  ok, failed = agreed(options, wanted)
  if not ok then return nil, failed end
  local names, revision = carry_out(options, wanted)
  if not names then return nil, revision end
  if options.json then
    output.json { changed = #names, names = names, revision = revision,
      changes = wanted.changes }
  else
    say_done(names, revision, wanted, options)
  end
  return 0
end

return command
