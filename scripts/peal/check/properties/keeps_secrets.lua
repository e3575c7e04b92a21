--- No secret reaches any output. All secret parameters, passwords and keys of a
-- phone get texts that stand nowhere else; then a day of its life is searched
-- for them: trace, log, syslog, events, reports, status, and what it asks of
-- servers, but for the places where a secret belongs.
local base64 = require "peal.base64"
local json = require "peal.json"
local lab = require "peal.check.properties.lab"
local samples = require "peal.check.samples"
local sorted = require "peal.sorted"

local HOUR <const> = 3600
local URL <const> = "https://%s:%s@prov.example.com/$MA.xml"

-- Texts that are found nowhere by chance: name of what it is -> text.
local function canaries(schema)
  local out, n = {}, 0
  local function plant(name)
    n = n + 1
    out[name] = ("cnry%04xcnry"):format(n * 7919 % 65536)
    return out[name]
  end
  local params = {}
  for _, name in ipairs(schema:names()) do
    if schema:param(name).secret then
      local text = plant(name)
      if schema:check(name, text) then params[name] = text end
    end
  end
  local key, pwd = plant("the key of Profile_Rule"),
    plant("the --pwd of Profile_Rule")
  params.Profile_Rule = ("[--key %s] https://prov.example.com/$MA.xml")
    :format(key)
  params.Profile_Rule_B = ("[--uid joe --pwd %s] "
    .. "https://prov.example.com/b.xml"):format(pwd)
  params.Profile_Rule_C = URL:format("joe", plant("the URL's password"))
  params.Report_Rule = ("[--key %s] https://prov.example.com/report")
    :format(plant("the key of Report_Rule"))
  return out, params, plant
end

-- Fields of a request in which a secret belongs.
local PLACES <const> = { user = true, password = true, proxy_user = true,
  proxy_password = true, tls = true, sink = true }

local function request_text(request)
  local parts = {}
  local function add(value, depth)
    if type(value) == "table" and depth < 4 then
      for key, item in pairs(value) do
        if depth > 0 or not PLACES[key] then add(item, depth + 1) end
      end
    elseif type(value) == "string" then
      parts[#parts + 1] = value
    end
  end
  add(request, 0)
  return table.concat(parts, "\n")
end

-- A day: boot, a broken server, values set by hand, resyncs by hand.
local function live(options, ask, params, plant, about)
  local texts = samples.with(lab.mentioned(options), { GPP_P = "new" })
  texts.Admin_Password = plant("a password in the profile")
  local body = lab.profile(texts)
  local found = lab.new { rules = options.rules, schema = options.schema,
    ask = ask, told = true, params = samples.with(about.params, params),
    identity = samples.with(about.identity, { MPWD = plant("MPWD") }),
    time = about.time, account = { user = "joe",
      password = plant("the account's password") },
    server = function(_, of)
      local hour = of.world.now().mono // HOUR
      if hour == 2 then return { status = 500, headers = {} } end
      if hour == 3 then return { status = 401, headers = {} } end
      if hour == 4 then return lab.ok("no profile") end
      return lab.ok(body)
    end }
  found.engine:start("power_on")
  for hour = 1, 8 do
    found.world.advance(hour * HOUR)
    found.engine:resync { by = hour % 2 == 0 and "cli" or "url" }
    found.engine:report { by = "cli" }
    found.engine:changed({ "GPP_P" }, "user")
    found.engine:upgrade { by = "cli",
      url = "https://prov.example.com/sip88xx.12-0-1MPP-1.loads" }
  end
  found.world.advance(10 * HOUR)
  return found
end

-- Everything that was said: list of { what, text }.
local function outputs(found)
  local world, out = found.world, {}
  local function add(what, text) out[#out + 1] = { what, text } end
  for _, line in ipairs(world.lines) do add("the log", line) end
  for _, datagram in ipairs(world.datagrams) do
    add("syslog", datagram.bytes)
  end
  for _, event in ipairs(world.told) do
    add(event.step and "the trace" or "an event", json.encode(event))
  end
  for _, request in ipairs(world.requests) do
    add("a request", request_text(request))
  end
  add("the status", json.encode(found.engine:status()))
  return out
end

local function hex(text)
  return (text:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

-- A text, and how it looks where a rule has dressed it up.
local function forms_of(text)
  local out = { text, text:upper(), text:reverse(), hex(text),
    hex(text):upper() }
  for before = 0, 2 do -- in base64 it looks by where it begins
    local code = base64.encode(("x"):rep(before) .. text)
    out[#out + 1] = code:sub(before == 0 and 1 or 5, 16)
  end
  return out
end

-- All texts begin and end with
-- the same letters, so do their forms: MARKS are looked for first.
local MARKS <const> = { "cnry", "CNRY", "yrnc", hex("cnry"),
  hex("cnry"):upper(), "Y25y", "bnJ5" }

local function has_mark(text)
  for _, mark in ipairs(MARKS) do
    if text:find(mark, 1, true) then return true end
  end
  return false
end

local function search(planted, said)
  for _, one in ipairs(said) do
    for _, name in ipairs(has_mark(one[2]) and sorted.keys(planted) or {}) do
      for _, form in ipairs(forms_of(planted[name])) do
        local at = one[2]:find(form, 1, true)
        if at then
          local before = one[2]:sub(math.max(1, at - 40), at - 1)
          return name, one[1], before:gsub("[%c]", " ")
        end
      end
    end
  end
end

--- @return true, a sentence; or nil, failure
return function(options)
  local ask, count = lab.ask(options), 0
  for i = 1, 3 do
    local sample = (options.samples or samples.built_in())[i]
    if sample then
      local planted, params, plant = canaries(options.schema)
      local said = outputs(live(options, ask, params, plant, sample))
      local name, where, before = search(planted, said)
      if name then
        return nil, { property = "keeps_secrets", code = "secret-shown",
          file = lab.path(options, "profile.lua", "apply.lua", "upgrade.lua"),
          sample = sample.name, sentence = ("%s stands in %s, behind %q "
            .. "(sample: %s)"):format(name, where, before, sample.name) }
      end
      count = count + #said
    end
  end
  return true, ("no secret in %d outputs of three phones"):format(count)
end
