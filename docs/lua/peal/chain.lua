---@meta peal.chain
-- Made by docs/generate-stubs.lua; see there.

--- Which certificate leads to which.
local M = {}

--- Does the first certificate lead to an anchor, or is it one? The others may help.
---@param ders string[]
---@param anchors peal.Anchors|nil
---@param now integer
---@return boolean|nil ok
---@return string? sentence
---@return string? word
function M.check(ders, anchors, now) end

--- Have two certificates (DER) the same subject, octet by octet?
---@param a string
---@param b string
---@return boolean same
function M.same_subject(a, b) end

--- Has one certificate signed another? No where one cannot be read.
---@param ca string
---@param der string
---@return boolean yes
function M.issued(ca, der) end

return M
