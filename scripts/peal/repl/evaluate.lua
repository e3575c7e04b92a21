--- Lua as a person types it: expressions without `return`, input that goes on
-- in the next line, and errors that show the line that was typed.
local failure = require "peal.repl.failure"

local evaluate = {}

-- The compiler's own words for "there may be more" (lua.c goes by the same).
local INCOMPLETE <const> = "<eof>$"

local TRACE_MAX <const> = 10

-- A local would be gone with its line: what an input begins with stays, as a
-- global of the session (our choice). Line ends are kept.
local function lasting(text)
  local lead, names, rest = text:match("^(%s*)local%s+([%w_,%s<>]-)%s*(=.*)$")
  if names and not names:find("close") and not names:find("^function%s") then
    return ("%s%s %s"):format(lead, names:gsub("%s*<%s*const%s*>", ""), rest)
  end
  return (text:gsub("^(%s*)local%s+function%f[%s]", "%1function"))
end

--- Compile what was typed.
--   name   what messages call it, such as "prompt"
--   line   number of its first line, 1 if nil
-- @treturn[1] function
-- @return[2] nil, message, true where the input goes on
function evaluate.compile(text, env, name, line)
  local lead = ("\n"):rep((line or 1) - 1)
  -- the line's end tells an open string from one that goes on
  local fn, half = load(lead .. "return " .. text .. "\n", "=" .. name, "t",
    env)
  if fn then return fn end
  local why, _
  fn, why = load(lead .. lasting(text) .. "\n", "=" .. name, "t", env)
  if fn then return fn end
  if half:find(INCOMPLETE) then
    -- should it be the whole: it ends in its own last line
    _, half = load(lead .. "return " .. text, "=" .. name, "t", env)
    return nil, half, true
  end
  return nil, why, why:find(INCOMPLETE) ~= nil
end

-- Frames of the operator's own code, innermost first: "line 3", "line 1, in f".
local function own_frames(mine)
  local out, level = {}, 3
  while #out < TRACE_MAX do
    local info = debug.getinfo(level, "Snl")
    if not info then break end
    if mine(info.source) and info.currentline > 0 then
      out[#out + 1] = { source = info.short_src, line = info.currentline,
        name = info.what ~= "main" and info.name or nil }
    end
    level = level + 1
  end
  return out
end

-- Line that a message names, of a chunk's own text: "prompt:2: ...".
local function place_of(message, frames)
  local line = type(message) == "string"
    and math.tointeger(tonumber(message:match("^[^:\n]+:(%d+): ") or ""))
  return line or frames[1] and frames[1].line
end

--- Call `fn(...)`.
--   mine   function(source) -> is it code of the operator?
-- @treturn[1] boolean true, and what it returned
-- @return[2] false, failure; its frames: { source, line, name }
function evaluate.call(mine, fn, ...)
  return xpcall(fn, function(message)
    local failed = failure.of(message)
    if not failed.frames then
      failed.frames = own_frames(mine)
      local line = failed.place and failed.place.line
        or place_of(message, failed.frames)
      failed.place = line and { line = line } or failed.place
    end
    return failed
  end, ...)
end

--- The frames as a text; "" where the message has told it already.
function evaluate.trace(frames)
  if not frames or #frames < 2 then return "" end
  local lines = {}
  for i, frame in ipairs(frames) do
    lines[i] = ("  %s:%d%s"):format(frame.source, frame.line,
      frame.name and " in " .. frame.name or "")
  end
  return table.concat(lines, "\n")
end

return evaluate
