--- A root and a host certificate of the phone's own, for the terminals that it
-- serves: made anew at an interval, and brought onto the terminals.
-- It takes part where the device has terminals, where somebody has asked for
-- certificates once, or where a Cert_Regen_ parameter is not the default. Any
-- other phone has none of this, and no file.
-- Neither root is an anchor of the phone's own connections: it believes its
-- servers by other certificates, and the key of a root is gone once it has
-- signed.
-- Source: MiVoice Office 400 WebAdmin help, "Public"; where it is silent, our
-- choice.
local context = require "peal.cycle.context"
local desks = require "peal.host_certificate.desk"
local device = require "peal.device"
local distribution = require "peal.host_certificate.distribution"
local pair = require "peal.host_certificate.pair"
local sorted = require "peal.sorted"
local states = require "peal.host_certificate.states"
local visible = require "peal.visible"

local host = {}

local RETRY_S <const> = 3600
-- A device that does not tell when its clock is set is looked at this often
-- while something waits for it.
local POLL_S <const> = 60
local DAY <const> = 86400

-- A pair that is in order stays for this long at least, so that an address
-- that comes and goes does not keep phone and terminals busy; and for a day,
-- where nothing but the rule wants another. A person is not held up.
local YOUNG_S <const> = 600

local PARAMS <const> = { "Cert_Regen_Days", "Cert_Regen_Time",
  "Cert_Regen_On_IP_Change" }

-- --- facts ---

local function is_set(phone)
  for _, name in ipairs(PARAMS) do
    local about = phone.world.store:value(name)
    if phone.overrides[name] or about and not about.is_default then
      return true
    end
  end
  return false
end

local function takes_part(phone, desk)
  return desk.pair ~= nil or desk.damaged ~= nil
    or #device.terminals(phone.world.device) > 0 or is_set(phone)
end

local function address_of(phone)
  local address = device.address(phone.world.device) or phone.identity.IP
  return address ~= "" and address or nil
end

-- The phone's names: what the device says, else Host_Name in Domain.
local function names_of(phone)
  local names = device.names(phone.world.device)
  if names then return names end
  local name = phone:param("Host_Name") or ""
  local domain = phone:param("Domain") or ""
  if not name:find("^[%w-]+$") then return {} end
  if not domain:find("^%w[%w.-]*$") then return { name } end
  return { name .. "." .. domain, name }
end

-- Why there is no pair that is in order; nil: there is one.
local function why_needed(record, f)
  if not f.pair then return "there are no certificates yet" end
  if record.work then return "the last generation was interrupted" end
  if f.time > f.pair.not_after then return "the certificate has expired" end
  if f.clock and f.time < f.pair.not_before then
    return "the certificate is of a clock that was ahead"
  end
end

-- Why a pair is due, whatever the clock's state; nil: it is not.
local function why_due(f)
  if f.retry_at and f.time < f.retry_at then return nil end
  if f.needed then return f.needed end
  if f.stale then return f.on_change and "the address has changed" or nil end
  return f.next_run <= f.time and "the interval is over" or nil
end

-- What states and rule judge by.
local function facts_of(phone, desk)
  local now = phone.world.now()
  local record, address = desk.record, address_of(phone)
  local f = { pair = desk.pair, time = now.time, clock = now.trusted == true,
    damaged = desk.damaged, working = desk.working, address = address,
    next_run = desk:next_run(), days = desk:days(), bad_time = desk.bad_time,
    failure = record.failure, retry_at = record.retry_at,
    lost = distribution.lost(desk.book),
    distributing = distribution.is_busy(desk.book),
    on_change = phone:yes("Cert_Regen_On_IP_Change") }
  f.stale = f.pair ~= nil and address ~= nil and address ~= f.pair.address
  f.needed = why_needed(record, f)
  f.why = why_due(f)
  f.due = f.why ~= nil
  return f
end

-- --- what is told ---

local function event(phone, fields)
  fields.event, fields.what = "certificate", "host"
  fields.time = math.floor(phone.world.now().time)
  phone.world.tell(fields)
end

local function line(phone, text, ...)
  phone.world.log(visible.line("host certificate: " .. text:format(...)))
end

local function tell_state(phone, desk, state)
  if desk.record.state == state then return end
  desk.record.state = state
  event(phone, { state = state, id = desk.pair and desk.pair.id })
  line(phone, "%s", state)
end

-- Each alarm is told when it comes, when its text is another, and when it is
-- over.
local function tell_alarms(phone, desk, alarms)
  local known, now = desk.record.alarms, {}
  for _, alarm in ipairs(alarms) do
    now[alarm.word] = alarm.text
    if known[alarm.word] ~= alarm.text then
      event(phone, { alarm = alarm.word, text = alarm.text })
      line(phone, "alarm: %s", alarm.text)
    end
  end
  for _, word in ipairs(sorted.keys(known)) do
    if not now[word] then
      event(phone, { alarm = word, over = true })
      line(phone, "alarm over: %s", word)
    end
  end
  desk.record.alarms = now
