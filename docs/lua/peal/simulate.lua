---@meta peal.simulate
-- Made by docs/generate-stubs.lua; see there.

--- Time travel: a phone on the virtual clock, whose days go by in no time.
local M = {}

--- A simulation: { store =, phone =, device =, zone =, time =, boot =, server =, dns =, rules =, trust =, dice =, on_request = }. The store is copied, and not written.
---@param options table
---@return peal.Simulation|nil simulation
---@return string? sentence
---@return string? word
function M.new(options) end

return M
