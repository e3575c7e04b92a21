--- A service that renews certificates, made of the openssl command: an EST
-- server (RFC 7030) as a CGI program of a real web server, and the same CA
-- for servers that are scripts.
--
--   local ca <close> = est.ca(lab)             its certificates in ca.issuer
--   ca:pkcs7(csr_der, { days = 365 })          base64 of a certs-only answer
--   local s <close> = est.serve(ca, { tls = ..., })   s.url, s.calls()
local daemon = require "support.servers.daemon"
local pki = require "support.pki"
local process = require "support.process"
local servers = require "support.servers"

local est = {}
local meta = {}
meta.__index = meta

-- The subject as it stands in the request, octet by octet.
local CONFIG <const> = [[
[ca]
default_ca = lab
[lab]
database = DIR/index
new_certs_dir = DIR
rand_serial = yes
unique_subject = no
default_md = sha256
email_in_dn = yes
policy = any
copy_extensions = copy
x509_extensions = ext
[any]
countryName = optional
[ext]
EXT
]]

local CLIENT <const> = "basicConstraints = critical,CA:FALSE\n"
  .. "extendedKeyUsage = clientAuth"

-- issue CSR.der OUT.p7b: the certificate and its issuer as base64 of PKCS #7.
local ISSUE <const> = [[#!/bin/sh
set -e
exec 9>DIR/lock; flock 9
openssl req -inform DER -in "$1" -verify -noout 2>/dev/null
openssl req -inform DER -in "$1" -out "$1.pem"
openssl ca -batch -notext -utf8 -preserveDN -config DIR/ca.cnf -cert CERT \
  -keyfile KEY -in "$1.pem" -out "$1.cert" -startdate "$FROM" \
  -enddate "$TO" 2>/dev/null
openssl crl2pkcs7 -nocrl -certfile "$1.cert" -certfile CERT -outform DER |
  openssl base64 > "$2"
]]

local function fill(text, values)
  return (text:gsub("%u%u%u+", values))
end

local function date(time) return os.date("!%Y%m%d%H%M%SZ", time) end

--- A CA for phones under the lab's root, which keeps what it issues.
-- @param lab   see pki.lua
-- o: from, to (s UTC) and key of its own certificate; ext: extensions of those
-- that it issues, lines of openssl.cnf
function est.ca(lab, o)
  o = o or {}
  local issuer = lab:authority { cn = "Phone CA", by = lab.ca, from = o.from,
    to = o.to, key = o.key }
  local dir = assert(process.temp_dir())
  local values = { DIR = dir, CERT = issuer.cert, KEY = issuer.key,
    EXT = o.ext or CLIENT }
  daemon.write(dir .. "/ca.cnf", fill(CONFIG, values))
  daemon.write(dir .. "/index", "")
  daemon.write(dir .. "/issue", fill(ISSUE, values))
  local self = setmetatable({ dir = dir, lab = lab, issuer = issuer, n = 0 },
    meta)
  pki.openssl { "crl2pkcs7", "-nocrl", "-certfile", issuer.cert, "-certfile",
    lab.ca.cert, "-outform", "DER", "-out", dir .. "/cacerts.der" }
  pki.openssl { "base64", "-in", dir .. "/cacerts.der", "-out",
    dir .. "/cacerts" }
  return self
end

--- A file of its folder.
function meta:read(name) return daemon.read(self.dir .. "/" .. name) end

--- What the CA answers to a request: base64 of a certs-only PKCS #7.
-- o: from, to (s UTC)
function meta:pkcs7(csr, o)
  self.n = self.n + 1
  local base = ("%s/csr-%d"):format(self.dir, self.n)
  daemon.write(base, csr)
  local p = assert(process.spawn({ "sh", self.dir .. "/issue", base,
    base .. ".p7" }, { env = { FROM = date(o.from), TO = date(o.to) },
    stderr = base .. ".log" }))
  local how, code = p:wait(60)
  assert(how == "exited" and code == 0, "the CA refuses: "
    .. daemon.read(base .. ".log"))
  return daemon.read(base .. ".p7")
