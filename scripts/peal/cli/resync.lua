--- peal resync: one cycle by hand.
local cycle = require "peal.cycle"
local hints = require "peal.cli.hints"
local last_resync = require "peal.last_resync"
local outcome = require "peal.daemon.outcome"
local output = require "peal.cli.output"
local remote = require "peal.cli.remote"
local resync_result = require "peal.cli.resync_result"
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

-- The resync itself: result, and the phone that made it.
local function plain(open, request)
  return cycle.run(open.phone, request), open.phone
end

--- Make a resync without a daemon.
--   run    function(open, request) -> result, phone, in a task; nil: as it is
-- @treturn[1] table see daemon/outcome.lua
-- @treturn[1] string folder of the store, or nil
-- @return[2] nil, failure
function resync.here(options, run)
  local open, failed = session.open(options, { trust = true })
  if not open then return nil, failed end
  local result, phone = open.world.run(run or plain, open, { asked_by = "cli",
    explicit = true, rule = options[1], prvst = -1 })
  keep_state(open.phone, result)
  local ok, sentence = phone.book:save()
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
  if options.v then resync_result.steps(done.steps or {}) end
  if options.json then
    output.json(done.public)
  else
    resync_result.print(done)
    resync_result.notes(done.public)
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
    done, path = resync.here(options)
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
