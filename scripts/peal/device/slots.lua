--- The two image partitions of a simulated phone, as files of a folder or in
-- nobody's memory but their names.
--   slot-0, slot-1         the images
--   slot-0.load ...        "SIZE SHA256 LOAD": the image is whole. Gone while
--                          it is written
--   active                 "SLOT LOAD": what boots next
-- Small files are replaced by rename. Whatever write is the last one before
-- the power is cut, what `active` names is whole.
local slots = {}
slots.__index = slots

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return text
end

local function problem(why, number)
  return nil, why, number == 28 and "no-space" or "io"
end

local function replace(path, text)
  local file, why, number = io.open(path .. ".new", "wb")
  if not file then return problem(why, number) end
  local ok
  ok, why, number = file:write(text)
  if ok then ok, why, number = file:flush() end
  file:close()
  if ok then ok, why, number = os.rename(path .. ".new", path) end
  if ok then return true end
  return problem(why, number)
end

local function size_of(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local size = file:seek("end")
  file:close()
  return size
end

-- The load in a slot, where it is whole; its size and SHA-256.
function slots:read_slot(slot)
  if not self.folder then
    local image = self.images[slot]
    if image then return image.load, image end
    return nil
  end
  local path = ("%s/slot-%d"):format(self.folder, slot)
  local size, sha256, load = (read(path .. ".load") or ""):match(
    "^(%d+) (%x+) ([^\n]+)\n$")
  size = math.tointeger(tonumber(size))
  if not load or size ~= size_of(path) then return nil end
  return load, { load = load, size = size, sha256 = sha256 }
end

-- What boots next: the slot and the name of its load.
function slots:booted()
  if not self.folder then return self.next_slot, self.next_load end
  local slot, load = (read(self.folder .. "/active") or ""):match(
    "^([01]) ([^\n]+)\n$")
  return math.tointeger(tonumber(slot)), load
end

function slots:point_to(slot, load)
  if self.folder then
    return replace(self.folder .. "/active", ("%d %s\n"):format(slot, load))
  end
  self.next_slot, self.next_load = slot, load
  return true
end

--- @tparam table load  { active, inactive }: what a new phone has
-- @tparam[opt] string folder  of files; it must be there
function slots.new(load, folder)
  local self = setmetatable({ folder = folder, images = {} }, slots)
  if not self:booted() then
    if not folder and load.inactive then
      self.images[1] = { load = load.inactive }
    end
    local ok, why, word = self:point_to(0, load.active)
    if not ok then return nil, why, word end
  end
  self:boot()
  return self
end

--- The power comes on: what `active` names runs.
function slots:boot()
  self.slot, self.active = self:booted()
end

--- Names of the running load and of the whole one in the other slot.
function slots:loads()
  return { active = self.active, inactive = self:read_slot(1 - self.slot) }
end

-- What was activated and did not boot yet is given up before it is written
-- over: the running load boots next.
function slots:give_up(slot)
  if self:booted() ~= slot then return true end
  return self:point_to(self.slot, self.active)
end

--- Begin an image in the slot that does not run.
function slots:begin(about)
  local image = { slot = 1 - self.slot, load = about.load, size = 0 }
  local ok, sentence, word = self:give_up(image.slot)
  if not ok then return nil, sentence, word end
  self.images[image.slot] = nil
  if not self.folder then return image end
  image.path = ("%s/slot-%d"):format(self.folder, image.slot)
  os.remove(image.path .. ".load")
  local why, number
  image.file, why, number = io.open(image.path, "wb")
  if not image.file then return problem(why, number) end
  image.file:setvbuf("no")
  return image
end

function slots:write(image, bytes)
  image.size = image.size + #bytes
  if not image.file then return true end
  local ok, why, number = image.file:write(bytes)
  if ok then return true end
  return problem(why, number)
end

--- The image is whole: it may be booted from.
function slots:finish(image, about)
  if image.file then
    image.file:close()
    image.file = nil
    if size_of(image.path) ~= about.size then
      return nil, "the partition does not hold what was written", "io"
    end
    return replace(image.path .. ".load", ("%d %s %s\n"):format(about.size,
      about.sha256, image.load))
  end
  self.images[image.slot] = { load = image.load, size = about.size,
    sha256 = about.sha256 }
  return true
end

--- Give an image up; what was written of it stays unusable.
function slots:abort(image)
  if image.file then image.file:close() end
  image.file = nil
  if image.path then os.remove(image.path .. ".load") end
  self.images[image.slot] = nil
end

--- Boot from that load next.
function slots:activate(load)
  for slot = 0, 1 do
    local whole = slot == self.slot and self.active or self:read_slot(slot)
    if whole == load then return self:point_to(slot, load) end
  end
  return nil, ("no partition holds %s"):format(load), "not-found"
end

return slots
