--- The dry world: another world, of which nothing is changed.
-- It has a store of its own to write to, a copy. Servers and name servers are
-- asked as they are, and so are the rule files of operators. What a phone
-- would do to the outside besides is not done, but noted: no datagram, no line
-- of a log, no key, no action of the device.
--
--   world.asked     list of what has crossed the seam, in order:
--                   { call = "fetch", key =, results =, time =, body_sent = }
--                   "resolve" and "ask" likewise; results as table.pack gives
--                   them. Files that a rule asks for are among them, and
--                   what is read for that which follows a resync
--   world.refused   list of what was not done: { what = "image_begin",
--                   "headset_prompt", "new_key", "sent" (a report, a request
--                   for a certificate), "image" ..., about = }; and of what
--                   was: "posted", for a rule
--   world.told      list of events that nobody was told
--
-- world.decide(): from now on files are read only; nothing is sent to a server
-- any more, and no image is fetched. Until then a rule's own --post or --put
-- is sent, as the rule asks for it.
local device = require "peal.device"
local request_key = require "peal.world.request_key"

local dry = {}

-- Members of a device that only tell something.
local READS <const> = { "lines_active", "registered", "clock_trusted", "zone",
  "load", "headset", "headset_manifest", "unseal", "address", "names",
  "certificate", "sign", "boot_reason" }

local DRY <const> = "nothing is done in a dry run"

-- What stands for an action: a function that notes it and does nothing.
local function noted(note, what)
  return function(about)
    note(what, about)
    return nil, DRY, "dry-run"
  end
end

-- Terminals that nobody talks to.
local function terminals_of(real)
  local list = {}
  for i, one in ipairs(device.terminals(real)) do
    list[i] = { id = one.id, kind = one.kind, push = function() end,
      restart = function() end }
  end
  return list
end

-- A device that can do what this one can, and does nothing.
local function device_over(real, note)
  local out = {}
  for _, name in ipairs(READS) do out[name] = real[name] end
  for _, name in ipairs { "image_begin", "image_write", "image_finish",
    "activate", "headset_install", "renew" } do
    if real[name] then out[name] = noted(note, name) end
  end
  if real.prompt then
    out.prompt = function(kind, about) note(kind, about) end
  end
  if real.terminals then
    out.terminals = function() return terminals_of(real) end
  end
  return out
end

-- Reads of a keyring; writes are refused.
local function keyring_over(ring)
  if type(ring) == "function" then ring = ring() end
  if not ring then return nil end
  local out = {}
  for _, name in ipairs { "generation", "identity", "read", "key" } do
    out[name] = function(_, ...) return ring[name](ring, ...) end
  end
  function out.ready() return true end
  function out.install() return nil, DRY, "dry-run" end
  function out.remove() return nil, DRY, "dry-run" end
  return out
end

local function sends(request)
  return request.body ~= nil
    or request.method ~= nil and request.method ~= "GET"
end

--- @param base   any world
-- @param store   that is written to: a copy of the base's
function dry.new(base, store)
  local world = setmetatable({ store = store, asked = {}, refused = {},
    told = {} }, { __index = base })
  local deciding = false

  local function note(what, about)
    table.insert(world.refused, { what = what, about = about })
  end

  -- A call that suspends, and what it came to.
  local function heard(call, key, ...)
    table.insert(world.asked, { call = call, key = key,
      results = table.pack(...), time = base.now() })
    return ...
  end

  world.device = device_over(base.device, note)
  world.keyring = keyring_over(base.keyring)

  function world.decide() deciding = true end

  function world.fetch(request)
    local key = request_key(request)
    if deciding and (request.sink or sends(request)) then
      note(request.sink and "image" or "sent", key)
      return nil, DRY, "dry-run"
    end
    if sends(request) then note("posted", key) end
    return heard("fetch", key, base.fetch(request))
  end

  function world.resolve(name, kind, use_hosts)
    return heard("resolve", ("%s %s"):format(kind, name),
      base.resolve(name, kind, use_hosts))
  end

  function world.ask(job, overrides)
    local key = ("%s %s %s"):format(job.stage, job.path,
      job.view and "decide" or "load")
    return heard("ask", key, base.ask(job, overrides, store))
  end

  -- The ends of ranges are told anyway.
  function world.random(lo) return lo end

  function world.new_key(kind)
    note("new_key", kind)
    return nil, DRY, "dry-run"
  end

  function world.sessions() return nil end
  function world.send() return true end
  function world.log() end
  function world.tell(event) table.insert(world.told, event) end

  return world
end

return dry
