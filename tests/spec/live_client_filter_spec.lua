-- Servers that make a profile out of the phone's certificate: the examples that
-- operators copy, run by real servers.
-- Source: MPP provisioning guide, "client certificates", filtering with dynamic
-- content. Its sample reads the issuer's fields, its text means the subject's:
-- the examples have both.
local badssl = require "support.badssl"
local phones = require "support.phones"
local pki = require "support.pki"
local process = require "support.process"
local program = require "support.program"
local servers = require "support.servers"

local need, profile, write = phones.need, phones.profile, phones.write

local EXAMPLES <const> = program.root .. "/examples/servers/"
local SUBJECT <const> = "OU=CP-8841-3PCC, L=88012BA01234, S=000e08abcdef"

local lab, folder, sub_ca

-- What the examples expect beside them.
local function install()
  local cert = lab:server { cn = "localhost" }
  write(folder .. "/provserver.crt", program.slurp(cert.cert))
  write(folder .. "/privkey.pem", program.slurp(cert.key))
  write(folder .. "/spacroot.crt", program.slurp(lab.ca.cert))
  process.mkdir(folder .. "/cgi-bin")
  write(folder .. "/cgi-bin/reflect.pl",
    program.slurp(EXAMPLES .. "reflect.pl"))
  process.chmod(folder .. "/cgi-bin/reflect.pl", 493) -- 0755
  for _, mac in ipairs { "000e08abcdef", "000e08000001" } do
    process.mkdir(folder .. "/phones")
    process.mkdir(folder .. "/phones/" .. mac)
    write(folder .. "/phones/" .. mac .. "/a.xml", profile { GPP_D = mac })
  end
end

setup(function()
  lab = pki.shared()
  folder = process.temp_dir()
  process.chmod(folder, 493) -- 0755
  sub_ca = lab:authority { by = lab.ca, subject = { { "ST", "state" },
    { "L", "city" }, { "OU", "Phones & <more>" }, { "CN", "Phones" } } }
  install()
end)

teardown(function() process.remove(folder) end)

-- An example, with the files in our folder, on a port of ours, and speaking
-- one version alone if one is given.
local function example(name, installed, listen, version)
  local text = program.slurp(EXAMPLES .. name):gsub(installed, folder)
  if version then text = text:gsub("%+?TLSv1%.2 %+?TLSv1%.3", version) end
  return function(port)
    local adapted, n = text:gsub(listen, "127.0.0.1:" .. port)
    assert(n > 0, "the example listens elsewhere")
    return adapted
  end
end

-- Each returns the server and its port.
local starts = {
  apache2 = function(version)
    local s = servers.apache { root = folder, config = example("apache.conf",
      "/etc/apache2/prov", "%*:443", version) }
    return s, s.http_port
  end,
  nginx = function(version)
    local s = servers.nginx { root = folder, http = false,
      config = example("nginx.conf", "/etc/nginx/prov", "443", version) }
    return s, s.https_port
  end,
}

local function phone(client)
  return badssl.phone { ca = lab.ca.cert, cert = client and client.chain,
    key = client and client.key }
end

for name, start in pairs(starts) do
  describe("the example for " .. name, function()
    local server, url

    setup(function()
      if not servers.find(name) then return end
      local port
      server, port = start()
      url = ("https://localhost:%d/"):format(port)
    end)
    teardown(function() if server then server:stop() end end)

    it("tells product, serial number and MAC of the subject", function()
      if not need(name) then return end
      local before = #server.requests()
      local p = phone(lab:client())
      local got = p:get(url .. "cgi-bin/reflect.pl?")
      assert.equal("ok", got.word, got.sentence)
      assert.equal(SUBJECT, p:param("GPP_D"))
      local seen = server.requests(before + 1)[before + 1]
      assert.same({ "/cgi-bin/reflect.pl?", 200, "SUCCESS" },
        { seen.uri, seen.status, seen.client_verify })
    end)

    it("tells the issuer's fields to who asks as the old guides did",
      function()
        if not need(name) then return end
        local ca = lab:authority { by = lab.ca, subject = { { "ST", "WA" },
          { "L", "Kirkland" }, { "OU", "Maker" }, { "CN", "Maker CA" } } }
        local p = phone(lab:client { by = ca })
        assert.equal("ok", p:get(url .. "cgi-bin/reflect.pl?issuer").word)
        assert.equal("OU=Maker, L=Kirkland, S=WA", p:param("GPP_D"))
      end)

    it("does not break the profile by what is in a certificate", function()
      if not need(name) then return end
      local odd = lab:client { by = sub_ca, ou = 'A & B <c> "d"',
        l = "</GPP_D>", st = "it's" }
      local p = phone(odd)
      for _, query in ipairs { "", "issuer" } do
        local got = p:get(url .. "cgi-bin/reflect.pl?" .. query)
        assert.equal("ok", got.word, got.sentence)
      end
      if name == "apache2" then
        assert.equal("OU=Phones & <more>, L=city, S=state", p:param("GPP_D"))
        p:get(url .. "cgi-bin/reflect.pl?")
        assert.equal([[OU=A & B <c> "d", L=</GPP_D>, S=it's]],
          p:param("GPP_D"))
      end
    end)

    it("lets no phone in without a certificate, or with a stranger's",
      function()
        if not need(name) then return end
        local other <close> = pki.new()
        for _, client in ipairs { false, other:client() } do
          local got = phone(client):get(url .. "cgi-bin/reflect.pl?")
          if name == "nginx" then -- it completes the handshake
            assert.equal(400, got.status)
          else
            assert.equal("t.client", got.word, got.sentence)
          end
        end
      end)

    for _, version in ipairs { "TLSv1.2", "TLSv1.3" } do
      it("does the same in " .. version, function()
        if not need(name) then return end
        local only <close>, port = start(version)
        local p = phone(lab:client())
        local got = p:get(("https://localhost:%d/cgi-bin/reflect.pl?"):format(
          port))
        assert.equal("ok", got.word, got.sentence)
        assert.equal(version, got.response.tls)
        assert.equal(SUBJECT, p:param("GPP_D"))
        assert.equal(version, only.requests(1)[1].tls)
      end)
    end
  end)
end

describe("the example for nginx", function()
  it("has a folder for each phone, and shows it to nobody else", function()
    if not need("nginx") then return end
    local server <close>, port = starts.nginx()
    local p = phone(lab:client())
    local url = ("https://localhost:%d/phones/%%s/a.xml"):format(port)
    assert.equal("ok", p:get(url:format("000e08abcdef")).word)
    assert.equal("000e08abcdef", p:param("GPP_D"))
    assert.equal(403, p:get(url:format("000e08000001")).status)
    assert.equal("000e08abcdef", p:param("GPP_D"))
    assert.equal(2, #server.requests(2))
  end)
end)
