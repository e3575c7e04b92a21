--- What stands on a cassette's tape, for who does not play it strictly.
local form = require "peal.world.tape_form"
local tape = require "peal.world.tape"

local contents = {}

-- Marks as texts: nobody here knows what they stood for.
local function named(as) return as:match("^%S+") end

local function unpacked(bytes)
  return form.unpack_list(bytes, named) or { n = 0 }
end

-- Pieces of a body that a sink got, joined.
local function with_body(results, pieces)
  if not pieces or #pieces == 0 then return results end
  local answer = results[1] or results[4]
  if type(answer) == "table" then answer.body = table.concat(pieces) end
  return results
end

-- Calls of one name that may suspend: { args, results } in the order in which
-- they ended.
local function ended(c, wanted)
  local list, open, pieces = {}, {}, {}
  local reader = tape.open(c.tape)
  while reader:peek() do
    local entry = reader:take()
    if entry.kind == "start" and entry[1] == wanted then
      open[entry[2]] = unpacked(entry[3])
    elseif entry.kind == "called" then
      local key, args = ("f%d"):format(entry[1]), unpacked(entry[2])
      pieces[key] = pieces[key] or {}
      if type(args[1]) == "string" then table.insert(pieces[key], args[1]) end
    elseif entry.kind == "finish" and open[entry[1]] then
      local args = open[entry[1]]
      local sink = type(args[1]) == "table" and args[1].sink
      list[#list + 1] = { args = args,
        results = with_body(unpacked(entry[2]), pieces[sink]) }
      open[entry[1]] = nil
    end
  end
  return list
end

--- Transfers: list of { request, results }, results as table.pack() gives
-- those of world.fetch().
function contents.exchanges(c)
  local list = ended(c, "fetch")
  for i, one in ipairs(list) do
    list[i] = { request = one.args[1], results = one.results }
  end
  return list
end

--- Lookups: list of { name, kind, use_hosts, results }.
function contents.lookups(c)
  local list = ended(c, "resolve")
  for i, one in ipairs(list) do
    list[i] = { name = one.args[1], kind = one.args[2],
      use_hosts = one.args[3], results = one.results }
  end
  return list
end

--- Decisions of operators' rule files: list of their results, as
-- table.pack() gives them.
function contents.decisions(c)
  local list = ended(c, "ask")
  for i, one in ipairs(list) do list[i] = one.results end
  return list
end

--- The clock at the beginning, as world.now() gave it. Raises "damaged".
function contents.began(c)
  local reader = tape.open(c.tape)
  while reader:peek() do
    local entry = reader:take()
    if entry.kind == "now" then
      local now = form.unpack(entry[1])
      if type(now) ~= "table" then error("damaged", 0) end
      return now
    end
  end
  return { time = 0, mono = 0, zone = "UTC0", trusted = true }
end

return contents
