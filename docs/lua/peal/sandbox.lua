---@meta peal.sandbox
-- Made by docs/generate-stubs.lua; see there.

--- Rule files in this process, in a Lua state of their own.
local M = {}

--- A box; options = { memory = bytes, instructions = of one decision }.
---@param options? table
---@return peal.Box|nil box
---@return string? sentence
---@return string? word
function M.new(options) end

return M
