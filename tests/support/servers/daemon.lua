--- What all real servers have in common: start, know that it listens, stop.
--
-- The programs come from .deps/servers (see setup --tests), or from the folder
-- named by PEAL_SERVERS, else from the system.
local process = require "support.process"

local daemon = {}
local server_meta = {}
server_meta.__index = server_meta

local READY_S <const> = 20 -- a guard against hanging, not a timing
local STOP_S <const> = 10
local TRIES <const> = 5 -- another may take a port between asking and use

local top = debug.getinfo(1, "S").source:match("^@(.*)tests/support/") or ""
if top == "" then top = "./" end
daemon.folder = os.getenv("PEAL_SERVERS") or top .. ".deps/servers"

local function readable(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

--- Path of a program, or nil and the reason for a skipped test.
function daemon.find(name)
  for _, folder in ipairs { daemon.folder .. "/usr/sbin",
    daemon.folder .. "/usr/bin", "/usr/sbin", "/usr/bin" } do
    if readable(folder .. "/" .. name) then return folder .. "/" .. name end
  end
  return nil, name .. " is not installed: run ./setup --tests"
end

--- A file of the unpacked packages, or the system's.
function daemon.file(path)
  local own = daemon.folder .. path
  return readable(own .. "/.") and own or path
end

function daemon.read(path)
  local file = io.open(path, "rb")
  local text = file and file:read("a") or ""
  if file then file:close() end
  return text
end

function daemon.write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  return path
end

-- Wait until the file holds the pattern; nil when the time is over or the
-- program ended.
local function wait_for(path, pattern, p)
  local deadline = process.now() + READY_S
  local size = -1
  while true do
    local text = daemon.read(path)
    local found = text:match(pattern)
    if found then return found end
    size = math.max(size, #text)
    if not process.grown(path, size, deadline - process.now(), p) then
      return daemon.read(path):match(pattern) -- its last words
    end
  end
end

local libraries = table.concat({ daemon.folder .. "/usr/lib/x86_64-linux-gnu",
  daemon.folder .. "/lib/x86_64-linux-gnu" }, ":")

local function spawn(o)
  local env = { LD_LIBRARY_PATH = libraries, LD_PRELOAD = false }
  for key, value in pairs(o.env or {}) do env[key] = value end
  return process.spawn(o.argv, { env = env, cwd = o.cwd or o.folder,
    stdin = o.stdin, stdout = o.folder .. "/stdout",
    stderr = o.folder .. "/stderr" })
end

--- A fresh folder for a server's files.
function daemon.new_folder()
  return assert(process.temp_dir())
end

-- What a program that did not start has said.
local function last_words(o)
  local said = {}
  for _, path in ipairs { o.folder .. "/stderr", o.folder .. "/stdout",
    o.errors or o.log } do
    said[#said + 1] = daemon.read(path)
  end
  return table.concat(said)
end

--- Start a program. make(folder) is called for each try and returns
-- argv, log (file to watch), ready (pattern; nil: it listens already),
-- on_ready(what it matched), and what else the server object shall hold.
-- Raises with the program's output.
function daemon.start(name, make)
  assert(daemon.find(name))
  local output
  for _ = 1, TRIES do
    local folder = daemon.new_folder()
    local o = make(folder, assert(daemon.find(name)))
    o.folder = folder
    o.process = assert(spawn(o))
    o.log = o.log or folder .. "/stderr"
    local found = not o.ready or wait_for(o.log, o.ready, o.process)
    if found then
      if o.on_ready then o.on_ready(found) end
      return setmetatable(o, server_meta)
    end
    o.process:kill(9)
    o.process:wait(STOP_S)
    output = last_words(o)
    process.remove(folder)
    if not output:find("[Aa]ddress already in use") then break end
  end
  error(name .. " does not start:\n" .. tostring(output), 3)
end

--- The process is still there.
function server_meta:running()
  return self.process ~= nil and self.process:wait(0) == nil
end

--- Stop it, wait for its end, remove its files. May be called twice.
function server_meta:stop()
  local p = self.process
  if not p then return end
  self.process = nil
  p:kill(15)
  if not p:wait(STOP_S) then
    p:kill(9)
    p:wait(STOP_S)
  end
  if self.stdin then self.stdin:close() end
  process.remove(self.folder)
end

server_meta.__gc = server_meta.stop
server_meta.__close = server_meta.stop

--- Lines of a log, at least n of them; waits. Raises when they do not come.
function server_meta:wait_lines(path, n)
  local deadline = process.now() + READY_S
  while true do
    local text = daemon.read(path)
    local lines = {}
    for line in text:gmatch("([^\n]*)\n") do lines[#lines + 1] = line end
    if #lines >= (n or 0) then return lines end
    if not process.grown(path, #text, deadline - process.now(),
      self.process) then
      error(("%d lines, not %d, in %s:\n%s"):format(#lines, n, path, text), 2)
    end
  end
end

return daemon
