---@meta peal.trust
-- Made by docs/generate-stubs.lua; see there.

--- Whom a phone believes, and who it is.
local M = {}

--- A set of roots: all of base, which is shared and can grow no more.
---@param base? peal.Anchors
---@return peal.Anchors|nil anchors
---@return string? sentence
---@return string? word
function M.anchors(base) end

--- A certificate and its private key, from PEM files.
---@param cert_path string
---@param key_path string
---@return peal.Identity|nil identity
---@return string? sentence
---@return string? word
function M.identity(cert_path, key_path) end

--- Is a certificate with these names (DNS:..., IP:...) for this host? fallback: is its common name looked at where it has none?
---@param host string
---@param names string[]
---@param cn? string
---@param fallback? boolean
---@return boolean matches
function M.name_matches(host, names, cn, fallback) end

--- When this program was built, seconds since 1970: no clock that is set shows an earlier time.
---@return integer time
function M.build_time() end

--- A set of SHA-256 fingerprints in hex.
---@param fingerprints string[]
---@return peal.CertificateSet|nil set
---@return string? sentence
---@return string? word
function M.set(fingerprints) end

--- A list of cipher suites as TLS_Cipher_List has it, and what was to be said of it.
---@param text? string
---@return peal.Ciphers|nil ciphers
---@return string[]|string notes
---@return string? word
function M.ciphers(text) end

--- Reads certificates: PEM, DER or PKCS #7.
---@param bytes string
---@return peal.Certificate[]|nil certificates
---@return string? sentence
---@return string? word
function M.parse(bytes) end

--- PEM of DER; a CERTIFICATE unless told.
---@param der string
---@param label? string
---@return string text
function M.pem(der, label) end

return M
