-- Private keys and certificates in generations, as scripts see them. Power
-- cuts and lack of memory are in tests/c/keyring_test.c.
local issue = require "peal.issue"
local keyring = require "peal.keyring"
local live = require "peal.world.live"
local loop = require "peal.loop"
local process = require "support.process"
local sys = require "peal.sys"
local trust = require "peal.trust"
local virtual = require "peal.world.virtual"

local dir, folder

before_each(function()
  dir = process.temp_dir()
  folder = dir .. "/keys"
end)
after_each(function() process.remove(dir) end)

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- A key and a certificate for it.
local function pair(name)
  local key = assert(issue.key("P-256"))
  local cert = assert(issue.certificate { key = key, serial = sys.random(16),
    subject = { { "CN", name } }, from = os.time(), to = os.time() + 86400 })
  return { key = key, der = cert, pem = trust.pem(cert) }
end

local function install(k, one, name)
  return k:install(name or "mic", { ["cert.pem"] = one.pem },
    { ["key.pem"] = one.key })
end

-- Last results may be sentences; the tests that care look at them.
local function first(...) return (...) end

for _, where in ipairs { "in memory", "in a folder" } do
  describe("a keyring " .. where, function()
    local k

    before_each(function()
      k = assert(keyring.open(where == "in a folder" and folder or nil))
    end)

    it("is empty at first", function()
      for _, result in ipairs {
        table.pack(k:generation("mic")), table.pack(k:read("mic", "a")),
        table.pack(k:key("mic", "a")), table.pack(k:identity("mic")),
        table.pack(k:remove("mic")),
      } do
        assert.same({ nil, "the keyring has no mic", "not-found" },
          { result[1], result[2], result[3] })
      end
    end)

    it("gives back what was installed, as a whole", function()
      local a, b = pair("a"), pair("b")
      assert.equal(1, install(k, a))
      assert.equal(1, k:generation("mic"))
      assert.equal(a.pem, k:read("mic", "cert.pem"))
      assert.is_true(k:key("mic", "key.pem"):fits(a.der))
      assert.equal("peal.identity (open)", tostring(first(k:identity("mic"))))
      assert.equal(2, install(k, b))
      assert.equal(b.pem, k:read("mic", "cert.pem"))
      assert.is_true(k:key("mic", "key.pem"):fits(b.der))
      assert.equal(1, install(k, a, "host"))
      assert.equal(2, k:generation("mic"))
    end)

    it("never reads a private key out", function()
      install(k, pair("a"))
      assert.same({ nil, "key.pem is a private key, which is not shown",
        "permission" }, { k:read("mic", "key.pem") })
    end)

    it("takes no private key as a text", function()
      local generation, sentence, word = k:install("mic", {
        ["x.pem"] = "-----BEGIN EC PRIVATE KEY-----" })
      assert.same({ nil, "invalid" }, { generation, word })
      assert.matches("x.pem has a private key in it", sentence)
      assert.is_nil(k:generation("mic"))
    end)

    it("forgets a set that is removed", function()
      install(k, pair("a"))
      install(k, pair("b"), "host")
      assert.is_true(k:remove("mic"))
      assert.is_nil(k:generation("mic"))
      assert.equal(1, k:generation("host"))
      assert.equal(1, install(k, pair("c")))
    end)

    it("takes names that are no paths", function()
      for _, name in ipairs { "", ".", "..", "../x", "a/b", "A", ".x", "-x",
        "x y", "x\n", ("x"):rep(65) } do
        assert.equal("invalid", select(3, k:install(name, { a = "x" })))
        assert.equal("invalid", select(3, k:generation(name)))
        assert.equal("invalid", select(3, k:install("mic", { [name] = "" })))
      end
      assert.equal("invalid", select(3, k:install("mic", { sums = "" })))
      assert.equal(1, k:install(("x"):rep(64), { ["a.b_c-0"] = "" }))
      assert.equal("", k:read(("x"):rep(64), "a.b_c-0"))
    end)

    it("says which file a set has not", function()
      k:install("root", { ["root.pem"] = "text" })
      assert.same({ nil, "the keyring's root has no x.pem", "not-found" },
        { k:read("root", "x.pem") })
      assert.equal("not-found", select(3, k:identity("root")))
      local key, sentence, word = k:key("root", "root.pem")
      assert.same({ nil, "the keyring's root/root.pem: not a private key in "
        .. "PEM or DER", "bad-key" }, { key, sentence, word })
    end)

    it("has no identity of a key and a certificate that differ", function()
      local a, b = pair("a"), pair("b")
      k:install("mic", { ["cert.pem"] = a.pem }, { ["key.pem"] = b.key })
      local id, sentence, word = k:identity("mic")
      assert.same({ nil, "bad-key" }, { id, word })
      assert.matches("^the keyring's mic: the key does not belong", sentence)
    end)

    it("is of no use once closed", function()
      k:close()
      k:close()
      assert.equal("peal.keyring (closed)", tostring(k))
      assert.has_error(function() k:generation("mic") end)
    end)

    it("wants texts and keys where they are due", function()
      assert.has_error(function() k:install("a", { x = 1 }) end)
      assert.has_error(function() k:install("a", { "x" }) end)
      assert.has_error(function() k:install("a", {}, { x = "y" }) end)
      assert.has_error(function()
        local many = {}
        for i = 1, 17 do many["f" .. i] = "x" end
        k:install("a", many)
      end)
    end)
  end)
