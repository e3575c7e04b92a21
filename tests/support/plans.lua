--- Phones, servers and rule files drawn by a seed, to compare a plan with what
-- then happens.
--
--   local case = plans.case(17)       the same for the same seed
--     .params, .profiles (path -> answer), .before (those of the past), .rules
--     (file name -> text), .past (resyncs before), .rule, .dhcp, .identity
--   plans.server(case)                function(request) for a virtual world
local encode = require "peal.encode"
local fixture = require "support.fixture"
local support = require "support.engine"

local plans = {}

-- The numbers of a case: the same on every machine.
local function dice_of(seed)
  local state = seed * 2654435761 + 12345
  local function roll(n)
    state = state * 6364136223846793005 + 1442695040888963407
    return ((state >> 33) & 0x3fffffff) % n + 1
  end
  local function pick(list) return list[roll(#list)] end
  local function chance(percent) return roll(100) <= percent end
  return roll, pick, chance
end

-- Values that elements of a profile may have: good ones and bad ones.
local VALUES <const> = {
  GPP_A = { "", "one", "two words", "x &amp; y", '""' },
  GPP_B = { "1", "2", "<!--c-->3", "a\nb" },
  GPP_C = { "=(x)", "&#x41;" },
  GPP_M = { "/r/name = /flat-profile/Display_Name_1_ ;" },
  GPP_SA = { "secret-of-the-server", "" },
  Resync_Periodic = { "600", "7200,300", "0", "abc", "", "2400+30" },
  Resync_Error_Retry_Delay = { "60,120", "0", "30+10", "x" },
  Resync_At__HHmm_ = { "0959", "2561", "" },
  Resync_At_Random_Delay = { "600", "6000" },
  Resync_On_Reset = { "no", "Yes", "Ja", "" },
  Resync_Fails_On_FNF = { "No", "Yes" },
  Provision_Enable = { "Yes", "yes", "No" },
  User_ID_1_ = { "1001", "1002" },
  Password_1_ = { "geheim-1", "geheim-2", "" },
  Proxy_1_ = { "sip.example", "sip2.example:5080", "no server at all" },
  Display_Name_2_ = { "Zoë", "Bob" },
  Line_Enable_3_ = { "No", "Yes", "maybe" },
  SIP_Port_1_ = { "5062", "0x13c4", "65536" },
  SIP_Transport_1_ = { "tls", "TCP", "QUIC" },
  Syslog_Server = { "192.0.2.50", "" },
  Log_Request_Msg = { "$PN asks", "" },
  Profile_Rule_B = { "http://192.0.2.7/b.xml", "" },
  Profile_Rule_C = { '("$GPP_B" eq "1")? http://192.0.2.7/c.xml' },
  Profile_Rule_D = { "http://192.0.2.7/d.xml", "(GPP_P=\"d\")!" },
  Upgrade_Rule = { "http://192.0.2.7/sip88xx.11-3-2MPP0001-609.loads", "" },
  Upgrade_Enable = { "Yes", "No" },
  Time_Zone = { "GMT+01:00", "nowhere" },
  Station_Name = { "Lobby", "" },
  Unknown_Thing = { "1" },
  resync_periodic = { "5" },
}

local NAMES <const> = {}
for name in pairs(VALUES) do NAMES[#NAMES + 1] = name end
table.sort(NAMES)

local ATTRIBUTES <const> = { "", "", "", "", ' ua="rw"', ' ua="na"',
  ' ua="RW"', ' preserve-value="y"', ' user-pref="y"', ' um="y"' }

local function element(d, name)
  return ("<%s%s>%s</%s>"):format(name, d.pick(ATTRIBUTES),
    d.pick(VALUES[name]), name)
end

local function profile(d)
  local parts = {}
  for i = 1, d.roll(14) do parts[i] = element(d, d.pick(NAMES)) end
  if d.chance(10) then
    parts[#parts + 1] = "<GPP_D><x>1</x></GPP_D>"
  end
  return "<flat-profile>" .. table.concat(parts) .. "</flat-profile>"
end

local KEY <const> = "k3y"

local function plain(d) return { status = 200, body = profile(d) } end

-- What a server answers for a file, where it is no plain profile.
local ANSWERS <const> = {
  function(d) return { status = 200, body = encode.gzip(profile(d)) } end,
  function(d)
    return { status = 200, body = encode.aes(profile(d), KEY, "md5",
      "saltsalt") }
  end,
  function()
    return { status = 200, body = "<r><name>J. Smith</name></r>" }
  end,
  function(d)
    local text = profile(d)
    return { status = 200, body = text:sub(1, d.roll(#text)) }
  end,
  function() return { status = 200, body = "" } end,
  function() return { status = 404, body = "no" } end,
  function() return { status = 503, body = "" } end,
  function() return { status = 401, body = "" } end,
  function() return { error = "timeout" } end,
  function()
    return { status = 302, body = "",
      headers = { { "Location", "http://192.0.2.7/moved.xml" } } }
  end,
}

-- Rules that mostly work, and the others.
local RULES <const> = { "http://192.0.2.7/a.xml", "http://192.0.2.7/b.xml",
  "http://192.0.2.7/$MA.xml", "tftp://192.0.2.7/c.xml", "/p/$PSN.xml", "",
  '("$GPP_A" eq "one")? http://192.0.2.7/a.xml | http://192.0.2.7/b.xml',
  "($PRVTMR ge 600)? http://192.0.2.7/a.xml",
  '("$SWVER" eq "other")? http://192.0.2.7/x.xml',
  "($PRVST eq 2)? http://192.0.2.7/r.xml | http://192.0.2.7/a.xml",
  '(GPP_P="assigned"; GPP_SC="$GPP_SB")!',
  '(GPP_O="$MA")! http://192.0.2.7/d.xml',
  "[--uid u --pwd geheim-9] http://192.0.2.7/c.xml",
  "[--post b] http://192.0.2.7/a.xml",
}

local STRANGE <const> = { "[--key k3y] http://192.0.2.7/a.xml",
  "[--key $GPP_SB] http://192.0.2.7/b.xml",
  "[--alias m] http://192.0.2.7/b.xml", '(GPP_A = "$GPP_SB")!',
  "($GPP_Z broken", "gopher://x/y", "[--key x] http://[bad/",
}

local function draw_rule(d)
  return d.pick(d.chance(94) and RULES or STRANGE)
end

local FILES <const> = {
  { "apply.lua", [[return { stage = "apply", decide = function(phone)
      local refuse = {}
      for _, c in ipairs(phone.changes) do
        if c.name:find("^GPP_A") then refuse[c.name] = "not here" end
      end
      return { refuse = refuse }
    end }]] },
  { "apply.lua", [[return { stage = "apply", decide = function(phone)
      return { change = { GPP_N = "by the rule", Nope = "1",
        Station_Name = phone.param.GPP_SA }, refuse = { GPP_Q = "never" } }
    end }]] },
  { "apply.lua", [[return { stage = "apply", decide = function(phone)
      error("broken")
    end }]] },
  { "profile.lua", [[return { stage = "profile", decide = function(phone)
      if phone.rule.name == "Profile_Rule_B" then
        return { action = "skip", reason = "B is not for us" }
      end
      return classic.profile(phone)
    end }]] },
  { "profile.lua", "return { stage = 'profile', decide = 1 }" },
  { "trigger.lua", [[return { stage = "trigger", decide = function(phone)
      if phone.param.GPP_B ~= "2" then return false, "B is not 2" end
      return true
    end }]] },
  { "schedule.lua", [[return { stage = "schedule", decide = function(phone)
      return { periodic = { after = 500, spread = 100 }, reason = "ours" }
    end }]] },
  { "upgrade.lua", [[return { stage = "upgrade", decide = function(phone)
      return { action = "skip", reason = "not today" }
    end }]] },
}

local function draw_params(d)
  local params = { Profile_Rule = draw_rule(d),
    Profile_Rule_B = d.chance(60) and draw_rule(d) or nil,
    GPP_SB = "stored-secret", Resync_Periodic = "3600",
    Resync_Random_Delay = "0" }
  if d.chance(50) then params.Profile_Rule_C = draw_rule(d) end
  if d.chance(30) then params.Profile_Rule_D = draw_rule(d) end
  if d.chance(60) then params.Syslog_Server = "192.0.2.9" end
  if d.chance(30) then params.Debug_Level = "DEBUG" end
  if d.chance(40) then params.GPP_A = d.pick { "one", "three" } end
  if d.chance(40) then params.GPP_B = d.pick { "1", "2" } end
  if d.chance(30) then
    params.GPP_M = "/r/name = /flat-profile/Display_Name_1_ ;"
  end
  if d.chance(30) then params.Resync_At__HHmm_ = "1130" end
  if d.chance(25) then params.Resync_Fails_On_FNF = "No" end
  if d.chance(25) then
    params.Upgrade_Rule =
      "http://192.0.2.7/sip88xx.11-3-2MPP0001-609.loads"
  end
  if d.chance(10) then params.Downgrade_Rev_Limit = "sip88xx.12-0-1MPP-1" end
  if d.chance(5) then params.Provision_Enable = "No" end
  return params
end

local PATHS <const> = { "/a.xml", "/b.xml", "/c.xml", "/d.xml", "/r.xml",
  "/moved.xml", "/000e08abcdef.xml", "/p/8841-3PCC.xml" }

local function draw_profiles(d)
  local out = {}
  for _, path in ipairs(PATHS) do
    out[path] = (d.chance(82) and plain or d.pick(ANSWERS))(d)
  end
  return out
end

--- The case of a seed.
function plans.case(seed)
  local d = {}
  d.roll, d.pick, d.chance = dice_of(seed)
  local case = { seed = seed, params = draw_params(d),
    profiles = draw_profiles(d), rules = {}, past = {},
    before = d.chance(70) and draw_profiles(d) or nil,
    identity = fixture.identity }
  for _ = 1, d.pick { 0, 0, 0, 1, 1, 2 } do
    local file = d.pick(FILES)
    case.rules[file[1]] = file[2]
  end
  for i = 1, d.pick { 0, 0, 1, 2, 3 } do
    case.past[i] = d.pick { "down", "as it is" }
  end
  case.rest = d.pick { 0, 30, 650 }
  if d.chance(15) then case.rule = draw_rule(d) end
  if case.rule == "" then case.rule = nil end
  case.dhcp = d.chance(85) and { [66] = "192.0.2.7" } or nil
  return case
end

--- Its server; case.down: it does not answer; case.is_past: as it was.
function plans.server(case)
  return function(request)
    if case.down then return nil, "no answer", "timeout" end
    local path = request.path or request.url:match("^%w+://[^/]+(/[^?]*)")
    local answer = (case.is_past and case.before or case.profiles)[path]
    if path:find("%.loads$") then
      return { status = 200, body = "image", headers = {} }
    end
    if not answer then return { status = 404, body = "", headers = {} } end
    if answer.error then return nil, answer.error, answer.error end
    return { status = request.scheme ~= "tftp" and answer.status or nil,
      body = answer.body, headers = answer.headers or {} }
  end
end

-- The phone starts; nil: as the engine knows.
local function power(lab, case, reason)
  if lab.engine.stopped then lab:power() end
  lab.phone.dhcp = case.dhcp or {}
  lab:boot(reason)
  lab:advance(lab.world.now().mono)
end

-- On by some seconds, through the reboots that come of it.
local function go(lab, case, seconds)
  lab:advance(lab.world.now().mono + seconds)
  while lab.engine.stopped do power(lab, case) end
end

--- A lab with its engine started, after what has been before.
function plans.lab(case)
  local lab
  local device = support.slots()
  device.activate = function(load)
    table.insert(lab.loads, load)
    return true
  end
  lab = support.new { params = case.params, rules = next(case.rules)
    and case.rules, device = device, server = plans.server(case),
    dice = "min", identity = case.identity, told = true }
  lab.loads, case.is_past = {}, true
  power(lab, case, "user")
  for _, how in ipairs(case.past) do
    case.down = how == "down"
    lab.engine:resync { by = "test" }
    go(lab, case, 5)
  end
  case.down = false
  go(lab, case, case.rest)
  lab.reboots, lab.loads, case.is_past = {}, {}, false
  return lab
end

return plans
