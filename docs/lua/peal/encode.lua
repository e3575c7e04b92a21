---@meta peal.encode
-- Made by docs/generate-stubs.lua; see there.

--- From parameters to a profile's bytes.
local M = {}

--- Zips; level 0 to 9.
---@param bytes string
---@param level? integer
---@return string|nil bytes
---@return string? sentence
---@return string? word
function M.gzip(bytes, level) end

--- AES-256-CBC as openssl enc writes it; kdf md5, sha256 or pbkdf2, salt of 8 octets.
---@param bytes string
---@param key string
---@param kdf string
---@param salt string
---@return string|nil bytes
---@return string? sentence
---@return string? word
function M.aes(bytes, key, kdf, salt) end

--- Encrypted content-coding, salt of 16 octets.
---@param bytes string
---@param ikm string
---@param salt string
---@param record_size? integer
---@return string|nil bytes
---@return string? sentence
---@return string? word
function M.aes128gcm(bytes, ikm, salt, record_size) end

--- AES-256-GCM under 32 octets.
---@param key string
---@param bytes string
---@return string|nil sealed
---@return string? sentence
---@return string? word
function M.seal(key, bytes) end

--- 32 octets from a passphrase: PBKDF2 with HMAC-SHA-256.
---@param passphrase string
---@param salt string
---@param iterations integer
---@return string|nil key
---@return string? sentence
---@return string? word
function M.stretch(passphrase, salt, iterations) end

--- What was sealed.
---@param key string
---@param sealed string
---@return string|nil bytes
---@return string? sentence
---@return string? word
function M.unseal(key, sealed) end

--- A profile of { name =, text =, ua =, user_pref =, user_modified =, preserve = }.
---@param list table[]
---@return string|nil xml
---@return string? sentence
---@return string? word
function M.profile(list) end

--- As it stands in XML.
---@param text string
---@return string|nil text
---@return string? sentence
---@return string? word
function M.escape(text) end

--- SHA-256 of bytes that come in pieces.
---@return peal.Digest|nil digest
---@return string? sentence
---@return string? word
function M.sha256() end

return M
