--- Makes the phone that a command works on: phone file, store, world.
local loop = require "peal.loop"
local live = require "peal.world.live"
local output = require "peal.cli.output"
local phone = require "peal.phone"
local registry = require "peal.registry"
local store = require "peal.store"
local sys = require "peal.sys"
local trust = require "peal.trust"

local session = {}

local FIELDS <const> = { account = "table", device = "table", dhcp = "table",
  dns = "string", identity = "table", params = "table", registry = "string",
  rules = "string", state = "table", store = "string", trust = "table" }

local function usage(sentence, next_step)
  return nil, { sentence = sentence, word = "usage", code = 2,
    next = next_step }
end

local function problem(sentence, word, place, next_step)
  return nil, { sentence = sentence, word = word, place = place,
    next = next_step }
end

local function check_file(path, file)
  if type(file) ~= "table" then
    return usage(path .. ": a phone file returns a table")
  end
  for key, value in pairs(file) do
    local wanted = FIELDS[key]
    if not wanted then
      return usage(("%s: no such field: %s"):format(path, tostring(key)))
    end
    if type(value) ~= wanted then
      return usage(("%s: %s is a %s, not a %s"):format(path, key, wanted,
        type(value)))
    end
  end
  for _, key in ipairs { "params", "identity" } do
    for name, value in pairs(file[key] or {}) do
      if type(name) ~= "string" or type(value) == "table" then
        return usage(("%s: %s holds names and texts"):format(path, key))
      end
    end
  end
  return file
end

local function relative_to(path, folder)
  if not path or path:sub(1, 1) == "/" then return path end
  return folder .. path
end

--- Read a phone file (trusted Lua); its paths are relative to it.
function session.read_phone(path)
  local chunk, why = loadfile(path, "t")
  if not chunk then return usage("phone file: " .. why) end
  local ok, file = pcall(chunk)
  if not ok then return usage("phone file: " .. tostring(file)) end
  local failed
  file, failed = check_file(path, file)
  if not file then return nil, failed end
  local folder = path:match("^(.*/)") or ""
  for _, key in ipairs { "store", "rules", "registry" } do
    file[key] = relative_to(file[key], folder)
  end
  local given = file.trust or {}
  file.trust = { ca = relative_to(given.ca, folder),
    cert = relative_to(given.cert, folder),
    key = relative_to(given.key, folder) }
  return file
end

local function open_trust(paths)
  local anchors, trouble, why = trust.anchors()
  if not anchors then return problem(trouble, why) end
  local out = { anchors = anchors }
  if paths.ca then
    local count, sentence, word = out.anchors:load(paths.ca)
    if not count then return problem("trust.ca: " .. sentence, word) end
  end
  if paths.cert or paths.key then
    if not (paths.cert and paths.key) then
      return usage("trust: cert and key go together")
    end
    local identity, sentence, word = trust.identity(paths.cert, paths.key)
    if not identity then
      return problem("trust.cert, trust.key: " .. sentence, word)
    end
    out.identity = identity
  end
  return out
end

