---@meta peal.worker
-- Made by docs/generate-stubs.lua; see there.

--- Rule files in a process of their own.
local M = {}

--- A worker; options = { program =, snapshot = }.
---@param loop peal.Loop
---@param options table
---@return peal.Worker|nil worker
---@return string? sentence
---@return string? word
function M.new(loop, options) end

--- Parameters as that process reads them.
---@return peal.Snapshot|nil snapshot
---@return string? sentence
---@return string? word
function M.snapshot() end

return M
