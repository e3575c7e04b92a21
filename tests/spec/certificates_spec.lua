-- The administrator's certificate lists.
-- Source: Gigaset wiki, Security: lists, Accept, Reject, Remove, Details,
-- import; caps are our choice.
local certificates = require "peal.certificates"
local certs = require "support.certs"
local json = require "peal.json"
local phone = require "peal.phone"
local registry = require "peal.registry"
local store = require "peal.store"
local tls_policy = require "peal.tls_policy"
local trust = require "peal.trust"
local virtual = require "peal.world.virtual"

local DAY <const> = 86400

local schema, lab, other
setup(function()
  schema = assert(registry.load {})
  lab, other = certs.new(), certs.new()
end)

local st, world, p

-- The phone after a restart: the same store, nothing in memory.
local function restart()
  world = virtual.new { store = st, trust = world and world.trust }
  p = phone.new { world = world, identity = {} }
end

before_each(function()
  st, world = assert(store.open { schema = schema }), nil
  restart()
  world.trust = { anchors = assert(trust.anchors()) }
  assert(world.trust.anchors:add(lab.ca.pem))
end)

local function fails(cert, word, host, ...)
  certificates.note_failure(p, certs.tls(cert, ...), word, host or "h")
end

-- "state list type reason" of a certificate; nil: absent.
local function where(cert)
  local found = certificates.find(p, cert.id)
  if not found then return nil end
  return ("%s %s %s %s"):format(found.state, found.list, found.type,
    found.reason)
end

local function believed(cert)
  local b = certificates.believed(p)
  for _, kind in ipairs { "pinned", "rejected", "removed" } do
    for _, id in ipairs(b[kind]) do
      if id == cert.id then return kind end
    end
  end
  for _, one in ipairs(b.anchors) do
    if one.pem == cert.pem then
      return one.dateless and "dateless anchor" or "anchor"
    end
  end
end

