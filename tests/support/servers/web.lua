--- nginx and Apache for the specs.
local daemon = require "support.servers.daemon"
local process = require "support.process"

local web = {}

-- Request headers that the logs keep, in this order.
local HEADERS <const> = { "host", "user-agent", "accept", "accept-encoding",
  "accept-language", "accept-charset", "authorization", "content-type",
  "content-length", "connection", "range", "if-modified-since",
  "if-none-match", "cookie", "proxy-authorization", "expect",
  "transfer-encoding", "x-test" }

local ESCAPES <const> = { n = "\n", t = "\t", r = "\r", b = "\b", f = "\f",
  v = "\v" }

-- Both logs write \n, \t, \\ and \"; nginx \u00xx, Apache \xhh.
local function unescape(text)
  text = text:gsub("\\u00(%x%x)", "\\x%1")
  return (text:gsub("\\(.)(%x?%x?)", function(c, hex)
    if c == "x" then return string.char(tonumber(hex, 16)) end
    return (ESCAPES[c] or c) .. hex
  end))
end

-- One line of a log: fields apart by tabs, the first of them as named.
local FIELDS <const> = { "method", "uri", "protocol", "status", "length",
  "client_dn", "client_verify", "tls", "cipher", "resumed", "connection" }

local function split(line)
  local fields, at = {}, 1
  for value in (line .. "\t"):gmatch("([^\t]*)\t") do
    value = unescape(value)
    if value ~= "" and value ~= "-" then fields[at] = value end
    at = at + 1
  end
  return fields
end

