-- Rule files in a process of their own: peal.worker with the real program.
local loop = require "peal.loop"
local process = require "support.process"
local program = require "support.program"
local schema = require "peal.schema"
local stages = require "peal.stages"
local store = require "peal.store"
local sys = require "peal.sys"
local worker = require "peal.worker"

-- A guard against hanging, not a measurement.
local GUARD_S <const> = 60

local HONEST <const> = [[
local function decide(phone)
  return true, "asked by " .. phone.asked_by, phone.param.GPP_A
end
return { stage = "%s", decide = decide }
]]

-- Those that the box stops by itself; the kill has tests of its own.
local HOSTILE <const> = {}
for _, row in ipairs(require "support.hostile") do
  if not row.kill then table.insert(HOSTILE, row) end
end

local function in_body(stage, code)
  return ("%s\nreturn { stage = %q, decide = function() end }"):format(
    "do " .. code .. " end", stage)
end

local function in_decide(stage, code)
  return ("return { stage = %q, decide = function() %s end }"):format(stage,
    code)
end

describe("worker", function()
  local l, snapshot, w, ticks

  before_each(function()
    l = assert(loop.new())
    snapshot = assert(worker.snapshot())
    w = assert(worker.new(l, { program = program.path, snapshot = snapshot }))
    ticks = 0
  end)

  after_each(function()
    w:close()
    l:run()
  end)

  -- Ask, and run the loop with a timer on it until the answer is there.
  local function ask(job, seconds, before)
    local answer, timer
    local function tick()
      ticks = ticks + 1
      timer = l:timer(0.05, tick)
    end
    timer = l:timer(0.05, tick)
    assert(w:ask(job, seconds or GUARD_S, before, function(...)
      answer = table.pack(...)
      l:stop()
    end))
    assert.is_nil(answer) -- never at once
    l:run()
    timer:cancel()
    return table.unpack(answer, 1, answer.n)
  end

  local function honest(stage, before)
    return ask({ stage = stage or "trigger", path = "trigger.lua",
      text = HONEST:format(stage or "trigger"),
      view = { asked_by = "url" } }, GUARD_S, before)
  end

  local function a_store()
    local s = assert(schema.new())
    for _, param in ipairs {
      { name = "GPP_A", type = "Str" },
      { name = "GPP_SA", type = "Str", secret = true },
    } do
      assert(s:add(param))
    end
    s:seal()
    return assert(store.open { schema = s })
  end

  local function set(st, name, text)
    local txn = assert(st:begin())
    assert(txn:set(name, text))
    assert(txn:commit("test", 0))
  end

  describe("asked a question", function()
    it("answers with what decide() returned", function()
      assert.same({ n = 3, true, "asked by url" }, honest())
      assert.equal(1, w:starts())
    end)

    it("checks a file without a view", function()
      assert.same({ n = 0 }, ask { stage = "trigger", path = "trigger.lua",
        text = HONEST:format("trigger") })
      local none, sentence, word = ask { stage = "trigger",
        path = "trigger.lua", text = "return 3" }
      assert.is_nil(none)
      assert.matches("^trigger.lua: ", sentence)
      assert.equal("bad-rule-file", word)
    end)

    it("names the line of an error", function()
      local none, sentence, word, line = ask { stage = "trigger",
        path = "rules/trigger.lua", view = {},
        text = '\n\nreturn { stage = "trigger",\n decide = nil + 1 }' }
      assert.is_nil(none)
      assert.matches("^rules/trigger.lua:4: ", sentence)
      assert.equal("bad-rule-file", word)
      assert.equal(4, line)
    end)

    it("says when an answer is too long", function()
      honest()
      local none, sentence, word = ask { stage = "trigger", path = "t.lua",
        view = {}, text = in_decide("trigger", [[
          local text = ("x"):rep(1000000)
          return true, { text, text, text, text, text }]]) }
      assert.is_nil(none)
      assert.matches("^t%.lua: .*too large", sentence)
      assert.equal("bad-rule-file", word)
      assert.same(true, honest()[1])
      assert.equal(1, w:starts())
    end)

    it("queues what is asked meanwhile", function()
      local seen = {}
      for i = 1, 3 do
        w:ask({ stage = "trigger", path = "t.lua", view = { asked_by = i },
          text = HONEST:format("trigger") }, GUARD_S, nil, function(r)
          seen[#seen + 1] = r[2]
        end)
      end
      l:run()
      assert.same({ "asked by 1", "asked by 2", "asked by 3" }, seen)
      assert.equal(1, w:starts())
    end)

    it("forgets a question that is taken back", function()
      local got
      local h = w:ask({ stage = "trigger", path = "t.lua", view = {},
        text = HONEST:format("trigger") }, GUARD_S, nil, function(...)
        got = { ... }
      end)
      h:cancel()
      h:cancel()
      assert.is_nil(got)
      l:run()
      assert.equal("canceled", got[3])
      assert.same(true, honest()[1])
    end)

    it("refuses what is no plain data", function()
      assert.has_error(function()
        w:ask({ stage = "trigger", path = "t.lua", view = { f = print } },
          1, nil, function() end)
      end)
      assert.has_error(function()
        w:ask({ stage = "trigger", path = "t.lua", text = "", vew = {} }, 1,
          nil, function() end)
      end, "bad argument #1 to 'ask' (no such option: 'vew')")
      l:run()
      assert.equal(0, w:starts())
    end)

    it("does not keep an idle loop running", function()
      honest()
      l:run() -- returns
      assert.is_truthy(w:pid())
    end)
  end)

  describe("parameters", function()
    it("are those written right before the question", function()
      local st = a_store()
      local function write() return snapshot:write(st) end
      set(st, "GPP_A", "one")
      assert.same({ n = 3, true, "asked by url", "one" }, honest(nil, write))
      set(st, "GPP_A", "two")
      assert.equal("two", honest(nil, write)[3])
      assert.equal("two", honest()[3])
      assert.equal("now", honest(nil, function()
        return snapshot:write(st, { GPP_A = "now" })
      end)[3])
      assert.equal("two", honest(nil, write)[3])
      assert.equal(1, w:starts())
    end)

    it("show secrets as references, to a worker and here", function()
      local st = a_store()
      set(st, "GPP_SA", "hunter2")
      assert(snapshot:write(st))
      assert.equal("\0GPP_SA\0", snapshot:get("GPP_SA"))
      assert.is_nil(snapshot:get("GPP_SB"))
      local r = ask { stage = "trigger", path = "t.lua", view = {}, text = [[
        return { stage = "trigger", decide = function(phone)
          return true, "key=" .. phone.param.GPP_SA
        end }]] }
      assert.equal("key=\0GPP_SA\0", r[2])
    end)

    it("are the same as the engine's own rules see", function()
      local phone = require "peal.phone"
      local s = assert(schema.new())
      for _, name in ipairs { "A", "B", "C", "Empty" } do
        assert(s:add { name = name, type = "Str", default = name == "Empty"
          and "" or "d" .. name, secret = name ~= "A" })
      end
      assert(s:alias("Old_B", "B"))
      s:seal()
      local st = assert(store.open { schema = s })
      set(st, "C", "c2")
      local over = { B = "b2", Old_B = "b3", Empty = "", New = "n", C = "" }
      local p = phone.new { world = { store = st }, identity = {},
        overrides = over }
      assert(snapshot:write(st, over))
      for _, name in ipairs { "A", "B", "C", "Empty", "Old_B", "New",
        "None" } do
        assert.equal(p:shown(name), snapshot:get(name), name)
      end
      p.overrides = {}
      assert(snapshot:write(st))
      for _, name in ipairs { "A", "B", "C", "Empty", "Old_B", "New" } do
        assert.equal(p:shown(name), snapshot:get(name), name)
      end
    end)

    it("that cannot be written keep a question from being asked", function()
      local none, sentence, word = honest(nil, function()
        return nil, "too many", "limit"
      end)
      assert.is_nil(none)
      assert.equal("too many", sentence)
      assert.equal("limit", word)
      assert.equal("asked by url", honest()[2])
      assert.equal(1, w:starts())
    end)

    it("whose writing raises raise out of the loop", function()
      local called
      w:ask({ stage = "trigger", path = "t.lua", view = {}, text = "" },
        GUARD_S, function() error("boom") end, function(...)
          called = { ... }
        end)
      local ok, message = pcall(l.run, l)
      assert.is_false(ok)
      assert.matches("boom", message)
      l:run()
      assert.equal("canceled", called[3])
    end)
  end)

  describe("stopped", function()
    it("comes back after the deadline, in a new process", function()
      -- the limits inside make this hard to reach: a stopped process does not
      -- answer either
      honest()
      local pid = w:pid()
      process.spawn({ "kill", "-STOP", tostring(pid) }):wait(GUARD_S)
      local none, sentence, word = ask({ stage = "trigger",
        path = "rules/trigger.lua", text = HONEST:format("trigger"),
        view = { asked_by = "url" } }, 1)
      assert.is_nil(none)
      assert.equal("rules/trigger.lua: no answer within 1 s: stopped",
        sentence)
      assert.equal("rule-limit", word)
      assert.is_true(ticks > 1) -- the loop went on
      assert.same(true, honest()[1])
      assert.equal(2, w:starts())
      assert.not_equal(pid, w:pid())
    end)

    local function is_gone(pid)
      local stat = io.open("/proc/" .. pid .. "/stat")
      local text = stat and stat:read("a") or "Z"
      if stat then stat:close() end
      return text:match("^%S+ %b() (%a)") == "Z" or text == "Z"
    end

    it("between two questions is started anew", function()
      honest()
      local pid, guard = w:pid(), process.now() + GUARD_S
      process.spawn({ "kill", "-KILL", tostring(pid) }):wait(GUARD_S)
      while not is_gone(pid) and process.now() < guard do end
      assert.same(true, honest()[1])
      assert.equal(2, w:starts())
    end)

    it("during a question says so, with the rule's file", function()
      honest()
      local pid = w:pid()
      process.spawn({ "kill", "-STOP", tostring(pid) }):wait(GUARD_S)
      l:timer(0.05, function()
        process.spawn({ "kill", "-KILL", tostring(pid) }):wait(GUARD_S)
      end)
      local none, sentence, word = honest()
      assert.is_nil(none)
      assert.equal("trigger.lua: the worker ended (killed by signal 9)",
        sentence)
      assert.equal("rule-limit", word)
      assert.same(true, honest()[1])
    end)

    it("is a rule that the limits inside have not stopped yet", function()
      honest()
      local none, sentence, word = ask({ stage = "trigger", path = "t.lua",
        text = in_decide("trigger", HOSTILE[2][2]), view = {} }, 0.01)
      assert.is_nil(none)
      assert.equal("t.lua: no answer within 10 ms: stopped", sentence)
      assert.equal("rule-limit", word)
      assert.is_nil(w:pid())
      assert.same(true, honest()[1])
      assert.equal(2, w:starts())
    end)

    it("takes back what waits when it is closed", function()
      local got
      w:ask({ stage = "trigger", path = "t.lua", view = {}, text = "" },
        GUARD_S, nil, function(...) got = { ... } end)
      w:close()
      l:run()
      assert.equal("canceled", got[3])
      assert.has_error(function() w:pid() end)
      assert.equal("peal.worker (closed)", tostring(w))
    end)

    it("says why a program cannot be one", function()
      local other = assert(worker.new(l, { program = "/no/such" }))
      local got
      other:ask({ stage = "trigger", path = "t.lua", view = {}, text = "" },
        GUARD_S, nil, function(...) got = { ... } end)
      l:run()
      assert.equal("t.lua: the worker /no/such cannot be started: No such "
        .. "file or directory", got[2])
      assert.equal("io", got[3])
    end)
  end)

  describe("confined", function()
    local function read(name)
      local file = assert(io.open("/proc/" .. w:pid() .. "/" .. name))
      local text = file:read("a")
      file:close()
      return text
    end

    it("can make no calls and gain no privileges", function()
      honest()
      local status = read "status"
      assert.matches("\nSeccomp:\t2\n", status)
      assert.matches("\nNoNewPrivs:\t1\n", status)
      assert.matches("\nThreads:\t1\n", status)
    end)

    it("has two descriptors and no environment", function()
      honest()
      if process.uid() ~= 0 then
        pending("only root may look into a worker")
        return
      end
      local fds = sys.list("/proc/" .. w:pid() .. "/fd")
      table.sort(fds)
      assert.same({ "0", "1" }, fds)
      assert.equal("", read "environ")
    end)
  end)

  describe("given a hostile rule", function()
    -- One process for all: it has to be well after each of them.
    for _, stage in ipairs(stages.names) do
      it("survives it in " .. stage, function()
        for _, case in ipairs(HOSTILE) do
          for _, place in ipairs { in_body, in_decide } do
            local what = case[1] .. " (" .. stage .. ")"
            local answer, sentence, word = ask({ stage = stage,
              path = stage .. ".lua", text = place(stage, case[2]),
              view = {} }, 0.3)
            if not (answer and case.harmless) then
              assert.is_nil(answer, what)
              assert.is_true(word == "rule-limit" or word == "bad-rule-file",
                what .. ": " .. tostring(word))
              assert.matches("^" .. stage .. "%.lua:", sentence, what)
            end
            assert.same({ n = 3, true, "asked by url" }, honest(stage), what)
          end
        end
        assert.is_true(ticks > 0) -- the loop served a timer meanwhile
      end)
    end
  end)
end)
