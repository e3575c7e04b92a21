--- Certificates for the tests, made by the openssl command.
--
--   local lab = pki.shared()              one per run, with a CA
--   local s = lab:server { cn = "pv.telco.net", sans = { "DNS:pv.telco.net" } }
--   s.cert, s.key                          paths of PEM files
--
-- The same request is answered with the same files. The folder goes with the
-- object. EC P-256 keys, a day older than the build and good for a year, unless
-- asked otherwise.
local process = require "support.process"

local DAY <const> = 86400
-- Where no clock is set, it is the day of the build: yesterday's, after
-- midnight.
local BUILT <const> = require("peal.trust").build_time()

local pki = {}
local lab_meta = {}
lab_meta.__index = lab_meta

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read("a") or ""
  if file then file:close() end
  return text
end

--- Run openssl with a list of arguments; raises with its output.
function pki.openssl(arguments, options)
  local argv = { "openssl", table.unpack(arguments) }
  local log = os.tmpname()
  local own = { stderr = log, stdout = options and options.stdout or log }
  local p = assert(process.spawn(argv, own))
  local how, number = p:wait(60)
  local text = read(log)
  os.remove(log)
  if how ~= "exited" or number ~= 0 then
    error(table.concat(argv, " ") .. ":\n" .. text, 2)
  end
end

-- "/" and "\" end or escape a part of openssl's subject text.
local function subject_text(subject)
  local parts = {}
  for i, pair in ipairs(subject) do
    parts[i] = "/" .. pair[1] .. "=" .. pair[2]:gsub("[/\\+]", "\\%0")
  end
  return #parts > 0 and table.concat(parts) or "/"
end

