--- The phones that a rule file is tried on: a dozen of our own, those that the
-- file itself speaks of, and the operator's.
-- A sample: { name, identity, params, state, lines_active, clock_trusted,
-- time, asked_by, explicit, failures }.
local parse_url = require("peal.url").parse
local tree = require "peal.check.tree"

local samples = {}

-- 2026-11-22 is a Sunday.
local SUNDAY <const> = 1795305600
local DAY <const>, HOUR <const> = 86400, 3600
local function at(day, hour)
  return SUNDAY + day * DAY + math.floor(hour * HOUR)
end

local IDENTITY <const> = { PN = "CP-8841-3PCC", MAC = "000e08abcdef",
  SN = "88012BA01234", SWVER = "sip88xx.11-3-1MPP-234", HWVER = "2.0.1",
  IP = "10.1.0.23", EXTIP = "66.43.16.52", CCERT = "Installed" }

local PARAMS <const> = {
  Profile_Rule = "https://prov.example.com/$MA.xml",
  Profile_Rule_B = "https://prov.example.com/model/$PSN.xml",
  Upgrade_Rule = "https://prov.example.com/sip88xx.11-3-7MPP-28.loads",
  Report_Rule = "[--delta] https://prov.example.com/report/$MA.xml",
  Cisco_Headset_Upgrade_Rule = "https://prov.example.com/headset.json",
  Admin_Password = "Sample-only-1", GPP_A = "berlin", GPP_SA = "sample-user",
  GPP_SB = "sample-secret", GPP_K = "ring", Resync_Random_Delay = "30",
  Resync_Periodic = "3600", Resync_Error_Retry_Delay = "600,1200",
}

local NONE <const> = {}
for name in pairs(PARAMS) do NONE[name] = "" end
NONE.Resync_Random_Delay, NONE.Resync_Periodic = nil, nil

local function with(base, more)
  local out = {}
  for key, value in pairs(base) do out[key] = value end
  for key, value in pairs(more or {}) do out[key] = value end
  return out
end

local function phone(name, asked_by, more)
  local out = with({ name = name, asked_by = asked_by, time = at(2, 10.25),
    explicit = asked_by == "cli" or asked_by == "url" or asked_by == "notify",
    failures = 0, lines_active = 0, clock_trusted = true }, more)
  out.identity = with(IDENTITY, more and more.identity)
  out.params = with(PARAMS, more and more.params)
  out.state = with({ PRVST = -1, PRVTMR = 7200, UPGTMR = 90000, REGTMR1 = 0 },
    more and more.state)
  return out
end

local BUILT_IN <const> = {
  phone("CP-8841, by hand", "cli"),
  phone("CP-7841 at boot, at night", "boot", { time = at(3, 3.1),
    identity = { PN = "CP-7841-3PCC", MAC = "000e08000007",
      SWVER = "sip78xx.11-3-1MPP-234", IP = "10.2.7.1" },
    state = { PRVST = 0, PRVTMR = 12, UPGTMR = 12 } }),
  phone("CP-6861, periodic, on Sunday", "periodic", { time = at(0, 12),
    identity = { PN = "CP-6861-3PCC", MAC = "001122aabbcc",
      IP = "192.168.1.100", CCERT = "Not Installed" },
    state = { PRVST = 1 } }),
  phone("a retry after 5 failures", "retry", { failures = 5,
    time = at(4, 17.5), state = { PRVST = 2, PRVTMR = 600 } }),
  phone("the first retry", "retry", { failures = 1,
    state = { PRVST = 2, PRVTMR = 600 } }),
  phone("by Resync_At, in the evening", "at", { time = at(2, 20),
    state = { PRVST = 1 } }),
  phone("periodic, shortly before midnight", "periodic",
    { time = at(2, 23.5), state = { PRVST = 1 } }),
  phone("by NOTIFY", "notify", { identity = { MAC = "2c1743ffee01" } }),
  phone("by URL, in Sydney", "url", { time = at(5, 21),
    params = { Time_Zone = "GMT+10:00" } }),
  phone("by NOTIFY, a minute after another", "notify", {
    state = { PRVTMR = 60 } }),
  phone("DBS-210, in January", "periodic", { time = at(45, 9),
    identity = { PN = "DBS-210-3PC" }, state = { PRVST = 1 } }),
  phone("two lines busy", "periodic", { lines_active = 2,
    state = { PRVST = 1 } }),
  phone("the clock not set", "boot", { clock_trusted = false, time = 90,
    state = { PRVST = 0, PRVTMR = 90, UPGTMR = 90 } }),
  phone("no parameter set", "boot", { params = NONE,
    identity = { EXTIP = "", CCERT = "Not Installed" },
    state = { PRVST = 0, PRVTMR = 5, UPGTMR = 5 } }),
  phone("provisioning and upgrades switched off", "periodic",
    { params = { Provision_Enable = "No", Upgrade_Enable = "No" },
      state = { PRVST = 1 } }),
  phone("an upgrade five minutes ago", "periodic",
    { identity = { SWVER = "sip88xx.11-3-7MPP-28" },
      state = { PRVST = 1, UPGTMR = 300, UPGST = 1 } }),
}

