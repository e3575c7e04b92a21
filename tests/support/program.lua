--- Runs the program under test: build/peal, or $PEAL_BUILD/peal.
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

--- Run `argv` to its end.
-- @treturn table code (nil when it was killed), out, err
function program.run(argv, options)
  local dir = process.temp_dir()
  local spec = { stdout = dir .. "/out", stderr = dir .. "/err" }
  for key, value in pairs(options or {}) do spec[key] = value end
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
