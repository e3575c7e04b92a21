--- Which step of the way is the one that has failed?
-- By the word of the failure, and by how far the last exchange came.

-- Words of a failure that tell the step by themselves.
local STEPS <const> = {
  ["bad-rule"] = "rule", ["bad-condition"] = "rule", ["bad-url"] = "rule",
  ["no-server"] = "rule", scheme = "rule", dns = "dns",
  ["t.version"] = "tls", ["t.handshake"] = "tls", ["t.client"] = "client",
  clock = "certificate", corrupt = "decode", ["bad-coding"] = "decode",
  limit = "decode",
}

local break_of = {}

local function is_connected(fetch)
  local facts = fetch.facts
  local timing = facts.timing or {}
  return (timing.connect or 0) > 0 or (facts.sent or 0) > 0
    or (facts.bytes or 0) > 0
end

-- A connection that did not come about, or broke.
local function of_connection(fetch)
  if fetch.request.scheme == "tftp" then return "answer" end
  if not is_connected(fetch) then return "tcp" end
  if fetch.request.tls and not fetch.facts.tls then return "tls" end
  return "answer"
end

--- The exchange that tells most: the last one, or, where that met nobody, the
-- last one of those before it that did.
function break_of.fetch(fetches)
  local last = fetches[#fetches]
  if not last or last.answer then return last end
  for i = #fetches, 1, -1 do
    if is_connected(fetches[i]) then return fetches[i] end
  end
  return last
end

--- The step.
-- @param failed  the failure of a rule: word, status, place
-- @param fetch   the last exchange, or nil (see doctor/watch.lua)
-- @treturn string name of a step
function break_of.step(failed, fetch)
  local word = failed.word or ""
  local step = STEPS[word]
  if word == "corrupt" and failed.place and failed.place.line then
    return "parse"
  elseif step then
    return step
  elseif word:find("^c%.") then
    return "certificate"
  elseif failed.status == 401 or failed.status == 407 then
    return "auth"
  elseif not fetch then
    return "rule"
  elseif word == "connect" or word == "timeout" then
    return of_connection(fetch)
  end
  return "answer"
end

return break_of
