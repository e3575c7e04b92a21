--- A session: a private engine on a snapshot of a store. What is written lives
-- here until it is committed; what is live is asked of the daemon.
--   session.base    the store as it was read; never written
--   session.store   a copy in memory: the session's own
--   session.phone   over that copy; session.world asks real servers
--   session.daemon  client of the control socket, or nil
--   session.guard   what hides secrets in all that is printed
local failure = require "peal.repl.failure"
local guard = require "peal.repl.guard"
local open_files = require "peal.cli.session"
local phone = require "peal.phone"
local remote = require "peal.cli.remote"
local secret = require "peal.secret"
local store = require "peal.store"
local sys = require "peal.sys"
local task = require "peal.task"
local write = require "peal.daemon.write"

local session = {}
session.__index = session

-- A wait in the loop looks this often whether it was interrupted, s.
local TICK_S <const> = 0.1
-- A daemon answers within a second; this is for one that is stopped (^Z).
local PATIENCE_S <const> = 10
-- What ends the task of a run that somebody leaves.
local LEFT <const> = "the run was left"

-- --- opening ---

local function problem(sentence, word, next_step)
  return nil, { sentence = sentence, word = word, next = next_step }
end

-- The daemon of the store; nil, failure: it is to be there, and is not.
local function attach(options)
  local path, failed = open_files.store_path(options)
  if failed then return nil, failed end
  if not path then
    return nil, { sentence = "peal repl --attach needs the store of a daemon",
      word = "usage", code = 2,
      next = "name its folder: peal repl --attach DIR" }
  end
  local daemon
  daemon, failed = remote.at(path)
  if daemon or failed then return daemon, failed end
  return problem(path .. ": no daemon owns this store", "not-found",
    "start it with: peal run --store " .. path
      .. ", or leave --attach away")
end

-- What the daemon's phone knows that its store does not; of one that has ended,
-- what it knew.
local function learned(self)
  if not self.daemon then return {} end
  if self.gone then
    return { memory = self.memory, identity = self.phone.identity }
  end
  local about = failure.check(self:call("snapshot"))
  self.engine, self.progress = about.engine, about.progress
  self.memory = about.memory
  return about
end

-- @treturn integer the revision that the daemon was at, or nil
local function new_phone(self)
  local was, file, identity = self.opened.phone, self.opened.file, {}
  local about = learned(self)
  for name, value in pairs(about.identity or {}) do identity[name] = value end
  if not self.daemon then
    for name, value in pairs(was.identity) do identity[name] = value end
  end
  identity.MPWD = was.identity.MPWD
  self.phone = phone.new { world = self.world, identity = identity,
    state = file.state, overrides = self.overrides, account = file.account,
    dhcp = file.dhcp, keep_unknown = was.keep_unknown,
    memory = about.memory }
  return about.revision
end

local function newest_on_disk(self)
  local newest = 0
  for _, name in ipairs(sys.list(self.path) or {}) do
    newest = math.max(newest, tonumber(name:match("^rev%-(%d+)$")) or 0)
  end
  return newest
end

local function read_base(self)
  if not self.path or newest_on_disk(self) == 0 then return end
  self.base = failure.check(store.open { schema = self.schema,
    path = self.path, read_only = true })
end

local function take_copy(self)
  local copy = failure.check(self.base:copy())
  self.store, self.world.store = copy, copy
  self.guard:learn(copy)
end

-- The session begins anew on what self.base is.
local function begin(self)
  take_copy(self)
  local revision = new_phone(self)
  if revision and revision > self.base:revision() then
    read_base(self) -- the daemon has committed between the two
    take_copy(self)
  end
end

local function copy_of(t)
  local out = {}
  for key, value in pairs(t) do out[key] = value end
  return out
end

--- @tparam table options of the command line; options.attach
--   read_only   every write is refused
-- @return[2] nil, failure
function session.open(options)
  local self = setmetatable({ options = options,
    read_only = options.read_only, on_event = function() end,
    hooks = function() end }, session)
  local failed
  if options.attach then
    self.daemon, failed = attach(options)
    if not self.daemon then return nil, failed end
  end
  self.loop = self.daemon and self.daemon.loop
    or failure.check(require("peal.loop").new())
  self.opened, failed = open_files.open(options, { read_only = true,
    trust = true, loop = self.loop })
  if not self.opened then return nil, failed end
  self.schema, self.world = self.opened.schema, self.opened.world
  self.path, self.base = self.opened.store_path, self.opened.store
  self.overrides = copy_of(self.opened.phone.overrides)
  self.guard = guard.new(self.base,
    function(name) return self.phone:secret(name) end)
  self.guard:add(self.opened.phone.identity.MPWD)
  self.guard:add((self.opened.file.account or {}).password)
  local ok, why = pcall(begin, self)
  if not ok then return nil, failure.of(why) end
  return self
