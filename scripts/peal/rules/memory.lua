--- What a book knows of rule files besides their texts on disk, as plain data:
-- for a book that goes on from there, of a phone's twin.
local memory = {}

-- More than a program's frame holds is not taken along, bytes: that book
-- reads its files anew, and says again what is wrong with them.
local MAX_BYTES <const> = 512 * 1024

local function size_of(entry)
  local bytes = 0
  for _, copy in ipairs { entry.current, entry.good or nil } do
    bytes = bytes + #(copy.text or "")
  end
  return bytes
end

--- @param book   see rules/book.lua
-- @treturn[1] table
-- @treturn[2] nil too much
function memory.of(book)
  local entries, bytes = {}, 0
  for stage, entry in pairs(book.entries) do
    local is_good = entry.good == entry.current
    entries[stage] = { path = entry.path, current = entry.current,
      is_good = is_good, good = not is_good and entry.good or nil,
      before = entry.before, problem = entry.problem }
    bytes = bytes + size_of(entry)
  end
  if bytes > MAX_BYTES then return nil end
  return { entries = entries, unknown = book.unknown, began = book.began }
end

--- Give a new book what another one knew.
function memory.restore(book, known)
  for stage, entry in pairs(known.entries) do
    book.entries[stage] = { path = entry.path, current = entry.current,
      good = entry.is_good and entry.current or entry.good,
      before = entry.before, problem = entry.problem }
  end
  book.unknown, book.began, book.stale = known.unknown, known.began, true
end

return memory
