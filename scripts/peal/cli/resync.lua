--- peal resync: one cycle by hand.
local cycle = require "peal.cycle"
local hints = require "peal.cli.hints"
local json = require "peal.json"
local last_resync = require "peal.last_resync"
local outcome = require "peal.daemon.outcome"
local output = require "peal.cli.output"
local remote = require "peal.cli.remote"
local session = require "peal.cli.session"

local resync = {
  name = "resync",
  usage = "[RULE]",
  summary = "Fetch, decode and apply the profiles of Profile_Rule to "
    .. "Profile_Rule_D,\nor of RULE alone, and say what changed and why.",
  details = "Without a store (--store, or `store` in the phone file) nothing "
    .. "is kept.\nCounts as an explicit request: Resync_Trigger_1 and _2 are "
    .. "not asked.\nWhere a daemon owns the store (peal run), it is the one "
    .. "that resyncs.",
  options = {},
  examples = {
    "peal resync --phone phone.lua --store st",
    "peal resync '[--key s3cret] https://192.168.1.200/$MA.xml' "
      .. "--phone phone.lua",
  },
}

local function change_rows(changes)
  local rows = { { "PARAMETER", "OLD", "NEW", "RULE" } }
  for _, change in ipairs(changes) do
    local old, new = change.old, change.new
    if change.ua_only then
      old, new = "ua " .. tostring(change.ua_old), "ua " ..
        tostring(change.ua_new)
    end
    rows[#rows + 1] = { change.name, output.clip(old, 32),
      output.clip(new, 48), change.rule }
  end
  return rows
end

local function rule_line(done)
  if done.outcome == "skipped" then
    return ("%s: skipped, %s"):format(done.rule, done.reason or "")
  end
  if done.outcome == "assigned" then
    return ("%s: assigned, nothing to fetch"):format(done.rule)
  end
  local parts = { ("%s: %s"):format(done.rule, done.url or "") }
  if done.status then parts[#parts + 1] = "HTTP " .. done.status end
  if done.missing then parts[#parts + 1] = "no such file, which is no fault" end
  if done.bytes then parts[#parts + 1] = ("%d bytes"):format(done.bytes) end
  local counts = done.counts
  if counts then
    parts[#parts + 1] = ("%d parameters"):format(counts.elements)
    if counts.unknown > 0 then
      parts[#parts + 1] = ("%d unknown"):format(counts.unknown)
    end
    if counts.bad > 0 then
      parts[#parts + 1] = ("%d refused"):format(counts.bad)
    end
  end
  if done.changes then
    parts[#parts + 1] = ("%d changed"):format(done.changes)
  end
  return table.concat(parts, ", ")
end

local MAX_NOTES <const> = 20

local function say_notes(result)
  for i, note in ipairs(result.notes) do
    if i > MAX_NOTES then
      output.say("and %d more notes (--json shows all)",
        #result.notes - MAX_NOTES)
      return
    end
    local text = output.note(note)
    if note.line and note.line > 0 then
      text = ("line %d: %s"):format(note.line, text)
    end
    output.say("%s", output.clip(text, 300))
  end
end

local function say_steps(steps)
  for _, step in ipairs(steps) do
    local kind = step.step
    step.step = nil
    io.stderr:write(("  %-9s %s\n"):format(kind, json.encode(step)))
    step.step = kind
  end
end

local function print_result(done)
  local result, empty = done.public, {}
  for _, name in ipairs(done.empty) do empty[name] = true end
  local all_empty = #done.empty > 0
  for _, one in ipairs(result.rules) do
    all_empty = all_empty and empty[one.rule]
    if one.outcome ~= "failure" and not empty[one.rule] then
      output.print(rule_line(one))
    end
  end
  if all_empty then output.print("no rule asks for anything") end
  if #result.changes > 0 then
    output.print(output.columns(change_rows(result.changes), "  "))
  end
  for _, refused in ipairs(result.refused) do
    output.print(("  %s refused by %s: %s"):format(refused.name,
      refused.by or "a rule", refused.reason))
  end
end

local function summary(result, store_path)
  local n = #result.changes
  local text = ("resync ok: %d %s"):format(n, n == 1 and "change" or "changes")
  if result.revision and store_path then
    text = ("%s, revision %d"):format(text, result.revision)
  elseif n > 0 then
    text = text .. ", not kept (no --store)"
  end
  if result.reboot then text = text .. "; a reboot is needed" end
  output.print(text)
  if n > 0 and store_path then
    output.say("why? peal explain %s --store %s", result.changes[1].name,
      store_path)
  end
end

-- What was learned of servers outlives the program: certificates that failed a
-- check, the bundle of Custom_CA_Rule, sessions; and with it how the resync
-- went. Changes were committed with that. One that has changed and learned
-- nothing leaves the store as it was.
local function keep_state(phone, result)
  local keep = phone.keep
  if not keep:dirty("trust") and not keep:dirty("tls") then return end
  if result.outcome ~= "refused" then
    last_resync.remember(phone, result, "cli")
  end
  local ok, sentence = keep:flush("resync")
  if not ok then output.say("what it has learned is not kept: %s", sentence) end
end

local function run_here(options)
  local open, failed = session.open(options, { trust = true })
  if not open then return nil, failed end
  local result = open.world.run(cycle.run, open.phone, { asked_by = "cli",
    explicit = true, rule = options[1], prvst = -1 })
  keep_state(open.phone, result)
  local ok, sentence = open.phone.book:save()
  if not ok then output.say("rule files: not kept: %s", sentence) end
  return outcome.of(open.phone, result, options.v), open.store_path
end

local function ask(daemon, options)
  local done, failed = daemon:call("resync", { rule = options[1],
    steps = options.v, wait = true }, false)
  if not done then return nil, failed end
  return done, daemon.path
end

local function tell(done, options)
  if options.v then say_steps(done.steps or {}) end
  if options.json then
    output.json(done.public)
  else
    print_result(done)
    say_notes(done.public)
  end
end

function resync.run(options)
  if #options > 1 then
    return nil, { sentence = "one rule at most: quote it", word = "usage",
      code = 2 }
  end
  local daemon, failed = remote.find(options, "resync")
  if failed then return nil, failed end
  local done, path
  if daemon then
    done, path = ask(daemon, options)
  else
    done, path = run_here(options)
  end
  if not done then return nil, path end
  local result = done.public
  if done.told then
    for _, failure in ipairs { done.told, result.error } do
      failure.next = hints.typed(failure.next, options)
    end
  end
  tell(done, options)
  if result.outcome == "refused" then
    output.say("refused: %s%s", result.reason,
      result.by and (" (%s)"):format(result.by) or "")
    return 3
  end
  if result.outcome == "failure" then
    output.failure(done.told)
    return 1
  end
  if not options.json then summary(result, path) end
  return 0
end

return resync