end

-- --- the daemon, and what takes its time ---

local function interrupted()
  local ok, terminal = pcall(require, "peal.terminal")
  return ok and terminal.interrupted()
end

-- One turn of the loop, a tick at most.
local function turn(self)
  local timer = self.loop:timer(TICK_S, function() end)
  self.loop:run(true)
  timer:cancel()
  if interrupted() then error(failure.INTERRUPTED, 0) end
end

--- Run `fn(...)` as a task to its end; its results. It may be held up by
-- hold(), and ends where it is interrupted.
--   seconds   patience; nil: as long as it takes
function session:run(fn, seconds, ...)
  local job, before = { turns = 0 }, self.job
  self.job = job
  local until_then = seconds and sys.monotonic() + seconds
  task.guarded(function(text) job.failed = text end, function(...)
    job.results = table.pack(fn(...))
  end, ...)
  local ok, why = pcall(function()
    while not job.results and not job.failed do
      if job.held then
        local held = job.held
        job.held = nil
        held()
      elseif until_then and sys.monotonic() > until_then then
        failure.raise { sentence = "no answer in time", word = "timeout" }
      else
        turn(self)
      end
    end
  end)
  self.job, job.over = before, true
  if not ok then error(why, 0) end
  if job.failed then error(job.failed, 0) end
  return table.unpack(job.results, 1, job.results.n)
end

--- Hold the task up until `look()`, which runs outside of it, returns. Its
-- result; the task ends where that is "quit".
function session:hold(look)
  local job = self.job
  if not job or job.over then error(LEFT, 0) end
  local result = task.await(function(resume)
    job.held = function() resume(look()) end
  end)
  if result == "quit" then error(LEFT, 0) end
  return result
end

--- Call a method of the daemon.
--   seconds   patience; false: as long as it takes
-- @return result | nil, sentence, word, place, next step
function session:call(method, params, seconds)
  if self.gone then
    return nil, "the daemon has ended", "canceled", nil,
      ("start it again, this session finds it: peal run --store %s"):format(
      self.path)
  end
  if seconds == nil then seconds = PATIENCE_S end
  return self:run(function()
    return self.daemon.client:call(method, params or {})
  end, seconds or nil)
end

--- Hand the daemon's events to self.on_event from now on.
function session:follow()
  self.daemon.client.on_event = function(event)
    if event.event ~= "step" then self.stale = true end
    self.on_event(event)
  end
  self.daemon.client.on_over = function()
    self.gone = true
    self.on_event { event = "ended", time = math.floor(sys.time()) }
  end
  return failure.check(self:call("subscribe"))
end

-- --- the snapshot ---

-- A daemon that has been started again.
-- @treturn boolean is it there?
local function attach_again(self)
  local daemon = remote.at(self.path, self.loop)
  if not daemon then return false end
  self.daemon:close()
  self.daemon, self.gone, self.stale = daemon, nil, true
  self:follow()
  return true
end

--- Has the session written what is not committed?
function session:has_written()
  return self.store:revision() ~= self.base:revision()
end

--- Take the snapshot anew, and let go of what was written.
function session:refresh()
  read_base(self)
  self.stale = false
  begin(self)
end

--- The same where the store has another revision meanwhile, or the daemon has
-- told that something was done.
-- @treturn string what is to be said of it, or nil
function session:follow_store()
  if not self.path then return nil end
  local again = self.gone and attach_again(self)
  local newest, stale = newest_on_disk(self), self.stale
  self.stale = false
  local is_same = newest == self.base:revision()
  if not self:has_written() then
    if stale or not is_same then self:refresh() end
    return again and "attached to the daemon again" or nil
  elseif not is_same and newest ~= self.told then
    self.told = newest
    return ("the store is at revision %d; this session stays at %d, for it "
      .. "has written what is not committed (:commit, :discard)"):format(
      newest, self.base:revision())
  end
  return again and "attached to the daemon again" or nil
end

-- --- reading and writing ---

--- Text of a parameter, a secret as a reference; nil for an unknown name.
function session:param(name)
  return self.phone:shown(name)
end

--- Refuse to write where that was asked for.
function session:check_write(what)
  if self.read_only then
    failure.raise { sentence = what .. ": this session is --read-only",
      word = "permission", next = "start it without --read-only" }
  end
end

-- nil: the default; of a parameter that no registry knows that is empty.
local function as_text(self, name, value)
  local kind = type(value)
  if value == nil then
    return not self.schema:find(name) and "" or nil
  elseif kind == "boolean" then
    return value and "Yes" or "No"
  elseif kind == "number" then
    return tostring(math.tointeger(value) or value)
  elseif kind ~= "string" then
    failure.raise { sentence = ("%s: a %s is no value"):format(name, kind),
      word = "bad-value", next = "give a text, a number, true or false" }
  end
  return value
end

