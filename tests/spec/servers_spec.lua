local pki = require "support.pki"
local process = require "support.process"
local servers = require "support.servers"
local daemon = require "support.servers.daemon"

-- The word of curl and dig: other eyes than ours.
local function curl(...)
  local folder = process.temp_dir()
  local argv = { "curl", "-sS", "-q", "--max-time", "20", "--noproxy", "*",
    ... }
  local p = assert(process.spawn(argv, { stdout = folder .. "/out",
    stderr = folder .. "/err" }))
  local _, code = p:wait(30)
  local out = daemon.read(folder .. "/out")
  local err = daemon.read(folder .. "/err")
  process.remove(folder)
  return out, code, err
end

local function need(name)
  local path, reason = servers.find(name)
  if not path then pending(reason) end
  return path ~= nil
end

local function ends(server, pid)
  assert.is_true(server:running())
  server:stop()
  assert.is_false(server:running())
  assert.is_nil(io.open(("/proc/%d/stat"):format(pid)))
  assert.is_nil(io.open(server.folder .. "/stderr"))
  server:stop() -- once more does no harm
end

describe("servers", function()
  local root, lab

  setup(function()
    root = process.temp_dir()
    daemon.write(root .. "/a.xml", "<flat-profile/>")
    lab = pki.shared()
  end)
  teardown(function() process.remove(root) end)

  describe("nginx", function()
    it("serves files and tells what was asked", function()
      if not need("nginx") then return end
      local s <close> = servers.nginx { root = root }
      local pid = s.process:pid()
      local url = ("http://127.0.0.1:%d/"):format(s.http_port)
      assert.equal("<flat-profile/>", (curl("-A", "phone \"x\"\t1", url
        .. "a.xml?mac=1")))
      curl("-H", "X-Test: ä", "-X", "PUT", url .. "b")
      local r = s.requests(2)
      assert.equal(2, #r)
      assert.same({ "GET", "/a.xml?mac=1", 200, "HTTP/1.1" }, { r[1].method,
        r[1].uri, r[1].status, r[1].protocol })
      assert.equal("phone \"x\"\t1", r[1].user_agent)
      assert.equal("127.0.0.1:" .. s.http_port, r[1].headers.host)
      assert.equal(15, r[1].length)
      assert.is_nil(r[1].tls)
      assert.equal("PUT", r[2].method)
      assert.equal("ä", r[2].headers["x-test"])
      ends(s, pid)
    end)

    it("reads the name in a client's certificate", function()
      if not need("nginx") then return end
      local cert, client = lab:server { cn = "pv.telco.net" }, lab:client()
      local s <close> = servers.nginx { root = root, http = true,
        tls = { cert = cert.cert, key = cert.key,
          client_ca = lab.ca.cert, verify = "optional" } }
      assert.is_number(s.http_port)
      local url = ("https://localhost:%d/a.xml"):format(s.https_port)
      curl("--cacert", lab.ca.cert, url)
      curl("--cacert", lab.ca.cert, "--cert", client.cert, "--key",
        client.key, url)
      local r = s.requests(2)
      assert.equal("NONE", r[1].client_verify)
      assert.is_nil(r[1].client_dn)
      assert.equal("SUCCESS", r[2].client_verify)
      assert.matches("OU=CP%-8841%-3PCC", r[2].client_dn)
      assert.matches("L=88012BA01234", r[2].client_dn)
      assert.matches("ST=000e08abcdef", r[2].client_dn)
      assert.equal("TLSv1.3", r[2].tls)
    end)

    it("refuses a client without a certificate", function()
      if not need("nginx") then return end
      local cert = lab:server { cn = "localhost" }
      local s <close> = servers.nginx { root = root,
        locations = "location /x { return 418; }",
        tls = { cert = cert.cert, key = cert.key,
          client_ca = lab.ca.cert, verify = "on" } }
      assert.is_nil(s.http_port)
      curl("--cacert", lab.ca.cert, ("https://localhost:%d/x")
        :format(s.https_port))
      assert.equal(400, s.requests(1)[1].status)
    end)

    it("says why it does not start", function()
      if not need("nginx") then return end
      assert.has_error(function()
        servers.nginx { root = root, config = "no_such_directive;" }
      end)
    end)
  end)

  describe("apache", function()
    it("asks for a digest answer", function()
      if not need("apache2") then return end
      local s <close> = servers.apache { root = root,
        digest = { realm = "prov", user = "base01", password = "pw74" } }
      local pid = s.process:pid()
      local url = ("http://127.0.0.1:%d/a.xml"):format(s.http_port)
      assert.equal("<flat-profile/>", (curl("--digest", "-u", "base01:pw74",
        url)))
      local r = s.requests(2)
      assert.same({ 401, 200 }, { r[1].status, r[2].status })
      assert.matches('^Digest username="base01", realm="prov"',
        r[2].headers.authorization)
      ends(s, pid)
    end)

    it("asks for a password over TLS and runs programs", function()
      if not need("apache2") then return end
      local cgi = process.mkdir(root .. "/cgi")
      daemon.write(cgi .. "/hello",
        "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\n"
        .. "echo \"$REQUEST_METHOD $QUERY_STRING\"; cat\n")
      process.chmod(cgi .. "/hello", 493) -- 0755
      local cert, client = lab:server {}, lab:client()
      local s <close> = servers.apache { root = root, cgi = cgi,
        basic = { user = "u", password = "p" },
        tls = { cert = cert.cert, key = cert.key,
          client_ca = lab.ca.cert, verify = "on" } }
      assert.is_nil(s.http_port)
      local out = curl("--cacert", lab.ca.cert, "--cert", client.cert,
        "--key", client.key, "-u", "u:p", "-d", "body",
        ("https://localhost:%d/cgi-bin/hello?x=1"):format(s.https_port))
      assert.equal("POST x=1\nbody", out)
      local r = s.requests(1)[1]
      assert.matches("OU=CP%-8841%-3PCC", r.client_dn)
      assert.equal("SUCCESS", r.client_verify)
      assert.equal("TLSv1.3", r.tls)
    end)
  end)

  describe("tftpd", function()
    it("sends and takes files", function()
      if not need("in.tftpd") then return end
      if process.uid() ~= 0 then pending("in.tftpd needs root") return end
      local folder <close> = setmetatable({ process.temp_dir() },
        { __close = function(t) process.remove(t[1]) end })
      daemon.write(folder[1] .. "/a.xml", ("x"):rep(5000))
      local s <close> = servers.tftpd { root = folder[1], upload = true }
      local pid = s.process:pid()
      local url = ("tftp://127.0.0.1:%d/"):format(s.port)
      assert.equal(("x"):rep(5000), (curl(url .. "a.xml")))
      local _, code = curl("-T", folder[1] .. "/a.xml", url .. "b.xml")
      assert.equal(0, code)
      assert.equal(("x"):rep(5000), daemon.read(folder[1] .. "/b.xml"))
      ends(s, pid)
    end)
  end)

  describe("dnsmasq", function()
    it("answers with its records alone", function()
      if not need("dnsmasq") then return end
      local s <close> = servers.dnsmasq {
        records = { ["pv.telco.net"] = { "127.0.0.1", "127.0.0.2", "::1" } },
        srv = { ["_http._tcp.telco.net"] = { { target = "pv.telco.net",
          port = 8080, priority = 1, weight = 2 } } },
      }
      local pid = s.process:pid()
      local loop = require("peal.loop").new()
      local resolver = require("peal.net").resolver(loop,
        { servers = "127.0.0.1:" .. s.dns_port })
      local got = {}
      local function ask(name, kind)
        resolver:resolve(name, kind, false, function(list, _, word)
          got[kind .. " " .. name] = list or word
        end)
      end
      ask("pv.telco.net", "A")
      ask("pv.telco.net", "AAAA")
      ask("_http._tcp.telco.net", "SRV")
      ask("no.telco.net", "A")
      loop:run()
      local a = {}
      for _, answer in ipairs(got["A pv.telco.net"]) do
        a[#a + 1] = answer.address
      end
      table.sort(a)
      assert.same({ "127.0.0.1", "127.0.0.2" }, a)
      assert.equal("::1", got["AAAA pv.telco.net"][1].address)
      local srv = got["SRV _http._tcp.telco.net"][1]
      assert.same({ "pv.telco.net", 8080, 1, 2 }, { srv.target, srv.port,
        srv.priority, srv.weight })
      assert.equal("dns", got["A no.telco.net"])
      local asked = {}
      for _, query in ipairs(s.queries(4)) do
        asked[query.type .. " " .. query.name] = true
      end
      assert.is_true(asked["A pv.telco.net"])
      assert.is_true(asked["SRV _http._tcp.telco.net"])
      ends(s, pid)
    end)
  end)

  describe("rsyslog", function()
    it("reads messages as administrators would see them", function()
      if not need("rsyslogd") then return end
      local s <close> = servers.rsyslog {}
      local pid = s.process:pid()
      require("peal.net").send("127.0.0.1", s.port,
        "<131>Nov 22 10:15:31 192.168.1.100 peal: Resync failed")
      require("peal.net").send("127.0.0.1", s.port,
        "<133>1 2026-11-22T10:15:30.000Z 192.168.1.100 peal - RESYNC-REQ - x")
      local l = s.lines(2)
      assert.same({ 131, "192.168.1.100", "peal:", " Resync failed" },
        { l[1].pri, l[1].host, l[1].tag, l[1].msg })
      assert.same({ 133, "peal", "RESYNC-REQ", "x" }, { l[2].pri, l[2].app,
        l[2].msgid, l[2].msg })
      ends(s, pid)
    end)
  end)

  describe("syslog_sink", function()
    it("keeps datagrams until they are asked for", function()
      local sink <close> = servers.syslog_sink()
      assert.same({}, sink.lines())
      require("peal.net").send("127.0.0.1", sink.port, "one")
      require("peal.net").send("127.0.0.1", sink.port, "two")
      assert.same({ "one", "two" }, sink.lines(2))
      assert.is_nil(sink.recv())
    end)
  end)

  describe("s_server", function()
    it("finishes handshakes", function()
      local cert, client = lab:server {}, lab:client()
      local s <close> = servers.s_server { cert = cert.cert, key = cert.key,
        ca = lab.ca.cert, verify = true, root = root }
      local pid = s.process:pid()
      local url = ("https://localhost:%d/a.xml"):format(s.https_port)
      assert.equal("<flat-profile/>", (curl("--cacert", lab.ca.cert,
        "--cert", client.cert, "--key", client.key, url)))
      local _, code = curl("--cacert", lab.ca.cert, url)
      assert.not_equal(0, code)
      assert.matches("peer did not return a certificate", s.output())
      ends(s, pid)
    end)
  end)

  it("leave nothing behind when forgotten", function()
    if not need("nginx") then return end
    local s = servers.nginx { root = root }
    local pid, folder = s.process:pid(), s.folder
    s = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.is_nil(io.open(("/proc/%d/stat"):format(pid)))
    assert.is_nil(io.open(folder .. "/nginx.conf"))
  end)
end)
