--- Is the phone well after a change? If not, the change is taken back.
-- After a resync has changed something the phone is watched, and the rule
-- (rules/health.lua) is asked until it says keep or undo. Taken back are
-- exactly the parameters that the resync wrote, in one transaction with the
-- quarantine of the profiles that did it. A device that does not say whether
-- it is registered is not watched. Our choice throughout.
--
-- What is watched is kept in the store, so that a reboot does not end it. The
-- values before are remembered in memory only, since some are secrets; after
-- a restart they are read from the store's older revision. (A store in memory
-- has none, but does not outlive a restart either.)
local context = require "peal.cycle.context"
local device = require "peal.device"
local history = require "peal.history"
local json = require "peal.json"
local messages = require "peal.messages"
local put_back = require "peal.revisions.put_back"
local quarantine = require "peal.quarantine"

local health = {}

local NAMESPACE <const> = "health"
local KEY <const> = "watch"
local AGAIN_S <const> = 60 -- where the store takes no commit

local function registered_of(phone)
  return device.registered(phone.world.device)
end

-- --- what is watched -------------------------------------------------------
-- phone.health: cycles, time (wall, of the last commit), before (revision),
-- names, rule, url, profiles { url, hash, mark }; in memory only: mono (of the
-- last commit), lost (mono since when registration is gone), changes by name
-- (of those since the phone started).

local function store_watch(phone, watch)
  phone.health = watch
  phone.keep:set(NAMESPACE, KEY, watch and json.encode {
    cycles = json.array(watch.cycles), time = watch.time,
    before = watch.before, rule = watch.rule, url = watch.url,
    names = json.array(watch.names),
    profiles = json.array(watch.profiles) } or nil)
end

local function save(phone, watch)
  store_watch(phone, watch)
  local ok, sentence = phone.keep:flush(NAMESPACE)
  if not ok then
    phone.world.log("the watch over a change is not kept: " .. sentence)
  end
end

-- What a phone that has been restarted was watching. How long it was off
-- counts, as far as the clock tells.
local function restored(phone)
  local text = phone.keep:get(NAMESPACE, KEY)
  local watch = text and json.decode(text)
  if not watch then return nil end
  watch.changes = {}
  local now = phone.world.now()
  local passed = now.trusted and now.time - watch.time or 0
  watch.mono = now.mono - math.max(0, passed)
  return watch
end

local function watched(phone)
  if not phone.health and not phone.health_read then
    phone.health = restored(phone)
  end
  phone.health_read = true
  return phone.health
end

local function has(list, value)
  for _, one in ipairs(list) do
    if one == value then return true end
  end
  return false
end