--- The built-in ones.
function samples.built_in() return BUILT_IN end

-- --- phones that a file speaks of ---

local SAMPLES_MAX <const> = 64
local CHOICES_MAX <const> = 6

-- Does a text look like something a phone may have? A sample that has it.
local function sample_of(text)
  local function one(more) return phone(("with %q"):format(text), "periodic",
    more) end
  if text:find("^CP%-") then
    return one { identity = { PN = text } }
  elseif text:find("^%x+$") and #text == 12 then
    return one { identity = { MAC = text } }
  elseif text:find("^%x%x%x%x%x%x$") and text:find("%d") then
    return one { identity = { MAC = text .. "000001" } }
  elseif text:find("^%d+%.[%d.]+$") then
    local parts = {}
    for part in text:gmatch("%d+") do parts[#parts + 1] = part end
    while #parts < 4 do parts[#parts + 1] = "7" end
    return one { identity = { IP = table.concat(parts, ".", 1, 4) } }
  elseif text:find("^sip%w+%.") then
    return one { identity = { SWVER = text } }
  end
end

-- NAME of phone.param.NAME, or nil.
local function parameter_of(node)
  return node.kind == "index" and node.base.kind == "index"
    and node.base.key.value == "param" and tree.constant(node.key) or nil
end

local function having(name, text)
  return phone(("with %s = %q"):format(name, text), "periodic",
    { params = { [name] = text } })
end

-- phone.param.NAME == "text": a phone that has it.
local function sample_of_parameter(node)
  local name = parameter_of(node.left)
  local text = name and tree.constant(node.right)
  return type(text) == "string" and having(name, text) or nil
end

-- A parameter of few values that the file reads: phones with each.
local function samples_of_choices(schema, name, list)
  local about = schema:find(name) and schema:param(schema:find(name))
  if not about then return end
  for i, text in ipairs(about.choices or about.type == "Bool"
    and { "Yes", "No" } or {})
  do
    if i <= CHOICES_MAX then list[#list + 1] = having(about.name, text) end
  end
end

--- Phones with what a file compares with; none for a broken file.
-- @return list of samples; and all texts in the file
function samples.of_file(block, schema)
  local list, texts, seen = {}, {}, {}
  tree.walk(block, function(node)
    local found
    local name = parameter_of(node)
    if node.kind == "string" and not seen[node.value] then
      seen[node.value] = true
      texts[#texts + 1] = node.value
      found = sample_of(node.value)
    elseif node.kind == "binary" and node.op == "==" then
      found = sample_of_parameter(node)
    elseif name and not seen[node.kind .. name] then
      seen[node.kind .. name] = true
      samples_of_choices(schema, name, list)
    end
    list[#list + 1] = found
  end)
  return table.move(list, 1, math.min(#list, SAMPLES_MAX), 1, {}), texts
end

--- The samples of an operator's phone: by hand, at boot, by the clock, and
-- after a failure.
--   file   as cli/phone_file.lua reads it
function samples.of_phone(name, file)
  local list = {}
  for i, about in ipairs { { "cli", -1 }, { "boot", 0 }, { "periodic", 1 },
    { "retry", 2 } }
  do
    local one = phone(("%s (%s)"):format(name, about[1]), about[1],
      { state = { PRVST = about[2] }, failures = about[2] == 2 and 3 or 0 })
    one.identity = with(IDENTITY, file.identity)
    one.params = file.params or {}
    one.state = with(one.state, file.state)
    one.own = true
    list[i] = one
  end
  return list
end

-- --- the questions of each stage ---

local function cross(out, base, field, values)
  for _, value in ipairs(values) do
    out[#out + 1] = with(base, { [field] = value })
  end
end

local questions = {}

function questions.trigger() return { {} } end

function questions.profile(sample)
  local out = {}
  for _, name in ipairs { "Profile_Rule", "Profile_Rule_B", "Profile_Rule_C",
    "Profile_Rule_D" }
  do
    out[#out + 1] = { rule = { name = name,
      text = sample.params[name] or "" } }
  end
  out[#out + 1] = { rule = { name = "rule",
    text = "http://prov.example.com/by-hand.xml" } }
  return out
end

-- What a profile may bring: values of the file's own kind for the parameters
-- that it speaks of, and some that every file meets.
local ALWAYS <const> = { "GPP_P", "Admin_Password", "Resync_Periodic",
  "Display_Name_1_", "DNS_Query_Mode" }
local VARIANTS <const> = 6
local NUMBERS <const> = { "0", "1", "300", "7200", "86400", "600" }

-- The n-th value to try for a parameter.
local function nth_value(schema, about, texts, n)
  if about.choices and #about.choices > 0 then
    return about.choices[(n - 1) % #about.choices + 1]
  elseif about.type == "Bool" then
    return n % 2 == 1 and "No" or "Yes"
  end
  local number = NUMBERS[(n - 1) % #NUMBERS + 1]
  if schema:check(about.name, number) then return number end
  local text = texts[(n - 1) % math.max(1, #texts) + 1]
  return text and schema:check(about.name, text)
    or schema:check(about.name, "Sample-text-1")
end

local function change_of(schema, name, texts, n)
  local about = schema:param(name)
  return { name = name, type = about.type, old = about.default or "",
    new = nth_value(schema, about, texts, n) or about.default or "",
    secret = about.secret, reboot = about.reboot, line = n }
end

-- Parameters that a profile is thought to bring.
local function change_names(schema, texts)
  local out, seen = {}, {}
  for _, list in ipairs { ALWAYS, texts } do
    for _, text in ipairs(list) do
      local name = schema:find(text)
      if name and not seen[name] then
        seen[name] = true
        out[#out + 1] = name
      end
    end
  end
  return out
end

--- Parameters that texts of a file name, with a value to try, into `out`.
function samples.mentioned(schema, texts, out)
  for i, name in ipairs(change_names(schema, texts)) do
    local about = schema:param(name)
    local text = nth_value(schema, about, texts, i)
    if text and text ~= "" then out[name] = text end
  end
  return out
end

function questions.apply(_, about)
  local names, out = change_names(about.schema, about.texts), {}
  for n = 1, VARIANTS do
    local changes = {}
    for i, name in ipairs(names) do
      changes[i] = change_of(about.schema, name, about.texts, n + i - 1)
    end
    out[n] = { rule = { name = n % 2 == 1 and "Profile_Rule"
      or "Profile_Rule_B" }, changes = changes,
      url = n == VARIANTS and "" or "https://prov.example.com/a.xml" }
  end
  -- one at a time, as assignments come
  for _, name in ipairs(names) do
    out[#out + 1] = { rule = { name = "Profile_Rule" }, url = "",
      changes = { change_of(about.schema, name, about.texts, 1) } }
  end
  return out
end

function questions.upgrade(sample)
  local out, active = {}, sample.identity.SWVER
  local base = { event = "resync", active = active, failures = 0,
    retry_due = true }
  cross(out, base, "event", { "boot", "resync", "change", "retry", "idle" })
  out[#out + 1] = with(base, { event = "request",
    url = "http://prov.example.com/sip88xx.12-0-1MPP-1.loads" })
  out[#out + 1] = with(base, { event = "retry", failures = 3,
    retry_due = false })
  out[#out + 1] = with(base, { inactive = "sip88xx.11-3-7MPP-28",
    done = { rule = sample.params.Upgrade_Rule or "", url =
      "https://prov.example.com:443/sip88xx.11-3-7MPP-28.loads" } })
  return out
end

function questions.headset()
  local out = {}
  local offers = {
    { model = "Cisco 561", version = "1-8-0-223", file = "561.bin",
      size = 900000, sha256 = ("0"):rep(64) },
    { model = "Cisco 730", version = "1-11-0-197", file = "730.bin",
      size = 900000, sha256 = ("0"):rep(64) } }
  for _, event in ipairs { "attach", "boot", "resync", "change" } do
    local base = { event = event,
      headset = { model = "Cisco 561", version = "1-5-1-10" } }
    out[#out + 1] = base
    out[#out + 1] = with(base, { offers = offers })
    out[#out + 1] = with(base, { offers = offers, deferred = "1-8-0-223" })
    out[#out + 1] = with(base, { offers = {} })
  end
  return out
end

function questions.report()
  local out = {}
  cross(out, {}, "event", { "boot", "request", "change", "mode" })
  cross(out, { event = "timer" }, "timer_for", { "boot", "change", "mode",
    "timer", "request" })
  return out
end

function questions.certificate(sample)
  local out = {}
  local base = { what = "mic", enabled = true, forced = false, due = true,
    stale = false, pending = false, clock = sample.clock_trusted,
    failures = 0, event = "daily", not_before = sample.time - 300 * DAY,
    not_after = sample.time + 400 * DAY }
  cross(out, base, "event", { "boot", "daily", "change", "retry", "request" })
  out[#out + 1] = with(base, { event = "boot",
    not_after = sample.time + 20 * DAY })
  cross(out, base, "not_after", { sample.time + 20 * DAY,
    sample.time + 3 * DAY, sample.time - DAY })
  for _, more in ipairs { { enabled = false }, { forced = true },
    { what = "host", event = "address", stale = true },
    { what = "host", event = "clock", due = false },
    { what = "host", event = "terminal" },
    { what = "host", event = "daily", forced = true },
    { due = false, pending = true, event = "retry", failures = 3,
      next_run = sample.time + 3600, not_after = sample.time + 20 * DAY } }
  do
    out[#out + 1] = with(base, more)
  end
  local none = with(base)
  none.not_before, none.not_after = nil, nil
  out[#out + 1] = none
  return out
end

function questions.health(_, about)
  local out = {}
  local names = change_names(about.schema, about.texts)
  names[#names + 1] = "Profile_Rule"
  local change = { revision = 2, names = names, rule = "Profile_Rule",
    url = "https://prov.example.com/a.xml" }
  local base = { change = change, waited = 30, was_registered = true,
    registered = true }
  out[#out + 1] = { change = change, waited = 30 } -- the device does not say
  for _, waited in ipairs { 0, 60, 400, 1000, 4000, 90000 } do
    local now = with(base, { waited = waited })
    out[#out + 1] = now
    cross(out, now, "resynced", { true, false })
    out[#out + 1] = with(now, { registered = false, lost_for = waited })
    out[#out + 1] = with(now, { registered = false, was_registered = false,
      lost_for = waited })
  end
  return out
end

local REASONS <const> = { "power_on", "user", "sip", "rc", "ip_changed",
  "crash", "local_change", "resync_applied", "upgrade" }

function questions.schedule(sample)
  local out = {}
  local base = { failures = sample.failures, periods = 0, success_seen = true,
    ever_synced = true }
  cross(out, with(base, { event = "boot" }), "boot_reason", REASONS)
  out[#out + 1] = with(base, { event = "boot", boot_reason = "power_on",
    success_seen = false, ever_synced = false })
  out[#out + 1] = with(base, { event = "success", periods = 3, failures = 0,
    last = "success" })
  cross(out, with(base, { event = "failure", last = "failure" }), "failures",
    { 1, 2, 5, 50 })
  out[#out + 1] = with(base, { event = "change", last = "success" })
  out[#out + 1] = with(base, { event = "change", success_seen = false })
  return out
end

local function message_of(method, to, more)
  return with({ method = method, in_dialog = false,
    uri = ("sip:%s@example.com"):format(to), headers = {
      { name = "Via", value = "SIP/2.0/TLS 10.1.0.23;branch=z9hG4bK1" },
      { name = "From", value = '"Joe" <sip:joe@example.com>;tag=1' },
      { name = "To", value = ("<sip:%s@example.com>"):format(to) },
      { name = "Call-ID", value = "a1@10.1.0.23" },
      { name = "CSeq", value = "1 " .. method },
      { name = "Contact", value = "<sip:joe@10.1.0.23:5060>" } } }, more)
end

function questions.privacy()
  local out = {}
  local base = { line = 1, values = { "id" }, self_mask = false,
    emergency = { "112", "911" }, aor = '"Joe" <sip:joe@example.com>',
    message = message_of("INVITE", "1234") }
  cross(out, base, "line", { 1, 2, 3, 4 })
  cross(out, base, "values", { { "Disabled" }, { "none" }, { "header" },
    { "user", "critical" }, { "session" } })
  cross(out, base, "message", { message_of("REGISTER", "joe"),
    message_of("INVITE", "112"), message_of("INVITE", "00441234567"),
    message_of("BYE", "1234", { in_dialog = true }),
    message_of("INVITE", "1234", { status = 200 }) })
  out[#out + 1] = with(base, { self_mask = true })
  return out
end

local WORDS <const> = { "c.expired", "c.future", "c.untrusted", "c.name",
  "c.dns", "c.weak", "clock" }

local function certificate_of(sample, sha256)
  return { subject = "CN=prov.example.com", cn = "prov.example.com",
    issuer = "CN=Example CA", serial = "01", sha256 = sha256,
    not_before = sample.time - 400 * DAY, not_after = sample.time - DAY,
    sha1 = ("a"):rep(40), key_type = "RSA", key_bits = 1024, is_ca = false,
    self_signed = false }
end

-- What a file says of servers: names of hosts, fingerprints.
local function servers_of(texts)
  local hosts, prints = { "prov.example.com" }, { ("ab"):rep(32) }
  for _, text in ipairs(texts) do
    local url = text:find("^%l+://") and parse_url(text)
    if #text == 64 and not text:find("%X") then
      prints[#prints + 1] = text
    elseif url and url.host then
      hosts[#hosts + 1] = url.host
    elseif text:find("^%.?[%w-]+%.[%w.-]+$") then
      hosts[#hosts + 1] = text:sub(1, 1) == "." and "a" .. text or text
    end
  end
  return hosts, prints
end

function questions.trust(sample, about)
  local out = {}
  local hosts, prints = servers_of(about.texts)
  for _, host in ipairs(hosts) do
    for _, sha256 in ipairs(prints) do
      local own = certificate_of(sample, sha256)
      local base = { url = ("https://%s/a.xml"):format(host), host = host,
        port = 443, address = "192.0.2.7", sentence = "not to be believed",
        certificate = own, chain = { own }, accept_all = false,
        anchor_private = false }
      cross(out, base, "word", WORDS)
      if host == hosts[1] and sha256 == prints[1] then
        out[#out + 1] = with(base, { word = "c.untrusted",
          accept_all = true })
        out[#out + 1] = with(base, { word = "c.name",
          anchor_private = true })
      end
    end
  end
  return out
end

--- What a sample is asked at a stage: the fields that its view has on top.
--   about.schema, about.texts   of the file
function samples.questions(stage, sample, about)
  return questions[stage](sample, about)
end

samples.phone, samples.with, samples.at = phone, with, at

return samples
