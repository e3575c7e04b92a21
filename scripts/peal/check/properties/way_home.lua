--- No rule removes the way home: twelve days of a phone's life, in which it
-- always has a rule, a server and the trust to fetch from it, and in which it
-- comes back, after an outage as well.
local lab = require "peal.check.properties.lab"
local rule = require "peal.rule"
local samples = require "peal.check.samples"

local HOUR <const>, DAY <const> = 3600, 86400
local DAYS <const> = 12
-- When the server is down, from and to, s.
local DOWN <const>, UP <const> = 5 * DAY, 6 * DAY
-- So long a phone may stay away while all is well (a weekend, and a day).
local AWAY_MAX <const> = 3 * DAY
local HOST <const> = "prov.example.com"

local RULES <const> = { "Profile_Rule", "Profile_Rule_B", "Profile_Rule_C",
  "Profile_Rule_D" }

-- What a server may well send, and leaves a way home.
local MOVED <const> = {
  Profile_Rule = "https://prov.example.com/next/$MA.xml",
  Custom_CA_Rule = "https://prov.example.com/next-ca.pem",
  Restricted_Access_Domains = "example.com",
  Resync_Periodic = "14400", TLS_Min_RSA_Bits = "2048", GPP_P = "new",
}

local START <const> = { Profile_Rule_B = "",
  Custom_CA_Rule = "https://prov.example.com/ca.pem",
  Resync_Periodic = "14400", Resync_Random_Delay = "30",
  Resync_Error_Retry_Delay = "3600", Report_Rule = "", Upgrade_Rule = "",
}

-- --- what a phone needs ---

-- Does some alternative of a rule's text name a server?
local function leads_home(found, text)
  if not text or not text:find("%S") then return false end
  local plan = rule.decide(text, found.phone:variables(),
    { kind = "profile" })
  if plan then
    local u = plan.fetch and plan.fetch.url
    -- a rule without a host asks DHCP; one that skips now may fetch later
    return u == nil and plan.word ~= "empty" and plan.word ~= "disabled"
      or u ~= nil and u.host ~= ""
  end
  return false
end

local function has_rule(found)
  for _, name in ipairs(RULES) do
    if leads_home(found, found.store:get(name)) then return true end
  end
  return false
end

local function is_allowed(list)
  if not list:find("%S") then return true end
  for domain in list:gmatch("[^%s,]+") do
    domain = domain:lower():gsub("^%*?%.", "")
    if HOST == domain or HOST:sub(-#domain - 1) == "." .. domain then
      return true
    end
  end
  return false
end

-- Each: the parameter, what is wrong with it, and the test that it passes.
local NEEDS <const> = {
  { "Provision_Enable", "is No: it is never provisioned again",
    function(found) return found.phone:yes("Provision_Enable") end },
  { "Profile_Rule", "leads to no server any more, nor does B, C or D",
    has_rule },
  { "Custom_CA_Rule", "is empty: the server's CA is not known any more",
    function(found)
      return (found.store:get("Custom_CA_Rule") or "") ~= ""
    end },
  { "Restricted_Access_Domains", "leaves the server out",
    function(found)
      return is_allowed(found.store:get("Restricted_Access_Domains") or "")
    end },
  { "TLS_Min_RSA_Bits", "asks for keys that no server has",
    function(found)
      return (tonumber(found.store:get("TLS_Min_RSA_Bits")) or 0) <= 4096
    end },
}

-- --- twelve days ---

local function failure_of(options, sample, file, fmt, ...)
  return { property = "way_home", code = "way-home", sample = sample.name,
    file = lab.path(options, table.unpack(file)),
    sentence = ("%s (sample: %s)"):format(fmt:format(...), sample.name) }
end

local function check_needs(options, sample, found, day)
  for _, need in ipairs(NEEDS) do
    local name, what, holds = table.unpack(need)
    if not holds(found) then
      return nil, failure_of(options, sample, { "apply.lua", "profile.lua" },
        "after %d days %s %s", day, name, what)
    end
  end
  return true
end

-- Is what the phone had to do with the server in these days enough?
local function check_visits(options, sample, times, from, to)
  local last = from
  times[#times + 1] = to
  for _, at in ipairs(times) do
    if at >= from and at <= to then
      if at - last > AWAY_MAX then
        return nil, failure_of(options, sample, { "schedule.lua",
          "trigger.lua", "profile.lua" },
          "the phone asks its server for nothing from day %.1f to day %.1f%s",
          last / DAY, at / DAY, from > 0 and ", after an outage" or "")
      end
      last = at
    end
  end
  times[#times] = nil
  return true
end

local function live(options, sample, ask, body)
  local times = {}
  local found = lab.new { rules = options.rules, schema = options.schema,
    ask = ask, params = samples.with(sample.params, START),
    identity = sample.identity, time = sample.time,
    clock_trusted = sample.clock_trusted, server = function(request, of)
      local now = of.world.now().mono
      if now >= DOWN and now < UP then return { status = 503, headers = {} } end
      -- who fetches nothing but the CA has not come home
      if not request.url:find("ca.pem", 1, true) then
        times[#times + 1] = now
      end
      return lab.ok(body)
    end }
  found.engine:start("power_on")
  for day = 1, DAYS do
    found.world.advance(day * DAY)
    local ok, failure = check_needs(options, sample, found, day)
    if not ok then return nil, failure end
  end
  found.engine:stop()
  local ok, failure = check_visits(options, sample, times, 0, DOWN)
  if not ok then return nil, failure end
  return check_visits(options, sample, times, UP, DAYS * DAY)
end

-- Of the built-in samples: by hand, by the clock, and one whose clock is not
-- set, to which it is 1970.
local CHOSEN <const> = { 1, 3, 13 }

local function samples_of(options)
  if options.samples then return options.samples end
  local out = {}
  for i, n in ipairs(CHOSEN) do out[i] = samples.built_in()[n] end
  return out
end

--- @return true, a sentence; or nil, failure
return function(options)
  local ask = lab.ask(options)
  local body = samples.with(lab.mentioned(options), MOVED)
  for _, sample in ipairs(samples_of(options)) do
    local ok, failure = live(options, sample, ask, lab.profile(body))
    if not ok then return nil, failure end
  end
  return true, ("the phone keeps its server, and comes back within %d hours")
    :format(AWAY_MAX // HOUR)
end
