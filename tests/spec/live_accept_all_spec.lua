-- "Accept all certificates" at real servers: loud, and kept apart from what is
-- strict. The lists themselves are in live_lists_spec.lua.
-- Source: Gigaset wiki, Security.
local badssl = require "support.badssl"
local certificates = require "peal.certificates"
local phones = require "support.phones"
local pki = require "support.pki"
local process = require "support.process"
local servers = require "support.servers"
local tls_policy = require "peal.tls_policy"

local profile, write = phones.profile, phones.write

local DAY <const> = 86400
local ACCEPT_ALL <const> = {
  ["SystemSettings.Security_Certificates_AcceptAllCertificates"] = "1" }

local lab, root

setup(function()
  lab = pki.shared()
  root = process.temp_dir()
  write(root .. "/a.xml", profile { GPP_C = "got" })
end)

teardown(function() process.remove(root) end)

local function serve(cert, options)
  return servers.s_server { cert = cert.cert, key = cert.key, root = root,
    options = options }
end

local function expired()
  return lab:server { from = os.time() - 9 * DAY, to = os.time() - DAY }
end

local function self_signed()
  return lab:issue { subject = { { "CN", "localhost" } },
    sans = { "DNS:localhost" } }
end

local function gets(word, p, server, set)
  local got = p:get(("https://localhost:%d/a.xml"):format(server.https_port),
    set)
  assert.equal(word, got.word, got.sentence)
  return got
end

-- The one entry of the Invalid list.
local function invalid(p)
  local found
  for _, entry in ipairs(certificates.list(p.phone)) do
    if entry.list == "invalid" then
      assert.is_nil(found)
      found = entry
    end
  end
  return found
end

-- The trace says aloud what was let pass.
local function warned(got)
  for _, step in ipairs(got.trace) do
    if step.step == "trust" and step.accept then return step end
  end
end

describe("Accept all certificates (fault 49)", function()
  for name, make in pairs {
    ["c.expired"] = expired,
    ["c.untrusted"] = self_signed,
    ["c.name"] = function()
      return lab:server { sans = { "DNS:other.net" } }
    end,
    ["c.weak"] = function() return lab:server { key = "rsa:1024" } end,
  } do
    it("lets pass what is " .. name .. ", lists it, and warns each time",
      function()
        local server <close> = serve(make(), { "-cipher",
          "ALL@SECLEVEL=0" })
        local p = badssl.phone { ca = lab.ca.cert }
        for _ = 1, 2 do
          local step = assert.is_table(warned(gets("ok", p, server,
            ACCEPT_ALL)))
          assert.equal(name, step.word)
          assert.equal(name, invalid(p).reason)
        end
        assert.equal("got", p:param("GPP_C"))
        -- and no connection or session of it serves a stricter run
        gets(name, p, server)
      end)
  end

  it("lets no handshake pass that is not about certificates", function()
    local server <close> = serve(lab:server {}, { "-tls1_1", "-cipher",
      "ALL@SECLEVEL=0" })
    gets("t.version", badssl.phone { ca = lab.ca.cert }, server, ACCEPT_ALL)
  end)

  it("is among the weaknesses that peal status names", function()
    local p = badssl.phone { ca = lab.ca.cert, params = ACCEPT_ALL }
    local said = {}
    for _, one in ipairs(tls_policy.weaknesses(p.phone)) do
      said[#said + 1] = one.sentence
    end
    assert.matches("AcceptAllCertificates", table.concat(said, "\n"))
  end)
end)
