--- What crosses the seam of a world, in order.
-- One entry is one crossing; names are those of the world's functions, the
-- members of what it holds ("device.lines_active") and of what these gave
-- ("#3.fits", the third thing that came through).
--
--   now()        the clock; most of all calls, and kept in a byte or 17
--   call         a function of the world is called; its "result" follows when
--                it returns, with what it has caused in between
--   start        one that may suspend its task: either its "finish" comes at
--                once, or "yield", and "finish" when the task goes on
--   finish       the end of start `id`: here its task goes on
--   called       the world calls a function that it was given; "result"
--   asked        somebody asks the engine for something; "result"
--   store        somebody else has written the store: as it is now
--   power        a phone and its engine begin
--
-- What a call was asked and what it gave stand as bytes of tape_form.lua.
local tape = {}
tape.__index = tape

local pack, unpack = string.pack, string.unpack

-- Entries by their first byte, and how the rest is laid out.
local LAYOUT <const> = {
  call = { "C", "s1s4" }, -- name, what it was asked
  start = { "A", "s1I4s4" }, -- name, id, what it was asked
  finish = { "E", "I4s4" }, -- id, what it gave
  yield = { "Y", "" },
  result = { "R", "s4" },
  called = { "B", "I4s4" }, -- which function, what it was asked
  asked = { "X", "s1s4" },
  store = { "F", "s4" },
  power = { "P", "s4" },
  same = { "n", "" }, -- now() as before
  later = { "m", "<dd" }, -- now(): time and mono
  now = { "N", "s4" }, -- now() as it is
}

local KINDS <const> = {}
for kind, about in pairs(LAYOUT) do
  KINDS[about[1]] = { kind = kind, layout = "<" .. about[2]:gsub("^<", "") }
end

function tape.new()
  return setmetatable({ parts = {} }, tape)
end

--- Append an entry.
function tape:add(kind, ...)
  local about = LAYOUT[kind]
  local parts = self.parts
  if select("#", ...) == 0 then
    parts[#parts + 1] = about[1]
  else
    parts[#parts + 1] = about[1]
      .. pack("<" .. about[2]:gsub("^<", ""), ...)
  end
end

--- Take no more.
function tape:stop()
  function self.add() end
end

--- How many there are.
function tape:count() return #self.parts end

function tape:bytes() return table.concat(self.parts) end

-- --- to be read ---

local reader = {}
reader.__index = reader

--- A tape as it stands in a cassette.
function tape.open(bytes)
  return setmetatable({ text = bytes, at = 1, n = 0 }, reader)
end

--- The next entry without taking it: { kind, fields ... }; nil: the end.
-- Raises "damaged" where it is none.
function reader:peek()
  if self.next then return self.next end
  if self.at > #self.text then return nil end
  local about = KINDS[self.text:sub(self.at, self.at)]
  local ok, fields = pcall(function()
    return table.pack(unpack(about.layout, self.text, self.at + 1))
  end)
  if not ok then error("damaged", 0) end
  fields.kind = about.kind
  self.after = fields[fields.n]
  self.next = fields
  return fields
end

--- Take it. Entries are counted from 1.
function reader:take()
  local entry = self:peek()
  if not entry then return nil end
  self.next, self.at, self.n = nil, self.after, self.n + 1
  return entry
end

return tape
