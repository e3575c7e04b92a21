--- The settled world: what servers, name servers and rule files were asked
-- before, in a dry run, is answered as they answered then, at once. Everything
-- else is the world underneath: store, device, log, datagrams.
-- Nothing else can run while a cycle over it does, for nothing suspends.
-- The clock stands where it stood at each answer.
local settled = {}

--- @param base    a world
-- @param began   base.now() when the dry run began
-- @param asked   of the dry world (world/dry.lua)
function settled.new(base, began, asked)
  local world = setmetatable({}, { __index = base })
  local waiting, clock = {}, began
  for _, one in ipairs(asked) do
    local id = one.call .. " " .. one.key
    waiting[id] = waiting[id] or {}
    table.insert(waiting[id], one)
  end

  local function take(call, key)
    local list = waiting[call .. " " .. key]
    local one = list and table.remove(list, 1)
    if one then clock = one.time end
    return one and one.results
  end

  local function answer(call, key)
    local results = take(call, key)
    if results then return table.unpack(results, 1, results.n) end
    return nil, ("%s was not asked for in the plan"):format(key), "changed"
  end

  function world.now() return clock end

  function world.fetch(request)
    return answer("fetch", require("peal.world.request_key")(request))
  end

  function world.resolve(name, kind)
    return answer("resolve", ("%s %s"):format(kind, name))
  end

  -- A text that the dry run did not have to load is asked for real.
  function world.ask(job, overrides)
    local results = take("ask", ("%s %s %s"):format(job.stage, job.path,
      job.view and "decide" or "load"))
    if results then return table.unpack(results, 1, results.n) end
    return base.ask(job, overrides)
  end

  return world
end

return settled
