--- Everything that peal says in a run of all tests, for one search for secrets
-- at its end: tests/run names a folder in PEAL_OUTPUTS, and what is captured
-- (stdout, stderr, control logs, answers of the control socket, datagrams,
-- traces) is put there, with who said it and where. Without the variable
-- nothing is kept.
--
--   outputs.keep("peal params", "stdout", bytes)
--   outputs.keep("peal profile show", "stdout", bytes, "the operator has the "
--     .. "key")                      a secret may be in it, for this reason
--   for record in outputs.read(path) do ... end
local outputs = {}

local folder = os.getenv "PEAL_OUTPUTS"

--- Is anything kept?
outputs.on = folder ~= nil and folder ~= ""

local FORMAT <const> = "<s4s4s4s4s4"

local file

-- One file for each process: two never write into one.
local function out()
  if not file then
    local path = ("%s/%d"):format(folder, require("peal.sys").pid())
    file = assert(io.open(path, "ab"))
  end
  return file
end

-- The line of the spec that runs.
local function place()
  local level = 2
  while true do
    local info = debug.getinfo(level, "Sl")
    if not info then return "" end
    if info.source:find("_spec%.lua$") then
      return ("%s:%d"):format(info.short_src, info.currentline)
    end
    level = level + 1
  end
end

--- Keep what was said.
-- @tparam string who program line, or what it is
-- @tparam string what "stdout", "stderr", "control log" ...
-- @tparam string|nil bytes
-- @tparam[opt] string reveals why a secret may be in it
function outputs.keep(who, what, bytes, reveals)
  if not outputs.on or not bytes or bytes == "" then return end
  local f = out()
  f:write(FORMAT:pack(who, what, place(), reveals or "", bytes))
  f:flush()
end

--- Words of a program line, as one.
function outputs.line(argv)
  local words = {}
  for i, word in ipairs(argv) do
    words[i] = i == 1 and word:match("[^/]*$") or word
  end
  return table.concat(words, " ")
end

--- What a file holds, if it is there.
function outputs.keep_file(who, what, path, reveals)
  if not outputs.on then return end
  local f = io.open(path, "rb")
  if not f then return end
  outputs.keep(who, what, f:read("a"), reveals)
  f:close()
end

--- Control logs in a store's folder, and the trace of its last cycle.
function outputs.keep_store(who, path)
  if not outputs.on then return end
  for _, name in ipairs { "messages", "messages.0", "messages.1" } do
    outputs.keep_file(who, "control log", path .. "/" .. name)
  end
  local schema = require("peal.registry").load()
  local st = schema and require("peal.store").open { schema = schema,
    path = path, read_only = true }
  if not st then return end
  for key, text in pairs(st:states "trace") do
    outputs.keep(who, "trace " .. key, text)
  end
  st:close()
end

--- Have a world's log lines, events and datagrams kept.
function outputs.listen(world, who)
  if not outputs.on then return end
  local log, tell, send = world.log, world.tell, world.send
  function world.log(text, ...)
    outputs.keep(who, "control log", tostring(text))
    return log(text, ...)
  end
  function world.tell(event, ...)
    local ok, text = pcall(require("peal.json").encode, event)
    outputs.keep(who, "event", ok and text or nil)
    return tell(event, ...)
  end
  function world.send(where, bytes, ...)
    outputs.keep(who, "datagram", bytes)
    return send(where, bytes, ...)
  end
end

--- Records of a file: { who, what, place, reveals, bytes }.
function outputs.read(path)
  local f = assert(io.open(path, "rb"))
  local bytes, at = f:read("a"), 1
  f:close()
  return function()
    if at > #bytes then return nil end
    local record = {}
    record.who, record.what, record.place, record.reveals, record.bytes, at =
      FORMAT:unpack(bytes, at)
    return record
  end
end

return outputs
