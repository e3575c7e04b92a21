-- A phone without a battery starts in 1970, and its time server stands behind
-- the profile it cannot fetch. Our own server is believed in spite of its
-- dates while the clock is not set; every other check counts.
--   in    phone.host, phone.word ("clock": a date, and the clock is not set),
--         phone.anchor_private   did the chain end at a root of our own?
--         phone.sentence
--   out   { accept = true | false, list = true | false, reason = }

local OURS <const> = { ["prov.example.com"] = true,
  ["prov2.example.com"] = true }

local function decide(phone)
  if phone.word == "clock" and OURS[phone.host] then
    return { accept = true, list = false,
      reason = "the clock is not set, and it is our own server" }
  end
  return { accept = false, reason = phone.sentence }
end

return { stage = "trust", decide = decide }
