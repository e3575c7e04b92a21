local schema = require "peal.schema"
local store = require "peal.store"

local function phone_schema()
  local s = assert(schema.new())
  assert(s:add_all {
    { name = "Resync_Periodic", type = "Schedule", default = "3600" },
    { name = "Station_Name", type = "Str", max = 63, ua = "rw" },
    { name = "GPP_A", type = "Str" },
    { name = "GPP_SA", type = "Str", secret = true, reboot = true },
  })
  return assert(s:seal())
end

local function folder()
  local name = os.tmpname()
  os.remove(name)
  return name
end

local function remove(path)
  assert(os.execute(("rm -rf '%s'"):format(path)))
end

local function write(st, values, cause)
  local txn = assert(st:begin())
  assert(txn:source { cycle = 5, author = "profile", rule = "Profile_Rule",
    url = "http://s/x.xml" })
  for name, text in pairs(values) do assert(txn:set(name, text)) end
  return assert(txn:commit(cause or "test", 1000))
end

describe("store", function()
  it("holds defaults, then what was committed, with its source", function()
    local st <close> = assert(store.open { schema = phone_schema() })
    assert.equal("3600", st:get("Resync_Periodic"))
    assert.is_true(st:value("GPP_A").is_default)
    assert.equal(1, write(st, { GPP_A = "x" }))
    assert.same({ name = "GPP_A", text = "x", type = "Str", ua = "na",
      secret = false, reboot = false, untyped = false, is_default = false,
      user_modified = false, user_pref = false, cycle = 5,
      author = "profile", rule = "Profile_Rule", url = "http://s/x.xml",
      revision = 1, line = 0 }, st:value("GPP_A"))
    local nothing, sentence, word = st:get("Nope")
    assert.is_nil(nothing)
    assert.equal("there is no parameter Nope", sentence)
    assert.equal("unknown-name", word)
  end)

  it("goes through all values in order", function()
    local st <close> = assert(store.open { schema = phone_schema() })
    local txn = st:begin()
    txn:keep_unknown(true)
    assert(txn:set("Vendor", "v"))
    txn:commit("test", 0)
    local names = {}
    for value in st:each() do names[#names + 1] = value.name end
    assert.same({ "Resync_Periodic", "Station_Name", "GPP_A", "GPP_SA",
      "Vendor" }, names)
    assert.is_true(st:value("Vendor").untyped)
  end)

  it("lists changes against what is committed", function()
    local st <close> = assert(store.open { schema = phone_schema() })
    local txn = st:begin()
    txn:set("GPP_SA", "s")
    txn:set("Resync_Periodic", "60")
    txn:set("Station_Name", "Bob", { by_user = true })
    assert.is_true(txn:value("Station_Name").user_modified)
    assert.is_true(txn:revoke("Station_Name"))
    assert.same({
      { name = "Resync_Periodic", old = "3600", new = "60",
        type = "Schedule", secret = false, reboot = false, ua_old = "na",
        ua_new = "na", was_default = true, pref_old = false, um_old = false,
        line = 0 },
      { name = "GPP_SA", old = "", new = "s", type = "Str", secret = true,
        reboot = true, ua_old = "na", ua_new = "na", was_default = true,
        pref_old = false, um_old = false, line = 0 },
    }, txn:changes())
    local revision, changed = txn:commit("set", 0)
    assert.equal(1, revision)
    assert.is_true(changed)
    txn = st:begin()
    txn:set("GPP_SA", "s")
    revision, changed = txn:commit("set", 0)
    assert.equal(1, revision)
    assert.is_false(changed)
  end)

  it("opens what it was", function()
    local path = folder()
    local st = assert(store.open { schema = phone_schema(), path = path })
    local first = write(st, { GPP_A = "1" })
    write(st, { GPP_A = "2" })
    local past <close> = assert(st:past(first))
    assert.same({ "1", "2" }, { past:get("GPP_A"), st:get("GPP_A") })
    assert.is_nil(past:begin())
    assert.is_nil((st:past(99)))
    assert.is_nil((st:past(0)))
    st:close()
    assert.has_error(function() st:past(first) end)
    remove(path)
    st = assert(store.open { schema = phone_schema() })
    write(st, { GPP_A = "1" })
    assert.same({ nil, "not-found" }, { st:past(1), select(3, st:past(1)) })
  end)

  it("refuses a value and says why", function()
    local st <close> = assert(store.open { schema = phone_schema() })
    local txn <close> = st:begin()
    local ok, sentence, word = txn:set("Resync_Periodic", "soon")
    assert.is_nil(ok)
    assert.equal("bad-value", word)
    assert.truthy(sentence:find("seconds", 1, true))
    word = select(3, txn:set("Nope", "1"))
    assert.equal("unknown-name", word)
    assert.same({ elements = 0, applied = 0, unknown = 0, kept = 0, bad = 0 },
      txn:counts())
    assert.same({}, txn:notes())
  end)

  it("holds state in namespaces", function()
    local st <close> = assert(store.open { schema = phone_schema() })
    local txn = st:begin()
    assert(txn:state("retry", "index", "3"))
    assert(txn:state("retry", "a\tb", "\0"))
    txn:commit("state", 0)
    assert.equal("3", st:state("retry", "index"))
    assert.is_nil(st:state("retry", "nothing"))
    assert.same({ index = "3", ["a\tb"] = "\0" }, st:states("retry"))
    txn = st:begin()
    assert(txn:factory_reset { "other" })
    txn:commit("reset", 0)
    assert.same({}, st:states("retry"))
    txn = st:begin()
    assert.has_error(function() txn:state("a", "b") end)
    local _, _, word = txn:state("a b", "c", "1")
    assert.equal("invalid", word)
    txn:abort()
  end)

  it("comes back from its folder", function()
    local path = folder()
    local s = phone_schema()
    local st = assert(store.open { schema = s, path = path })
    write(st, { GPP_A = "a\nb" }, "resync")
    write(st, { GPP_SA = "secret" })
    local mark = st:fingerprint("secret")
    assert.truthy(mark:match("^#%x%x%x%x%x%x%x%x$"))
    local _, sentence, word = store.open { schema = s, path = path }
    assert.equal("locked", word)
    assert.truthy(sentence:find(path, 1, true))
    st:close()

    st = assert(store.open { schema = s, path = path })
    assert.equal(2, st:revision())
    assert.equal("a\nb", st:get("GPP_A"))
    assert.equal(mark, st:fingerprint("secret"))
    assert.same({}, st:notes())
    local list = st:revisions()
    assert.equal(2, #list)
    assert.equal("resync", list[1].cause)
    assert.equal(1000, list[1].time)
    assert.equal(5, list[1].cycle)
    local old <close> = assert(store.open { schema = s, path = path,
      read_only = true, revision = 1 })
    assert.equal("", old:get("GPP_SA"))
    word = select(3, old:begin())
    assert.equal("bad-state", word)
    st:close()
    remove(path)
  end)

  it("passes a damaged revision over, aloud", function()
    local path = folder()
    local s = phone_schema()
    local st = assert(store.open { schema = s, path = path })
    write(st, { GPP_A = "1" })
    write(st, { GPP_A = "2" })
    st:close()
    local f = assert(io.open(path .. "/rev-0000000002", "wb"))
    f:write("peal-store 1\n")
    f:close()
    st = assert(store.open { schema = s, path = path })
    assert.equal("1", st:get("GPP_A"))
    assert.truthy(st:notes()[1]:find("revision 2 is damaged", 1, true))
    assert.equal(3, write(st, { GPP_A = "3" }))
    st:close()
    remove(path)
  end)

  it("starts over only when it is told to", function()
    local path = folder()
    local s = phone_schema()
    local st = assert(store.open { schema = s, path = path })
    write(st, { GPP_A = "1" })
    st:close()
    local f = assert(io.open(path .. "/rev-0000000001", "ab"))
    f:write("x")
    f:close()
    local _, _, word = store.open { schema = s, path = path }
    assert.equal("damaged", word)
    st = assert(store.open { schema = s, path = path, start_over = true })
    assert.equal("", st:get("GPP_A"))
    assert.equal(2, #st:notes())
    st:close()
    remove(path)
  end)

  it("makes copies that nobody else sees the changes of", function()
    local path = folder()
    local st <close> = assert(store.open { schema = phone_schema(),
      path = path })
    write(st, { GPP_A = "1" })
    local open = st:begin()
    assert(open:set("GPP_A", "staged"))
    local copy <close> = assert(st:copy())
    open:abort()
    assert.equal("1", copy:get("GPP_A"))
    assert.same(st:value("GPP_A"), copy:value("GPP_A"))
    assert.equal(st:fingerprint("x"), copy:fingerprint("x"))
    assert.equal(2, write(copy, { GPP_A = "2" }))
    assert.equal("1", st:get("GPP_A"))
    assert.equal(2, write(st, { GPP_A = "3" }))
    assert.equal("2", copy:get("GPP_A"))
    remove(path)
  end)

  it("lets a copy look back as far as both are one", function()
    local path = folder()
    local st = assert(store.open { schema = phone_schema(), path = path })
    write(st, { GPP_A = "1" })
    write(st, { GPP_A = "2" })
    local copy <close> = assert(st:copy())
    write(copy, { GPP_A = "mine" })
    write(st, { GPP_A = "3" })
    local twice <close> = assert(copy:copy())
    for _, each in ipairs { copy, twice } do
      local past <close> = assert(each:past(1))
      assert.equal("1", past:get("GPP_A"))
      assert.same({ 1, 2 }, { each:revisions()[1].number,
        each:revisions()[2].number })
      assert.equal(2, #each:revisions())
      assert.equal("not-found", select(3, each:past(3)))
    end
    local old <close> = assert(st:past(1))
    local from_old <close> = assert(old:copy())
    assert.equal(2, write(from_old, { GPP_A = "else" }))
    st:close()
    remove(path)
    assert.equal("not-found", select(3, copy:revisions()))
    assert.equal("mine", copy:get("GPP_A"))
    local none <close> = assert(store.open { schema = phone_schema() })
    local of_none <close> = assert(none:copy())
    assert.same({}, of_none:revisions())
    assert.is_nil((of_none:past(1)))
  end)

  it("gives the bytes of its file, and opens them elsewhere", function()
    local path = folder()
    local st <close> = assert(store.open { schema = phone_schema(),
      path = path })
    write(st, { GPP_A = "a\nb", GPP_SA = "secret" }, "resync")
    local bytes, key = assert(st:bytes())
    local f <close> = assert(io.open(path .. "/rev-0000000001", "rb"))
    assert.equal(f:read("a"), bytes)
    assert.equal(32, #key)
    local again <close> = assert(store.open { schema = phone_schema(),
      bytes = bytes, key = key })
    assert.equal("secret", again:get("GPP_SA"))
    assert.equal(st:fingerprint("secret"), again:fingerprint("secret"))
    assert.same({ bytes, key }, { again:bytes() })
    assert.equal(2, write(again, { GPP_A = "x" }))
    assert.equal("a\nb", st:get("GPP_A"))
    remove(path)
  end)

  it("refuses bytes that are damaged or from a newer program", function()
    local s = phone_schema()
    local none, sentence, word = store.open { schema = s, bytes = "x" }
    assert.same({ nil, "damaged" }, { none, word })
    assert.truthy(sentence)
    local st <close> = assert(store.open { schema = s })
    local bytes = st:bytes():gsub("peal%-store 1", "peal-store 9")
    bytes = bytes:gsub("sha256 %x+", function()
      local lines = bytes:match("^(.*\n)sha256 ")
      return "sha256 " .. require "peal.encode".sha256():add(lines):hex()
    end)
    word = select(3, store.open { schema = s, bytes = bytes })
    assert.equal("newer", word)
    assert.has_error(function() store.open { schema = s, key = "short" } end)
    assert.has_error(function()
      store.open { schema = s, path = "/x", bytes = bytes }
    end)
  end)

  it("refuses a closed handle by name", function()
    local st = assert(store.open { schema = phone_schema() })
    local txn = st:begin()
    st:close()
    st:close()
    assert.has_error(function() st:get("GPP_A") end,
      "store:get: the store is closed")
    assert.has_error(function() txn:set("GPP_A", "x") end,
      "transaction:set: the transaction is over")
    txn:abort()
    assert.equal("peal.store (closed)", tostring(st))
    assert.equal("peal.txn (over)", tostring(txn))
  end)

  it("has one transaction at a time, and a collected one is over", function()
    local st <close> = assert(store.open { schema = phone_schema() })
    do
      local txn = st:begin()
      local _, _, word = st:begin()
      assert.equal("bad-state", word)
      assert.equal("peal.txn (open)", tostring(txn))
    end
    collectgarbage()
    collectgarbage()
    local txn <close> = assert(st:begin())
    assert.is_userdata(txn)
  end)

  it("takes known options only", function()
    assert.has_error(function()
      store.open { schema = phone_schema(), file = "x" }
    end)
    assert.has_error(function() store.open {} end)
  end)

  it("passes over files whose names only look like a revision's", function()
    local process = require "support.process"
    local dir = process.temp_dir()
    local function reopen()
      return assert(store.open { schema = phone_schema(), path = dir .. "/st" })
    end
    local st = reopen()
    local txn = assert(st:begin())
    assert(txn:set("GPP_A", "kept"))
    assert(txn:commit("set", 0))
    st:close()
    for _, name in ipairs { "rev-00000000010", "rev-0000000009.bak",
        "rev-9999999999999999999", "rev-5", "rev-" } do
      assert(io.open(dir .. "/st/" .. name, "w")):close()
    end
    st = reopen()
    assert.are.equal("kept", st:get("GPP_A"))
    assert.are.equal(1, st:revision())
    st:close()
    process.remove(dir)
  end)
end)
