---@meta peal.sys
-- Made by docs/generate-stubs.lua; see there.

--- Clocks, dice and files, for worlds and tools.
local M = {}

--- The wall clock, since 1970.
---@return number seconds
function M.time() end

--- A clock that nobody sets.
---@return number seconds
function M.monotonic() end

--- From the system.
---@param n integer
---@return string|nil octets
---@return string? sentence
---@return string? word
function M.random(n) end

--- From the system; none is likelier.
---@param lo integer
---@param hi integer
---@return integer|nil number
---@return string? sentence
---@return string? word
function M.random_int(lo, hi) end

--- Names, sorted, without . and ..
---@param folder string
---@return string[]|nil names
---@return string? sentence
---@return string? word
function M.list(folder) end

--- Of a file: type, size, mtime, ctime, mode, inode; nil: there is none.
---@param path string
---@return table|nil about
function M.stat(path) end

--- In one step, in place of what is there.
---@param from string
---@param to string
---@return boolean|nil ok
---@return string? sentence
---@return string? word
function M.rename(from, to) end

--- A file, or an empty folder.
---@param path string
---@return boolean|nil ok
---@return string? sentence
---@return string? word
function M.remove(path) end

--- A folder that only its owner may enter.
---@param path string
---@return boolean|nil ok
---@return string? sentence
---@return string? word
function M.mkdir(path) end

--- A new file that only its owner may read, on the disk when it returns.
---@param path string
---@param bytes string
---@return boolean|nil ok
---@return string? sentence
---@return string? word
function M.create(path, bytes) end

--- Of this process.
---@return integer pid
function M.pid() end

--- Tells the service manager; false: nobody asked to be told.
---@param text string
---@return boolean|nil told
---@return string? sentence
---@return string? word
function M.notify(text) end

--- How long the service manager waits for a sign of life.
---@return number|nil seconds
function M.watchdog() end

--- Gives back memory that a waiting process can do without.
function M.trim() end

--- No dump of this process's memory: it holds keys.
function M.no_core() end

--- The address by which peer would see us.
---@param peer? string
---@return string|nil address
function M.local_address(peer) end

--- Of peal and its libraries.
---@return table<string, string> versions
function M.versions() end

return M
