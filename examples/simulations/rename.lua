-- A table of URLs: the old server tells where the new one is, once. After
-- that it is gone, and nobody asks it.
return {
  dns = {
    ["old.example.com"] = { "192.0.2.10" },
    ["new.example.com"] = { "192.0.2.20" },
  },
  server = {
    ["http://old.example.com/phone.xml"] = { [[
<flat-profile>
  <Profile_Rule>http://new.example.com/phone.xml</Profile_Rule>
  <Resync_Periodic>3600</Resync_Periodic>
</flat-profile>]], 404 },
    ["http://new.example.com/phone.xml"] = "<flat-profile>"
      .. "<GPP_A>moved</GPP_A></flat-profile>",
  },
}
