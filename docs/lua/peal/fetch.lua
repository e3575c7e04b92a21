---@meta peal.fetch
-- Made by docs/generate-stubs.lua; see there.

--- One HTTP or HTTPS exchange at a time. Redirects and retries are the caller's.
local M = {}

--- A fetcher: its connections and TLS sessions are its own.
---@param loop peal.Loop
---@return peal.Fetcher|nil fetcher
---@return string? sentence
---@return string? word
function M.new(loop) end

return M
