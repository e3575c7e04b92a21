-- Reports to real servers.
-- Source: MPP provisioning guide, Report_Rule, HTTP_Report_Method.
local context = require "peal.cycle.context"
local cycle = require "peal.cycle"
local daemon = require "support.servers.daemon"
local decode = require "peal.decode"
local live = require "peal.world.live"
local loop = require "peal.loop"
local phone = require "peal.phone"
local phones = require "support.phones"
local pki = require "support.pki"
local process = require "support.process"
local registry = require "peal.registry"
local report = require "peal.report"
local servers = require "support.servers"
local store = require "peal.store"

local schema

-- A phone in this process, on the live world.
local function new_phone(params)
  schema = schema or assert(registry.load {})
  local st = assert(store.open { schema = schema })
  local txn = assert(st:begin())
  for name, value in pairs(params) do assert(txn:set(name, value)) end
  assert(txn:commit("spec", 0))
  return phone.new { world = live.new { loop = loop.new(), store = st },
    identity = { PN = "CP-8841-3PCC", MAC = "000e08abcdef" } }
end

local function ask(p, event)
  return p.world.run(function()
    return report.consider(p, context.new(p, { asked_by = event }),
      { event = event })
  end)
end

local function set(p, name, text)
  local txn = assert(p.world.store:begin())
  assert(txn:set(name, text))
  assert(txn:commit("spec", 0))
end

-- Takes what is posted to /cgi-bin/take.sh/NAME into a file of that name, but
-- fails where there is a file "full".
local TAKE <const> = [[#!/bin/sh
cd %q || exit 1
if [ -e full ]; then
  printf 'Status: 500 Full\r\n\r\n'
else
  cat > "$(basename "$PATH_INFO")"
  printf 'Status: 202 Accepted\r\n\r\n'
fi
]]

