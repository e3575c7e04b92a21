-- While somebody is on the phone only the small Profile_Rule is fetched; the
-- large ones, B to D (ring tones, pictures, directories), wait for the next
-- resync. A slow line is the call's.
--   in    phone.rule           { name =, text = } of Profile_Rule to _D
--         phone.lines_active   calls at the moment
--   out   a plan, as classic.profile() makes it

local function decide(phone)
  if phone.rule.name ~= "Profile_Rule" and phone.lines_active > 0 then
    return { action = "skip",
      reason = "somebody is on the phone: at the next resync" }
  end
  return classic.profile(phone)
end

return { stage = "profile", decide = decide }
