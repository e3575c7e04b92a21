local profiles = require "tests.support.profiles"
local registry = require "peal.registry"
local store = require "peal.store"

local GUIDE <const> = "MPP provisioning guide"

-- Every entry, in registry order.
local function entries()
  local list = {}
  for _, group in ipairs(registry.groups()) do
    table.move(group, 1, #group, #list + 1, list)
  end
  return list
end

local function named(names)
  local set = {}
  for name in names:gmatch("%S+") do set[name] = true end
  return set
end

local function temporary(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  finally(function() os.remove(path) end)
  return path
end

describe("the registry", function()
  it("has no name twice", function()
    local seen = {}
    for _, file in ipairs { "provisioning", "system", "lines",
      "certificates", "further" } do
      local function walk(list)
        for _, item in ipairs(list) do
          if not item.name and not item.names then walk(item) end
          for name in (item.names or item.name or ""):gmatch("%S+") do
            assert.is_nil(seen[name], name)
            seen[name] = true
          end
        end
      end
      walk(require("peal.registry." .. file))
    end
  end)

  it("has names that an XML element may have", function()
    for _, entry in ipairs(entries()) do
      assert.truthy(entry.name:find("^[%a_][%w_.-]*$"), entry.name)
      assert.is_false(entry.name:lower():find("^xml%a*$") ~= nil)
      assert.is_true(#entry.name <= 127)
    end
  end)

  it("has families where it says so, and nowhere else", function()
    for _, entry in ipairs(entries()) do
      local _, marks = entry.name:gsub("_n_", "")
      assert.equal(entry.count and 1 or 0, marks, entry.name)
      assert.is_true(not entry.count or entry.count > 1)
    end
  end)

  it("gives every line 16 members, Privacy_Header 10", function()
    for _, group in ipairs(registry.groups()) do
      for _, entry in ipairs(group.name == "Lines" and group or {}) do
        assert.equal(entry.name == "Privacy_Header_n_" and 10 or 16,
          entry.count, entry.name)
      end
    end
  end)

  it("explains every parameter that the runtime uses", function()
    for _, entry in ipairs(entries()) do
      assert.is_string(entry.group)
      assert.is_string(entry.source)
      if entry.group ~= "Further Parameters" then
        assert.is_string(entry.doc, entry.name)
        assert.truthy(entry.doc:find("%.$"), entry.name)
        assert.is_string(entry.example or entry.default, entry.name)
      end
    end
    for name in pairs(require("peal.registry.words")) do
      assert.is_table(registry.describe(name), name)
    end
  end)

  it("holds the names of the public templates", function()
    local names, sum = {}, 0x811c9dc5
    for _, entry in ipairs(require("peal.registry.further")) do
      for name in entry.names:gmatch("%S+") do names[#names + 1] = name end
    end
    table.sort(names)
    for byte in table.concat(names, "\n"):gmatch(".") do
      sum = ((sum ~ byte:byte()) * 0x01000193) & 0xffffffff
    end
    -- A name that goes missing is noticed; change both when one is added.
    assert.equal(594, #names)
    assert.equal("d4699fea", ("%08x"):format(sum))
  end)

  local spots = [[
    Accept_Last_Act_Code ACD_Login_Serv Admin_Passwd anonymousIdentity_3_
    Alternate_Outbound_Proxy_10_ Ans_Call_Without_Reg_16_ Asset_ID
    Attn-Xfer_Act_Code Auth_Resync-Reboot_10_ Block_CID_Setting Cadence_9
    Caller_ID_Map_10_ cipherType_3_ Countdown_Timer_s_ CWMP_V1.2_Support
    Default_Ring_10_ Dial_Plan_16_ Display_Name_16_ eapType_1_
    Enable_802.1X_Authentication Extended_Function_16_ Extended_Function_x1_
    Extension_x1_ Force_G722.2_Code frequencyMode_1_ G722.2_Enable_10_ GPP_P
    Line_Enable_10_ Log_Resync_Request_Msg Ntfy_Refer_On_1xx-To-Inv_10_
    Outbound_Proxy_16_ passphrase_1_ password_3_ Phone-UI-readonly PSK_16
    pskKey_3_ Refer-To_Target_Contact_10_ Ring12 SCA_Barge-In-Enable
    Set_Local_Date__mm_dd_yyyy_ Short_Name_16_ SIP_Remote-Party-ID_10_
    Speed_Dial_9_Number Start-Xfer_Key_List Time_Offset__HH_mm_
    TR-069_DHCPOption_Init Unit_1_Key_32 Unit_2_Key_x1_ Unit_3_Key_x1_
    Use_DNS_SRV_16_ User_ID_16_ VLAN_ID wepKey0_3_ wepKey_1_ wepKeyLen_3_
    XML_Application_Service_URL XSI_Host_Server
  ]]
  for name in spots:gmatch("%S+") do
    it("knows " .. name, function()
      assert.is_table(registry.describe(name))
    end)
  end
end)

describe("a secret", function()
  it("is every password and key, and nothing else", function()
    local secrets = named [[
      GPP_SA GPP_SB GPP_SC GPP_SD IKM_HTTP_Encrypt_Content
      Admin_Password User_Password XML_Password Proxy_Password Password_n_
      Security.global.HTTPAuthPassword ACS_Password BACKUP_ACS_Password
      Connection_Request_Password Directory_Password LDAP_Password
      XMPP_Password Auth_Page_Password_n_ Login_Password_n_
      passphrase_n_ password_n_ pskKey_n_ wepKey_n_ wepKey0_n_ wepKey1_n_
      wepKey2_n_ wepKey3_n_
    ]]
    for _, entry in ipairs(entries()) do
      assert.equal(secrets[entry.name], entry.secret, entry.name)
      secrets[entry.name] = nil
    end
    assert.same({}, secrets)
  end)

  it("is what sounds like one", function()
    for _, entry in ipairs(entries()) do
      local name = entry.name:lower()
      if name:find("passw") or name:find("passphrase") or name:find("pskkey")
      then
        local harmless = name == "require_web_passwords"
        assert.equal(not harmless or nil, entry.secret, entry.name)
      end
    end
  end)

  it("is not a programmable softkey", function()
    assert.is_nil(registry.describe("PSK_1").secret)
  end)
end)

describe("a reboot", function()
  local takes = [[
    Line_Enable_1_ User_ID_16_ Password_2_ Proxy_3_ Outbound_Proxy_1_
    Alternate_Proxy_1_ Enable_VLAN VLAN_ID PC_Port_VLAN_ID Static_IP NetMask
    Gateway Primary_DNS Connection_Type Host_Name ssid_1_ pskKey_2_
    Enable_802.1X_Authentication
  ]]
  local without = [[
    Display_Name_1_ Dial_Plan_1_ Privacy_Header_1_ Station_Name GPP_A
    Admin_Password Proxy_Host Proxy_Password Syslog_Server Cfwd_All_Dest
    no_such_name
  ]]
  it("is taken by network, line, user, proxy and password", function()
    for name in takes:gmatch("%S+") do
      assert.is_true(registry.is_reboot(name), name)
    end
    for name in without:gmatch("%S+") do
      assert.is_false(registry.is_reboot(name), name)
    end
  end)

  it("is taken by nothing of the Provisioning tab", function()
    local function walk(list)
      for _, item in ipairs(list) do
        assert.is_nil(item.reboot)
        walk(item)
      end
    end
    walk(require("peal.registry.provisioning"))
  end)
end)

-- MPP administration guide, "Provisioning formats".
describe("an element name", function()
  local outcomes = {
    { "Resync On Reset", nil, "Resync_On_Reset" },
    { "Resync At (HHmm)", nil, "Resync_At__HHmm_" },
    { "Line Enable", 1, "Line_Enable_1_" },
    { "Line Enable[1]", nil, "Line_Enable_1_" },
    { "Use Auto Discovery (WPAD)", nil, "Use_Auto_Discovery__WPAD_" },
    { "Enable 802.1X Authentication", nil, "Enable_802.1X_Authentication" },
    { "Auth Resync-Reboot", 2, "Auth_Resync-Reboot_2_" },
    { "Display Off Idle Timeout (mins)", nil,
      "Display_Off_Idle_Timeout__mins_" },
    { "Set Local Date (mm/dd/yyyy)", nil, "Set_Local_Date__mm_dd_yyyy_" },
  }
  for _, row in ipairs(outcomes) do
    it(("of %q is %s"):format(row[1], row[3]), function()
      assert.equal(row[3], registry.element_name(row[1], row[2]))
      assert.is_table(registry.describe(row[3]))
    end)
  end
end)

describe("another spelling", function()
  local spellings = {
    { "Log_Resync_Request_Msg", "Log_Request_Msg" },
    { "Log_Resync_Success_Msg", "Log_Success_Msg" },
    { "Log_Resync_Failure_Msg", "Log_Failure_Msg" },
    { "Report_to_Server", "Report_To_Server" },
    { "periodic_upload_to_server", "Periodic_Upload_To_Server" },
    { "Resync_At", "Resync_At__HHmm_" },
    { "Resync_At_HHmm", "Resync_At__HHmm_" },
    { "Custom_CA_URL", "Custom_CA_Rule" },
    { "Admin_Passwd", "Admin_Password" },
    { "Phone-UI-user-mode", "Phone-UI-User-Mode" },
  }
  for _, row in ipairs(spellings) do
    it(("%s is read as %s"):format(row[1], row[2]), function()
      assert.equal(row[2], registry.aliases[row[1]])
      assert.equal(row[2], registry.describe(row[1]).name)
    end)
  end

  it("is no name of its own, and there are no more", function()
    local n = 0
    for alias, name in pairs(registry.aliases) do
      n = n + 1
      assert.is_nil(registry.aliases[name])
      for _, entry in ipairs(entries()) do
        assert.not_equal(alias, entry.name)
      end
    end
    assert.equal(#spellings, n)
  end)
end)

describe("describe", function()
  it("tells all there is of a parameter", function()
    assert.same({ name = "Resync_Random_Delay", type = "Uns", bits = 16,
      default = "2", lo = 0, hi = 65535, unit = "20 s",
      group = "Configuration Profile", source = GUIDE,
      doc = "Upper end of the random wait before the first contact after "
        .. "power-up; 0 contacts at once." },
      registry.describe("Resync_Random_Delay"))
  end)

  it("finds the family of a line's parameter", function()
    local found = registry.describe("Auth_Resync-Reboot_16_")
    assert.equal("Auth_Resync-Reboot_16_", found.name)
    assert.equal("Auth_Resync-Reboot_n_", found.family)
    assert.equal(16, found.number)
    assert.equal("Yes", found.default)
    assert.equal("Line_Enable_n_", registry.describe("Line_Enable_n_").name)
  end)

  for _, name in ipairs { "Privacy_Header_11_", "Privacy_Header_0_",
    "Privacy_Header_01_", "Privacy_Header_", "Line_Enable_17_",
    "line_enable_1_", "Nope", "", "_1_", "wepKey4_1_" } do
    it(("does not know %q"):format(name), function()
      local found, sentence, word = registry.describe(name)
      assert.is_nil(found)
      assert.equal("no such parameter: " .. name, sentence)
      assert.equal("unknown-name", word)
    end)
  end

  it("hands out copies", function()
    registry.describe("GPP_A").default = "spoiled"
    registry.groups()[1][1].default = "spoiled"
    assert.is_nil(registry.describe("GPP_A").default)
    assert.equal("Yes", registry.describe("Provision_Enable").default)
  end)
end)

describe("the schema", function()
  local s

  setup(function() s = assert(registry.load()) end)

  it("takes every default under its own type", function()
    for _, entry in ipairs(entries()) do
      for _, number in ipairs { 1, entry.count } do
        local name = entry.name:gsub("_n_", "_" .. number .. "_")
        if entry.default then
          assert.equal(entry.default, s:check(name, entry.default), name)
        end
      end
    end
  end)

  it("takes the examples of the reference", function()
    for _, entry in ipairs(entries()) do
      local name = entry.name:gsub("_n_", "_1_")
      if entry.example then
        assert.equal(entry.example, s:check(name, entry.example), name)
      end
    end
  end)

  it("knows what the registry describes, and no more", function()
    local n = 0
    for _, entry in ipairs(entries()) do
      n = n + (entry.count or 1)
      for number = 1, entry.count or 1 do
        local name = entry.name:gsub("_n_", "_" .. number .. "_")
        assert.truthy(s:find(name), name)
      end
      if entry.count then
        local name = entry.name:gsub("_n_", "_" .. entry.count + 1 .. "_")
        assert.is_nil(s:find(name), name)
      end
    end
    assert.equal(n, #s)
  end)

  local outcomes = {
    { "Privacy_Header_3_", "ID", "id" },
    { "Privacy_Header_3_", "geen", nil },
    { "Privacy_Header_1_", "header;id", nil },
    { "Privacy_Header_11_", "id", nil },
    { "Periodic_Upload_To_Server", "599", nil },
    { "Periodic_Upload_To_Server", "600", "600" },
    { "Periodic_Upload_To_Server", "2592000", "2592000" },
    { "Periodic_Upload_To_Server", "2592001", nil },
    { "Resync_Random_Delay", "65536", nil },
    { "Resync_Random_Delay", "0x10", "16" },
    { "Resync_At_Random_Delay", "0", "0" },
    { "Upload_Delay_On_Local_Change", "9", nil },
    { "Upload_Delay_On_Local_Change", "900", "900" },
    { "PRT_Max_Timer", "", "" },
    { "PRT_Max_Timer", "14", nil },
    { "PRT_Max_Timer", "1440", "1440" },
    { "TLS_Min_RSA_Bits", "1023", nil },
    { "TLS_Min_RSA_Bits", "1024", "1024" },
    { "Provision_Enable", "Ja", nil },
    { "Provision_Enable", "enable", "Yes" },
    { "Provision_Enable", "", nil },
    { "Profile_Authentication_Type", "Basic  HTTP authentication",
      "Basic Http Authentication" },
    { "Debug_Level", "0", "NOTICE" },
    { "Debug_Level", "1", "INFO" },
    { "Debug_Level", "2", "DEBUG" },
    { "Debug_Level", "3", "DEBUG" },
    { "Debug_Level", "4", nil },
    { "Debug_Level", "error", "ERROR" },
    { "Syslog_Identifier", "$mac", "$MAC" },
    { "TLS_Client_Min_Version", "tls 1.3", "TLS 1.3" },
    { "DHCP_Option_To_Use", "160,66", "160,66" },
    { "DHCP_Option_To_Use", "161", nil },
    { "DHCPv6_Option_To_Use", "66", nil },
    { "Resync_At__HHmm_", "2400", "2400" },
    { "Resync_At__HHmm_", "2401", nil },
    { "Resync_At", "0959", "0959" },
    { "Cert_Regen_Days", "3651", nil },
    { "Restricted_Access_Domains", "a.example,b.example",
      "a.example,b.example" },
    { "Set_G729_annexb_1_", "follow silence supp setting",
      "follow silence supp setting" },
    { "GPP_A", ("x"):rep(4096), ("x"):rep(4096) },
    { "GPP_A", ("x"):rep(4097), nil },
    { "Security.global.HTTPAuthUsername", ("x"):rep(75), nil },
    { "Security.global.HTTPAuthPassword", ("x"):rep(74), ("x"):rep(74) },
  }
  for _, row in ipairs(outcomes) do
    local name, text, wanted = row[1], row[2], row[3]
    it(("%s %q as %s"):format(wanted and "takes" or "refuses",
      text:sub(1, 30), name), function()
      local found, _, word = s:check(name, text)
      assert.equal(wanted, found)
      if not wanted then
        assert.equal(s:find(name) and "bad-value" or "unknown-name", word)
      end
    end)
  end

  it("reads every other spelling", function()
    for alias, name in pairs(registry.aliases) do
      assert.equal(s:find(name), s:find(alias), alias)
    end
  end)
end)

describe("a factory reset", function()
  it("restores every default and forgets who wrote what", function()
    local st = assert(store.open { schema = assert(registry.load()) })
    local _, values = profiles.make { params = 2000 }
    values.GPP_SA, values.IKM_HTTP_Encrypt_Content = "secret", "key"
    values.Profile_Rule, values.Resync_Periodic = "http://h/x", "60"
    local txn = assert(st:begin())
    assert(txn:state("certificate", "mic", "kept"))
    assert(txn:state("retry", "index", "3"))
    for name, value in pairs(values) do
      assert(txn:set(name, value, { by_user = true }))
    end
    assert(txn:commit("test", 0))
    assert.equal("secret", st:get("GPP_SA"))
    assert.is_true(st:value("Profile_Rule").user_modified)

    txn = assert(st:begin())
    assert(txn:factory_reset { "certificate" })
    assert(txn:commit("factory-reset", 1))
    for _, entry in ipairs(entries()) do
      for number = 1, entry.count or 1 do
        local name = entry.name:gsub("_n_", "_" .. number .. "_")
        local value = st:value(name)
        assert.equal(entry.default or "", value.text, name)
        assert.equal(entry.ua or "na", value.ua, name)
        assert.is_false(value.user_modified, name)
        assert.is_false(value.user_pref, name)
      end
    end
    assert.equal("kept", st:state("certificate", "mic"))
    assert.is_nil(st:state("retry", "index"))
    st:close()
  end)
end)

describe("a maker's file", function()
  it("adds and replaces", function()
    local s = assert(registry.load { maker = "examples/makers/acme.lua" })
    assert.equal("60", s:check("Acme_Door_Relay_Time", "60"))
    assert.is_nil(s:check("Acme_Door_Relay_Time", "61"))
    assert.equal("Amber", s:check("Acme_Key_Colour_8_", "amber"))
    assert.truthy(s:find("Acme_Alarm_Pin"))
    assert.is_true(registry.describe("Acme_Door_Pin", s).secret)
    local found = registry.describe("Resync_Periodic", s)
    assert.equal("86400", found.default)
    assert.equal("Configuration Profile", found.group)
    assert.equal("Acme_Key_Colour_n_",
      registry.describe("Acme_Key_Colour_3_", s).family)
    assert.equal("the maker's registry file",
      registry.describe("Acme_Door_Pin", s).source)
    local groups = registry.groups(s)
    assert.equal("Acme Keys", groups[#groups].name)
  end)

  it("touches no other schema", function()
    local own = assert(registry.load { maker = "examples/makers/acme.lua" })
    local s = assert(registry.load())
    assert.truthy(own:find("Acme_Alarm_Pin"))
    assert.is_nil(s:find("Acme_Alarm_Pin"))
    assert.is_nil(registry.describe("Acme_Alarm_Pin", s))
    assert.equal("3600", registry.describe("Resync_Periodic", s).default)
  end)

  it("may have sections, and take a spelling for itself", function()
    local path = temporary [[
return { { group = "A", source = "b", { name = "Resync_At", type = "Str" } } }
]]
    local s = assert(registry.load { maker = path })
    assert.equal("at nine", s:check("Resync_At", "at nine"))
  end)

  it("may change one line of a family", function()
    local s = assert(registry.load { extra = {
      { name = "Line_Enable_2_", type = "Bool", default = "No" } } })
    assert.equal("No", registry.describe("Line_Enable_2_", s).default)
    assert.equal("Yes", registry.describe("Line_Enable_3_", s).default)
  end)

  local faults = {
    { "return {\n{ name = 'A' ", 2, "expected", "invalid" },
    { "return {\n\n{ name = 'A', type = 'Strr' } }", 3, "Strr", "invalid" },
    { "return {\n{ name = 'A', defualt = 'x' } }", 2, "no such key: defualt",
      "invalid" },
    { "return {\n{ name = 'A', max = '3' } }", 2,
      "max is a number, not a string", "invalid" },
    { "return {\n{ name = 'A', max = 3.5 } }", 2, "max is a whole number",
      "invalid" },
    { "return {\n{ name = 'A', type = 'Uns', lo = 9, hi = 1 } }", 2,
      "lo is 9, above hi, 1", "invalid" },
    { "return {\n{ name = 'A b' } }", 2, "A b", "invalid" },
    { "return {\n{ name = 'A', type = 'Uns', default = 'x' } }", 2,
      "default of A", "bad-value" },
    { "return {\n{ name = 'A_n_B' },\n{ name = 'C', count = 3 } }", 3, "C",
      "invalid" },
    { "return {\n{ names = 'A B',\n ua = 'wr' } }", 2, "A", "invalid" },
    { "return {\n{ name = 'A' }, { type = 'Str' } }", nil,
      "entry 2: an entry has a name or names", "invalid" },
    { "return {\n{ name = 'A', names = 'B' } }", 2, "a name or names",
      "invalid" },
    { "return { 'A' }", nil, "entry 1: an entry is a table, not a string",
      "invalid" },
    { "return {\n{ name = 'A', type = 'Choice', choices = { 1 } } }", 2,
      "choice 1 is a number, not a string", "invalid" },
    { "return {\n{ name = 'A', type = 'Choice' } }", 2, "no choices",
      "invalid" },
    { "local x = 1\nprint(x)\nreturn {}", 2, "print", "invalid" },
    { "return 3", nil, "returns no list of parameters", "invalid" },
    { "", nil, "returns no list of parameters", "invalid" },
    { "\27Lua", nil, "", "invalid" },
  }
  for i, row in ipairs(faults) do
    local text, line, about, kind = table.unpack(row, 1, 4)
    it(("is refused by its line, case %d"):format(i), function()
      local path = temporary(text)
      local s, sentence, word, place = registry.load { maker = path }
      assert.is_nil(s)
      assert.truthy(sentence:find(path .. (line and (":%d: "):format(line)
        or ": "), 1, true), sentence)
      assert.truthy(sentence:find(about, 1, true), sentence)
      assert.equal(kind, word)
      assert.same({ file = path, line = line }, place)
    end)
  end

  it("has to be there", function()
    local s, sentence, word, place =
      registry.load { maker = "/nonexistent/acme.lua" }
    assert.is_nil(s)
    assert.truthy(sentence:find("/nonexistent/acme.lua", 1, true))
    assert.equal("not-found", word)
    assert.same({ file = "/nonexistent/acme.lua" }, place)
  end)

  it("reaches nothing outside", function()
    local path = temporary [[
return { { name = "A", doc = os and "os" or io and "io" or "nothing" } }
]]
    local s = assert(registry.load { maker = path })
    assert.equal("nothing", registry.describe("A", s).doc)
  end)
end)

describe("a synthetic profile", function()
  local function size(set)
    local n = 0
    for _ in pairs(set) do n = n + 1 end
    return n
  end

  it("has the size it was asked for, every time the same", function()
    local options = { params = 2500, bytes = 184000, crlf = true,
      comments = true, repeats = 40, declaration = true }
    local text, expected, unknown = profiles.make(options)
    assert.equal(184000, #text)
    assert.equal(2500, size(expected) + size(unknown))
    assert.is_true(size(unknown) > 0)
    assert.equal(text, (profiles.make(options)))
    options.seed = 2
    assert.not_equal(text, (profiles.make(options)))
    local _, starts = text:gsub("<[%a_]", "")
    assert.equal(2500 + 40 + 1, starts)
    local _, breaks = text:gsub("\r\n", "")
    local _, all = text:gsub("\n", "")
    assert.equal(all, breaks)
  end)

  it("holds values as the schema keeps them", function()
    local s = assert(registry.load())
    local _, expected, unknown = profiles.make { params = 2500,
      bytes = 500000 }
    for name, value in pairs(expected) do
      assert.equal(value, s:check(name, value), name)
    end
    for name in pairs(unknown) do assert.is_nil(s:find(name)) end
  end)

  it("has unknown names only where the known ones end", function()
    for _, params in ipairs { 1, 2, 17, 500 } do
      local _, expected, unknown = profiles.make { params = params }
      assert.equal(params, size(expected))
      assert.same({}, unknown)
    end
  end)

  it("cannot be smaller or larger than its parameters", function()
    assert.has_error(function() profiles.make { params = 9, bytes = 99 } end)
    assert.has_error(function()
      profiles.make { params = 1, bytes = 99999 }
    end)
  end)
end)

describe("docs/parameters.md", function()
  it("is what docs/generate-parameters.lua makes", function()
    local page = assert(loadfile("docs/generate-parameters.lua"))()()
    local file = assert(io.open("docs/parameters.md"))
    local text = file:read("a")
    file:close()
    assert.is_true(page == text, "out of date: run lua5.4 "
      .. "docs/generate-parameters.lua > docs/parameters.md")
  end)
end)

describe("web passwords", function()
  it("are empty or have 8 to 127 characters", function()
    local s = assert(registry.load {})
    for _, name in ipairs { "Admin_Password", "User_Password" } do
      assert.equal("", s:check(name, ""))
      assert.equal("12345678", s:check(name, "12345678"))
      assert.is_nil((s:check(name, "1234567")))
      assert.is_nil((s:check(name, ("x"):rep(128))))
    end
  end)
end)
