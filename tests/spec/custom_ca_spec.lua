-- The CA bundle of Custom_CA_Rule on the virtual world.
-- Source: MPP administration guide, Custom_CA_Rule, "Custom CA Status",
-- updateca; ATA 191 guide, Custom CA URL.
local certificates = require "peal.certificates"
local pki = require "support.pki"
local process = require "support.process"
local program = require "support.program"
local report = require "peal.report.status"
local store = require "peal.store"
local support = require "support.engine"
local trust = require "peal.trust"

local CA_URL <const> = "http://192.168.1.200/ca.pem"
local SUCCEEDED <const> = "Last provisioning succeeded on "
local FAILED <const> = "Last provisioning failed on "

local function field(lab, name)
  for _, pair in ipairs(report.fields(lab.phone)) do
    if pair[1] == name then return pair[2] end
  end
end

local function status(lab)
  return { field(lab, "Custom_CA_Provisioning_Status"),
    field(lab, "Custom_CA_Info") }
end

local function subjects(lab)
  local out = {}
  local text = lab.phone.keep:get("trust", "custom_ca")
  for i, one in ipairs(text and trust.parse(text) or {}) do
    out[i] = one.cn
  end
  return out
end

local function said(lab, pattern)
  for _, event in ipairs(lab.world.lines) do
    if event:find(pattern) then return event end
  end
end

