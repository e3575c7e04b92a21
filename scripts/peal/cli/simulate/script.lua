--- What a simulation is told by files: a server's script, or a cassette.
local answers = require "peal.simulate.answers"
local files = require "peal.cli.files"

local script = {}

local MAX_BYTES <const> = 64 * 1024 * 1024

-- Texts and tables only, as in a list of addresses.
local function is_list(value)
  if type(value) ~= "table" then return false end
  for _, item in ipairs(value) do
    if type(item) ~= "string" and type(item) ~= "table" then return false end
  end
  return #value > 0 or next(value) == nil
end

local function are_names(value)
  if type(value) ~= "table" then return false end
  for name, list in pairs(value) do
    if type(name) ~= "string" or not is_list(list) then return false end
  end
  return true
end

local function is_text(value) return type(value) == "string" end

-- Fields of a script that tells more than answers: check, what it checks for.
local FIELDS <const> = {
  server = { answers.is_script, "a function or a table" },
  events = { is_list, "a list of happenings" },
  dns = { are_names, "a table of names and lists of addresses" },
  zone = { is_text, "a text" },
  from = { function(value)
    return is_text(value) or type(value) == "number"
  end, "a text, or seconds UTC" },
}

-- Lua's own messages name the file already.
local function bad(path, sentence)
  if sentence:sub(1, #path) ~= path then
    sentence = ("%s: %s"):format(path, sentence)
  end
  return nil, { sentence = sentence, word = "invalid",
    next = "docs/simulate.md shows scripts that work" }
end

-- Not a phone file, say.
local function check_urls(path, given)
  for name in pairs(given) do
    if name ~= "*" and not tostring(name):find("://", 1, true) then
      return bad(path, ("no URL: %s"):format(tostring(name)))
    end
  end
  return { server = given }
end

local function check(path, given)
  if not answers.is_script(given) then
    return bad(path, "a server's script returns a function or a table")
  end
  if type(given) == "function" then return { server = given } end
  if rawget(given, "server") == nil then
    return check_urls(path, given)
  end
  for name, value in pairs(given) do
    local field = FIELDS[name]
    if not field then
      return bad(path, ("no such field: %s"):format(tostring(name)))
    elseif not field[1](value) then
      return bad(path, ("%s is %s"):format(name, field[2]))
    end
  end
  return given
end

local function load_script(path)
  local text, failed = files.read(path, MAX_BYTES)
  if not text then return nil, failed end
  local chunk, why = load(text, "@" .. path, "t")
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
