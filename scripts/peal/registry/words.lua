--- What a person wants to know of a parameter: a sentence, the unit, an example
-- where the default is none, and the source where it is not its group's.
--
-- Apart from the data of the other files, because only help and the reference
-- need it: a resync reads the data each time it starts, and with the sentences
-- in them that took nearly twice as long. A maker's file keeps both together.

local OURS <const> = "our choice"

local words = {
  -- provisioning.lua
  Provision_Enable = {
    doc = "Allows resyncs; No blocks every one, also those asked for by URL "
      .. "and NOTIFY.",
  },
  Resync_On_Reset = { doc = "Resync after power-up and after a reset." },
  Resync_Random_Delay = {
    unit = "20 s",
    doc = "Upper end of the random wait before the first contact after "
      .. "power-up; 0 contacts at once.",
  },
  Resync_At__HHmm_ = {
    unit = "local time",
    doc = "Time of the daily resync; while it is set Resync_Periodic is not "
      .. "used.",
  },
  Resync_At_Random_Delay = {
    unit = "s",
    doc = "Window after Resync_At__HHmm_ in which the resync starts at "
      .. "random; below 600 it is 600.",
  },
  Resync_Periodic = {
    unit = "s",
    doc = "Time from one successful resync to the next; 0 or empty turns "
      .. "periodic resyncs off.",
  },
  Resync_Error_Retry_Delay = {
    unit = "s",
    doc = "Waits before the retries of a failed resync; 0 means no retry.",
  },
  Forced_Resync_Delay = {
    unit = "s",
    doc = "Longest time that calls may put off a resync that is due; 0 does "
      .. "not wait for idle lines.",
  },
  Resync_From_SIP = { doc = "A SIP NOTIFY may start a resync." },
  Resync_After_Upgrade_Attempt = {
    doc = "Resync after every upgrade attempt, good or bad.",
  },
  Resync_Trigger_1 = {
    doc = "Condition for a resync; when triggers are set one of them must be "
      .. "true.",
  },
  Resync_Trigger_2 = {
    doc = "Second condition for a resync; see Resync_Trigger_1.",
  },
  User_Configurable_Resync = {
    doc = "The user may start a resync and see Profile_Rule on the phone.",
  },
  Resync_Fails_On_FNF = {
    doc = "A file that the server does not have fails the resync; No counts "
      .. "it as a success.",
  },
  Profile_Authentication_Type = {
    doc = "Stored account that answers an HTTP challenge when the rule names "
      .. "no user.",
  },
  Profile_Rule = {
    doc = "First profile rule: where the profile is, with conditions, "
      .. "assignments and options.",
  },
  Profile_Rule_B = { doc = "Second profile rule, run after Profile_Rule." },
  Profile_Rule_C = { doc = "Third profile rule, run after Profile_Rule_B." },
  Profile_Rule_D = { doc = "Fourth profile rule, run after Profile_Rule_C." },
  DHCP_Option_To_Use = {
    doc = "DHCP options that may name the provisioning server, in order of "
      .. "preference.",
  },
  DHCPv6_Option_To_Use = {
    doc = "DHCPv6 options that may name the provisioning server, in order of "
      .. "preference.",
  },
  DHCP_Enterprise = {
    source = OURS,
    doc = "Enterprise number accepted in DHCP option 125 besides Cisco's 9.",
  },
  dhcp_private_map = {
    source = OURS,
    doc = "JSON object that maps private DHCP options to the ones they stand "
      .. "for, such as {\"224\":160}.",
  },
  Log_Request_Msg = {
    doc = "Syslog line at the start of a download; empty sends none.",
  },
  Log_Success_Msg = {
    doc = "Syslog line after a good download; empty sends none.",
  },
  Log_Failure_Msg = {
    doc = "Syslog line after a failed download; empty sends none.",
  },
  Device_Config_Version = {
    doc = "Version of the configuration, shown by the phone.",
  },
  Report_Rule = {
    doc = "Where reports go: up to two URLs with --delta, --status, --key and "
      .. "credentials.",
  },
  HTTP_Report_Method = { doc = "HTTP method of a report." },
  Report_To_Server = { doc = "When reports are sent." },
  Periodic_Upload_To_Server = {
    unit = "s",
    doc = "Time between reports when Report_To_Server is Periodically.",
  },
  Upload_Delay_On_Local_Change = {
    unit = "s",
    doc = "Wait from the first unreported local change to its report.",
  },
  Upgrade_Enable = {
    doc = "Allows firmware upgrades, also those asked for by URL.",
  },
  Upgrade_Error_Retry_Delay = {
    unit = "s",
    doc = "Waits before the retries of a failed upgrade; 0 means no retry.",
  },
  Upgrade_Rule = {
    doc = "Which firmware load to fetch and when; grammar of a profile rule "
      .. "without options.",
  },
  Downgrade_Rev_Limit = {
    doc = "Oldest firmware version that may be installed; empty sets no "
      .. "limit.",
  },
  Log_Upgrade_Request_Msg = {
    doc = "Syslog line at the start of an upgrade; empty sends none.",
  },
  Log_Upgrade_Success_Msg = {
    doc = "Syslog line after an upgrade, where $ERR is the new load; empty "
      .. "sends none.",
  },
  Log_Upgrade_Failure_Msg = {
    doc = "Syslog line after a failed upgrade; empty sends none.",
  },
  Peer_Firmware_Sharing = {
    doc = "Stored only: sharing firmware between phones is not implemented.",
  },
  Peer_Firmware_Sharing_Log_Server = {
    doc = "Stored only: syslog server of firmware sharing.",
  },
  Cisco_Headset_Upgrade_Rule = {
    doc = "URL of the manifest that offers headset firmware; empty turns the "
      .. "check off.",
  },
  Custom_CA_Rule = {
    doc = "URL of a bundle of CA certificates trusted besides the factory "
      .. "ones; empty removes them.",
  },
  MIC_Cert_Refresh_Enable = {
    doc = "Renew the phone's own certificate when it has expired or expires "
      .. "within 30 days; the phone restarts then.",
  },
  MIC_Cert_Refresh_Rule = {
    doc = "Service that renews the phone's own certificate: an EST server "
      .. "(RFC 7030) as https://host[:port][/label]. The default's protocol "
      .. "is not public, and it is never asked.",
  },
  Trans_Auth_Rule = {
    doc = "Stored only: licence migration is not implemented.",
  },
  Trans_Auth_Type = { doc = "Stored only: kind of licence migration." },
  Transition_Authorization_Error_Retry_Delay = {
    unit = "s",
    doc = "Stored only: waits between attempts at licence migration.",
  },
  Activation_Server = {
    doc = "https address that gds:// rules ask about an activation code; "
      .. "empty means that there is no such service.",
  },
  Activation_Allow_HTTP = {
    doc = "Permits an activation server without TLS, for labs.",
  },
  HTTP_User_Agent_Name = {
    doc = "User-Agent header of requests; empty sends none.",
  },
  IKM_HTTP_Encrypt_Content = {
    doc = "Input keying material of RFC 8188 content encryption, for "
      .. "downloads and reports.",
  },
  TFTP_Client_Ports = {
    source = OURS,
    doc = "Local UDP ports of TFTP transfers as lo:hi, for sites with a "
      .. "firewall; empty takes any.",
  },
  PRT_Upload_Rule = { doc = "Where problem reports are uploaded." },
  PRT_Upload_Method = { doc = "HTTP method of a problem report." },
  PRT_Max_Timer = {
    unit = "min",
    doc = "Time between automatic problem reports; empty sends none.",
  },
  PRT_Name = { doc = "File name of a problem report; macros are expanded." },
  PRT_HTTP_Header = { doc = "Name of a header sent with a problem report." },
  PRT_HTTP_Header_Value = {
    doc = "Value of that header, sent only when the name is set too.",
  },
  PRT_Upload_at_Crash = { doc = "Upload a problem report after a crash." },

  -- system.lua
  Enable_Web_Server = { doc = "Runs the phone's own web server." },
  Enable_Protocol = { doc = "Protocol of the phone's web server." },
  Web_Server_Port = {
    doc = "Port of the phone's web server; with Https the default stands for "
      .. "443.",
  },
  Enable_Direct_Action_Url = {
    doc = "Permits /admin/resync, /admin/upgrade and the other direct "
      .. "actions.",
  },
  Session_Max_Timeout = { unit = "s", doc = "Longest life of a web session." },
  Session_Idle_Timeout = {
    unit = "s",
    doc = "Time without a request after which a web session ends.",
  },
  Enable_Web_Admin_Access = {
    doc = "Permits the administrator's pages; No answers 403 to all of them.",
  },
  Admin_Password = {
    doc = "Password of the administrator on the web pages; new ones have 8 to "
      .. "127 characters, empty means that nobody can log in.",
  },
  User_Password = {
    doc = "Password of the user on the web pages; new ones have 8 to 127 "
      .. "characters, empty means that nobody can log in.",
  },
  Require_Web_Passwords = {
    source = OURS,
    doc = "Shows nothing but a form to set the passwords while both are "
      .. "empty; makers should set Yes.",
  },
  ["Phone-UI-User-Mode"] = {
    doc = "The phone's menus obey the access attribute of parameters.",
  },
  ["Phone-UI-readonly"] = {
    doc = "The phone's menus show settings without letting anybody change "
      .. "them.",
  },
  Block_Nonproxy_SIP = {
    doc = "Drops SIP requests that do not come from the line's proxy.",
  },
  Allow_Nonproxy_TCP = {
    source = OURS,
    doc = "Accepts SIP over TCP and TLS from others than the proxy, for labs.",
  },
  Restricted_Access_Domains = {
    doc = "The only domains that files may be fetched from or sent to; empty "
      .. "sets no limit.",
  },
  Station_Name = { doc = "Name of the phone, shown on its screen." },
  CISCO_XML_EXE_Enable = {
    doc = "Accepts execute objects of XML applications.",
  },
  CISCO_XML_EXE_Auth_Mode = {
    doc = "Who may send an execute object: anybody, the user with the phone's "
      .. "password, or XML_User_Name.",
  },
  XML_User_Name = {
    doc = "User of XML applications when the mode is Remote Credential.",
  },
  XML_Password = { doc = "Password of XML_User_Name." },
  TLS_Client_Min_Version = {
    doc = "Oldest TLS version for downloads; 1.0 and 1.1 act as 1.2.",
  },
  TLS_Min_Version = {
    doc = "Old name of TLS_Client_Min_Version; counts only while nobody has "
      .. "set that one.",
  },
  TLS_Server_Min_Version = {
    doc = "Oldest TLS version of the phone's web server; 1.0 and 1.1 act as "
      .. "1.2.",
  },
  TLS_Cipher_List = {
    doc = "Cipher suites for downloads in the syntax of OpenSSL; empty or "
      .. "invalid means the built-in list.",
  },
  TLS_Min_RSA_Bits = {
    unit = "bit", source = OURS,
    doc = "Smallest RSA key accepted in a server's chain.",
  },
  Enable_SSLv3 = { doc = "Stored only: SSL 3.0 is never offered." },
  HTTPS_Name_Validate = {
    doc = "Compares the name in the server's certificate with the URL's host.",
  },
  HTTPS_CN_Fallback = {
    source = OURS,
    doc = "Takes the certificate's common name when it has no alternative "
      .. "names.",
  },
  HTTPS_DNS_Check = {
    source = OURS,
    doc = "Compares the server's address with the DNS records of the host; "
      .. "Legacy takes, in place of the host, a name of the certificate that "
      .. "has that address.",
  },
  Firewall = { doc = "Stored only: the phone's own packet filter." },
  Firewall_Options = { doc = "Stored only: settings of the packet filter." },
  Syslog_Server = {
    doc = "Receiver of syslog messages, host[:port], port 514 unless given.",
  },
  Syslog_Identifier = {
    doc = "Identity of the phone after the timestamp of syslog messages.",
  },
  Syslog_Format = { source = OURS, doc = "Layout of syslog messages." },
  Debug_Server = {
    doc = "Second receiver of syslog messages, and the one of debug messages, "
      .. "host[:port].",
  },
  Debug_Level = {
    doc = "Debug messages sent: INFO adds causes and decisions, DEBUG "
      .. "protocol details.",
  },
  Primary_NTP_Server = { doc = "Time server of the phone's clock." },
  Secondary_NTP_Server = {
    doc = "Time server used when the first does not answer.",
  },
  Proxy_Mode = {
    doc = "HTTP proxy for downloads; Auto goes direct with a warning, as "
      .. "proxy scripts are not run.",
  },
  Use_Auto_Discovery__WPAD_ = {
    doc = "Stored only: finds the proxy script by itself when Proxy_Mode is "
      .. "Auto.",
  },
  PAC_URL = { doc = "Stored only: URL of the proxy script." },
  Proxy_Host = { doc = "HTTP proxy when Proxy_Mode is Manual." },
  Proxy_Port = { doc = "Port of the HTTP proxy." },
  Proxy_Server_Requires_Authentication = {
    doc = "The HTTP proxy asks for Proxy_Username and Proxy_Password.",
  },
  Proxy_Username = { doc = "User at the HTTP proxy." },
  Proxy_Password = { doc = "Password at the HTTP proxy." },

  -- lines.lua
  Line_Enable_n_ = { doc = "The line is in use." },
  Display_Name_n_ = { doc = "Name that others see when the line calls." },
  User_ID_n_ = {
    doc = "Extension or user of the line, the user part of its address.",
  },
  Password_n_ = { doc = "Password of the line at its proxy." },
  Use_Auth_ID_n_ = { doc = "Authenticates with Auth_ID instead of User_ID." },
  Auth_ID_n_ = {
    doc = "User for authentication when it differs from User_ID.",
  },
  Proxy_n_ = { doc = "SIP proxy of the line, host[:port]." },
  SIP_Port_n_ = { doc = "Local SIP port of the line." },
  SIP_Transport_n_ = { doc = "Transport of the line's SIP messages." },
  Dial_Plan_n_ = {
    doc = "Which digits the line accepts and how it rewrites them.",
  },
  Privacy_Header_n_ = {
    source = "MPP administration guide; RFC 3323, RFC 3325",
    doc = "Privacy header of the line's SIP requests.",
  },
  ["Auth_Resync-Reboot_n_"] = {
    doc = "Challenges the sender of a NOTIFY that asks for resync, reboot, "
      .. "restart or report.",
  },
  Auth_Support_RFC8760 = {
    source = "MPP administration guide; RFC 8760",
    doc = "Offers SHA-256 besides MD5 when a NOTIFY is challenged.",
  },

  -- certificates.lua
  ["SystemSettings.Security_Certificates_AcceptAllCertificates"] = {
    doc = "1 connects in spite of a certificate that fails its checks, lists "
      .. "it as invalid and logs a warning.",
  },
  ["Security.global.HTTPAuthUsername"] = {
    doc = "User that answers challenges to the provisioning client, before "
      .. "the profile account; Basic ones over TLS only.",
  },
  ["Security.global.HTTPAuthPassword"] = {
    doc = "Password of Security.global.HTTPAuthUsername.",
  },
  Cert_Regen_Days = {
    unit = "days",
    doc = "Interval at which a new root and host certificate are made for the "
      .. "terminals that the phone serves, and their validity. A longer one "
      .. "counts from the next certificates on: make them with peal ca "
      .. "generate.",
  },
  Cert_Regen_Time = {
    unit = "local time",
    doc = "Time of day, HH:MM, at which new certificates are made; SIP "
      .. "terminals restart then.",
  },
  Cert_Regen_On_IP_Change = {
    source = OURS,
    doc = "Makes new certificates by itself when the address changes; No "
      .. "leaves it at an alarm.",
  },
}

