--- Tables in an order that does not differ from run to run.
local sorted = {}

--- The keys of a table, all of one kind, ascending.
function sorted.keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

return sorted