describe("Custom_CA_Rule", function()
  local ca, root, sub, leaf, bundle

  setup(function()
    ca = pki.new()
    local made = ca:authority { cn = "Acme Root" }
    root = program.slurp(made.cert)
    sub = program.slurp(ca:authority { cn = "Acme Sub", by = made }.cert)
    leaf = program.slurp(ca:server { by = made }.cert)
    bundle = "Acme's roots\n" .. root .. "between them\n" .. sub
  end)
  teardown(function() ca:close() end)

  -- A phone whose bundle is what `lab.answer` is at the moment; it has booted.
  local function boot(o)
    o = o or {}
    local params = { Custom_CA_Rule = CA_URL, Resync_Periodic = "600" }
    for name, value in pairs(o.params or {}) do params[name] = value end
    local lab = support.new { params = params, told = true, store = o.store,
      zone = o.zone, dice = "min", server = function(request, self)
        local url = request.url or "tftp:" .. request.path
        if url:find("a%.xml") then
          return self.profile or { status = 200, body = support.EMPTY }
        end
        local answer = self.answer
        if type(answer) == "function" then return answer(request) end
        return answer
      end }
    lab.answer = o.answer or bundle
    return lab:boot():advance(0)
  end

  -- What was asked of the server for the bundle.
  local function fetches(lab)
    local n = 0
    for _, url in ipairs(lab.asked) do
      if not url:find("a%.xml") then n = n + 1 end
    end
    return n
  end

  describe("shows how it went", function()
    it("after a bundle of Acme Root and Acme Sub (vector 1)", function()
      local lab = boot()
      assert.same({ SUCCEEDED .. "11/22/2026 10:15:30",
        "Installed - Acme Root" }, status(lab))
      assert.same({ "Acme Root", "Acme Sub" }, subjects(lab))
    end)

    it("in the local time of the phone", function()
      assert.same({ SUCCEEDED .. "11/22/2026 11:15:30",
        "Installed - Acme Root" }, status(boot {
          zone = "CET-1CEST,M3.5.0,M10.5.0/3" }))
      assert.equal(SUCCEEDED .. "11/22/2026 02:15:30", status(boot {
        params = { Time_Zone = "GMT-08:00" } })[1])
    end)

    it("after a 404: the bundle stays (vector 2)", function()
      local lab = boot()
      lab.answer = 404
      lab:advance(60)
      lab:set { Custom_CA_Rule = "http://192.168.1.200/other.pem" }
      lab:advance(60)
      assert.same({ FAILED .. "11/22/2026 10:16:30",
        "Installed - Acme Root" }, status(lab))
      assert.same({ "Acme Root", "Acme Sub" }, subjects(lab))
      assert.is_truthy(said(lab,
        "Custom CA: .*404; the bundle from before stays"))
    end)

    it("after an HTML page: corrupt, the bundle stays (vector 3)", function()
      local lab = boot()
      lab.answer = "<html><body>Log in!</body></html>"
      lab:set { Custom_CA_Rule = "http://192.168.1.200/portal" }
      lab:advance(1)
      assert.equal(FAILED, status(lab)[1]:sub(1, #FAILED))
      assert.equal("Installed - Acme Root", status(lab)[2])
      assert.same({ "Acme Root", "Acme Sub" }, subjects(lab))
    end)

    it("of a rule that was emptied: nothing, and no roots (vector 4)",
      function()
        local lab = boot()
        lab:set { Custom_CA_Rule = "" }
        lab:advance(1)
        assert.same({ "", "Not Installed" }, status(lab))
        assert.same({}, subjects(lab))
        assert.is_nil(lab.store:state("trust", "custom_ca"))
        assert.is_truthy(said(lab, "the rule is empty"))
      end)

    it("after somebody's URL: the rule is as it was (vector 6)", function()
      local lab = boot { params = { Custom_CA_Rule = "" } }
      local result
      assert.is_true(lab.engine:updateca {
        url = "http://192.168.1.200/b.pem", by = "url",
        done = function(r) result = r end })
      lab:advance(1)
      assert.equal("done", result.outcome)
      assert.same({ SUCCEEDED .. "11/22/2026 10:15:30",
        "Installed - Acme Root" }, status(lab))
      assert.equal("", lab.phone:param("Custom_CA_Rule"))
      -- and no resync nor another start takes it away
      lab:advance(1300):restart():advance(1400)
      assert.same({ "Acme Root", "Acme Sub" }, subjects(lab))
    end)

    it("after a file with a leaf only: failed (vector 7)", function()
      local lab = boot { answer = leaf }
      assert.same({ FAILED .. "11/22/2026 10:15:30", "Not Installed" },
        status(lab))
      assert.is_truthy(said(lab, "holds no CA certificate"))
    end)
  end)

  describe("is kept", function()
    local dir
    before_each(function() dir = process.temp_dir() end)
    after_each(function() process.remove(dir) end)

    it("over a reboot with the server down (vector 5)", function()
      local function params(st)
        return { store = st, answer = function()
          return nil, "no route to host", "connect"
        end }
      end
      local st = support.store({ Custom_CA_Rule = CA_URL,
        Resync_Random_Delay = "0" }, { path = dir .. "/s" })
      boot { store = st }
      st:close() -- as a power cut would: nobody flushes anything
      local lab = boot(params(support.store({}, { path = dir .. "/s" })))
      assert.same({ "Acme Root", "Acme Sub" }, subjects(lab))
      assert.same({ FAILED .. "11/22/2026 10:15:30",
        "Installed - Acme Root" }, status(lab))
    end)

    it("in one commit with what is shown of it", function()
      local st = support.store({ Custom_CA_Rule = CA_URL }, {
        path = dir .. "/s" })
      boot { store = st }
      local schema = require("peal.registry").load {}
      for _, revision in ipairs(st:revisions()) do
        local old = assert(store.open { schema = schema, path = dir .. "/s",
          read_only = true, revision = revision.number })
        assert.equal(old:state("trust", "custom_ca") == nil,
          old:state("status", "Custom_CA_Info") == nil)
        old:close()
      end
    end)

    it("not at all where it cannot be written", function()
      local lab = boot { params = { Custom_CA_Rule = "" } }
      local flush = lab.phone.keep.flush
      lab.phone.keep.flush = function(self, why)
        if why == "custom-ca" then return nil, "disk full", "no-space" end
        return flush(self, why)
      end
      lab:set { Custom_CA_Rule = CA_URL }
      lab:advance(1)
      assert.same({}, subjects(lab))
      assert.same({ FAILED .. "11/22/2026 10:15:30", "Not Installed" },
        status(lab))
    end)

    it("until a factory reset", function()
      local lab = boot()
      local txn = assert(lab.store:begin())
      assert(txn:factory_reset {})
      assert(txn:commit("factory-reset", 0))
      assert.same({}, subjects(lab))
      assert.same({ "", "Not Installed" }, status(lab))
    end)
  end)

  describe("is fetched", function()
    it("before Profile_Rule", function()
      local lab = boot()
      assert.same({ CA_URL, support.URL }, lab.asked)
    end)

    it("after the random delay of the start, not before it", function()
      local lab = support.new { params = { Custom_CA_Rule = CA_URL,
        Resync_Random_Delay = "10" }, server = function() return bundle end }
      lab:boot():advance(199) -- of 10 x 20 s
      assert.same({}, lab.asked)
      lab:advance(201)
      assert.equal(CA_URL, lab.asked[1])
    end)

    it("at each boot, and not again by resyncs that follow", function()
      local lab = boot():advance(1900)
      assert.equal(1, fetches(lab))
      lab:restart():advance(3700)
      assert.equal(2, fetches(lab))
    end)

    it("at each resync while the last attempt failed", function()
      local lab = boot { answer = 503 }
      assert.equal(2, fetches(lab)) -- the boot's own, and its resync's
      lab:advance(601)
      assert.equal(3, fetches(lab))
      lab.answer = bundle
      lab:advance(1201)
      assert.equal(4, fetches(lab))
      assert.equal("Installed - Acme Root", status(lab)[2])
      lab:advance(1801)
      assert.equal(4, fetches(lab))
    end)

    it("when a macro of the rule says something else", function()
      local lab = boot { params = { GPP_A = "one",
        Custom_CA_Rule = "http://192.168.1.200/$A-$MA.pem" } }
      assert.equal("http://192.168.1.200/one-000e08abcdef.pem", lab.asked[1])
      lab:set { GPP_A = "two" }
      lab:advance(1)
      assert.equal("http://192.168.1.200/two-000e08abcdef.pem",
        lab.asked[#lab.asked])
      lab:set { GPP_B = "nothing to do with it" }
      lab:advance(2)
      assert.equal(2, fetches(lab))
    end)

    it("after the profile that sets it", function()
      local lab = support.new { told = true, server = function(request)
        if request.url == CA_URL then return bundle end
        return support.profile { Custom_CA_Rule = CA_URL }
      end }
      lab:boot():advance(1)
      assert.same({ support.URL, CA_URL }, lab.asked)
      assert.equal("Installed - Acme Root", status(lab)[2])
    end)

    it("over tftp, with a warning", function()
      local lab = boot { params = { Custom_CA_Rule = "tftp://192.0.2.7/c" } }
      assert.equal("Installed - Acme Root", status(lab)[2])
      assert.is_truthy(said(lab, "comes over tftp"))
    end)

    it("and is named by the status while it may be anybody's", function()
      local function named(lab)
        local one = lab.engine:status().trust.weaknesses[1]
        return one and one.word
      end
      local lab = boot { params = { GPP_A = "http", -- not in the rule's text
        Custom_CA_Rule = "$A://192.0.2.7/c" } }
      assert.equal("ca-in-clear", named(lab))
      lab:set { GPP_A = "https" }
      lab:advance(1)
      assert.equal("https://192.0.2.7/c", lab.asked[#lab.asked])
      assert.is_nil(named(lab))
      lab:set { GPP_A = "http" }
      lab:advance(2)
      lab:set { Custom_CA_Rule = "" }
      lab:advance(3)
      assert.is_nil(named(lab))
    end)

    it("with the account in its URL", function()
      local asked
      boot { params = { Custom_CA_Rule = "http://u:pw@192.0.2.7/c" },
        answer = function(request)
          asked = request
          return bundle
        end }
      assert.same({ "u", "pw" }, { asked.user, asked.password })
      assert.equal("http://192.0.2.7/c", asked.url)
    end)

    it("and fails the resync in no case", function()
      local lab = boot { answer = function()
        return nil, "no route to host", "connect"
      end }
      assert.equal("success", lab.engine:status().last.outcome)
    end)
  end)

  describe("takes", function()
    local function outcome(answer)
      local lab = boot { answer = answer }
      return lab.phone.keep:get("status", "Custom_CA_Info")
        or (said(lab, "Custom CA: [^;]*") or ""):match("Custom CA: ([^;]*)"),
        lab
    end

    it("one DER certificate", function()
      assert.equal("Installed - Acme Root",
        (outcome(trust.parse(root)[1].der)))
    end)

    it("the CAs of a bundle, and leaves the others out aloud", function()
      local got, lab = outcome(leaf .. sub)
      assert.equal("Installed - Acme Sub", got)
      assert.is_truthy(said(lab, "CN=localhost is no CA's certificate"))
    end)

    it("64 certificates, not 65", function()
      assert.equal("Installed - Acme Root", (outcome(root:rep(64))))
      assert.equal("65 certificates are more than 64", (outcome(root:rep(65))))
    end)

    it("256 KiB at most", function()
      local padding = ("#"):rep(79) .. "\n"
      local n = (256 * 1024 - #root) // 80
      assert.equal("Installed - Acme Root", (outcome(padding:rep(n) .. root)))
      assert.equal("the bundle is longer than 256 KiB",
        (outcome(padding:rep(n + 1) .. root)))
    end)

    it("no empty file", function()
      assert.equal("the file is empty", (outcome("")))
    end)

    it("no truncated bundle (fault 52)", function()
      local lab = boot()
      for _, text in ipairs { bundle:sub(1, -60), root .. sub:sub(1, 200),
        trust.parse(root)[1].der:sub(1, -2), "-----BEGIN CERTIFICATE-----" }
      do
        lab.answer = text
        local result
        lab.engine:updateca { url = CA_URL, done = function(r) result = r end }
        lab.world.run(function() lab.world.wait(1) end)
        assert.equal("failed", result.outcome)
        assert.equal("corrupted file", result.cause)
        assert.same({ "Acme Root", "Acme Sub" }, subjects(lab))
      end
    end)

    it("names of any kind", function()
      local function info(subject)
        return (outcome(program.slurp(ca:authority { subject = subject }.cert)))
      end
      assert.equal("Installed - Acme, Inc.", info { { "O", "Acme, Inc." } })
      assert.equal("Installed - unknown", info { { "OU", "nobody" } })
    end)
  end)

  describe("stands in the lists", function()
    -- Those that the Custom CA has brought: "CN list state".
    local function listed(lab)
      local out = {}
      for _, entry in ipairs(certificates.list(lab.phone)) do
        if entry.custom_ca then
          out[#out + 1] = ("%s %s %s"):format(entry.cn, entry.list,
            entry.state)
        end
      end
      return out
    end

    local function id_of(text) return trust.parse(text)[1].sha256 end

    local function updateca(lab)
      lab.engine:updateca { url = "http://192.168.1.200/b.pem", by = "url" }
      lab.world.run(function() lab.world.wait(1) end)
    end

    it("as valid CAs, however it came", function()
      local expected = { "Acme Root ca valid", "Acme Sub ca valid" }
      assert.same(expected, listed(boot()))
      local lab = boot { params = { Custom_CA_Rule = "" } }
      assert.same({}, listed(lab))
      updateca(lab)
      assert.same(expected, listed(lab))
      local id = id_of(sub)
      assert.equal("Acme Sub", certificates.find(lab.phone, id).cn)
      assert.equal(id, id_of(certificates.pem(lab.phone, id)))
    end)

    it("as valid, though a server had shown it before", function()
      local lab = boot { params = { Custom_CA_Rule = "" } }
      local facts = trust.parse(root)[1]
      certificates.note_failure(lab.phone, { chain = { facts } },
        "c.untrusted", "h")
      updateca(lab)
      assert.equal("valid", certificates.find(lab.phone, facts.sha256).state)
      assert.equal(2, #certificates.list(lab.phone))
    end)

    it("and is taken back, one after the other", function()
      local lab = boot { params = { Custom_CA_Rule = "" } }
      updateca(lab)
      local gone = certificates.remove(lab.phone, id_of(root))
      assert.same({ "Acme Root", true, nil },
        { gone.cn, gone.custom_ca, gone.custom_ca_rule })
      assert.same({ "Acme Sub" }, subjects(lab))
      assert.equal("Installed - Acme Sub", status(lab)[2])
      certificates.remove(lab.phone, id_of(sub))
      assert.same({}, subjects(lab))
      assert.equal("Not Installed", status(lab)[2])
      assert.is_nil(lab.store:state("trust", "custom_ca"))
      assert.same({}, listed(lab))
      assert.is_nil(lab.engine:status().trust.weaknesses[1])
      updateca(lab)
      assert.same({ "Acme Root", "Acme Sub" }, subjects(lab))
    end)

    it("and stays away until the rule has another text", function()
      local lab = boot()
      assert.is_true(certificates.remove(lab.phone,
        id_of(root)).custom_ca_rule)
      lab:restart():advance(1400)
      assert.same({ "Acme Sub" }, subjects(lab))
      assert.equal(1, fetches(lab))
      lab:set { Custom_CA_Rule = "http://192.168.1.200/next.pem" }
      lab:advance(1401)
      assert.same({ "Acme Root", "Acme Sub" }, subjects(lab))
      lab:restart():advance(1500)
      assert.equal(3, fetches(lab))
    end)

    it("until the rule is emptied, even if updateca came after it", function()
      local lab = boot()
      updateca(lab)
      certificates.remove(lab.phone, id_of(sub))
      lab:set { Custom_CA_Rule = "" }
      lab:advance(2)
      assert.same({ "", "Not Installed" }, status(lab))
      assert.same({}, listed(lab))
      lab:set { Custom_CA_Rule = CA_URL }
      lab:advance(3)
      assert.same({ "Acme Root", "Acme Sub" }, subjects(lab))
    end)
  end)

  it("may use no scheme but tftp, http and https", function()
    local lab = boot { params = { Custom_CA_Rule = "ftp://192.0.2.7/c" } }
    assert.equal(0, fetches(lab))
    assert.equal(FAILED .. "11/22/2026 10:15:30", status(lab)[1])
    assert.is_truthy(said(lab, "Bad scheme"))
  end)
end)
