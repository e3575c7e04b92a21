-- On the third day the profile names a load. The phone fetches it, boots it,
-- and is not asked to a second time.
local LOAD <const> = "sip88xx.12-0-1MPP-100"

return function(request, about)
  if request.url:find("%.loads$") then
    return { body = ("image of " .. LOAD .. "\n"):rep(1000), delay = 60 }
  end
  local rule = about.day >= 3
    and ("http://prov.example.com/%s.loads"):format(LOAD) or ""
  return ([[
<flat-profile>
  <Resync_Periodic>3600</Resync_Periodic>
  <Upgrade_Rule>%s</Upgrade_Rule>
</flat-profile>]]):format(rule)
end
