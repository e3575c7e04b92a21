-- peal cert with a real store and a real TLS server, without a daemon and
-- through one.
-- Source: Gigaset wiki, Security: certificate lists; MPP administration guide,
-- updateca.
local daemons = require "support.daemons"
local json = require "peal.json"
local phones = require "support.phones"
local pki = require "support.pki"
local process = require "support.process"
local program = require "support.program"
local servers = require "support.servers"
local sys = require "peal.sys"

local need, profile, write = phones.need, phones.profile, phones.write

local DAY <const> = 86400

describe("peal cert", function()
  local lab, root, nginx, url, expired

  setup(function()
    lab = pki.new()
    root = process.temp_dir()
    write(root .. "/a.xml", profile { GPP_C = "got" })
    if not servers.find("nginx") then return end
    local now = os.time()
    expired = lab:server { cn = "localhost", from = now - 30 * DAY,
      to = now - DAY }
    nginx = servers.nginx { root = root, tls = { cert = expired.cert,
      key = expired.key } }
    url = ("https://localhost:%d/a.xml"):format(nginx.https_port)
  end)
  teardown(function()
    if nginx then nginx:stop() end
    process.remove(root)
    lab:close()
  end)

  local function phone(o)
    o = o or {}
    o.trust = o.trust or { ca = lab.ca.cert }
    o.params = o.params or {}
    o.params.Resync_On_Reset = "No"
    o.params.Resync_Periodic = "0"
    return phones.new(o)
  end

  local function ok(r)
    assert.equal(0, r.code, r.err)
    return r
  end

  -- The entries of a list, and those that are not the factory's.
  local function list(p)
    local all, own = json.decode(ok(p:run("cert", "list", "--json")).out), {}
    for _, entry in ipairs(all) do
      if not entry.builtin then own[#own + 1] = entry end
    end
    return own, all
  end

  local function refused(p)
    local r = p:resync(url)
    assert.equal(1, r.code)
    return r.last.word
  end

  -- A server's certificate through its whole life.
  local function life(p)
    assert.equal("c.expired", refused(p))
    local entry = list(p)[1]
    assert.same({ "invalid", "invalid", "server", "c.expired", "localhost" },
      { entry.list, entry.state, entry.type, entry.reason, entry.cn })
    local id = entry.id:sub(1, 10)
    local table_of = ok(p:run("cert", "list")).out
    assert.matches("ID +LIST +STATE +EXPIRES +SUBJECT", table_of)
    assert.matches(id .. "%x%x +invalid +c.expired +%d+%-%d+%-%d+ "
      .. " *CN=localhost", table_of)

    assert.is_truthy(p:run("resync", url).err:find("peal cert show "
      .. entry.id:sub(1, 12) .. " --phone " .. p.file .. " --store "
      .. p.store, 1, true))

    local said = ok(p:run("cert", "accept", id))
    assert.matches("^peal: accepted " .. id, said.err)
    assert.equal("", said.out)
    assert.equal("success", p:resync(url).json.outcome)
    entry = list(p)[1]
    assert.same({ "server", "accepted" }, { entry.list, entry.state })

    local again = p:run("cert", "accept", id)
    assert.equal(1, again.code)
    assert.is_truthy(again.err:find("^peal: not in Invalid list: it is "
      .. "accepted %[bad%-state%]\n +remove it first: peal cert remove " .. id
      .. " %-%-phone %S+ %-%-store " .. p.store:gsub("%p", "%%%0") .. ";"),
      again.err)

    ok(p:run("cert", "remove", id))
    assert.same({}, (list(p)))
    assert.equal("c.expired", refused(p))

    ok(p:run("cert", "reject", id))
    assert.equal("c.rejected", refused(p))
    entry = list(p)[1]
    assert.same({ "server", "rejected" }, { entry.list, entry.state })
  end

  it("lets an expired one in, and out again", function()
    if not need("nginx") then return end
    local p <close> = phone()
    life(p)
  end)

  it("does the same through the daemon that owns the store", function()
    if not need("nginx") then return end
    local p <close> = phone()
    local d <close> = daemons.start { p }
    local events <close> = d:follow()
    life(p)
    for _, outcome in ipairs { "accepted", "removed", "rejected" } do
      local event = events:wait { event = "certificate", what = "list",
        outcome = outcome }
      assert.equal("CN=localhost", event.subject)
    end
    assert.matches("certificate accepted by hand: CN=localhost", d:log())
    assert.matches("certificate rejected by hand: CN=localhost", d:log())
    assert.equal(0, d:stop())
    assert.equal("rejected", list(p)[1].state)
  end)

  it("shows everything about one", function()
    if not need("nginx") then return end
    local p <close> = phone()
    refused(p)
    local id = list(p)[1].id
    local text = ok(p:run("cert", "show", id:sub(1, 8):upper())).out
    for _, pattern in ipairs { "subject +CN=localhost\n",
      "issuer +O=Lab, CN=Lab CA\n", "serial +%x", "valid +%d+%-.* to %d+%-",
      "names +DNS:localhost, IP:127.0.0.1", "key +EC[^\n]*256",
      "SHA%-256 +" .. id:sub(1, 2):upper() .. ":", "SHA%-1 +%x%x:",
      "list +invalid, a server's certificate", "state +invalid",
      "reason +c.expired", "shown by +localhost", "since +20" } do
      assert.matches(pattern, text)
    end
    local data = json.decode(ok(p:run("cert", "show", id, "--json")).out)
    assert.equal(id, data.sha256)
    assert.is_nil(text:find("BEGIN", 1, true))
  end)

  it("tells what is built in, and takes it away", function()
    local p <close> = phone()
    local own, all = list(p)
    assert.same({}, own)
    assert.same({ "ca", "valid", true, "Lab CA" },
      { all[1].list, all[1].state, all[1].builtin, all[1].cn })
    assert.matches("valid %(factory%)", p:run("cert", "list").out)
    ok(p:run("cert", "remove", all[1].id))
    assert.matches("^no certificate is in the lists\n",
      p:run("cert", "list").out)
    if not need("nginx") then return end
    assert.equal("c.untrusted", refused(p))
  end)

  it("takes certificates from a file, PEM or DER", function()
    local p <close> = phone { trust = {} }
    local der = p.dir .. "/ca.der"
    pki.openssl { "x509", "-in", lab.ca.cert, "-outform", "DER", "-out", der }
    local r = ok(p:run("cert", "import", der))
    assert.matches("  ca  O=Lab, CN=Lab CA\n", r.out)
    assert.equal("peal: 1 imported\n", r.err)
    r = ok(p:run("cert", "import", lab.ca.cert))
    assert.equal("peal: 0 imported, 1 known before\n", r.err)
    if not expired then return end
    local done = json.decode(ok(p:run("cert", "import", expired.cert,
      "--json")).out)
    assert.same({ {}, 0, 1 }, { done.added, done.duplicates, done.expired })
    local id = done.invalid[1].id:sub(1, 12)
    assert.equal("c.expired", done.invalid[1].reason)
    ok(p:run("cert", "reject", id))
    r = ok(p:run("cert", "import", expired.cert))
    assert.equal(id .. "  server  CN=localhost\n", r.out)
    assert.equal("peal: 0 imported, 1 expired, and still rejected\n", r.err)
    ok(p:run("cert", "remove", id))
    r = ok(p:run("cert", "import", expired.cert))
    assert.equal(id .. "  invalid  CN=localhost\n", r.out)
    assert.equal("c.expired", list(p)[2].reason)
  end)

  it("is the same through the daemon", function()
    local p <close> = phone { trust = {} }
    local d <close> = daemons.start { p }
    ok(p:run("cert", "import", lab.ca.cert))
    assert.matches("certificate imported by hand: O=Lab, CN=Lab CA", d:log())
    local id = list(p)[1].id
    local pem = ok(p:run("cert", "export", id)).out
    assert.matches("^%-%-%-%-%-BEGIN CERTIFICATE", pem)
    assert.matches("subject", ok(p:run("cert", "show", id)).out)
  end)

  it("prints one as PEM, or writes it", function()
    local p <close> = phone()
    local _, all = list(p)
    local pem = ok(p:run("cert", "export", all[1].id)).out
    local out = p.dir .. "/out.pem"
    local r = ok(p:run("cert", "export", all[1].id, "--out", out))
    assert.equal("", r.out)
    assert.equal(pem, program.slurp(out))
    local data = json.decode(ok(p:run("cert", "export", all[1].id,
      "--json")).out)
    assert.equal(pem, data.pem)
    local function body(text) return text:gsub("%s", "") end
    assert.equal(body(program.slurp(lab.ca.cert)):match("(%-%-%-.*)"),
      body(pem))
  end)

  it("says what is wrong, and what to do", function()
    local p <close> = phone()
    local function wrong(code, pattern, ...)
      local r = p:run("cert", ...)
      assert.equal(code, r.code, r.err)
      assert.matches(pattern, r.err)
    end
    wrong(2, "list, show, accept", nil)
    wrong(2, "list, show, accept", "trust")
    wrong(2, "peal cert show takes one ID", "show")
    wrong(2, "takes options only", "list", "x")
    wrong(1, "%[not%-found%]\n +list them with: peal cert list "
      .. "%-%-phone %S+ %-%-store %S+st", "show", "0123456789")
    wrong(1, "hexadecimal", "show", "nobody")
    wrong(1, "%[io%]\n", "import", p.dir .. "/none.pem")
    wrong(1, "phone.lua: .*%]\n +is it PEM or DER", "import", p.file)
    local big = p.dir .. "/big"
    write(big, (" "):rep(1 << 20) .. program.slurp(lab.ca.cert))
    wrong(1, "big: longer than 1024 KiB %[toobig%]\n", "import", big)
    write(big, program.slurp(lab.ca.cert):rep(500))
    wrong(1, "more than 200 KiB %[toobig%]\n +import the roots", "import", big)
    local help = ok(p:run("cert", "--help")).out
    for _, word in ipairs { "accept", "updateca", "renew", "--out", "PEM" } do
      assert.is_truthy(help:find(word, 1, true), word)
    end
  end)

  it("takes the PKCS #7 that other programs write as PEM", function()
    local p <close> = phone { trust = {} }
    local file = p.dir .. "/ca.p7b"
    pki.openssl { "crl2pkcs7", "-nocrl", "-certfile", lab.ca.cert, "-out",
      file }
    assert.matches("BEGIN PKCS7", program.slurp(file))
    assert.equal("peal: 1 imported\n",
      ok(p:run("cert", "import", file)).err)
    assert.equal("Lab CA", list(p)[1].cn)
    write(file, "-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n")
    local r = p:run("cert", "import", file)
    assert.equal(1, r.code)
    assert.matches("ca.p7b: [^\n]+%[[%w-]+%]\n +is it PEM or DER", r.err)
  end)

  it("names the store it wants", function()
    for _, args in ipairs { { "cert", "list" }, { "ca", "status" },
      { "status" } } do
      local r = program.peal(table.unpack(args))
      assert.equal(2, r.code)
      assert.matches("needs a store to read", r.err)
    end
    assert.matches("needs a store to write to",
      program.peal("cert", "accept", "0123").err)
  end)

  it("names a CA whose subject is long by its common name", function()
    local p <close> = phone { trust = {} }
    local ca = p.dir .. "/long.pem"
    pki.openssl { "req", "-x509", "-newkey", "ec", "-pkeyopt",
      "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", p.dir .. "/key",
      "-out", ca, "-subj",
      "/C=ES/O=A trust service provider/OU=Its roots/CN=Root of phones" }
    assert.matches("  ca  CN=Root of phones\n",
      ok(p:run("cert", "import", ca)).out)
    local text = p:run("cert", "list").out
    assert.matches("valid +20[%d%-]+  CN=Root of phones\n", text)
    for line in text:gmatch("[^\n]+") do assert.is_true(#line <= 80, line) end
  end)

  it("fetches a bundle once, and leaves Custom_CA_Rule alone (vector 6)",
    function()
      if not need("nginx") then return end
      local web <close> = servers.nginx { root = root }
      write(root .. "/b.pem", program.slurp(lab.ca.cert))
      local at = ("http://127.0.0.1:%d/"):format(web.http_port)
      local p <close> = phone { trust = {} }
      local r = ok(p:run("cert", "updateca", at .. "b.pem"))
      assert.matches("^peal: done: Installed %- Lab CA\npeal: the bundle "
        .. "came by http: anybody on the way could put in their own\n", r.err)
      local brought = list(p)[1]
      assert.same({ "Lab CA", "ca", "valid", true }, { brought.cn,
        brought.list, brought.state, brought.custom_ca })
      assert.matches("valid %(custom CA%)", p:run("cert", "list").out)
      assert.equal("c.expired", refused(p)) -- no more c.untrusted
      assert.equal("", p:param("Custom_CA_Rule"))
      r = p:run("cert", "updateca", at .. "none.pem")
      assert.equal(1, r.code)
      assert.matches("404 %[fnf%]\n +does the server have that file%?\n$",
        r.err)
      assert.matches("custom CA +Installed %- Lab CA; Last provisioning failed",
        p:run("status").out)
      local d <close> = daemons.start { p }
      r = ok(p:run("cert", "updateca", at .. "b.pem", "--json"))
      assert.equal("done", json.decode(r.out).outcome)
      assert.equal("http", json.decode(r.out).by)
      assert.matches("came by http: anybody",
        p:run("cert", "updateca", at .. "b.pem").err)
      assert.matches("custom CA +Installed %- Lab CA; Last provisioning succ",
        p:run("status").out)
      assert.equal(0, d:stop())
      r = ok(p:run("cert", "remove", brought.id))
      assert.equal(("peal: removed %s: O=Lab, CN=Lab CA\n"):format(
        brought.id:sub(1, 12)), r.err)
      assert.matches("custom CA +Not Installed", p:run("status").out)
      assert.equal("c.untrusted", refused(p))
    end)

  it("says that Custom_CA_Rule does not bring back what is removed", function()
    if not need("nginx") then return end
    local web <close> = servers.nginx { root = root }
    write(root .. "/b.pem", program.slurp(lab.ca.cert))
    local p <close> = phone { trust = {}, params = {
      Custom_CA_Rule = ("http://127.0.0.1:%d/b.pem"):format(web.http_port) } }
    refused(p)
    local r = ok(p:run("cert", "remove", list(p)[1].id))
    assert.matches("\npeal: Custom_CA_Rule brings it back only when its text "
      .. "changes, or with: peal cert updateca URL %-%-phone", r.err)
    refused(p)
    assert.matches("custom CA +Not Installed", p:run("status").out)
  end)
end)

describe("a key that others can read", function()
  it("is refused with the command that mends it", function()
    local lab = pki.shared()
    local client = lab:client { cn = "loose" }
    process.chmod(client.key, 416) -- 0640
    finally(function() process.chmod(client.key, 384) end)
    local p <close> = phones.new { trust = { ca = lab.ca.cert,
      cert = client.cert, key = client.key } }
    local r = p:run("resync", "http://127.0.0.1:9/a.xml")
    assert.equal(1, r.code)
    assert.is_truthy(r.err:find("can be read by others; type: chmod 600 "
      .. client.key, 1, true))
    assert.matches("%[permission%]", r.err)
  end)

  it("is in no dump of the program's memory", function()
    if program.sanitized then return end
    local lab = pki.shared()
    local client = lab:client()
    -- soft limit on the dumps of a daemon's process
    local function limit(trust)
      local p <close> = phones.new { trust = trust,
        params = { Resync_On_Reset = "No" } }
      local d <close> = daemons.start { p,
        wrap = { "prlimit", "--core=1000:" } }
      local text = program.slurp(("/proc/%d/limits"):format(
        d:ask("ping").pid))
      assert.equal(0, d:stop())
      return text:match("Max core file size +(%S+)")
    end
    assert.equal("1000", limit { ca = lab.ca.cert })
    assert.equal("0", limit { ca = lab.ca.cert, cert = client.cert,
      key = client.key })
  end)

  it("is refused in a store too", function()
    local p <close> = phones.new()
    if not sys.stat(p.store .. "/key") then
      p:run("set", "GPP_SC=geh31m")
      p:run("params", "GPP_SC")
    end
    process.chmod(p.store .. "/key", 416)
    local r = p:run("get", "GPP_A")
    assert.equal(1, r.code)
    assert.matches("store/key: can be read by others %[permission%]\n"
      .. " +type: chmod 600 [^\n]*store/key\n", r.err)
    process.chmod(p.store .. "/key", 384)
    assert.equal("before", p:param("GPP_A"))
  end)

  it("is none of a phone file's other roots", function()
    local lab = pki.shared()
    local p <close> = phones.new { trust = { private_ca = lab.ca.cert } }
    local all = json.decode(p:run("cert", "list", "--json").out)
    assert.equal("Lab CA", all[1].cn)
    assert.is_true(all[1].builtin)
  end)
end)

