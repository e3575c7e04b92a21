-- peal ca: with a store alone, and through the daemon that owns it.
local daemons = require "support.daemons"
local json = require "peal.json"
local phones = require "support.phones"
local pki = require "support.pki"
local program = require "support.program"
local sys = require "peal.sys"

local TERMINALS <const> = { { id = "21", kind = "system" },
  { id = "22", kind = "sip" }, { id = "23", kind = "standard" } }

local function new(device)
  device.simulated = true
  return phones.new { identity = { IP = "192.168.1.200" }, device = device,
    params = { Resync_Random_Delay = "0" } }
end

local function status_of(p)
  local r = p:run("ca", "status", "--json")
  assert.equal(0, r.code, r.err)
  return json.decode(r.out)
end

local function statuses(p)
  local out = {}
  for _, one in ipairs(status_of(p).terminals) do out[one.id] = one.status end
  return out
end

-- Everything in a folder and below, as one text.
local function all_files(dir)
  local parts = {}
  for _, name in ipairs(sys.list(dir) or {}) do
    local path = dir .. "/" .. name
    parts[#parts + 1] = sys.list(path) and all_files(path)
      or program.slurp(path)
  end
  return table.concat(parts, "\n")
end

describe("peal ca without a daemon", function()
  it("has nothing to show of a plain phone, and leaves no file", function()
    local p <close> = new {}
    local r = p:run("ca", "status")
    assert.equal(0, r.code)
    assert.truthy(r.out:find("serves no terminals", 1, true))
    r = p:run("ca", "export", "root")
    assert.equal(1, r.code)
    assert.truthy(r.err:find("peal ca generate", 1, true), r.err)
    assert.is_nil(sys.stat(p.store .. "/keys/host"))
  end)

  it("generates, and brings them onto the terminals", function()
    local p <close> = new { terminals = TERMINALS }
    assert.equal("NONE", status_of(p).state)
    local r = p:run("ca", "generate")
    assert.equal(0, r.code, r.err)
    assert.truthy(r.err:find("made: %x+, for 192.168.1.200, 365 days"), r.err)
    local status = status_of(p)
    assert.equal("VALID", status.state)
    assert.matches("^20%d%d%-%d%d%-%d%dT[%d:]+Z$", status.next_run)
    assert.same({ ["21"] = "installed", ["22"] = "installed",
      ["23"] = "manual" }, statuses(p))
    r = p:run("ca", "status")
    for _, text in ipairs { "state       VALID", status.id, "192.168.1.200",
      "next        " .. status.next_run,
      "TERMINAL  KIND      STATUS", "manual" } do
      assert.truthy(r.out:find(text, 1, true), text .. "\n" .. r.out)
    end
  end)

  it("exports what openssl takes for root and host", function()
    local p <close> = new {}
    assert.equal(0, p:run("ca", "generate").code)
    local root, host = p.dir .. "/root.pem", p.dir .. "/host.pem"
    assert.equal(0, p:run("ca", "export", "root", "--out", root).code)
    phones.write(host, p:run("ca", "export", "host").out)
    pki.openssl { "verify", "-x509_strict", "-CAfile", root, "-purpose",
      "sslserver", "-verify_ip", "192.168.1.200", host }
    pki.openssl { "verify", "-x509_strict", "-CAfile", root, "-purpose",
      "sslclient", host }
    local text = program.run { "openssl", "x509", "-in", root, "-noout",
      "-text" }.out
    assert.truthy(text:find("CA:TRUE, pathlen:0", 1, true), text)
    assert.truthy(text:find("ASN1 OID: prime256v1", 1, true), text)
  end)

  it("exports older roots after the root", function()
    local p <close> = new {}
    p:run("ca", "generate")
    p:run("ca", "generate")
    local _, n = p:run("ca", "export", "root").out:gsub("BEGIN CERT", "")
    assert.equal(2, n)
    assert.equal(1, #status_of(p).previous)
    assert.truthy(p:run("ca", "status").out:find("older root", 1, true))
  end)

  it("never shows a key, whose file only the owner reads", function()
    local p <close> = new {}
    p:run("ca", "generate")
    local r = p:run("ca", "export", "key")
    assert.equal(2, r.code)
    assert.truthy(r.err:find("a key stays here", 1, true))
    local path = p.store .. "/keys/host/current/host.key"
    local key = program.slurp(path)
    assert.truthy(key:find("PRIVATE KEY", 1, true))
    assert.equal(384, sys.stat(path).mode & 511)
    assert.equal(448, sys.stat(p.store .. "/keys").mode & 511)
    assert(os.rename(p.store .. "/keys", p.dir .. "/keys"))
    local secret = key:match("\n(.-)\n")
    assert.is_nil(all_files(p.store):find(secret, 1, true))
  end)

  it("refuses without a synchronised clock, unless forced", function()
    local p <close> = new { clock_trusted = false }
    local r = p:run("ca", "generate")
    assert.equal(3, r.code)
    assert.truthy(r.err:find("not synchronised", 1, true), r.err)
    assert.truthy(r.err:find("--force", 1, true), r.err)
    r = p:run("ca", "generate", "--json")
    assert.equal(3, r.code)
    assert.equal("refused", json.decode(r.out).outcome)
    assert.equal(0, p:run("ca", "generate", "--force").code)
  end)

  it("marks what somebody has installed by hand", function()
    local p <close> = new { terminals = TERMINALS }
    p:run("ca", "generate")
    assert.equal(0, p:run("ca", "installed", "23").code)
    assert.equal("installed", statuses(p)["23"])
    local r = p:run("ca", "installed", "23")
    assert.equal(1, r.code)
    assert.truthy(r.err:find("[bad-state]", 1, true), r.err)
    assert.truthy(p:run("ca", "installed", "99").err:find("[not-found]", 1,
      true))
  end)

  it("says what it takes", function()
    local p <close> = new {}
    for _, arguments in ipairs { {}, { "frob" }, { "export" },
      { "status", "x" }, { "installed" }, { "export", "root", "host" } } do
      local r = p:run("ca", table.unpack(arguments))
      assert.equal(2, r.code, r.err)
      assert.truthy(r.err:find("peal ca --help", 1, true), r.err)
    end
  end)
end)

describe("peal ca with a daemon", function()
  it("asks the daemon, whose engine does it", function()
    local p <close> = new { terminals = TERMINALS }
    local d <close> = daemons.start { p }
    d:wait_log("host certificate: VALID")
    local before = status_of(p)
    assert.equal("VALID", before.state)
    local r = p:run("ca", "generate")
    assert.equal(0, r.code, r.err)
    local after = status_of(p)
    assert.are_not.equal(before.id, after.id)
    assert.equal(before.root.sha256, after.previous[1].sha256)
    r = p:run("ca", "export", "host", "--json")
    assert.truthy(json.decode(r.out).pem:find("BEGIN CERTIFICATE", 1, true))
    assert.equal(0, p:run("ca", "installed", "23").code)
    assert.equal("installed", statuses(p)["23"])
    assert.is_nil(d:log():find("PRIVATE", 1, true))
    assert.equal(0, d:stop())
    -- what the daemon kept
    assert.equal(after.id, status_of(p).id)
    assert.equal("installed", statuses(p)["23"])
  end)

  it("refuses without a synchronised clock", function()
    local p <close> = new { clock_trusted = false, terminals = TERMINALS }
    local d <close> = daemons.start { p }
    d:wait_log("host certificate: WAIT_NTP")
    assert.equal(3, p:run("ca", "generate").code)
    local status = status_of(p)
    assert.equal("WAIT_NTP", status.state)
    assert.truthy(status.alarm:find("until the clock is synchronised", 1, true))
    assert.truthy(p:run("status").out:find("host cert +WAIT_NTP: new"))
    assert.equal(0, p:run("ca", "generate", "--force").code)
    assert.equal("VALID", status_of(p).state)
  end)

  it("answers clients that ask for what there is not", function()
    local p <close> = new {}
    local d <close> = daemons.start { p }
    for _, case in ipairs { { "ca_export", { what = "host.key" }, "invalid" },
      { "ca_export", {}, "invalid" }, { "ca_export", { what = "root" },
        "not-found" }, { "ca_installed", { terminal = 5 }, "not-found" },
      { "ca_installed", {}, "not-found" } } do
      local result, sentence, word = d:ask(case[1], case[2])
      assert.is_nil(result)
      assert.truthy(sentence)
      assert.equal(case[3], word)
    end
  end)
end)
