-- What a disk, a kernel or another process can do to a phone: the store is old
-- or new afterwards, and the message names what was wrong.
local phones = require "support.phones"
local process = require "support.process"
local program = require "support.program"
local registry = require "peal.registry"
local servers = require "support.servers"
local store = require "peal.store"

local NOBODY <const> = "65534"

local peal, snapshot, write = program.peal, program.snapshot, phones.write

local function sh(script, ...)
  return program.run { "sh", "-c", script, "sh", ... }
end

-- Exit code 1, and the word at the end of the sentence.
local function fails(r, word)
  assert.equal(1, r.code, r.err)
  assert.equal(word, r.err:match("%[([^%[%]\n]+)%]\n"), r.err)
  assert.is_nil(r.err:find("traceback", 1, true), r.err)
end

local function value(st, name)
  local r = peal("get", name, "--store", st)
  return r.code == 0 and r.out:gsub("\n$", "") or r.err
end

-- The file as its neighbour would be: only the check sum is right.
local function seal(text)
  local dir = process.temp_dir()
  local sum = sh("sha256sum < " .. write(dir .. "/t", text)).out:sub(1, 64)
  process.remove(dir)
  return text .. "sha256 " .. sum .. "\n"
end

describe("the store", function()
  local dir, st

  before_each(function()
    dir = process.temp_dir()
    st = dir .. "/st"
    assert.equal(0, peal("set", "GPP_A=one", "--store", st).code)
    assert.equal(0, peal("set", "GPP_A=two", "--store", st).code)
  end)
  after_each(function() process.remove(dir) end)

  local function rev(n) return ("%s/rev-%010d"):format(st, n) end

  local damage = {
    ["cut short"] = function(text) return text:sub(1, #text // 2) end,
    ["cut by its last line"] = function(text)
      return text:gsub("sha256 %x+\n$", "")
    end,
    ["empty"] = function() return "" end,
    ["changed by one bit"] = function(text)
      return (text:gsub("two", "tvo"))
    end,
    ["full of zeros"] = function(text) return ("\0"):rep(#text) end,
  }
  for how, apply in pairs(damage) do
    it("takes the one before a revision that is " .. how, function()
      write(rev(2), apply(program.slurp(rev(2))))
      local r = peal("get", "GPP_A", "--store", st)
      assert.are.same({ 0, "one\n" }, { r.code, r.out })
      assert.matches("revision 2 is damaged and passed over", r.err)
      r = peal("set", "GPP_B=x", "--store", st)
      assert.equal(0, r.code, r.err)
      assert.matches("revision 2 is damaged and passed over", r.err)
      assert.equal("one", value(st, "GPP_A"))
      assert.equal("x", value(st, "GPP_B"))
    end)
  end

  it("does not begin afresh when every revision is damaged", function()
    for n = 1, 2 do write(rev(n), "peal-store 1\nrevision") end
    local before = snapshot(st)
    for _, args in ipairs { { "get", "GPP_A" }, { "set", "GPP_A=x" },
        { "resync" } } do
      args[#args + 1], args[#args + 2] = "--store", st
      fails(peal(table.unpack(args)), "damaged")
    end
    assert.are.same(before, snapshot(st))
  end)

  it("is not written over by an older program", function()
    local text = program.slurp(rev(2)):gsub("^peal%-store 1",
      "peal-store 2"):gsub("sha256 %x+\n$", "")
    write(rev(2), seal(text))
    local before = snapshot(st)
    local r = peal("set", "GPP_A=x", "--store", st)
    fails(r, "newer")
    assert.matches("newer program", r.err)
    fails(peal("resync", "--store", st), "newer")
    assert.are.same(before, snapshot(st))
  end)

  it("is left alone while another process owns it", function()
    local schema = assert(registry.load())
    local owner = assert(store.open { path = st, schema = schema })
    local before = snapshot(st)
    for _, args in ipairs { { "set", "GPP_A=x" }, { "resync" } } do
      args[#args + 1], args[#args + 2] = "--store", st
      local r = peal(table.unpack(args))
      fails(r, "locked")
      assert.matches("try again", r.err)
    end
    assert.equal("two", value(st, "GPP_A"))
    assert.are.same(before, snapshot(st))
    owner:close()
    assert.equal(0, peal("set", "GPP_A=x", "--store", st).code)
  end)

  it("is a folder", function()
    local path = write(dir .. "/file", "text")
    for _, args in ipairs { { "get", "GPP_A" }, { "set", "GPP_A=x" } } do
      args[#args + 1], args[#args + 2] = "--store", path
      local r = peal(table.unpack(args))
      assert.equal(1, r.code)
      assert.matches("%[%l[%l-]+%]\n", r.err)
    end
    assert.equal("text", program.slurp(path))
    fails(peal("set", "GPP_A=x", "--store", dir .. "/no/st"), "not-found")
  end)

  it("follows no link that somebody planted", function()
    local victim = write(dir .. "/victim", "precious")
    for _, name in ipairs { "rev-0000000003.tmp", "rev-0000000004",
        "key.tmp" } do
      assert.equal(0, sh("ln -s $1 $2", victim, st .. "/" .. name).code)
      local r = peal("set", "GPP_A=" .. #name, "--store", st)
      assert.equal(0, r.code, r.err)
      assert.equal("precious", program.slurp(victim))
      assert.equal(tostring(#name), value(st, "GPP_A"))
    end
    os.remove(st .. "/lock")
    assert.equal(0, sh("ln -s $1 $2", victim, st .. "/lock").code)
    local r = peal("set", "GPP_A=x", "--store", st)
    assert.equal(1, r.code)
    assert.matches("%[%l[%l-]+%]\n", r.err)
    assert.equal("precious", program.slurp(victim))
  end)

  it("does not wait for a pipe", function()
    os.remove(rev(2))
    assert.equal(0, sh("mkfifo $1", rev(2)).code)
    local r = peal("get", "GPP_A", "--store", st)
    assert.are.same({ 0, "one\n" }, { r.code, r.out })
    assert.matches("revision 2 is damaged", r.err)
  end)

  it("says so when it may not be written", function()
    if process.uid() ~= 0 then return pending("needs root") end
    process.chmod(dir, 493) -- 0755
    sh("chmod -R a+rX $1", st)
    local before = snapshot(st)
    local r = program.run { "setpriv", "--reuid", NOBODY, "--clear-groups",
      program.path, "set", "GPP_A=x", "--store", st }
    if r.err:find("setpriv", 1, true) or r.code == 127 or r.code == 126 then
      return pending("no unprivileged user here: " .. r.err)
    end
    fails(r, "permission")
    assert.are.same(before, snapshot(st))
  end)

  -- `script` in a mount namespace of its own; $1 the folder, $2 peal
  local function mounted(script)
    local r = program.run { "unshare", "--mount", "sh", "-c", script, "sh",
      dir, program.path }
    if r.err:find("unshare") or r.err:find("mount:") or r.code == 127 then
      pending("no file system of our own: " .. r.err)
      return nil
    end
    return r
  end

  it("says so when it is on a read-only file system", function()
    local before = snapshot(st)
    local r = mounted [[
      mount -t tmpfs none "$1/st" -o size=1m && cp -a "$1"/st/. . 2>/dev/null
      umount "$1/st"
      mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 127
      exec "$2" set GPP_A=x --store "$1/st"]]
    if not r then return end
    fails(r, "read-only")
    assert.are.same(before, snapshot(st))
  end)

  it("keeps the old revision when the disk is full", function()
    local r = mounted [[
      mkdir "$1/small" && mount -t tmpfs -o size=256k none "$1/small" ||
        exit 127
      cp -a "$1/st" "$1/small/st"
      cat /dev/zero > "$1/small/fill" 2>/dev/null
      ls "$1/small/st" > "$1/before"
      "$2" set GPP_A=x --store "$1/small/st"
      echo "code $?"
      ls "$1/small/st" > "$1/after"
      "$2" get GPP_A --store "$1/small/st"
      rm "$1/small/fill"
      "$2" set GPP_A=x --store "$1/small/st" 2>/dev/null
      echo "code $?"
      "$2" get GPP_A --store "$1/small/st"]]
    if not r then return end
    assert.equal("code 1\ntwo\ncode 0\nx\n", r.out, r.err)
    assert.matches("%[no%-space%]\n", r.err)
    assert.equal(program.slurp(dir .. "/before"),
      program.slurp(dir .. "/after"))
  end)

  it("holds nothing that was meant for a closed stream", function()
    for closed, code in pairs { [">&-"] = 1, ["2>&-"] = 0, ["<&-"] = 0,
        ["<&- >&- 2>&-"] = 1 } do
      local r = sh(("%s set GPP_A='%s' --json --store %s %s"):format(
        program.path, #closed, st, closed))
      assert.equal(code, r.code, closed .. r.err)
      assert.equal(tostring(#closed), value(st, "GPP_A"))
      assert.equal("", program.slurp(st .. "/lock"))
    end
  end)
end)

describe("output that is lost", function()
  local dir

  before_each(function() dir = process.temp_dir() end)
  after_each(function() process.remove(dir) end)

  it("is a failure", function()
    for _, command in ipairs { "params", "params --json", "--help",
        "expand '$MA'", "version", "get GPP_A", "resync --help" } do
      for _, to in ipairs { ">/dev/full", ">&-" } do
        local r = sh(program.path .. " " .. command .. to)
        assert.equal(1, r.code, command .. to .. r.err)
        assert.matches("cannot write the output.*%[io%]\n", r.err)
      end
    end
  end)

  it("is a failure in a file, too", function()
    local path = write(dir .. "/p.xml", "<flat-profile/>")
    local r = peal("profile", "encode", path, "--out", "/dev/full")
    fails(r, "no-space")
    fails(peal("profile", "encode", path, "--out", dir .. "/no/x"), "io")
  end)
end)

-- strace makes each call fail, or kills the program at it, one by one.
describe("each system call on the store", function()
  local CALLS <const> = { openat = true, write = true, fsync = true,
    renameat = true, mkdir = true, flock = true, unlinkat = true,
    getdents64 = true, close = true, newfstatat = true }

  local LONG <const> = os.getenv("PEAL_LONG") == "1"
  local WORDS <const> = { EIO = "io", ENOSPC = "no-space",
    EROFS = "read-only" }

  local root, nginx, phone, old, reason, schema

  local function strace(options, ...)
    local argv = { "strace", "-f", "-o", root .. "/trace" }
    table.move(options, 1, #options, #argv + 1, argv)
    local args = { program.path, "resync", "--phone", phone.file, "--store",
      phone.store, ... }
    table.move(args, 1, #args, #argv + 1, argv)
    -- the leak check of a sanitizer build does not work under strace
    return program.run(argv, { env = { ASAN_OPTIONS = "detect_leaks=0" } })
  end

  local function restore()
    process.remove(phone.store)
    assert(sh("cp -a $1 $2", old, phone.store).code == 0)
  end

  setup(function()
    local path
    path, reason = servers.find("nginx")
    if not path then return end
    root = process.temp_dir()
    schema = assert(registry.load())
    write(root .. "/a.xml", phones.profile { GPP_A = "new", GPP_B = "new",
      GPP_P = ("x"):rep(8000) })
    nginx = servers.nginx { root = root }
    phone = phones.new { params = {
      Profile_Rule = ("http://127.0.0.1:%d/a.xml"):format(nginx.http_port) } }
    old = phone.dir .. "/old"
    assert(sh("cp -a $1 $2", phone.store, old).code == 0)
    local r = strace {}
    if r.code ~= 0 then
      reason = "no strace here: " .. r.err:match("^[^\n]*")
    end
    restore()
  end)
  teardown(function()
    if nginx then nginx:stop() end
    if phone then phone:close() end
    if root then process.remove(root) end
  end)

  -- Calls behind the opening of the store: {name, ordinal of that name, line,
  -- whether it belongs to a commit}.
  local function points(wanted)
    assert.equal(0, strace({}).code)
    restore()
    local list, seen, open, main, commit = {}, {}, false, nil, false
    for line in io.lines(root .. "/trace") do
      local pid, name = line:match("^(%d+) +([%w_]+)%(")
      main = main or pid
      if pid == main then
        seen[name] = (seen[name] or 0) + 1
        commit = commit or line:find('"rev%-%d+%.tmp", O_WRONLY') ~= nil
        open = open or line:find(phone.store, 1, true)
          and not line:find("execve", 1, true)
        if open and name ~= "exit_group" and (not wanted or wanted[name])
        then
          list[#list + 1] = { name, seen[name], commit = commit }
        end
        commit = commit and name ~= "renameat"
      end
    end
    return list
  end

  -- What the next start finds; it can write at once.
  local function look()
    local st <close> = assert(store.open { path = phone.store,
      schema = schema })
    local a, b = st:get("GPP_A"), st:get("GPP_B")
    local txn = assert(st:begin())
    assert(txn:set("GPP_C", "on"))
    assert(txn:commit("set", 0))
    return a, b
  end

  local function check(r, where)
    local a, b = look()
    where = where .. r.err
    assert.equal(a == "new" and "new" or "", b, where)
    if r.how == "killed" then
      assert.is_true(a == "before" or a == "new", where)
    elseif r.code == 0 then
      assert.equal("new", a, where)
    else
      assert.equal(1, r.code, where)
      assert.matches("%[%l[%l.-]+%]\n", r.err, where)
      assert.is_nil(r.err:find("traceback", 1, true), where)
      assert.equal(r.err:find("cannot write the output", 1, true) and "new"
        or "before", a, where)
    end
  end

  -- Every call of `wanted` once, with `fault` done to it.
  local function each(wanted, least, fault)
    if reason then return pending(reason) end
    local list = points(wanted)
    assert.is_true(#list >= least, #list .. " calls")
    for _, point in ipairs(list) do
      local where = ("%s %d: "):format(point[1], point[2])
      local r = strace { "-e", ("inject=%s:%s:when=%d"):format(point[1],
        fault, point[2]) }
      check(r, where)
      restore()
    end
  end

  for _, errno in ipairs { "EIO", "ENOSPC", "EMFILE" } do
    it("may fail with " .. errno, function()
      each(CALLS, 20, "error=" .. errno)
    end)
  end

  it("has its own word in a commit, and a disk stays as it is", function()
    if reason then return pending(reason) end
    local tried = 0
    for i, point in ipairs(points(CALLS)) do
      for errno, word in pairs(WORDS) do
        local wanted = point.commit and point[1] ~= "close"
          and (LONG or i % 2 == 0)
        if wanted then
          local r = strace { "-e", ("inject=%s:error=%s:when=%d"):format(
            point[1], errno, point[2]) }
          fails(r, word)
          assert.equal("before", (look()))
          restore()
          tried = tried + 1
        end
      end
    end
    assert.is_true(tried >= 3, tried .. " calls")
  end)

  if LONG then
    it("may fail with EROFS", function()
      each(CALLS, 20, "error=EROFS")
    end)
  end

  it("may be the last one", function()
    each(nil, 50, "signal=KILL")
  end)
end)
