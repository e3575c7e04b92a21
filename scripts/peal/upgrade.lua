--- Firmware upgrades: the rule decides, this carries it out.
-- The image goes to the device piece by piece and is never held in memory.
-- Until the device has checked all of it and was told to boot from it, the
-- load that runs stays as it is.
-- Source: MPP provisioning guide, Upgrade_Rule, Upgrade_Enable,
-- Upgrade_Error_Retry_Delay, Log_Upgrade_Request_Msg; the order of the steps
-- is our choice.
local cause = require "peal.cause"
local classic = require "peal.classic.upgrade"
local context = require "peal.cycle.context"
local device = require "peal.device"
local image_of = require "peal.image"
local json = require "peal.json"
local messages = require "peal.messages"
local retrieve = require "peal.retrieve"
local secret = require "peal.secret"
local url = require "peal.url"
local values = require "peal.cycle.values"

local upgrade = {}

-- A load takes longer than a profile may; 30 s of silence end it anyway.
local TOTAL_S <const> = 3600

local HISTORY <const> = 3

local NS <const> = "upgrade"

local function failures_of(phone)
  return phone.keep:number(NS, "failures") or 0
end

-- $UPGST: 1 a first attempt, 2 a retry. $UPGERR: how the last one ended.
-- $UPGCOND: the condition that has chosen the alternative of this one.
local function show_state(phone, err, condition)
  phone.upgrade_state = { UPGST = failures_of(phone) > 0 and 2 or 1,
    UPGERR = err or phone.keep:get(NS, "err") or "",
    UPGCOND = secret.mask(condition or "") }
end

-- Another rule begins anew.
local function forget_failures(phone, rule)
  if failures_of(phone) > 0 and phone.keep:get(NS, "failed_rule") ~= rule then
    phone.keep:set(NS, "failures", nil)
    phone.keep:set(NS, "failed_rule", nil)
    phone.upgrade_next = nil
  end
end

-- When the next attempt is to be; nil: not by itself.
local function retry_after_failure(phone, retry)
  retry = retry or classic.retry(phone:param("Upgrade_Error_Retry_Delay"),
    failures_of(phone))
  if retry and retry.after == 0 then retry = nil end
  phone.upgrade_next = retry and phone.world.now().mono + retry.after
    or math.huge
  return retry
end

local function count_failure(phone, rule)
  phone.keep:set(NS, "failures", failures_of(phone) + 1)
  phone.keep:set(NS, "failed_rule", rule)
end

local function forget(keep, keys)
  for _, key in ipairs(keys) do keep:set(NS, key, nil) end
end

-- Once after a boot: did the load come up that the phone was to run? Where it
-- did not, the attempt has failed after all, and the next one waits, whatever
-- the rule says, and takes other bytes: the same would only cost a reboot.
-- @treturn[1] nil it did, or nothing was to be seen
-- @treturn[2] table the result
local function check_boot(job)
  local phone, keep = job.phone, job.phone.keep
  local booted = phone.booted or 0
  if phone.upgrade_boot == booted and job.event ~= "boot" then return nil end
  phone.upgrade_boot, phone.upgrade_next = booted, nil
  local wanted = keep:get(NS, "pending")
  if not wanted then return nil end
  local rule = keep:get(NS, "pending_rule")
  local sha256 = keep:get(NS, "pending_sha256")
  forget(keep, { "pending", "pending_rule", "pending_sha256" })
  if wanted == job.active then
    forget(keep, { "failures", "failed_rule", "bad_sha256", "bad_load" })
    return nil
  end
  local text = ("the phone was to come up with %s, and runs %s"):format(wanted,
    job.active or "an unknown load")
  context.note(job.run, "old-load", "Upgrade_Rule", text)
  keep:set(NS, "err", "Old load came up")
  keep:set(NS, "bad_sha256", sha256)
  keep:set(NS, "bad_load", wanted)
  if not rule then return nil end
  keep:set(NS, "done", nil) -- another image may lie there by the next attempt
  count_failure(phone, rule)
  local retry = retry_after_failure(phone)
  show_state(phone)
  return { outcome = "failed", reason = text, word = "old-load",
    err = "Old load came up", attempted = false, retry = retry }
end

-- A retry is due at its timer and when somebody asks, and after a boot. Else
-- not before its time: a resync that follows a failed attempt must not bring
-- the next.
local function is_due(job, about)
  local at = job.phone.upgrade_next
  if failures_of(job.phone) == 0 or not at or about.event == "retry"
    or about.event == "request" then
    return true
  end
  return about.retry_due ~= false and job.phone.world.now().mono >= at
