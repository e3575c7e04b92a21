--- peal plan: what would the next resync do?
local files = require "peal.cli.files"
local output = require "peal.cli.output"

local plan = {
  name = "plan",
  usage = "[RULE]",
  summary = "Say what the next resync would change and bring about, and do "
    .. "none of it.",
  details = "A whole cycle on a copy of the phone: servers are asked as they "
    .. "are, values are\nread, checked and staged; nothing is written, logged, "
    .. "booted or installed. A\nrule's own --post or --put is sent. Where a "
    .. "daemon owns the store (peal run),\nthe plan goes on from where that "
    .. "daemon is; --set and --rules are the plan's.\n\nExit codes: 0 it would "
    .. "work, 1 it would fail, 3 a rule would refuse it; with\n--exit-code 4: "
    .. "it would work, and change something (0: nothing).",
  options = {
    { "--out", "FILE", "write the plan, for peal apply" },
    { "--exit-code", nil, "4 where something would change" },
    { "--fleet", "FILE.csv", "plan for each phone of an inventory" },
    { "--jobs", "N", "with --fleet: phones at a time (64)" },
  },
  examples = {
    "peal plan --phone phone.lua --store st",
    "peal plan '[--key $GPP_K] http://192.168.1.200/$MA.xml' --store st",
    "peal plan --store st --rules new-rules --exit-code",
    "peal plan --store st --out tonight.plan",
    "peal plan --fleet phones.csv --phone phone.lua --json",
  },
}

local CHANGES <const> = 4

local function usage(sentence, next_step)
  return nil, { sentence = sentence, word = "usage", code = 2,
    next = next_step }
end

local function check(options)
  if options.fleet and options.out then
    return usage("--out writes the plan of one phone, not of a fleet")
  elseif options.jobs and not options.fleet then
    return usage("--jobs goes with --fleet")
  elseif options[2] then
    return usage("one rule at most: quote it")
  end
  return true
end

local function exit_code(public, options)
  if public.outcome == "refused" then return 3 end
  if public.outcome == "failure" then return 1 end
  return options.exit_code and #public.changes > 0 and CHANGES or 0
end

local function tell(done, options)
  local text = require "peal.cli.plan.text"
  if options.v then text.steps(done) end
  if options.json then
    output.json(done.public)
  else
    text.print(done)
  end
end

local function write(done, options)
  local plan_file = require "peal.dry_run.plan_file"
  local ok, failed = files.replace(options.out, plan_file.encode(done.plan))
  if not ok then return nil, failed end
  local request = done.plan.request
  output.say("written to %s: peal apply %s%s", options.out, options.out,
    request.digest and not request.rule
    and " 'RULE' (its secret is not in the file)" or "")
  return true
end

function plan.run(options)
  local ok, failed = check(options)
  if not ok then return nil, failed end
  if options.fleet then return require("peal.cli.plan.fleet").run(options) end
  local done
  done, failed = require("peal.cli.plan.one").run(options)
  if not done then return nil, failed end
  tell(done, options)
  local code = exit_code(done.public, options)
  if options.out and (code == 0 or code == CHANGES) then
    ok, failed = write(done, options)
    if not ok then return nil, failed end
  elseif options.out then
    output.say("%s is not written: this plan does not work", options.out)
  end
  return code
end

return plan
