-- A profile of all built-in parameters and further ones of a maker's file, in
-- the registry's order, texts changed, others at their defaults.
--   peal-lua profile.lua MAKER-FILE NUMBER >profile.xml
local registry = require "peal.registry"
local store = require "peal.store"

local schema = assert(registry.load { maker = arg[1] })
local st = assert(store.open { schema = schema })
local wanted = tonumber(arg[2])

-- What steers the resync itself stays as it is.
local KEPT <const> = { "Rule", "Resync", "^Log_", "Syslog", "HTTP", "Cert",
  "TLS", "Restricted", "Proxy", "^GPP_SC$", "Provision" }

local function is_kept(name)
  for _, pattern in ipairs(KEPT) do
    if name:find(pattern) then return true end
  end
end

local ENTITIES <const> = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }

local out = { '<?xml version="1.0"?>', "<device>", "<flat-profile>" }
local n = 0
for _, name in ipairs(schema:names()) do
  local about = st:value(name)
  local text = about.text
  if n < wanted and not is_kept(name) then
    local longer = ("%s number %d of the bench profile"):format(text, n)
    if about.type == "Str" and schema:check(name, longer) then
      text = longer
    end
    out[#out + 1] = ('  <%s ua="na">%s</%s>'):format(name,
      text:gsub("[&<>]", ENTITIES), name)
    n = n + 1
  end
end
assert(n == wanted, ("only %d parameters"):format(n))
out[#out + 1] = "</flat-profile>\n</device>\n"
io.stdout:write(table.concat(out, "\n"))
