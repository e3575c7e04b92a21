-- One resync from several servers, and one from a large profile.
-- Source: MPP provisioning guide, Profile_Rule to Profile_Rule_D; order of
-- commits is our choice.
local encode = require "peal.encode"
local phones = require "support.phones"
local pki = require "support.pki"
local process = require "support.process"
local profiles = require "support.profiles"
local program = require "support.program"
local registry = require "peal.registry"
local servers = require "support.servers"
local store = require "peal.store"

local fails, succeeds = phones.fails, phones.succeeds
local profile, write = phones.profile, phones.write

local WHO <const> = "CP-8841-3PCC 00:0e:08:ab:cd:ef"

local function need()
  if not phones.need("nginx", "in.tftpd") then return false end
  if process.uid() ~= 0 then
    pending("tftpd needs root")
    return false
  end
  return true
end

describe("a fleet's servers", function()
  local root, lab, trust, web, other, tftpd
  local https, http, tftp

  setup(function()
    if not (servers.find("nginx") and servers.find("in.tftpd"))
      or process.uid() ~= 0 then
      return
    end
    lab = pki.shared()
    root = process.temp_dir()
    local cert, client = lab:server { cn = "localhost" }, lab:client()
    trust = { ca = lab.ca.cert, cert = client.cert, key = client.key }
    other = servers.nginx { root = root, address = "127.0.0.2" }
    web = servers.nginx { root = root, http = true, tls = { cert = cert.cert,
      key = cert.key, client_ca = lab.ca.cert, verify = "on" },
      locations = ("location /away/ { return 302 http://127.0.0.2:%d/b.xml; }")
        :format(other.http_port) }
    tftpd = servers.tftpd { root = root }
    https = ("https://localhost:%d"):format(web.https_port)
    http = ("http://127.0.0.1:%d"):format(web.http_port)
    tftp = ("tftp://127.0.0.1:%d"):format(tftpd.port)
  end)
  teardown(function()
    for _, s in pairs { web, other, tftpd } do s:stop() end
    if root then process.remove(root) end
  end)

  it("give rules A to D their profiles, each known by its own", function()
    if not need() then return end
    -- A names B's file and D's key; C is skipped by what B has set
    write(root .. "/000e08abcdef.xml", profile { GPP_A = "a", GPP_P = "p1",
      GPP_SA = "s3cret", Display_Name_1_ = "Anna &amp; Bob" })
    write(root .. "/p1.xml", profile { GPP_B = "b", GPP_P = "p2" })
    write(root .. "/d.enc", encode.aes(encode.gzip(profile { GPP_D = "d",
      GPP_A = "a by d" }), "s3cret", "md5", "12345678"))
    local sink <close> = servers.syslog_sink()
    local p <close> = phones.new { trust = trust, params = {
      Syslog_Server = "127.0.0.1:" .. sink.port,
      Profile_Rule = https .. "/$MA.xml",
      Profile_Rule_B = http .. "/$P.xml",
      Profile_Rule_C = '("$P" eq "p1")? ' .. http .. "/never.xml",
      Profile_Rule_D = '(e="$PN";)! [--key $SA] ' .. tftp .. "/d.enc" } }
    local r = succeeds(p)
    local got = {}
    for i, done in ipairs(r.json.rules) do
      got[i] = { done.rule, done.outcome, done.url }
    end
    assert.same({ { "Profile_Rule", "success", https .. "/000e08abcdef.xml" },
      { "Profile_Rule_B", "success", http .. "/p1.xml" },
      { "Profile_Rule_C", "skipped" },
      { "Profile_Rule_D", "success", tftp .. "/d.enc" } }, got)
    local values = p:params()
    assert.same({ "a by d", "b", "d", "CP-8841-3PCC", "p2",
      "Anna & Bob" }, { values.GPP_A, values.GPP_B, values.GPP_D,
      values.GPP_E, values.GPP_P, values.Display_Name_1_ })
    for name, want in pairs {
      Display_Name_1_ = { "Profile_Rule", https .. "/000e08abcdef.xml", 2 },
      GPP_B = { "Profile_Rule_B", http .. "/p1.xml", 2 },
      GPP_D = { "Profile_Rule_D", tftp .. "/d.enc", 3 },
      GPP_A = { "Profile_Rule_D", tftp .. "/d.enc", 2 },
      GPP_P = { "Profile_Rule_B", http .. "/p1.xml", 3 },
    } do
      local why = p:explain(name)
      assert.same(want, { why.rule, why.url, why.line }, name)
      assert.equal(1, why.cycle)
    end
    assert.equal("a", p:explain("GPP_A").overrode.value)
    assert.equal("assign", p:explain("GPP_E").author)
    local lines = sink.lines(6)
    for i, url in ipairs { https, https, http, http, tftp, tftp } do
      local host = url:gsub("localhost", "127.0.0.1")
      assert.is_truthy(lines[i]:find(" " .. host .. "/", 1, true)
        or lines[i]:find(" " .. url:gsub("localhost", "::1"):gsub("//::1",
          "//[::1]") .. "/", 1, true), lines[i])
    end
    assert.is_nil(sink.recv())
    -- again: the same files change nothing but what A and D disagree on
    r = succeeds(p)
    assert.equal(0, r.json.rules[3].changes or 0)
  end)

  it("stop at the first that fails; what came before stays", function()
    if not need() then return end
    write(root .. "/a.xml", profile { GPP_C = "a" })
    local p <close> = phones.new { trust = trust, params = {
      Profile_Rule = https .. "/a.xml", Profile_Rule_B = tftp .. "/none.xml",
      Profile_Rule_C = http .. "/a.xml" } }
    local before = #web.requests()
    local r = p:resync()
    assert.equal(1, r.code)
    assert.same({ 2, "success", "failure" }, { #r.json.rules,
      r.json.rules[1].outcome, r.json.rules[2].outcome })
    assert.equal("a", p:param("GPP_C"))
    assert.equal(before + 1, #web.requests(before + 1))
    -- and again from A: the store is as it was
    fails(p, nil, { word = "fnf", class = "B" })
    assert.equal(before + 2, #web.requests(before + 2))
    r = succeeds(p, nil, { set = { "Resync_Fails_On_FNF=No" } })
    assert.equal("success", r.json.rules[3].outcome)
  end)

  it("are named in messages as the rule names them, redirected or not",
    function()
      if not need() then return end
      write(root .. "/b.xml", profile { GPP_C = "b" })
      local sink <close> = servers.syslog_sink()
      local p <close> = phones.new { params = {
        Syslog_Server = "127.0.0.1:" .. sink.port } }
      succeeds(p, http .. "/away/b.xml")
      local lines = sink.lines(2)
      for i, what in ipairs { "Requesting", "Successful" } do
        assert.equal(("%s -- %s resync %s/away/b.xml"):format(WHO, what,
          http), lines[i]:match("%d%d:%d%d:%d%d (.*)$"))
      end
    end)

  it("serve a large profile, sealed and zipped, to a known phone", function()
    if not need() then return end
    local text, expected, unknown = profiles.make { params = 3000,
      bytes = 200000, declaration = true, comments = true, repeats = 40 }
    assert.equal(200000, #text)
    write(root .. "/large.enc", encode.aes(encode.gzip(text), "k3y", "md5",
      "12345678"))
    local p <close> = phones.new { trust = trust }
    local r = succeeds(p, "[--key k3y] " .. https .. "/large.enc")
    local count = 0
    for _ in pairs(unknown) do count = count + 1 end
    assert.is_true(r.last.counts.unknown >= count)
    assert.equal(0, r.last.counts.bad)
    assert.equal(3040, r.last.counts.elements)
    local values, wrong = p:params(), {}
    local stored <close> = assert(store.open { read_only = true,
      schema = assert(registry.load {}), path = p.store })
    local secrets = 0
    for name, value in pairs(expected) do
      local about = stored:value(name)
      local shown = values[name]
      if about.secret then
        secrets = secrets + 1
        shown = shown:find("^#%x+$") and about.text
      end
      if about.text ~= value or shown ~= value then
        wrong[#wrong + 1] = name
      end
    end
    assert.same({}, wrong)
    assert.is_true(secrets > 50 and secrets < 200)
    -- and once more: nothing to write
    local before = program.snapshot(p.store)
    r = succeeds(p, "[--key k3y] " .. https .. "/large.enc")
    assert.equal(0, #r.json.changes)
    assert.same(before, program.snapshot(p.store))
    -- the unknown ones are kept where that is asked for
    r = p:run("resync", "--keep-unknown", "[--key k3y] " .. https
      .. "/large.enc")
    assert.equal(0, r.code, r.err)
    assert.matches(" %d+ unknown but kept, ", r.out .. r.err)
    assert.is_nil(r.err:find("no such parameter", 1, true))
    values = p:params()
    for name, value in pairs(unknown) do
      if values[name] ~= value then wrong[#wrong + 1] = name end
    end
    assert.same({}, wrong)
  end)
end)
