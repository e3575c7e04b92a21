--- A client has a daemon put parameters back to what they were.
local json = require "peal.json"
local revisions = require "peal.revisions"
local write = require "peal.daemon.write"

local revert = {}

local NAMES_MAX <const> = 10000

local function invalid(sentence)
  return nil, sentence, "invalid"
end

local function names_of(params)
  local names = params.names
  if names == nil then return {} end
  if type(names) ~= "table" or #names > NAMES_MAX then
    return invalid("names is no list of names")
  end
  for _, name in ipairs(names) do
    if type(name) ~= "string" then
      return invalid("names is no list of names")
    end
  end
  return names
end

--- The method: params.revision, params.names (nil: all), params.expect (the
-- revision that the client has looked at; nil: whatever it is by now).
-- @treturn table changed, names, revision
function revert.method(member, params)
  local number = math.tointeger(params.revision)
  if not number or number < 1 then
    return invalid("revision is no number of a revision")
  end
  local expect = math.tointeger(params.expect)
  if params.expect ~= nil and (not expect or expect < 0) then
    return invalid("expect is no number of a revision")
  end
  local names, sentence, word = names_of(params)
  if not names then return nil, sentence, word end
  local changed, revision = write.in_turn(member, function()
    return revisions.revert({ store = member.store, expect = expect,
      time = member.now().time }, number, names)
  end)
  if not changed then
    local failed = revision
    return nil, failed.sentence, failed.word, nil, failed.next
  end
  member:write(("%d %s put back as in revision %d, by hand"):format(#changed,
    #changed == 1 and "parameter" or "parameters", number))
  member.engine:changed(changed, "cli")
  return { changed = #changed, names = json.array(changed),
    revision = revision }
end

return revert
