--- What a phone shows for a failure: its cause, the text of $ERR, its class.
--
-- Every transfer ends in one class: A success; B the file is not there or
-- cannot be used; C anything else. B and C differ in reports, and a file that
-- is not there may count as a success (Resync_Fails_On_FNF).
--
-- Source: MPP provisioning guide, HTTP table, status pages; ATA 191 guide,
-- provisioning status texts. The rows of certificates and TLS are our choice.
local cause = {}

local FAILED <const> = "Download failed"
local INTERNAL <const> = "Internal error"
local UNKNOWN <const> = "Unknown, error code(%s)"

-- id -> what status pages show
local TEXTS <const> = {
  ok = "Download Successful",
  dns = "Dns query failed",
  scheme = "Bad scheme",
  resource = "resource exhausted",
  connect = "Connection error",
  fnf = "File not found",
  access = "Access violation",
  diskfull = "Disk full",
  badop = "Bad operation",
  badopt = "Bad option",
  h500 = "internal server error",
  h501 = "Not Implemented",
  h502 = "Bad Gateway",
  h503 = "Service Unavailable",
  zero = "Zero file size",
  toobig = "file size exceed",
  corrupt = "corrupted file",
  clock = "clock not set",
  ["old-load"] = "old load came up",
  ["c.expired"] = "certificate expired",
  ["c.future"] = "certificate not yet valid",
  ["c.untrusted"] = "certificate not trusted",
  ["c.name"] = "certificate name mismatch",
  ["c.dns"] = "certificate DNS check failed",
  ["c.weak"] = "certificate key too weak",
  ["c.rejected"] = "certificate rejected by administrator",
  ["t.version"] = "TLS version not supported",
  ["t.client"] = "client certificate rejected",
  ["t.handshake"] = "TLS handshake failed",
}

-- error word -> { id, $ERR, class }; class C and "Download failed" unless
-- stated. Words that are not here are "unknown" and an internal error. An
-- answer that makes no sense counts as a bad operation, like a malformed
-- packet of TFTP: our choice.
local WORDS <const> = {
  ok = { "ok", "", "A" },
  resource = { "resource", INTERNAL },
  dns = { "dns" },
  scheme = { "scheme", "Bad rule: Bad scheme" },
  connect = { "connect" },
  timeout = { "connect" },
  partial = { "connect" },
  fnf = { "fnf", "File not found", "B" },
  access = { "access" },
  diskfull = { "diskfull" },
  ["no-space"] = { "diskfull" },
  badop = { "badop" },
  badopt = { "badopt" },
  ["bad-response"] = { "badop" },
  ["bad-coding"] = { "badop" },
  zero = { "zero" },
  toobig = { "toobig", "Corrupt file (file size exceed)", "B" },
  limit = { "toobig", "Corrupt file (file size exceed)", "B" },
  corrupt = { "corrupt", "Corrupt file", "B" },
  ["no-server"] = { "unknown", "No server" },
  clock = { "clock" },
  ["old-load"] = { "old-load", "Old load came up" },
  ["c.expired"] = { "c.expired" },
  ["c.future"] = { "c.future" },
  ["c.untrusted"] = { "c.untrusted" },
  ["c.name"] = { "c.name" },
  ["c.dns"] = { "c.dns" },
  ["c.weak"] = { "c.weak" },
  ["c.rejected"] = { "c.rejected" },
  ["t.version"] = { "t.version" },
  ["t.client"] = { "t.client" },
  ["t.handshake"] = { "t.handshake" },
}

-- Words of a rule that cannot be run -> its reason when none is given.
local RULES <const> = {
  ["bad-rule"] = "not a valid rule",
  ["bad-condition"] = "not a valid condition",
  ["bad-url"] = "not a valid URL",
}

-- HTTP status -> { id, class, $ERR }; "Download failed (HTTP n)" unless stated.
-- What is not here is "unknown" and class C: other 2xx, 3xx that were not
-- followed, all other 4xx and 5xx.
local STATUSES <const> = {
  [200] = { "ok", "A", "" },
  [201] = { "ok", "A", "" },
  [202] = { "ok", "A", "" },
  [203] = { "ok", "A", "" },
  [204] = { "ok", "A", "" },
  [403] = { "access", "C" },
  [404] = { "fnf", "B", "File not found" },
  [500] = { "h500", "C" },
  [501] = { "h501", "C" },
  [502] = { "h502", "C" },
  [503] = { "h503", "C" },
}

local function result(id, err, class, code)
  return { id = id, err = err, class = class,
    text = TEXTS[id] or UNKNOWN:format(code) }
end

--- What a complete HTTP answer comes to.
-- @tparam integer status
-- @tparam[opt] integer body_len an empty body is a success without changes,
--   so it does not matter here
-- @tparam[opt] boolean auth_exhausted credentials were given and refused
-- @treturn table id, text (of status pages), err (of $ERR), class
function cause.http(status, body_len, auth_exhausted)
  if auth_exhausted and (status == 401 or status == 407) then
    return result("access", "Authentication failed", "C")
  end
  local row = STATUSES[status] or { "unknown", "C" }
  return result(row[1], row[3] or ("%s (HTTP %d)"):format(FAILED, status),
    row[2], status)
end

--- Is this a redirect that phones follow?
function cause.follows(status)
  return status == 301 or status == 302
end

--- What a failure comes to.
-- @tparam string word error word, "ok" for success
-- @tparam[opt] integer status of the HTTP answer, when one came
-- @tparam[opt] string reason for $ERR, where it has room for one: a corrupt
--   file, a bad rule
-- @treturn table id, text (of status pages), err (of $ERR), class
function cause.of(word, status, reason)
  if RULES[word] then
    return result("unknown", "Bad rule: " .. (reason or RULES[word]), "C",
      word)
  elseif word == "no-account" then
    return cause.http(status or 401, 0, false)
  elseif status and (word == "access" or word == "bad-response")
    and status >= 300 then
    return cause.http(status, 0, word == "access")
  end
  local row = WORDS[word]
  if not row then
    return result("unknown", INTERNAL, "C", word)
  end
  local err = row[2] or FAILED
  if word == "corrupt" and reason then
    err = ("%s (%s)"):format(err, reason)
  end
  return result(row[1], err, row[3] or "C", word)
end

return cause
