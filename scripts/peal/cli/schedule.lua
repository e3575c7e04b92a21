--- peal schedule: the next resyncs.
local json = require "peal.json"
local output = require "peal.cli.output"
local standing = require "peal.cli.standing"
local when = require "peal.cli.when"

local command = {
  name = "schedule",
  usage = "[N]",
  summary = "List the next N (20) resyncs, each with the earliest and the "
    .. "latest time.",
  details = "Computed by the rules now in force, as if each run succeeds, or, "
    .. "while they\nfail, fails. Asks the daemon that owns the store; without "
    .. "one the list is what\na daemon started now would do.",
  options = {},
  examples = { "peal schedule --store st", "peal schedule 3 --json" },
}

local MAX <const> = 200
local DEFAULT <const> = 20

local function print_firings(result)
  if #result.firings == 0 then
    return output.print("no resync is scheduled")
  end
  local rows = { { "CAUSE", "EARLIEST", "LATEST", "LOCAL", "WHY" } }
  for _, one in ipairs(result.firings) do
    rows[#rows + 1] = { one.cause or "", when.utc(one.earliest),
      one.latest == one.earliest and "same" or when.utc(one.latest),
      when.at_home(one.earliest, result.zone), one.why or "" }
  end
  output.print(output.columns(rows))
end

function command.run(options)
  local n = options[1] and math.tointeger(tonumber(options[1])) or DEFAULT
  if options[2] or options[1] and not options[1]:find("^%d+$")
    or n < 1 or n > MAX then
    return nil, { sentence = ("how many? A number from 1 to %d"):format(MAX),
      word = "usage", code = 2 }
  end
  local result, failed = standing.ask(options, "schedule", "schedule",
    { n = n }, function(engine, open)
      return { zone = open.world.now().zone,
        firings = json.array(engine:schedule(n)) }
    end)
  if not result then return nil, failed end
  if options.json then
    output.json(result)
  else
    print_firings(result)
  end
  return 0
end

return command
