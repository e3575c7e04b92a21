--- Parameters that say who a line is to its SIP server, and how it gets there:
-- where one changes, the phone registers that line anew.
-- Source: MPP administration guide, Ext tab, "Proxy and Registration",
-- "Subscriber Information" and "SIP Settings"; which of them take a new
-- registration is our choice.
local sip_identity = {}

--- Their names, without the number of the line.
sip_identity.names = { Line_Enable = true, Display_Name = true,
  User_ID = true, Password = true, Use_Auth_ID = true, Auth_ID = true,
  Reversed_Auth_Realm = true, SIP_URI = true, Proxy = true,
  Outbound_Proxy = true, Use_Outbound_Proxy = true, Alternate_Proxy = true,
  Alternate_Outbound_Proxy = true, Use_DNS_SRV = true, SIP_Port = true,
  SIP_Transport = true, Register = true, Register_Expires = true }

--- The line that a change of this parameter registers anew.
-- @treturn[1] integer
-- @treturn[2] nil none
function sip_identity.line(name)
  local stem, number = name:match("^(.-)_(%d+)_$")
  return sip_identity.names[stem] and math.tointeger(tonumber(number)) or nil
end

return sip_identity
