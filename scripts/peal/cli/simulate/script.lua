--- What a simulation is told by files: a server's script, or a cassette.
local answers = require "peal.simulate.answers"
local files = require "peal.cli.files"

local script = {}

local MAX_BYTES <const> = 64 * 1024 * 1024

-- Fields of a script that tells more than answers.
local FIELDS <const> = { server = true, events = true, dns = true,
  zone = true, from = true }

local function bad(path, sentence)
  return nil, { sentence = ("%s: %s"):format(path, sentence), word = "invalid",
    next = "docs/simulate.md shows scripts that work" }
end

local function check(path, given)
  if not answers.is_script(given) then
    return bad(path, "a server's script returns a function or a table")
  end
  if type(given) == "function" or given.server == nil then
    return { server = given }
  end
  for name in pairs(given) do
    if not FIELDS[name] then
      return bad(path, ("no such field: %s"):format(tostring(name)))
    end
  end
  if not answers.is_script(given.server) then
    return bad(path, "server is a function or a table")
  end
  return given
end

local function load_script(path)
  local chunk, why = loadfile(path, "t")
  if not chunk then return bad(path, why) end
  local ok, given = pcall(chunk)
  if not ok then return bad(path, tostring(given)) end
  return check(path, given)
end

local function reader(path)
  local folder = path:match("^(.*/)") or ""
  return function(name)
    local where = name:sub(1, 1) == "/" and name or folder .. name
    local bytes, failed = files.read(where, MAX_BYTES)
    return bytes, failed and failed.sentence
  end
end

local function of_server(path)
  local given, failed = load_script(path)
  if not given then return nil, failed end
  local out = { events = given.events, dns = given.dns, zone = given.zone,
    from = given.from, read = reader(path) }
  -- anew each time the simulation begins again: what a script remembers by
  -- itself begins anew, too
  local first = given
  function out.load_server()
    local now = first or load_script(path)
    first = nil
    return now and now.server or given.server
  end
  return out
end

local function of_cassette(options)
  local c, failed =
    require("peal.cli.cassette_file").read(options.recorded, options)
  if not c then return nil, failed end
  return { cassette = c, load_answers = function()
    return require("peal.cassette").answers(c)
  end }
end

--- What --server or --recorded says: load_server or load_answers, read,
-- events, dns, zone, from, cassette.
-- @return[2] nil, failure
function script.read(options)
  if options.server then return of_server(options.server) end
  if options.recorded then
    return of_cassette(options)
  end
  return {}
end

return script
