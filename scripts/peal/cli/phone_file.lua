--- Phone files: trusted Lua that returns a table. Each field is checked, for
-- a mistake in one shows far away from it.
local simulated = require "peal.device.simulated"

local phone_file = {}

local FIELDS <const> = { account = "table", device = "table", dhcp = "table",
  dns = "string", identity = "table", params = "table", registry = "string",
  rules = "string", state = "table", store = "string", trust = "table" }

-- Fields of a table that may hold no others.
local KEYS <const> = {
  account = { user = true, password = true },
  identity = { PN = true, PSN = true, MAC = true, SN = true, SWVER = true,
    HWVER = true, IP = true, EXTIP = true, CCERT = true, EMS = true,
    MUID = true, MPWD = true, ORIGTYPE = true, AUTHSTATUS = true,
    ISCUST = true },
  trust = { ca = true, private_ca = true, cert = true, key = true },
}

-- Tables of texts; `device` is the maker's own.
local TEXTS <const> = { "account", "dhcp", "identity", "params", "state",
  "trust" }

-- Where a number does as well.
local NUMBERS <const> = { identity = true, params = true, state = true }

local function usage(fmt, ...)
  return nil, { sentence = fmt:format(...), word = "usage", code = 2,
    next = "see the file's own words; examples/phones has some that work" }
end

-- All of `field` checked; numbers become texts, but in `state`.
local function check_texts(path, field, given)
  local out = {}
  for name, value in pairs(given) do
    if type(name) ~= "string" then
      return usage("%s: %s: %s is no name: write [%q]", path, field,
        tostring(name), tostring(name))
    elseif KEYS[field] and not KEYS[field][name] then
      return usage("%s: no such field: %s.%s", path, field, name)
    end
    local number = NUMBERS[field] and type(value) == "number"
    if type(value) ~= "string" and not number then
      return usage("%s: %s.%s is a %s, not a text%s", path, field, name,
        type(value), NUMBERS[field] and " or number" or "")
    end
    out[name] = number and field ~= "state" and tostring(value) or value
  end
  return out
end

local function check_fields(path, file)
  for key, value in pairs(file) do
    local wanted = FIELDS[key]
    if not wanted then
      return usage("%s: no such field: %s", path, tostring(key))
    elseif type(value) ~= wanted then
      return usage("%s: %s is a %s, not a %s", path, key, type(value),
        wanted == "string" and "text" or wanted)
    elseif value == "" then
      return usage("%s: %s is empty", path, key)
    end
  end
  return true
end

-- Any notation of twelve hexadecimal digits, as $MA takes it.
local function is_mac(text)
  local digits = text:gsub("[:. -]", "")
  return #digits == 12 and not digits:find("%X")
end

local function check_file(path, file)
  if type(file) ~= "table" then
    return usage("%s: a phone file returns a table", path)
  end
  local ok, failed = check_fields(path, file)
  if not ok then return nil, failed end
  local out = {}
  for key, value in pairs(file) do out[key] = value end
  for _, field in ipairs(TEXTS) do
    if file[field] then
      out[field], failed = check_texts(path, field, file[field])
      if not out[field] then return nil, failed end
    end
  end
  local mac = out.identity and out.identity.MAC
  if mac and mac ~= "" and not is_mac(mac) then
    return usage("%s: identity.MAC is no MAC address: %q", path, mac)
  end
  return out
end

local function relative_to(path, folder)
  if not path or path:sub(1, 1) == "/" then return path end
  return folder .. path
end

-- Fields of a simulated device.
local SIMULATED <const> = { simulated = "boolean", folder = "string",
  lines_active = "number", registered = "boolean", clock_trusted = "boolean",
  zone = "string", load = "table", headset = "table", address = "string",
  terminals = "table" }

local SIMULATED_TEXTS <const> = {
  load = { active = true, inactive = true },
  headset = { model = true, version = true },
}

local function check_texts_of(path, field, given)
  for name, value in pairs(given) do
    if not SIMULATED_TEXTS[field][name] then
      return usage("%s: no such field: device.%s.%s", path, field,
        tostring(name))
    elseif type(value) ~= "string" or value == "" then
      return usage("%s: device.%s.%s is no text", path, field, name)
    end
  end
  return true
end

local KINDS <const> = { system = true, sip = true, standard = true }

local function check_terminals(path, list)
  local seen = {}
  for i, one in ipairs(list or {}) do
    local is_good = type(one) == "table" and type(one.id) == "string"
      and one.id:find("^[%w._:-]+$") and KINDS[one.kind] and not seen[one.id]
    if not is_good then
      return usage("%s: device.terminals[%d] has an id of its own and a kind: "
        .. "system, sip or standard", path, i)
    end
    seen[one.id] = true
  end
  return true
end

local function check_simulated(path, given)
  for name, value in pairs(given) do
    local wanted = SIMULATED[name]
    if not wanted then
      return usage("%s: no such field: device.%s", path, tostring(name))
    elseif type(value) ~= wanted then
      return usage("%s: device.%s is a %s, not a %s", path, name,
        type(value), wanted == "string" and "text" or wanted)
    elseif value == "" then
      return usage("%s: device.%s is empty", path, name)
    end
  end
  for field in pairs(SIMULATED_TEXTS) do
    local ok, failed = check_texts_of(path, field, given[field] or {})
    if not ok then return nil, failed end
  end
  local headset = given.headset
  if headset and not (headset.model and headset.version) then
    return usage("%s: device.headset has a model and a version", path)
  end
  return check_terminals(path, given.terminals)
end

-- A device that is to be simulated, and the load that it runs as $SWVER.
local function simulate(path, file, folder)
  local given = file.device
  local ok, failed = check_simulated(path, given)
  if not ok then return nil, failed end
  local options = {}
  for name, value in pairs(given) do options[name] = value end
  options.folder = given.folder and relative_to(given.folder, folder)
  options.load = options.load or {}
  options.load = { inactive = options.load.inactive,
    active = options.load.active or file.identity and file.identity.SWVER }
  local device, sentence = simulated.new(options)
  if not device then
    return usage("%s: device.folder: %s", path, sentence)
  end
  file.device = device
  file.identity = file.identity or {}
  file.identity.SWVER = device.load().active
  return file
end

--- Read a phone file; its paths are relative to it.
-- @treturn[1] table trust is always there
-- @return[2] nil, failure
function phone_file.read(path)
  local chunk, why = loadfile(path, "t")
  if not chunk then return usage("phone file: %s", why) end
  local ok, file = pcall(chunk)
  if not ok then return usage("phone file: %s", tostring(file)) end
  local failed
  file, failed = check_file(path, file)
  if not file then return nil, failed end
  local folder = path:match("^(.*/)") or ""
  for _, key in ipairs { "store", "rules", "registry" } do
    file[key] = relative_to(file[key], folder)
  end
  file.trust = file.trust or {}
  for key, name in pairs(file.trust) do
    file.trust[key] = relative_to(name, folder)
  end
  if file.device and file.device.simulated then
    return simulate(path, file, folder)
  end
  return file
end

return phone_file
