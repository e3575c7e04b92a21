--- Files that are no profiles, such as firmware: one URL with its credentials,
-- and what became of it.
local account = require "peal.account"
local cause = require "peal.cause"
local secret = require "peal.secret"
local transport = require "peal.transport"
local url = require "peal.url"

local retrieve = {}

--- A failure: sentence, word, and the cause that people are shown.
function retrieve.failure(sentence, word, status, reason)
  return { sentence = sentence, word = word, status = status,
    cause = cause.of(word, status, reason) }
end

local function resolved(phone, text)
  return secret.resolve(text, function(name) return phone:secret(name) end)
end

-- What is asked, with the rule's own user and password, in the URL as well.
local function question(phone, get, u)
  local user, password = get.uid, get.pwd
  if not user and not password then user, password = u.user, u.password end
  local ask = { srv = get.srv }
  if not user and not password then return account.answer(phone, ask) end
  local sentence
  user, sentence = resolved(phone, user or "")
  if not user then return nil, sentence end
  password, sentence = resolved(phone, password or "")
  if not password then return nil, sentence end
  return account.answer(phone, ask, user, password)
end

--- What a rule's `fetch` names, as transport.fetch() takes it.
-- @treturn[1] table parsed URL with a host, without credentials
-- @treturn[1] table what is asked: srv, and account.answer()
-- @return[2] nil, failure
function retrieve.target(phone, get)
  local u = get.url
  if type(u) == "string" then
    local parsed, why, word = url.parse(u)
    if not parsed then return nil, retrieve.failure(why, word, nil, why) end
    u = parsed
  end
  if not u.host then
    return nil, retrieve.failure("the rule names no server", "no-server")
  end
  local ask, sentence = question(phone, get, u)
  if not ask then
    return nil, retrieve.failure(sentence, "bad-rule", nil, sentence)
  end
  local plain = {}
  for key, value in pairs(u) do plain[key] = value end
  plain.user, plain.password = nil, nil
  return plain, ask
end

-- The file is handed on as it comes: a coding would become a part of it.
local function check_coding(answer)
  local coding = transport.header(answer, "content-encoding", true)
  if not coding or not coding:lower():gsub("identity", ""):find("[^%s,]") then
    return nil
  end
  return retrieve.failure("the server encodes the file, which nobody asked "
    .. "for: turn its compression off for this file", "bad-coding")
end

--- One exchange; an answer that is no success is a failure.
-- @param run      phone and trace
-- @param u, ask   as transport.fetch() takes them, without content codings
-- @tparam[opt] function on_target see transport.fetch()
-- @treturn[1] table the answer
-- @return[2] nil, failure
function retrieve.exchange(run, u, ask, on_target)
  ask.plain = true
  run.trace:add("fetch", { url = url.format(u),
    method = u.scheme == "tftp" and "RRQ" or ask.method or "GET" })
  local answer, failed = transport.fetch(run, u, ask,
    on_target or function() end)
  local verdict = transport.judge(answer, failed)
  if verdict.class == "A" then return answer end
  failed = failed or { word = verdict.id,
    sentence = transport.sentence(answer), status = answer.status }
  failed.cause = verdict
  return nil, failed
end

--- Fetch the file; an answer without bytes, or with a content coding, is a
-- failure too.
-- @param run, u, ask, on_target see retrieve.exchange(); u and ask as
--   retrieve.target() gives them; ask.sink, max, total
-- @treturn[1] table the answer
-- @return[2] nil, failure
function retrieve.file(run, u, ask, on_target)
  local answer, failed = retrieve.exchange(run, u, ask, on_target)
  if not answer then return nil, failed end
  if (answer.taken or #(answer.body or "")) == 0 then
    return nil, retrieve.failure("the file is empty", "zero")
  end
  local coded = check_coding(answer)
  if coded then return nil, coded end
  return answer
end

return retrieve
