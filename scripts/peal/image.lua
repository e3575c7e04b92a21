--- One firmware image on its way into a device's free partition.
-- The partition is touched when the first byte is there, so that a server
-- that has no image costs none.
local encode = require "peal.encode"
local retrieve = require "peal.retrieve"

local image = {}

--- Largest image, bytes (our choice; PEAL_LIMIT_IMAGE).
image.max = 512 * 1024 * 1024

--- @param device  table, see device.lua
-- @param about    load, url
-- @treturn table write(bytes) -> true | nil, sentence, word; finish() ->
--   { size, sha256 } | nil, failure; abort(); size; failed (what the device
--   said no to)
function image.new(device, about)
  local self = { size = 0 }
  local handle, hash

  local function refuse(sentence, word)
    sentence = sentence or "the device does not take the image"
    self.failed = self.failed
      or retrieve.failure(sentence, word or "internal", nil, sentence)
    return nil, sentence, word or "internal"
  end

  local function begin()
    local sentence, word
    handle, sentence, word = device.image_begin(about)
    if handle == nil then return refuse(sentence, word) end
    hash = encode.sha256()
    return true
  end

  function self.write(bytes)
    if self.failed then return nil, self.failed.sentence, self.failed.word end
    if self.size + #bytes > image.max then
      return refuse("file size exceed", "toobig")
    end
    local ok, sentence, word = handle ~= nil, nil, nil
    if not ok then ok, sentence, word = begin() end
    if not ok then return nil, sentence, word end
    ok, sentence, word = device.image_write(handle, bytes)
    if not ok then return refuse(sentence, word) end
    self.size = self.size + #bytes
    hash:add(bytes)
    return true
  end

  function self.finish()
    local facts = { size = self.size, sha256 = hash:hex() }
    local ok, sentence, word = device.image_finish(handle, facts)
    if not ok then
      refuse(sentence, word)
      return nil, self.failed
    end
    return facts
  end

  function self.abort()
    if handle ~= nil and device.image_abort then device.image_abort(handle) end
    handle = nil
  end

  return self
end

return image
