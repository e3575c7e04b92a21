--- Which lines a session remembers, and where. What may hold a secret is not
-- kept.
local secret = require "peal.secret"
local sys = require "peal.sys"

local history = {}

--- How many lines the file keeps.
history.max = 1000

--- Path of the file, or nil where there is no home.
function history.path()
  local state = os.getenv("XDG_STATE_HOME")
  if state and state:sub(1, 1) == "/" then
    return state .. "/peal/history"
  end
  local home = os.getenv("HOME")
  return home and home:sub(1, 1) == "/"
    and home .. "/.local/state/peal/history" or nil
end

-- Words after which a secret may stand.
local HINTS <const> = { "-key", "-pwd", "passw", "pwd", "passphrase", "ikm" }

-- Does a line write a secret parameter, be it with = or as an argument?
local function writes_secret(session, line)
  for name in line:gmatch("[%a_][%w_.]*") do
    local bare = name:match("^param%.(.+)$") or name
    local about = session.store:value(bare)
    if about and about.secret or not about and secret.sounds_like(bare)
      and line:find("=", 1, true) then
      return true
    end
  end
end

--- May this line be remembered?
function history.is_harmless(session, line)
  local lower = line:lower()
  for _, hint in ipairs(HINTS) do
    if lower:find(hint, 1, true) then return false end
  end
  return not session.guard:holds(line)
    and not line:find("://[^/%s]*@")
    and not (line:find("=", 1, true) and writes_secret(session, line))
end

--- Make the file, and the folders that it lies in, its owner's alone.
-- @treturn string its path, or nil: nothing is remembered
function history.prepare()
  local path = history.path()
  if not path then return nil end
  for folder in path:gmatch("()/") do
    if folder > 1 and not sys.stat(path:sub(1, folder - 1)) then
      sys.mkdir(path:sub(1, folder - 1))
    end
  end
  if not sys.stat(path) then sys.create(path, "") end
  local about = sys.stat(path)
  return about and about.mode & 63 == 0 and path or nil -- 0077
end

return history
