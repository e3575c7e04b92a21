-- Certificates that no server shows: do they lead to an anchor?
local base64 = require "peal.base64"
local chain = require "peal.chain"
local pki = require "support.pki"
local program = require "support.program"
local trust = require "peal.trust"

local NOW <const> = os.time()
local DAY <const> = 86400

local function der(made)
  return base64.decode(program.slurp(made.cert)
    :match("%-%-%-%-%-BEGIN CERTIFICATE%-%-%-%-%-(.-)%-%-%-%-%-END"))
end

local function anchors(...)
  local a = assert(trust.anchors())
  for _, made in ipairs { ... } do assert(a:load(made.cert)) end
  return a
end

describe("a chain of certificates", function()
  local lab, middle, leaf

  setup(function()
    lab = pki.shared()
    middle = lab:authority { cn = "Lab Middle", by = lab.ca }
    leaf = lab:client { by = middle }
  end)

  local function word_of(list, a, now)
    local ok, sentence, word = chain.check(list, a, now or NOW)
    if not ok then assert.is_string(sentence) end
    return ok and "ok" or word
  end

  it("leads to an anchor, by others where it has to", function()
    local a = anchors(lab.ca)
    assert.are.equal("ok", word_of({ der(lab:client()) }, a))
    assert.are.equal("c.untrusted", word_of({ der(leaf) }, a))
    assert.are.equal("ok", word_of({ der(leaf), der(middle) }, a))
    assert.are.equal("ok", word_of({ der(leaf), der(lab:client()),
      der(middle), der(lab.ca) }, a))
    assert.are.equal("ok", word_of({ der(leaf) }, anchors(middle)))
  end)

  it("may be an anchor, of any level", function()
    assert.are.equal("ok", word_of({ der(lab.ca) }, anchors(lab.ca)))
    assert.are.equal("ok", word_of({ der(middle) }, anchors(middle)))
    assert.are.equal("c.untrusted", word_of({ der(lab.ca) },
      anchors(middle)))
  end)

  it("is not trusted where there is no anchor", function()
    local other <close> = pki.new()
    for _, a in ipairs { false, assert(trust.anchors()), anchors(other.ca) }
    do
      assert.are.equal("c.untrusted", word_of({ der(lab:client()) },
        a or nil))
    end
  end)

  it("is judged by the phone's clock", function()
    local a = anchors(lab.ca)
    local old = lab:client { from = NOW - 20 * DAY, to = NOW - 10 * DAY }
    assert.are.equal("c.expired", word_of({ der(old) }, a))
    assert.are.equal("c.future", word_of({ der(lab:client()) }, a,
      NOW - 5 * DAY))
    assert.are.equal("c.expired", word_of({ der(lab.ca) }, a,
      NOW + 400 * DAY))
  end)

  it("does not pass over one that is no CA, or weak keys", function()
    local a = anchors(lab.ca)
    local no_ca = lab:client { cn = "no CA" }
    assert.are.equal("c.untrusted", word_of({
      der(lab:client { cn = "below", by = no_ca }), der(no_ca) }, a))
    assert.are.equal("c.weak", word_of({
      der(lab:client { cn = "weak", key = "rsa:1024" }) }, a))
  end)

  it("is bytes that can be read", function()
    local a = anchors(lab.ca)
    assert.are.equal("corrupt", word_of({ "no certificate" }, a))
    assert.are.equal("ok", word_of({ der(lab:client()), "nor this" }, a))
    local many = {}
    for i = 1, 65 do many[i] = der(lab.ca) end
    assert.are.equal("toobig", word_of(many, a))
    assert.has_error(function() chain.check({}, a) end)
    assert.is_nil((chain.check({}, a, NOW)))
  end)
end)

describe("two certificates", function()
  local lab

  setup(function() lab = pki.shared() end)

  it("have the same subject when its octets are the same", function()
    local one = der(lab:client { to = NOW + 5 * DAY })
    assert.is_true(chain.same_subject(one, der(lab:client())))
    assert.is_false(chain.same_subject(one, der(lab:client { l = "x" })))
    assert.is_false(chain.same_subject(one, der(lab:client {
      l = "88012ba01234" })))
    assert.is_false(chain.same_subject(one, "nothing"))
  end)

  it("have the same subject only as a whole, however long it is", function()
    local function long(last)
      return der(lab:client { subject = { { "O", ("o"):rep(64) },
        { "OU", ("u"):rep(64) }, { "L", ("l"):rep(64) },
        { "ST", ("s"):rep(63) .. last }, { "CN", "the same" } } })
    end
    local a, b = long("a"), long("b")
    assert.are.equal(trust.parse(a)[1].subject, trust.parse(b)[1].subject)
    assert.is_false(chain.same_subject(a, b))
    assert.is_true(chain.same_subject(a, a))
  end)

  it("are of a CA and below it by the signature", function()
    local one = lab:authority { cn = "Twin", by = lab.ca }
    local other = lab:authority { cn = "Twin", by = lab.ca, key = "P-384" }
    local leaf = der(lab:client { by = one })
    assert.is_true(chain.issued(der(one), leaf))
    assert.is_false(chain.issued(der(other), leaf))
    assert.is_false(chain.issued(der(lab.ca), leaf))
    assert.is_false(chain.issued(leaf, der(one)))
    assert.is_true(chain.issued(der(lab.ca), der(lab.ca)))
    assert.is_false(chain.issued("nothing", leaf))
  end)
end)
