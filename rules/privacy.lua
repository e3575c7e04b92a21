-- How is a SIP message changed for the privacy that a line wants?
--   in    phone.values    what Privacy_Header_N_ says: { "id" }, { "none" } ...
--         phone.message   { method =, uri =, status =, in_dialog =, headers = }
--   out   { remove = names, set = { NAME = value }, add = { { name =, value =
--         } } }; nil: the message stays as it is
-- Via, To, Route and the host of Contact are never touched: calls would fail.
-- Source: RFC 3323, RFC 3325; MPP administration guide, Privacy_Header_N_.

-- Headers that say who somebody is; Referred-By does in a REFER, and of a
-- Warning only the host is taken out.
local IDENTITY <const> = { "Reply-To", "Subject", "In-Reply-To",
  "Organization", "Call-Info", "User-Agent", "Server", "Referred-By",
  "Warning", "P-Asserted-Identity" }

-- What each value takes out. `id` makes From anonymous as well, and tells the
-- trusted network in P-Preferred-Identity who it is.
local HIDES <const> = {
  header = { "P-Asserted-Identity", "Call-Info", "Organization", "Server" },
  session = {},
  user = IDENTITY,
  id = { "P-Asserted-Identity", "Reply-To", "Call-Info", "Organization" },
}

-- What the answers to a call say.
local ANSWERS <const> = { none = true, header = true, session = true,
  id = true }

local function decide(phone)
  return classic.privacy(phone,
    { hides = HIDES, identity = IDENTITY, answers = ANSWERS })
end

return { stage = "privacy", decide = decide }
