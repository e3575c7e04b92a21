local cause = require "peal.cause"

local FAILED <const> = "Download failed"

local function is(found, id, text, err, class)
  assert.same({ id = id, text = text, err = err, class = class }, found)
end

-- MPP provisioning guide, HTTP table.
describe("an HTTP status", function()
  for _, status in ipairs { 200, 201, 202, 203, 204 } do
    it(("%d is a success"):format(status), function()
      is(cause.http(status, 10), "ok", "Download Successful", "", "A")
      is(cause.http(status, 0), "ok", "Download Successful", "", "A")
    end)
  end

  it("404 is a file that is not there", function()
    is(cause.http(404, 300), "fnf", "File not found", "File not found", "B")
  end)

  local others = {
    { 403, "access", "Access violation" },
    { 500, "h500", "internal server error" },
    { 501, "h501", "Not Implemented" },
    { 502, "h502", "Bad Gateway" },
    { 503, "h503", "Service Unavailable" },
    { 205 }, { 206 }, { 226 }, { 300 }, { 301 }, { 302 }, { 303 }, { 304 },
    { 307 }, { 308 }, { 400 }, { 401 }, { 402 }, { 405 }, { 407 }, { 410 },
    { 429 }, { 499 }, { 504 }, { 505 }, { 599 }, { 100 }, { 999 },
  }
  for _, row in ipairs(others) do
    local status, id, text = row[1], row[2], row[3]
    it(("%d is another failure"):format(status), function()
      is(cause.http(status, 0), id or "unknown",
        text or ("Unknown, error code(%d)"):format(status),
        ("Download failed (HTTP %d)"):format(status), "C")
    end)
  end

  for _, status in ipairs { 401, 407 } do
    it(("%d after credentials is a failed login"):format(status), function()
      is(cause.http(status, 0, true), "access", "Access violation",
        "Authentication failed", "C")
    end)
  end

  it("says nothing of a login when it is not about one", function()
    is(cause.http(403, 0, true), "access", "Access violation",
      "Download failed (HTTP 403)", "C")
  end)

  it("is followed for 301 and 302 only", function()
    for status = 100, 599 do
      assert.equal(status == 301 or status == 302, cause.follows(status))
    end
  end)
end)

describe("an error word", function()
  local outcomes = {
    { "ok", "ok", "Download Successful", "", "A" },
    { "dns", "dns", "Dns query failed", FAILED, "C" },
    { "scheme", "scheme", "Bad scheme", "Bad rule: Bad scheme", "C" },
    { "resource", "resource", "resource exhausted", "Internal error", "C" },
    { "connect", "connect", "Connection error", FAILED, "C" },
    { "timeout", "connect", "Connection error", FAILED, "C" },
    { "partial", "connect", "Connection error", FAILED, "C" },
    { "fnf", "fnf", "File not found", "File not found", "B" },
    { "access", "access", "Access violation", FAILED, "C" },
    { "diskfull", "diskfull", "Disk full", FAILED, "C" },
    { "no-space", "diskfull", "Disk full", FAILED, "C" },
    { "badop", "badop", "Bad operation", FAILED, "C" },
    { "badopt", "badopt", "Bad option", FAILED, "C" },
    { "bad-response", "badop", "Bad operation", FAILED, "C" },
    { "bad-coding", "badop", "Bad operation", FAILED, "C" },
    { "zero", "zero", "Zero file size", FAILED, "C" },
    { "toobig", "toobig", "file size exceed",
      "Corrupt file (file size exceed)", "B" },
    { "limit", "toobig", "file size exceed",
      "Corrupt file (file size exceed)", "B" },
    { "corrupt", "corrupt", "corrupted file", "Corrupt file", "B" },
    { "c.expired", "c.expired", "certificate expired", FAILED, "C" },
    { "c.future", "c.future", "certificate not yet valid", FAILED, "C" },
    { "c.untrusted", "c.untrusted", "certificate not trusted", FAILED, "C" },
    { "c.name", "c.name", "certificate name mismatch", FAILED, "C" },
    { "c.dns", "c.dns", "certificate DNS check failed", FAILED, "C" },
    { "c.weak", "c.weak", "certificate key too weak", FAILED, "C" },
    { "c.rejected", "c.rejected", "certificate rejected by administrator",
      FAILED, "C" },
    { "t.version", "t.version", "TLS version not supported", FAILED, "C" },
    { "t.client", "t.client", "client certificate rejected", FAILED, "C" },
    { "t.handshake", "t.handshake", "TLS handshake failed", FAILED, "C" },
    { "no-server", "unknown", "Unknown, error code(no-server)", "No server",
      "C" },
    { "no-account", "unknown", "Unknown, error code(401)",
      "Download failed (HTTP 401)", "C" },
    { "bad-rule", "unknown", "Unknown, error code(bad-rule)",
      "Bad rule: not a valid rule", "C" },
    { "bad-url", "unknown", "Unknown, error code(bad-url)",
      "Bad rule: not a valid URL", "C" },
    { "bad-condition", "unknown", "Unknown, error code(bad-condition)",
      "Bad rule: not a valid condition", "C" },
  }
  for _, word in ipairs { "invalid", "not-found", "exists", "bad-state", "io",
    "read-only", "permission", "locked", "damaged", "newer", "bad-value",
    "unknown-name", "canceled", "bad-key", "internal", "no such word" } do
    table.insert(outcomes, { word, "unknown",
      ("Unknown, error code(%s)"):format(word), "Internal error", "C" })
  end
  for _, row in ipairs(outcomes) do
    it(("%q has its cause"):format(row[1]), function()
      is(cause.of(row[1]), row[2], row[3], row[4], row[5])
    end)
  end

  it("outweighs the status of an answer that came with it", function()
    is(cause.of("corrupt", 200), "corrupt", "corrupted file", "Corrupt file",
      "B")
    is(cause.of("timeout", 200), "connect", "Connection error", FAILED, "C")
    is(cause.of("bad-response", 200), "badop", "Bad operation", FAILED, "C")
  end)

  it("names the status where that is all there is to say", function()
    is(cause.of("access", 403), "access", "Access violation",
      "Download failed (HTTP 403)", "C")
    is(cause.of("access", 401), "access", "Access violation",
      "Authentication failed", "C")
    is(cause.of("access", 407), "access", "Access violation",
      "Authentication failed", "C")
    is(cause.of("bad-response", 302), "unknown", "Unknown, error code(302)",
      "Download failed (HTTP 302)", "C")
    is(cause.of("no-account", 407), "unknown", "Unknown, error code(407)",
      "Download failed (HTTP 407)", "C")
  end)

  it("takes a reason where $ERR has room for one", function()
    assert.equal("Corrupt file (encrypted, no key)",
      cause.of("corrupt", 200, "encrypted, no key").err)
    assert.equal("Bad rule: no path", cause.of("bad-url", nil, "no path").err)
    assert.equal(FAILED, cause.of("dns", nil, "no such host").err)
  end)
end)
