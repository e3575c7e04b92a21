--- The resyncs of many phones are spread: after a power cut that hits them all
-- at once, and at any time in the day that follows. Seeds are fixed, so that a
-- test says the same each time.
local lab = require "peal.check.properties.lab"
local samples = require "peal.check.samples"
local virtual = require "peal.world.virtual"
local rule_files = require "peal.world.rule_files"

local PHONES <const> = 96
local HOURS <const> = 26
-- Within so many seconds no more phones than this come together: one in four.
local MOMENT_S <const> = 60
local MOMENT_MAX <const> = PHONES // 4
-- Chi-square of 8 bins: a uniform spread is above it once in 100,000 times.
local BINS <const>, CHI_MAX <const> = 8, 35.3

local PARAMS <const> = { Profile_Rule = "https://prov.example.com/$MA.xml",
  Profile_Rule_B = "", Resync_Random_Delay = "30", Resync_Periodic = "21600",
  Resync_At_Random_Delay = "1800", Resync_Error_Retry_Delay = "1800",
  Upgrade_Rule = "", Report_Rule = "" }

-- Phones of one house: each with a MAC and an address of its own.
local function identity_of(i)
  return { MAC = ("000e08%06x"):format(i * 7919 % 0x1000000),
    IP = ("10.1.%d.%d"):format(i // 250, i % 250 + 1) }
end

local function sources_of(rules)
  local out = rule_files.read()
  for name, source in pairs(rules) do
    out[name] = type(source) == "table" and source
      or { path = "rules/" .. name, text = source }
  end
  return out
end

-- The fullest moment: how many come within it, and when it begins.
local function peak(times)
  local most, at, from = 0, 0, 1
  for i, time in ipairs(times) do
    while time - times[from] > MOMENT_S do from = from + 1 end
    if i - from + 1 > most then most, at = i - from + 1, times[from] end
  end
  return most, at
end

-- Times at which the phones first come, and all times, in order.
local function visits(options, ask)
  local first, all = {}, {}
  local body = lab.profile(samples.with(lab.mentioned(options),
    { GPP_P = "new" }))
  local world = virtual.new { time = samples.at(2, 10), dice = 20261122,
    forget = true, rules = sources_of(options.rules), ask = ask,
    dns = lab.dns, server = function(request)
      local now = options.now()
      all[#all + 1] = now
      local who = request.url:match("(%x+)%.xml")
      if who and not first[who] then
        first[who] = now
        first[#first + 1] = now
      end
      return lab.ok(body)
    end }
  function options.now() return world.now().mono end
  for i = 1, PHONES do
    local found = lab.new { rules = options.rules, schema = options.schema,
      world = world, ask = ask, params = PARAMS, identity = identity_of(i) }
    found.engine:start("power_on")
  end
  for hour = 1, HOURS do
    world.advance(hour * 3600)
    if peak(all) > MOMENT_MAX then break end -- what else comes changes nothing
  end
  return first, all
end

local function chi_square(times)
  local from, to = times[1], times[#times]
  local bins, sum = {}, 0
  for i = 1, BINS do bins[i] = 0 end
  for _, time in ipairs(times) do
    local i = math.min(BINS, 1 + (time - from) * BINS // (to - from))
    bins[i] = bins[i] + 1
  end
  local mean = #times / BINS
  for _, n in ipairs(bins) do sum = sum + (n - mean) ^ 2 / mean end
  return sum
end

local function clock(seconds)
  local s = samples.at(2, 10) + math.floor(seconds)
  return ("%02d:%02d:%02d"):format(s // 3600 % 24, s // 60 % 60, s % 60)
end

local function failure_of(options, fmt, ...)
  return { property = "spreads", code = "herd", sentence = fmt:format(...),
    file = lab.path(options, "schedule.lua", "trigger.lua") }
end

--- @return true, a sentence; or nil, failure
return function(options)
  options = samples.with(options)
  local first, all = visits(options, lab.ask(options))
  local most, at = peak(all)
  if most > MOMENT_MAX then
    return nil, failure_of(options, "%d of %d phones come within %d seconds "
      .. "(at %s, after a power cut at 10:00)", math.min(most, PHONES), PHONES,
      MOMENT_S, clock(at))
  elseif #first < PHONES then
    return nil, failure_of(options, "%d of %d phones do not come within %d "
      .. "hours after a power cut", PHONES - #first, PHONES, HOURS)
  end
  local chi = chi_square(first)
  if chi > CHI_MAX then
    return nil, failure_of(options, "after a power cut the phones come from "
      .. "%s to %s, and not evenly (chi-square %.0f of %d bins)",
      clock(first[1]), clock(first[#first]), chi, BINS)
  end
  return true, ("%d phones come from %s to %s, at most %d within %d seconds")
    :format(PHONES, clock(first[1]), clock(first[#first]), most, MOMENT_S)
end
