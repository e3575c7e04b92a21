--- A world that another one is seen through: what names were looked up, what
-- was fetched, how long each took. No TLS session that was kept is taken up,
-- so that every check is made.
local watch = {}

--- @param base  a world
-- @treturn table the world
-- @treturn table seen: lookups, list of { name, kind, addresses or sentence,
--   seconds }, and fetches, list of { request, answer or sentence and word,
--   facts, seconds }
function watch.new(base)
  local seen = { lookups = {}, fetches = {} }
  local world = setmetatable({}, { __index = base })

  function world.resume() end

  function world.resolve(name, kind, use_hosts)
    local from = base.now().mono
    local list, sentence, word = base.resolve(name, kind, use_hosts)
    table.insert(seen.lookups, { name = name, kind = kind, addresses = list,
      sentence = sentence, seconds = base.now().mono - from })
    return list, sentence, word
  end

  function world.fetch(request)
    local from = base.now().mono
    local answer, sentence, word, facts = base.fetch(request)
    table.insert(seen.fetches, { request = request, answer = answer,
      sentence = sentence, word = word, facts = answer or facts or {},
      seconds = base.now().mono - from })
    return answer, sentence, word, facts
  end

  return world, seen
end

return watch
