---@meta peal.schema
-- Made by docs/generate-stubs.lua; see there.

--- Which parameters exist: compiled once for a host and shared by its phones. peal.registry loads the built-in ones.
local M = {}

--- A schema without parameters.
---@return peal.Schema|nil schema
---@return string? sentence
---@return string? word
function M.new() end

return M
