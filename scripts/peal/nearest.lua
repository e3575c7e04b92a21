--- The word that somebody may have meant.

local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local before = row[0]
    row[0] = i
    for j = 1, #b do
      local keep = row[j]
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      row[j] = math.min(row[j] + 1, row[j - 1] + 1, before + cost)
      before = keep
    end
  end
  return row[#b]
end

--- The word of `list` that `word` may have been meant for, or nil.
local function nearest(word, list)
  local best, best_cost
  for _, candidate in ipairs(list) do
    local cost = distance(word, candidate)
    if not best or cost < best_cost then best, best_cost = candidate, cost end
  end
  if best and best_cost <= math.max(1, #word // 3) then return best end
end

return nearest
