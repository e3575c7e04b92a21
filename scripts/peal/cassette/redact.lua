--- A cassette for a ticket: the same resync with placeholders for all
-- secrets. Profiles are decoded, their secrets replaced, and encoded again
-- under a placeholder; so are the store, the rules and the account. That phone
-- is run over the virtual world with these answers, and recorded: it takes the
-- same way, or there is no such cassette.
local answers = require "peal.cassette.answers"
local contents = require "peal.cassette.contents"
local cycle = require "peal.cycle"
local decode = require "peal.decode"
local encode = require "peal.encode"
local form = require "peal.world.tape_form"
local phone = require "peal.phone"
local play = require "peal.cassette.play"
local profile_text = require "peal.cassette.profile_text"
local secret_names = require "peal.secret"
local secrets_of = require "peal.cassette.secrets"
local shown = require "peal.shown"
local start = require "peal.cassette.start"
local take = require "peal.cassette.take"
local virtual = require "peal.world.virtual"

local SALT_8 <const>, SALT_16 <const> = ("r"):rep(8), ("r"):rep(16)

-- Headers that peal looks at, and some that tell which server it was; others
-- may hold anything.
local KEPT <const> = { ["cache-control"] = true, connection = true,
  ["content-encoding"] = true, ["content-length"] = true,
  ["content-type"] = true, date = true, location = true,
  ["retry-after"] = true, server = true, ["transfer-encoding"] = true,
  ["www-authenticate"] = true }

-- --- what is secret ---

local function collect_store(secrets, store)
  local function is_secret(name) return shown.is_secret(store, name) end
  local function value_of(name) return store:get(name) end
  for about in store:each() do
    if about.secret then
      secrets:add(about.text)
    elseif about.text ~= "" then
      secrets:add_rule(about.text, is_secret, value_of)
    end
  end
end

local function collect_phone(secrets, about, store)
  secrets:add(about.identity.MPWD)
  secrets:add((about.account or {}).password)
  for name, text in pairs(about.overrides or {}) do
    if shown.is_secret(store, name) then secrets:add(text) end
  end
  for _, text in pairs(about.dhcp or {}) do
    if type(text) == "string" then secrets:add_rule(text) end
  end
end

-- Values of secret parameters in a profile, by the names of their elements,
-- and what its rules take for a key.
local function collect_profile(secrets, text, store)
  local values = {}
  profile_text.each(text, function(name, raw, meant)
    values[name] = meant
    if shown.is_secret(store, name) or secret_names.sounds_like(name) then
      secrets:add(raw)
      secrets:add(meant)
    end
  end)
  local function value_of(name) return values[name] or store:get(name) end
  for _, value in pairs(values) do
    secrets:add_rule(value, nil, value_of)
  end
end

-- What rule files have answered: keys and passwords go by their names.
local function collect_named(secrets, value)
  for key, item in pairs(value) do
    if type(item) == "table" then
      collect_named(secrets, item)
    elseif type(item) == "string" and type(key) == "string"
      and secret_names.sounds_like(key)
    then
      secrets:add(item)
    end
  end
end

local function collect_texts(secrets, value)
  for _, item in pairs(value) do
    if type(item) == "table" then collect_texts(secrets, item) end
    if type(item) == "string" then secrets:add_rule(item) end
  end
end

-- --- bodies ---

local function codings_of(answer)
  for _, pair in ipairs(answer.headers or {}) do
    if pair[1]:lower() == "content-encoding" then return pair[2] end
  end
end

-- A body in clear, how it was packed, and the key; nil: nobody can read it.
local function opened(secrets, answer)
  local codings = codings_of(answer)
  local text, facts = decode.text(answer.body, { codings = codings })
  if text then return text, facts.steps end
  for _, key in ipairs(secrets.list) do
    text, facts = decode.text(answer.body, { key = key, codings = codings })
    if not text then
      text, facts = decode.text(answer.body, { ikm = key, codings = codings })
    end
    if text then return text, facts.steps, secrets.by_text[key] end
  end
end

local function packed(text, steps, key)
  for i = #steps, 1, -1 do
    local step = steps[i]
    local kdf = step:match("^aes%-256%-cbc %((%w+)%)")
    if step == "gzip" or step == "gzip (coding)" then
      text = encode.gzip(text)
    elseif kdf and key then
      text = encode.aes(text, key, kdf, SALT_8)
    elseif step:find("^aes128gcm") and key then
      text = encode.aes128gcm(text, key, SALT_16)
    elseif step ~= "xml" then
      return nil
    end
  end
  return text
end

-- What nobody can read here, others may: of a file that is packed or
-- encrypted its head is kept, which says so.
local HEADS <const> = { "^\x1f\x8b........", "^Salted__........" }
local HEAD_8188 <const> = 21

