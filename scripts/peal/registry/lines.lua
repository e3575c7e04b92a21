--- Parameters of the lines, Ext 1 to Ext 16.
-- One table a parameter, as scripts/peal/registry.lua describes. The phones
-- have at most 16 lines, so every family here counts to 16, except where the
-- guide names another number.

local GUIDE <const> = "MPP administration guide"

return {
  {
    group = "Lines", source = GUIDE,
    { name = "Line_Enable_n_", type = "Bool", count = 16, default = "Yes",
      reboot = true },
    { name = "Display_Name_n_", type = "Str", count = 16, max = 63 },
    { name = "User_ID_n_", type = "Str", count = 16, max = 63,
      reboot = true },
    { name = "Password_n_", type = "Str", count = 16, secret = true,
      reboot = true },
    { name = "Use_Auth_ID_n_", type = "Bool", count = 16, default = "No" },
    { name = "Auth_ID_n_", type = "Str", count = 16 },
    { name = "Proxy_n_", type = "FQDN", count = 16, empty = true,
      reboot = true },
    { name = "SIP_Port_n_", type = "Port", count = 16, default = "5060" },
    { name = "SIP_Transport_n_", type = "Choice", count = 16, default = "UDP",
      choices = { "UDP", "TCP", "TLS", "Auto" } },
    { name = "Dial_Plan_n_", type = "DialPlanScript", count = 16 },
    { name = "Privacy_Header_n_", type = "Choice", count = 10,
      default = "Disabled",
      choices = { "Disabled", "none", "header", "session", "user", "id" } },
    { name = "Auth_Resync-Reboot_n_", type = "Bool", count = 16,
      default = "Yes" },
  },
  {
    group = "SIP", source = GUIDE,
    { name = "Auth_Support_RFC8760", type = "Bool", default = "No" },
  },
}
