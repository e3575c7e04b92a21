--- What a person may do about a failure: one line.
local advice = {}

local CORRUPT <const> =
  "see what the file holds: peal profile check FILE [--key K]"
-- ID and DIR stand for what is known only when it is said.
local LOOK <const> = "peal cert show ID --store DIR"
local CERTIFICATE <const> = "give the server a new certificate, or look at "
  .. "this one: " .. LOOK
local EST <const> = "name the EST service itself in MIC_Cert_Refresh_Rule: "
  .. "https://HOST[/LABEL]"
local ISSUED <const> = "see the settings of the CA that renews: a phone's "
  .. "certificate keeps key and subject, ends later, and is for clients"
local SPACE <const> = "make room there, then try again"

-- Failures of a resync.
local BY_WORD <const> = {
  ["c.dns"] = "does DNS know the name, with the server's address? Hosts files "
    .. "do not count; see HTTPS_DNS_Check",
  ["c.expired"] = CERTIFICATE,
  clock = "set the clock; the schedule tries again",
  ["c.future"] = "is the clock of this machine right?",
  ["c.name"] = "use the name that the certificate holds, or give the server a "
    .. "certificate for this one",
  ["c.rejected"] = "an administrator has rejected it, or one above it: "
    .. "peal cert list --store DIR",
  ["c.untrusted"] = "name the CA that signed the server: phone file, "
    .. "trust = { ca = \"ca.pem\" }; Custom_CA_Rule; or: peal cert import "
    .. "ca.pem --store DIR; look at the server's: " .. LOOK,
  ["c.weak"] = CERTIFICATE .. "; TLS_Min_RSA_Bits lowers the bar for RSA keys",
  ["t.client"] = "the server wants a client certificate: phone file, "
    .. "trust = { cert =, key = }",
  ["t.handshake"] = "see the server's log; is this a TLS port?",
  ["t.version"] = "let the server speak TLS 1.2 or 1.3, as "
    .. "TLS_Client_Min_Version asks",
  access = "see the server's log: why may this phone not have the file?",
  badop = "see the server's log; is this a TFTP port?",
  badopt = "see the server's log: which TFTP option does it refuse?",
  connect = "is the server running, and the port right?",
  corrupt = CORRUPT,
  diskfull = "make room on the server",
  dns = "is the host name right? The phone file's `dns` names a server to ask",
  fnf = "does the server have that file? Resync_Fails_On_FNF=No lets it pass",
  limit = "make the profile smaller, or split it: Profile_Rule to _D",
  partial = "see the server's log: it stopped in the middle of the file",
  scheme = "use tftp, http or https",
  timeout = "is the server reachable from here?",
  toobig = "make the profile smaller, or split it: Profile_Rule to _D",
  zero = "put the profile on the server: the file there is empty",
  ["bad-coding"] = "let the server send the file as it is, or with "
    .. "Content-Encoding gzip, deflate or aes128gcm",
  ["bad-condition"] = "try it by hand: peal eval 'CONDITION'",
  ["bad-response"] = "see what the server sends: curl -v URL",
  ["bad-rule"] = "try it by hand: peal rule 'TEXT'",
  ["bad-url"] = "try it by hand: peal rule 'TEXT'",
  ["no-server"] = "write the host into the rule, or set DHCP option 66",
}

-- Failures of this machine: store, files, memory.
local LOCAL <const> = {
  ["bad-key"] = "do they belong together, and are both PEM files?",
  ["no-space"] = SPACE,
  ["not-found"] = "is the name right?",
  ["read-only"] = "name a place that can be written",
  damaged = "bring back a copy of the folder, or begin with an empty one",
  internal = "this is a fault of peal: please report it with `peal version`",
  io = "is the disk sound, and the name right?",
  limit = "take less at once",
  locked = "another command is at it: try again, or use another --store",
  newer = "use the version of peal that wrote it, or a later one",
  permission = "may this user read and write there?",
  resource = "free some memory, then try again",
}

local BY_STATUS <const> = {
  [401] = "name an account: --uid and --pwd in the rule, or `account` in the "
    .. "phone file",
  [403] = BY_WORD.access,
  [404] = BY_WORD.fnf,
  [407] = "the proxy wants a password: Proxy_Server_Requires_Authentication, "
    .. "Proxy_Username, Proxy_Password",
}

local REFUSED <const> = {
  [401] = "check the user and password of the rule (--uid, --pwd) or of the "
    .. "account",
  [407] = "check Proxy_Username and Proxy_Password",
}

-- Sentences that tell more than their word does.
local BY_SENTENCE <const> = {
  { "^MIC_Cert_Refresh_Rule", EST },
  { "asked of no other server", EST },
  { "^the new certificate ", ISSUED },
  { "^the service has certified", ISSUED },
  { "Restricted_Access_Domains",
    "Restricted_Access_Domains names the servers that may be used" },
  { "extended key usage", "give the server a certificate that is meant for "
    .. "servers (extended key usage serverAuth)" },
  { "Basic, over http", "use https, or let the server ask for Digest" },
  { "was only let pass", "let the server ask for Digest, give it a certificate "
    .. "that passes, or accept this one: " .. LOOK },
  { "server that redirected here", "name the last address in the rule" },
  { "removed by the administrator", "if that was a mistake: peal cert import "
    .. "FILE" },
  { "^redirect", "name the last address in the rule, or mend the redirect: "
    .. "301 or 302, to http or https, and never from https to http" },
  { "redirects$", "does the server redirect in a circle? Name the last "
    .. "address in the rule" },
}

-- A tftp server that says "access violation" has no status.
local function of_answer(failed)
  local status = failed.status
  if not status or status < 200 then return nil end
  if failed.cause.id == "access" and REFUSED[status] then
    return REFUSED[status]
  end
  if status >= 400 then return BY_STATUS[status] or "see the server's log" end
  if failed.cause.id ~= "unknown" then return nil end
  if status < 300 then
    return "let the server answer 200 with the whole file"
  end
  return "let the server redirect with 301 or 302, or name the last address "
    .. "in the rule"
end

local function of_sentence(failed)
  for _, row in ipairs(BY_SENTENCE) do
    if failed.sentence:find(row[1]) then return row[2] end
  end
end

local function of_version(failed, phone)
  if failed.word == "t.version" and phone
    and phone:param("TLS_Client_Min_Version") == "TLS 1.3" then
    return "let the server speak TLS 1.3, as TLS_Client_Min_Version asks, or "
      .. "lower that"
  end
end

--- @param failed  result of the failed rule: sentence, word, cause, status
-- @param phone     whose resync it was
-- @tparam[opt] string id  fingerprint of the certificate that the server showed
-- @treturn string may hold "--store DIR", see hints.lua
function advice.of(failed, phone, id)
  local text = of_sentence(failed) or of_answer(failed)
    or of_version(failed, phone) or BY_WORD[failed.word]
    or BY_WORD[failed.cause.id] or LOCAL[failed.word]
    or "see every step: peal resync -v"
  return (text:gsub("peal cert show ID", id and "peal cert show "
    .. id:sub(1, 12) or "peal cert list"))
end

--- For a failure of this machine, by its word.
function advice.here(word)
  return LOCAL[word]
end

--- For a profile file that cannot be read.
--   with_key   a key was given
function advice.profile(word, with_key)
  if word == "corrupt" then
    return with_key and "is it the right key, and a whole profile file?"
      or "is it a whole profile file? An encrypted one needs --key or --ikm"
  end
  return BY_WORD[word] or LOCAL[word]
end

return advice
