---@meta peal.tftp
-- Made by docs/generate-stubs.lua; see there.

--- One file down or up.
local M = {}

--- Starts it: request = { address, port, name, body, max, port_lo, port_hi, wait, total, sendings, blksize, no_options, sink }; with a body the file is written. fn(response), or fn(nil, sentence, word, response), is called once, from loop:run().
---@param loop peal.Loop
---@param request table
---@param fn function
---@return peal.Operation|nil handle
---@return string? sentence
---@return string? word
function M.start(loop, request, fn) end

--- The file name for the path of a URL.
---@param path string
---@return string|nil name
---@return string? sentence
---@return string? word
function M.name(path) end

return M
