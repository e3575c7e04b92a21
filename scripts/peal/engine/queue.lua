--- Requests that somebody made and that wait for their turn: first come first
-- served, four at most, equal ones are one.
local queue = {}
queue.__index = queue

local MAX <const> = 4

function queue.new()
  return setmetatable({ n = 0 }, queue)
end

local function is_same(a, b)
  return a.kind == b.kind and a.rule == b.rule and a.url == b.url
    and a.cold == b.cold and a.reboot == b.reboot
    and a.what == b.what and a.force == b.force and a.plan == b.plan
end

--- @param job kind, rule, url ..., done (or nil)
-- @treturn[1] boolean true
-- @return[2] nil, sentence, "busy"
function queue:add(job)
  for i = 1, self.n do
    if not self[i].taken and is_same(self[i], job) then
      if job.done then table.insert(self[i].dones, job.done) end
      return true
    end
  end
  if self:waiting() >= MAX then
    return nil, ("%d requests wait already"):format(MAX), "busy"
  end
  job.dones = { job.done }
  self.n = self.n + 1
  self[self.n] = job
  return true
end

function queue:remove(job)
  for i = 1, self.n do
    if self[i] == job then
      table.remove(self, i)
      self.n = self.n - 1
      return
    end
  end
end

--- Those that wait; the one under way is none of them.
function queue:waiting()
  local count = 0
  for i = 1, self.n do
    if not self[i].taken then count = count + 1 end
  end
  return count
end

--- Tell who asked what came of it.
function queue.answer(job, result)
  for _, done in ipairs(job.dones or {}) do done(result) end
end

--- Refuse all requests of a kind (nil: all).
function queue:refuse(kind, reason)
  for i = self.n, 1, -1 do
    local job = self[i]
    if not job.taken and (not kind or job.kind == kind) then
      self:remove(job)
      queue.answer(job, { outcome = "refused", reason = reason })
    end
  end
end

return queue