local function parse(line)
  local fields = split(line)
  local entry = { headers = {} }
  for i, name in ipairs(FIELDS) do entry[name] = fields[i] end
  for i, name in ipairs(HEADERS) do
    entry.headers[name] = fields[#FIELDS + i]
  end
  entry.status = math.tointeger(tonumber(entry.status))
  entry.length = math.tointeger(tonumber(entry.length or 0))
  entry.resumed = entry.resumed == "r" or entry.resumed == "Resumed"
  entry.user_agent = entry.headers["user-agent"]
  return entry
end

-- requests([n]) -> list: what was asked so far, at least n of them; waits.
-- A server writes its line after the answer.
local function add_requests(server, path)
  daemon.write(path, "")
  function server.requests(n)
    local list = server:wait_lines(path, n)
    for i, line in ipairs(list) do list[i] = parse(line) end
    return list
  end
  return server
end

--- A web server's log writer as text: its names of the fields.
local function log_format(fields, header)
  local parts = table.pack(table.unpack(fields))
  for _, name in ipairs(HEADERS) do parts[#parts + 1] = header(name) end
  return table.concat(parts, "\t")
end

-- --- nginx ---------------------------------------------------------------

local NGINX_FIELDS <const> = { "$request_method", "$request_uri",
  "$server_protocol", "$status", "$body_bytes_sent", "$ssl_client_s_dn",
  "$ssl_client_verify", "$ssl_protocol", "$ssl_cipher", "$ssl_session_reused",
  "$connection" }

local NGINX <const> = [[
daemon off;
master_process off;
worker_processes 1;
%spid "%s/pid";
error_log "%s/error.log" notice;
events { worker_connections 512; }
http {
  types { text/xml xml cfg; text/html html; application/gzip gz; }
  default_type application/octet-stream;
  log_format test escape=json '%s';
  access_log "%s/access.log" test;
  client_body_temp_path "%s/body";
  proxy_temp_path "%s/proxy";
  fastcgi_temp_path "%s/fastcgi";
  uwsgi_temp_path "%s/uwsgi";
  scgi_temp_path "%s/scgi";
  keepalive_timeout 30;
%s%s%s}
]]

local NGINX_SERVER <const> = [[
  server {
    listen %s:%d%s;
    root "%s";
%s%s
  }
]]

local function nginx_tls(o)
  local lines = { ("ssl_certificate %q;"):format(o.cert),
    ("ssl_certificate_key %q;"):format(o.key) }
  if o.client_ca then
    lines[#lines + 1] = ("ssl_client_certificate %q;"):format(o.client_ca)
    lines[#lines + 1] = "ssl_verify_depth 4;"
  end
  if o.verify then
    lines[#lines + 1] = ("ssl_verify_client %s;"):format(o.verify)
  end
  lines[#lines + 1] = ("ssl_protocols %s;"):format(o.protocols
    or "TLSv1.2 TLSv1.3")
  if o.ciphers then
    lines[#lines + 1] = ("ssl_ciphers %s;"):format(o.ciphers)
  end
  lines[#lines + 1] = o.extra
  return "    " .. table.concat(lines, "\n    ") .. "\n"
end

local function bracket(address)
  return address:find(":") and "[" .. address .. "]" or address
end

local function nginx_server(o, address, port, tls)
  return NGINX_SERVER:format(bracket(address), port, tls and " ssl" or "",
    o.root, tls and nginx_tls(tls) or "", o.locations or "")
end

--- nginx: a plain server, a TLS server, or both.
-- o: root, http (true unless there is tls), https, tls = {cert=, key=,
-- client_ca=, verify="on"|"optional"|"optional_no_ca", protocols=, ciphers=,
-- extra=}, locations (text inside server {}), config (text inside http {}, or
-- function(port) that gives such a text with a TLS server of its own), address,
-- port (for http; nil: a free one)
-- @return {http_port=, https_port=, requests(n), stop()}
function web.nginx(o)
  local address = o.address or "127.0.0.1"
  return daemon.start("nginx", function(folder, program)
    local http = (o.http or not o.tls) and o.http ~= false
      and (o.port or assert(process.free_port("tcp", address))) or nil
    local own = type(o.config) == "function"
    local https = (o.tls or own) and assert(process.free_port("tcp", address))
      or nil
    local f = folder
    local config = NGINX:format(process.uid() == 0 and "user root;\n" or "",
      f, f, log_format(NGINX_FIELDS, function(name)
        return "$http_" .. name:gsub("-", "_")
      end), f, f, f, f, f, f,
      own and o.config(https) or o.config or "",
      http and nginx_server(o, address, http) or "",
      o.tls and nginx_server(o, address, https, o.tls) or "")
    daemon.write(folder .. "/nginx.conf", config)
    return add_requests({ http_port = http, https_port = https,
      argv = { program, "-p", folder, "-e", folder .. "/error.log", "-c",
        folder .. "/nginx.conf" },
      log = folder .. "/error.log",
      -- written after the sockets were opened
      ready = "%[notice%][^\n]*OS: ",
    }, folder .. "/access.log")
  end)
end

-- --- Apache --------------------------------------------------------------

local APACHE_FIELDS <const> = { "%m", "%U%q", "%H", "%>s", "%B",
  "%{SSL_CLIENT_S_DN}x", "%{SSL_CLIENT_VERIFY}x", "%{SSL_PROTOCOL}x",
  "%{SSL_CIPHER}x", "%{SSL_SESSION_RESUMED}x", "%{remote}p" }

local MODULES <const> = { "mpm_event", "authn_core", "authn_file",
  "authz_core", "authz_user", "auth_basic", "auth_digest", "alias", "cgi",
  "env", "mime", "ssl", "socache_shmcb", "headers", "dav", "dav_fs",
  "setenvif" }

local APACHE <const> = [[
ServerRoot "%s"
ServerName localhost
PidFile "%s/pid"
DefaultRuntimeDir "%s"
Mutex file:%s default
DavLockDB "%s/dav"
ErrorLog "%s/error.log"
LogLevel notice
SSLSessionCache shmcb:%s/cache(512000)
Listen %s:%d
%s
LogFormat "%s" test
CustomLog "%s/access.log" test
DocumentRoot "%s"
<Directory />
  Require all granted
</Directory>
TypesConfig /dev/null
AddType text/xml .xml .cfg
%s
]]

local function apache_user()
  if process.uid() ~= 0 then return "" end
  for line in io.lines("/etc/passwd") do
    local name, gid = line:match("^([%w-]+):[^:]*:%d+:(%d+)")
    if name == "www-data" or name == "nobody" or name == "daemon" then
      return ("User %s\nGroup #%s\n"):format(name, gid)
    end
  end
  return ""
end

local function md5(text)
  local input, output = os.tmpname(), os.tmpname()
  daemon.write(input, text)
  require("support.pki").openssl({ "dgst", "-md5", "-r", input },
    { stdout = output })
  local sum = daemon.read(output):match("^%x+")
  os.remove(input)
  os.remove(output)
  return sum
end

local function apache_auth(folder, o)
  local lines = {}
  if o.digest then
    local d = o.digest
    daemon.write(folder .. "/digest", ("%s:%s:%s\n"):format(d.user, d.realm,
      md5(("%s:%s:%s"):format(d.user, d.realm, d.password))))
    lines[#lines + 1] = ([[
<Location "%s">
  AuthType Digest
  AuthName "%s"
  AuthDigestProvider file
  AuthUserFile "%s/digest"
  AuthDigestAlgorithm %s
  %s
  Require valid-user
</Location>]]):format(d.location or "/", d.realm, folder,
      d.algorithm or "MD5", d.extra or "")
  end
  if o.basic then
    local b = o.basic
    local output = folder .. "/passwd.out"
    require("support.pki").openssl({ "passwd", "-apr1", b.password },
      { stdout = output })
    daemon.write(folder .. "/basic", ("%s:%s\n"):format(b.user,
      daemon.read(output):match("[^\n]+")))
    lines[#lines + 1] = ([[
<Location "%s">
  AuthType Basic
  AuthName "%s"
  AuthUserFile "%s/basic"
  Require valid-user
</Location>]]):format(b.location or "/", b.realm or "lab", folder)
  end
  return lines
end

local function apache_tls(o)
  if not o then return {} end
  local lines = { "SSLEngine on",
    ("SSLCertificateFile %q"):format(o.cert),
    ("SSLCertificateKeyFile %q"):format(o.key) }
  if o.client_ca then
    lines[#lines + 1] = ("SSLCACertificateFile %q"):format(o.client_ca)
    lines[#lines + 1] = "SSLVerifyDepth 4"
  end
  local verify = { on = "require", optional = "optional",
    optional_no_ca = "optional_no_ca" }
  if o.verify then
    lines[#lines + 1] = "SSLVerifyClient " .. verify[o.verify]
  end
  lines[#lines + 1] = o.extra
  return lines
end

local function apache_modules()
  local folder = daemon.file("/usr/lib/apache2/modules")
  local lines = {}
  for i, name in ipairs(MODULES) do
    lines[i] = ("LoadModule %s_module %q"):format(name,
      ("%s/mod_%s.so"):format(folder, name))
  end
  return table.concat(lines, "\n")
end

--- Apache: one server, plain or TLS.
-- o: root, digest = {realm=, user=, password=, algorithm=, location=, extra=},
-- basic = {realm=, user=, password=, location=}, cgi = folder served as
-- /cgi-bin/, tls as in nginx(), config (more text, or function(port) that gives
-- it), address
-- @return {http_port= or https_port=, requests(n), stop()}
function web.apache(o)
  local address = o.address or "127.0.0.1"
  return daemon.start("apache2", function(folder, program)
    local port = assert(process.free_port("tcp", address))
    local more = apache_auth(folder, o)
    table.move(apache_tls(o.tls), 1, 20, #more + 1, more)
    if o.cgi then
      more[#more + 1] = ("ScriptAlias /cgi-bin/ %q"):format(o.cgi .. "/")
    end
    more[#more + 1] = type(o.config) == "function" and o.config(port)
      or o.config
    -- uploads and their locks are made after root was given up
    process.chmod(folder, 511) -- 0777
    local f = folder
    daemon.write(folder .. "/apache.conf", APACHE:format(f, f, f, f, f, f, f,
      bracket(address), port, apache_modules(),
      log_format(APACHE_FIELDS, function(name)
        return "%{" .. name .. "}i"
      end), f, o.root or f, apache_user() .. table.concat(more, "\n")))
    return add_requests({ http_port = not o.tls and port or nil,
      https_port = o.tls and port or nil,
      -- -X: one process, in the foreground
      argv = { program, "-X", "-f", folder .. "/apache.conf" },
      -- written when the sockets are open
      log = folder .. "/pid",
      ready = "%d+\n",
      errors = folder .. "/error.log",
    }, folder .. "/access.log")
  end)
end

return web
