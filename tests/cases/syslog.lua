-- The messages of a resync, as servers receive them.
-- Source: MPP provisioning guide, Log_Request_Msg and the like.
local PROFILE <const> = "<flat-profile><GPP_C>new</GPP_C></flat-profile>"
local BASIC <const> = "tftp://192.168.1.200/basic.txt"
local WHO <const> = "CP-8841-3PCC 00:0e:08:ab:cd:ef -- "
local REQUEST <const> = WHO ..
  "Requesting resync tftp://192.168.1.200:69/basic.txt"
local SUCCESS <const> = WHO ..
  "Successful resync tftp://192.168.1.200:69/basic.txt"

local function params(more)
  local out = { Profile_Rule = BASIC, Syslog_Server = "192.168.1.210" }
  for key, value in pairs(more or {}) do out[key] = value end
  return { params = out }
end

local OK <const> = { [BASIC] = { body = PROFILE } }

return {
  { name = "L1 says what is requested and that it succeeded",
    phone = params(), server = OK,
    expect = { syslog = { REQUEST, SUCCESS } } },
  { name = "L2 says that the download failed",
    phone = params(), server = { [BASIC] = { error = "timeout" } },
    expect = { syslog = { REQUEST,
      WHO .. "Resync failed: Download failed" } } },
  { name = "L3 leaves a message out whose parameter is empty",
    phone = params { Log_Request_Msg = "" }, server = OK,
    expect = { syslog = { SUCCESS } } },
  { name = "L4 shows no key",
    phone = params { Profile_Rule = "[--key s3cret] " .. BASIC },
    server = OK, expect = { syslog = { REQUEST,
      WHO
        .. "Resync failed: Corrupt file (not encrypted, but a key is given)" },
      sealed = { "s3cret" } } },
  { name = "puts the identifier in front",
    phone = params { Syslog_Identifier = "$MAC" }, server = OK,
    expect = { syslog = { "00:0e:08:ab:cd:ef " .. REQUEST,
      "00:0e:08:ab:cd:ef " .. SUCCESS } } },
  { name = "leaves the port out with a template of one's own",
    phone = params { Log_Request_Msg =
      "$PN $MAC -- Requesting resync $SCHEME://$SERVIP$PATH",
      Log_Success_Msg = "" }, server = OK,
    expect = { syslog = { WHO ..
      "Requesting resync tftp://192.168.1.200/basic.txt" } } },
  { name = "sends to both servers, and no debug lines at NOTICE",
    phone = params { Debug_Server = "192.168.1.211:1514" }, server = OK,
    expect = { syslog = { REQUEST, REQUEST, SUCCESS, SUCCESS },
      receivers = { "192.168.1.210:514", "192.168.1.211:1514",
        "192.168.1.210:514", "192.168.1.211:1514" } } },
  { name = "sends once to one server with two names",
    phone = params { Syslog_Server = "log.telco.net",
      Debug_Server = "192.168.1.210" },
    dns = { ["log.telco.net"] = { "192.168.1.210" } }, server = OK,
    expect = { syslog = { REQUEST, SUCCESS } } },
  { name = "says the cause at INFO",
    phone = params { Profile_Rule = "https://192.168.1.200/a",
      Debug_Level = "INFO" },
    server = { ["*"] = { error = "c.expired",
      text = "certificate for h expired 2026-01-02" } },
    expect = { syslog_has = { "Resync failed: Download failed",
      "certificate expired" } } },
  { name = "says requests, answers and decisions at DEBUG, once each",
    phone = params { Debug_Level = "DEBUG", Syslog_Server = "",
      Debug_Server = "192.168.1.211", Profile_Rule_B = "" },
    server = OK,
    expect = { syslog_has = { "Profile_Rule: run " .. BASIC,
      "lookup 192.168.1.200", "RRQ " .. BASIC, "answer",
      "1 elements, 0 unknown, 0 bad", "1 changes", SUCCESS } } },
  { name = "logs the address that was looked up",
    phone = params { Profile_Rule = "http://pv.telco.net/x?y=1" },
    dns = { ["pv.telco.net"] = { "192.0.2.9" } },
    server = { ["*"] = { body = PROFILE } },
    expect = { syslog = {
      WHO .. "Requesting resync http://192.0.2.9:80/x?y=1",
      WHO .. "Successful resync http://192.0.2.9:80/x?y=1" } } },
  { name = "logs the host's name where it has no address",
    phone = params { Profile_Rule = "http://nowhere.example/x" }, dns = {},
    expect = { syslog = {
      WHO .. "Requesting resync http://nowhere.example:80/x",
      WHO .. "Resync failed: Download failed" } } },
  { name = "counts a missing file as success where that is no fault",
    phone = params { Profile_Rule = "http://192.0.2.1/x",
      Resync_Fails_On_FNF = "No" },
    server = { ["*"] = { status = 404 } },
    expect = { syslog = { WHO ..
      "Requesting resync http://192.0.2.1:80/x", WHO ..
      "Successful resync http://192.0.2.1:80/x" } } },
  { name = "sends one pair for each rule, in order, redirects without",
    phone = params { Profile_Rule = "http://192.0.2.1/a",
      Profile_Rule_B = "http://192.0.2.1/b" },
    server = { ["http://192.0.2.1/a"] = { status = 302,
        headers = { Location = "/c" } },
      ["http://192.0.2.1/c"] = { body = PROFILE },
      ["http://192.0.2.1/b"] = { body = PROFILE } },
    expect = { syslog = {
      WHO .. "Requesting resync http://192.0.2.1:80/a",
      WHO .. "Successful resync http://192.0.2.1:80/a",
      WHO .. "Requesting resync http://192.0.2.1:80/b",
      WHO .. "Successful resync http://192.0.2.1:80/b" } } },
  { name = "shows no secret anywhere",
    phone = params { GPP_SD = "Gehe1m-SD", GPP_SC = "Gehe1m-SC",
      Log_Request_Msg = "$SA $SD $MAC", Syslog_Server = "192.168.1.210",
      Debug_Level = "DEBUG", IKM_HTTP_Encrypt_Content = "Gehe1m-IKM",
      Profile_Rule =
        "[--key $SD --uid joe --pwd $SC] http://bob:Gehe1m-URL@h/x" },
    server = { ["*"] = { body = PROFILE } },
    expect = { outcome = "failure", sealed = { "Gehe1m" } } },
}
