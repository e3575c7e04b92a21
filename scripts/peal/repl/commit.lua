--- What a session has written goes into the store: through the daemon that
-- owns it, or by the session itself.
local advice = require "peal.cli.advice"
local failure = require "peal.repl.failure"
local open_files = require "peal.cli.session"
local remote = require "peal.cli.remote"
local sys = require "peal.sys"
local write = require "peal.daemon.write"

local commit = {}

local function raise(failed)
  failed.next = failed.next or advice.here(failed.word)
  failure.raise(failed)
end

local function through(session, daemon, list)
  local values = {}
  for _, change in ipairs(list) do values[change.name] = change.new end
  local params = { values = values, author = "repl",
    keep_unknown = session.phone.keep_unknown }
  local done, failed
  if daemon == session.daemon then
    done = failure.check(session:call("set", params))
  else
    done, failed = daemon:call("set", params)
    daemon:close()
    if not done then raise(failed) end
  end
  return done.revision
end

local function by_itself(session, list)
  local options = { phone = session.options.phone, store = session.path,
    keep_unknown = session.options.keep_unknown }
  local open, failed = open_files.open(options, { disk = "repl" })
  if not open then raise(failed) end
  local pairs_of = {}
  for i, change in ipairs(list) do
    pairs_of[i] = { change.name, change.new }
  end
  local names, revision = write.values({ store = open.store,
    schema = open.schema, author = "repl",
    keep_unknown = session.phone.keep_unknown, time = sys.time() }, pairs_of)
  open.store:close()
  if not names then raise(revision) end
  return revision
end

--- Write it.
-- @treturn integer the revision
function commit.run(session)
  session:check_write(":commit")
  local list = session:written()
  if not session.path then
    failure.raise { sentence = "there is no store to commit to",
      word = "bad-state", next = "start with: peal repl --store DIR" }
  end
  local daemon, failed = session.daemon, nil
  if not daemon then daemon, failed = remote.at(session.path) end
  if failed then raise(failed) end
  local revision = daemon and through(session, daemon, list)
    or by_itself(session, list)
  session:refresh()
  return revision
end

return commit
