--- peal events: follow what a daemon does.
local json = require "peal.json"
local output = require "peal.cli.output"
local reload = require "peal.cli.reload"
local when = require "peal.cli.when"

local command = {
  name = "events",
  usage = "",
  summary = "Follow what the daemon that owns the store does, line by line, "
    .. "until ^C.",
  details = "--json gives one object a line. Ends with exit code 1 when the "
    .. "daemon does.",
  options = {
    { "--count", "N", "end after so many events" },
  },
  examples = { "peal events --store st", "peal events --json --store st" },
}

local FIRST <const> = { event = true, time = true, phone = true }

local function line_of(event)
  local keys, parts = {}, {}
  for key in pairs(event) do
    if not FIRST[key] then keys[#keys + 1] = key end
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    local value = event[key]
    parts[#parts + 1] = key .. "=" .. (type(value) == "table"
      and json.encode(value) or tostring(value))
  end
  return ("%s %-8s %s"):format(when.utc(event.time), event.event,
    output.clip(table.concat(parts, " "), 300))
end

--- An event as a line.
command.line = line_of

function command.run(options)
  local count = options.count and math.tointeger(tonumber(options.count))
  if options.count and (not count or count < 1) then
    return nil, { sentence = "--count takes a number from 1 on",
      word = "usage", code = 2 }
  end
  local daemon, failed = reload.daemon_of(options, "events")
  if not daemon then return nil, failed end
  local seen, stop = 0, false
  local function hear(event)
    if stop then return true end
    seen = seen + 1
    local ok = io.stdout:write(options.json and json.encode(event)
      or line_of(event), "\n")
    io.stdout:flush()
    stop = not ok or seen == count
    return stop
  end
  daemon.client.on_event = hear -- the first may come with the answer
  local subscribed
  subscribed, failed = daemon:call("subscribe", {})
  if not subscribed then return nil, failed end
  if options.v then output.say("following %s", daemon.path) end
  if stop or daemon:listen(hear) then return 0 end
  return nil, { sentence = "the daemon has ended", word = "canceled",
    next = ("what it has done: %s/messages"):format(daemon.path) }
end

return command
