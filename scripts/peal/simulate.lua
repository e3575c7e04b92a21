--- Time travel: a phone on the virtual clock, whose days go by in no time.
--
--   local sim = simulate.new { schema =, store =, server = function(request,
--     about) ... end, zone = "CET-1CEST,M3.5.0,M10.5.0/3" }
--   sim:run(30 * 86400)
--   sim:param("GPP_A")  sim.timeline[1].text  sim:back(3)  sim:step()
--
-- The engine is the one of real phones, over the virtual world; a reboot or a
-- power cut begins it anew from its store. Going back is exact: what is random
-- is thrown by dice of a seed, so that the same steps from the start, or from
-- the copy of a boot on the way, give the same store, timeline and requests.
local answers = require "peal.simulate.answers"
local checkpoints = require "peal.simulate.checkpoints"
local civil = require "peal.civil"
local clock = require "peal.engine.clock"
local device = require "peal.device"
local happenings = require "peal.simulate.happenings"
local happens = require "peal.simulate.happens"
local keyring = require "peal.keyring"
local life_of = require "peal.simulate.life"
local moment = require "peal.simulate.moment"
local rule_files = require "peal.world.rule_files"
local shown = require "peal.shown"
local sorted = require "peal.sorted"
local span = require "peal.span"
local task = require "peal.task"
local timeline = require "peal.simulate.timeline"
local virtual = require "peal.world.virtual"

local simulate = {}
local sim = {}
sim.__index = sim

local START <const> = 1795342530 -- 2026-11-22 10:15:30 UTC
-- Nobody waits longer than that for a resync to record.
local RECORD_MAX_S <const> = 400 * 86400
local ADDRESS <const> = "192.0.2.7"

local function nothing_new()
  return { status = 200, headers = {}, sent = 1,
    body = "<flat-profile></flat-profile>" }
end

-- --- the timeline ---

-- The zone of the phone, by its parameters, else its device.
local function zone_now(self)
  return clock.zone(self.here)
end

-- The moment between two times at which the offset changes.
local function jump_between(z, from, to)
  local before = z:offset(from)
  while to - from > 1 do
    local middle = (from + to) // 2
    if z:offset(middle) == before then
      from = middle
    else
      to = middle
    end
  end
  return to
end

