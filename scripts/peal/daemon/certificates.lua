--- What people may ask about a phone's certificates, as plain data: the same
-- from a client of the daemon and from a command that has the store.
-- Source: Gigaset wiki, Security: accept, reject, details, remove, import.
local certificates = require "peal.certificates"
local json = require "peal.json"
local visible = require "peal.visible"

local asked = {}

local PEM_MAX <const> = 200 << 10

local function failure(sentence, word, next_step)
  return nil, sentence, word, nil, next_step
end

local NEXT <const> = {
  ["not-found"] = "list them with: peal cert list --store DIR",
  invalid = "give more of its digits: peal cert list --json --store DIR",
}

-- Only what failed a check is accepted or rejected.
local FIRST <const> = "remove it first: peal cert remove %s --store DIR; it is "
  .. "listed again when a server shows it and it fails a check"

local function advised(id, result, sentence, word)
  if result then return result end
  return failure(sentence, word, word == "bad-state"
    and FIRST:format(id:sub(1, 12)) or NEXT[word])
end

-- A function of (phone, params) that does something to one certificate.
local function on_one(fn)
  return function(phone, params)
    local id = type(params.id) == "string" and params.id or ""
    return advised(id, fn(phone, id))
  end
end

--- All of them, in the order of the lists.
function asked.list(phone)
  return { certificates = json.array(certificates.list(phone)) }
end

--- Everything about one.
asked.show = on_one(certificates.find)

--- One as PEM.
asked.export = on_one(function(phone, id)
  local pem, sentence, word = certificates.pem(phone, id)
  if not pem then return nil, sentence, word end
  return { pem = pem }
end)

asked.accept = on_one(certificates.accept)
asked.reject = on_one(certificates.reject)
asked.remove = on_one(certificates.remove)

--- Certificates into the list of their kind.
--   params.pem   text
function asked.import(phone, params)
  if type(params.pem) ~= "string" then
    return failure("pem is no text", "invalid")
  elseif #params.pem > PEM_MAX then
    return failure(("the certificates take more than %d KiB"):format(
      PEM_MAX >> 10), "toobig", "import the roots that are needed, not all")
  end
  local done, sentence, word = certificates.import(phone, params.pem)
  if not done then return nil, sentence, word end
  for _, name in ipairs { "added", "invalid", "rejected" } do
    done[name] = json.array(done[name])
  end
  return done
end

-- What changes something, and what log and events say of it.
local CHANGES <const> = { accept = "accepted", reject = "rejected",
  remove = "removed", import = "imported" }

-- The lists write by themselves, and cannot wait: is nobody else at it?
local function may_write(member)
  return require("peal.daemon.write").in_turn(member, function()
    local txn, sentence, word = member.store:begin()
    if not txn then return nil, { sentence = sentence, word = word } end
    txn:abort()
    return true
  end)
end

local function tell(member, outcome, entry)
  member:write(("certificate %s by hand: %s (%s)"):format(outcome,
    visible.line(entry.subject or ""), entry.id:sub(1, 12)))
  member:tell { event = "certificate", what = "list", outcome = outcome,
    id = entry.id, subject = entry.subject,
    time = math.floor(member.now().time) }
end

--- The method of a daemon for an action.
-- @treturn function (member, params) as in daemon/methods.lua
function asked.method(action)
  return function(member, params)
    local outcome = CHANGES[action]
    if outcome then
      local ok, failed = may_write(member)
      if not ok then return nil, failed.sentence, failed.word end
    end
    local result, sentence, word, place, next_step =
      asked[action](member.phone, params)
    if not result then return nil, sentence, word, place, next_step end
    if outcome then
      for _, entry in ipairs(result.added or { result }) do
        tell(member, outcome, entry)
      end
    end
    return result
  end
end

return asked
