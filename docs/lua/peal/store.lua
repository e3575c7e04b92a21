---@meta peal.store
-- Made by docs/generate-stubs.lua; see there.

--- Parameters and state that survive a power cut.
local M = {}

--- Opens a store: { schema =, path = a folder (nil: in memory), read_only =, keep = bytes of old revisions, revision = an old one, start_over = true where the newest is damaged }; or the bytes and the key that store:bytes() gave. A fourth result of a failure is the place.
---@param options table
---@return peal.Store|nil store
---@return string? sentence
---@return string? word
function M.open(options) end

return M