local function add(self, entry)
  entry.tick = self.ticks
  local list = self.timeline
  list[#list + 1] = entry
end

-- Say that the clocks were changed for summer or winter since the last entry.
local function note_jump(self, z, time)
  local last = self.last_seen
  if not last or last.zone ~= z or last.time > time then return end
  local before, after = z:offset(last.time), z:offset(time)
  if before == after then return end
  local at = jump_between(z, last.time, time)
  add(self, { kind = "zone", time = at, offset = z:offset(at),
    mono = self:mono() - (time - at),
    text = ("the clock goes %s by %s"):format(
      after > before and "forward" or "back",
      span(math.abs(after - before))) })
end

-- The engine tells times in UTC: here they are local like all others.
local function localized(text, z)
  return (text:gsub("%d+%-%d+%-%d+T%d+:%d+:%d+Z", function(utc)
    return moment.show(moment.time(utc, {}), z)
  end))
end

local function tell(self, entry)
  local z, time = zone_now(self), math.floor(self:time())
  note_jump(self, z, time)
  if entry.kind == "held" then entry.text = localized(entry.text, z) end
  self.last_seen = { zone = z, time = time }
  entry.time, entry.mono, entry.offset = time, self:mono(), z:offset(time)
  add(self, entry)
end

--- Put a line into the timeline.
function sim:say(kind, text, ...)
  tell(self, { kind = kind, text = text:format(...) })
end

-- --- the world around the phone ---

local function about_of(self, url)
  local key = math.floor(self:true_time())
  local z = self.home.zone
  local t = z:fields(key)
  self.asked[url] = (self.asked[url] or 0) + 1
  return { time = key, day = t.days - z:fields(self.home.start).days + 1,
    hour = t.hour, min = t.min, wday = t.wday, n = self.asked[url],
    text = moment.show(key, z), random = self.random,
    state = self.script_state }
end

local function ask_server(self, request)
  self.requests = self.requests + 1
  local url = answers.url(request)
  if self.on_request then
    self.on_request { mono = self:mono(), url = url, method = request.method }
  end
  if self.down then
    return nil, "the server does not answer", "connect"
  end
  local results = table.pack(pcall(self.server, request,
    about_of(self, url)))
  if results[1] then return table.unpack(results, 2, results.n) end
  self.problem = ("the server's script: %s"):format(tostring(results[2]))
  return nil, self.problem, "internal"
end

local function look_up(self, dns, name, kind, use_hosts)
  if self.dns_down then return nil, "no name server answers", "dns" end
  if type(dns) == "function" then return dns(name, kind, use_hosts) end
  if dns then return dns[name] end
  if kind == "SRV" then return nil, "no answer for " .. name, "dns" end
  local address = name:find("^[%d.]+$") or name:find(":", 1, true)
  return { { address = address and name or ADDRESS, age = 0 } }
end

-- Keys and certificates are made with real entropy: the n-th one is kept, and
-- is the same again when the simulation goes over its moment a second time.
local function kept(self, name, fn)
  return function(...)
    self.keys_made = self.keys_made + 1
    local key = ("%d %s"):format(self.keys_made, name)
    local known = self.keys[key]
    if not known then
      known = table.pack(fn(...))
      self.keys[key] = known
    end
    return table.unpack(known, 1, known.n)
  end
end

local function remember(self, world)
  local issue = world.issue
  world.new_key = kept(self, "new_key", world.new_key)
  world.issue = setmetatable({}, { __index = function(_, name)
    return kept(self, name, issue[name])
  end })
end

-- --- lives ---

local function boot(self, reason)
  local options = self.options
  self.life = life_of.new { store = self.kept, hardware = self.hardware,
    phone = options.phone, first = self.ticks == 1,
    time = self:time(), mono = self.off_mono,
    random = self.random, rules = self.rules, trust = options.trust,
    keyring = self.keyring,
    identity = options.phone.identity,
    server = function(request) return ask_server(self, request) end,
    dns = function(...) return look_up(self, options.dns or self.dns, ...) end,
    remember = function(world) remember(self, world) end,
    on_apply = function(changes)
      tell(self, { kind = "change", names = #changes,
        text = timeline.changes(self.kept, changes) })
    end,
    on_reboot = function(why, hardware)
      self:power_off(hardware, why, happenings.BOOT_S)
    end,
    log = function() end,
    tell = function(event)
      local entry = self.life and timeline.entry(event, self.life.engine)
      if entry then tell(self, entry) end
    end,
  }
  self.off = false
  self:say("boot", "boot (%s), load %s", reason or "by the engine",
    (device.loads(self.life.device, {})))
  task.spawn(function() self.life.engine:start(reason) end)
end

--- The phone goes off; what it is about to do is never done.
function sim:power_off(hardware, reason, seconds)
  self.off_mono = self:mono()
  self.hardware, self.off = hardware, true
  self:plan { mono = self.off_mono + seconds, kind = "boot", value = reason }
end

--- Put a happening into the order of things.
function sim:plan(one)
  self.planned = self.planned + 1
  one.order = self.planned
  local list, at = self.ahead, 1
  while list[at] and list[at].mono <= one.mono do at = at + 1 end
  table.insert(list, at, one)
end

-- --- ticks ---

-- When the phone's next timer is due.
local function due(self)
  return not self.off and self.life.world.due() or nil
end

-- When something is next, and whether it is a happening: that comes first.
local function next_at(self)
  local timer, one = due(self), self.ahead[1]
  if one and (not timer or one.mono <= timer) then return one.mono, one end
  return timer
end

local function jump(self, mono)
  if self.off then
    self.off_mono = math.max(mono, self.off_mono)
  else
    self.life.world.jump(mono)
  end
end

-- One tick: a happening, or a timer of the phone.
local function tick(self, one)
  self.ticks = self.ticks + 1
  if self.on_tick then self.on_tick(self) end
  if not one then return self.life.world.tick() end
  table.remove(self.ahead, 1)
  jump(self, one.mono)
  if happenings.is_outlasted(one, self.lasting) then return end
  local after = happenings.ending(one, self.lasting)
  if after then self:plan(after) end
  if one.kind == "boot" then
    checkpoints.take(self, one)
    boot(self, one.value)
  else
    happens[one.kind](self, one.value, one)
  end
end

-- What a person did here before going back is done again.
local function redo(self, limit)
  local act = self.acts[self.acts_done + 1]
  while act and act.ticks == self.ticks and act.mono <= limit do
    self.acts_done = self.acts_done + 1
    jump(self, act.mono)
    act.fn(self)
    act = self.acts[self.acts_done + 1]
  end
end

-- Go on to the next tick, not behind `limit`; false: there is none.
local function go_on(self, limit)
  if self.problem then return false end
  redo(self, limit)
  local at, one = next_at(self)
  if not at or at > limit then return false end
  tick(self, one)
  return true
end

-- Something that a person does now; what was ahead in a past that is left is
-- forgotten.
local function act(self, fn)
  for i = #self.acts, self.acts_done + 1, -1 do self.acts[i] = nil end
  checkpoints.drop(self)
  self.acts_done = self.acts_done + 1
  self.acts[self.acts_done] = { ticks = self.ticks, mono = self:mono(),
    fn = fn }
  return fn(self)
end

-- --- for everybody ---

--- Seconds since the start.
function sim:mono()
  return self.off and self.off_mono or self.life.world.now().mono
end

--- The time that it is; the phone's clock may have been set to another.
function sim:true_time()
  return self.home.start + self:mono()
end

--- s UTC, by the clock of the phone.
function sim:time()
  return self:true_time() + self.offset
end

--- For a prompt: when it is, and how much has happened.
function sim:__tostring()
  return ("simulation (%s, %d entries in its timeline)"):format(
    civil.iso(self:true_time()), #self.timeline)
end

--- Go on for some seconds.
-- @treturn[1] table this
-- @return[2] nil, sentence: the server's script has failed
function sim:run(seconds)
  local limit = self:mono() + seconds
  while go_on(self, limit) do end
  if self.problem then return nil, self.problem end
  jump(self, limit)
  return self
end

--- Go on to the next thing that is worth a line.
--   limit   not behind it, s since the start; nil: however long it takes
-- @treturn[1] table its entry
-- @treturn[2] nil nothing will ever happen
-- @return[3] nil, sentence: the server's script has failed
function sim:step(limit)
  local n = #self.timeline
  while #self.timeline == n do
    if not go_on(self, limit or math.huge) then return nil, self.problem end
  end
  return self.timeline[n + 1]
end

--- Go to just after a tick; entries of the timeline tell theirs.
function sim:to_tick(ticks)
  if ticks <= self.ticks then
    checkpoints.restore(self, ticks - 1, math.huge)
  end
  while self.ticks < ticks and go_on(self, math.huge) do end
  return self
end

--- Go to where the last n (1) steps began.
function sim:back(n)
  local list, ticks = self.timeline, self.ticks
  local i = #list
  for _ = 1, n or 1 do
    while i > 0 and list[i].tick > ticks do i = i - 1 end
    ticks = i > 0 and list[i].tick - 1 or 0
  end
  while i > 0 and list[i].tick > ticks do i = i - 1 end
  return self:to_tick(i > 0 and list[i].tick or 0)
end

--- Where it is now, for return_to().
function sim:place()
  return { ticks = self.ticks, mono = self:mono() }
end

--- Go to where it was, also out of the middle of a tick that an error has
-- ended.
function sim:return_to(place)
  checkpoints.restore(self, place.ticks, place.mono)
  self.problem = nil
  while self.ticks < place.ticks and go_on(self, place.mono) do end
  redo(self, place.mono)
  jump(self, place.mono)
  return self
end

--- The timeline so far, which it forgets: who goes on for years needs no room
-- for all of them. Going back begins at the start then.
-- @treturn table entries
function sim:take()
  local entries = table.move(self.timeline, 1, #self.timeline, 1, {})
  for i = #self.timeline, 1, -1 do self.timeline[i] = nil end
  checkpoints.start(self)
  return entries
end

--- Go to a time, forward or back: s UTC or a text, see simulate/moment.lua.
-- @return[2] nil, sentence
function sim:to(text)
  local time, sentence = moment.time(text, self.home)
  if not time then return nil, sentence end
  local mono = math.max(0, time - self.home.start)
  if mono >= self:mono() then return self:run(mono - self:mono()) end
  checkpoints.restore(self, math.huge, mono)
  return self:run(mono - self:mono())
end

--- Go on to the end of the next resync, and record it.
--   schema   of the store's parameters
-- @treturn[1] table a cassette, see peal.cassette
-- @return[2] nil, sentence
function sim:record(schema)
  local take = require "peal.cassette.take"
  local taken, cassette
  local recording = {
    phone_for = function(_, phone)
      taken = take.new(phone, schema)
      return taken.phone
    end,
    ended = function(_, run, request)
      cassette = taken:cassette(run, request)
    end }
  local limit = self:mono() + RECORD_MAX_S
  while not cassette do
    if self.life then self.life.engine.recording = recording end
    if not go_on(self, limit) then
      return nil, self.problem or "there will be no resync"
    end
  end
  self.life.engine.recording = nil
  return cassette
end

--- The store as it is now. It is the phone's own: copy it to keep it.
function sim:store()
  return self.kept
end

--- What differs from the start: list of { name, old, new }, secrets as
-- fingerprints.
function sim:diff()
  local first, list = self.options.store, {}
  for now in self.kept:each() do
    local before = first:value(now.name)
    if not before or before.text ~= now.text then
      list[#list + 1] = { name = now.name, new = shown.value(self.kept, now),
        old = before and shown.value(self.kept, before) }
    end
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

--- Text of a parameter; nil for an unknown name.
function sim:param(name)
  return self.life and self.life.phone:param(name) or self.kept:get(name)
end

--- Write parameters, as `cause`, and tell the engine.
-- @return[2] nil, sentence
function sim:write(values, cause)
  local txn, sentence = self.kept:begin()
  if not txn then return nil, sentence end
  txn:source { author = "simulate" }
  local names = {}
  for name, value in pairs(values) do names[#names + 1] = { name, value } end
  table.sort(names, function(a, b) return a[1] < b[1] end)
  for i, pair in ipairs(names) do
    local ok
    ok, sentence = txn:set(pair[1], pair[2])
    if not ok then
      txn:abort()
      return nil, ("%s: %s"):format(pair[1], sentence)
    end
    names[i] = pair[1]
  end
  local ok
  ok, sentence = txn:commit(cause, math.floor(self:time()))
  if not ok then return nil, sentence end
  self:say("set", "%s", timeline.set(self.kept, values))
  if not self.off then self.life.engine:changed(names, "user") end
  return true
end

--- Set a parameter now, as a person would.
-- @return[2] nil, sentence
function sim:set(name, value)
  return act(self, function() return self:write({ [name] = value }, "set") end)
end

-- Would the store take these values? Nothing is written. A name that a
-- profile may bring on the way is not known yet.
local function check_values(self, values)
  local txn, sentence = self.kept:begin()
  if not txn then return nil, sentence end
  for _, name in ipairs(sorted.keys(values)) do
    local ok, trouble, word = txn:set(name, values[name])
    local comes = word == "unknown-name" and self.options.phone.keep_unknown
    if not ok and not comes then
      sentence = sentence or ("%s: %s"):format(name, trouble)
    end
  end
  txn:abort()
  return sentence == nil, sentence
end

--- Let something happen; see simulate/happenings.lua. What has no time
-- happens at once.
-- @treturn[1] boolean true
-- @return[2] nil, sentence
function sim:inject(given)
  local one, sentence = happenings.read(given, { start = self.home.start,
    zone = self.home.zone, now = self:true_time() })
  if not one then return nil, sentence end
  local mono = one.time - self.home.start
  if mono < self:mono() then
    return nil, "that time is over: go back first"
  end
  if one.kind == "set" then
    local ok
    ok, sentence = check_values(self, one.value)
    if not ok then return nil, sentence end
  end
  return act(self, function()
    self:plan { mono = mono, time = one.time, kind = one.kind,
      value = one.value, lasts = one.lasts }
    return true
  end)
end

-- --- the start ---

local DEFAULT_IDENTITY <const> = { PN = "CP-8841-3PCC", MAC = "000e08abcdef" }

local function hardware_of(options)
  local d = options.device or {}
  local out = life_of.hardware(d, options.phone.identity)
  out.zone = options.zone or device.zone(d)
  return out
end

-- The server, and names where it knows them.
local function server_of(self)
  local options = self.options
  if options.load_answers then
    local server, dns = options.load_answers()
    return function(request) return server(request, self.life.world) end, dns
  end
  local script = options.server
  if options.load_server then script = options.load_server() end
  if not script then return nothing_new end
  return answers.server(script, options.read)
end

-- As it is before the first boot.
local function begin(self)
  self.random, self.dice = virtual.dice(self.options.dice or 1)
  self.kept = assert(self.options.store:copy())
  self.keyring = assert(keyring.open())
  self.hardware = hardware_of(self.options)
  self.server, self.dns = server_of(self)
  self.ahead, self.planned, self.acts_done = {}, 0, 0
  self.lasting = {}
  self.asked, self.script_state = {}, {}
  self.offset, self.ticks, self.requests = 0, 0, 0
  self.keys_made, self.down, self.dns_down = 0, false, false
  self.life, self.off, self.off_mono, self.problem = nil, true, 0, nil
  self.last_seen = nil
  for i = #self.timeline, 1, -1 do self.timeline[i] = nil end
  self:plan { mono = 0, kind = "boot", value = self.options.boot
    or "power_on" }
end

-- What the zone is looked up by, while the phone is off as well.
local function here_of(self)
  return { said = {}, world = { now = function()
    return { time = self:time(), zone = self.hardware.zone }
  end, tell = function() end, log = function() end },
    phone = { param = function(_, name) return self:param(name) end } }
end

--- @param options
--   store     the parameters that the phone has; it is copied, and not written
--   phone     options of phone.new: identity, overrides, account, dhcp ...;
--             of its memory, what waits for the store (keep) is there at the
--             first boot: the rest does not outlive one
--   device    whose load, zone, headset ... the phone has (device.lua)
--   zone      POSIX TZ; nil: the device's
--   time      of the start: s UTC, or a text, see simulate/moment.lua (now)
--   now       s UTC (2026-11-22 10:15:30)
--   boot      its reason ("power_on")
--   server    a script, see simulate/answers.lua; or load_server, a function
--             that gives it anew each time the simulation begins again; or
--             load_answers, a function that gives server(request, world) in
--             the fetcher's form, and dns. nil: there is never anything new
--   read      function(path) -> bytes | nil, why, for answers with a file
--   dns       name -> list of addresses, or function(name, type, use_hosts)
--             (every name is 192.0.2.7)
--   rules     sources as rule_files.read() gives them
--   trust     as in world/live.lua
--   dice      seed (1)
--   on_request  function{ mono, url, method }
-- @treturn[1] table
-- @return[2] nil, sentence
function simulate.new(options)
  local all = {}
  for key, value in pairs(options) do all[key] = value end
  all.phone = all.phone or {}
  all.phone.identity = all.phone.identity or DEFAULT_IDENTITY
  local self = setmetatable({ options = all, timeline = {}, acts = {},
    keys = {}, rules = options.rules or rule_files.read() }, sim)
  self.begin = begin
  local sentence
  self.home = { start = options.now or START }
  checkpoints.start(self)
  begin(self)
  self.here = here_of(self)
  self.home.zone = clock.zone(self.here)
  self.home.start, sentence = moment.time(options.time or self.home.start,
    self.home)
  if not self.home.start then return nil, sentence end
  return self
end

return simulate
