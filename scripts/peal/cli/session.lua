--- Makes the phone that a command works on: phone file, store, world.
local advice = require "peal.cli.advice"
local loop = require "peal.loop"
local live = require "peal.world.live"
local net = require "peal.net"
local output = require "peal.cli.output"
local phone = require "peal.phone"
local phone_file = require "peal.cli.phone_file"
local registry = require "peal.registry"
local remote = require "peal.cli.remote"
local store = require "peal.store"
local sys = require "peal.sys"
local trust = require "peal.trust"

local session = {}

local function usage(sentence, next_step)
  return nil, { sentence = sentence, word = "usage", code = 2,
    next = next_step }
end

local function problem(sentence, word, place, next_step)
  return nil, { sentence = sentence, word = word, place = place,
    next = next_step or advice.here(word) }
end

local TRUST_NEXT <const> = {
  ca = "is it a PEM file with CA certificates? "
    .. "openssl x509 -in FILE -noout -text",
  cert = "are both PEM files, and do they belong together?",
  permission = "only its owner may read a key, and write where roots are",
}

local function trust_problem(fields, sentence, word, kind)
  return problem(("%s: %s"):format(fields, sentence), word, nil,
    TRUST_NEXT[word] or TRUST_NEXT[kind])
end

-- The factory's roots. Strangers get no certificates under those that are
-- private to the maker.
local ROOTS <const> = { { "ca" }, { "private_ca", "private" } }

local function open_roots(paths)
  local anchors, sentence, word = trust.anchors()
  if not anchors then return problem(sentence, word) end
  for _, root in ipairs(ROOTS) do
    local path, flag = paths[root[1]], root[2]
    if path then
      local count
      count, sentence, word = anchors:load(path, flag)
      if not count then
        return trust_problem("trust." .. root[1], sentence, word, "ca")
      end
    end
  end
  return anchors
end

local function open_trust(paths)
  local anchors, failed = open_roots(paths)
  if not anchors then return nil, failed end
  if not paths.cert and not paths.key then return { anchors = anchors } end
  if not (paths.cert and paths.key) then
    return usage("trust: cert and key go together")
  end
  local identity, sentence, word = trust.identity(paths.cert, paths.key)
  if not identity then
    return trust_problem("trust.cert, trust.key", sentence, word, "cert")
  end
  return { anchors = anchors, identity = identity }
end

