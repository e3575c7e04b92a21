---@meta peal.control
-- Made by docs/generate-stubs.lua; see there.

--- Lines between processes of one user, over a Unix socket.
local M = {}

--- Listens; on_peer(peer) for each that comes, which is closed again unless peer:accept() is called within.
---@param loop peal.Loop
---@param path string
---@param on_peer fun(peer: peal.Peer)
---@return peal.Server|nil server
---@return string? sentence
---@return string? word
function M.listen(loop, path, on_peer) end

--- Connects. on_over(nil) when the other side has closed, else on_over(sentence, word).
---@param loop peal.Loop
---@param path string
---@param on_line fun(text: string)
---@param on_over? function
---@return peal.Peer|nil peer
---@return string? sentence
---@return string? word
function M.connect(loop, path, on_line, on_over) end

return M
