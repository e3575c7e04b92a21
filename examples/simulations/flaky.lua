-- A server that fails at times: every tenth answer is a 503, some take long,
-- and each night from 02:00 to 02:30 it is away.
-- What it remembers stands in about.state, so that going back works.
return function(request, about)
  local state = about.state
  state.asked = (state.asked or 0) + 1
  if about.hour == 2 and about.min < 30 then
    return { error = "connect", text = "connection refused" }
  end
  if state.asked % 10 == 0 then return 503 end
  return { delay = about.random(0, 5), body = [[
<flat-profile>
  <Resync_Periodic>3600</Resync_Periodic>
</flat-profile>]] }
end
