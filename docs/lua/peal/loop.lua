---@meta peal.loop
-- Made by docs/generate-stubs.lua; see there.

--- The event loop, with its timers and signals.
local M = {}

--- A loop.
---@return peal.Loop|nil loop
---@return string? sentence
---@return string? word
function M.new() end

return M
