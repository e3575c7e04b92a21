--- The Custom CA's bundle as it is kept: what is in it, and what is taken out
-- of it by hand.
local trust = require "peal.trust"
local visible = require "peal.visible"

local bundle = {}

--- Where it is kept; and, as digests of rules, the one tried last, and the one
-- that an administrator has taken certificates of: it is let be from then on.
bundle.KEPT = { "trust", "custom_ca" }
bundle.TRIED = { "trust", "custom_ca_tried" }
bundle.CUT = { "trust", "custom_ca_cut" }
--- What it came by, if others could change it on the way.
bundle.BY = { "trust", "custom_ca_by" }
--- What the status pages show.
bundle.INFO = { "status", "Custom_CA_Info" }

-- O of a subject such as "C=US, O=Acme\, Inc., OU=x".
local function organisation(subject)
  local text = (", " .. subject):gsub("\\,", "\1"):match(", *O=([^,]+)")
  return text and text:gsub("\1", ","):match("^.*%S")
end

local function name_of(one)
  local cn = one.cn ~= "" and one.cn or nil
  return visible.line(cn or organisation(one.subject) or "unknown")
end

--- What the status pages say of a bundle.
--   list   as trust.parse() gives it, one or more
function bundle.info(list)
  return "Installed - " .. name_of(list[1])
end

--- Certificates as PEM.
function bundle.pem(list)
  local out = {}
  for i, one in ipairs(list) do out[i] = trust.pem(one.der) end
  return table.concat(out)
end

--- The certificates of the installed bundle, as trust.parse() gives them.
function bundle.certificates(phone)
  local text = phone.keep:get(table.unpack(bundle.KEPT))
  return text and trust.parse(text) or {}
end

local function set(phone, what, text)
  phone.keep:set(what[1], what[2], text)
end

--- Take one out; without its last one the bundle is gone. For the next commit.
-- @treturn boolean was it in there?
-- @treturn boolean would Custom_CA_Rule have brought it again?
function bundle.take_out(phone, id)
  local rest, found = {}, false
  for _, one in ipairs(bundle.certificates(phone)) do
    if one.sha256 == id then found = true else rest[#rest + 1] = one end
  end
  if not found then return false, false end
  local tried = phone.keep:get(table.unpack(bundle.TRIED))
  set(phone, bundle.KEPT, rest[1] and bundle.pem(rest))
  set(phone, bundle.INFO, rest[1] and bundle.info(rest))
  if not rest[1] then set(phone, bundle.BY, nil) end
  set(phone, bundle.CUT, tried)
  return true, tried ~= nil
end

return bundle
