--- Runs the program under test: build/peal, or $PEAL_BUILD/peal.
local outputs = require "support.outputs"
local process = require "support.process"

local program = {}

local root = debug.getinfo(1, "S").source:match("^@(.*)tests/support/")
program.root = root == "" and "." or root:gsub("/$", "")
program.path = (os.getenv("PEAL_BUILD") or program.root .. "/build") .. "/peal"

--- Is it built with a sanitizer? Its memory says nothing then, and it is slow.
program.sanitized = program.path:find("asan", 1, true) ~= nil

-- A guard against hanging, not a measurement.
local GUARD_S <const> = 120

local function slurp(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

-- Where an operator has the key to a file and asks what is in it, it is shown.
local function reveals(argv)
  if argv[2] == "profile" then
    return "peal profile shows files to who has their key"
  end
end

-- What it wrote is searched for secrets at the end of all tests; a program of
-- others may write what it likes.
local function keep(argv, result, reason)
  local line = outputs.line(argv)
  if not line:find("peal", 1, true) then return end
  reason = reason or reveals(argv)
  outputs.keep(line, "stdout", result.out, reason)
  outputs.keep(line, "stderr", result.err, reason)
  for i, word in ipairs(argv) do
    if word == "--out" and argv[i + 1] and not reason then
      outputs.keep_file(line, "file " .. argv[i + 1], argv[i + 1])
    end
  end
end

--- Run `argv` to its end. options are those of process.spawn, and `reveals`:
-- why a secret may stand in what it writes.
-- @treturn table code (nil when it was killed), out, err
function program.run(argv, options)
  local dir = process.temp_dir()
  local spec = { stdout = dir .. "/out", stderr = dir .. "/err" }
  for key, value in pairs(options or {}) do spec[key] = value end
  spec.reveals = nil
  local p = assert(process.spawn(argv, spec))
  local how, number = p:wait(GUARD_S)
  if not how then
    p:kill()
    p:wait(GUARD_S)
  end
  local result = { code = how == "exited" and number or nil, how = how,
    signal = how == "killed" and number or nil,
    out = slurp(spec.stdout), err = slurp(spec.stderr) }
  process.remove(dir)
  keep(argv, result, options and options.reveals)
  return result
end

--- Run peal with arguments.
function program.peal(...)
  local options
  local argv = { program.path, ... }
  if type(argv[#argv]) == "table" then options = table.remove(argv) end
  return program.run(argv, options)
end

program.slurp = slurp

--- The bytes of every file of a folder, by name; to see that nothing changed.
function program.snapshot(dir)
  local sys = require "peal.sys"
  local out = {}
  for _, name in ipairs(sys.list(dir) or {}) do
    out[name] = slurp(dir .. "/" .. name)
  end
  return out
end

return program
