--- Which lines a session remembers, and where. What may hold a secret is not
-- kept.
local files = require "peal.cli.files"
local secret = require "peal.secret"
local sys = require "peal.sys"

local history = {}

--- How many lines the file keeps.
history.max = 1000

local BYTES_MAX <const> = 16 << 20

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

-- Lines of the file: \n and \\ stand for a line end and a backslash.
local function unescaped(line)
  return (line:gsub("\\(.)", { n = "\n", ["\\"] = "\\" }))
end

--- Take the lines out of the file that hold what is known as a secret by now,
-- whoever kept them. A line that another session adds meanwhile may be lost:
-- not worth a lock.
-- @treturn[1] boolean true
-- @return[2] nil, failure
function history.forget(path, guard)
  local text, failed = files.read(path, BYTES_MAX)
  if not text then return nil, failed end
  local kept, n = {}, 0
  for line in text:gmatch("[^\n]+") do
    n = n + 1
    if not guard:holds(unescaped(line)) then kept[#kept + 1] = line .. "\n" end
  end
  if #kept == n then return true end
  return files.replace(path, table.concat(kept))
end

--- What looks after the file: remember(text), to be asked of each line, and
-- look(), at the end. What has become known as a secret since is taken out.
-- @treturn table
function history.keeper(session, path)
  local self, known = {}, nil

  function self.look()
    if not path or session.guard.count == known then return end
    if history.forget(path, session.guard) then
      known = session.guard.count
    end
  end

  function self.remember(text)
    self.look()
    return history.is_harmless(session, text)
  end

  return self
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
