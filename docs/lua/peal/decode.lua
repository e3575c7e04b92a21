---@meta peal.decode
-- Made by docs/generate-stubs.lua; see there.

--- From a profile's bytes to parameters: decrypt, unzip, parse.
local M = {}

--- Stages a profile's values. options = { key =, ikm =, codings =, aliases = { { path =, name = } } }; facts = { steps =, bytes_in =, bytes_plain = }. A fourth result of a failure is the place, { line =, byte = }. After a failure the transaction is to be dropped.
---@param bytes string
---@param options table|nil
---@param txn peal.Transaction
---@return table|nil facts
---@return string? sentence
---@return string? word
function M.apply(bytes, options, txn) end

--- The XML. options = { key =, ikm =, codings =, aliases = { { path =, name = } } }; facts = { steps =, bytes_in =, bytes_plain = }. A fourth result of a failure is the place, { line =, byte = }.
---@param bytes string
---@param options? table
---@return string|nil text
---@return table|string facts
---@return string? word
function M.text(bytes, options) end

--- Unzips, to max bytes at most.
---@param bytes string
---@param max integer
---@return string|nil bytes
---@return string? sentence
---@return string? word
function M.gunzip(bytes, max) end

--- The elements: { name =, value =, line =, ua = ... }. options = { key =, ikm =, codings =, aliases = { { path =, name = } } }; facts = { steps =, bytes_in =, bytes_plain = }. A fourth result of a failure is the place, { line =, byte = }.
---@param bytes string
---@param options? table
---@return table[]|nil elements
---@return table|string facts
---@return string? word
function M.elements(bytes, options) end

return M
