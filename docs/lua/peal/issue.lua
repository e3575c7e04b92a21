---@meta peal.issue
-- Made by docs/generate-stubs.lua; see there.

--- Private keys, certificates and identities of our own. Nothing gives the private part of a key away.
local M = {}

--- Makes a key: P-256, P-384, RSA-2048 ...
---@param kind string
---@return peal.Key|nil key
---@return string? sentence
---@return string? word
function M.key(kind) end

--- The same in the background, since RSA keys take seconds: fn(key) or fn(nil, sentence, word).
---@param loop peal.Loop
---@param kind string
---@param fn function
---@return peal.Operation|nil handle
---@return string? sentence
---@return string? word
function M.key_start(loop, kind, fn) end

--- Issues a certificate: { key =, ca = { cert =, key = }, subject = { { "CN", "x" } }, sans =, serial =, from =, to =, is_ca =, pathlen =, purposes = }; without ca it signs itself.
---@param options table
---@return string|nil der
---@return string? sentence
---@return string? word
function M.certificate(options) end

--- A request for a certificate: { key =, like = the old one's DER }.
---@param options table
---@return string|nil der
---@return string? sentence
---@return string? word
function M.request(options) end

--- Who shows this certificate.
---@param cert_pem string
---@param key peal.Key
---@return peal.Identity|nil identity
---@return string? sentence
---@return string? word
function M.identity(cert_pem, key) end

--- The same with a key that only signs: fn returns the signature, or nil and a sentence. It must not wait.
---@param cert_pem string
---@param fn fun(algorithm: string, hash: string): string
---@return peal.Identity|nil identity
---@return string? sentence
---@return string? word
function M.signer(cert_pem, fn) end

return M
