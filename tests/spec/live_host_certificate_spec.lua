-- A real TLS server with the host certificate that a phone has made, and
-- phones that resync from it before, across and after the regeneration.
-- Source: MiVoice Office 400 WebAdmin help, "Public": root and host match.
local daemon = require "support.servers.daemon"
local phones = require "support.phones"
local process = require "support.process"
local servers = require "support.servers"

local fails, succeeds = phones.fails, phones.succeeds
local need, profile, write = phones.need, phones.profile, phones.write

local HUP <const> = 1

-- With a master, which is what reloads.
local CONFIG <const> = [[
daemon off;
worker_processes 1;
%spid "%s/pid";
error_log "%s/error.log" notice;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path "%s/body";
  proxy_temp_path "%s/proxy";
  fastcgi_temp_path "%s/fastcgi";
  uwsgi_temp_path "%s/uwsgi";
  scgi_temp_path "%s/scgi";
  server {
    listen 127.0.0.1:%d ssl;
    ssl_certificate "%s/host.pem";
    ssl_certificate_key "%s/host.key";
    root "%s";
  }
}
]]

-- nginx with the certificate in a folder.
local function start(certificates, root)
  return daemon.start("nginx", function(folder, program)
    local port = assert(process.free_port("tcp", "127.0.0.1"))
    local f = folder
    daemon.write(f .. "/nginx.conf", CONFIG:format(
      process.uid() == 0 and "user root;\n" or "", f, f, f, f, f, f, f, port,
      certificates, certificates, root))
    return { https_port = port, log = f .. "/error.log",
      ready = "start worker process %d+", argv = { program, "-p", f, "-e",
        f .. "/error.log", "-c", f .. "/nginx.conf" } }
  end)
end

describe("nginx with a host certificate", function()
  local maker, root, nginx, url
  local device = { simulated = true }

  before_each(function()
    if not servers.find("nginx") then return end
    maker = phones.new { device = device, identity = { IP = "127.0.0.1" } }
    assert.equal(0, maker:run("ca", "generate").code)
    root = process.temp_dir()
    write(root .. "/a.xml", profile { GPP_C = "got" })
    nginx = start(maker.store .. "/keys/host/current", root)
    url = ("https://127.0.0.1:%d/a.xml"):format(nginx.https_port)
  end)
  after_each(function()
    if not nginx then return end
    nginx:stop()
    maker:close()
    process.remove(root)
    nginx = nil
  end)

  -- What a terminal is given: the root, and older ones that still hold.
  local function distribute(path)
    assert.equal(0, maker:run("ca", "export", "root", "--out", path).code)
  end

  -- The certificate is read anew, and nobody serves the old one any more.
  local function reload()
    assert(nginx.process:kill(HUP))
    local ended <const>, lines = "worker process %d+ exited with code 0", {}
    repeat
      lines = nginx:wait_lines(nginx.log, #lines + 1)
    until table.concat(lines, "\n"):find(ended)
  end

  it("is believed by phones that trust the root, through its regeneration",
    function()
    if not need("nginx") then return end
    local bundle = root .. "/roots.pem"
    distribute(bundle)
    local terminal <close> = phones.new { trust = { ca = bundle },
      device = device }
    succeeds(terminal, url)
    -- a new pair; the server goes on with the old one
    assert.equal(0, maker:run("ca", "generate").code)
    succeeds(terminal, url)
    distribute(bundle) -- the new root comes first, beside the old one
    succeeds(terminal, url)
    reload() -- and then the server's certificate
    for _ = 1, 3 do succeeds(terminal, url) end
    assert.equal("got", terminal:param("GPP_C"))
  end)

  it("is refused where root and host do not match", function()
    if not need("nginx") then return end
    local old = root .. "/old.pem"
    distribute(old)
    local left_out <close> = phones.new { trust = { ca = old } }
    succeeds(left_out, url)
    assert.equal(0, maker:run("ca", "generate").code)
    reload()
    fails(left_out, url, { word = "c.untrusted" })
  end)

  it("is for the address it was made for, and no other name", function()
    if not need("nginx") then return end
    local bundle = root .. "/roots.pem"
    distribute(bundle)
    local terminal <close> = phones.new { trust = { ca = bundle } }
    fails(terminal, ("https://localhost:%d/a.xml"):format(nginx.https_port),
      { word = "c.name" })
  end)
end)
