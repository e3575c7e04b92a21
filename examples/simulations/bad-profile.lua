-- A profile of the second day breaks registration: peal takes it back.
return {
  events = { "day 2 12:02 registration lost for 10 min" },
  from = "2027-05-03 12:00",
  server = function(request, about)
    local proxy = about.day >= 2 and "sip.wrong.example" or "sip.example.com"
    return ([[
<flat-profile>
  <Resync_Periodic>3600</Resync_Periodic>
  <GPP_A>%s</GPP_A>
</flat-profile>]]):format(about.day >= 2 and about.hour >= 12 and proxy
      or "sip.example.com")
  end,
}
