-- The CA bundle of Custom_CA_Rule from real servers, into the store of the
-- program.
-- Source: MPP administration guide, Custom_CA_Rule, "Custom CA Status".
local daemons = require "support.daemons"
local phones = require "support.phones"
local pki = require "support.pki"
local process = require "support.process"
local program = require "support.program"
local servers = require "support.servers"

local need, profile, write = phones.need, phones.profile, phones.write

describe("a bundle of Custom_CA_Rule", function()
  local lab, factory, root, web, site, acme

  setup(function()
    lab = pki.new()
    root = process.temp_dir()
    factory = lab.ca
    acme = lab:authority { cn = "Acme Root" }
    local sub = lab:authority { cn = "Acme Sub", by = acme }
    local bundle = program.slurp(acme.cert) .. program.slurp(sub.cert)
    write(root .. "/ca.pem", "Acme's\n" .. bundle)
    write(root .. "/cut.pem", bundle:sub(1, -100))
    write(root .. "/page.pem", "<html>Log in!</html>")
    write(root .. "/a.xml", profile { GPP_C = "got" })
    pki.openssl { "x509", "-in", acme.cert, "-outform", "DER", "-out",
      root .. "/ca.der" }
    local leaf = lab:server { cn = "localhost", by = sub }
    write(root .. "/leaf.pem", program.slurp(leaf.cert))
    if not servers.find("nginx") then return end
    local own = lab:server { cn = "localhost", by = factory }
    web = servers.nginx { root = root, http = true, tls = { cert = own.cert,
      key = own.key } }
    site = servers.nginx { root = root, tls = { cert = leaf.chain,
      key = leaf.key } }
  end)
  teardown(function()
    if web then web:stop() end
    if site then site:stop() end
    process.remove(root)
    lab:close()
  end)

  local function http(path)
    return ("http://127.0.0.1:%d/%s"):format(web.http_port, path)
  end

  local function site_url()
    return ("https://localhost:%d/a.xml"):format(site.https_port)
  end

  -- A phone that believes the factory, and has this rule.
  local function phone(rule, params)
    local all = { Custom_CA_Rule = rule, Profile_Rule = "",
      Resync_Random_Delay = "0", Resync_Periodic = "0",
      Resync_Error_Retry_Delay = "0" }
    for name, value in pairs(params or {}) do all[name] = value end
    return phones.new { trust = { ca = factory.cert }, params = all }
  end

  local function status(p)
    return p:run("status").out:match("custom CA +([^\n]*)\n")
  end

  local function installs(p)
    local r = p:resync()
    assert.equal("success", r.json.outcome, r.err)
    local again = p:resync(site_url())
    assert.equal("success", again.json.outcome, again.err)
    assert.equal("got", p:param("GPP_C"))
    assert.matches("^Installed %- Acme Root; Last provisioning succeeded on "
      .. "%d%d/%d%d/%d%d%d%d %d%d:%d%d:%d%d$", status(p))
    return r
  end

  local function notes(r)
    local texts = {}
    for i, note in ipairs(r.json.notes) do texts[i] = note.text end
    return table.concat(texts, "\n")
  end

  it("comes over http, with a warning", function()
    if not need("nginx") then return end
    local p <close> = phone(http "ca.pem")
    assert.equal("c.untrusted", p:resync(site_url(),
      { set = { "Custom_CA_Rule=" } }).last.word)
    assert.matches("comes over http", notes(installs(p)))
  end)

  it("comes over https, by the roots known so far", function()
    if not need("nginx") then return end
    local p <close> = phone(("https://localhost:%d/ca.pem"):format(
      web.https_port))
    assert.equal("", notes(installs(p)))
  end)

  it("does not come over https from a stranger", function()
    if not need("nginx") then return end
    local p <close> = phone(("https://localhost:%d/ca.pem"):format(
      site.https_port))
    local r = p:resync()
    assert.equal("success", r.json.outcome)
    assert.matches("Custom CA: .*; none is installed", notes(r))
    assert.equal("c.untrusted", p:resync(site_url()).last.word)
  end)

  it("comes over tftp", function()
    if not need("nginx", "in.tftpd") then return end
    local tftp <close> = servers.tftpd { root = root }
    local p <close> = phone(("tftp://127.0.0.1:%d/ca.pem"):format(tftp.port))
    assert.matches("comes over tftp", notes(installs(p)))
  end)

  it("may be one DER certificate", function()
    if not need("nginx") then return end
    local p <close> = phone(http "ca.der")
    installs(p)
  end)

  it("stays when its server has gone (vector 5)", function()
    if not need("nginx") then return end
    local other = servers.nginx { root = root }
    local p <close> = phone(("http://127.0.0.1:%d/ca.pem"):format(
      other.http_port), { Profile_Rule = site_url() })
    assert.equal("success", p:resync().json.outcome)
    other:stop()
    write(root .. "/a.xml", profile { GPP_C = "again" })
    local d <close> = daemons.start { p }
    d:wait_log("resync %d+ %(boot%) ok")
    assert.matches("Custom CA: .*; the bundle from before stays", d:log())
    assert.equal("again", p:param("GPP_C"))
    assert.matches("^Installed %- Acme Root; Last provisioning failed on ",
      status(p))
    assert.equal(0, d:stop())
    write(root .. "/a.xml", profile { GPP_C = "got" })
  end)

  for _, row in ipairs {
    { "a file that is not there (vector 2)", "none.pem", "HTTP 404" },
    { "a web page (vector 3)", "page.pem", "Custom CA: " },
    { "a leaf alone (vector 7)", "leaf.pem", "holds no CA certificate" },
    { "a bundle that was cut (fault 52)", "cut.pem", "Custom CA: " } }
  do
    it("stays as it is before " .. row[1], function()
      if not need("nginx") then return end
      local p <close> = phone(http "ca.pem")
      installs(p)
      assert(p:run("set", "Custom_CA_Rule=" .. http(row[2])).code == 0)
      local r = p:resync()
      assert.equal("success", r.json.outcome)
      assert.matches(row[3], notes(r))
      assert.matches("the bundle from before stays", notes(r))
      assert.equal("success", p:resync(site_url()).json.outcome)
    end)
  end

  it("goes with its rule (vector 4)", function()
    if not need("nginx") then return end
    local p <close> = phone(http "ca.pem", { Profile_Rule = "" })
    local d <close> = daemons.start { p }
    d:wait_log("Custom CA: Installed %- Acme Root, 2 certificates")
    assert.equal("success", p:resync(site_url()).json.outcome)
    assert(p:run("set", "Custom_CA_Rule=").code == 0)
    d:wait_log("Custom CA: removed")
    assert.is_nil(status(p))
    assert.equal("c.untrusted", p:resync(site_url()).last.word)
    assert.equal(0, d:stop())
  end)
end)
