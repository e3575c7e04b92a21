--- Reports: asks the rule, makes what is to be told, uploads it.
-- One attempt each and no retry: the next report tells what this one did not.
-- Source: MPP provisioning guide, Report_Rule, Report_To_Server.
local account = require "peal.account"
local cause = require "peal.cause"
local contents = require "peal.report.contents"
local context = require "peal.cycle.context"
local baseline = require "peal.report.baseline"
local encode = require "peal.encode"
local messages = require "peal.messages"
local secret = require "peal.secret"
local status = require "peal.report.status"
local transport = require "peal.transport"
local url = require "peal.url"
local values = require "peal.cycle.values"

local report = {}

local NAMESPACE <const> = "report"
local PENDING <const> = "pending" -- a local change that no report has told

--- The whole configuration as XML, as full reports and cfg.xml have it.
-- @return[2] nil, sentence, word
function report.configuration(phone)
  local xml, _, sentence, word = contents.configuration(phone)
  return xml, sentence, word
end

--- The status report as XML.
function report.status(phone)
  return status.xml(phone)
end

-- --- one upload ------------------------------------------------------------

local function failure(sentence, word)
  return nil, { sentence = sentence, word = word }
end

-- Options with secrets put in for the references to them.
local function options_of(phone, fetch)
  local out = {}
  for key, value in pairs(fetch) do out[key] = value end
  for _, key in ipairs { "key", "uid", "pwd" } do
    local sentence
    if out[key] then
      out[key], sentence = secret.resolve(out[key],
        function(name) return phone:secret(name) end)
      if not out[key] then return failure(sentence, "bad-rule") end
    end
  end
  if out.key == "" then return failure("the key is empty", "bad-rule") end
  if type(out.url) == "string" then
    local sentence, word
    out.url, sentence, word = url.parse(out.url)
    if not out.url then return failure(sentence, word) end
  end
  if not out.url.host then return failure("No server", "no-server") end
  if not out.uid and not out.pwd then
    out.uid, out.pwd = out.url.user, out.url.password
  end
  return out
end

-- A phone that has an IKM sends nothing in clear, by TFTP neither, where no
-- header says so (our choice): the file names its own coding.
local function sealed(phone, get, ask)
  local ikm = phone:param("IKM_HTTP_Encrypt_Content") or ""
  local sentence, word
  if get.key then
    ask.content_type = "application/octet-stream"
    ask.body, sentence, word = encode.aes(ask.body, get.key, "md5",
      phone.world.entropy(8))
  elseif ikm ~= "" then
    ask.content_encoding = "aes128gcm"
    ask.body, sentence, word = encode.aes128gcm(ask.body, ikm,
      phone.world.entropy(16))
  end
  if not ask.body then return failure(sentence, word) end
  return ask
end

local METHODS <const> = { POST = true, PUT = true }

local function question(phone, one, get)
  local ask = { method = METHODS[one.method] and one.method or "POST",
    body = one.body, content_type = "application/xml", srv = get.srv }
  return sealed(phone, get,
    account.answer(phone, ask, get.uid, get.pwd))
end

