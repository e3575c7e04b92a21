--- State of the engine that outlives a restart, and does not wear the flash.
-- What is set here waits for the next commit of parameters, an hour, or the
-- end of the program (flush), whichever is first. What must not be lost says
-- so by flushing at once.
local sorted = require "peal.sorted"

local keep = {}
keep.__index = keep

function keep.new(world)
  return setmetatable({ world = world, waiting = {} }, keep)
end

--- Text under namespace and key, nil: none.
function keep:get(ns, key)
  local space = self.waiting[ns]
  local text = space and space[key]
  if text ~= nil then return text or nil end
  return self.world.store:state(ns, key)
end

--- The same as a number.
function keep:number(ns, key)
  return tonumber(self:get(ns, key) or "")
end

--- text nil removes it.
function keep:set(ns, key, text)
  if text ~= nil then text = tostring(text) end
  if self:get(ns, key) == text then return end
  self.waiting[ns] = self.waiting[ns] or {}
  self.waiting[ns][key] = text or false
end

--- Does something wait?
--   ns   of this namespace; nil: of any
function keep:dirty(ns)
  if ns then return self.waiting[ns] ~= nil end
  return next(self.waiting) ~= nil
end

--- Put what waits into a transaction.
-- @return[1] true; call committed() when it is
-- @return[2] nil, sentence, word
function keep:stage(txn)
  for _, ns in ipairs(sorted.keys(self.waiting)) do
    for _, key in ipairs(sorted.keys(self.waiting[ns])) do
      local ok, sentence, word = txn:state(ns, key,
        self.waiting[ns][key] or nil)
      if not ok then return nil, sentence, word end
    end
  end
  return true
end

function keep:committed()
  self.waiting = {}
end

--- Write what waits in a commit of its own.
-- @treturn[1] boolean true
-- @return[2] nil, sentence, word; it waits on
function keep:flush(cause)
  if not self:dirty() then return true end
  local txn, sentence, word = self.world.store:begin()
  if not txn then return nil, sentence, word end
  local ok
  ok, sentence, word = self:stage(txn)
  if not ok then
    txn:abort()
    return nil, sentence, word
  end
  ok, sentence, word = txn:commit(cause or "state",
    math.floor(self.world.now().time))
  if not ok then return nil, sentence, word end
  self:committed()
  return true
end

return keep
