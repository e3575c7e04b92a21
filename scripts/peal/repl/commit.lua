--- What a session has written goes into the store: through the daemon that
-- owns it, or by the session itself.
local advice = require "peal.cli.advice"
local failure = require "peal.repl.failure"
local json = require "peal.json"
local open_files = require "peal.cli.session"
local remote = require "peal.cli.remote"
local sys = require "peal.sys"
local write = require "peal.daemon.write"

local commit = {}

local function raise(failed)
  failed.next = failed.next or advice.here(failed.word)
  failure.raise(failed)
end

-- @treturn integer revision; nil, failure
local function through(session, daemon, list, seen)
  local values = {}
  for _, change in ipairs(list) do
    values[change.name] = change.reset and json.null or change.new
  end
  local params = { values = values, author = "repl", revision = seen,
    keep_unknown = session.phone.keep_unknown }
  local done, failed
  if daemon == session.daemon then
    local sentence, word, place, next_step
    done, sentence, word, place, next_step = session:call("set", params)
    failed = { sentence = sentence, word = word, place = place,
      next = next_step }
  else
    done, failed = daemon:call("set", params)
    daemon:close()
  end
  if not done then return nil, failed end
  return done.revision
end

-- @treturn integer revision; nil, failure
local function by_itself(session, list, seen)
  local options = { phone = session.options.phone, store = session.path,
    keep_unknown = session.options.keep_unknown }
  local open, failed = open_files.open(options, { disk = "repl" })
  if not open then raise(failed) end
  local pairs_of = {}
  for i, change in ipairs(list) do
    pairs_of[i] = { change.name, not change.reset and change.new or nil }
  end
  local names, revision = write.values({ store = open.store,
    schema = open.schema, author = "repl", revision = seen,
    keep_unknown = session.phone.keep_unknown, time = sys.time() }, pairs_of)
  open.store:close()
  if not names then return nil, revision end
  return revision
end

--- Write it.
--   seen   revision of the store that was looked at; nil: any
-- @treturn[1] integer the revision
-- @return[2] nil: the store is at another revision meanwhile
function commit.run(session, seen)
  session:check_write(":commit")
  local list = session:written()
  if not session.path then
    failure.raise { sentence = "there is no store to commit to",
      word = "bad-state", next = "start with: peal repl --store DIR" }
  end
  local daemon, failed = not session.gone and session.daemon, nil
  if not daemon then daemon, failed = remote.at(session.path) end
  if failed then raise(failed) end
  local revision
  if daemon then
    revision, failed = through(session, daemon, list, seen)
  else
    revision, failed = by_itself(session, list, seen)
  end
  if not revision and failed.word == "changed" then return nil end
  if not revision then raise(failed) end
  session:refresh()
  return revision
end

return commit
