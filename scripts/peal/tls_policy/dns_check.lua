--- Is the address that a phone connects to one that DNS gives for the name?
-- A hosts file, or whoever else answered the first question, may have sent it
-- elsewhere: DNS is asked again, past the hosts file.
-- Source: MPP provisioning guide, "HTTPS provisioning" (the name in the
-- certificate is looked up and compared with the server's address);
-- HTTPS_DNS_Check is our choice.
local trust = require "peal.trust"
local url = require "peal.url"

local dns_check = {}

-- Answers that count: servers behind a name may take turns.
local AGE_S <const> = 60
-- Names of one certificate that are looked up, and names remembered.
local NAMES_MAX <const> = 8
local REMEMBERED_MAX <const> = 64

-- phone.dns_answers: name -> { address -> when it was last given }
local function table_of(phone, name)
  phone.dns_answers = phone.dns_answers or {}
  local known = phone.dns_answers
  if not known[name] then
    local count = 0
    for _ in pairs(known) do count = count + 1 end
    if count >= REMEMBERED_MAX then phone.dns_answers = {} end
    phone.dns_answers[name] = {}
  end
  return phone.dns_answers[name]
end

-- Has DNS given this address for the name lately?
local function is_remembered(phone, name, address)
  local now, seen = phone.world.now().mono, table_of(phone, name)
  for known, when in pairs(seen) do
    if now - when > AGE_S then seen[known] = nil end
  end
  return seen[address] ~= nil
end

-- Ask DNS, past the hosts file; what is wrong, or nil.
local function ask(phone, name)
  local found, sentence = phone.world.resolve(name, "ADDR", false)
  if not found then
    return ("the name of the certificate, %s, cannot be looked up: %s"):format(
      name, sentence)
  end
  local now, seen = phone.world.now().mono, table_of(phone, name)
  for _, answer in ipairs(found) do seen[answer.address] = now end
end

-- Does DNS give this address for the name? true; or false and a sentence.
--   asked   name -> what came of asking; one question for each name in it
local function answers(phone, name, address, asked)
  if is_remembered(phone, name, address) then return true end
  if asked[name] == nil then asked[name] = ask(phone, name) or "" end
  if is_remembered(phone, name, address) then return true end
  if asked[name] ~= "" then return false, asked[name] end
  return false, ("the server's address %s is none that DNS gives for %s")
    :format(address, name)
end

-- RFC 6761: they stand for the loopback addresses, and DNS is not asked.
local function is_localhost(name)
  return name == "localhost" or name:sub(-10) == ".localhost"
end

local function is_loopback(address)
  return address:find("^127%.") ~= nil or address == "::1"
end

local function is_literal(host)
  return host:find("^[%d.]+$") ~= nil or url.is_ipv6(host)
end

--- What is wrong with an address, before it is connected to.
-- @param phone
-- @tparam string host     that certificates are checked by
-- @tparam string name     that was looked up: the host, or an SRV target
-- @tparam string address  nil: a proxy looks the name up
-- @tparam table asked     empty at first, the same for all addresses of a
--   look-up: DNS is asked once for a name
-- @treturn string a sentence, for request.tls.dns_failure; nil: nothing
function dns_check.failure(phone, host, name, address, asked)
  if phone:param("HTTPS_DNS_Check") ~= "Yes" or not address
    or phone:param("HTTPS_Name_Validate") == "No" or is_literal(host) then
    return nil
  end
  if is_localhost(host) then
    if is_loopback(address) then return nil end
    return ("%s stands for this phone, and %s is another address"):format(
      host, address)
  end
  local ok, sentence = answers(phone, name, address, asked)
  if ok then return nil end
  return sentence
end

-- Names that a certificate is for: of the SAN, else the common name as far as
-- its first slash.
local function names_of(der)
  local facts = (trust.parse(der) or {})[1]
  local names = {}
  for _, san in ipairs(facts and facts.sans or {}) do
    local name = san:match("^DNS:([^*]+)$")
    if name and #names < NAMES_MAX then names[#names + 1] = name:lower() end
  end
  local cn = facts and facts.cn:match("^[^/]*"):match("^%s*(.-)%s*$") or ""
  if not names[1] and cn:find("^[%w.-]+$") then names[1] = cn:lower() end
  return names
end

--- HTTPS_DNS_Check Legacy: the name rule has failed. Does a name of the
-- certificate have the server's address, and did its chain end at an anchor
-- under which no stranger gets certificates?
-- @treturn string that name; nil: no
function dns_check.other_name(phone, tls, address)
  local leaf = tls.chain and tls.chain[1]
  if phone:param("HTTPS_DNS_Check") ~= "Legacy" or not address
    or not tls.anchor_private or not leaf or not leaf.der then
    return nil
  end
  for _, name in ipairs(names_of(leaf.der)) do
    local ok = not is_literal(name) and answers(phone, name, address, {})
    if ok then return name end
  end
end

return dns_check
