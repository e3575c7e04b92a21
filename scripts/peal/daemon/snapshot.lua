--- What a client needs to go on from where a phone is, in a process of its
-- own: what the phone has learned and its store lacks, as plain data. The
-- parameters and the state it reads from the store's newest revision.
local snapshot = {}

-- TLS sessions are secret, and bytes, which no JSON holds.
local KEPT_BACK <const> = { tls = true }

local function without_secrets(memory)
  local keep = {}
  for namespace, values in pairs(memory.keep or {}) do
    if not KEPT_BACK[namespace] then keep[namespace] = values end
  end
  memory.keep = keep
  return memory
end

-- The master password is a secret; a client has it from its phone file.
local function identity_of(phone)
  local out = {}
  for name, value in pairs(phone.identity) do out[name] = value end
  out.MPWD = nil
  return out
end

-- What an engine knows besides its status, for who goes on from there.
local PROGRESS <const> = { "failures", "periods", "success_seen",
  "last_outcome", "at_day", "reboot_needed" }

local function progress_of(engine)
  local out = {}
  for _, name in ipairs(PROGRESS) do out[name] = engine[name] end
  return out
end

--- The method of a daemon.
-- @treturn table memory for phone.new { memory = }, identity, revision,
--   engine (its status), progress (see dry_run.cycle())
function snapshot.of(member)
  local phone = member.phone
  return { memory = without_secrets(phone:memory()),
    identity = identity_of(phone), revision = member.store:revision(),
    engine = member.engine:status(), progress = progress_of(member.engine) }
end

return snapshot