end

local function tell(phone, desk)
  local f = facts_of(phone, desk)
  tell_state(phone, desk, states.of(f))
  local alarms = states.alarms(f)
  for _, one in ipairs(states.warnings(f)) do
    alarms[#alarms + 1] = one
  end
  tell_alarms(phone, desk, alarms)
  desk:save()
  return f
end

-- --- making ---

local function failed(desk, time, sentence, word)
  local record = desk.record
  record.failures = (record.failures or 0) + 1
  record.failure, record.retry_at = sentence, math.floor(time) + RETRY_S
  return { outcome = "failed", reason = sentence, word = word or "internal" }
end

local function make(phone, desk)
  local now, address = phone.world.now(), address_of(phone)
  local made = math.floor(math.max(now.time, now.earliest or 0))
  if not address then
    return nil, "the phone has no address", "not-found"
  end
  return pair.make(phone.world, { made = made, days = desk:days(),
    address = address, names = names_of(phone), old = desk.pair })
end

local function generate(phone, desk, why)
  local record = desk.record
  record.work, desk.working = { why = why, after = desk.pair
    and desk.pair.id }, true
  tell_state(phone, desk, "GENERATING")
  desk:save() -- a power cut from here on: it is done after the restart
  local made, sentence, word = make(phone, desk)
  desk.working, record.work = nil, nil
  if not made then
    return failed(desk, phone.world.now().time, sentence, word)
  end
  desk.pair, desk.damaged = made, nil
  record.failures, record.failure, record.retry_at = nil, nil, nil
  return { outcome = "done", reason = ("%s, for %s, %d days"):format(made.id,
    made.address, made.days) }
end

-- --- terminals ---

--- What a terminal gets: the host certificate and the roots to judge it by;
-- never a key.
local function bundle_of(made, time)
  local _, previous = pair.previous(made, time)
  return { id = made.id, host = made.pem.host, root = made.pem.root,
    previous = previous, not_after = made.not_after }
end

local function distribute(phone, desk, again)
  if not desk.pair then return nil end
  return distribution.step(desk.book, { world = phone.world,
    bundle = bundle_of(desk.pair, phone.world.now().time),
    poke = again or function() end,
    list = device.terminals(phone.world.device) })
end

-- --- when ---

local function least(a, b)
  return a and b and math.min(a, b) or a or b
end

-- Seconds until it is to be asked again.
local function until_next(phone, f, left)
  local after = math.min(left or DAY, DAY)
  if f.due and not f.clock and not phone.world.device.subscribe then
    after = math.min(after, POLL_S)
  end
  for _, at in pairs { f.pair and f.next_run, f.retry_at,
    f.pair and f.pair.not_after + 1 } do
    if at > f.time then after = math.min(after, at - f.time) end
  end
  return math.max(1, math.ceil(after))
end

-- A generation that a power cut has ended, or an error, had come to its end, or
-- had not.
local function resume(desk)
  local work = desk.record.work
  desk.working = nil
  if not work then return end
  if desk.pair and desk.pair.id ~= work.after then desk.record.work = nil end
end

-- The clock was set back: what is to be tried again within an hour is.
local function mend_retry(phone, desk)
  local record, time = desk.record, phone.world.now().time
  if record.retry_at then
    record.retry_at = math.min(record.retry_at, math.floor(time) + RETRY_S)
  end
end

local function ask_rule(desk, run, about, f)
  local made = f.pair or {}
  return context.ask(run, "certificate", { what = "host", event = about.event,
    enabled = true, forced = about.event == "request", due = f.due,
    stale = f.stale, clock = f.clock, not_before = made.not_before,
    not_after = made.not_after, next_run = f.next_run,
    failures = desk.record.failures or 0 })
end

local function is_refused(about, f)
  return about.event == "request" and not f.clock and not about.force
end

-- Seconds that the pair there is stays, whatever the rule says.
local function stays(f)
  if f.needed then return f.retry_at and f.retry_at - f.time or 0 end
  return f.pair.made + (f.due and YOUNG_S or DAY) - f.time
end

local function hold(answer, about, f)
  local left = about.event ~= "request" and math.ceil(stays(f)) or 0
  if left <= 0 then return nil end
  return { outcome = "none", after = left, reason = ("%s, and a young "
    .. "certificate stays for %d s more"):format(f.why or answer.reason
    or "the rule wants another", left) }
end

local function decide(phone, desk, run, about)
  local f = facts_of(phone, desk)
  if is_refused(about, f) then
    return { outcome = "refused", word = "refused", reason = "the clock is "
      .. "not synchronised: certificates would be of the wrong time" }
  end
  local answer = ask_rule(desk, run, about, f)
  if answer.renew then
    return hold(answer, about, f)
      or generate(phone, desk, f.why or answer.reason)
  end
  local spread = answer.spread or 0
  return { outcome = f.due and not f.clock and "waiting" or "none",
    reason = answer.reason, after = answer.after and answer.after
      + (spread > 0 and phone.world.random(0, spread) or 0) }
end

--- See to root and host: make them if they are due, go on with what terminals
-- are to get. Runs in a task.
--   about.event   "boot", "daily", "change" of a parameter, "address",
--                 "clock", "terminal" (there are others, or one is back),
--                 "retry" (the time that was asked for), "request"
--   about.force   with a request: even if the clock is not synchronised
--   about.again   function() that has "retry" asked soon: a terminal has
--                 answered. nil: nobody listens, and it takes until `after`
-- @treturn table outcome "none", "waiting", "refused", "failed" or "done";
--   reason, word; after: s until it is to be asked again, nil: once a day
function host.consider(phone, run, about)
  local desk = desks.of(phone)
  if about.event ~= "request" and not takes_part(phone, desk) then
    desks.drop(phone)
    return { outcome = "none", reason = "no terminals, and no wish for them" }
  end
  resume(desk)
  mend_retry(phone, desk)
  if about.event == "boot" or about.event == "terminal" then
    distribution.revive(desk.book)
  end
  local result = decide(phone, desk, run, about)
  local left = least(result.after, distribute(phone, desk, about.again))
  result.after = until_next(phone, tell(phone, desk), left)
  return result
end

--- Write what is kept: nobody asks any more.
function host.finish(phone)
  desks.of(phone):flush()
end

--- Do terminals owe an answer?
function host.is_waiting(phone)
  return next(desks.of(phone).book.flights) ~= nil
end

-- --- for people ---

local function public(facts)
  return { subject = facts.subject, serial = facts.serial,
    not_before = facts.not_before, not_after = facts.not_after,
    sha256 = facts.sha256, sans = #facts.sans > 0 and facts.sans or nil }
end

local function previous_of(made, time)
  local out = {}
  for i, root in ipairs(made and pair.previous(made, time) or {}) do
    out[i] = public(root)
  end
  return out
end

--- How it stands, as plain data: state, id, root, host, previous (older roots
-- that still hold), next_run (s UTC), address, alarm (the gravest, a text),
-- alarms and warnings ({ word, text }), failures, terminals.
function host.status(phone)
  local desk = desks.of(phone)
  local made = desk.pair
  if not takes_part(phone, desk) then
    return { state = "NONE", takes_part = false, previous = {}, alarms = {},
      warnings = {}, terminals = {} }
  end
  local f = facts_of(phone, desk)
  local alarms = states.alarms(f)
  return { state = states.of(f), takes_part = true, id = made and made.id,
    address = made and made.address, days = made and made.days,
    root = made and public(made.root), host = made and public(made.host),
    previous = previous_of(made, f.time), next_run = f.next_run,
    alarm = alarms[1] and alarms[1].text, alarms = alarms,
    warnings = states.warnings(f),
    failures = desk.record.failures, retry_at = f.retry_at,
    clock = f.clock, terminals = distribution.status(desk.book,
      made and made.id) }
end

--- The same in short, for the status of the phone: state, alarm, next_run; nil:
-- it takes no part.
function host.summary(phone)
  local status = host.status(phone)
  if not status.takes_part then return nil end
  return { state = status.state, alarm = status.alarm,
    next_run = status.next_run }
end

--- A certificate as PEM text: "host", or "root" with older ones that still
-- hold after it. There is no way to a key.
-- @treturn[1] string
-- @return[2] nil, sentence, word
function host.export(phone, what)
  local desk = desks.of(phone)
  if what ~= "root" and what ~= "host" then
    return nil, ("there is a root and a host certificate, no %s"):format(what),
      "invalid"
  elseif not desk.pair then
    return nil, "there are no certificates: " .. (desk.damaged
      or "make them with peal ca generate"), "not-found"
  end
  if what == "host" then return desk.pair.pem.host end
  local _, previous = pair.previous(desk.pair, phone.world.now().time)
  return desk.pair.pem.root .. previous
end

--- Somebody has installed the host certificate on a terminal by hand.
-- @treturn[1] boolean true
-- @return[2] nil, sentence, word
function host.mark_installed(phone, id)
  local desk = desks.of(phone)
  local entry, sentence, word = distribution.mark_installed(desk.book, id)
  if not entry then return nil, sentence, word end
  line(phone, "installed on terminal %s, as somebody says", id)
  tell(phone, desk)
  desk:flush()
  return true
end

return host
