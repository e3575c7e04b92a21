--- peal replay: a recorded resync once more.
local cassette_file = require "peal.cli.cassette_file"
local json = require "peal.json"
local outcome = require "peal.daemon.outcome"
local output = require "peal.cli.output"
local passphrase = require "peal.cli.passphrase"
local play = require "peal.cassette.play"
local resync_result = require "peal.cli.resync_result"

local replay = {
  name = "replay",
  usage = "FILE",
  summary = "Play a cassette: the same resync, call by call, on this machine.",
  details = "No store and no network are needed. It is the same when the "
    .. "calls to the\noutside, the trace, the store, the log and the "
    .. "datagrams are the same, bit for\nbit; else the first call that "
    .. "differs is named.\n\nWith --rules: what these rule files would have "
    .. "done, with the recorded answers.\n\nExit codes: 0 the same, 1 it "
    .. "differs.",
  options = {
    { "--rules", "DIR", "what would these rule files have done?" },
    { "--case", "OUT.lua", "write it as a case for tests/cases" },
    passphrase.option,
  },
  examples = {
    "peal replay tonight.peal",
    "peal replay tonight.peal -v",
    "peal replay tonight.peal --rules new-rules",
    "peal replay ticket.peal --case tests/cases/ticket.lua",
  },
}

local function usage(sentence)
  return nil, { sentence = sentence, word = "usage", code = 2 }
end

local function broken(path, sentence, word)
  return nil, { sentence = ("%s: %s"):format(path, sentence), word = word }
end

local function check(options)
  if not options[1] then return usage("which cassette?") end
  if options[2] then return usage("one cassette at a time") end
  if options.rules and options.case then
    return usage("--rules or --case, not both")
  end
  return true
end

-- --- the same once more ---

local function print_result(played, options)
  local done = outcome.of(played.phone, played.result, options.v)
  if options.v then resync_result.steps(done.steps or {}) end
  resync_result.print(done)
  resync_result.notes(done.public)
  if done.told then output.say("%s", done.told.sentence) end
  if played.result.outcome == "refused" then
    output.say("refused: %s", played.result.reason)
  end
  return done
end

local function strict(c, options)
  local again = c.kind == "engine" and play.life or play.resync
  local played, sentence, word = again(c)
  if not played then return broken(options[1], sentence, word) end
  local divergence = played.divergence
  if options.json then
    local done = played.result
      and outcome.of(played.phone, played.result, options.v)
    output.json { identical = played.identical, calls = played.calls,
      divergence = divergence, result = done and done.public,
      steps = done and done.steps }
  elseif played.result then
    print_result(played, options)
  end
  if divergence then
    output.say("%s", divergence.sentence)
    return 1
  end
  if not options.json then
    output.print(("the same: %d calls, trace, store, log, datagrams"):format(
      played.calls))
  end
  return 0
end

-- --- other rules ---

local function print_differences(found)
  if found.outcome then
    output.print(("outcome: was %s, would be %s"):format(found.outcome.was,
      found.outcome.now))
  end
  for _, one in ipairs(found.rules) do
    output.print(("%s: was %s, would be %s"):format(one.rule, one.was,
      one.now))
  end
  if #found.params > 0 then
    local rows = { { "PARAMETER", "WAS", "WOULD BE" } }
    for _, one in ipairs(found.params) do
      rows[#rows + 1] = { one.name, output.clip(one.was or "", 32),
        output.clip(one.now, 48) }
    end
    output.print(output.columns(rows, "  "))
  end
  if not found.outcome and #found.rules + #found.params == 0 then
    output.print("these rules would have done the same")
  end
end

local function other_rules(c, options)
  local rule_files = require "peal.world.rule_files"
  local what_if = require "peal.cassette.what_if"
  local sources = rule_files.read(options.rules)
  if sources["."] then
    return usage(("--rules: no such folder: %s"):format(options.rules))
  end
  local was, sentence, word = play.resync(c)
  if not was then return broken(options[1], sentence, word) end
  if was.divergence then
    return broken(options[1], "it does not play as it was recorded: "
      .. was.divergence.sentence, "diverged")
  end
  local now
  now, sentence, word = what_if.run(c, sources)
  if not now then return broken(options[1], sentence, word) end
  local found = what_if.compare(was, now)
  if options.json then
    json.array(found.rules)
    json.array(found.params)
    output.json(found)
  else
    print_differences(found)
    resync_result.notes(outcome.of(now.phone, now.result).public)
  end
  return 0
end

local function write_case(c, options)
  local files = require "peal.cli.files"
  local text, sentence, word = require("peal.cassette.case")(c)
  if not text then return broken(options[1], sentence, word) end
  local ok, failed = files.write(options.case, text)
  if not ok then return nil, failed end
  output.print(("a case in %s"):format(options.case))
  return 0
end

function replay.run(options)
  local ok, failed = check(options)
  if not ok then return nil, failed end
  local c
  c, failed = cassette_file.read(options[1], options)
  if not c then return nil, failed end
  if c.kind == "engine" and (options.case or options.rules) then
    return usage("this cassette is of days, not of one resync: it can be "
      .. "played, and that is all")
  end
  if options.case then return write_case(c, options) end
  if options.rules then return other_rules(c, options) end
  return strict(c, options)
end

return replay