local function initial_values(st, file, path)
  local values = {}
  for name, value in pairs(file.params or {}) do
    values[#values + 1] = { name, value }
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

-- Is this a folder of something else? What begins with a dot does not count,
-- nor what a file system keeps at its top.
local function is_foreign(path)
  local others = false
  for _, name in ipairs(sys.list(path) or {}) do
    if name:find("^rev%-") or name == "lock" or name == "key" then
      return false
    end
    others = others or name:sub(1, 1) ~= "." and name ~= "lost+found"
  end
  return others
end

-- The key of the store's fingerprints is the owner's.
local function check_key(path)
  local key = path and path .. "/key"
  local about = key and sys.stat(key)
  if not about or about.mode & 63 == 0 then return true end -- 0077
  return problem(key .. ": can be read by others", "permission", nil,
    "type: chmod 600 " .. key)
end

-- Who holds the lock? A daemon can be asked.
local function locked(path, sentence)
  local pid = remote.owner(path)
  if not pid then return problem(path .. ": " .. sentence, "locked") end
  return problem(("%s: peal run, process %d, owns the store"):format(path,
    pid), "locked", nil, "ask it: peal status --store " .. path)
end

local function open_store(options, file, schema, wants)
  local path = options.store or file.store
  if wants.disk and not path then
    return usage(("peal %s needs a store to %s"):format(wants.disk,
      wants.read_only and "read" or "write to"),
      "name a folder: --store DIR")
  end
  if path and is_foreign(path) then
    return problem(path .. ": holds files, but no store", "invalid", nil,
      "name the folder of a store, or an empty or new one")
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
  local sound, failed = check_key(path)
  if not sound then return nil, failed end
  local st, sentence, word, place = store.open { schema = schema, path = path,
    read_only = read_only }
  if not st and word == "locked" then return locked(path, sentence) end
  if not st then
    return problem(("%s: %s"):format(path or "store", sentence), word, place)
  end
  for _, text in ipairs(st:notes()) do
    output.say("%s: %s", path or "store", text)
  end
  if not read_only then
    sound, failed = initial_values(st, file, options.phone)
    if not sound then
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
    local device = file.device or {}
    identity.CCERT = (file.trust and file.trust.cert or device.certificate)
      and "Installed" or "Not Installed"
  end
  identity.PN = identity.PN or "peal"
  identity.IP = identity.IP or sys.local_address() or ""
  return identity
end

local function read_files(options)
  for _, key in ipairs { "phone", "store", "rules" } do
    if options[key] == "" then
      return usage(("--%s is empty"):format(key))
    end
  end
  if options.rules and not sys.list(options.rules) then
    return usage(("--rules: no such folder: %s"):format(options.rules))
  end
  if not options.phone then return { trust = {} } end
  local file, failed = phone_file.read(options.phone)
  if not file then return nil, failed end
  if file.rules and not options.rules and not sys.list(file.rules) then
    return usage(("%s: rules: no such folder: %s"):format(options.phone,
      file.rules))
  end
  return file
end

-- options -> phone file: it is run once, whoever asks for it first.
local files = setmetatable({}, { __mode = "k" })

-- The phone file, or an empty one.
local function file_of(options)
  local failed
  if not files[options] then files[options], failed = read_files(options) end
  return files[options], failed
end

--- The parameters that a phone of these options has.
-- @tparam[opt] table known schemas by registry file, to share them
-- @treturn[1] userdata schema
-- @treturn[1] table the phone file
-- @return[2] nil, failure
function session.schema(options, known)
  local file, failed = file_of(options)
  if not file then return nil, failed end
  local schema = known and known[file.registry or ""]
  if schema then return schema, file end
  local sentence, word, place
  schema, sentence, word, place = registry.load { maker = file.registry }
  if not schema then return problem(sentence, word, place) end
  if known then known[file.registry or ""] = schema end
  return schema, file
end

--- Folder of the store that these options mean; nil: none.
-- @return[2] nil, failure
function session.store_path(options)
  local file, failed = file_of(options)
  if not file then return nil, failed end
  return options.store or file.store
end

-- Servers as c-ares reads them; tried here, where the field can be named.
local function check_dns(own_loop, file, path)
  if not file.dns then return true end
  local resolver, sentence, word =
    net.resolver(own_loop, { servers = file.dns })
  if resolver then
    resolver:close()
    return true
  elseif word == "resource" then
    return problem(sentence, word)
  end
  return usage(("%s: dns is no address, nor address:port: %q"):format(path,
    file.dns))
end

local function make_world(options, file, st, believed, wants)
  local own_loop, sentence, word = wants.loop, nil, nil
  if not own_loop then own_loop, sentence, word = loop.new() end
  if not own_loop then return problem(sentence, word) end
  local ok, failed = check_dns(own_loop, file, options.phone)
  if not ok then return nil, failed end
  local path = options.store or file.store
  local world
  world, sentence, word = live.new { loop = own_loop, store = st,
    device = file.device, keys = path and path .. "/keys",
    rules_dir = options.rules or file.rules, trust = believed,
    dns = file.dns and { servers = file.dns } or nil, ask = wants.ask,
    log = wants.log, tell = wants.tell }
  if not world then return problem(sentence, word) end
  return world
end

-- A process with a private key in its memory leaves no dump of it. (One that
-- makes a key is as careful: world/live.lua.)
local function guard_keys(believed, path)
  if not believed then return end
  if believed.identity or path and sys.stat(path .. "/keys") then
    sys.no_core()
  end
end

--- Open everything a command needs.
--   wants.read_only  does not write
--   wants.disk       name of a command that makes no sense without a folder
--   wants.trust      certificates are needed
--   wants.loop, wants.schemas   to share: a loop, and as in session.schema()
--   wants.ask, wants.log, wants.tell   as in world/live.lua
-- @treturn[1] table phone (see phone.lua), store, schema, world, file
-- @treturn[2] nil
-- @treturn[2] table { sentence, word, place, next, code }
function session.open(options, wants)
  local schema, file = session.schema(options, wants.schemas)
  if not schema then return nil, file end
  local overrides, failed = overrides_of(options, schema)
  if not overrides then return nil, failed end
  local believed
  if wants.trust then
    believed, failed = open_trust(file.trust)
    if not believed then return nil, failed end
  end
  local st, world
  st, failed = open_store(options, file, schema, wants)
  if not st then return nil, failed end
  guard_keys(believed, options.store or file.store)
  world, failed = make_world(options, file, st, believed, wants)
  if not world then
    st:close()
    return nil, failed
  end
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
