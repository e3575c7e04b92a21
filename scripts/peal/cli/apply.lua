--- peal apply: carry out a plan, if all that it went by is as it was.
local files = require "peal.cli.files"
local output = require "peal.cli.output"
local plan_file = require "peal.dry_run.plan_file"
local remote = require "peal.cli.remote"
local resync_result = require "peal.cli.resync_result"

local apply = {
  name = "apply",
  usage = "FILE [RULE]",
  summary = "Carry out a plan that peal plan --out has written, if all is as "
    .. "it was.",
  details = "Everything is fetched and compared first. Where the store, a rule "
    .. "file, the\nphone or a byte of what a server sends is another than in "
    .. "the plan, it is said\nwhich, and nothing is written (exit code 1). "
    .. "RULE is given again where the plan\nis of one with a key or password "
    .. "in it, which the file does not hold.\nWhat fails amid it is taken "
    .. "back; a power cut leaves each profile written whole\nor not at all, "
    .. "and a new plan says what is missing.\nWhere a daemon owns the store "
    .. "(peal run), it is the one that applies it.",
  options = {},
  examples = {
    "peal plan --phone phone.lua --store st --out tonight.plan",
    "peal apply tonight.plan --phone phone.lua --store st",
  },
}

local function usage(sentence)
  return nil, { sentence = sentence, word = "usage", code = 2 }
end

local function read(options)
  if not options[1] then return usage("which plan?") end
  if options[3] then return usage("one plan and one rule at most: quote it") end
  local text, failed = files.read(options[1], plan_file.max)
  if not text then return nil, failed end
  local plan
  plan, failed = plan_file.decode(text)
  if failed then
    failed.sentence = ("%s: %s"):format(options[1], failed.sentence)
  end
  return plan, failed
end

local function ask(daemon, plan, rule)
  local done, failed = daemon:call("apply", { plan = plan, rule = rule },
    false)
  daemon:close()
  if not done then return nil, failed end
  return done, daemon.path
end

local function run_here(options, plan, rule)
  local session = require "peal.cli.session"
  local open, failed = session.open(options, { disk = "apply", trust = true })
  if not open then return nil, failed end
  local planned = require "peal.dry_run.apply"
  local run
  run, failed = open.world.run(function()
    local checked, why = planned.check(open.phone, plan,
      { asked_by = "cli", rule = rule })
    if not checked then return nil, why end
    return checked:carry_out()
  end)
  if failed then return nil, failed end
  local ok, sentence = open.phone.keep:flush("resync")
  if not ok then output.say("what it has learned is not kept: %s", sentence) end
  local outcome = require "peal.daemon.outcome"
  return outcome.of(open.phone, run.result), open.store_path
end

local function tell(public, path)
  local n = #public.changes
  output.print(("applied: %d %s%s%s"):format(n, n == 1 and "change"
    or "changes", public.revision
    and (", revision %d"):format(public.revision) or "", public.reboot
    and "; a reboot is needed" or ""))
  if n > 0 then
    output.say("why? peal explain %s --store %s", public.changes[1].name, path)
  end
end

function apply.run(options)
  local plan, failed = read(options)
  if not plan then return nil, failed end
  local rule
  rule, failed = plan_file.rule(plan, options[2])
  if failed then return nil, failed end
  local daemon
  daemon, failed = remote.find(options, "apply")
  if failed then return nil, failed end
  local done, path
  if daemon then
    done, path = ask(daemon, plan, rule)
  else
    done, path = run_here(options, plan, rule)
  end
  if not done then return nil, path end
  if options.json then
    output.json(done.public)
  else
    resync_result.print(done)
    resync_result.notes(done.public)
    tell(done.public, path)
  end
  return 0
end

return apply