for letter in ("ABCDEFGHIJKLMNOP"):gmatch(".") do
  words["GPP_" .. letter] = {
    doc = ("Free register, read by rules as $%s."):format(letter),
    example = "site-" .. letter:lower(),
  }
end
for letter in ("ABCD"):gmatch(".") do
  words["GPP_S" .. letter] = {
    doc = ("Secret register, for --key, --uid and --pwd of rules as $S%s; "
      .. "set by profiles only."):format(letter),
    example = "secret-" .. letter:lower(),
  }
end

local examples = {
  Activation_Server = "https://activate.example.net",
  Admin_Password = "Str0ng-and-long",
  Auth_ID_n_ = "1001-auth",
  Cisco_Headset_Upgrade_Rule = "https://prov.example.net/headset.xml",
  Custom_CA_Rule = "https://prov.example.net/ca.pem",
  DHCP_Enterprise = "32473",
  Debug_Server = "192.0.2.11:1514",
  Device_Config_Version = "2026-11-22.1",
  Dial_Plan_n_ = "(*xx|[2-9]xxxxxx|1xxx[2-9]xxxxxx)",
  Display_Name_n_ = "Front Desk",
  Downgrade_Rev_Limit = "sip88xx.11-3-1MPP-234",
  Firewall = "Enabled",
  Firewall_Options = "NO_ICMP_PING",
  IKM_HTTP_Encrypt_Content = "base64url:yqdlZ-tYemfogSmv7Ws5PQ",
  MIC_Cert_Refresh_Rule = "https://est.example.net/phones",
  PAC_URL = "http://proxy.example.net/proxy.pac",
  PRT_HTTP_Header = "X-Site",
  PRT_HTTP_Header_Value = "Leeds",
  PRT_Max_Timer = "60",
  PRT_Name = "prt-$MA.tar.gz",
  PRT_Upload_Rule = "https://prov.example.net/prt",
  Password_n_ = "line-secret",
  Peer_Firmware_Sharing_Log_Server = "192.0.2.10",
  Primary_NTP_Server = "ntp.example.net",
  Profile_Rule_B = "[--key $SA] https://prov.example.net/$MA.xml",
  Profile_Rule_C = '($EXTIP ne "")? https://prov.example.net/remote.xml',
  Profile_Rule_D = "/$PN/common.xml",
  Proxy_n_ = "sip.example.net:5060",
  Proxy_Host = "proxy.example.net",
  Proxy_Password = "proxy-secret",
  Proxy_Username = "phones",
  Report_Rule = "[--delta] https://prov.example.net/report/$MA.xml",
  Resync_At__HHmm_ = "0959",
  Resync_Trigger_1 = "$PRVTMR ge 600",
  Resync_Trigger_2 = "$UPGTMR ge 300",
  Restricted_Access_Domains = "prov.example.net,example.org",
  Secondary_NTP_Server = "192.0.2.12",
  ["Security.global.HTTPAuthPassword"] = "prov-secret",
  ["Security.global.HTTPAuthUsername"] = "base01",
  Station_Name = "Front Desk",
  Syslog_Server = "192.0.2.10:514",
  TFTP_Client_Ports = "53240:53245",
  TLS_Cipher_List = "ECDHE:!aNULL:!eNULL",
  TLS_Min_Version = "TLS 1.2",
  Trans_Auth_Rule = "https://licence.example.net/",
  Upgrade_Rule = "http://prov.example.net/sip88xx.11-3-2MPP0001-609.loads",
  User_ID_n_ = "1001",
  User_Password = "Str0ng-and-long",
  XML_Password = "xml-secret",
  XML_User_Name = "xmlapp",
  dhcp_private_map = '{"224":160}',
}
for name, text in pairs(examples) do
  words[name].example = text
end

return words
