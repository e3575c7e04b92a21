--- A cassette as a case of tests/cases: a Lua file that says what the servers
-- answered, how the phone was set, and what became of it. What is in it is
-- read by people and kept in the open: a cassette with secrets is redacted
-- first.
local contents = require "peal.cassette.contents"
local play = require "peal.cassette.play"
local redact = require "peal.cassette.redact"
local sorted = require "peal.sorted"
local start = require "peal.cassette.start"
local request_key = require "peal.world.request_key"

-- --- Lua source ---

local function quoted(text)
  return '"' .. text:gsub('[%c"\\\x7f-\xff]', function(c)
    if c == "\n" then return "\\n" end
    if c == '"' or c == "\\" then return "\\" .. c end
    return ("\\x%02x"):format(c:byte())
  end) .. '"'
end

local source

local function field(key)
  if type(key) == "string" and key:find("^[%a_][%w_]*$") then return key end
  return "[" .. source(key, "") .. "]"
end

function source(value, indent)
  if type(value) == "string" then return quoted(value) end
  if type(value) ~= "table" then return tostring(value) end
  local deeper, lines = indent .. "  ", {}
  if #value > 0 then
    for i, item in ipairs(value) do
      lines[i] = deeper .. source(item, deeper) .. ",\n"
    end
  else
    for i, key in ipairs(sorted.keys(value)) do
      lines[i] = ("%s%s = %s,\n"):format(deeper, field(key),
        source(value[key], deeper))
    end
  end
  if #lines == 0 then return "{}" end
  return "{\n" .. table.concat(lines) .. indent .. "}"
end

-- --- what the servers say ---

local function answer_of(results)
  local answer = results[1]
  if answer then
    local headers = {}
    for _, pair in ipairs(answer.headers or {}) do
      headers[pair[1]] = pair[2]
    end
    return { status = answer.status, body = answer.body, headers = headers,
      auth_exhausted = answer.auth_exhausted }
  end
  local facts = type(results[4]) == "table" and { sent = results[4].sent,
    received = results[4].received, status = results[4].status } or nil
  return { error = results[3], text = results[2], facts = facts }
end

local function servers_of(exchanges)
  local server, requests = {}, {}
  for i, one in ipairs(exchanges) do
    local key = request_key(one.request)
    local url = key:match(" (.*)$")
    requests[i] = key
    server[url] = server[url] or {}
    table.insert(server[url], answer_of(one.results))
  end
  return server, requests
end

local function names_of(lookups)
  local dns = {}
  for _, one in ipairs(lookups) do
    dns[one.name] = dns[one.name] or one.results[1]
  end
  for _, list in pairs(dns) do
    for _, entry in ipairs(list) do entry.age = nil end
  end
  return dns
end

-- --- the phone ---

-- Values that are not the defaults, and what the fixture of the cases has
-- otherwise.
local function params_of(store)
  local params = {}
  for about in store:each() do
    if not about.is_default or about.type == "Rule"
      or about.name:find("^GPP_") or about.name:find("Log_", 1, true)
      or about.name:find("Syslog", 1, true)
      or about.name:find("^Resync_") then
      params[about.name] = about.text
    end
  end
  return params
end

local function rules_of(c)
  local files = {}
  for name, source_of in pairs(c.sources[1] or {}) do
    files[name] = source_of.text
  end
  return next(files) and files or nil
end

local function expected(result, store, requests)
  local params = {}
  for _, change in ipairs(result.changes or {}) do
    params[change.name] = store:get(change.name)
  end
  local failure = result.failure and { word = result.failure.word,
    class = result.failure.class, err = result.failure.err }
  return { outcome = result.outcome, reason = result.reason,
    requests = requests, failure = failure,
    params = next(params) and params or nil }
end

local function identity_of(about)
  local identity = {}
  for name, value in pairs(about.identity) do identity[name] = value end
  identity.CCERT = identity.CCERT or about.certificate
  return identity
end

-- The case as a table.
local function table_of(c)
  local begin, sentence, word = start.of(c)
  if not begin then return nil, sentence, word end
  local params = params_of(begin.store)
  local played = play.resync(c)
  if not played.result then
    return nil, played.divergence.sentence, "diverged"
  end
  local server, requests = servers_of(contents.exchanges(c))
  local about = c.phone
  return { name = "recorded: " .. played.result.outcome,
    source = "a cassette of peal " .. c.peal, time = begin.time,
    request = c.request, rules = rules_of(c), server = server,
    dns = names_of(contents.lookups(c)),
    phone = { identity = identity_of(about), params = params,
      state = about.state, overrides = about.overrides,
      account = about.account, dhcp = about.dhcp,
      keep_unknown = about.keep_unknown or nil },
    expect = expected(played.result, played.store, requests) }
end

--- @treturn[1] string the file
-- @return[2] nil, sentence, word
return function(c)
  local sentence, word
  if not c.redacted then
    c, sentence, word = redact(c)
    if not c then return nil, sentence, word end
  end
  local made
  made, sentence, word = table_of(c)
  if not made then return nil, sentence, word end
  return ("-- A recorded resync, as a case: see tests/support/cases.lua.\n"
    .. "return { %s }\n"):format(source(made, ""))
end
