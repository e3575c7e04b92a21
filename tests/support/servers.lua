--- Real servers on the loopback address, on free ports, for specs and cases.
--
--   local s <close> = servers.nginx { root = folder }
--   s.http_port, s.requests(1)[1].uri, s:stop()
--
-- Each starts one program, returns when it listens, and is stopped by stop(),
-- by the end of its scope, or with the test. Nobody sleeps.
--   servers.find(name)   path, or nil and the reason to give for a skipped test
local daemon = require "support.servers.daemon"
local outputs = require "support.outputs"
local process = require "support.process"
local web = require "support.servers.web"

local servers = {
  find = daemon.find,
  nginx = web.nginx,
  apache = web.apache,
}

--- tftpd-hpa, serving (and with upload, taking) files under root. Needs root
-- for its own chroot.
-- @return {port=, stop()}
function servers.tftpd(o)
  local endpoint = assert(process.udp(o.address or "127.0.0.1"))
  return daemon.start("in.tftpd", function(_, program)
    -- as from inetd: the socket is handed over, and listens already
    local argv = { program, "--secure", "--user", "root", "--timeout",
      "900" }
    if o.upload then argv[#argv + 1] = "--create" end
    for _, option in ipairs(o.options or {}) do argv[#argv + 1] = option end
    argv[#argv + 1] = o.root
    return { argv = argv, stdin = endpoint, port = endpoint:port() }
  end)
end

local function dnsmasq_records(folder, o)
  local argv, hosts = {}, {}
  for name, addresses in pairs(o.records or {}) do
    for _, address in ipairs(addresses) do
      hosts[#hosts + 1] = ("%s %s\n"):format(address, name)
    end
  end
  table.sort(hosts)
  argv[1] = "--addn-hosts="
    .. daemon.write(folder .. "/hosts", table.concat(hosts))
  for name, list in pairs(o.srv or {}) do
    for _, r in ipairs(list) do
      argv[#argv + 1] = ("--srv-host=%s,%s,%d,%d,%d"):format(name, r.target,
        r.port, r.priority or 0, r.weight or 0)
    end
  end
  for name, target in pairs(o.cname or {}) do
    argv[#argv + 1] = ("--cname=%s,%s"):format(name, target)
  end
  return argv
end

--- dnsmasq as a name server that knows these records and nothing else: other
-- names do not exist.
-- o: records = {name = {address ...}}, srv = {name = {{target=, port=,
-- priority=, weight=} ...}}, cname = {name = target}, options
-- @return {dns_port=, address=, queries(n) -> {{type=, name=} ...}, stop()}
function servers.dnsmasq(o)
  local address = o.address or "127.0.0.1"
  return daemon.start("dnsmasq", function(folder, program)
    local port = assert(process.free_port("udp", address))
    local argv = { program, "--keep-in-foreground", "--conf-file=/dev/null",
      "--log-facility=" .. folder .. "/log", "--log-queries", "--no-resolv",
      "--no-hosts", "--address=/#/", "--pid-file", "--bind-interfaces",
      "--listen-address=" .. address, "--port=" .. port }
    if process.uid() == 0 then argv[#argv + 1] = "--user=root" end
    local records = dnsmasq_records(folder, o)
    table.move(records, 1, #records, #argv + 1, argv)
    for _, option in ipairs(o.options or {}) do argv[#argv + 1] = option end

    local s = { argv = argv, log = folder .. "/log", ready = ": started,",
      dns_port = port, address = address }
    function s.queries(n)
      local list
      local lines = {}
      repeat
        lines = s:wait_lines(s.log, #lines + 1)
        list = {}
        for _, line in ipairs(lines) do
          local kind, name = line:match("query%[(%w+)%] (%S+)")
          list[#list + 1] = kind and { type = kind, name = name } or nil
        end
      until #list >= (n or 0)
      return list
    end
    return s
  end)
end

-- Fields of one message as rsyslog reads it, apart by tabs.
local RSYSLOG_FIELDS <const> = { "pri", "time", "host", "tag", "app", "msgid",
  "msg", "raw" }
local RSYSLOG <const> = [[
global(workDirectory="%s" processInternalMessages="on")
module(load="imudp")
template(name="test" type="string" string="%%pri%%\t]]
  .. [[%%timereported:::date-rfc3339%%\t%%hostname%%\t%%syslogtag%%\t]]
  .. [[%%app-name%%\t%%msgid%%\t%%msg%%\t%%rawmsg%%\n")
input(type="imudp" address="%s" port="%d" ruleset="test")
ruleset(name="test") {
  action(type="omfile" file="%s/lines" template="test")
}
syslog.* action(type="omfile" file="%s/own")
]]

local function rsyslog_line(line)
  local entry, at = {}, 0
  for value in (line .. "\t"):gmatch("([^\t]*)\t") do
    at = at + 1
    if RSYSLOG_FIELDS[at] then entry[RSYSLOG_FIELDS[at]] = value end
  end
  entry.pri = math.tointeger(tonumber(entry.pri))
  return entry
end

--- rsyslogd, taking datagrams.
-- @return {port=, lines(n) -> {{pri=, time=, host=, tag=, app=, msgid=, msg=,
-- raw=} ...}, stop()}; control octets are written as #ooo
function servers.rsyslog(o)
  local address = o and o.address or "127.0.0.1"
  return daemon.start("rsyslogd", function(folder, program)
    local port = assert(process.free_port("udp", address))
    daemon.write(folder .. "/conf", RSYSLOG:format(folder, address, port,
      folder, folder))
    daemon.write(folder .. "/lines", "")
    local s = { port = port, argv = { program, "-n", "-f", folder .. "/conf",
      "-i", folder .. "/pid", "-M",
      daemon.file("/usr/lib/x86_64-linux-gnu/rsyslog") },
      log = folder .. "/own", ready = "%] start" }
    function s.lines(n)
      local list = s:wait_lines(folder .. "/lines", n)
      for i, line in ipairs(list) do
        outputs.keep("rsyslogd", "datagram", line)
        list[i] = rsyslog_line(line)
      end
      return list
    end
    return s
  end)
end

--- A socket that takes syslog messages; the system keeps them until asked.
-- @return {port=, address=, recv(seconds) -> bytes, lines(n), stop()}
function servers.syslog_sink(o)
  local address = o and o.address or "127.0.0.1"
  local endpoint = assert(process.udp(address))
  local sink = { port = endpoint:port(), address = address }
  function sink.recv(seconds) return endpoint:recv(seconds or 0) end
  --- The next n messages, or what is there; waits for n.
  function sink.lines(n)
    local list = {}
    while true do
      local bytes = endpoint:recv(#list < (n or 0) and 10 or 0)
      if not bytes then break end
      list[#list + 1] = bytes
    end
    if #list < (n or 0) then
      error(("%d messages, not %d"):format(#list, n), 2)
    end
    return list
  end
  function sink.stop() endpoint:close() end
  return setmetatable(sink, { __close = sink.stop })
end

--- openssl s_server, which tells about handshakes what others hide. Serves
-- the files under root as a web server.
-- o: cert, key, ca, chain, verify (a client certificate is demanded), root,
-- address, options
-- @return {https_port=, output(), stop()}
function servers.s_server(o)
  return daemon.start("openssl", function(folder, program)
    local argv = { program, "s_server", "-accept",
      (o.address or "127.0.0.1") .. ":0", "-cert", o.cert, "-key", o.key,
      "-WWW" }
    if o.ca then table.move({ "-CAfile", o.ca }, 1, 2, #argv + 1, argv) end
    if o.chain then
      table.move({ "-cert_chain", o.chain }, 1, 2, #argv + 1, argv)
    end
    if o.verify then
      table.move({ "-Verify", "4", "-verify_return_error" }, 1, 3,
        #argv + 1, argv)
    end
    for _, option in ipairs(o.options or {}) do argv[#argv + 1] = option end
    local s = { argv = argv, cwd = o.root, log = folder .. "/stdout",
      ready = "ACCEPT [^\n]*:(%d+)" }
    function s.on_ready(port) s.https_port = math.tointeger(port) end
    function s.output()
      return daemon.read(folder .. "/stdout") .. daemon.read(folder
        .. "/stderr")
    end
    return s
  end)
end

return servers
