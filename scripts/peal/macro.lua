--- Macro expansion: `$NAME` and `$(NAME:offset:count)` in rules and messages.
--
-- Text of GPP_A to GPP_P is *structural*: it may hold brackets, `|`, whole
-- URLs. Text of every other variable, and the `$` made from `$$`, is *opaque*:
-- it never acts as a quote, a separator or a further macro. The parsers learn
-- which is which from a mask: the expanded text with each opaque byte replaced
-- by \1. They search the mask and cut from the text, so no scan looks at
-- opaque bytes. Where nothing is opaque the mask is the text itself.
--
-- Source: MPP provisioning guide, "Macro expansion". Opaque text, the longest
-- name and byte offsets are our choice: the guide does not say.
local version = require "peal.version"

local macro = {}

local find, sub, match = string.find, string.sub, string.match
local rep = string.rep

--- Longest text taken and made, bytes (our choice).
macro.limit = 65536

--- Names that only the arguments of --key, --uid and --pwd expand.
macro.secret_names = { "SA", "SB", "SC", "SD", "MPWD" }

local SECRET = {}
for _, name in ipairs(macro.secret_names) do
  SECRET[name] = true
end

local function too_long()
  return nil, ("Text longer than %d bytes"):format(macro.limit), "too-long"
end

-- The variable a written name stands for: GPP_A is A, other "_" are none.
local function canonical(name)
  if not find(name, "_", 1, true) then
    return name
  end
  return match(name, "^GPP_([A-P])$")
end

-- Bytes from `first` (0-based), at most `count`. Numbers come as digits and
-- may be absurdly long, hence the floats and the clamp.
local function slice(text, first, count)
  local from = tonumber(first)
  if from >= #text then
    return ""
  end
  local to = #text
  if count then
    to = from + math.min(tonumber(count), to)
  end
  return sub(text, from + 1, to)
end

-- `$(NAME...)` with "(" at `at`: name, first, count, position after ")".
-- Name and numbers are matched apart: one pattern would take quadratic time.
local function read_parenthesised(text, at)
  local name, after = match(text, "^([A-Z][A-Z0-9_]*)()", at + 1)
  if not name then
    return nil
  end
  local next_at = match(text, "^%)()", after)
  if next_at then
    return name, nil, nil, next_at
  end
  local first, rest = match(text, "^:(%d+)()", after)
  if not first then
    return nil
  end
  next_at = match(text, "^%)()", rest)
  if next_at then
    return name, first, nil, next_at
  end
  local count
  count, next_at = match(text, "^:(%d+)%)()", rest)
  if not count then
    return nil
  end
  return name, first, count, next_at
end

-- The macro whose "$" is at `at`: variable, first, count, next position.
-- No variable: what is there stays as written up to that position.
local function read(text, at)
  local name, next_at = match(text, "^([A-Z][A-Z0-9]*)()", at + 1)
  if name then
    if name == "GPP" then
      local long, after = match(text, "^(GPP_[A-Z0-9]+)()", at + 1)
      if long then
        return canonical(long), nil, nil, after
      end
    end
    return name, nil, nil, next_at
  end
  if find(text, "^%(", at + 1) then
    local first, count
    name, first, count, next_at = read_parenthesised(text, at + 1)
    if name then
      return canonical(name), first, count, next_at
    end
  end
  return nil, nil, nil, at + 1
end