end

local function new_job(phone, run, about)
  local job = { phone = phone, run = run, event = about.event,
    url = about.url ~= "" and about.url or nil }
  -- kept as state, where an empty text would be none
  job.rule = "=" .. (phone:param("Upgrade_Rule") or "")
  job.active, job.inactive = device.loads(phone.world.device, phone.identity)
  if job.inactive == phone.keep:get(NS, "bad_load") then job.inactive = nil end
  phone.identity.SWVER = job.active or phone.identity.SWVER
  run.names = run.names or {}
  return job
end

local function done_of(phone)
  local text = phone.keep:get(NS, "done")
  return text and json.decode(text) or nil
end

local function ask(job, due)
  local phone, run = job.phone, job.run
  run.state = phone:timers()
  local plan = context.ask(run, "upgrade", { event = job.event, url = job.url,
    active = job.active, inactive = job.inactive, done = done_of(phone),
    failures = failures_of(phone), retry_due = due })
  local detail = plan.trace or plan.detail and plan.detail.trace or {}
  run.trace:add("upgrade", { event = job.event, text = detail.text,
    expanded = detail.expanded, alternatives = detail.alternatives,
    action = plan.action, reason = plan.reason or plan.sentence,
    word = plan.word, load = plan.load, rule_file = plan.rule_file })
  return plan
end

local function request_vars(u, address)
  return { SCHEME = u.scheme, SERV = u.host, SERVIP = address or u.host,
    PORT = tostring(u.port), PATH = u.path }
end

-- The newest attempts, for status pages: { time, url, cause (nil: good) }.
local function remember(job, failed)
  local keep = job.phone.keep
  local list = upgrade.history(job.phone)
  table.insert(list, 1, { time = math.floor(job.phone.world.now().time),
    url = job.where, cause = failed and failed.cause.text })
  list[HISTORY + 1] = nil
  keep:set(NS, "history", json.encode(json.array(list)))
end

--- The last three attempts, newest first: { time (s), url, cause }; cause nil:
-- it succeeded.
function upgrade.history(phone)
  local text = phone.keep:get(NS, "history")
  return text and json.decode(text) or {}
end

-- What somebody asked for is tried once, and puts off nothing.
local function next_retry(job, plan)
  local phone = job.phone
  if not job.url then
    return retry_after_failure(phone,
      plan.retry or plan.detail and plan.detail.retry)
  end
  local at = phone.upgrade_next
  if not at or at == math.huge then return nil end
  return { after = math.ceil(math.max(0, at - phone.world.now().mono)) }
end

local function fail(job, plan, failed)
  local phone, err = job.phone, failed.cause.err
  phone.last_upgrade = phone.world.now().mono
  if not job.url then count_failure(phone, job.rule) end
  phone.keep:set(NS, "err", err)
  show_state(phone, err, plan.condition)
  remember(job, failed)
  messages.send(phone, job.run.trace, "upgrade_failure", job.request or {},
    err)
  messages.debug(phone, "info", ("upgrade: %s (%s)"):format(failed.cause.text,
    secret.mask(failed.sentence)))
  return { outcome = "failed", reason = secret.mask(failed.sentence),
    word = failed.word, err = err, cause = failed.cause.text,
    attempted = true, url = job.where, retry = next_retry(job, plan) }
end

-- A rule that cannot be understood, and what it refuses.
local function bad_rule(job, plan)
  local err = plan.detail and plan.detail.err
    or plan.word == "rev-limit" and plan.sentence
    or "Bad rule: " .. plan.sentence
  return fail(job, plan, { sentence = plan.sentence, word = plan.word,
    cause = { id = "rule", text = err, err = err, class = "C" } })
end

local function succeed(job, plan)
  local phone = job.phone
  local keep = phone.keep
  phone.last_upgrade = phone.world.now().mono
  phone.upgrade_next = nil
  keep:set(NS, "err", nil)
  keep:set(NS, "pending", plan.load)
  keep:set(NS, "pending_rule", not job.url and job.rule or nil)
  keep:set(NS, "pending_sha256", job.sha256)
  if not job.url and job.key then
    keep:set(NS, "done", json.encode { rule = job.rule:sub(2),
      url = job.key })
  end
  show_state(phone, "", plan.condition)
  remember(job)
  local ok, sentence, word = keep:flush("upgrade")
  if not ok then context.note(job.run, word, nil, sentence) end
  if job.request then
    messages.send(phone, job.run.trace, "upgrade_success", job.request,
      plan.load)
  end
  return { outcome = "done", reason = "the phone boots " .. plan.load,
    load = plan.load, url = job.where, err = "", attempted = true,
    reboot = true }
