--- Certificates made in this process, for specs that need no openssl.
--
--   local lab = certs.new()                     with lab.ca
--   local c = lab:make { cn = "localhost" }     by the CA: c.der, c.pem, c.id
--   lab:self { cn = "x" }, lab:make { is_ca = true, cn = "Sub" }
-- Good from a day before `certs.NOW`, the clock of the virtual world, for a
-- year, unless from and to say otherwise.
local issue = require "peal.issue"
local trust = require "peal.trust"

local certs = { NOW = 1795342530 }
local lab_meta = {}
lab_meta.__index = lab_meta

local DAY <const> = 86400

local function finish(der, key)
  local facts = assert(trust.parse(der))[1]
  return { der = der, pem = trust.pem(der), id = facts.sha256, key = key,
    facts = facts }
end

function lab_meta:issue(o, ca)
  self.count = self.count + 1
  local key = assert(issue.key("P-256"))
  local der = assert(issue.certificate { key = key,
    ca = ca and { cert = ca.der, key = ca.key } or nil,
    subject = { { "CN", o.cn or "localhost" } },
    sans = o.sans, serial = ("\1" .. string.char(self.count)):rep(8),
    from = o.from or certs.NOW - DAY, to = o.to or certs.NOW + 365 * DAY,
    is_ca = o.is_ca, purposes = o.purposes })
  return finish(der, key)
end

--- By the lab's CA.
function lab_meta:make(o) return self:issue(o or {}, self.ca) end

--- By itself.
function lab_meta:self(o) return self:issue(o or {}) end

--- What an answer says of a connection whose server has shown these.
function certs.tls(...)
  local chain = {}
  for i, one in ipairs { ... } do
    chain[i] = {}
    for key, value in pairs(one.facts) do chain[i][key] = value end
    chain[i].sans, chain[i].purposes = nil, nil
  end
  return { version = "TLSv1.3", chain = chain }
end

function certs.new()
  local lab = setmetatable({ count = 0 }, lab_meta)
  lab.ca = lab:self { cn = "Lab CA", is_ca = true }
  return lab
end

return certs
