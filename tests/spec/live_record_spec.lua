-- Resyncs with real servers, recorded and played again on "another machine":
-- in another process, without a network, a store or the servers, in other
-- places of the world.
local cassettes = require "support.cassettes"
local encode = require "peal.encode"
local form = require "peal.world.tape_form"
local phones = require "support.phones"
local pki = require "support.pki"
local process = require "support.process"
local program = require "support.program"
local servers = require "support.servers"
local tcp = require "support.tcp"

local need, profile, write = phones.need, phones.profile, phones.write

local LUA <const> = program.path:gsub("peal$", "tests/peal-lua")

local GOOD <const> = profile { GPP_C = "got", GPP_SC = "geh31m" }

local function answer(body, more, status)
  return ("HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s"):format(
    status or "200 OK", #body, more or "", body)
end

local zipped = encode.gzip(GOOD)
local function aes(bytes, key)
  return encode.aes(bytes, key, "md5", "12345678")
end
local function sealed(ikm)
  return encode.aes128gcm(zipped, ikm, ("s"):rep(16))
end

-- What servers answer, and what the rule has in front of its URL.
local ANSWERS <const> = {
  { answer(GOOD) },
  { answer(zipped) },
  { answer(zipped, "Content-Encoding: gzip\r\n") },
  { answer(aes(zipped, "k3y")), "[--key k3y] " },
  { answer(aes(zipped, "other")), "[--key k3y] " },
  { answer(aes(zipped, "k3y"):sub(1, -2)), "[--key k3y] " },
  { answer(sealed("0123456789abcdef"), "Content-Encoding: aes128gcm\r\n") },
  { answer(zipped:sub(1, -9)) },
  { answer(zipped:sub(1, -9) .. ("\0"):rep(8)) },
  { answer(GOOD:sub(1, -5)) },
  { answer("hello") },
  { answer("<html><br>log in") },
  { answer("<?xml version=\"1.0\" encoding=\"UTF-16\"?>" .. GOOD) },
  { answer("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><flat-profile>"
    .. "<GPP_C>gr\xfc\xdfe</GPP_C></flat-profile>") },
  { answer("<!DOCTYPE a [<!ENTITY b 'c'>]>" .. GOOD) },
  { answer("<flat-profile><GPP_C>" .. ("x"):rep(70000)
    .. "</GPP_C></flat-profile>") },
  { answer("<flat-profile><No_Such>1</No_Such><Resync_Periodic>soon"
    .. "</Resync_Periodic></flat-profile>") },
  { answer(encode.gzip(("x"):rep(17 << 20))) },
  { "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" .. GOOD },
  { "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" .. GOOD },
  { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" },
  { "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n" },
  { "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n" },
  { "" },
  { "SSH-2.0-OpenSSH_9.2\r\n" },
  { "HTTP/1.1 200 OK\r\nContent-Le" },
}
for _, status in ipairs { "201 Created", "204 No Content", "301 Moved",
  "400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found",
  "405 Not Allowed", "408 Timeout", "410 Gone", "418 Teapot",
  "429 Too Many Requests", "500 Internal Server Error", "501 Not Implemented",
  "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout",
  "505 Version", "599 Odd" } do
  table.insert(ANSWERS, { answer("x", nil, status) })
end
for _, scheme in ipairs { "Basic realm=\"lab\"",
  "Digest realm=\"lab\", nonce=\"n\", qop=\"auth\"" } do
  table.insert(ANSWERS, { answer("x", ("WWW-Authenticate: %s\r\n"):format(
    scheme), "401 Unauthorized"), "[--uid u --pwd geh31m] " })
end

-- A resync of a phone by the program, recorded into a file.
local function resync(p, rule, into, env)
  local all = { PEAL_CASSETTES = into }
  for name, value in pairs(env or {}) do all[name] = value end
  return program.run({ LUA, "tests/support/recorded_peal.lua", "resync", rule,
    "--json", "--phone", p.file, "--store", p.store }, { env = all })
end

-- All cassettes of a file, in another process.
local function play_all(file, env, wrap)
  local argv = wrap or {}
  argv[#argv + 1] = LUA
  argv[#argv + 1] = "tests/support/play_all.lua"
  argv[#argv + 1] = file
  return program.run(argv, { env = env }).out
end

describe("recorded resyncs", function()
  local folder, file, made

  -- As many cassettes as that are in the file by now.
  local function count()
    local opened <close> = assert(io.open(file, "rb"))
    local all, at, n = opened:read("a"), 1, 0
    while at <= #all do
      at = select(2, string.unpack("<s8", all, at))
      n = n + 1
    end
    return n
  end

  local function raw_servers()
    for _, case in ipairs(ANSWERS) do
      local server <close> = tcp.serve { case[1] }
      local p <close> = phones.new { params = {
        Syslog_Server = "127.0.0.1:9" } }
      resync(p, ("%shttp://127.0.0.1:%d/x"):format(case[2] or "",
        server:port()), file)
      made = made + 1
    end
  end

  local function names_and_ports()
    local p <close> = phones.new { dns = "127.0.0.1:9" } -- nobody is there
    for _, rule in ipairs { "http://127.0.0.1:1/x", "http://[::1]:1/x",
      "http://no.such.host.invalid/x", "gopher://x/", "nothing [", "",
      "[--alias x] http://127.0.0.1:1/x" } do
      resync(p, rule, file)
      made = made + 1
    end
  end

  local function of_nginx()
    if not servers.find("nginx") then return end
    local lab = pki.shared()
    local cert = lab:server { cn = "localhost" }
    local client = lab:client()
    local nginx <close> = servers.nginx { root = folder, tls = {
      cert = cert.cert, key = cert.key, client_ca = lab.ca.cert,
      verify = "optional" } }
    local url = ("https://localhost:%d/a.xml"):format(nginx.https_port)
    local other = pki.new()
    for _, trust in ipairs { { ca = lab.ca.cert, cert = client.cert,
      key = client.key }, { ca = lab.ca.cert }, { ca = other.ca.cert }, {} } do
      local p <close> = phones.new { trust = trust, device = {
        simulated = true, folder = folder } }
      for _ = 1, 2 do -- the second one with sessions
        resync(p, url, file)
        made = made + 1
      end
      resync(p, url:gsub("localhost", "127.0.0.2"), file)
      resync(p, "http:" .. url:match("^https:(.*)$"), file)
      made = made + 2
    end
  end

  local function of_handshakes()
    if not servers.find("openssl") then return end
    local lab = pki.shared()
    local day = 86400
    for _, o in ipairs { { cert = { cn = "other.example", sans = {} } },
      { cert = { from = os.time() - 9 * day, to = os.time() - day } },
      { cert = { from = os.time() + day, to = os.time() + 9 * day } },
      { cert = {}, verify = true }, { cert = {}, options = { "-tls1_1" } } } do
      local cert = lab:server(o.cert)
      local server <close> = servers.s_server { root = folder,
        cert = cert.cert, key = cert.key, ca = lab.ca.cert,
        verify = o.verify, options = o.options }
      local p <close> = phones.new { trust = { ca = lab.ca.cert } }
      resync(p, ("https://localhost:%d/a.xml"):format(server.https_port), file)
      made = made + 1
    end
  end

  local function of_tftp()
    if not servers.find("in.tftpd") or process.uid() ~= 0 then return end
    local server <close> = servers.tftpd { root = folder }
    local p <close> = phones.new()
    for _, path in ipairs { "/a.xml", "/none.xml", "/zipped.gz" } do
      resync(p, ("tftp://127.0.0.1:%d%s"):format(server.port, path), file)
      made = made + 1
    end
  end

  -- Rule files of an operator, in the worker: good, slow, wrong, broken.
  local function of_rules()
    if not servers.find("nginx") then return end
    local nginx <close> = servers.nginx { root = folder }
    local url = ("http://127.0.0.1:%d/a.xml"):format(nginx.http_port)
    for name, text in pairs {
      apply = "return { change = { GPP_C = 'by the rule' } }",
      trigger = "return false, 'not today'",
      profile = "while true do end",
      trust = "local t = {} while true do t[#t + 1] = ('x'):rep(1000) end",
      privacy = "error 'broken'",
    } do
      local rules = process.temp_dir()
      write(("%s/%s.lua"):format(rules, name), ("return { stage = %q, "
        .. "decide = function(phone) %s end }"):format(name, text))
      write(rules .. "/schedule.lua", "this is no Lua")
      local p <close> = phones.new { rules = rules,
        params = { Profile_Rule = url } }
      resync(p, url, file)
      made = made + 1
      process.remove(rules)
    end
  end

  setup(function()
    folder, made = process.temp_dir(), 0
    file = folder .. "/all.cassettes"
    write(folder .. "/a.xml", GOOD)
    write(folder .. "/zipped.gz", zipped)
    raw_servers()
    names_and_ports()
    of_nginx()
    of_handshakes()
    of_tftp()
    of_rules()
    cassettes.each_case(function(case)
      local opened <close> = assert(io.open(file, "ab"))
      for _, c in ipairs((cassettes.of_case(case))) do
        opened:write(string.pack("<s8", form.pack(c)))
        made = made + 1
      end
    end)
  end)
  teardown(function() process.remove(folder) end)

  it("are more than two hundred, of all kinds of failures", function()
    assert.are.equal(made, count())
    if need("nginx", "openssl") then assert.is_true(made > 200) end
  end)

  local function all_the_same(env, wrap)
    assert.are.equal(("%d are the same\n"):format(made),
      play_all(file, env, wrap))
  end

  it("are the same in another process", function()
    all_the_same()
  end)

  it("are the same in other orders of hash tables", function()
    for _ = 1, 3 do all_the_same() end -- each process has a seed of its own
  end)

  it("are the same in another locale and another time zone", function()
    all_the_same { LC_ALL = "C.UTF-8", TZ = "Pacific/Chatham" }
    if not need("localedef") then return end
    for name, zone in pairs { de_DE = "America/New_York", tr_TR = "UTC-14" } do
      local built = program.run { "localedef", "-i", name, "-f", "UTF-8",
        ("%s/%s.UTF-8"):format(folder, name) }
      if built.code ~= 0 then return pending("no sources of locales") end
      all_the_same { LC_ALL = name .. ".UTF-8", TZ = zone, LOCPATH = folder }
    end
  end)

  it("are the same without a network", function()
    if not need("unshare") then return end
    if process.uid() ~= 0 then return pending("unshare -n needs root") end
    all_the_same(nil, { "unshare", "-n" })
  end)

  it("are recorded in another place as they are here", function()
    local server <close> = tcp.serve { answer(GOOD) }
    local other = folder .. "/other.cassettes"
    local p <close> = phones.new()
    resync(p, ("http://127.0.0.1:%d/x"):format(server:port()), other,
      { LC_ALL = "C.UTF-8", TZ = "Pacific/Chatham" })
    assert.are.equal("1 are the same\n", play_all(other))
  end)
end)
