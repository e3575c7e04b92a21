--- A phone's hardware that is not there: for labs, for trying things, and for
-- tests. It has every member of device.lua.
--
--   local d = simulated.new { load = { active = "sip88xx.11-3-1MPP-234" } }
--   d.set_lines(1)              a call; set_registered(b), set_clock(b)
--   d.plug { model = "560", version = "1-5-1-10" }   d.unplug()
--   d.set_address("192.0.2.9")  the address changes
--   d.terminal("17")            what it serves, see device/terminals.lua
--   d.answer("now")             the user's choice to the prompt in d.asked
--   d.reboots                   list of { reason, cold }
--   d.images                    list of { load, size, sha256 } as finished
--   d.installed                 list of { model, version, size } of headsets
--
--   d.on_reboot                 function(reason, cold) to start the phone anew
--
-- A reboot runs what was activated, and does come back.
local encode = require "peal.encode"
local slots_of = require "peal.device.slots"
local terminals = require "peal.device.terminals"
local sys = require "peal.sys"

local simulated = {}

local function copy(t)
  local out = {}
  for key, value in pairs(t or {}) do out[key] = value end
  return out
end

-- Image partitions.
local function add_slots(d, slots, options, state)
  d.load = function() return slots:loads() end
  function d.image_begin(about) return slots:begin(about) end
  function d.image_write(image, bytes) return slots:write(image, bytes) end
  function d.image_finish(image, about)
    local ok, sentence, word = true, nil, nil
    if options.check then ok, sentence, word = options.check(about) end
    if ok then ok, sentence, word = slots:finish(image, about) end
    if not ok then return nil, sentence, word end
    table.insert(d.images, { load = image.load, size = about.size,
      sha256 = about.sha256 })
    return true
  end
  function d.image_abort(image)
    d.aborted = d.aborted + 1
    slots:abort(image)
  end
  function d.activate(load) return slots:activate(load) end
  function d.reboot(reason, cold)
    table.insert(d.reboots, { reason = reason, cold = cold or false })
    slots:boot()
    -- the program that listened and asked is gone
    state.listeners, state.answer, d.asked = {}, nil, nil
    if d.on_reboot then d.on_reboot(reason, cold) end
  end
end

-- Lines, registration, clock, address, headset, terminals: state, and who is
-- told of changes.
local function add_state(d, state)
  state.listeners = {}
  local function tell(kind, about)
    for _, fn in ipairs(state.listeners) do fn(kind, about) end
  end
  function d.subscribe(fn) table.insert(state.listeners, fn) end
  function d.lines_active() return state.lines_active or 0 end
  function d.registered() return state.registered end
  function d.clock_trusted() return state.clock_trusted ~= false end
  function d.zone() return state.zone or "UTC0" end
  function d.address() return state.address end
  function d.headset() return state.headset and copy(state.headset) end
  function d.set_lines(n)
    state.lines_active = n
    tell("lines", { active = n })
  end
  function d.set_registered(yes)
    state.registered = yes
    tell("registration", { registered = yes })
  end
  function d.set_clock(yes)
    state.clock_trusted = yes
    tell("clock", { trusted = yes })
  end
  function d.set_address(address)
    state.address = address
    tell("address", { address = address })
  end
  function d.plug(headset)
    state.headset = copy(headset)
    tell("headset", copy(headset))
  end
  function d.unplug()
    state.headset = nil
    tell("headset", nil)
  end
  terminals.add(d, state.terminals, tell)
end

local KEY_SIZE <const> = 32
local PRIVATE <const> = 384 -- 0600

-- The key of a folder, made when there is none yet.
local function key_of(folder)
  local path = folder .. "/seal.key"
  local about = sys.stat(path)
  if not about then
    local key = sys.random(KEY_SIZE)
    local ok, sentence, word = sys.create(path, key)
    if not ok then return nil, sentence, word end
    return key
  end
  if about.mode & ~PRIVATE ~= 0 then
    return nil, ("%s can be read by others; type: chmod 600 %s"):format(path,
      path), "permission"
  end
  local file <close> = io.open(path, "rb")
  local key = file and file:read(KEY_SIZE)
  if not key or #key ~= KEY_SIZE then
    return nil, ("%s is not a key of %d bytes; remove it"):format(path,
      KEY_SIZE), "bad-key"
  end
  return key
end

-- What a secure element does: a key that stays in the phone.
local function add_seal(d, folder)
  local key = not folder and sys.random(KEY_SIZE)
  local function with_key(work)
    return function(bytes)
      local sentence, word
      if not key then key, sentence, word = key_of(folder) end
      if not key then return nil, sentence, word end
      return work(key, bytes)
    end
  end
  d.seal, d.unseal = with_key(encode.seal), with_key(encode.unseal)
end

-- What the user is asked, and what comes of the headset.
local function add_user(d, state)
  function d.prompt(kind, about, answer)
    d.asked = { kind = kind, about = copy(about) }
    table.insert(d.prompts, d.asked)
    state.answer = answer
  end
  --- The user chooses; false: nothing was asked.
  function d.answer(choice)
    local answer = state.answer
    state.answer, d.asked = nil, nil
    if answer then answer(choice) end
    return answer ~= nil
  end
  function d.headset_install(about, bytes)
    if not state.headset then
      return nil, "the headset is gone", "not-found"
    end
    state.headset.version = about.version
    table.insert(d.installed, { model = about.model, version = about.version,
      size = #bytes })
    return true
  end
  function d.apply(changes)
    for _, change in ipairs(changes) do table.insert(d.applied, change.name) end
  end
end

--- @tparam[opt] table options
--   lines_active, registered, clock_trusted, zone, headset, address   as in
--              device.lua
--   terminals  list of { id, kind }
--   load       { active, inactive }, of a phone that has never run
--   folder     where the image partitions are files (device/slots.lua), and
--              the key to seal with ("seal.key"); nil: names and a key in
--              memory, and the bytes go nowhere
--   check      function(about) -> true | nil, sentence, word: the signature
-- @treturn[1] table see device.lua, and the controls above
-- @return[2] nil, sentence, word: the folder cannot be used
function simulated.new(options)
  options = options or {}
  local load = copy(options.load)
  load.active = load.active or "sip88xx.11-3-1MPP-234"
  local slots, sentence, word = slots_of.new(load, options.folder)
  if not slots then return nil, sentence, word end
  local state = { lines_active = options.lines_active,
    registered = options.registered, clock_trusted = options.clock_trusted,
    zone = options.zone, headset = options.headset and copy(options.headset),
    address = options.address, terminals = options.terminals }
  local d = { simulated = true, reboots = {}, images = {}, installed = {},
    prompts = {}, applied = {}, aborted = 0 }
  add_slots(d, slots, options, state)
  add_seal(d, options.folder)
  add_state(d, state)
  add_user(d, state)
  return d
end

return simulated
