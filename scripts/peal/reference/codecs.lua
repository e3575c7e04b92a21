--- The binding modules that read and write profiles. See peal.reference.
local GUIDE <const> = "MPP provisioning guide"
local OPTIONS <const> = "options = { key =, ikm =, codings =, aliases = { { "
  .. "path =, name = } } }; facts = { steps =, bytes_in =, bytes_plain = }. A "
  .. "fourth result of a failure is the place, { line =, byte = }."

return {
  { name = "peal.decode", kind = "module",
    source = GUIDE .. ", Profile formats; RFC 8188, RFC 1952",
    doc = "From a profile's bytes to parameters: decrypt, unzip, parse.",
    { "apply(bytes: string, options: table|nil, txn: peal.Transaction) -> "
        .. "facts: table",
      "Stages a profile's values. " .. OPTIONS .. " After a failure the "
        .. "transaction is to be dropped.", fails = true },
    { "text(bytes: string, options?: table) -> text: string, facts: table",
      "The XML. " .. OPTIONS, fails = true },
    { "gunzip(bytes: string, max: integer) -> bytes: string",
      "Unzips, to max bytes at most.", fails = true, source = "RFC 1952" },
    { "elements(bytes: string, options?: table) -> elements: table[], "
        .. "facts: table",
      "The elements: { name =, value =, line =, ua = ... }. " .. OPTIONS,
      fails = true },
  },
  { name = "peal.encode", kind = "module",
    source = GUIDE .. ", Profile formats; RFC 8188, RFC 1952",
    doc = "From parameters to a profile's bytes.",
    { "gzip(bytes: string, level?: integer) -> bytes: string",
      "Zips; level 0 to 9.", fails = true },
    { "aes(bytes: string, key: string, kdf: string, salt: string) -> "
        .. "bytes: string",
      "AES-256-CBC as openssl enc writes it; kdf md5, sha256 or pbkdf2, salt "
        .. "of 8 octets.", fails = true },
    { "aes128gcm(bytes: string, ikm: string, salt: string, "
        .. "record_size?: integer) -> bytes: string",
      "Encrypted content-coding, salt of 16 octets.", fails = true,
      source = "RFC 8188" },
    { "seal(key: string, bytes: string) -> sealed: string",
      "AES-256-GCM under 32 octets.", fails = true },
    { "stretch(passphrase: string, salt: string, iterations: integer) -> "
        .. "key: string",
      "32 octets from a passphrase: PBKDF2 with HMAC-SHA-256.", fails = true,
      source = "RFC 8018" },
    { "unseal(key: string, sealed: string) -> bytes: string",
      "What was sealed.", fails = "corrupt" },
    { "profile(list: table[]) -> xml: string",
      "A profile of { name =, text =, ua =, user_pref =, user_modified =, "
        .. "preserve = }.", fails = true },
    { "escape(text: string) -> text: string", "As it stands in XML.",
      fails = true },
    { "sha256() -> digest: peal.Digest",
      "SHA-256 of bytes that come in pieces.", fails = true,
      source = "FIPS 180-4" },
  },
  { name = "peal.jsontext", kind = "module", source = "RFC 8259",
    doc = "From Lua data to JSON text. Scripts call peal.json, which says "
      .. "what an array and null are.",
    { "write(value: any, pretty: boolean|nil, array: table, null: table) -> "
        .. "text: string",
      "The text, its names sorted; pretty is on several lines. array is the "
        .. "metatable of what is an array even when it is empty, null the "
        .. "table that stands for null. Raises for what is no data, deeper "
        .. "than 64 tables or longer than 128 MiB." },
  },
  { name = "Digest", kind = "class", metatable = "peal.encode.sha256",
    source = "FIPS 180-4", doc = "A hash under way.",
    { "add(bytes: string) -> digest: peal.Digest", "Goes on." },
    { "hex() -> digits: string", "64 digits, of all so far." },
  },
}
