--- Phones in this process that meet one TLS server each.
--
--   local phone = badssl.phone { ca = lab.ca.cert, dns = "127.0.0.1:5353" }
--   local got = phone:get("https://localhost:4433/a.xml")
--   got.word       "ok", or the word of the failure; got.sentence; got.facts
--   phone:close()
--
-- The whole engine runs, with the live world; only the store is in memory.
local cycle = require "peal.cycle"
local live = require "peal.world.live"
local loop = require "peal.loop"
local phone = require "peal.phone"
local support = require "support.engine"
local trust = require "peal.trust"

local badssl = {}
local meta = {}
meta.__index = meta

badssl.IDENTITY = { PN = "CP-8841-3PCC", PSN = "8841-3PCC",
  MAC = "000e08abcdef", SN = "88012BA01234" }

--- What a phone believes and is: ca, cert, key are paths; private says that
-- strangers get no certificates under the root.
function badssl.trust(o)
  local anchors = trust.anchors()
  for _, path in ipairs(type(o.ca) == "table" and o.ca or { o.ca }) do
    assert(anchors:load(path, o.private and "private" or nil))
  end
  return { anchors = anchors,
    identity = o.cert and assert(trust.identity(o.cert, o.key)) or nil }
end

--- A phone.
-- o: ca, private, cert, key as in trust(), or trust; params; dns ("address:
-- port"); loop; world (fields laid over the live world's options)
function badssl.phone(o)
  local options = { loop = o.loop or loop.new(),
    trust = o.trust or badssl.trust(o),
    dns = o.dns and { servers = o.dns } or nil,
    store = support.store(o.params or {}) }
  for key, value in pairs(o.world or {}) do options[key] = value end
  local world = live.new(options)
  return setmetatable({ world = world, store = options.store,
    phone = phone.new { world = world, identity = badssl.IDENTITY } }, meta)
end

--- One resync of this rule. set: parameters for this run alone.
-- @return word ("ok" or the failure's), sentence, status, outcome, trace (its
-- steps), response (the last such step), notes (word -> text)
function meta:get(rule, set)
  self.phone.overrides = set or {}
  local result = self.world.run(cycle.run, self.phone, { asked_by = "cli",
    explicit = true, rule = rule })
  local got = { outcome = result.outcome, trace = result.trace.steps,
    notes = {} }
  local failed = result.failure
  got.word = failed and failed.word or result.outcome == "success" and "ok"
    or result.outcome
  got.sentence = failed and failed.sentence or ""
  got.status = failed and failed.status
  for _, step in ipairs(got.trace) do
    if step.step == "response" then got.response = step end
    if step.step == "note" then got.notes[step.word] = step.text end
  end
  return got
end

--- Its connections are closed.
function meta:close()
  self.world, self.phone = nil, nil
  collectgarbage()
  collectgarbage()
end

function meta:param(name) return (self.store:get(name)) end

return badssl
