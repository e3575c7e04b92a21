--- What a person may do about a failed resync: one line, or nil where the
-- sentence says it all.
local advice = {}

local BY_WORD <const> = {
  ["c.untrusted"] = "name the CA that signed the server in the phone file: "
    .. "trust = { ca = \"ca.pem\" }",
  ["c.name"] = "use the name that the certificate holds, or give the server a "
    .. "certificate for this one",
  ["c.weak"] = "give the server a new certificate; TLS_Min_RSA_Bits lowers "
    .. "the bar for RSA keys",
  ["t.client"] = "the server wants a client certificate: phone file, "
    .. "trust = { cert =, key = }",
  ["t.version"] = "let the server speak TLS 1.2 or 1.3, as "
    .. "TLS_Client_Min_Version asks",
  ["t.handshake"] = "see the server's log; is this a TLS port?",
  access = "Restricted_Access_Domains names the servers that may be used",
  connect = "is the server running, and the port right?",
  corrupt = "see what the file holds: peal profile check FILE [--key K]",
  dns = "is the host name right? The phone file's `dns` names a server to ask",
  fnf = "does the server have that file? Resync_Fails_On_FNF=No lets it pass",
  partial = "see the server's log: it stopped in the middle of the file",
  timeout = "is the server reachable from here?",
  ["bad-condition"] = "try it by hand: peal eval 'CONDITION'",
  ["bad-response"] = "see what the server sends: curl -v URL",
  ["bad-rule"] = "try it by hand: peal rule 'TEXT'",
  ["no-server"] = "write the host into the rule, or set DHCP option 66",
}

local BY_STATUS <const> = {
  [401] = "name an account: --uid and --pwd in the rule, or `account` in the "
    .. "phone file",
  [403] = "see the server's log: why may this phone not have the file?",
  [404] = BY_WORD.fnf,
  [407] = "the proxy wants a password: Proxy_Server_Requires_Authentication, "
    .. "Proxy_Username, Proxy_Password",
}

local REFUSED <const> = {
  [401] = "check the user and password of the rule (--uid, --pwd) or of the "
    .. "account",
  [407] = "check Proxy_Username and Proxy_Password",
}

-- A tftp server that says "access violation" has no status.
local function of_answer(failed)
  local status = failed.status
  if not status or status < 400 then return nil end
  if failed.cause.id == "access" and REFUSED[status] then
    return REFUSED[status]
  end
  return BY_STATUS[status] or "see the server's log"
end

--- @param failed  result of the failed rule: word, cause, status
function advice.of(failed)
  return of_answer(failed) or BY_WORD[failed.word] or BY_WORD[failed.cause.id]
end

return advice
