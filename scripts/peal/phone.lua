--- One phone as the engine sees it: identity, parameters, state, and what of
-- them macros and rules may look at.
--   phone.world      all input and output (see world/live.lua)
--   phone.identity   PN, PSN, SN, MAC, SWVER, HWVER, IP, EXTIP, CCERT ...
--                    (CCERT goes by the phone's certificate, unless given)
--   phone.state      timers and the like that are given, not measured
--   phone.overrides  values for this run only; a write to the store ends them
--   phone.keep       state that outlives a restart (keep.lua)
--   phone.book       rule files in force (rules.lua)
--   phone.account    { user, password } for 401 answers, or nil
local keep = require "peal.keep"
local macro = require "peal.macro"
local rules = require "peal.rules"
local secret = require "peal.secret"

local phone = {}
phone.__index = phone

-- What it learns while it runs and does not keep in its store: plain data.
-- (TLS sessions and what is made of stored values are no part of it.)
local LEARNED <const> = { "booted", "dns_answers", "last_resync",
  "last_upgrade", "log_servers", "registered_seen", "said_of_trust", "undone",
  "upgrade_boot", "upgrade_next", "upgrade_state" }

-- An upgrade that is not tried again by itself: no JSON holds its time.
local NEVER <const> = "never"

local IDENTITY <const> = { "PN", "PSN", "MAC", "SN", "SWVER", "HWVER", "IP",
  "EXTIP", "CCERT", "EMS", "MUID", "MPWD", "ORIGTYPE", "AUTHSTATUS", "ISCUST" }

local function copy(value)
  if type(value) ~= "table" then return value end
  local out = {}
  for key, item in pairs(value) do out[key] = copy(item) end
  return out
end

-- $CCERT, where nobody gives it, goes by the phone's own certificate.
local function follow_certificate(self)
  setmetatable(self.identity, { __index = function(_, name)
    if name ~= "CCERT" then return nil end
    return require("peal.tls_policy").identity(self) and "Installed"
      or "Not Installed"
  end })
end

--- @param options world, identity, state, overrides, account, dhcp,
--   keep_unknown; memory: of another phone's memory(), whose store the
--   world's is a copy of
function phone.new(options)
  local self = setmetatable({
    world = options.world,
    keep = keep.new(options.world),
    identity = {},
    state = options.state or {},
    overrides = options.overrides or {},
    account = options.account,
    dhcp = options.dhcp or {},
    keep_unknown = options.keep_unknown,
  }, phone)
  for _, name in ipairs(IDENTITY) do
    self.identity[name] = options.identity[name]
  end
  if self.identity.CCERT == nil then follow_certificate(self) end
  local memory = copy(options.memory or {})
  for _, name in ipairs(LEARNED) do self[name] = memory[name] end
  if self.upgrade_next == NEVER then self.upgrade_next = math.huge end
  self.keep.waiting = memory.keep or {}
  self.book = rules.book(self, memory.book)
  return self
end

--- What it knows that its store does not: plain data. Its times are those of
-- the world's monotonic clock.
-- @treturn table for options.memory
function phone:memory()
  local out = { keep = self.keep.waiting, book = self.book:memory() }
  for _, name in ipairs(LEARNED) do out[name] = self[name] end
  if out.upgrade_next == math.huge then out.upgrade_next = NEVER end
  return copy(out)
end

--- A phone of the same identity, memory and overrides over another world,
-- whose store is a copy of this one's. It shares nothing with this one.
function phone:twin(world)
  return phone.new { world = world, identity = copy(self.identity),
    state = copy(self.state), overrides = copy(self.overrides),
    account = copy(self.account), dhcp = copy(self.dhcp),
    keep_unknown = self.keep_unknown, memory = self:memory() }
end

--- Text of a parameter in force; nil for an unknown name.
function phone:param(name)
  local text = self.overrides[name]
  if text ~= nil then return text end
  text = self.world.store:get(name)
  return text
end

--- As param(), a secret as a reference.
function phone:shown(name)
  local text = self:param(name)
  if text ~= nil and text ~= "" then
    local about = self.world.store:value(name)
    if about and about.secret then return secret.reference(name, text) end
  end
  return text
end

--- A Yes/No parameter.
function phone:yes(name)
  return self:param(name) == "Yes"
end

--- What connections are judged by has changed: nothing that was prepared, and
-- no session that was made before, counts any more.
function phone:trust_changed()
  self.tls, self.certificates, self.saved_sessions = nil, nil, nil
  self.keep:set("tls", "sessions", nil)
  local forget = self.world.forget_sessions
  if forget then forget() end
end

--- Seconds since something, by the phone's own clocks.
function phone:timers()
  local now = self.world.now()
  local state = { PRVST = -1, UPGST = 1, UPGERR = "" }
  state.PRVTMR = now.mono - (self.last_resync or self.booted or 0)
  state.UPGTMR = now.mono - (self.last_upgrade or self.booted or 0)
  for name, value in pairs(self.upgrade_state or {}) do state[name] = value end
  for name, value in pairs(self.state) do state[name] = value end
  return state
end

--- Variables for macro.expand().
--   extra.request, extra.ERR, extra.user_agent  as in macro.variables()
--   extra.state   timers to use instead of the current ones
--   extra.clear   secrets in clear, not as references
function phone:variables(extra)
  extra = extra or {}
  local identity = self.identity
  if not extra.clear and identity.MPWD and identity.MPWD ~= "" then
    identity = setmetatable({ MPWD = secret.reference("MPWD", "x") },
      { __index = self.identity })
  end
  return macro.variables {
    identity = identity,
    state = extra.state or self:timers(),
    param = function(name)
      if extra.clear then return self:param(name) end
      return self:shown(name)
    end,
    request = extra.request,
    ERR = extra.ERR,
    user_agent = extra.user_agent,
  }
end

--- The text of a secret that a reference names.
function phone:secret(name)
  if name == "MPWD" then return self.identity.MPWD end
  return self:param(name)
end

--- Expand the macros of parameter `name`, such as a message.
function phone:expand_param(name, extra)
  local text = self:param(name) or ""
  local expanded, sentence, word = macro.expand(text, self:variables(extra))
  if not expanded then return nil, sentence, word end
  return secret.mask(expanded)
end

return phone
