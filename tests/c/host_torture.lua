--- What host_torture_test.c runs while memory fails: one resync on the virtual
-- world, from an encrypted profile into a store in memory.
local cycle = require "peal.cycle"
local encode = require "peal.encode"
local phone = require "peal.phone"
local registry = require "peal.registry"
local store = require "peal.store"
local virtual = require "peal.world.virtual"

-- The second file shows that the first one stays when the second fails.
local RULES <const> = { Profile_Rule = "[--key $SA] http://192.0.2.7/a",
  Profile_Rule_B = "($A eq 1)? http://192.0.2.7/b",
  Syslog_Server = "192.0.2.9", GPP_SA = "s3cr3t",
  GPP_A = "0", GPP_B = "old" }

local function profile(n)
  local out = { "<flat-profile><GPP_A>1</GPP_A>" }
  for i = 1, n do
    out[#out + 1] = ("<User_ID_%d_>user %d</User_ID_%d_>"):format(i, i, i)
  end
  out[#out + 1] = "<Nope>1</Nope><Resync_Periodic>x</Resync_Periodic>"
    .. "</flat-profile>"
  return table.concat(out)
end

local FILES <const> = {
  ["http://192.0.2.7/a"] = assert(encode.aes(
    assert(encode.gzip(profile(8))), "s3cr3t", "md5", "12345678")),
  ["http://192.0.2.7/b"] = "<flat-profile><GPP_B>new</GPP_B></flat-profile>",
}

local torture = {}
local schema = assert(registry.load())
local st = assert(store.open { schema = schema })

--- Everything as before the first resync.
function torture.reset()
  local txn = assert(st:begin())
  assert(txn:factory_reset())
  txn:source { author = "phone-file" }
  for name, value in pairs(RULES) do
    assert(txn:set(name, value))
  end
  assert(txn:commit("initial", 0))
end

--- One resync. Returns whether it went well; else a word.
function torture.resync()
  local world = virtual.new { store = st, server = function(request)
    return { status = 200, body = FILES[request.url], headers = {},
      sent = 1, peer = request.address }
  end }
  local p = phone.new { world = world, identity = { PN = "CP-8841-3PCC",
    MAC = "000e08abcdef", SN = "1", SWVER = "sip88xx.11-3-1MPP-234" } }
  local result = world.run(cycle.run, p,
    { asked_by = "cli", explicit = true, prvst = -1 })
  local words = {}
  for _, note in ipairs(result.notes) do words[note.word] = true end
  torture.heard = #world.datagrams
  return result.outcome == "success", result.failure and result.failure.word,
    words["unknown-name"] and words["bad-value"]
end

--- How far the store came: "old", "half" (the first file), "new"; nil for
-- anything else.
function torture.state()
  local a, b = st:get("GPP_A"), st:get("GPP_B")
  for i = 1, 8 do
    local user = st:get(("User_ID_%d_"):format(i))
    if user ~= (a == "1" and ("user %d"):format(i) or "") then return nil end
  end
  if a == "0" and b == "old" then return "old" end
  if a == "1" then return b == "old" and "half" or b == "new" and "new" end
end

return torture
