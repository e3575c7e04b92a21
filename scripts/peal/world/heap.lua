--- Timers of a virtual clock: the earliest first, equal times in the order
-- they were set.
local heap = {}
heap.__index = heap

function heap.new()
  return setmetatable({ n = 0, set = 0 }, heap)
end

local function before(a, b)
  if a.at ~= b.at then return a.at < b.at end
  return a.order < b.order
end

function heap:push(timer)
  self.set = self.set + 1
  timer.order = self.set
  local i = self.n + 1
  self.n = i
  while i > 1 and before(timer, self[i // 2]) do
    self[i] = self[i // 2]
    i = i // 2
  end
  self[i] = timer
end

--- The earliest, which stays; nil: none.
function heap:first()
  return self[1]
end

function heap:pop()
  local first, last = self[1], self[self.n]
  if not first then return nil end
  self[self.n] = nil
  self.n = self.n - 1
  local i, n = 1, self.n
  if n == 0 then return first end
  while true do
    local child = 2 * i
    if child > n then break end
    if child < n and before(self[child + 1], self[child]) then
      child = child + 1
    end
    if not before(self[child], last) then break end
    self[i] = self[child]
    i = child
  end
  self[i] = last
  return first
end

return heap
