-- What each answer of a server means for the resync.
-- Source: MPP provisioning guide, HTTP table; classes A, B, C.
local PROFILE <const> = "<flat-profile><GPP_C>new</GPP_C></flat-profile>"
local URL <const> = "http://192.0.2.7/a.xml"

local function case(name, answer, expect, more)
  local out = { name = name, phone = { params = { Profile_Rule = URL } },
    server = { [URL] = answer }, expect = expect }
  for key, value in pairs(more or {}) do out[key] = value end
  return out
end

local list = {
  { name = "H1 follows a 301 on the same host at once",
    phone = { params = { Profile_Rule = URL } },
    server = {
      [URL] = { status = 301, headers = { Location = "/b.xml" } },
      ["http://192.0.2.7/b.xml"] = { body = PROFILE } },
    expect = { outcome = "success", params = { GPP_C = "new" },
      requests = { "GET " .. URL, "GET http://192.0.2.7/b.xml" } } },
  case("H2 takes a 303 as a failure", { status = 303,
    headers = { Location = "/b.xml" } },
    { outcome = "failure", requests = { "GET " .. URL },
      failure = { class = "C", err = "Download failed (HTTP 303)" } }),
  case("H4 asks once where no credentials are stored", { status = 401 },
    { outcome = "failure", requests = { "GET " .. URL },
      failure = { class = "C" } }),
  case("H3 says that authentication failed when credentials are refused",
    { status = 401, auth_exhausted = true, sent = 3 },
    { outcome = "failure",
      failure = { class = "C", err = "Authentication failed" } },
    { phone = { params = {
      Profile_Rule = "[--uid u --pwd wrong] " .. URL } } }),
  case("H5 fails for a missing file", { status = 404 },
    { outcome = "failure", params = { GPP_C = "" },
      failure = { class = "B", err = "File not found", word = "fnf" } }),
  case("lets a missing file pass where Resync_Fails_On_FNF is No",
    { status = 404 }, { outcome = "success", params = { GPP_C = "" } },
    { phone = { params = { Profile_Rule = URL,
      Resync_Fails_On_FNF = "No" } } }),
  { name = "H6 succeeds when a server that was busy twice answers",
    phone = { params = { Profile_Rule = URL } }, runs = 3,
    server = { [URL] = { { status = 503 }, { status = 503 },
      { body = PROFILE } } },
    expect = { outcomes = { "failure", "failure", "success" },
      params = { GPP_C = "new" },
      requests = { "GET " .. URL, "GET " .. URL, "GET " .. URL } } },
  case("H9 fails for an answer that ends too early",
    { error = "partial", text = "the answer ends after 5 of 9 bytes" },
    { outcome = "failure", params = { GPP_C = "" },
      failure = { class = "C", err = "Download failed" } }),
  { name = "H10 gives a redirect loop up after five",
    phone = { params = { Profile_Rule = URL } },
    server = { [URL] = { status = 302, headers = { Location = URL } } },
    expect = { outcome = "failure", failure = { class = "C" },
      requests = { "GET " .. URL, "GET " .. URL, "GET " .. URL,
        "GET " .. URL, "GET " .. URL, "GET " .. URL } } },
  case("takes an empty body as success without changes", { body = "" },
    { outcome = "success", params = { GPP_C = "" } }),
  case("takes 204 as success without changes", { status = 204 },
    { outcome = "success", params = { GPP_C = "" } }),
  case("applies nothing of an HTML login page",
    { body = "<html><body>please log in</body></html>" },
    { outcome = "failure", params = { GPP_C = "" },
      failure = { class = "B", word = "corrupt" } }),
  { name = "refuses a redirect from https to http",
    phone = { params = { Profile_Rule = "https://192.0.2.7/a" } },
    server = { ["https://192.0.2.7/a"] = { status = 302,
      headers = { Location = "http://192.0.2.7/a" } } },
    expect = { outcome = "failure", failure = { class = "C" },
      requests = { "GET https://192.0.2.7/a" } } },
  { name = "refuses a redirect to a file",
    phone = { params = { Profile_Rule = URL } },
    server = { [URL] = { status = 302,
      headers = { Location = "file:///etc/passwd" } } },
    expect = { outcome = "failure", requests = { "GET " .. URL } } },
  { name = "keeps credentials from the host that a redirect names",
    phone = { params = { Profile_Rule = "[--uid u --pwd pw] " .. URL } },
    server = { [URL] = { status = 302,
        headers = { Location = "http://198.51.100.1/b" } },
      ["http://198.51.100.1/b"] = { body = PROFILE } },
    expect = { outcome = "success", credentials = { true, false } } },
  { name = "tries the next address where one does not answer",
    phone = { params = { Profile_Rule = "http://pv.telco.net/a" } },
    dns = { ["pv.telco.net"] = { "192.0.2.1", "192.0.2.2" } },
    server = { ["http://pv.telco.net/a"] = {
      { error = "connect" }, { body = PROFILE } } },
    expect = { outcome = "success", addresses = { "192.0.2.1", "192.0.2.2" },
      params = { GPP_C = "new" } } },
  { name = "takes SRV servers by priority, then by weight, lower first",
    phone = { params = { Profile_Rule = "[--srv] https://telco.net/a" } },
    dns = {
      ["_ciscoprov-https._tls.telco.net"] = {
        { target = "c.telco.net", port = 1003, priority = 2, weight = 0 },
        { target = "b.telco.net", port = 1002, priority = 1, weight = 9 },
        { target = "a.telco.net", port = 1001, priority = 1, weight = 5 } },
      ["a.telco.net"] = { "192.0.2.1" }, ["b.telco.net"] = { "192.0.2.2" },
      ["c.telco.net"] = { "192.0.2.3" } },
    server = { ["https://telco.net:1003/a"] = { body = PROFILE } },
    expect = { outcome = "success",
      addresses = { "192.0.2.1", "192.0.2.2", "192.0.2.3" } } },
  { name = "says that a host has no address",
    phone = { params = { Profile_Rule = "http://nowhere.example/a" } },
    dns = {}, expect = { outcome = "failure", requests = {},
      failure = { class = "C", word = "dns", err = "Download failed" } } },
  { name = "refuses hosts outside of Restricted_Access_Domains",
    phone = { params = { Profile_Rule = "http://evil.example/a",
      Restricted_Access_Domains = "telco.net, example.org" } },
    server = { ["*"] = { body = PROFILE } },
    expect = { outcome = "failure", requests = {},
      failure = { word = "access", class = "C" } } },
  { name = "sends the headers of a phone",
    phone = { params = { Profile_Rule = URL } },
    server = { [URL] = { body = PROFILE } },
    expect = { headers = {
      "User-Agent: Cisco-CP-8841-3PCC/11.3.1 (000e08abcdef)",
      "Accept: */*", "Accept-Encoding: deflate, gzip",
      "Accept-Language: en", "Accept-Charset: iso-8859-1" } } },
  { name = "offers aes128gcm when it has keying material, and no empty agent",
    phone = { params = { Profile_Rule = URL, HTTP_User_Agent_Name = "",
      IKM_HTTP_Encrypt_Content = "hex:00112233445566778899aabbccddeeff" } },
    server = { [URL] = { body = PROFILE } },
    expect = { headers = { "Accept: */*",
      "Accept-Encoding: deflate, gzip, aes128gcm", "Accept-Language: en",
      "Accept-Charset: iso-8859-1" } } },
}

for _, status in ipairs { 201, 202, 203 } do
  list[#list + 1] = case(("takes %d as 200"):format(status),
    { status = status, body = PROFILE },
    { outcome = "success", params = { GPP_C = "new" } })
end
for _, status in ipairs { 205, 206, 304, 307, 308, 400, 403, 410, 500, 501,
    502, 503, 504 } do
  list[#list + 1] = case(("takes %d as a failure"):format(status),
    { status = status, body = PROFILE, headers = { Location = "/b" } },
    { outcome = "failure", params = { GPP_C = "" },
      requests = { "GET " .. URL },
      failure = { class = "C",
        err = ("Download failed (HTTP %d)"):format(status) } })
end

return list