end

local function activate(job, plan)
  local bad = job.phone.keep:get(NS, "bad_sha256")
  if bad and bad == job.sha256 then
    return nil, retrieve.failure(plan.load
      .. ": the same image did not come up before, and is not booted again",
      "old-load", nil, "Old load came up")
  end
  local ok, sentence, word = job.phone.world.device.activate(plan.load)
  job.run.trace:add("activate", { load = plan.load, word = word,
    text = sentence })
  if ok then return true end
  return nil, retrieve.failure(sentence or "the load cannot be booted",
    word or "internal", nil, sentence)
end

-- The image as a whole is in its partition, or nothing is.
local function download(job, plan, u, question)
  local run = job.run
  local image = image_of.new(job.phone.world.device, { load = plan.load,
    url = job.where })
  question.sink, question.max = image.write, image_of.max
  question.total = TOTAL_S
  local answer, failed = retrieve.file(run, u, question,
    function(at, address)
      local first = not job.request
      job.request = request_vars(at, address)
      if first then
        messages.send(job.phone, run.trace, "upgrade_request", job.request)
      end
    end)
  if answer and answer.address then job.request.SERVIP = answer.address end
  local facts
  if answer then facts, failed = image.finish() end
  failed = not facts and (image.failed or failed)
  run.trace:add("image", { load = plan.load, bytes = image.size,
    sha256 = facts and facts.sha256, word = failed and failed.word or nil,
    text = failed and secret.mask(failed.sentence) or nil })
  if failed then
    image.abort()
    return nil, failed
  end
  job.sha256 = facts.sha256
  local ok
  ok, failed = activate(job, plan)
  if not ok then image.abort() end
  return ok, failed
end

local function assign(job, plan)
  local ok, failed = values.assign(job.run, 0, "Upgrade_Rule", plan.assigns,
    true)
  if ok then return true end
  failed.cause = cause.of(failed.word, nil, failed.sentence)
  return nil, failed
end

local function carry_out(job, plan)
  local ok, failed = assign(job, plan)
  if not ok then return fail(job, plan, failed) end
  local u, question
  if plan.fetch then
    u, question = retrieve.target(job.phone, plan.fetch)
    if not u then return fail(job, plan, question) end
    job.where, job.key = url.format(u), classic.key(u)
    plan.load = plan.load or classic.load_of(u)
  end
  if not plan.load then
    return fail(job, plan, retrieve.failure("the URL names no load",
      "bad-rule", nil, "URL names no load"))
  end
  if plan.action == "activate" then
    ok, failed = activate(job, plan)
  else
    ok, failed = download(job, plan, u, question)
  end
  if not ok then return fail(job, plan, failed) end
  return succeed(job, plan)
end

local NEEDS <const> = { fetch = { "image_begin", "image_write",
  "image_finish", "activate" }, activate = { "activate" } }

local function can(job, plan)
  for _, name in ipairs(NEEDS[plan.action]) do
    if not job.phone.world.device[name] then return false end
  end
  return true
end

local function nothing(reason)
  return { outcome = "none", reason = reason }
end

--- Ask the rule, and do what it says. Runs in a task.
-- @param phone
-- @param run    as context.new() makes it
-- @param about  event, url (a rule that somebody asked for; nil or "":
--   Upgrade_Rule), retry_due
-- @treturn table outcome "none", "waiting" (lines are busy: again when they
--   are idle), "failed" or "done"; reason, word, err (of $UPGERR), attempted,
--   reboot (a new load was activated), retry { after, spread }, load, url
function upgrade.consider(phone, run, about)
  local job = new_job(phone, run, about)
  forget_failures(phone, job.rule)
  local failed = check_boot(job)
  if failed then return failed end
  show_state(phone)
  local plan = ask(job, is_due(job, about))
  if plan.action == "skip" then return nothing(plan.reason) end
  if plan.action == "error" then return bad_rule(job, plan) end
  show_state(phone, nil, plan.condition)
  if not can(job, plan) then
    return nothing("the device cannot take images")
  end
  if device.lines_active(phone.world.device) > 0 then
    if not job.url then phone.upgrade_next = phone.world.now().mono end
    return { outcome = "waiting", reason = "a line is in use" }
  end
  return carry_out(job, plan)
end

return upgrade
