-- Daily resyncs at 02:30, in Zurich, over the night of 28 March 2027: the
-- clock jumps from 02:00 to 03:00, and the resync of that day is at 03:00.
return {
  zone = "CET-1CEST,M3.5.0,M10.5.0/3",
  from = "2027-03-25 12:00",
  server = { ["*"] = [[
<flat-profile>
  <Resync_At__HHmm_>0230</Resync_At__HHmm_>
</flat-profile>]] },
}
