--- What a phone's hardware and telephony can do, each member optional.
-- A maker's table of functions and values; device/simulated.lua is one. Values
-- may be functions without arguments that return them.
--
--   lines_active      calls at the moment (0)
--   registered        is the phone registered? true, false; nil: it does not
--                     say, and nothing is judged by it
--   clock_trusted     has the wall clock been set? (true: the time decides)
--   zone              POSIX TZ rule ("UTC0")
--   load              { active = name, inactive = name or nil } of the image
--                     slots (active: SWVER)
--   image_begin(about)          about: load, url, size or nil. What was
--                               activated and did not boot yet is given up:
--                               the running load boots next
--                               -> handle | nil, sentence, word
--   image_write(handle, bytes)  must not wait -> true | nil, sentence, word
--   image_finish(handle, about) about: size, sha256 (hex). Checks the
--                               signature -> true | nil, sentence, word
--   image_abort(handle)         the transfer failed; the slot stays unusable
--   activate(load)              boot from it next -> true | nil, ...
--   reboot(reason, cold)        does not come back on a phone
--   prompt(kind, about, answer) ask the user; answer(choice) is called later.
--                               "headset_prompt": about has model, have and
--                               offer; choices "now", "later"
--   headset           { model =, version = } of what is attached, or nil
--   headset_manifest(bytes)     reads the maker's own form of manifest -> list
--                               of { model, version, file, size, sha256 } |
--                               nil, sentence, word
--   headset_install(about, bytes)   about: model, version
--                               -> true | nil, sentence, word
--   seal(bytes), unseal(bytes)  for state that others must not read, under a
--                               key of this phone -> bytes | nil, sentence,
--                               word ("corrupt": not sealed by this phone)
--   renew(url, old, request)    the maker's own way to renew the phone's
--                               certificate: MIC_Cert_Refresh_Rule's text, the
--                               certificate in use (PEM), a PKCS #10 request
--                               (DER); may suspend -> certificates | nil,
--                               sentence, word
--   address           the phone's IP address now (the identity's)
--   names             list of DNS names it is known by (Host_Name, Domain)
--   terminals         those that are to have the phone's host certificate:
--                     list of { id, kind = "system", "sip" or "standard",
--                     push = function(bundle, answer), restart =
--                     function(answer) }. A bundle has id, and PEM texts: host,
--                     root, previous (older roots that still hold).
--                     answer(ok, sentence) is called once, at once or later: a
--                     push is over, a SIP terminal is up again (none)
--   apply(changes)    values that were committed
--   subscribe(fn)     fn(kind, about) for what happens: "lines",
--                     "registration", "clock", "headset", "address",
--                     "terminal" (there are others, or one is back)
local device = {}

local function value(d, name)
  local v = d[name]
  if type(v) == "function" then return v() end
  return v
end

function device.lines_active(d)
  return value(d, "lines_active") or 0
end

--- true, false, or nil where the device does not say.
function device.registered(d)
  return value(d, "registered")
end

function device.clock_trusted(d)
  return value(d, "clock_trusted") ~= false
end

function device.zone(d)
  return value(d, "zone") or "UTC0"
end

--- Names of the active and the inactive load; nil: unknown.
-- @tparam table identity of the phone: SWVER
function device.loads(d, identity)
  local load = value(d, "load") or {}
  return load.active or identity.SWVER, load.inactive
end

--- Can it keep a secret at rest?
function device.has_seal(d)
  return d.seal ~= nil and d.unseal ~= nil
end

local function no_seal()
  return nil, "the device has no key to seal with", "not-found"
end

--- Bytes that only this phone can read again.
-- @treturn[1] string
-- @return[2] nil, sentence, word
function device.seal(d, bytes)
  return (d.seal or no_seal)(bytes)
end

function device.unseal(d, bytes)
  return (d.unseal or no_seal)(bytes)
end

--- { model =, version = }, or nil.
function device.headset(d)
  return value(d, "headset")
end

--- The phone's address, or nil where the device does not say.
function device.address(d)
  return value(d, "address")
end

--- List of the phone's DNS names, or nil where the device does not say.
function device.names(d)
  return value(d, "names")
end

--- Terminals that the phone serves.
function device.terminals(d)
  return value(d, "terminals") or {}
end

return device
