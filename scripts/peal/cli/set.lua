--- peal set: write parameters by hand.
local advice = require "peal.cli.advice"
local output = require "peal.cli.output"
local remote = require "peal.cli.remote"
local session = require "peal.cli.session"
local sys = require "peal.sys"
local write = require "peal.daemon.write"

local set = {
  name = "set",
  usage = "NAME VALUE | NAME=VALUE ...",
  summary = "Write parameters into the store, all of them or none.",
  details = "The values are checked like those of a profile. NAME= empties "
    .. "a parameter.\nWhere a daemon owns the store, it is the one that "
    .. "writes, and acts on it at\nonce.",
  options = {},
  examples = { "peal set Resync_Periodic 7200 --store st",
    "peal set GPP_A= GPP_B='two words' --store st" },
}

local function pairs_of(options)
  if #options == 2 and not options[1]:find("=", 1, true) then
    return { { options[1], options[2] } }
  end
  local out = {}
  for i, text in ipairs(options) do
    local name, value = text:match("^([^=]+)=(.*)$")
    if not name then
      return nil, { sentence = ("not NAME=VALUE: %s"):format(
        output.clip(text)), word = "usage", code = 2 }
    end
    out[i] = { name, value }
  end
  if #out == 0 then
    return nil, { sentence = "what is to be set?", word = "usage", code = 2 }
  end
  return out
end

-- Through the daemon that owns the store.
local function ask(daemon, list, options)
  local values = {}
  for _, pair in ipairs(list) do values[pair[1]] = pair[2] end
  local done, failed = daemon:call("set", { values = values,
    keep_unknown = options.keep_unknown })
  if not done then return nil, failed end
  return done.changed, done.revision
end

local function write_here(list, options)
  local open, failed = session.open(options, { disk = "set" })
  if not open then return nil, failed end
  local names, revision = write.values({ store = open.store,
    schema = open.schema, keep_unknown = open.phone.keep_unknown,
    time = sys.time() }, list)
  if names then return #names, revision end
  failed = revision
  failed.next = failed.next or advice.here(failed.word)
  return nil, failed
end

function set.run(options)
  local list, failed = pairs_of(options)
  if not list then return nil, failed end
  local daemon, count, revision
  daemon, failed = remote.find(options, "set")
  if failed then return nil, failed end
  if daemon then
    count, revision = ask(daemon, list, options)
  else
    count, revision = write_here(list, options)
  end
  if not count then return nil, revision end
  if options.json then
    output.json { changed = count, revision = revision }
  else
    output.say("%d changed, revision %d", count, revision)
  end
  return 0
end

return set
