---@meta peal.jsontext
-- Made by docs/generate-stubs.lua; see there.

--- From Lua data to JSON text. Scripts call peal.json, which says what an array and null are.
local M = {}

--- The text, its names sorted; pretty is on several lines. array is the metatable of what is an array even when it is empty, null the table that stands for null. Raises for what is no data, deeper than 64 tables or longer than 128 MiB.
---@param value any
---@param pretty boolean|nil
---@param array table
---@param null table
---@return string text
function M.write(value, pretty, array, null) end

return M