end

describe("a keyring's folder", function()
  local k

  before_each(function() k = assert(keyring.open(folder)) end)

  local function names(path) return assert(sys.list(path)) end

  it("is made when something is written, for its owner alone", function()
    assert.is_nil(sys.stat(folder))
    install(k, pair("a"))
    for path, mode in pairs { [""] = 448, ["/mic"] = 448, ["/mic/1"] = 448,
      ["/mic/1/key.pem"] = 384, ["/mic/1/cert.pem"] = 384,
      ["/mic/1/sums"] = 384 } do
      assert.equal(mode, sys.stat(folder .. path).mode & 511, path)
    end
  end)

  it("keeps the generation before, and no older one", function()
    for i = 1, 5 do assert.equal(i, install(k, pair("x"))) end
    assert.same({ "4", "5", "current" }, names(folder .. "/mic"))
  end)

  it("is read anew each time", function()
    local other = keyring.open(folder)
    install(k, pair("a"))
    assert.equal(1, other:generation("mic"))
    install(other, pair("b"))
    assert.equal(2, k:generation("mic"))
  end)

  it("is not believed when others can get at it", function()
    install(k, pair("a"))
    for path, advice in pairs { [folder] = "700", [folder .. "/mic"] = "700",
      [folder .. "/mic/1/key.pem"] = "600" } do
      local was = sys.stat(path).mode & 511
      process.chmod(path, was | 4)
      local id, sentence, word = k:identity("mic")
      assert.same({ nil, "permission" }, { id, word }, path)
      assert.is_truthy(sentence:find(("type: chmod %s %s"):format(advice,
        path), 1, true), sentence)
      process.chmod(path, was)
      assert.is_truthy(k:identity("mic"))
    end
  end)

  it("is not changed while others can get at it: nothing is lost", function()
    install(k, pair("a"))
    install(k, pair("b"))
    for _, path in ipairs { "/mic/2", "/mic/2/key.pem" } do
      local was = sys.stat(folder .. path).mode & 511
      process.chmod(folder .. path, was | 4)
      for _, result in ipairs { table.pack(install(k, pair("c"))),
        table.pack(k:ready("mic")) } do
        assert.same({ nil, "permission" }, { result[1], result[3] })
        assert.equal(folder .. path, result[2]:match("chmod %d+ (.*)"))
      end
      process.chmod(folder .. path, was)
    end
    assert.same({ "1", "2", "current" }, names(folder .. "/mic"))
    assert.equal(3, install(k, pair("c")))
  end)

  it("says whether it could be written, and leaves no trace of that",
    function()
      assert.is_true(k:ready("mic"))
      assert.same({}, names(folder .. "/mic"))
      assert.same({ nil, "the keyring has no mic", "not-found" },
        { k:generation("mic") })
      install(k, pair("a"))
      write(folder .. "/mic/.trial", "of a stop in the middle")
      assert.is_true(k:ready("mic"))
      assert.same({ "1", "current" }, names(folder .. "/mic"))
      write(dir .. "/file", "")
      local other = assert(keyring.open(dir .. "/file"))
      local ok, sentence = other:ready("mic")
      assert.is_nil(ok)
      assert.equal(("the keyring's %s is not a folder"):format(dir
        .. "/file"), sentence)
    end)

  it("is not followed through links", function()
    install(k, pair("a"))
    local mic = folder .. "/mic"
    for _, path in ipairs { folder, mic, mic .. "/1",
      mic .. "/1/key.pem" } do
      assert(os.rename(path, dir .. "/aside"))
      assert(os.execute(("ln -s %s %s"):format(dir .. "/aside", path)))
      local id, sentence = k:identity("mic")
      assert.is_nil(id, path)
      assert.is_string(sentence)
      os.remove(path)
      assert(os.rename(dir .. "/aside", path))
    end
    assert.is_truthy(k:identity("mic"))
  end)

  it("is not written through links", function()
    local outside = process.temp_dir()
    install(k, pair("a"))
    assert(os.execute(("ln -s %s %s/host"):format(outside, folder)))
    assert.equal("permission", select(3, install(k, pair("b"), "host")))
    assert.same({}, names(outside))
    process.remove(outside)
  end)

  local DAMAGE <const> = {
    ["a byte that has changed"] = function(path)
      local text = read(path .. "/cert.pem")
      write(path .. "/cert.pem", "x" .. text:sub(2))
    end,
    ["an end that is missing"] = function(path)
      write(path .. "/key.pem", read(path .. "/key.pem"):sub(1, 100))
    end,
    ["a file that is missing"] = function(path)
      os.remove(path .. "/cert.pem")
    end,
    ["a list that is missing"] = function(path) os.remove(path .. "/sums") end,
    ["a list that is empty"] = function(path) write(path .. "/sums", "") end,
    ["a list that leads elsewhere"] = function(path)
      write(path .. "/sums", ("0"):rep(64) .. "  ../../x\n")
    end,
    ["a folder that is missing"] = process.remove,
  }
  for what, harm in pairs(DAMAGE) do
    it("is read one generation back: " .. what, function()
      local a = pair("a")
      install(k, a)
      install(k, pair("b"))
      harm(folder .. "/mic/2")
      local text, sentence = k:read("mic", "cert.pem")
      assert.equal(a.pem, text)
      assert.equal("the keyring's mic is damaged; what was installed before"
        .. " it, generation 1, is used", sentence)
      local id, again = k:identity("mic")
      assert.is_truthy(id)
      assert.equal(sentence, again)
      -- and the next one gets the better of it
      local c = pair("c")
      assert.is_true(install(k, c) > 1)
      assert.equal(c.pem, k:read("mic", "cert.pem"))
      assert.is_nil(select(2, k:read("mic", "cert.pem")))
    end)
  end

  it("says when nothing whole is left", function()
    install(k, pair("a"))
    os.remove(folder .. "/mic/1/sums")
    assert.same({ nil, "the keyring's mic is damaged and there is no copy of "
      .. "it", "damaged" }, { k:generation("mic") })
    assert.equal(2, install(k, pair("b")))
    assert.same({ "2", "current" }, names(folder .. "/mic"))
  end)

  it("is whole without its link", function()
    install(k, pair("a"))
    install(k, pair("b"))
    os.remove(folder .. "/mic/current")
    assert.equal(2, k:generation("mic"))
    assert.equal(3, install(k, pair("c")))
  end)

  it("shows nothing of a set that was removed", function()
    install(k, pair("a"))
    assert.is_true(k:remove("mic"))
    assert.same({}, names(folder))
  end)
end)

describe("the keyring of a world", function()
  it("lies in the folder that the world was given", function()
    local world = live.new { loop = loop.new(), keys = folder }
    assert.equal(1, install(world.keyring, pair("a")))
    assert.equal(1, keyring.open(folder):generation("mic"))
  end)

  it("is in memory otherwise", function()
    local world = live.new { loop = loop.new() }
    assert.equal(1, install(world.keyring, pair("a")))
    assert.equal(1, install(virtual.new({}).keyring, pair("a")))
  end)
end)