local function add_changes(watch, changes)
  for _, change in ipairs(changes) do
    local before = watch.changes[change.name]
    if before then
      before.new, before.ua_new = change.new, change.ua_new
    elseif not has(watch.names, change.name) then
      local copy = {}
      for key, value in pairs(change) do copy[key] = value end
      watch.changes[change.name] = copy
      watch.names[#watch.names + 1] = change.name
    end
  end
end

-- The same assignments of a rule once more, which no quarantine keeps away.
local function mark_of(phone, changes)
  local parts = {}
  for i, change in ipairs(changes) do
    parts[i] = change.name .. phone.world.store:fingerprint(change.new)
  end
  table.sort(parts)
  return table.concat(parts, " ")
end

local function new_watch(phone, committed)
  local now = phone.world.now()
  local watch = { time = math.floor(now.time), mono = now.mono,
    before = committed.revision_before, cycles = {}, names = {},
    changes = {}, profiles = {} }
  return watch
end

--- A resync has changed something: watch the phone from now on. A change
-- before the last one was found good or bad is judged together with it.
--   committed   revision_before, revision, changes, rule, url, profiles
--               { rule, url, hash, mark, changes = how many }
function health.begin(phone, run, committed)
  local registered = registered_of(phone)
  if registered == nil or #committed.changes == 0 then return end
  local watch = watched(phone)
  local before = run.was_registered
  if before == nil then before = phone.registered_seen end
  if not watch and not before then return end
  if #committed.profiles == 0
    and phone.undone == mark_of(phone, committed.changes) then
    return -- a rule assigns it again and again
  end
  watch = watch or new_watch(phone, committed)
  table.insert(watch.cycles, run.trace.cycle)
  watch.lost = nil
  watch.time = math.floor(phone.world.now().time)
  watch.mono = phone.world.now().mono
  watch.rule = committed.rule or committed.changes[1].rule
  watch.url = committed.url or watch.url
  add_changes(watch, committed.changes)
  for _, profile in ipairs(committed.profiles) do
    if profile.changes ~= 0 then
      table.insert(watch.profiles, { url = profile.url, hash = profile.hash,
        mark = profile.mark })
    end
  end
  save(phone, watch)
end

-- --- taking back -----------------------------------------------------------

-- What a parameter was: of a change, or of the store's older revision, which
-- knows those before a restart.
local function values_before(phone, watch)
  local past, sentence
  for _, name in ipairs(watch.names) do
    if not watch.changes[name] and not past then
      past, sentence = phone.world.store:past(watch.before or 0)
      if not past then return nil, sentence end
    end
  end
  return function(name)
    local c = watch.changes[name]
    if not c then return past:value(name) end
    return { text = c.old, ua = c.ua_old, is_default = c.was_default,
      user_pref = c.pref_old, user_modified = c.um_old }
  end, past
end

-- Who has written a value since keeps it.
local function is_ours(phone, watch, name)
  local now = phone.world.store:value(name)
  if not now then return false end
  local change = watch.changes[name]
  if change then
    return now.text == change.new and now.ua == change.ua_new
  end
  return now.is_default or has(watch.cycles, now.cycle)
end

local function stage_all(phone, watch, txn, before)
  for _, name in ipairs(watch.names) do
    if is_ours(phone, watch, name) then
      local old, sentence = before(name)
      local ok = old ~= nil
      if ok then ok, sentence = put_back(txn, name, old) end
      if not ok then return nil, sentence end
    end
  end
  return true
end

local function keep_away(phone, watch)
  for _, profile in ipairs(watch.profiles) do
    quarantine.add(phone, profile.hash, profile.url, profile.mark)
  end
end

-- Names in one step of a trace, at most.
local NAMED_MAX <const> = 64

local function trace_undone(run, watch, changes)
  local list = json.array()
  for i = 1, math.min(#changes, NAMED_MAX) do
    list[i] = { name = changes[i].name }
  end
  run.trace:add("undone", { rule = watch.rule, values = list,
    more = #changes > NAMED_MAX and #changes - NAMED_MAX or nil })
end

-- Everything in one transaction, or nothing: the list of changes.
local function take_back(phone, run, watch, before)
  local txn, sentence = phone.world.store:begin()
  if not txn then return nil, sentence end
  local changes, ok
  txn:source { cycle = run.trace.cycle, author = "health",
    rule = watch.rule or "", url = watch.url or "" }
  txn:keep_unknown(true)
  ok, sentence = stage_all(phone, watch, txn, before)
  if ok then changes, sentence = txn:changes() end
  if changes then
    keep_away(phone, watch)
    store_watch(phone, nil)
    ok, sentence = phone.keep:stage(txn)
    if ok then
      trace_undone(run, watch, changes)
      ok, sentence = txn:state("trace", "undo", run.trace:encode())
    end
  end
  if not changes or not ok then
    txn:abort()
    return nil, sentence
  end
  ok, sentence = txn:commit("health", math.floor(phone.world.now().time))
  if not ok then return nil, sentence end
  phone.keep:committed()
  return changes
end

local function say(phone, run, text)
  run.trace:note("undone", nil, text)
  messages.debug(phone, "info", text)
end

local function result_of(phone, run, watch, changes, reason)
  local out = { outcome = "undone", names = {}, reboot = false,
    reason = ("%d parameters%s, %s"):format(#changes,
      watch.url and " of " .. watch.url or "", reason) }
  for i, change in ipairs(changes) do
    out.names[i] = change.name
    out.reboot = out.reboot or change.reboot
    phone.overrides[change.name] = nil
  end
  say(phone, run, "undone: " .. out.reason)
  local apply = phone.world.device.apply
  if apply and #changes > 0 then apply(changes) end
  return out
end

local function give_up(phone, sentence)
  save(phone, nil)
  return { outcome = "kept",
    reason = "the values before are not there any more: " .. sentence }
end

local function undo(phone, run, watch, reason)
  local before, past = values_before(phone, watch)
  if not before then return give_up(phone, past) end
  local changes, sentence = take_back(phone, run, watch, before)
  if past then past:close() end
  if not changes then
    store_watch(phone, watch)
    return { outcome = "watching", after = AGAIN_S,
      reason = "not undone: " .. tostring(sentence) }
  end
  local list = {}
  for _, change in pairs(watch.changes) do list[#list + 1] = change end
  phone.undone = mark_of(phone, list)
  return result_of(phone, run, watch, changes, reason)
end

-- --- asking ----------------------------------------------------------------

-- Has a resync worked since the change? nil: none has been tried.
local function resynced(phone, watch)
  local text = phone.keep:get("engine", "last")
  local last = text and json.decode(text)
  if not last or last.cycle <= (watch.cycles[#watch.cycles] or 0) then
    return nil
  end
  return last.outcome == "success"
end

local function ask(phone, run, watch, registered)
  local now = phone.world.now().mono
  if registered then
    watch.lost = nil
  else
    watch.lost = watch.lost or now
  end
  return context.ask(run, "health", {
    change = { revision = watch.before, names = watch.names,
      rule = watch.rule, url = watch.url },
    waited = math.floor(now - watch.mono),
    lost_for = watch.lost and math.floor(now - watch.lost) or nil,
    registered = registered, was_registered = true,
    resynced = resynced(phone, watch) })
end

--- Look at the phone: after a commit, when its registration changes, when the
-- time has come.
-- @treturn table outcome ("none", "watching", "kept", "undone"), reason;
--   after (s): when it is to be looked at again; resync: whether the server
--   is to be asked now; undone: names, reboot
function health.consider(phone, run)
  local registered = registered_of(phone)
  local watch = watched(phone)
  phone.registered_seen = registered
  if not watch then return { outcome = "none" } end
  if registered == nil then
    save(phone, nil)
    return { outcome = "kept", reason = "the device does not say any more "
      .. "whether it is registered" }
  end
  local verdict = ask(phone, run, watch, registered)
  run.trace:add("health", { verdict = verdict.verdict,
    reason = verdict.reason, registered = registered,
    rule_file = verdict.rule_file })
  if verdict.verdict == "undo" then
    return undo(phone, run, watch, verdict.reason or "the health rule says so")
  elseif verdict.verdict == "wait" then
    return { outcome = "watching", reason = verdict.reason,
      after = verdict.after or AGAIN_S, resync = verdict.resync }
  end
  save(phone, nil)
  return { outcome = "kept", reason = verdict.reason }
end

-- --- the quarantine of a download ------------------------------------------

local function held_back(run, name, url, answer, entry)
  if run.explicit and run.asked_by ~= "notify" then
    quarantine.lift(run.phone, entry.hash)
    context.note(run, "quarantined", nil, ("%s: applied again, since somebody "
      .. "asks for it: %s"):format(name, url))
    return nil
  end
  context.note(run, "quarantined", nil, ("%s: not applied: what %s changes "
    .. "was undone on %s UTC. Change the profile, or ask for a resync by hand")
    :format(name, url, history.time(entry.time)))
  return { rule = name, outcome = "success", url = url, changes = 0,
    status = answer.status, quarantined = true, bytes = #answer.body }
end

--- Is a profile kept away? Its result then: a success without changes. What a
-- person asks for is applied again and not kept away any more. Gives the
-- answer its hash.
function health.quarantined(run, name, answer, url)
  local phone = run.phone
  local registered = registered_of(phone)
  if run.was_registered == nil then run.was_registered = registered end
  if (answer.body or "") == "" or registered == nil
    and not phone.keep:get("quarantine", "profiles") then
    return nil
  end
  answer.hash = quarantine.hash(answer.body)
  local entry = quarantine.find(phone, answer.hash)
  return entry and held_back(run, name, url, answer, entry)
end

--- The same for what a profile would change, whatever its bytes. Gives the
-- answer its mark.
function health.held(run, name, answer, url, changes)
  if not answer.hash or #changes == 0 then return nil end
  answer.mark = quarantine.hash(mark_of(run.phone, changes))
  local entry = quarantine.find(run.phone, answer.hash, answer.mark)
  return entry and held_back(run, name, url, answer, entry)
end

return health
