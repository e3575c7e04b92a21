--- peal plan --fleet: the plans of an inventory, summed up.
local files = require "peal.cli.files"
local fleet_plan = require "peal.fleet_plan"
local inventory = require "peal.fleet_plan.inventory"
local loop = require "peal.loop"
local output = require "peal.cli.output"
local progress = require "peal.cli.progress"
local session = require "peal.cli.session"

local fleet = {}

local BYTES_MAX <const> = 256 << 20
local JOBS_MAX <const> = 1024
-- Rows of each list that a person is shown.
local PARAMS <const>, PATTERNS <const>, LINES <const> = 20, 4, 5

local CHANGES <const> = 4
-- What a shell takes for the end by ^C.
local INTERRUPTED <const> = 130

local function usage(sentence, next_step)
  return nil, { sentence = sentence, word = "usage", code = 2,
    next = next_step }
end

-- --- what there is ---------------------------------------------------------

local function jobs_of(options)
  if not options.jobs then return fleet_plan.jobs end
  local jobs = math.tointeger(tonumber(options.jobs))
  if not jobs or jobs < 1 or jobs > JOBS_MAX then
    return usage(("--jobs is no number from 1 to %d"):format(JOBS_MAX))
  end
  return jobs
end

local function problems_of(path, problems)
  for _, one in ipairs(problems) do
    output.say("%s: line %d: %s", path, one.line, output.clip(one.text, 200))
  end
  if problems.n > #problems then
    output.say("and %d more", problems.n - #problems)
  end
  return usage(("%s: %d %s; nothing was planned"):format(path, problems.n,
    problems.n == 1 and "mistake" or "mistakes"),
    "columns: docs/plan.md")
end

local function open_all(options)
  if options.store then
    return usage("--store is of one phone",
      "name each phone's own in a column: store")
  end
  local path, failed = session.store_path(options)
  if failed then return nil, failed end
  if path then
    return usage(("%s: a store is of one phone"):format(options.phone),
      "name each phone's own in a column: store")
  end
  local own_loop, sentence, word = loop.new()
  if not own_loop then return nil, { sentence = sentence, word = word } end
  local open
  open, failed = session.open(options, { trust = true, loop = own_loop })
  if not open then return nil, failed end
  return open, own_loop
end

local function read(path, schema)
  local text, failed = files.read(path, BYTES_MAX)
  if not text then return nil, failed end
  local list, problems = inventory.parse(text, schema)
  if not list then return problems_of(path, problems) end
  -- a folder is where the inventory says, from there
  local folder = path:match("^(.*/)") or ""
  for _, entry in ipairs(list) do
    if entry.store and entry.store:sub(1, 1) ~= "/" then
      entry.store = folder .. entry.store
    end
  end
  return list
end

-- --- progress --------------------------------------------------------------

local function far(done, total, bad)
  return ("%d of %d phones, %d failed or refused"):format(done, total, bad)
end

-- Someone who looks on is told how far it is.
local function watch(total)
  local done, bad = 0, 0
  local tell, clear, say = progress.new()
  return function(_, public)
    done = done + 1
    if public.outcome ~= "success" then bad = bad + 1 end
    if done == total then
      say(far(done, total, bad))
    else
      tell(far, done, total, bad)
    end
  end, clear
end

local function verbose(entry, public)
  local n = #public.changes
  output.say("line %d: %s: %s", entry.line, entry.identity.MAC or "?",
    public.outcome == "success" and ("%d %s"):format(n, n == 1 and "change"
      or "changes") or public.outcome .. ": " .. (public.reason
      or public.error.sentence))
end

-- --- the summary, for people ------------------------------------------------

local function phones(n)
  return n == 1 and "1 phone" or n .. " phones"
end

local function lines_of(list)
  local few = table.move(list, 1, math.min(#list, LINES), 1, {})
  return table.concat(few, ", ") .. (#list > LINES and ", ..." or "")
end

local function value(text)
  return text == "" and '""' or output.clip(text, 28)
end

-- Values that several phones share; where each has its own, a few do.
local function add_param(rows, param)
  rows[#rows + 1] = { param.name, tostring(param.phones), "" }
  local rest = param.others
  for i, pattern in ipairs(param.patterns) do
    local shared = pattern.phones > 1 or #param.patterns <= PATTERNS
    if i <= PATTERNS and shared then
      rows[#rows + 1] = { "", tostring(pattern.phones), ("%s -> %s"):format(
        value(pattern.old), value(pattern.new)) }
    else
      rest = rest + pattern.phones
    end
  end
  if rest > 0 then
    local first = param.patterns[1]
    rows[#rows + 1] = { "", tostring(rest), rest == param.phones
      and ("each another, such as %s -> %s"):format(value(first.old),
      value(first.new)) or "other values" }
  end
end

local function print_group(group)
  if #group.parameters == 0 then return end
  output.print(("%s: %d of %s changed"):format(group.group == ""
    and "changes" or "group " .. output.clip(group.group), group.changed,
    phones(group.phones)))
  local rows = { { "PARAMETER", "PHONES", "OLD -> NEW" } }
  for i, param in ipairs(group.parameters) do
    if i > PARAMS then
      rows[#rows + 1] = { ("and %d more"):format(#group.parameters - PARAMS) }
      break
    end
    add_param(rows, param)
  end
  output.print(output.columns(rows, "  "))
end

local function print_failures(public)
  for _, one in ipairs(public.failures) do
    output.print(("failed: %s: %s%s (lines %s)"):format(phones(one.phones),
      output.clip(one.sentence, 160), one.word and " [" .. one.word .. "]"
      or "", lines_of(one.lines)))
    if one.next then output.print("  " .. one.next) end
  end
  for _, one in ipairs(public.given_up) do
    output.print(("given up: %s: no answer in time to %d requests in a row; "
      .. "%d more failed at once"):format(output.clip(one.server, 160),
      one.after, one.spared))
  end
  for _, one in ipairs(public.refusals) do
    output.print(("refused: %s: %s%s (lines %s)"):format(phones(one.phones),
      output.clip(one.reason, 160), one.by and " (" .. one.by .. ")" or "",
      lines_of(one.lines)))
  end
end

local EFFECTS <const> = { { "reboot", "reboot" },
  { "reregister", "register a line anew" }, { "upgrade", "upgrade" },
  { "headset", "ask about headset firmware" },
  { "certificate", "get a new certificate" },
  { "roots", "trust other roots" }, { "report", "send a report" },
  { "schedule", "resync at other times" },
  { "sent", "have sent what a rule posts" } }

local function print_effects(effects)
  local parts = {}
  for _, pair in ipairs(EFFECTS) do
    local n = effects[pair[1]]
    if n then parts[#parts + 1] = ("%d %s"):format(n, pair[2]) end
  end
  if parts[1] then
    output.print("what it brings about: " .. table.concat(parts, ", "))
  end
end

local function print_all(public)
  for _, group in ipairs(public.groups) do print_group(group) end
  print_effects(public.effects)
  for i, note in ipairs(public.notes) do
    if i > PARAMS then break end
    output.say("%s: %s", phones(note.phones), output.clip(note.text, 200))
  end
  print_failures(public)
  if public.stopped_of then
    output.print(("stopped after %d of %s"):format(public.phones,
      phones(public.stopped_of)))
  end
  output.print(("plan: %s: %d unchanged, %d changed, %d failed, %d refused; "
    .. "nothing was written"):format(phones(public.phones), public.unchanged,
    public.changed, public.failed, public.refused))
end

local function exit_code(public, options)
  if public.stopped_of then return INTERRUPTED end
  if public.failed > 0 then return 1 end
  if public.refused > 0 then return 3 end
  return options.exit_code and public.changed > 0 and CHANGES or 0
end

-- The sum so far, where somebody presses ^C; a second one ends the process.
local function summed_up(own_loop, open, list, about)
  about.stop = {}
  local signal
  signal = own_loop:signal({ "INT" }, function()
    signal:cancel()
    about.stop.asked = true
    open.world.post(about.stop)
  end)
  local sum = open.world.run(fleet_plan.run, open.world, list, about)
  if signal then signal:cancel() end
  return sum:public()
end

--- Plan for a fleet; the exit code.
-- @return[2] nil, failure
function fleet.run(options)
  local jobs, failed = jobs_of(options)
  if not jobs then return nil, failed end
  local open, own_loop = open_all(options)
  if not open then return nil, own_loop end
  local list
  list, failed = read(options.fleet, open.schema)
  if not list then return nil, failed end
  local tell, over = watch(#list)
  local p = open.phone
  local public = summed_up(own_loop, open, list, {
    schema = open.schema, store = open.store, identity = p.identity,
    overrides = p.overrides, state = p.state, account = p.account,
    dhcp = p.dhcp, keep_unknown = p.keep_unknown, rule = options[1],
    jobs = jobs, tell = options.v and verbose or tell })
  over()
  if options.json then output.json(public) else print_all(public) end
  return exit_code(public, options)
end

return fleet
