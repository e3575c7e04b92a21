--- Lengths of time as people read them.
local UNITS <const> = { { 86400, "days" }, { 3600, "h" }, { 60, "min" },
  { 1, "s" } }
-- Less than that is told in hours.
local DAYS_FROM_S <const> = 2 * 86400
local PARTS_MAX <const> = 2

--- "45 s", "7 min 6 s", "24 h", "2 days 12 h": the two largest units that
-- there are any of, and seconds rounded; what has passed is "0 s".
return function(seconds)
  local left, parts = math.max(0, math.floor(seconds + 0.5)), {}
  for i = left < DAYS_FROM_S and 2 or 1, #UNITS do
    local size, name = UNITS[i][1], UNITS[i][2]
    if left >= size and #parts < PARTS_MAX then
      parts[#parts + 1] = ("%d %s"):format(left // size, name)
      left = left % size
    end
  end
  return parts[1] and table.concat(parts, " ") or "0 s"
end
