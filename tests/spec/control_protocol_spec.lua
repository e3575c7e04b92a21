local json = require "peal.json"
local process = require "support.process"
local protocol = require "peal.control_protocol"
local task = require "peal.task"

-- A peer as peal.control has it, without a socket.
local function fake_peer()
  local peer = { sent = {} }
  function peer:accept(on_line, on_over)
    self.line, self.over = on_line, on_over
  end
  function peer:send(text) self.sent[#self.sent + 1] = text end
  function peer:close() self.closed = true end
  return peer
end

describe("the control protocol", function()
  local peer, turns, failures, session, resumes

  local methods = {
    echo = function(params) return params end,
    refuse = function() return nil, "not today", "refused", { line = 3 } end,
    broken = function() error("a fault") end,
    strange = function() return { fn = print } end,
    huge = function() return { text = ("x"):rep(2 << 20) } end,
    wait = function(params, call)
      call.on_cancel = function() resumes.canceled = true end
      return task.await(function(resume)
        resumes[#resumes + 1] = resume
      end)
    end,
    follow = function(_, call)
      call.session.subscribed = true
      return { following = true }
    end,
  }

  before_each(function()
    peer, turns, failures, resumes = fake_peer(), {}, {}, {}
    session = protocol.attach(peer, methods, {
      later = function(fn) turns[#turns + 1] = fn end,
      failed = function(text) failures[#failures + 1] = text end,
    })
  end)

  local function turn()
    while turns[1] do table.remove(turns, 1)() end
  end

  -- What a line is answered with.
  local function say(line)
    peer.sent = {}
    peer.line(type(line) == "table" and json.encode(line) or line)
    turn()
    return peer.sent[1] and json.decode(peer.sent[1])
  end

  it("answers a call by its id", function()
    assert.are.same({ id = 7, result = { a = "b" } },
      say { id = 7, method = "echo", params = { a = "b" } })
    assert.are.same({ id = "x", result = {} }, say { id = "x",
      method = "echo" })
  end)

  it("gives word, sentence and place of a failure", function()
    assert.are.same({ id = 1, error = { word = "refused",
      sentence = "not today", place = { line = 3 } } },
      say { id = 1, method = "refuse" })
  end)

  it("answers what it cannot understand, and goes on", function()
    for line, word in pairs {
      ["garbage"] = "invalid", ["[]"] = "invalid", ["null"] = "invalid",
      ["3"] = "invalid", ["{}"] = "invalid", [""] = "invalid",
      ['{"id":1'] = "invalid", ['{"method":"echo"}'] = "invalid",
      ['{"id":{},"method":"echo"}'] = "invalid",
      ['{"id":1.5,"method":"echo"}'] = "invalid",
      ['{"id":null,"method":"echo"}'] = "invalid",
      [('{"id":"%s"}'):format(("x"):rep(1000))] = "invalid",
      [("["):rep(100000)] = "invalid",
      [("["):rep(300000)] = "limit",
      [('{"id":1,"params":'):rep(5000)] = "invalid",
      ["\0\255\27"] = "invalid",
    } do
      local got = say(line)
      assert.are.equal(word, got.error.word, line:sub(1, 40))
      assert.are.equal(json.null, got.id)
      assert.is_true(#got.error.sentence < 300)
    end
    for line, word in pairs {
      ['{"id":1,"method":"no"}'] = "not-found",
      ['{"id":1,"method":7}'] = "not-found",
      ['{"id":1}'] = "not-found",
      ['{"id":1,"method":"echo","params":[1]}'] = "invalid",
      ['{"id":1,"method":"echo","params":"x"}'] = "invalid",
    } do
      local got = say(line)
      assert.are.equal(word, got.error.word, line)
      assert.are.equal(1, got.id)
    end
    assert.are.same({ id = 2, result = {} }, say { id = 2, method = "echo" })
    assert.is_nil(peer.closed)
  end)

  it("tells of a fault in itself, and goes on", function()
    assert.are.equal("internal", say { id = 1, method = "broken" }.error.word)
    assert.is_truthy(failures[1]:find("a fault.*stack traceback"))
    assert.are.equal("limit", say { id = 1, method = "strange" }.error.word)
    assert.are.equal("limit", say { id = 1, method = "huge" }.error.word)
    assert.are.same({ id = 2, result = {} }, say { id = 2, method = "echo" })
  end)

  it("answers calls in the order they end", function()
    assert.is_nil(say { id = 1, method = "wait" })
    assert.is_nil(say { id = 2, method = "wait" })
    assert.are.equal("exists", say { id = 2, method = "wait" }.error.word)
    peer.sent = {}
    resumes[2]("second")
    resumes[1]("first")
    assert.are.same({ id = 2, result = "second" }, json.decode(peer.sent[1]))
    assert.are.same({ id = 1, result = "first" }, json.decode(peer.sent[2]))
  end)

  it("cancels a call, which is answered once", function()
    say { id = 1, method = "wait" }
    assert.are.equal("canceled", say { id = 1, cancel = true }.error.word)
    assert.is_true(resumes.canceled)
    peer.sent = {}
    resumes[1]("late")
    assert.are.same({}, peer.sent)
    assert.is_nil(say { id = 1, cancel = true })
  end)

  it("takes some calls at once, and no more", function()
    for id = 1, 16 do assert.is_nil(say { id = id, method = "wait" }) end
    assert.are.equal("limit", say { id = 17, method = "wait" }.error.word)
    resumes[1]("done")
    assert.is_nil(say { id = 17, method = "wait" })
  end)

  it("lets a call end whose client has gone", function()
    say { id = 1, method = "wait" }
    peer.sent = {}
    peer.over()
    resumes[1]("done")
    assert.are.same({}, peer.sent)
    assert.are.same({}, failures)
  end)

  it("takes one line a turn of each client", function()
    for id = 1, 3 do
      peer.line(json.encode { id = id, method = "echo" })
    end
    for n = 1, 3 do
      assert.are.equal(1, #turns)
      table.remove(turns, 1)()
      assert.are.equal(n, #peer.sent)
    end
    assert.are.equal(0, #turns)
  end)

  it("hangs up on who says too much at once", function()
    for id = 1, 1001 do
      peer.line(json.encode { id = id, method = "echo" })
    end
    assert.is_true(peer.closed)
    assert.are.equal("limit",
      json.decode(peer.sent[#peer.sent]).error.word)
    local sent = #peer.sent
    turn()
    assert.are.equal(sent, #peer.sent)
  end)

  it("tells events to those who asked", function()
    session:tell('{"event":"state"}')
    assert.are.same({}, peer.sent)
    say { id = 1, method = "follow" }
    session:tell('{"event":"state"}')
    assert.are.equal('{"event":"state"}', peer.sent[2])
  end)

  it("survives random lines", function()
    math.randomseed(20261122)
    local words = { "{", "}", "[", "]", '"id"', ":", ",", "1", '"method"',
      '"echo"', "null", "\0", '"', "\\u", "cancel", "true", '{"id":1}' }
    for _ = 1, 3000 do
      local parts = {}
      for i = 1, math.random(0, 20) do parts[i] = words[math.random(#words)] end
      local line = table.concat(parts)
      local got = say(line)
      assert.is_true(got == nil or got.error ~= nil or got.result ~= nil)
    end
    assert.is_nil(peer.closed)
    assert.are.same({}, failures)
  end)
end)

describe("a client", function()
  local peer, client

  before_each(function()
    peer = fake_peer()
    client = protocol.client_of(peer)
  end)

  it("gets the result of its call", function()
    local got
    task.spawn(function()
      got = { client:call("status", { a = 1 }) }
    end)
    assert.are.same({ id = 1, method = "status", params = { a = 1 } },
      json.decode(peer.sent[1]))
    client:hear('{"id":1,"result":{"state":"IDLE"}}')
    assert.are.same({ { state = "IDLE" } }, got)
  end)

  it("gets sentence, word and place of a failure", function()
    local got
    task.spawn(function() got = { client:call("x") } end)
    client:hear('{"id":1,"error":{"word":"refused","sentence":"no",'
      .. '"place":{"line":2}}}')
    assert.are.same({ nil, "no", "refused", { line = 2 } }, got)
  end)

  it("hears events, and ignores what makes no sense", function()
    local events = {}
    client.on_event = function(event) events[#events + 1] = event.event end
    for _, line in ipairs { '{"event":"state"}', "garbage", "[]",
      '{"id":99,"result":1}', '{"event":"cycle"}' } do
      client:hear(line)
    end
    assert.are.same({ "state", "cycle" }, events)
  end)

  it("is told when the daemon has gone, and at each call thereafter",
    function()
      local got, over
      client.on_over = function() over = true end
      task.spawn(function() got = { client:call("x") } end)
      client:hang_up()
      assert.are.equal("canceled", got[3])
      assert.is_true(over)
      task.spawn(function() got = { client:call("x") } end)
      assert.are.equal("canceled", got[3])
    end)
end)

describe("a daemon's socket", function()
  local dir, loop, protocol_server

  before_each(function()
    dir = process.temp_dir()
    loop = require("peal.loop").new()
  end)
  after_each(function()
    if protocol_server then protocol_server:close() end
    protocol_server = nil
    process.remove(dir)
  end)

  it("carries calls and events", function()
    local path = dir .. "/control"
    protocol_server = assert(protocol.serve(loop, path, {
      hello = function(params, call)
        call.session.subscribed = true
        return { hello = params.name }
      end,
    }, error))
    local client = assert(protocol.connect(loop, path))
    local heard, got
    client.on_event = function(event)
      heard = event
      loop:stop()
    end
    task.spawn(function()
      got = client:call("hello", { name = "joe" })
      protocol_server:tell { event = "state", state = "IDLE" }
    end)
    loop:run()
    assert.are.same({ hello = "joe" }, got)
    assert.are.same({ event = "state", state = "IDLE" }, heard)
    client:close()
    assert.are.same({ nil, "not-found" }, { (function()
      protocol_server:close()
      local peer, _, word = protocol.connect(loop, path)
      return peer, word
    end)() })
  end)

  it("lets the want of memory pass to the loop, and its client go", function()
    local path, caught = dir .. "/control", {}
    protocol_server = assert(protocol.serve(loop, path, {
      hungry = function() error("not enough memory", 0) end,
      spoilt = function()
        return setmetatable({}, { __index = function()
          error("not enough memory", 0)
        end })
      end,
    }, function(text) caught[#caught + 1] = text end))
    for _, method in ipairs { "hungry", "spoilt" } do
      local client = assert(protocol.connect(loop, path))
      local word
      task.spawn(function()
        word = select(3, client:call(method))
        loop:stop()
      end)
      local guard = loop:timer(10, function() loop:stop() end)
      local ok, text = pcall(loop.run, loop)
      guard:cancel()
      assert.is_false(ok, method)
      assert.are.equal("not enough memory", text)
      if method == "spoilt" and not word then loop:run() end
      assert.are.equal(method == "spoilt" and "canceled" or nil, word)
      client:close()
    end
    assert.are.same({}, caught)
  end)
end)