-- References to secrets may stand in a secret only.
local function resolve(self, name, text)
  if not secret.holds(text) then return text end
  local about = self.store:value(name)
  if not about or not about.secret then
    failure.raise { word = "secret", sentence = name
      .. ": a secret may only be put into a secret parameter" }
  end
  return (failure.check(secret.resolve(text,
    function(of) return self.phone:secret(of) end)))
end

--- Write parameters in the session.
--   list   of { name, value }: texts, numbers, booleans; nil: the default
function session:write(list)
  self:check_write(list[1][1])
  local texts = {}
  for i, pair in ipairs(list) do
    local name = pair[1]
    local text = as_text(self, name, pair[2])
    local about = self.store:value(name)
    if about and about.secret then self.guard:add(text) end
    texts[i] = { name, resolve(self, name, text) }
  end
  local names, failed = write.values({ store = self.store, author = "repl",
    schema = self.schema, keep_unknown = self.phone.keep_unknown,
    time = self.world.now().time }, texts)
  if not names then failure.raise(failed) end
  for _, name in ipairs(names) do
    self.phone.overrides[name] = nil
    self.guard:learn_value(self.store:value(name))
  end
  return names
end

local COLUMNS <const> = { __columns = { "name", "old", "new" } }

--- What the session has written: list of { name, old, new, reset (back to the
-- default) }, in clear.
function session:written()
  local list = {}
  if not self:has_written() then return list end
  for about in self.store:each() do
    local was = self.base:value(about.name) or { text = "" }
    local reset = about.is_default and not was.is_default
    if was.text ~= about.text or reset then
      list[#list + 1] = { name = about.name, old = was.text,
        new = about.text, reset = reset or nil, secret = about.secret,
        type = about.type }
    end
  end
  return list
end

--- What others have written meanwhile that :commit would write over.
-- @treturn table list of { name, now, author, revision }, now as people may
--   see it
-- @treturn integer revision of the store by now
function session:overtaken()
  local shown = require "peal.shown"
  local list = {}
  if not self.path or newest_on_disk(self) == self.base:revision() then
    return list, self.base:revision()
  end
  local newest <close> = failure.check(store.open { schema = self.schema,
    path = self.path, read_only = true })
  for _, change in ipairs(self:written()) do
    local now = newest:value(change.name)
    local text = now and now.text or ""
    if text ~= change.old and text ~= change.new then
      list[#list + 1] = { name = change.name, now = shown.value(newest, now),
        author = now.author, revision = now.revision }
    end
  end
  return list, newest:revision()
end

--- The same as people may see it.
function session:diff()
  local shown = require "peal.shown"
  local list = setmetatable({}, COLUMNS)
  for i, change in ipairs(self:written()) do
    local function value(text)
      return shown.value(self.store, { name = change.name, text = text,
        type = change.type, secret = change.secret })
    end
    list[i] = { name = change.name, old = value(change.old),
      new = value(change.new),
      note = change.reset and "back to the default" or nil }
  end
  return list
end

-- --- the engine ---

--- An engine that is not started: what would come next. In a task.
local function engine_of(self)
  local e = require("peal.engine").new(self.phone)
  if not self.phone:yes("Provision_Enable") then return e end
  local plan = require "peal.engine.plan"
  e.boot_reason = "power_on"
  local answer = plan.ask(e, "boot")
  plan.arm(e, answer)
  if answer.start then plan.arm_start(e, answer.start) end
  return e
end

--- Ask the daemon, or an engine made for the moment.
function session:ask(method, params, fn)
  if self.daemon then return (failure.check(self:call(method, params))) end
  return self:run(function() return fn(engine_of(self)) end)
end

--- A cycle over a copy of the session's phone; nothing of it stays.
--   hooks   on_step, on_staged, see cycle/context.lua
-- @treturn table of dry_run.over(), or { left = true }
function session:dry_cycle(rule, hooks)
  local dry_run = require "peal.dry_run"
  local copy = failure.check(self.store:copy())
  local twin = self.phone:twin(
    require("peal.world.dry").new(self.world, copy))
  for name, fn in pairs(hooks or self.hooks() or {}) do twin[name] = fn end
  local ok, result, sentence, word = pcall(self.run, self, dry_run.over, nil,
    twin, { rule = rule, engine = self.engine, progress = self.progress })
  if not ok then
    if tostring(result):find(LEFT, 1, true) then return { left = true } end
    error(result, 0)
  end
  failure.check(result, sentence, word)
  if result.trace then self.last_trace = result.trace end
  return result
end

--- Go on from a dry cycle: what it has written is the session's.
function session:adopt(result)
  local twin = result.phone
  self.store, self.world.store = twin.world.store, twin.world.store
  self.phone = twin:twin(self.world)
  self.guard:learn(self.store)
end

function session:close()
  if self.daemon then self.daemon:close() end
end

return session
