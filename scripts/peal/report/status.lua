--- The status report: what the phone is and how it fared, as XML.
-- Source: MPP administration guide, "Download Status", names of its fields;
-- the root's name and the order are our choice.
local encode = require "peal.encode"
local history = require "peal.history"

local status = {}

local function numbered(fields, name, list, count)
  for i = 1, count do
    fields[#fields + 1] = { ("%s_%d"):format(name, i), list[i] or "" }
  end
end

local function elapsed(seconds)
  local s = math.floor(seconds)
  return ("%d days and %02d:%02d:%02d"):format(s // 86400, s // 3600 % 24,
    s // 60 % 60, s % 60)
end

-- What others have noted of certificates: keep's namespace "status", by the
-- names of the fields.
local function noted(phone, fields, name, otherwise)
  fields[#fields + 1] = { name,
    phone.keep:get("status", name) or otherwise }
end

--- Names and texts in the order of the report.
function status.fields(phone)
  local id, now = phone.identity, phone.world.now()
  local fields = {
    { "Product_Name", id.PN }, { "Serial_Number", id.SN },
    { "MAC_Address", (id.MAC or ""):upper() },
    { "Software_Version", id.SWVER }, { "Hardware_Version", id.HWVER },
    { "Client_Certificate", id.CCERT },
  }
  noted(phone, fields, "Customization", "Open")
  fields[#fields + 1] = { "Current_Time", history.time(now.time) }
  fields[#fields + 1] = { "Elapsed_Time",
    elapsed(now.mono - (phone.booted or 0)) }
  fields[#fields + 1] = { "Provisioning_Profile", history.profile(phone) }
  numbered(fields, "Provisioning_Status",
    history.list(phone, "provisioning"), 3)
  fields[#fields + 1] = { "Provisioning_Failure_Reason",
    history.failure(phone) }
  numbered(fields, "Firmware_Upgrade_Status",
    history.list(phone, "upgrade"), 3)
  noted(phone, fields, "Custom_CA_Provisioning_Status", "")
  noted(phone, fields, "Custom_CA_Info", "Not Installed")
  noted(phone, fields, "MIC_Cert_Provisioning_Status", "")
  noted(phone, fields, "MIC_Cert_Info", "Not Renewed")
  numbered(fields, "Reboot_Reason", history.list(phone, "reboot"), 5)
  return fields
end

--- The report.
function status.xml(phone)
  local lines = { "<status>" }
  for _, field in ipairs(status.fields(phone)) do
    local name, text = field[1], field[2] or ""
    lines[#lines + 1] = text == "" and ("<%s/>"):format(name)
      or ("<%s>%s</%s>"):format(name, encode.escape(text), name)
  end
  lines[#lines + 1] = "</status>\n"
  return table.concat(lines, "\n")
end

return status
