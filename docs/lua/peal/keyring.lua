---@meta peal.keyring
-- Made by docs/generate-stubs.lua; see there.

--- Private keys and their certificates, in generations.
local M = {}

--- Opens one; without a folder it is in memory.
---@param folder? string
---@return peal.Keyring|nil keyring
---@return string? sentence
---@return string? word
function M.open(folder) end

return M
