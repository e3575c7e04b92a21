-- What the phones of phones.csv have in common; a row of it goes before.
--   cd examples/fleet; peal plan --fleet phones.csv --phone phone.lua
return {
  identity = { PN = "CP-8841-3PCC", SWVER = "sip88xx.11-3-1MPP-234" },
  params = {
    Profile_Rule = "http://127.0.0.1:8080/$MA.xml",
    Resync_Periodic = "3600",
  },
}
