--- trust: a server's certificate has failed a check; is it believed all the
-- same?
-- Asked after the handshake was broken off. What is accepted is tried once
-- more, for that certificate alone. A certificate that an administrator has
-- rejected is not asked about.
local shape = require "peal.shape"

-- What a failure may be called: it has a cause that is shown (cause.lua).
local WORDS <const> = { ["c.expired"] = true, ["c.future"] = true,
  ["c.untrusted"] = true, ["c.name"] = true, ["c.dns"] = true,
  ["c.weak"] = true, ["c.rejected"] = true }

local function word(v, where)
  if WORDS[v] then return v end
  return nil, where .. ' is not the word of a check, such as "c.untrusted"'
end

local read = shape.record({
  accept = shape.boolean,
  list = shape.boolean,
  reason = shape.line,
  word = word,
}, { "accept" })

return {
  purpose = "a server's certificate has failed a check: believe it?",
  fields = {
    url = "what was asked for, without credentials",
    host = "the name that the certificate was checked by",
    port = "of the server",
    address = "of the server; nil behind a proxy",
    word = 'the check that failed: "c.expired", "c.future", "c.untrusted", '
      .. '"c.name", "c.dns", "c.weak", or "clock" (a date, and the clock is '
      .. "not set)",
    sentence = "the same for people",
    certificate = "the server's own: { subject, cn, issuer, serial, "
      .. "not_before, not_after, sha256, sha1, key_type, key_bits, is_ca, "
      .. "self_signed }",
    chain = "list of the same: all that the server has shown",
    accept_all = "is "
      .. "SystemSettings.Security_Certificates_AcceptAllCertificates 1?",
    anchor_private = "did the chain end at a root of the site's own?",
  },
  answer = "{ accept = true or false, list = false (nil: true; note it in the "
    .. "Invalid list), reason =, word = (nil: the check's) }",
  fails_closed = true,
  default = function()
    return { accept = false, reason = "no rule file can decide" }
  end,
  check = function(v)
    return read(v, "the answer")
  end,
}
