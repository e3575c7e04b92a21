---@meta peal.terminal
-- Made by docs/generate-stubs.lua; see there.

--- A person at a terminal. Opening the module replaces coroutine.resume and coroutine.wrap by ones that interruptible() knows of.
local M = {}

--- Is it a terminal?
---@param fd integer
---@return boolean yes
function M.is_tty(fd) end

--- 80 where nobody knows.
---@return integer columns
function M.width() end

--- Asks for a line that is not shown.
---@param prompt string
---@return string|nil line
---@return string? sentence
---@return string? word
function M.secret(prompt) end

--- A line editor: { name =, history = a file, history_max =, complete = fn(line, cursor) -> list, start }. The word is not-found where there is no libedit.
---@param options table
---@return peal.Editor|nil editor
---@return string? sentence
---@return string? word
function M.editor(options) end

--- Calls fn; ^C raises the error "interrupted" in it. A second one, or the first when nothing came of it for a second, ends the process with code 130.
---@param fn function
---@param ... any
---@return boolean ok
---@return any ...
function M.interruptible(fn, ...) end

--- Has ^C been pressed in this interruptible()?
---@return boolean yes
function M.interrupted() end

return M