end

--- The certificate of the newest answer, PEM.
function meta:newest() return self:read("csr-" .. self.n .. ".cert") end

function meta:close()
  if self.dir then process.remove(self.dir) end
  self.dir = nil
end

meta.__close = meta.close
meta.__gc = meta.close

-- The service as a CGI program. Who asks has shown a certificate whose chain
-- the web server has checked; it may ask for its own subject only.
-- Each certificate ends a day later than the one before. `wait` in the folder:
-- for each of its lines a request is told to come again.
local CGI <const> = [[#!/bin/sh
LD_LIBRARY_PATH=; export LD_LIBRARY_PATH
FROM=$(date -u -d '1 hour ago' +%Y%m%d%H%M%SZ)
TO=$(date -u -d "$((365 + $(cat DIR/clients | wc -l))) days" +%Y%m%d%H%M%SZ)
export FROM TO
end() { printf 'Status: %s\r\nContent-Type: text/plain\r\n%s\r\n' "$1" "$2"
  echo "$PATH_INFO $1" >> DIR/calls; exit 0; }
certs() { echo "$PATH_INFO 200" >> DIR/calls
  printf 'Content-Type: application/pkcs7-mime; smime-type=certs-only\r\n'
  printf 'Content-Transfer-Encoding: base64\r\n\r\n'; cat "$1"; exit 0; }
case $PATH_INFO in */cacerts) certs DIR/cacerts;; */simplereenroll) ;;
  *) end '404 Not Found';; esac
[ "$CONTENT_TYPE" = application/pkcs10 ] || end '415 Unsupported'
[ "$HTTP_CONTENT_TRANSFER_ENCODING" = base64 ] || end '400 Bad Request'
[ "$SSL_CLIENT_VERIFY" = SUCCESS ] || end '403 Forbidden'
csr=$(mktemp DIR/request.XXXXXX)
openssl base64 -d > "$csr"
subject() { openssl "$@" -noout -subject -nameopt RFC2253,-esc_msb; }
shown=$(printf '%s' "$SSL_CLIENT_CERT" | subject x509)
[ "$(subject req -inform DER -in "$csr")" = "$shown" ] ||
  end '403 Forbidden'
echo "$SSL_CLIENT_M_SERIAL" >> DIR/clients
sha256sum < "$csr" >> DIR/requests
if [ -s DIR/wait ]; then
  sed -i 1d DIR/wait
  end '202 Accepted' 'Retry-After: 60
'
fi
sh DIR/issue "$csr" "$csr.p7" || end '400 Bad Request'
certs "$csr.p7"
]]

--- An EST server: Apache, which asks for a client certificate of the lab.
-- o: tls (cert, key), path (in front of the operations, default
-- "/.well-known/est")
-- @return https_port, url, requests(n) as of servers.apache, lines(name), stop
function est.serve(ca, o)
  local cgi = ca.dir .. "/cgi"
  process.mkdir(cgi)
  for _, name in ipairs { "calls", "clients", "requests" } do
    process.chmod(daemon.write(ca.dir .. "/" .. name, ""), 511)
  end
  daemon.write(cgi .. "/est", fill(CGI, { DIR = ca.dir }))
  for _, path in ipairs { ca.dir, cgi, cgi .. "/est", ca.issuer.key } do
    process.chmod(path, 511) -- 0777: the server has given up root
  end
  local server = servers.apache {
    tls = { cert = o.tls.cert, key = o.tls.key, client_ca = ca.lab.ca.cert,
      verify = "optional", extra = "SSLOptions +StdEnvVars +ExportCertData" },
    config = ("ScriptAlias %s %q\n"):format(o.path or "/.well-known/est",
      cgi .. "/est") }
  server.url = ("https://localhost:%d"):format(server.https_port)
  --- Lines of a file of the service: "calls", "clients", "requests".
  function server.lines(name)
    local list = {}
    for line in ca:read(name):gmatch("[^\n]+") do list[#list + 1] = line end
    return list
  end
  return server
end

return est
