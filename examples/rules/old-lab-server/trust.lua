-- One old server of the lab has a key of 1024 bits, and is believed all the
-- same: by the fingerprint of its certificate, and under its own name only.
-- Whatever else fails a check stays out, and is listed.
--   in    phone.host, phone.word ("c.weak", "c.expired", ...), phone.sentence
--         phone.certificate   { sha256 =, key_bits =, ... }
--   out   { accept = true | false, list = true | false, reason = }

local HOST <const> = "old.lab.example"
local SHA256 <const> =
  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

local function decide(phone)
  if phone.word == "c.weak" and phone.host == HOST
    and phone.certificate.sha256 == SHA256 then
    return { accept = true, list = false, reason = "the lab's old server" }
  end
  return { accept = false, reason = phone.sentence }
end

return { stage = "trust", decide = decide }
