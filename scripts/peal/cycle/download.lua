--- The download of a rule: where from, with which credentials, and what the
-- answer came to.
local account = require "peal.account"
local cause = require "peal.cause"
local context = require "peal.cycle.context"
local health = require "peal.health"
local messages = require "peal.messages"
local rule = require "peal.rule"
local secret = require "peal.secret"
local transport = require "peal.transport"
local url = require "peal.url"
local values = require "peal.cycle.values"

local download = {}

local function request_vars(u, address)
  return { SCHEME = u.scheme, SERV = u.host, SERVIP = address or u.host,
    PORT = tostring(u.port), PATH = u.path }
end

-- What is asked of a server; --post and --put send an expanded register.
local function question(run, get)
  local ask = account.answer(run.phone, { srv = get.srv }, get.uid, get.pwd)
  local letter = get.post or get.put
  if letter then
    ask.method = get.post and "POST" or "PUT"
    ask.body = run.phone:expand_param("GPP_" .. letter:upper(),
      { state = run.state }) or ""
    ask.content_type = "text/plain; charset=utf-8"
  end
  return ask
end

-- URLs to try: the rule's own, or what DHCP offers for a rule without host.
local function candidates(run, get)
  if get.url.host then return { get.url } end
  local phone = run.phone
  local list, sentence, word = rule.default_server(get.url, phone.dhcp,
    phone:param("DHCP_Option_To_Use") or "", phone:variables())
  return list, sentence, word
end

-- What is asked for at one URL: an option of DHCP may be a whole rule, with a
-- key and the like. Secrets go in for the references.
local function options_at(run, get, u)
  local out = {}
  for key, value in pairs(get) do out[key] = value end
  for key, value in pairs(u.fetch or {}) do out[key] = out[key] or value end
  for _, key in ipairs { "key", "uid", "pwd" } do
    if out[key] then
      local text, sentence = secret.resolve(out[key],
        function(name) return run.phone:secret(name) end)
      if not text then return nil, sentence end
      out[key] = text
    end
  end
  return out
end

-- Servers that DHCP offers are tried until one gives the file or asks who is
-- there.
local function settles(answer)
  local status = answer.status
  return not status or status == 401 or status // 100 == 2
end

-- The answer, or nil and the last failure; and what was asked for.
local function fetch_any(run, name, list, get, tell)
  for i, u in ipairs(list) do
    local one, sentence = options_at(run, get, u)
    if not one then return nil, { bad_rule = sentence } end
    local ask = question(run, one)
    run.trace:add("fetch", { rule = name, url = url.format(u),
      method = u.scheme == "tftp" and "RRQ" or ask.method or "GET",
      option = u.option })
    local answer, failed = transport.fetch(run, u, ask, tell)
    if answer and settles(answer) or i == #list then
      return answer, failed, one
    end
  end
end

-- What the transfer came to: true with bytes to decode, false without (a
-- missing file that is no fault), nil and a failure.
local function judge(run, name, answer, failed)
  local verdict = transport.judge(answer, failed)
  if verdict.class == "A" then return true end
  if verdict.id == "fnf" and run.phone:param("Resync_Fails_On_FNF") == "No"
  then
    context.note(run, "fnf", nil,
      "file not found counts as success (Resync_Fails_On_FNF is No)")
    return false
  end
  failed = failed or { sentence = transport.sentence(answer), word = verdict.id,
    status = answer.status }
  failed.cause = verdict
  return nil, context.fail(name, failed, { status = failed.status })
end

local function apply(run, index, name, get, answer, where)
  local txn, failed = values.stage(run, name, get, answer, where)
  local fields = { url = where, status = answer.status }
  if not txn then
    failed.cause = cause.of(failed.word, nil, failed.sentence)
    return context.fail(name, failed, fields)
  end
  local counts = values.count(run, name, txn, where)
  local changes, ok
  changes, failed = values.review(run, name, where, txn)
  local held = changes and health.held(run, name, answer, where, changes)
  if held then
    txn:abort()
    return held
  end
  if changes then
    ok, failed = values.commit(run, index, name, txn, changes, true)
  end
  if not ok then
    failed.cause = cause.of(failed.word, nil, failed.sentence)
    return context.fail(name, failed, fields)
  end
  return { rule = name, outcome = "success", url = where,
    status = answer.status, changes = #changes, counts = counts,
    bytes = #(answer.body or ""), peer = answer.peer }
end

--- Fetch and apply what a plan asks for.
function download.run(run, index, name, get)
  local list, sentence, word = candidates(run, get)
  if not list then
    return context.bad_rule(name, sentence, word, { err = sentence })
  end
  local request
  local function tell(u, address)
    local first = request == nil
    request = request_vars(u, address)
    if first then messages.send(run.phone, run.trace, "request", request) end
  end
  local answer, failed, one = fetch_any(run, name, list, get, tell)
  if failed and failed.bad_rule then
    return context.bad_rule(name, failed.bad_rule)
  end
  request = request or request_vars(list[1])
  if answer and answer.address then request.SERVIP = answer.address end
  local where = url.format(answer and answer.asked or list[1])
  local good, result = judge(run, name, answer, failed)
  if good then
    -- what was undone, since the phone was not well with it, stays away
    result = health.quarantined(run, name, answer, where)
      or apply(run, index, name, one, answer, where)
    result.hash, result.mark = answer.hash, answer.mark
  elseif good == false then
    result = { rule = name, outcome = "success", url = where, changes = 0,
      missing = true }
  end
  result.url = result.url or where
  result.request = request
  return result
end

return download