describe("a certificate", function()
  it("that fails a check is listed as invalid, with the reason", function()
    local c = lab:make()
    fails(c, "c.name", "prov.example")
    assert.equal("invalid invalid server c.name", where(c))
    assert.equal("prov.example", certificates.find(p, c.id).host)
    assert.equal("2026-11-22T10:15:30Z", certificates.find(p, c.id).since)
    assert.is_nil(believed(c))
    fails(c, "c.expired")
    assert.equal("invalid invalid server c.expired", where(c))
  end)

  it("of a server passes at once when it was accepted", function()
    local c = lab:make { to = certs.NOW - 1 }
    fails(c, "c.expired")
    local entry = assert(certificates.accept(p, c.id))
    assert.same({ "accepted", "server" }, { entry.state, entry.list })
    assert.equal("pinned", believed(c))
    fails(c, "c.expired") -- whoever refused it, it stays accepted
    assert.equal("accepted server server c.expired", where(c))
  end)

  it("of a CA is an anchor without dates when it was accepted", function()
    local ca = other:self { cn = "Old CA", is_ca = true, to = certs.NOW - 1 }
    fails(ca, "c.untrusted")
    assert(certificates.accept(p, ca.id))
    assert.equal("accepted ca ca c.untrusted", where(ca))
    assert.equal("dateless anchor", believed(ca))
  end)

  it("that was rejected stands with the servers, and blocks", function()
    local ca = other.ca
    fails(ca, "c.untrusted")
    assert(certificates.reject(p, ca.id))
    assert.equal("rejected server ca c.untrusted", where(ca))
    assert.equal("rejected", believed(ca))
    fails(ca, "c.untrusted")
    assert.equal("rejected", believed(ca))
  end)

  it("is forgotten when it is removed, and listed anew", function()
    local c = lab:make()
    fails(c, "c.name")
    assert(certificates.accept(p, c.id))
    assert.equal("accepted", assert(certificates.remove(p, c.id)).state)
    assert.is_nil(where(c))
    assert.is_nil(believed(c))
    fails(c, "c.dns")
    assert.equal("invalid invalid server c.dns", where(c))
  end)

  it("can be accepted and rejected out of the Invalid list only", function()
    local c = lab:make()
    for _, act in ipairs { "accept", "reject" } do
      local ok, sentence, word = certificates[act](p, c.id)
      assert.same({ nil, "not-found" }, { ok, word })
      assert.matches(c.id, sentence)
    end
    assert(certificates.import(p, c.pem))
    for _, act in ipairs { "accept", "reject" } do
      assert.same({ nil, "not in Invalid list: it is valid", "bad-state" },
        { certificates[act](p, c.id) })
    end
    fails(lab:make { cn = "b" }, "c.name")
    local b = certificates.list(p)[3]
    assert(certificates.reject(p, b.id))
    assert.same({ nil, "not in Invalid list: it is rejected", "bad-state" },
      { certificates.accept(p, b.id) })
    assert.equal("bad-state", select(3, certificates.reject(p, b.id)))
  end)

  it("shows its details", function()
    local c = lab:make { cn = "prov.example", sans = { "DNS:prov.example",
      "IP:192.0.2.7" }, purposes = { "serverAuth" } }
    fails(c, "c.name", "h.example")
    local d = certificates.find(p, c.id)
    assert.same({ "CN=prov.example", "CN=Lab CA", "prov.example" },
      { d.subject, d.issuer, d.cn })
    assert.same({ "DNS:prov.example", "IP:192.0.2.7" }, d.sans)
    assert.same({ "EC", 256, c.id, false }, { d.key_type, d.key_bits,
      d.sha256, d.builtin })
    assert.matches("^2026%-11%-21T10:15:30Z$", d.not_before)
    assert.equal(40, #d.sha1)
    assert.is_nil(d.der)
    assert.equal(c.pem, certificates.pem(p, c.id))
  end)

  it("has lists in JSON, though nothing is in them", function()
    local c = lab:make()
    fails(c, "c.name")
    for _, one in ipairs { c, lab.ca } do
      local text = json.encode(certificates.find(p, one.id))
      assert.matches('"sans":%[%]', text)
      assert.matches('"purposes":%[%]', text)
    end
  end)

  it("is found by the beginning of its fingerprint, colons or not",
    function()
      local c = lab:make()
      fails(c, "c.name")
      local short = c.id:sub(1, 12)
      assert.equal(c.id, certificates.find(p, short).id)
      assert.equal(c.id, certificates.find(p,
        short:upper():gsub("..", "%0:")).id)
      assert.equal("invalid", select(3, certificates.find(p, "abc")))
      assert.equal("invalid", select(3, certificates.find(p, "xyzw")))
      assert.equal("not-found", select(3, certificates.find(p,
        ("0"):rep(64))))
    end)
end)

describe("the CA on top of a chain", function()
  it("is listed where nobody knows it", function()
    local leaf = other:make()
    fails(leaf, "c.untrusted", "h", other.ca)
    assert.equal("invalid invalid server c.untrusted", where(leaf))
    assert.equal("invalid invalid ca c.untrusted", where(other.ca))
    assert(certificates.accept(p, other.ca.id))
    assert.equal("dateless anchor", believed(other.ca))
  end)

  it("is not, where it is known or the chain is right", function()
    fails(lab:make(), "c.untrusted", "h", lab.ca)
    assert.equal("valid ca ca nil", where(lab.ca))
    fails(other:make(), "c.name", "h", other.ca)
    assert.is_nil(where(other.ca))
    local tls = certs.tls(other:make(), other.ca)
    tls.anchor = ("0"):rep(64) -- it led to an anchor: the purpose is wrong
    certificates.note_failure(p, tls, "c.untrusted", "h")
    assert.is_nil(where(other.ca))
  end)

  it("is listed where it was removed, and a server still shows it", function()
    assert(certificates.remove(p, lab.ca.id))
    local tls = certs.tls(lab:make(), lab.ca)
    tls.anchor = lab.ca.id -- the chain led there, and it counts no more
    certificates.note_failure(p, tls, "c.untrusted", "h")
    assert.equal("invalid invalid ca c.untrusted", where(lab.ca))
  end)
end)

describe("an import", function()
  it("adds many of PEM, and one of DER, by their type", function()
    local c = lab:make()
    local done = assert(certificates.import(p, other.ca.pem .. "text\n"
      .. c.pem))
    assert.same({ 2, 0, 0 }, { #done.added, done.duplicates, done.expired })
    assert.equal("valid ca ca nil", where(other.ca))
    assert.equal("anchor", believed(other.ca))
    assert.equal("valid server server nil", where(c))
    assert.equal("pinned", believed(c))
    done = assert(certificates.import(p, lab:make { cn = "d" }.der))
    assert.equal("CN=d", done.added[1].subject)
  end)

  it("leaves out what is there already, built in too", function()
    assert(certificates.import(p, other.ca.pem))
    local done = assert(certificates.import(p, other.ca.pem .. lab.ca.pem))
    assert.same({ 0, 2 }, { #done.added, done.duplicates })
  end)

  it("of an expired one lists it as invalid", function()
    local old = lab:make { to = certs.NOW - 1 }
    local done = assert(certificates.import(p, old.pem))
    assert.same({ 0, 1 }, { #done.added, done.expired })
    assert.equal(old.id, done.invalid[1].id)
    assert.equal("invalid invalid server c.expired", where(old))
  end)

  it("of a rejected one that has expired leaves it rejected", function()
    local old = lab:make { to = certs.NOW - 1 }
    fails(old, "c.expired")
    assert(certificates.reject(p, old.id))
    local done = assert(certificates.import(p, old.pem))
    assert.same({ 0, 0, 0 }, { #done.added, done.duplicates, done.expired })
    assert.equal(old.id, done.rejected[1].id)
    assert.equal("rejected", believed(old))
  end)

  it("of a rejected one makes it valid, and says so", function()
    fails(other.ca, "c.untrusted")
    assert(certificates.reject(p, other.ca.id))
    local done = assert(certificates.import(p, other.ca.pem .. lab:make().pem))
    assert.is_true(done.added[1].lifted)
    assert.is_nil(done.added[2].lifted)
    assert.equal("valid ca ca nil", where(other.ca))
    assert.equal("anchor", believed(other.ca))
  end)

  it("of something else changes nothing, and says why", function()
    local ok, sentence = certificates.import(p, "<html>")
    assert.is_nil(ok)
    assert.is_string(sentence)
    assert.equal("toobig", select(3, certificates.import(p,
      ("x"):rep(300 << 10))))
    assert.equal("limit", select(3, certificates.import(p,
      lab.ca.pem:rep(65))))
    assert.equal(1, #certificates.list(p))
  end)
end)

describe("what is built in", function()
  it("is listed as valid, and removed until a factory reset", function()
    assert.equal("valid ca ca nil", where(lab.ca))
    assert.is_true(certificates.find(p, lab.ca.id).builtin)
    assert.is_nil(certificates.find(p, lab.ca.id).since)
    assert(certificates.remove(p, lab.ca.id))
    assert.is_nil(where(lab.ca))
    assert.equal("removed", believed(lab.ca))
    local trusted = world.trust
    restart()
    world.trust = trusted
    assert.equal("removed", believed(lab.ca))
    assert.equal(1, #tls_policy.policy(p, { note = function() end }).removed)
    local txn = assert(st:begin())
    assert(txn:factory_reset {})
    assert(txn:commit("reset", 0))
    restart()
    world.trust = trusted
    assert.equal("valid ca ca nil", where(lab.ca))
    assert.is_nil(believed(lab.ca))
  end)

  it("comes back when it is imported", function()
    assert(certificates.remove(p, lab.ca.id))
    assert.equal(1, #assert(certificates.import(p, lab.ca.pem)).added)
    assert.equal("valid ca ca nil", where(lab.ca))
    assert.is_nil(believed(lab.ca))
  end)

  it("comes back when it is accepted", function()
    assert(certificates.remove(p, lab.ca.id))
    fails(lab:make(), "c.untrusted", "h", lab.ca)
    assert(certificates.accept(p, lab.ca.id))
    assert.equal("dateless anchor", believed(lab.ca))
    assert.same({}, certificates.believed(p).removed)
  end)

  it("can be accepted once it has expired", function()
    world.step(400 * DAY)
    assert.equal("invalid invalid ca c.expired", where(lab.ca))
    assert(certificates.accept(p, lab.ca.id))
    assert.equal("dateless anchor", believed(lab.ca))
    assert.equal("accepted ca ca c.expired", where(lab.ca))
    assert(certificates.remove(p, lab.ca.id))
    assert.equal("removed", believed(lab.ca))
    assert.is_nil(where(lab.ca))
  end)
end)

describe("time", function()
  it("moves a valid one that has expired to the Invalid list", function()
    assert(certificates.import(p, other.ca.pem))
    assert.same({}, certificates.sweep(p))
    world.step(366 * DAY)
    local gone = certificates.sweep(p)
    assert.same({ 1, other.ca.id, "c.expired" }, { #gone, gone[1].id,
      gone[1].reason })
    assert.equal("invalid invalid ca c.expired", where(other.ca))
    assert.is_nil(believed(other.ca))
  end)

  it("does so at use, without being asked", function()
    assert(certificates.import(p, other.ca.pem))
    local trace = { note = function() end }
    assert.equal(2, #tls_policy.policy(p, trace).anchors)
    world.step(366 * DAY)
    assert.equal(1, #tls_policy.policy(p, trace).anchors)
  end)

  it("makes what has just expired the newest invalid one, among 64 at most",
    function()
      local made = { lab:make { to = certs.NOW + DAY } }
      assert(certificates.import(p, made[1].pem))
      for i = 2, 65 do
        made[i] = lab:make { cn = "n" .. i }
        fails(made[i], "c.name")
      end
      world.step(2 * DAY)
      assert.equal(1, #certificates.sweep(p))
      assert.equal("invalid invalid server c.expired", where(made[1]))
      assert.is_nil(where(made[2]))
      assert.is_string(where(made[3]))
    end)

  it("leaves accepted ones alone", function()
    fails(other.ca, "c.untrusted")
    assert(certificates.accept(p, other.ca.id))
    world.step(366 * DAY)
    assert.same({}, certificates.sweep(p))
    assert.equal("dateless anchor", believed(other.ca))
  end)

  it("counts for nothing while the clock is not set", function()
    assert(certificates.import(p, other.ca.pem))
    world.device.clock_trusted = false
    world.step(3660 * DAY)
    assert.same({}, certificates.sweep(p))
    assert.equal("anchor", believed(other.ca))
  end)
end)

describe("the lists", function()
  it("outlive a restart; what a person does is written at once", function()
    local c = lab:make()
    fails(c, "c.name")
    assert.equal(0, st:revision()) -- a server alone writes nothing
    assert(certificates.accept(p, c.id))
    assert.equal(1, st:revision())
    restart()
    assert.equal("accepted server server c.name", where(c))
  end)

  it("hold 64 invalid ones: the oldest makes way", function()
    local made = {}
    for i = 1, 66 do
      made[i] = lab:make { cn = "n" .. i }
      fails(made[i], "c.name")
    end
    local invalid = 0
    for _, entry in ipairs(certificates.list(p)) do
      if entry.list == "invalid" then invalid = invalid + 1 end
    end
    assert.equal(64, invalid)
    assert.is_nil(where(made[2]))
    assert.is_string(where(made[3]))
    assert(certificates.accept(p, made[3].id)) -- makes room
    fails(made[1], "c.name")
    assert.is_string(where(made[4]))
  end)

  it("do not grow by large certificates either", function()
    local sans = {}
    for i = 1, 300 do sans[i] = ("DNS:n%d.%s"):format(i, ("x"):rep(40)) end
    for i = 1, 20 do
      fails(lab:make { cn = "n" .. i, sans = sans }, "c.name")
    end
    assert.is_true(#p.keep:get("trust", "list") < 200 << 10)
    sans[600] = nil
    for i = 301, 600 do sans[i] = ("DNS:n%d.%s"):format(i,
      ("x"):rep(40)) end
    local huge = lab:make { cn = "huge", sans = sans }
    assert.is_true(#huge.der > 16 << 10)
    fails(huge, "c.name")
    assert.is_nil(where(huge))
  end)

  it("take no more from files than the store can write", function()
    local sans = {}
    local long = (("x"):rep(60) .. "."):rep(4)
    for i = 1, 600 do sans[i] = ("DNS:%s%d"):format(long, i) end
    local word
    for i = 1, 6 do
      local ok, _
      ok, _, word = certificates.import(p,
        lab:make { cn = "n" .. i, sans = sans }.der)
      if not ok then break end
    end
    assert.equal("limit", word)
    assert.is_true(#p.keep:get("trust", "list") < 512 << 10)
    assert.is_false(p.keep:dirty()) -- of what was refused nothing waits
  end)

  it("make no write where the same server comes again", function()
    local c = lab:make()
    fails(c, "c.name")
    local before = p.keep:get("trust", "list")
    world.step(60)
    fails(c, "c.name", "other")
    assert.equal(before, p.keep:get("trust", "list"))
    assert.is_table(json.decode(before))
  end)

  it("follow a factory reset and a revert, whoever asks first", function()
    assert(certificates.import(p, other.ca.pem))
    assert.equal(2, #certificates.list(p))
    local txn = assert(st:begin())
    assert(txn:factory_reset {})
    assert(txn:commit("reset", 0))
    assert.equal(1, #certificates.list(p))
    assert(certificates.remove(p, lab.ca.id))
    assert.same({}, certificates.list(p))
    txn = assert(st:begin())
    assert(txn:state("trust", "removed", nil))
    assert(txn:commit("revert", 0))
    assert.is_nil(believed(lab.ca))
  end)

  it("keep what waits to be written when others write", function()
    fails(other.ca, "c.untrusted")
    local txn = assert(st:begin())
    assert(txn:set("GPP_A", "x"))
    assert(txn:commit("other", 0))
    assert.equal("invalid invalid ca c.untrusted", where(other.ca))
  end)

  it("of imports that have expired hold no more than 64 either", function()
    for _ = 1, 2 do
      local pem = {}
      for i = 1, 40 do
        pem[i] = lab:make { cn = "n" .. i, to = certs.NOW - 1 }.pem
      end
      assert(certificates.import(p, table.concat(pem)))
    end
    assert.equal(1 + 64, #certificates.list(p))
  end)

  it("have nothing to write where all that is shown is listed", function()
    local leaf = other:make()
    for run = 1, 3 do
      fails(leaf, "c.untrusted", "h", other.ca)
      assert.equal(run == 1, p.keep:dirty())
      assert(p.keep:flush("trust"))
      assert.equal(1, st:revision())
      restart()
    end
  end)

  it("forget sessions when they change, not when a server fails",
    function()
      local forgotten = 0
      world.forget_sessions = function() forgotten = forgotten + 1 end
      local c = lab:make()
      fails(c, "c.name")
      assert.equal(0, forgotten)
      assert(certificates.reject(p, c.id))
      assert.equal(1, forgotten)
      assert(certificates.remove(p, c.id))
      assert.equal(2, forgotten)
    end)

  it("say so where the store cannot be written", function()
    local c = lab:make()
    fails(c, "c.name")
    local flush = p.keep.flush
    p.keep.flush = function() return nil, "no space", "no-space" end
    local ok, sentence, word = certificates.accept(p, c.id)
    assert.same({ nil, "no-space" }, { ok, word })
    assert.matches("cannot be written", sentence)
    assert.equal("pinned", believed(c)) -- it counts all the same
    p.keep.flush = flush
  end)
end)