-- What an answer comes to: true, or nil and a failure with its cause.
local function judge(answer, failed)
  if answer and (not answer.status or answer.status // 100 == 2) then
    return true
  end
  local verdict = transport.judge(answer, failed)
  failed = failed or { word = verdict.id,
    sentence = transport.sentence(answer) }
  failed.cause = verdict
  return nil, failed
end

local function upload(run, one)
  local phone = run.phone
  local get, failed = options_of(phone, one.fetch)
  if not get then return nil, failed end
  one.url = url.format(get.url)
  local ask, answer, ok
  ask, failed = question(phone, one, get)
  if not ask then return nil, failed end
  run.trace:add("upload", { content = one.content, url = one.url,
    method = get.url.scheme == "tftp" and "WRQ" or ask.method,
    bytes = #ask.body, parameters = one.parameters,
    sealed = get.key and "aes-256-cbc" or ask.content_encoding })
  answer, failed = transport.fetch(run, get.url, ask, function() end)
  ok, failed = judge(answer, failed)
  return ok, failed
end

-- --- several ---------------------------------------------------------------

local function text_of(one, failed)
  return ("%s report to %s %s"):format(one.content, one.url or "its server",
    failed and "failed: " .. secret.mask(failed.sentence)
      or one.parameters and ("sent, %d parameters"):format(one.parameters)
      or "sent")
end

local function say(phone, one, failed)
  messages.debug(phone, failed and "info" or "debug", one.text)
  phone.world.log(one.text)
  phone.world.tell { event = "report", content = one.content, url = one.url,
    time = math.floor(phone.world.now().time),
    outcome = failed and "failed" or "sent",
    word = failed and failed.word or nil, text = one.text }
end

local function tell(run, one, failed)
  run.trace:add("report", { content = one.content, url = one.url,
    parameters = one.parameters, word = failed and failed.word,
    text = failed and secret.mask(failed.sentence) })
  one.text = text_of(one, failed)
  say(run.phone, one, failed)
end

-- Fill in what is to be told; false: nothing has changed.
local function fill(phone, one)
  if one.content == "status" then
    one.body = status.xml(phone)
    return true
  end
  local sentence, word
  one.body, one.marks, sentence, word = contents.configuration(phone,
    one.content == "delta")
  if one.body then
    one.parameters = sentence
    return true
  end
  if one.marks then return false end
  return failure(sentence, word)
end

-- Upload in order. What they hold is made first, so that one's success takes
-- nothing from the other; the server knows it once all have arrived.
local function send_all(run, list)
  local phone, result = run.phone, { sent = 0, texts = {} }
  local marks
  for _, one in ipairs(list) do
    local ready, failed = fill(phone, one)
    one.skip = ready == false
    one.failed = ready == nil and failed or nil
    marks = marks or one.marks
  end
  for _, one in ipairs(list) do
    if not one.skip then
      local ok, failed = not one.failed, one.failed
      if ok then ok, failed = upload(run, one) end
      tell(run, one, failed)
      if ok then result.sent = result.sent + 1 end
      result.texts[#result.texts + 1] = one.text
      result.failed = result.failed or failed
      result.untold = result.untold or not ok and one.content ~= "status"
    end
  end
  result.told = marks ~= nil and not result.untold
  if result.told then baseline.write(phone, marks) end
  return result
end

local function assign(run, assigns)
  if not assigns or #assigns == 0 then return end
  run.names = run.names or { "Report_Rule" }
  local ok, failed = values.assign(run, 1, "Report_Rule", assigns, true)
  if not ok then
    run.trace:note(failed.word, "Report_Rule", failed.sentence)
  end
end

-- --- when ------------------------------------------------------------------

-- phone.report_timer: { due = monotonic s, spread, after, event } or nil.
local function arm(phone, event, again)
  phone.report_timer = again and { due = phone.world.now().mono + again.after,
    after = again.after, spread = again.spread, event = event } or nil
end

local function armed(phone)
  local timer = phone.report_timer
  if not timer then return nil end
  return { after = math.max(0,
    math.ceil(timer.due - phone.world.now().mono)), spread = timer.spread }
end

local function done(phone, outcome, reason, fields)
  local out = { outcome = outcome, reason = reason, again = armed(phone) }
  for key, value in pairs(fields or {}) do out[key] = value end
  return out
end

-- Who asks for a report does not move the timer of the next one; nor does a
-- change, unless it starts one.
local function set_timer(phone, event, timer, answer)
  if answer.again then
    arm(phone, event, answer.again)
  elseif event == "timer" and answer.failed and timer
    and timer.event ~= "change" then
    arm(phone, timer.event, timer)
  elseif event ~= "request" and event ~= "change" then
    arm(phone, event, nil)
  end
end

local function sent_all(phone, timer, result)
  if not result.told then return end
  phone.keep:set(NAMESPACE, PENDING, nil)
  if timer and timer == phone.report_timer and timer.event == "change" then
    phone.report_timer = nil
  end
end

local function ask(run, event, timer)
  local answer = context.ask(run, "report", { event = event,
    timer_for = event == "timer" and timer and timer.event or nil })
  set_timer(run.phone, event, timer, answer)
  return answer
end

-- Local changes that nobody was told before a restart wait once more.
local function resume(run, event)
  local phone = run.phone
  if (event == "boot" or event == "mode") and not phone.report_timer
    and phone.keep:get(NAMESPACE, PENDING) then
    ask(run, "change")
  end
end

local function outcome_of(phone, answer, result)
  if result.failed then
    return done(phone, "failed", table.concat(result.texts, "; "),
      { word = result.failed.word, cause = result.failed.cause })
  elseif result.sent == 0 then
    return done(phone, "none", #answer.send > 0 and "nothing has changed"
      or answer.reason)
  end
  return done(phone, "sent", table.concat(result.texts, "; "))
end

--- Something has happened that may call for a report.
--   about.event   "boot", "request", "change", "mode", "timer"
-- @treturn table outcome ("none", "sent", "failed"), reason, word; again
--   { after, spread }: when it wants to be called with "timer"; nil: never
function report.consider(phone, run, about)
  local event, timer = about.event, phone.report_timer
  if event == "change" then
    if timer and timer.event == "change" then
      return done(phone, "none", "an earlier local change waits")
    end
    phone.keep:set(NAMESPACE, PENDING, "1")
  elseif event == "timer" and not timer and about.timer_for then
    timer = { event = about.timer_for, after = 0 }
  end
  local answer = ask(run, event, timer)
  if answer.failed then
    run.trace:note(answer.word, "Report_Rule", answer.sentence)
    say(phone, { text = "report: " .. answer.sentence }, answer)
    return done(phone, "failed", answer.sentence, { word = answer.word,
      cause = cause.of(answer.word, nil, answer.sentence) })
  end
  assign(run, answer.assigns)
  local result = send_all(run, answer.send or {})
  if event == "timer" and timer and timer.event == "change" then
    phone.keep:set(NAMESPACE, PENDING, nil) -- told or not: no retries
  end
  sent_all(phone, timer, result)
  resume(run, event)
  answer.send = answer.send or {}
  return outcome_of(phone, answer, result)
end

return report
