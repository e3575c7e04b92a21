-- What a store was, and the way back.
local process = require "support.process"
local program = require "support.program"
local registry = require "peal.registry"
local revisions = require "peal.revisions"
local store = require "peal.store"
local decode = require "peal.decode"

local schema = assert(registry.load {})

describe("the revisions of a store", function()
  local dir, st
  before_each(function()
    dir = process.temp_dir()
    st = assert(store.open { schema = schema, path = dir .. "/st" })
  end)
  after_each(function()
    st:close()
    process.remove(dir)
  end)

  -- A commit of a profile's elements, or of state.
  local function commit(about)
    local txn = assert(st:begin())
    txn:source { author = about.author or "profile", cycle = about.cycle,
      rule = about.rule or about.cycle and "Profile_Rule", url = about.url }
    txn:keep_unknown(true)
    for name, value in pairs(about.set or {}) do
      assert(txn:set(name, value, { by_user = about.by_user }))
    end
    if about.xml then
      assert(decode.apply("<flat-profile>" .. about.xml .. "</flat-profile>",
        {}, txn))
    end
    if about.state then assert(txn:state("x", "y", about.state)) end
    return assert(txn:commit(about.cause or about.cycle and "resync" or "set",
      about.time or 1000))
  end

  local function all_values()
    local out = {}
    for v in st:each() do
      out[v.name] = ("%s|%s|%s|%s|%s"):format(v.text, v.ua, v.user_modified,
        v.user_pref, v.is_default)
    end
    return out
  end

  it("say when, which cycle, why, how many changes, and who", function()
    commit { author = "phone-file", cause = "initial", time = 5,
      set = { GPP_A = "1", GPP_B = "1" } }
    commit { cycle = 1, url = "http://h/x", time = 6, set = { GPP_A = "2" } }
    commit { author = "cli", time = 7, set = { GPP_A = "3", GPP_C = "3" } }
    local list = revisions.list(st)
    local got = {}
    for i, one in ipairs(list) do
      got[i] = ("%d %d %s %s %d %s"):format(one.number, one.time,
        one.cycle or "-", one.cause, one.changes,
        table.concat(one.authors, ","))
    end
    assert.same({ "1 5 - initial 2 phone-file", "2 6 1 resync 1 Profile_Rule",
      "3 7 - set 2 cli" }, got)
  end)

  it("tell what has changed since another, and in which order", function()
    local function write(fn)
      local txn = assert(st:begin())
      txn:source { author = "test" }
      txn:keep_unknown(true)
      fn(txn)
      assert(txn:commit("set", 0))
    end
    write(function(txn)
      txn:set("GPP_B", "1")
      txn:set("GPP_A", "1")
      txn:set("Old_Thing", "x")
    end)
    write(function(txn)
      txn:set("GPP_A", "2")
      txn:set("GPP_C", st:get("GPP_C")) -- the default, by somebody
      txn:set("A_Thing", "x")
      txn:reset("Old_Thing")
      txn:state("x", "y", "z")
    end)
    write(function(txn) txn:set("GPP_B", "1", { by_user = true }) end)
    local first, second = st:past(1), st:past(2)
    assert.same({ "GPP_A", "GPP_B", "Old_Thing" }, first:changed())
    assert.same({ "GPP_A", "GPP_C", "A_Thing", "Old_Thing" },
      second:changed(first))
    assert.same(second:changed(first), first:changed(second))
    assert.same({ "GPP_B" }, st:changed(second))
    assert.same({}, st:changed(st))
    assert.same({}, st:changed(st:copy()))
    assert.has_error(function()
      st:changed(store.open { schema = assert(registry.load {}) })
    end, "bad argument #1 to 'changed' (a store of another schema)")
    first:close()
    second:close()
    assert.has_error(function() st:changed(first) end)
  end)

  it("are one entry for a cycle, whatever it has committed", function()
    commit { author = "cli", set = { GPP_A = "0" } }
    commit { cycle = 4, set = { GPP_A = "1" } }
    commit { cycle = 4, rule = "Profile_Rule_B", set = { GPP_B = "1" } }
    local list = revisions.list(st)
    assert.equal(2, #list)
    assert.same({ 2, 3, 2 }, { list[2].first, list[2].number,
      list[2].changes })
    table.sort(list[2].authors)
    assert.same({ "Profile_Rule", "Profile_Rule_B" }, list[2].authors)
  end)

  it("name each kind of author", function()
    local EXPECTED <const> = { { "profile", "Profile_Rule_C" },
      { "assign", "Profile_Rule_C" }, { "cli", "cli" }, { "web", "web" },
      { "repl", "repl" }, { "phone-file", "phone-file" },
      { "revert", "revert" }, { "health", "undo" },
      { "/etc/rules/apply.lua", "Profile_Rule_C (/etc/rules/apply.lua)" } }
    for _, pair in ipairs(EXPECTED) do
      assert.equal(pair[2], revisions.author { author = pair[1],
        rule = "Profile_Rule_C" })
    end
    assert.equal("undo", revisions.author({ is_default = true }, "health"))
    assert.equal("revert", revisions.author({ is_default = true },
      "revert 3"))
  end)

  it("tell the values that a parameter has had, and from where", function()
    commit { author = "cli", set = { GPP_A = "1" } }
    commit { author = "cli", set = { GPP_B = "1" } }
    commit { cycle = 2, url = "http://h/x",
      xml = "\n<GPP_A>2</GPP_A>" }
    local list = revisions.list(st, "GPP_A")
    assert.same({ { "1", "cli", 1 }, { "2", "Profile_Rule", 3 } },
      { { list[1].value, list[1].author, list[1].revision },
        { list[2].value, list[2].author, list[2].revision } })
    assert.same({ "http://h/x", 2, 2 }, { list[2].url, list[2].line,
      list[2].cycle })
    local _, failed = revisions.list(st, "No_Such")
    assert.equal("unknown-name", failed.word)
  end)

  it("know of a value whose revision is gone that it was there", function()
    commit { author = "cli", set = { GPP_A = "1" } }
    commit { author = "cli", set = { GPP_B = "1" } }
    commit { author = "cli", set = { GPP_B = "2" } }
    assert(os.remove(dir .. "/st/rev-0000000001"))
    local list = revisions.list(st, "GPP_A")
    assert.equal(1, #list)
    assert.same({ "1", "cli", 1 }, { list[1].value, list[1].author,
      list[1].revision })
    assert.is_nil(list[1].time)
  end)

  it("differ by value, access and flags, with who changed it", function()
    commit { author = "cli", set = { GPP_A = "1", GPP_SA = "s3cret" } }
    commit { cycle = 1, xml = '<GPP_A ua="ro">1</GPP_A><GPP_B>b</GPP_B>'
      .. "<GPP_SA>0ther</GPP_SA>" }
    local list = assert(revisions.diff(st, 1))
    local by_name = {}
    for _, one in ipairs(list) do by_name[one.name] = one end
    assert.equal(3, #list)
    assert.is_true(by_name.GPP_A.same_text)
    assert.same({ "na", "ro" }, { by_name.GPP_A.ua_old,
      by_name.GPP_A.ua_new })
    assert.same({ "", "b", "Profile_Rule" }, { by_name.GPP_B.old,
      by_name.GPP_B.new, by_name.GPP_B.author })
    assert.matches("^#%x+$", by_name.GPP_SA.old)
    assert.matches("^#%x+$", by_name.GPP_SA.new)
    assert.same({}, assert(revisions.diff(st, 2, 2)))
  end)

  it("count back from the newest those that changed parameters", function()
    commit { author = "cli", set = { GPP_A = "1" } }
    commit { author = "cli", set = { GPP_A = "2" } }
    commit { state = "a", cause = "state" }
    commit { author = "cli", set = { GPP_A = "3" } }
    commit { state = "b", cause = "state" }
    assert.equal(2, revisions.number(st, "-1"))
    assert.equal(1, revisions.number(st, "-2"))
    assert.equal(5, revisions.number(st, "5"))
    local _, failed = revisions.number(st, "-3")
    assert.equal("not-found", failed.word)
    _, failed = revisions.number(st, "x")
    assert.equal("usage", failed.word)
  end)

  it("count back as the history lists them, whatever they are", function()
    local KINDS <const> = { "set", "set", "resync", "resync", "state",
      "damaged" }
    math.randomseed(7)
    local cycle, damaged = 1, {}
    for i = 1, 60 do
      local kind = KINDS[math.random(#KINDS)]
      cycle = cycle + math.random(0, 1)
      local number = commit { cause = kind == "damaged" and "set" or kind,
        cycle = kind == "resync" and cycle or nil, author = "cli",
        set = kind ~= "state" and { GPP_A = "v" .. i } or nil,
        state = tostring(i) }
      if kind == "damaged" then damaged[#damaged + 1] = number end
    end
    for _, number in ipairs(damaged) do
      local path = ("%s/st/rev-%010d"):format(dir, number)
      local text = program.slurp(path):gsub("GPP_A", "GPP_B")
      local file <close> = assert(io.open(path, "wb"))
      file:write(text)
    end
    local found = {}
    for _, entry in ipairs(revisions.list(st)) do
      if entry.changes > 0 and not entry.damaged then
        table.insert(found, 1, entry.number)
      end
    end
    assert.is_true(#damaged > 3 and #found > 10)
    for i = 2, #found do
      assert.equal(found[i], revisions.number(st, tostring(1 - i)))
    end
    assert.is_nil((revisions.number(st, tostring(-#found))))
  end)

  it("say which there are where one is not", function()
    commit { author = "cli", set = { GPP_A = "1" } }
    commit { author = "cli", set = { GPP_A = "2" } }
    local _, failed = revisions.diff(st, 7)
    assert.same({ "there is no revision 7", "not-found", "there are: 1 to 2" },
      { failed.sentence, failed.word, failed.next })
    _, failed = revisions.revert({ store = st, time = 9 }, 7)
    assert.equal("not-found", failed.word)
  end)

  it("say it of a damaged one, which is listed all the same", function()
    commit { author = "cli", set = { GPP_A = "1" } }
    commit { author = "cli", set = { GPP_A = "2" } }
    local path = dir .. "/st/rev-0000000001"
    local text = program.slurp(path):gsub("GPP_A", "GPP_B")
    local file <close> = assert(io.open(path, "wb"))
    file:write(text)
    file:close()
    local _, failed = revisions.diff(st, 1)
    assert.equal("damaged", failed.word)
    assert.matches("revision 1 cannot be read: the checksum", failed.sentence)
    assert.matches("^take another: 2", failed.next)
    _, failed = revisions.revert({ store = st, time = 9 }, 1)
    assert.equal("damaged", failed.word)
    assert.is_string(revisions.list(st)[1].damaged)
  end)

  it("outlive the commits of an idle phone, of which state is all", function()
    st:close()
    st = assert(store.open { schema = schema, path = dir .. "/st",
      keep = 20000 })
    commit { author = "cli", set = { GPP_A = "1" } }
    commit { author = "cli", set = { GPP_A = "2" } }
    for i = 1, 50 do
      commit { cause = "state", state = ("x"):rep(1000) .. i }
    end
    commit { author = "cli", set = { GPP_A = "3" } }
    local got, size = {}, 0
    for _, entry in ipairs(revisions.list(st)) do
      size = size + entry.size
      if entry.changes > 0 then got[#got + 1] = entry.number end
    end
    assert.same({ 1, 2, 53 }, got)
    assert.is_true(size <= 20000)
    assert.same({ "1", "2", "3" }, { st:past(1):get("GPP_A"),
      st:past(2):get("GPP_A"), st:get("GPP_A") })
    assert.equal(("x"):rep(1000) .. "50", st:past(52):state("x", "y"))
  end)

  describe("put back", function()
    local function revert(n, names)
      return revisions.revert({ store = st, time = 99 }, n, names)
    end

    it("bring value, access and user flags, and nothing else", function()
      commit { author = "cli", by_user = true, state = "then",
        set = { GPP_A = "mine", GPP_SA = "old-secret" } }
      commit { cycle = 1, xml = '<GPP_B ua="rw" user-pref="y">b</GPP_B>'
        .. '<GPP_C ua="ro">c</GPP_C><Odd_Name ua="ro">odd</Odd_Name>'
        .. '<GPP_F ua="rw" user-pref="y"></GPP_F>' }
      local wanted = all_values()
      commit { author = "cli", state = "now",
        set = { GPP_A = "x", GPP_D = "d", GPP_SA = "new-secret",
          Odd_Name = "even", Other_Name = "o" } }
      commit { cycle = 2, xml = '<GPP_B ua="na">x</GPP_B><GPP_C ua="rw">c'
        .. '</GPP_C><GPP_E user-pref="y">e</GPP_E><GPP_F>f</GPP_F>' }
      local names, revision = revert(2)
      assert.equal(5, revision)
      table.sort(names)
      assert.same({ "GPP_A", "GPP_B", "GPP_C", "GPP_D", "GPP_E", "GPP_F",
        "GPP_SA", "Odd_Name", "Other_Name" }, names)
      assert.same(wanted, all_values())
      assert.equal("now", st:state("x", "y"))
      assert.equal("revert", st:value("GPP_A").author)
      assert.equal("revert 2", revisions.list(st)[5].cause)
    end)

    it("bring the named ones only", function()
      commit { author = "cli", set = { GPP_A = "1", GPP_B = "1" } }
      commit { author = "cli", set = { GPP_A = "2", GPP_B = "2" } }
      assert.same({ "GPP_B" }, (revert(1, { "GPP_B" })))
      assert.same({ "2", "1" }, { st:get("GPP_A"), st:get("GPP_B") })
    end)

    it("are brought back by a revert of the revert", function()
      commit { author = "cli", set = { GPP_A = "1" } }
      commit { cycle = 1, xml = '<GPP_A ua="ro">2</GPP_A><GPP_B>2</GPP_B>' }
      local wanted = all_values()
      assert(revert(1))
      assert.equal("1", st:get("GPP_A"))
      assert(revert(2))
      assert.same(wanted, all_values())
    end)

    it("are refused where there is nothing to put back", function()
      commit { author = "cli", set = { GPP_A = "1" } }
      commit { state = "a", cause = "state" }
      local _, failed = revert(1)
      assert.equal("unchanged", failed.word)
      assert.equal(2, st:revision())
    end)

    it("are refused for a name that is none", function()
      commit { author = "cli", set = { GPP_A = "1" } }
      commit { author = "cli", set = { GPP_A = "2" } }
      local _, failed = revert(1, { "GPP_A", "No_Such" })
      assert.equal("unknown-name", failed.word)
      assert.equal("2", st:get("GPP_A"))
    end)

    it("are refused where what was shown has changed since", function()
      commit { author = "cli", set = { GPP_A = "1", GPP_B = "1" } }
      commit { author = "cli", set = { GPP_A = "2", GPP_B = "2" } }
      commit { author = "cli", set = { GPP_A = "3" } }
      local function expecting(n, names)
        return revisions.revert({ store = st, time = 99, expect = n }, 1,
          names)
      end
      local _, failed = expecting(2)
      assert.same({ "changed", true }, { failed.word,
        failed.sentence:find("GPP_A", 1, true) ~= nil })
      assert.same({ "3", "2", 3 }, { st:get("GPP_A"), st:get("GPP_B"),
        st:revision() })
      _, failed = expecting(77)
      assert.equal("changed", failed.word)
      -- another parameter, or state, is none of its matter
      commit { state = "a", cause = "state" }
      assert.same({ "GPP_B" }, (expecting(2, { "GPP_B" })))
      assert.same({ "GPP_A" }, (expecting(5)))
    end)

    it("wait for a transaction that is open", function()
      commit { author = "cli", set = { GPP_A = "1" } }
      commit { author = "cli", set = { GPP_A = "2" } }
      local txn = st:begin()
      local _, failed = revert(1)
      assert.equal("bad-state", failed.word)
      txn:abort()
      assert(revert(1))
    end)

    it("are kept over a new start, and shown before they are", function()
      commit { author = "cli", set = { GPP_A = "1" } }
      commit { cycle = 1, set = { GPP_A = "2" } }
      local list = assert(revisions.preview(st, 1))
      assert.same({ "2", "1", "Profile_Rule" }, { list[1].old, list[1].new,
        list[1].old_rule })
      assert(revert(1))
      st:close()
      st = assert(store.open { schema = schema, path = dir .. "/st" })
      assert.equal("1", st:get("GPP_A"))
      assert.equal(3, st:value("GPP_A").revision)
    end)
  end)
end)
