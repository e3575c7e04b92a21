-- peal.control as scripts see it. Limits, broken peers and lack of memory are
-- in tests/c/control_test.c.
local control = require("peal.control")
local loop = require("peal.loop")
local process = require("support.process")

describe("control", function()
  local l, dir, path

  before_each(function()
    l = assert(loop.new())
    dir = process.temp_dir()
    path = dir .. "/control"
  end)

  after_each(function()
    process.remove(dir)
  end)

  -- A server that answers each line with what answer() makes of it.
  local function serve(answer, on_over)
    return assert(control.listen(l, path, function(peer)
      peer:accept(function(text) peer:send(answer(text)) end, on_over)
    end))
  end

  it("carries lines both ways", function()
    local seen, over = {}, nil
    local server
    server = serve(string.upper, function(...)
      over = table.pack(...)
      server:close()
    end)
    local peer
    peer = assert(control.connect(l, path, function(text)
      seen[#seen + 1] = text
      if #seen == 3 then peer:close() end
    end))
    assert.is_true(peer:send("one"))
    assert.is_true(peer:send(""))
    assert.is_true(peer:send("t\0ree"))
    l:run()
    assert.same({ "ONE", "", "T\0REE" }, seen)
    assert.same({ n = 1 }, over)
    assert.equal("peal.control.peer (over)", tostring(peer))
    assert.equal("peal.control.server (closed)", tostring(server))
  end)

  it("says when nobody listens", function()
    local peer, sentence, word = control.connect(l, path, print)
    assert.is_nil(peer)
    assert.matches("nobody listens at " .. path, sentence, 1, true)
    assert.equal("not-found", word)
    serve(string.upper):close()
    assert.equal("not-found", select(3, control.connect(l, path, print)))
  end)

  it("says why it cannot listen", function()
    io.open(path, "w"):close()
    local server, sentence, word = control.listen(l, path, print)
    assert.is_nil(server)
    assert.matches("no socket", sentence)
    assert.equal("exists", word)
  end)

  it("tells a client that the server has gone", function()
    local server = serve(string.upper)
    local over
    local peer = control.connect(l, path, function() server:close() end,
      function(...) over = table.pack(...) end)
    peer:send("x")
    l:run()
    assert.same({ n = 1 }, over)
    local ok, sentence, word = peer:send("more")
    assert.is_nil(ok)
    assert.equal("the connection is over", sentence)
    assert.equal("bad-state", word)
  end)

  it("delivers what was sent before the close", function()
    local long = ("x"):rep(1000000)
    local server
    server = control.listen(l, path, function(peer)
      peer:accept(print)
      peer:send(long)
      peer:send("bye")
      peer:close()
      server:close()
    end)
    local seen = {}
    control.connect(l, path, function(text) seen[#seen + 1] = #text end)
    l:run()
    assert.same({ #long, 3 }, seen)
  end)

  it("refuses to send what is no line", function()
    local server = serve(string.upper)
    local peer = control.connect(l, path, print)
    for _, text in ipairs { "a\nb", "\n", ("x"):rep(1048577) } do
      local ok, sentence, word = peer:send(text)
      assert.is_nil(ok)
      assert.matches("1048576 bytes", sentence)
      assert.equal("invalid", word)
    end
    peer:close()
    server:close()
    l:run()
  end)

  it("says why a connection ended", function()
    local long = ("x"):rep(1000000)
    local over
    local server
    server = control.listen(l, path, function(peer)
      peer:accept(print, function(...)
        over = table.pack(...)
        server:close()
      end)
      local ok, sentence, word
      repeat ok, sentence, word = peer:send(long) until not ok
      assert.equal("over a built-in limit", sentence)
      assert.equal("limit", word)
    end)
    control.connect(l, path, function() end)
    l:run()
    assert.same({ "over a built-in limit", "limit", n = 2 }, over)
  end)

  it("closes who is not accepted", function()
    local peers = {}
    local server = control.listen(l, path, function(peer)
      peers[#peers + 1] = peer
    end)
    local over = 0
    local function on_over()
      over = over + 1
      if over == 2 then server:close() end
    end
    control.connect(l, path, print, on_over)
    control.connect(l, path, print, on_over)
    l:run()
    assert.equal(2, #peers)
    assert.equal("peal.control.peer (over)", tostring(peers[1]))
    assert.has_error(function() peers[1]:accept(print) end)
  end)

  it("stands a server that is closed by its own callbacks", function()
    local server, kept
    server = control.listen(l, path, function(peer)
      kept = peer
      server:close()
      server:close()
    end)
    local over = false
    control.connect(l, path, print, function() over = true end)
    l:run()
    assert.is_true(over)
    assert.has_error(function() kept:accept(print) end)
    kept:close()
  end)

  it("keeps what nobody refers to", function()
    local got
    do
      local server = serve(function(text)
        collectgarbage()
        return text .. "!"
      end)
      control.connect(l, path, function(text)
        got = text
        server:close()
      end):send("hi")
    end
    collectgarbage()
    collectgarbage()
    l:run()
    assert.equal("hi!", got)
  end)

  it("raises what a callback raised, and goes on after it", function()
    local server
    local calls = 0
    server = control.listen(l, path, function(peer)
      peer:accept(function()
        calls = calls + 1
        error("in line " .. calls)
      end, function()
        server:close()
        error("in over")
      end)
    end)
    local peer = control.connect(l, path, print)
    peer:send("a")
    local ok, message = pcall(l.run, l)
    assert.is_false(ok)
    assert.matches("in line 1", message)
    assert.matches("stack traceback", message)
    peer:close()
    ok, message = pcall(l.run, l)
    assert.is_false(ok)
    assert.matches("in over", message)
    l:run()
  end)

  it("raises what on_peer raised, and closes that peer", function()
    local server = control.listen(l, path, function() error("no") end)
    local over = false
    control.connect(l, path, print, function()
      over = true
      server:close()
    end)
    assert.is_false((pcall(l.run, l)))
    l:run()
    assert.is_true(over)
  end)

  it("raises for what a programmer gets wrong", function()
    for _, args in ipairs {
      {}, { l }, { l, path }, { l, path, 1 }, { l, "a\0b", print },
      { path, l, print },
    } do
      assert.has_error(function()
        control.listen(table.unpack(args, 1, 3))
      end)
      assert.has_error(function()
        control.connect(table.unpack(args, 1, 3))
      end)
    end
    assert.has_error(function() control.connect(l, path, print, 1) end)
    local server = serve(string.upper)
    local peer = control.connect(l, path, print)
    assert.has_error(function() peer:accept(print) end)
    peer:close()
    server:close()
    l:run()
  end)

  it("goes away with the state", function()
    local script = dir .. "/script.lua"
    local file = assert(io.open(script, "w"))
    file:write([[
      local control = require("peal.control")
      local l = require("peal.loop").new()
      local path = ...
      control.listen(l, path, function(peer)
        peer:accept(print)
        peer:send(("x"):rep(1000000))
        l:stop()
      end)
      control.connect(l, path, print)
      l:run()
    ]])
    file:close()
    local lua = (os.getenv("PEAL_BUILD") or "build") .. "/tests/peal-lua"
    local p = assert(process.spawn { lua, script, path })
    local how, status = p:wait(20)
    assert.equal("exited", how)
    assert.equal(0, status)
    assert.is_nil((require("peal.sys").stat(path)))
  end)
end)
