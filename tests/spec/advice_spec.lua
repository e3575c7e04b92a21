-- What a person is told to do next.
local advice = require "peal.cli.advice"

local function phone(min_version)
  return { param = function(_, name)
    return name == "TLS_Client_Min_Version" and min_version or ""
  end }
end

it("names the certificate that a server showed, where there is one",
  function()
    local failed = { word = "c.expired", sentence = "expired",
      cause = { id = "c.expired" } }
    assert.matches("peal cert show 0123456789ab %-%-store DIR$",
      advice.of(failed, phone(""), "0123456789abcdef"))
    assert.matches("peal cert list %-%-store DIR$",
      advice.of(failed, phone("")))
  end)

local function of(failed, min_version)
  failed.sentence = failed.sentence or "it failed"
  failed.cause = { id = failed.cause or failed.word }
  return advice.of(failed, phone(min_version or "TLS 1.2"))
end

describe("advice", function()
  local rows = {
    { { word = "access" }, "server's log" },
    { { word = "access", sentence = "h is outside of "
      .. "Restricted_Access_Domains" }, "Restricted_Access_Domains names" },
    { { word = "c.untrusted" }, "name the CA" },
    { { word = "c.untrusted" }, "Custom_CA_Rule; or: peal cert import" },
    { { word = "c.untrusted", sentence = "certificate for h is not meant "
      .. "for servers (its extended key usage lacks serverAuth)" },
      "serverAuth" },
    { { word = "c.untrusted", sentence = "the root R was removed by the "
      .. "administrator; import it to trust h again" }, "peal cert import" },
    { { word = "unknown", status = 401, sentence = "the server asks for user "
      .. "and password; they are not sent in clear: it wants Basic, over "
      .. "http" }, "https" },
    { { word = "t.version" }, "TLS 1.2 or 1.3" },
    { { word = "scheme", sentence = "Bad scheme" }, "tftp, http or https" },
    { { word = "scheme", sentence = "MIC_Cert_Refresh_Rule: Bad scheme" },
      "EST service" },
    { { word = "no-server", sentence = "MIC_Cert_Refresh_Rule names no "
      .. "server" }, "EST service" },
    { { word = "corrupt", sentence = "the new certificate is not for clients "
      .. "(extended key usage)" }, "CA that renews" },
    { { word = "corrupt", sentence = "the service has certified another key "
      .. "than the phone's" }, "CA that renews" },
    { { word = "bad-response", sentence = "the server redirects to "
      .. "https://h/; what it is asked is asked of no other server" },
      "MIC_Cert_Refresh_Rule" },
    { { word = "unknown", status = 205 }, "answer 200" },
    { { word = "unknown", status = 206 }, "answer 200" },
    { { word = "unknown", status = 304 }, "301 or 302" },
    { { word = "corrupt", status = 200 }, "peal profile check" },
    { { word = "toobig", status = 200 }, "smaller" },
    { { word = "bad-coding", status = 200, cause = "badop" }, "gzip" },
    { { word = "unknown", status = 418 }, "server's log" },
    { { word = "bad-response", status = 302,
      sentence = "redirect from https to http refused" }, "never from https" },
    { { word = "bad-response", status = 302,
      sentence = "more than 5 redirects" }, "circle" },
    { { word = "no-space", status = 200 }, "room" },
    { { word = "frob" }, "-v" },
  }
  for _, row in ipairs(rows) do
    local failed = row[1]
    it(("for %s %s %s says %q"):format(failed.word, failed.status or "",
      failed.sentence or "", row[2]), function()
      local text = of(failed)
      assert.is_truthy(text:find(row[2], 1, true), text)
    end)
  end

  it("does not ask for TLS 1.2 where 1.3 is the least", function()
    assert.is_nil(of({ word = "t.version" }, "TLS 1.3"):find("1.2", 1, true))
  end)

  it("has a next step for each word of the error list", function()
    for _, word in ipairs { "badop", "badopt", "bad-url", "damaged",
        "permission", "read-only", "no-space", "locked", "newer", "io" } do
      local text = advice.here(word) or of { word = word }
      assert.is_nil(text:find("resync -v", 1, true), word)
    end
    assert.is_truthy(advice.profile("corrupt", false):find("--key", 1, true))
  end)
end)