local function blanked(answer)
  local body, head = answer.body, ""
  for _, pattern in ipairs(HEADS) do
    head = body:match(pattern) or head
  end
  if (codings_of(answer) or ""):find("aes128gcm", 1, true) then
    head = body:sub(1, HEAD_8188)
  end
  return head .. ("\0"):rep(#body - #head)
end

local function is_ok(answer)
  return not answer.status or answer.status >= 200 and answer.status < 300
end

local function body_of(secrets, answer)
  local text, steps, key = opened(secrets, answer)
  if not text or text:find("\0", 1, true) or not is_ok(answer) then
    return blanked(answer)
  end
  text = profile_text.without_comments(secrets:replace(text))
  return packed(text, steps, key) or blanked(answer)
end

local function headers_of(secrets, headers)
  local out = {}
  for _, pair in ipairs(headers or {}) do
    if KEPT[pair[1]:lower()] then
      out[#out + 1] = { pair[1], secrets:replace(pair[2]) }
    end
  end
  return out
end

local function answer_of(secrets, answer)
  if type(answer) ~= "table" then return answer end
  local out = {}
  for name, value in pairs(answer) do
    if name ~= "body" and name ~= "headers" then
      out[name] = secrets:replace_all(value)
    end
  end
  out.headers = headers_of(secrets, answer.headers)
  out.body = answer.body and body_of(secrets, answer)
  return out
end

-- --- the other phone ---

-- Where texts of operators and servers may be kept; what is left over of a
-- secret elsewhere is found at the end.
local NAMESPACES <const> = { "engine", "health", "history", "host", "mic",
  "quarantine", "report", "rules", "status", "tls", "trace", "trust",
  "upgrade" }

local function clean_store(secrets, store)
  local txn = assert(store:begin())
  for about in store:each() do
    local text = about.secret and secrets:add(about.text)
      or secrets:replace(about.text)
    if text ~= about.text then
      txn:keep_unknown(about.untyped)
      local ok, sentence = txn:set(about.name, text)
      if not ok then return nil, ("%s: %s"):format(about.name, sentence) end
    end
  end
  for _, ns in ipairs(NAMESPACES) do
    for key, text in pairs(store:states(ns)) do
      local clean = ns ~= "tls" and secrets:replace(text) or nil
      if clean ~= text then txn:state(ns, key, clean) end
    end
  end
  return txn:commit("redacted", 0)
end

local function clean_phone(secrets, about, certificate)
  local out = secrets:replace_all(about)
  if out.memory and out.memory.keep then out.memory.keep.tls = nil end
  out.identity.CCERT = out.identity.CCERT or certificate
  return out
end

-- The servers of a cassette, without secrets.
local function servers_of(secrets, c)
  local exchanges = contents.exchanges(c)
  for _, one in ipairs(exchanges) do
    one.request = secrets:replace_all(one.request)
    for i = 1, one.results.n do
      local value = one.results[i]
      one.results[i] = type(value) == "table" and answer_of(secrets, value)
        or secrets:replace_all(value)
    end
  end
  return answers(c, exchanges, secrets:replace_all(contents.lookups(c)))
end

local function run(begin, c, secrets)
  local began = contents.began(c)
  local server, dns = servers_of(secrets, c)
  local world = virtual.new { store = begin.store, server = server, dns = dns,
    time = begin.time, rules = secrets:replace_all(begin.rules),
    trust = { anchors = begin.anchors }, device = { zone = began.zone,
      clock_trusted = function() return began.trusted ~= false end } }
  local about = clean_phone(secrets, begin.phone, begin.certificate)
  about.world = world
  local p = phone.new(about)
  local request = secrets:replace_all(begin.request)
  return world.run(function()
    local taken = take.new(p, begin.schema)
    local made = cycle.new(taken.phone, request)
    if cycle.gate(made).pass then cycle.carry_out(made) end
    return taken:cassette(made, request), made.result
  end)
end

-- --- is it the same way? ---

local function way_of(result)
  local out = { result.outcome }
  for _, done in ipairs(result.rules or {}) do
    out[#out + 1] = ("%s %s %s"):format(done.rule, done.outcome,
      done.word or "")
  end
  local names = {}
  for _, list in ipairs { result.changes or {}, result.refused or {} } do
    for _, one in ipairs(list) do names[#names + 1] = one.name end
  end
  table.sort(names)
  return table.concat(out, "\n") .. "\n" .. table.concat(names, "\n")
end

local function refuse(sentence)
  return nil, "it cannot be redacted: " .. sentence, "invalid"
end

local function collect_answers(secrets, c, store)
  for _, one in ipairs(contents.decisions(c)) do
    collect_named(secrets, one)
    collect_texts(secrets, one)
  end
  for _, one in ipairs(contents.exchanges(c)) do
    collect_named(secrets, one.request)
    local answer = one.results[1] or one.results[4]
    if type(one.results[2]) == "string" then
      secrets:add_rule(one.results[2])
    end
    if type(answer) == "table" then
      for _, pair in ipairs(answer.headers or {}) do
        if KEPT[pair[1]:lower()] then secrets:add_rule(pair[2]) end
      end
      if answer.body then
        collect_profile(secrets, opened(secrets, answer) or answer.body, store)
      end
    end
  end
end

--- @treturn[1] table a cassette that may be shown
-- @return[2] nil, sentence, word
return function(c)
  local played, sentence, word = play.resync(c)
  if not played then return nil, sentence, word end
  if played.divergence then
    return refuse("it does not play: " .. played.divergence.sentence)
  end
  local begin = start.of(c)
  local secrets = secrets_of.new()
  collect_phone(secrets, begin.phone, begin.store)
  collect_store(secrets, begin.store)
  collect_store(secrets, played.store)
  if begin.request.rule then secrets:add_rule(begin.request.rule) end
  collect_answers(secrets, c, played.store)
  local ok
  ok, sentence = clean_store(secrets, begin.store)
  if not ok then return refuse(sentence) end
  local out, result = run(begin, c, secrets)
  out.redacted = true
  if way_of(result) ~= way_of(played.result) then
    return refuse("with placeholders it would go another way")
  end
  if secrets:stands_in(form.pack(out)) then
    return refuse("a secret stands where none is expected")
  end
  return out
end
