---@meta peal.net
-- Made by docs/generate-stubs.lua; see there.

--- Names to addresses, and datagrams.
local M = {}

--- A resolver; options = { servers = "address:port,...", timeout = seconds, tries = }.
---@param loop peal.Loop
---@param options? table
---@return peal.Resolver|nil resolver
---@return string? sentence
---@return string? word
function M.resolver(loop, options) end

--- Sends a datagram.
---@param address string
---@param port integer
---@param bytes string
---@return boolean|nil ok
---@return string? sentence
---@return string? word
function M.send(address, port, bytes) end

return M
