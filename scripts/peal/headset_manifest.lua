--- The manifest of headset firmware, in the lab's form:
--
--   <headset-firmware>
--     <headset model="560" version="1-6-0-162" file="560.bin" size="123"
--              sha256="..."/>
--   </headset-firmware>
--
-- The form of the makers' own is not public; devices read that themselves
-- (device.headset_manifest). This reader takes nothing else: no DOCTYPE, no
-- entities but the five of XML, no text between the elements.
local manifest = {}

--- Longest manifest, bytes, and most offers (our choice).
manifest.max = 256 * 1024
local OFFERS_MAX <const> = 1024

local REQUIRED <const> = { "model", "version", "file" }

local CHECKS <const> = {
  model = "^[^%c]+$", version = "^[%w.-]+$", file = "^[^%c]+$",
  size = "^%d+$", sha256 = "^%x+$",
}

local ENTITIES <const> = { amp = "&", lt = "<", gt = ">", quot = '"',
  apos = "'" }

local function corrupt(at, fmt, ...)
  return nil, ("byte %d: %s"):format(at - 1, fmt:format(...)), "corrupt"
end

local function unescape(text)
  local bad
  local out = text:gsub("&([^;]*)(;?)", function(name, semicolon)
    bad = bad or semicolon == "" or not ENTITIES[name]
    return ENTITIES[name]
  end)
  return not bad and out or nil
end

-- Blanks and comments; where what follows begins, or nil for an open comment.
local function skip(text, at)
  while true do
    at = text:find("%S", at) or #text + 1
    if text:sub(at, at + 3) ~= "<!--" then return at end
    local _, to = text:find("-->", at + 4, true)
    if not to then return nil end
    at = to + 1
  end
end

local function read_attributes(text, at)
  local offer = {}
  while true do
    local name, quote, from = text:match("^%s+([%a_][%w_-]*)%s*=%s*([\"'])()",
      at)
    if not name then return offer, at end
    local to = text:find(quote, from, true)
    if not to then return corrupt(at, "an attribute has no end") end
    local value = text:sub(from, to - 1)
    value = not value:find("<", 1, true) and unescape(value)
    if not CHECKS[name] then
      return corrupt(at, "no such attribute: %s", name:sub(1, 40))
    elseif offer[name] then
      return corrupt(at, "attribute %s is there twice", name)
    elseif not value or not value:find(CHECKS[name]) then
      return corrupt(at, "attribute %s has no valid value", name)
    end
    offer[name], at = value, to + 1
  end
end

local function read_offer(text, at)
  local offer, next_at, word = read_attributes(text, at + #"<headset")
  if not offer then return nil, next_at, word end
  for _, name in ipairs(REQUIRED) do
    if not offer[name] then return corrupt(at, "headset without %s", name) end
  end
  offer.size = offer.size and math.tointeger(tonumber(offer.size))
  offer.sha256 = offer.sha256 and offer.sha256:lower()
  if offer.sha256 and #offer.sha256 ~= 64 then
    return corrupt(at, "sha256 has %d digits, not 64", #offer.sha256)
  end
  local to = text:match("^%s*/>()", next_at)
    or text:match("^%s*>%s*</headset%s*>()", next_at)
  if not to then return corrupt(next_at, "the headset has no end") end
  return offer, to
end

-- Where the root's content begins.
local function read_head(text)
  local at = text:sub(1, 3) == "\xEF\xBB\xBF" and 4 or 1
  at = text:match("^<%?xml%s[^<>]-%?>()", at) or at
  at = skip(text, at)
  local inside = at and text:match("^<headset%-firmware%s*>()", at)
  if inside then return inside end
  return corrupt(at or 1, "not a manifest of headset firmware")
end

--- @tparam string text
-- @treturn[1] table list of { model, version, file, size, sha256 }
-- @return[2] nil, sentence, "corrupt"
function manifest.parse(text)
  local offers = {}
  if not utf8.len(text) then return corrupt(1, "the text is not UTF-8") end
  local at, sentence, word = read_head(text)
  if not at then return nil, sentence, word end
  while true do
    at = skip(text, at)
    if not at then return corrupt(#text, "a comment has no end") end
    local after = text:match("^</headset%-firmware%s*>()", at)
    if after then
      after = skip(text, after)
      if after == #text + 1 then return offers end
      return corrupt(after or #text, "something follows the manifest")
    elseif not text:find("^<headset[%s/>]", at) then
      return corrupt(at, "<headset> expected")
    elseif #offers == OFFERS_MAX then
      return corrupt(at, "more than %d offers", OFFERS_MAX)
    end
    local offer, next_at, why = read_offer(text, at)
    if not offer then return nil, next_at, why end
    offers[#offers + 1], at = offer, next_at
  end
end

return manifest
