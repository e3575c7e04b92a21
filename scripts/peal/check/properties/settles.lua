--- A cycle applied twice changes nothing: what a resync has brought, the next
-- one of the same profile finds there. A phone whose rules never settle writes
-- its flash each hour, and nobody can say what its configuration is.
local lab = require "peal.check.properties.lab"
local samples = require "peal.check.samples"

-- Between the two, s: the clock goes on, and that is no reason for a change.
local BETWEEN_S <const> = 1

-- The file that has written a value last.
local function author_of(options, found, name)
  local about = found.store:value(name)
  local author = about and about.author or ""
  for _, source in pairs(options.rules) do
    if type(source) == "table" and source.path == author then return author end
  end
  return author == "assign" and lab.path(options, "profile.lua")
    or lab.path(options, "apply.lua", "profile.lua")
end

-- @param body   what the server has; false: it is down, which changes nothing
--   either, however often it is so
local function try(options, sample, body, ask)
  local found = lab.new { rules = options.rules, schema = options.schema,
    ask = ask, params = sample.params, identity = sample.identity,
    time = sample.time, lines_active = sample.lines_active,
    server = function()
      return body and lab.ok(body) or { status = 503, headers = {} }
    end }
  lab.resync(found, sample.asked_by)
  found.world.advance(found.world.now().mono + BETWEEN_S)
  if not body then found.phone.keep:set("engine", "failures", 1) end
  local again = lab.resync(found, sample.asked_by)
  local change = again.changes[1]
  if not change then return true end
  return nil, { property = "settles", code = "not-settled",
    file = author_of(options, found, change.name), sample = sample.name,
    sentence = ("a second resync %s changes %s again (sample: %s)"):format(
      body and "of the same profile" or "that fails", change.name,
      sample.name) }
end

--- @return true, a sentence; or nil, failure
return function(options)
  local ask = lab.ask(options)
  local params = lab.mentioned(options)
  params.GPP_P = "new"
  local count = 0
  for _, sample in ipairs(options.samples or samples.built_in()) do
    for _, body in ipairs { lab.profile(params),
      lab.profile { GPP_P = "new", Resync_Periodic = "7200" }, false }
    do
      local ok, failure = try(options, sample, body, ask)
      if not ok then return nil, failure end
      count = count + 1
    end
  end
  return true, ("a second resync changes nothing (%d tried)"):format(count)
end
