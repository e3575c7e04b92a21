--- peal reload: have a daemon read its rule files anew.
local output = require "peal.cli.output"
local remote = require "peal.cli.remote"

local command = {
  name = "reload",
  usage = "",
  summary = "Have the daemon read its rule files anew, those too that rest "
    .. "after a failure.",
  details = "An edited file is noticed at the next decision anyway. The same "
    .. "as SIGHUP.",
  options = {},
  examples = { "peal reload --store st" },
}

--- The daemon of a command that makes no sense without one.
function command.daemon_of(options, name)
  if options[1] then
    return nil, { sentence = ("peal %s takes options only"):format(name),
      word = "usage", code = 2 }
  end
  local daemon, failed = remote.find(options, name)
  if daemon or failed then return daemon, failed end
  local path = require("peal.cli.session").store_path(options)
  if not path then
    return nil, { sentence = ("peal %s needs the store of a daemon"):format(
      name), word = "usage", code = 2, next = "name it: --store DIR" }
  end
  return nil, { sentence = path .. ": no daemon owns this store",
    word = "not-found", next = "start it with: peal run --store " .. path }
end

function command.run(options)
  local daemon, failed = command.daemon_of(options, "reload")
  if not daemon then return nil, failed end
  local result
  result, failed = daemon:call("reload", {})
  daemon:close()
  if not result then return nil, failed end
  if options.json then
    output.json(result)
  else
    output.say("the rule files are read anew; see: peal status --store %s",
      daemon.path)
  end
  return 0
end

return command