-- Replaces what pick(name) gives text for. `scan` is the text or its mask.
local function replace(text, scan, dollars, pick)
  local at = find(scan, "$", 1, true)
  local out, mask, n, from, size = {}, {}, 0, 1, #text
  local function put(value, shown, first, next_at)
    if first > from then
      n = n + 1
      out[n], mask[n] = sub(text, from, first - 1), sub(scan, from, first - 1)
    end
    n = n + 1
    out[n], mask[n] = value, shown
    size = size + #value - (next_at - first)
    from = next_at
  end
  while at do
    local next_at
    if find(scan, "^%$", at + 1) then
      next_at = at + 2
      if dollars then
        put("$", "\1", at, next_at)
      end
    else
      local name, first, count
      name, first, count, next_at = read(scan, at)
      local value, structural
      if name then
        value, structural = pick(name)
      end
      if value then
        if first then
          value = slice(value, first, count)
        end
        put(value, structural and value or rep("\1", #value), at, next_at)
        if size > macro.limit then
          return too_long()
        end
      end
    end
    at = find(scan, "$", next_at, true)
  end
  if n == 0 then
    return text, scan
  end
  out[n + 1], mask[n + 1] = sub(text, from), sub(scan, from)
  return table.concat(out), table.concat(mask)
end

--- Expands the macros of `text`. Unknown names and the secret names stay as
-- they are written; the result is not searched again.
-- @tparam string text
-- @tparam function vars name -> text or nil, structural
-- @treturn[1] string the expanded text
-- @treturn[1] string its mask, see above
-- @return[2] nil, sentence, "too-long"
function macro.expand(text, vars)
  if #text > macro.limit then
    return too_long()
  end
  if not find(text, "$", 1, true) then
    return text, text
  end
  return replace(text, text, true, function(name)
    if not SECRET[name] then
      return vars(name)
    end
  end)
end

--- The second pass, for arguments of --key, --uid and --pwd: expands the
-- secret names and nothing else, and never inside opaque text.
-- @tparam string text
-- @tparam function vars as for expand()
-- @tparam[opt] string mask of `text`
-- @treturn[1] string a secret
-- @return[2] nil, sentence, "too-long"
function macro.expand_secrets(text, vars, mask)
  mask = mask or text
  if not find(mask, "$", 1, true) then
    return text
  end
  local expanded, sentence, word = replace(text, mask, false, function(name)
    if SECRET[name] then
      return vars(name) or ""
    end
  end)
  if not expanded then
    return nil, sentence, word
  end
  return expanded
end

-- Hexadecimal digits of a MAC address in any usual notation, or "".
local function mac_digits(mac)
  local digits = tostring(mac or ""):gsub("[:. -]", ""):lower()
  return #digits == 12 and not find(digits, "[^0-9a-f]") and digits or ""
end

local SOURCES = {}

local function identity(name, default)
  SOURCES[name] = function(ctx)
    local value = ctx.identity and ctx.identity[name]
    return value == nil and default or value
  end
end

local function state(name, default)
  SOURCES[name] = function(ctx)
    local value = ctx.state and ctx.state[name]
    return value == nil and default or value
  end
end

local function request(name, field)
  SOURCES[name] = function(ctx)
    return ctx.request and ctx.request[field] or ""
  end
end

local function param(name, parameter)
  SOURCES[name] = function(ctx)
    return ctx.param and ctx.param(parameter) or ""
  end
end

for _, name in ipairs { "PN", "SN", "IP", "EXTIP", "SWVER", "HWVER", "EMS",
                        "MUID", "MPWD" } do
  identity(name, "")
end
identity("CCERT", "Not Installed")
identity("ORIGTYPE", "orig_mpp")
identity("AUTHSTATUS", "none")
identity("ISCUST", "0")

for _, name in ipairs { "PRVST", "UPGST", "UPGERR", "UPGCOND" } do
  state(name, "")
end
state("PRVTMR", "0")
state("UPGTMR", "0")

for _, name in ipairs { "SCHEME", "SERV", "SERVIP", "PORT", "PATH" } do
  request(name, name)
end
request("METH", "SCHEME")

local REGISTER = {}
for letter in ("ABCDEFGHIJKLMNOP"):gmatch(".") do
  param(letter, "GPP_" .. letter)
  REGISTER[letter] = true
end
for letter in ("ABCD"):gmatch(".") do
  param("S" .. letter, "GPP_S" .. letter)
end
for line = 1, 16 do
  param("UID" .. line, ("User_ID_%d_"):format(line))
  state("REGTMR" .. line, "0")
end

function SOURCES.MA(ctx)
  return mac_digits(ctx.identity and ctx.identity.MAC)
end

function SOURCES.MAU(ctx)
  return SOURCES.MA(ctx):upper()
end

function SOURCES.MAC(ctx)
  return (SOURCES.MA(ctx):gsub("%x%x", "%0:", 5))
end

function SOURCES.PSN(ctx)
  local psn = ctx.identity and ctx.identity.PSN
  return psn or (tostring(SOURCES.PN(ctx)):gsub("^CP%-", ""))
end

function SOURCES.ERR(ctx)
  return ctx.ERR or ""
end

-- Known to HTTP_User_Agent_Name only. A load name that is no version is
-- given as it is, without what a header may not hold: our choice.
function SOURCES.VERSION(ctx)
  if not ctx.user_agent then
    return nil
  end
  local load_name = tostring(SOURCES.SWVER(ctx))
  return ("Cisco-%s/%s"):format(SOURCES.PN(ctx), version.short(load_name)
    or (load_name:gsub("[^!-~]", "")))
end

-- A variable's value as text: timers may be numbers, flags booleans.
local function text_of(value)
  if type(value) == "string" or value == nil then
    return value
  elseif type(value) == "boolean" then
    return value and "1" or "0"
  end
  local whole = type(value) == "number" and math.tointeger(value // 1)
  return whole and ("%d"):format(whole) or ""
end

--- The names of all variables, in order.
function macro.names()
  return require("peal.sorted").keys(SOURCES)
end

--- The variables of a phone.
--   ctx.identity    PN, PSN, MAC (any notation), SN, SWVER, HWVER, IP, EXTIP,
--                   CCERT, EMS, MUID, MPWD, ORIGTYPE, AUTHSTATUS, ISCUST
--   ctx.state       PRVST, PRVTMR, UPGTMR, REGTMRn, UPGST, UPGERR, UPGCOND;
--                   timers in seconds
--   ctx.param       function(parameter) -> text or nil
--   ctx.request     SCHEME, SERV, SERVIP, PORT, PATH, or nil outside one
--   ctx.ERR         result text, or nil
--   ctx.user_agent  true while HTTP_User_Agent_Name is expanded
-- What is missing is empty; timers are 0. The table is read at each call, so
-- the caller may change it between two expansions.
-- @treturn function name -> text or nil, structural
function macro.variables(ctx)
  return function(name)
    local source = SOURCES[name]
    if source then
      return text_of(source(ctx)), REGISTER[name]
    end
  end
end

return macro
