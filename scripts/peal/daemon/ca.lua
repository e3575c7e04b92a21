--- What people may ask about root and host certificate, as plain data: the
-- same from a client of the daemon and from a command that has the store.
local civil = require "peal.civil"
local host = require "peal.host_certificate"
local json = require "peal.json"
local task = require "peal.task"

local ca = {}

local ID_MAX <const> = 64

local NEXT <const> = {
  ["not-found"] = "see: peal ca status",
  ["bad-state"] = "see: peal ca status",
  invalid = "peal ca export root, or: peal ca export host",
}

local function advised(result, sentence, word)
  if result then return result end
  return nil, sentence, word, nil, NEXT[word]
end

--- How they stand, see host_certificate.lua; next_run is a text, as the other
-- times are.
function ca.status(phone)
  local status = host.status(phone)
  status.next_run = status.next_run and civil.iso(status.next_run)
  for _, name in ipairs { "previous", "alarms", "warnings", "terminals" } do
    status[name] = json.array(status[name])
  end
  return status
end

--- A certificate as PEM.
--   params.what   "root" or "host"
function ca.export(phone, params)
  local pem, sentence, word = host.export(phone, tostring(params.what))
  return advised(pem and { pem = pem }, sentence, word)
end

--- Somebody has installed the certificate on a terminal.
--   params.terminal   its id
function ca.installed(phone, params)
  local id = params.terminal
  if type(id) ~= "string" or #id > ID_MAX or id:find("%c") then
    return advised(nil, "a terminal's id is a text of one line", "not-found")
  end
  local ok, sentence, word = host.mark_installed(phone, id)
  return advised(ok and { terminal = id, status = "installed" }, sentence, word)
end

-- Have a daemon's engine make new ones, and wait for it.
--   params.force   even if the clock is not synchronised
local function generate(member, params)
  local result, sentence, word = task.await(function(resume)
    local ok, why, name = member.engine:certificate { what = "host",
      by = "cli", force = params.force == true, done = resume }
    if not ok then resume(nil, why, name) end
  end)
  if not result then return nil, sentence, word end
  return { outcome = result.outcome, reason = result.reason,
    word = result.word }
end

--- The method of a daemon for one of these, or "generate": (member, params),
-- as in daemon/methods.lua.
function ca.method(action)
  if action == "generate" then return generate end
  return function(member, params) return ca[action](member.phone, params) end
end

return ca