local function initial_values(st, file, path)
  local values = {}
  for name, value in pairs(file.params or {}) do
    values[#values + 1] = { name, tostring(value) }
  end
  if #values == 0 or st:revision() > 0 then return true end
  table.sort(values, function(a, b) return a[1] < b[1] end)
  local txn, sentence, word = st:begin()
  if not txn then return problem(sentence, word) end
  txn:source { author = "phone-file" }
  for _, pair in ipairs(values) do
    local ok, why = txn:set(pair[1], pair[2])
    if not ok then
      txn:abort()
      return usage(("%s: params.%s: %s"):format(path, pair[1], why))
    end
  end
  local done
  done, sentence, word = txn:commit("initial", math.floor(sys.time()))
  if not done then return problem(sentence, word) end
  return true
end

local LOCKED_NEXT <const> = "stop the other process, or use another --store"

local function open_store(options, file, schema, wants)
  local path = options.store or file.store
  if wants.disk and not path then
    return usage(("peal %s needs a store to write to"):format(wants.disk),
      "name a folder: --store DIR")
  end
  local read_only = wants.read_only and path ~= nil
  if read_only and not sys.stat(path) then
    if options.store then
      return problem(path .. ": there is no store", "not-found", nil,
        "make one with: peal resync --store " .. path)
    end
    -- a phone that has never run: what it would begin with
    path, read_only = nil, false
  end
  local st, sentence, word, place = store.open { schema = schema, path = path,
    read_only = read_only }
  if not st then
    return problem(("%s: %s"):format(path or "store", sentence), word, place,
      word == "locked" and LOCKED_NEXT or nil)
  end
  for _, text in ipairs(st:notes()) do
    output.say("%s: %s", path or "store", text)
  end
  if not read_only then
    local ok, failed = initial_values(st, file, options.phone)
    if not ok then
      st:close()
      return nil, failed
    end
  end
  return st
end

-- --set NAME=VALUE, checked like any other value.
local function overrides_of(options, schema)
  local out = {}
  for _, text in ipairs(options.set or {}) do
    local name, value = text:match("^([^=]+)=(.*)$")
    if not name then
      return usage(("--set takes NAME=VALUE, not %q"):format(text))
    end
    local known = schema:find(name)
    if not known then
      local near = schema:suggest(name)
      return usage(("--set: no such parameter: %s"):format(name),
        near and ("did you mean %s?"):format(near) or nil)
    end
    local canonical, sentence = schema:check(known, value)
    if not canonical then
      return usage(("--set %s: %s"):format(name, sentence))
    end
    out[known] = canonical
  end
  return out
end

local function identity_of(file)
  local identity = {}
  for name, value in pairs(file.identity or {}) do identity[name] = value end
  if identity.CCERT == nil then
    identity.CCERT = file.trust and file.trust.cert and "Installed"
      or "Not Installed"
  end
  identity.PN = identity.PN or "peal"
  identity.IP = identity.IP or sys.local_address() or ""
  return identity
end

--- Open everything a command needs.
--   wants.read_only  does not write
--   wants.disk       name of a command that makes no sense without a folder
--   wants.trust      certificates are needed
-- @treturn[1] table phone (see phone.lua), store, schema, world, file
-- @treturn[2] nil
-- @treturn[2] table { sentence, word, place, next, code }
function session.open(options, wants)
  if options.rules and not sys.list(options.rules) then
    return usage(("--rules: no such folder: %s"):format(options.rules))
  end
  local file = { trust = {} }
  if options.phone then
    local bad_file
    file, bad_file = session.read_phone(options.phone)
    if not file then return nil, bad_file end
  end
  local schema, sentence, word, place =
    registry.load { maker = file.registry }
  if not schema then return problem(sentence, word, place) end
  local overrides, bad_override = overrides_of(options, schema)
  if not overrides then return nil, bad_override end
  local believed, bad_trust
  if wants.trust then
    believed, bad_trust = open_trust(file.trust)
    if not believed then return nil, bad_trust end
  end
  local st, bad_store = open_store(options, file, schema, wants)
  if not st then return nil, bad_store end
  local own_loop
  own_loop, sentence, word = loop.new()
  if not own_loop then
    st:close()
    return problem(sentence, word)
  end
  local world = live.new { loop = own_loop, store = st,
    device = file.device, rules_dir = options.rules or file.rules,
    trust = believed, dns = file.dns and { servers = file.dns } or nil }
  return {
    file = file,
    schema = schema,
    store = st,
    store_path = options.store or file.store,
    world = world,
    phone = phone.new { world = world, identity = identity_of(file),
      state = file.state, overrides = overrides, account = file.account,
      dhcp = file.dhcp, keep_unknown = options.keep_unknown },
  }
end

return session
