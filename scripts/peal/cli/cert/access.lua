--- Who is asked about certificates: the daemon that owns the store, or, where
-- none does, the phone as it is in the store.
local advice = require "peal.cli.advice"
local hints = require "peal.cli.hints"
local remote = require "peal.cli.remote"
local session = require "peal.cli.session"

local access = {}
access.__index = access

--- @param read_only  the store is not to be written to
-- @treturn[1] table ask(), updateca(), renew(), close()
-- @return[2] nil, failure
function access.open(options, read_only)
  local daemon, failed = remote.find(options, "cert")
  if failed then return nil, failed end
  local phone
  if not daemon then
    phone, failed = session.open(options, { disk = "cert", trust = true,
      read_only = read_only })
    if not phone then return nil, failed end
  end
  return setmetatable({ daemon = daemon, here = phone, options = options },
    access)
end

-- A call's results as a command returns them.
local function outcome(result, sentence, word, place, next_step)
  if result then return result end
  return nil, { sentence = sentence, word = word, place = place,
    next = next_step or advice.here(word) }
end

local function ask(self, action, params)
  if self.daemon then return self.daemon:call("cert_" .. action, params) end
  local asked = require "peal.daemon.certificates"
  return outcome(asked[action](self.here.phone, params))
end

--- Ask for an action of daemon/certificates.lua.
-- @return[2] nil, failure
function access:ask(action, params)
  local result, failed = ask(self, action, params or {})
  if result then return result end
  failed.next = hints.typed(failed.next, self.options)
  return nil, failed
end

-- Have a module consider something, and keep what it notes.
local function consider(open, module, about)
  local context = require "peal.cycle.context"
  local result = open.world.run(function()
    local run = context.new(open.phone, { asked_by = "cli", explicit = true,
      kind = "certificate" })
    return module.consider(open.phone, run, about)
  end)
  local ok, sentence, word = open.phone.keep:flush("cert")
  if not ok then return outcome(nil, sentence, word) end
  return { outcome = result.outcome, reason = result.reason,
    word = result.word, by = result.by }
end

--- Fetch a bundle of CA certificates.
function access:updateca(url)
  if self.daemon then
    return self.daemon:call("updateca", { url = url, wait = true }, false)
  end
  return consider(self.here, require "peal.custom_ca",
    { event = "request", url = url })
end

--- Renew the phone's own certificate.
function access:renew(force)
  if self.daemon then
    return self.daemon:call("renew", { force = force, wait = true }, false)
  end
  return consider(self.here, require "peal.mic",
    { event = "request", force = force })
end

function access:close()
  if self.daemon then self.daemon:close() end
  if self.here then self.here.store:close() end
end

return access
