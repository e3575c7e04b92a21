--- A store that can become another one under the hands of a phone, as it does
-- when somebody else commits.
local swap = {}

--- @treturn table store (a stand-in with a store's methods), current() (the
--   store behind it), take(store) (from now on it is this one)
function swap.new(first)
  local current = first
  local methods = setmetatable({}, { __index = function(methods, name)
    local fn = first[name]
    if fn == nil then return nil end
    methods[name] = function(_, ...) return fn(current, ...) end
    return methods[name]
  end })
  return { store = setmetatable({}, { __index = methods }),
    current = function() return current end,
    take = function(other) current = other end }
end

return swap