describe("Apache", function()
  local root, server, base

  setup(function()
    if not servers.find("apache2") then return end
    root = process.temp_dir()
    process.chmod(root, 511) -- 0777: what the server takes is its own
    local cgi = root .. "/cgi"
    process.mkdir(cgi)
    process.chmod(cgi, 493)
    phones.write(cgi .. "/take.sh", TAKE:format(root))
    process.chmod(cgi .. "/take.sh", 493)
    server = servers.apache { root = root, cgi = cgi,
      digest = { location = "/cgi-bin/take.sh/private", realm = "lab",
        user = "joe", password = "geheim" } }
    base = ("http://127.0.0.1:%d/cgi-bin/take.sh/"):format(server.http_port)
  end)
  teardown(function()
    if server then server:stop() end
    if root then process.remove(root) end
  end)

  -- Of the requests that end so, at least n.
  local function statuses(ending, n)
    local list, lines = {}, {}
    while #list < n do
      lines, list = server.requests(#lines + 1), {}
      for _, line in ipairs(lines) do
        if line.uri:sub(-#ending) == ending then
          list[#list + 1] = line.status
        end
      end
    end
    return list
  end

  it("is posted the whole configuration (P1)", function()
    if not phones.need("apache2") then return end
    local p = new_phone { Report_Rule = base .. "$MA.xml", GPP_SA = "hush",
      IKM_HTTP_Encrypt_Content = "", Station_Name = "Zoë & <Co>" }
    assert.equal("sent", ask(p, "request").outcome)
    local last = server.requests(1)[1]
    assert.same({ "POST", 202, "application/xml" },
      { last.method, last.status, last.headers["content-type"] })
    local text = daemon.read(root .. "/000e08abcdef.xml")
    local seen = {}
    for _, element in ipairs(assert(decode.elements(text))) do
      seen[element.name] = element.value
    end
    assert.matches("^<device>", text)
    assert.same({ "", nil, nil, "Zoë & <Co>" }, { seen.GPP_A, seen.GPP_SA,
      seen.IKM_HTTP_Encrypt_Content, seen.Station_Name })
  end)

  it("is sent what openssl decrypts (P4)", function()
    if not phones.need("apache2") then return end
    local p = new_phone {
      Report_Rule = "[--delta --key test123]" .. base .. "d.enc",
      GPP_A = "told" }
    assert.equal("sent", ask(p, "request").outcome)
    pki.openssl { "enc", "-d", "-aes-256-cbc", "-md", "md5", "-k", "test123",
      "-in", root .. "/d.enc", "-out", root .. "/d.xml" }
    local list = decode.elements(daemon.read(root .. "/d.xml"))
    local names = {}
    for i, element in ipairs(list) do names[i] = element.name end
    assert.same({ "Report_Rule", "GPP_A" }, names)
  end)

  it("is told again what it could not take (P6)", function()
    if not phones.need("apache2") then return end
    local p = new_phone { Report_Rule = "[--delta]" .. base .. "d6.xml" }
    ask(p, "request")
    set(p, "GPP_B", "new")
    phones.write(root .. "/full", "")
    assert.equal("failed", ask(p, "request").outcome)
    os.remove(root .. "/full")
    assert.equal("sent", ask(p, "request").outcome)
    local list = decode.elements(daemon.read(root .. "/d6.xml"))
    assert.same({ 1, "GPP_B", "new" },
      { #list, list[1].name, list[1].value })
    assert.equal("none", ask(p, "request").outcome)
    assert.same({ 202, 500, 202 }, statuses("/d6.xml", 3))
  end)

  it("may ask who reports", function()
    if not phones.need("apache2") then return end
    local p = new_phone { Report_Rule =
      "[--uid joe --pwd geheim --status]" .. base .. "private/st.xml" }
    assert.equal("sent", ask(p, "request").outcome)
    assert.matches("^<status>\n<Product_Name>CP%-8841%-3PCC",
      daemon.read(root .. "/st.xml"))
    set(p, "Report_Rule", "[--uid joe --pwd wrong --status]" .. base
      .. "private/st.xml")
    local r = ask(p, "request")
    assert.same({ "failed", "Authentication failed" },
      { r.outcome, r.cause.err })
  end)
end)

describe("nginx", function()
  it("is put a file (P2), which changes nothing when read back (P7)",
    function()
      if not phones.need("nginx") then return end
      local root = process.temp_dir()
      local server <close> = servers.nginx { root = root,
        locations = "dav_methods PUT; client_max_body_size 8m;\n" }
      local where = ("http://127.0.0.1:%d/cfg.xml"):format(server.http_port)
      local p = new_phone { Report_Rule = where, HTTP_Report_Method = "PUT",
        Profile_Rule = where, Profile_Rule_B = "# [--key k3y] http://h/x",
        Resync_Periodic = "1800", GPP_K = "[--pwd hush] a", Station_Name = "" }
      assert.equal("sent", ask(p, "boot").outcome)
      local last = server.requests(1)[1]
      assert.same({ "PUT", 201 }, { last.method, last.status })
      local text = daemon.read(root .. "/cfg.xml")
      assert.truthy(text:find('<Station_Name ua="rw"/>', 1, true))
      assert.is_nil(text:find("k3y", 1, true))
      local before = p.world.store:revision()
      local result = p.world.run(cycle.run, p, { asked_by = "cli",
        explicit = true })
      assert.equal("success", result.outcome)
      assert.same({}, result.changes)
      assert.equal(before, p.world.store:revision())
      assert.equal("# [--key k3y] http://h/x", p:param("Profile_Rule_B"))
      process.remove(root)
    end)
end)

describe("tftpd", function()
  it("is written a file", function()
    if not phones.need("in.tftpd") then return end
    if process.uid() ~= 0 then
      pending("tftpd needs root")
      return
    end
    local root = process.temp_dir()
    local server <close> = servers.tftpd { root = root, upload = true }
    local p = new_phone { Report_Rule =
      ("tftp://127.0.0.1:%d/$MA.xml"):format(server.port), GPP_A = "by TFTP" }
    assert.equal("sent", ask(p, "request").outcome)
    local text = daemon.read(root .. "/000e08abcdef.xml")
    assert.truthy(text:find('<GPP_A ua="na">by TFTP</GPP_A>', 1, true))
    assert.matches("</device>\n$", text)
    process.remove(root)
  end)
end)
