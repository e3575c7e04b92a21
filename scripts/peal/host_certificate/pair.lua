--- A root and the host certificate that it has issued: made together, kept
-- together, and told from others by the id that both carry.
-- The root's key signs once and is gone. Nothing is noted beside the files:
-- what there is to know about a pair stands in its certificates, so that after
-- a power cut there is the old pair or the new one, whole.
--   id                   in the root's name: "peal root 3f2a..."
--   made, days           when, s UTC, and its interval
--   not_before, not_after
--   address, names       of the phone it was made for
--   root, host           facts, as peal.trust parses them
--   older                facts of the roots before, newest first
--   pem                  { root =, host = }
-- Source: MiVoice Office 400 WebAdmin help, "Public"; RFC 5280; where the help
-- is silent, our choice.
local calendar = require "peal.host_certificate.calendar"
local hex = require "peal.hex"
local trust = require "peal.trust"

local pair = {}

--- Its name in the keyring.
pair.NAME = "host"

local DAY <const> = 86400
local ROOT_NAME <const> = "peal root "
local KEY <const> = "P-256"

-- Older roots that are kept, should somebody make new ones all day long.
local PREVIOUS_MAX <const> = 8

--- The phone's keyring.
-- @return[2] nil, sentence, word
local function keyring_of(world)
  local ring = world.keyring
  if type(ring) == "function" then return ring() end
  if ring then return ring end
  return nil, "there is nowhere to keep keys", "unsupported"
end

local function read(ring, file)
  local text, sentence = ring:read(pair.NAME, file)
  if not text then return nil, file .. ": " .. (sentence or "missing") end
  local list
  list, sentence = trust.parse(text)
  if not list then return nil, file .. ": " .. sentence end
  return list, text
end

local function names_of(sans)
  local names = {}
  for _, san in ipairs(sans) do names[#names + 1] = san:match("^DNS:(.*)$") end
  return names
end

local function describe(root, host)
  local id = (root.cn or ""):match("^" .. ROOT_NAME .. "(%x+)$")
  if not id or host.issuer ~= root.subject then
    return nil, "root.pem and host.pem do not belong together"
  end
  return { id = id, root = root, host = host, not_before = host.from,
    not_after = host.to, made = host.from + calendar.MARGIN_S,
    days = (host.to - host.from - 2 * calendar.MARGIN_S) // DAY,
    address = host.cn, names = names_of(host.sans) }
end

--- The pair in force.
-- @treturn[1] table pair, with `generation` of the keyring, and `note` where
--   that is not the last one, which is damaged
-- @treturn[2] nil there is none
-- @return[3] nil, sentence, "corrupt": there is one, and it is of no use
function pair.load(world)
  local ring, sentence, word = keyring_of(world)
  if not ring then return nil, sentence, word end
  local generation, note
  generation, note, word = ring:generation(pair.NAME)
  if not generation and word == "not-found" then return nil end
  if not generation then return nil, note, "corrupt" end
  local root, root_pem = read(ring, "root.pem")
  local host, host_pem = read(ring, "host.pem")
  if not root or not host then
    return nil, root and host_pem or root_pem, "corrupt"
  end
  local key
  key, sentence = ring:key(pair.NAME, "host.key")
  if not key or not key:fits(host[1].der) then
    return nil, "host.key: " .. (sentence or "not the certificate's"), "corrupt"
  end
  local self
  self, sentence = describe(root[1], host[1])
  if not self then return nil, sentence, "corrupt" end
  self.generation, self.note = generation, note
  self.older = read(ring, "previous.pem") or {}
  self.pem = { root = root_pem, host = host_pem }
  return self
end

--- Roots of before that still hold at a time: facts, newest first; and as PEM.
function pair.previous(self, time)
  local list, texts = {}, {}
  for _, root in ipairs(self.older) do
    if root.to >= time then
      list[#list + 1], texts[#texts + 1] = root, trust.pem(root.der)
    end
  end
  return list, table.concat(texts)
end

--- Has the keyring another one than this?
function pair.is_current(world, self)
  local ring = keyring_of(world)
  return ring ~= nil and ring:generation(pair.NAME)
    == (self and self.generation)
end

-- The text of previous.pem once there is a new root; nil: there is none.
local function previous_pem(old, time)
  if not old then return nil end
  local roots = { old.root, table.unpack(old.older) }
  local _, text = pair.previous({
    older = table.move(roots, 1, PREVIOUS_MAX, 1, {}) }, time)
  return text ~= "" and text or nil
end

local function new_root(world, about, id)
  local key, sentence, word = world.new_key(KEY)
  if not key then return nil, sentence, word end
  local from, to = calendar.validity(about.made, about.days)
  local der
  der, sentence, word = world.issue.certificate { key = key,
    subject = { { "CN", ROOT_NAME .. id } }, serial = world.entropy(16),
    from = from, to = to, is_ca = true, pathlen = 0 }
  if not der then return nil, sentence, word end
  return { cert = der, key = key }
end

local function sans_of(about)
  local sans = { "IP:" .. about.address }
  for _, name in ipairs(about.names) do sans[#sans + 1] = "DNS:" .. name end
  return sans
end

local function new_host(world, about, root)
  local key, sentence, word = world.new_key(KEY)
  if not key then return nil, sentence, word end
  local from, to = calendar.validity(about.made, about.days)
  local der
  der, sentence, word = world.issue.certificate { key = key, ca = root,
    subject = { { "CN", about.address } }, sans = sans_of(about),
    serial = world.entropy(16), from = from, to = to,
    purposes = { "serverAuth", "clientAuth" } }
  if not der then return nil, sentence, word end
  return der, key
end

--- Make a pair and put it into the keyring, at once and whole.
--   about   made (s UTC), days, address, names; old: the pair in force, or nil
-- @treturn[1] table pair
-- @return[2] nil, sentence, word: the old one is as it was
function pair.make(world, about)
  local ring, sentence, word = keyring_of(world)
  if not ring then return nil, sentence, word end
  local root, host, key
  root, sentence, word = new_root(world, about, hex(world.entropy(8)))
  if not root then return nil, sentence, word end
  host, key, word = new_host(world, about, root)
  if not host then return nil, key, word end
  local done
  done, sentence, word = ring:install(pair.NAME, {
    ["root.pem"] = trust.pem(root.cert), ["host.pem"] = trust.pem(host),
    ["previous.pem"] = previous_pem(about.old, about.made),
  }, { ["host.key"] = key })
  if not done then return nil, sentence, word end
  return pair.load(world)
end

return pair