-- The same text for the same table.
local function fingerprint(value)
  if type(value) ~= "table" then return tostring(value) end
  local keys, parts = {}, {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for i, key in ipairs(keys) do
    parts[i] = tostring(key) .. "=" .. fingerprint(value[key])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

-- Long RSA keys of four primes: the public half is like any other, and they
-- are found in a tenth of the time.
local function rsa_options(bits)
  local how = { "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:" .. bits }
  if bits >= 4096 then
    table.move({ "-pkeyopt", "rsa_keygen_primes:4" }, 1, 2, #how + 1, how)
  end
  return how
end

local function new_key(path, kind)
  local bits = math.tointeger(tonumber(kind:match("^rsa:(%d+)$")))
  if kind == "dsa" then
    pki.openssl { "dsaparam", "-noout", "-genkey", "-out", path, "1024" }
  elseif kind == "ed25519" then
    pki.openssl { "genpkey", "-algorithm", kind, "-out", path }
  elseif bits then
    pki.openssl { "genpkey", "-out", path, table.unpack(rsa_options(bits)) }
  else
    pki.openssl { "genpkey", "-out", path, "-algorithm", "EC", "-pkeyopt",
      "ec_paramgen_curve:" .. kind }
  end
  process.chmod(path, 384) -- 0600
  return path
end

local function extensions_of(o)
  local lines = { "[ext]", "basicConstraints = critical,CA:"
    .. (o.is_ca and "TRUE" or "FALSE")
    .. (o.pathlen and ",pathlen:" .. o.pathlen or "") }
  local usage = o.usage or o.is_ca and "keyCertSign,cRLSign"
  if usage then lines[#lines + 1] = "keyUsage = critical," .. usage end
  if o.eku then lines[#lines + 1] = "extendedKeyUsage = " .. o.eku end
  if o.sans and #o.sans > 0 then
    lines[#lines + 1] = "subjectAltName = " .. table.concat(o.sans, ",")
  end
  lines[#lines + 1] = o.extra
  return table.concat(lines, "\n") .. "\n"
end

-- `openssl ca`: the one command of OpenSSL 3.0 that sets both dates.
local CA_CONFIG <const> = [[
[ca]
default_ca = lab
[lab]
database = %s.index
new_certs_dir = %s
rand_serial = yes
unique_subject = no
default_md = sha256
email_in_dn = yes
policy = any
[any]
countryName = optional
[req]
distinguished_name = none
[none]
]]

local function sign(self, base, o)
  local config = write(base .. ".cnf", CA_CONFIG:format(base, self.dir)
    .. extensions_of(o))
  local now = os.time()
  local from = o.from or math.min(now, BUILT) - DAY
  local to = o.to or now + (o.days or 365) * DAY
  write(base .. ".index", "")
  pki.openssl { "req", "-new", "-utf8", "-config", config, "-key",
    base .. ".key", "-subj", subject_text(o.subject), "-out", base .. ".csr" }
  local arguments = { "ca", "-batch", "-notext", "-utf8", "-preserveDN",
    "-config", config, "-md", o.md or "sha256", "-extensions", "ext",
    "-in", base .. ".csr", "-out", base .. ".pem",
    "-startdate", os.date("!%Y%m%d%H%M%SZ", from),
    "-enddate", os.date("!%Y%m%d%H%M%SZ", to) }
  local by = o.by and { "-cert", o.by.cert, "-keyfile", o.by.key }
    or { "-selfsign", "-keyfile", base .. ".key" }
  table.move(by, 1, #by, #arguments + 1, arguments)
  pki.openssl(arguments)
end

-- A DER element.
local function der(tag, body)
  if #body < 128 then return string.char(tag, #body) .. body end
  local length = (">I3"):pack(#body):gsub("^\0+", "")
  return string.char(tag, 128 + #length) .. length .. body
end

-- Where the body of the element at `at` begins and ends.
local function element(bytes, at)
  local length, first = bytes:byte(at + 1), at + 2
  if length > 127 then
    local n = length - 128
    length, first = (">I" .. n):unpack(bytes, first), first + n
  end
  return first, first + length - 1
end

-- What openssl would not write: patch(bytes) changes the signed part, whose
-- length stays, and it is signed again with the key, by SHA-256.
local function patch_certificate(base, key, patch)
  pki.openssl { "x509", "-in", base .. ".pem", "-outform", "DER", "-out",
    base .. ".der" }
  local bytes = read(base .. ".der")
  local first = element(bytes, 1)
  local _, signed_last = element(bytes, first)
  local _, algorithm_last = element(bytes, signed_last + 1)
  local signed = patch(bytes:sub(first, signed_last))
  assert(#signed == signed_last - first + 1, "another length")
  write(base .. ".tbs", signed)
  pki.openssl { "dgst", "-sha256", "-sign", key, "-out", base .. ".sig",
    base .. ".tbs" }
  write(base .. ".der", der(0x30, signed
    .. bytes:sub(signed_last + 1, algorithm_last)
    .. der(0x03, "\0" .. read(base .. ".sig"))))
  pki.openssl { "x509", "-inform", "DER", "-in", base .. ".der", "-out",
    base .. ".pem" }
end

local function copy_file(from, to)
  write(to, read(from))
  process.chmod(to, 384) -- 0600
end

--- Any certificate.
-- o: subject (list of {type, value}), is_ca, pathlen, usage (key usages), by
-- (issuer; none: self-signed), key ("P-256", "rsa:2048", "ed25519", "dsa"
-- ...), key_of (another, whose key it shares), sans, eku, extra (extension
-- lines), md, from, to (s, UTC) or days, patch (function that changes the
-- bytes that are signed; their length stays), signer (who signs them then, if
-- not the issuer).
-- @return {cert=, key=, chain=} paths; chain: cert and its issuers but the root
function lab_meta:issue(o)
  local id = fingerprint(o)
  local made = self.made[id]
  if made then return made end
  self.count = self.count + 1
  local base = ("%s/%03d"):format(self.dir, self.count)
  if o.key_of then
    copy_file(o.key_of.key, base .. ".key")
  else
    new_key(base .. ".key", o.key or "P-256")
  end
  sign(self, base, o)
  if o.patch then
    local signer = o.signer or o.by
    patch_certificate(base, signer and signer.key or base .. ".key", o.patch)
  end
  made = { cert = base .. ".pem", key = base .. ".key", by = o.by }
  made.chain = write(base .. ".chain.pem", read(made.cert)
    .. (o.by and o.by.by and read(o.by.chain) or ""))
  self.made[id] = made
  return made
end

local function with(defaults, o)
  local all = {}
  for key, value in pairs(defaults) do all[key] = value end
  for key, value in pairs(o or {}) do all[key] = value end
  return all
end

--- A CA; `by` another for an intermediate one.
function lab_meta:authority(o)
  o = with({ cn = "Lab CA", is_ca = true }, o)
  o.subject = o.subject or { { "O", "Lab" }, { "CN", o.cn } }
  return self:issue(o)
end

--- A server's certificate by the lab's CA: cn, sans, and what issue() takes.
-- sans defaults to the name and the loopback addresses; {} means none.
function lab_meta:server(o)
  o = with({ cn = "localhost", by = self.ca, eku = "serverAuth" }, o)
  o.sans = o.sans
    or { "DNS:" .. o.cn, "IP:127.0.0.1", "IP:::1", "DNS:localhost" }
  o.subject = o.subject or { { "CN", o.cn } }
  return self:issue(o)
end

--- A phone's certificate, as the documents describe its subject.
function lab_meta:client(o)
  o = with({ ou = "CP-8841-3PCC", l = "88012BA01234", st = "000e08abcdef",
    by = self.ca, eku = "clientAuth" }, o)
  o.subject = o.subject or { { "ST", o.st }, { "L", o.l }, { "O", "Lab" },
    { "OU", o.ou }, { "CN", o.cn or o.ou .. "-" .. o.l } }
  return self:issue(o)
end

function lab_meta:close()
  if self.dir then process.remove(self.dir) end
  self.dir = nil
end

lab_meta.__gc = lab_meta.close
lab_meta.__close = lab_meta.close

--- A lab of its own, with `ca`.
function pki.new()
  local lab = setmetatable({ dir = assert(process.temp_dir()), made = {},
    count = 0 }, lab_meta)
  lab.ca = lab:authority()
  return lab
end

local shared

--- The lab that all specs of a run share.
function pki.shared()
  shared = shared or pki.new()
  return shared
end

return pki
