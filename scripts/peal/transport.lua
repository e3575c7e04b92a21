--- From a URL to the bytes of a file: server, addresses, redirects, proxy.
-- Policy over world.fetch() and world.resolve(), which know single exchanges.
-- Source: MPP provisioning guide, HTTP table, "HTTPS provisioning", SRV;
-- numbers are our choice.
local cause = require "peal.cause"
local macro = require "peal.macro"
local dns_check = require "peal.tls_policy.dns_check"
local second_look = require "peal.tls_policy.second_look"
local tls_policy = require "peal.tls_policy"
local url = require "peal.url"
local visible = require "peal.visible"

local transport = {}

local MAX_REDIRECTS <const> = 5
local MAX_ADDRESSES <const> = 16
local TOTAL_S <const> = 300

local function failure(sentence, word, facts)
  return nil, { sentence = sentence, word = word, facts = facts,
    status = facts and facts.status }
end

-- Hosts outside of Restricted_Access_Domains are refused.
local function check_domain(phone, host)
  local list = phone:param("Restricted_Access_Domains") or ""
  if not list:find("%S") then return true end
  for domain in list:gmatch("[^%s,]+") do
    domain = domain:lower():gsub("^%*?%.", ""):gsub("%.$", "")
    if host == domain or host:sub(-#domain - 1) == "." .. domain then
      return true
    end
  end
  return failure(("%s is outside of Restricted_Access_Domains"):format(host),
    "access")
end

local function number(text, fallback)
  return math.tointeger(tonumber(text)) or fallback
end

local function user_agent(phone)
  local text = phone:param("HTTP_User_Agent_Name") or ""
  local agent = macro.expand(text, phone:variables { user_agent = true })
  return agent and (agent:gsub("[%c\x7f]", "")) or ""
end

local function headers(phone, ask)
  local agent = user_agent(phone)
  local codings = ask.plain and "identity" or "deflate, gzip"
  if not ask.plain
    and (phone:param("IKM_HTTP_Encrypt_Content") or "") ~= "" then
    codings = codings .. ", aes128gcm"
  end
  local list = {}
  if agent ~= "" then list[1] = "User-Agent: " .. agent end
  list[#list + 1] = "Accept: */*"
  list[#list + 1] = "Accept-Encoding: " .. codings
  list[#list + 1] = "Accept-Language: en"
  list[#list + 1] = "Accept-Charset: iso-8859-1"
  if ask.content_type then
    list[#list + 1] = "Content-Type: " .. ask.content_type
  end
  if ask.content_encoding then
    list[#list + 1] = "Content-Encoding: " .. ask.content_encoding
  end
  table.move(ask.headers or {}, 1, #(ask.headers or {}), #list + 1, list)
  return list
end

local function proxy_host(phone)
  local host = phone:param("Proxy_Host") or ""
  return phone:param("Proxy_Mode") == "Manual" and host ~= "" and host or nil
end

-- Proxy_* parameters as fields of a request. An address of the proxy is
-- looked up here; the proxy looks up the server.
local function add_proxy(phone, trace, request)
  if phone:param("Proxy_Mode") == "Auto" then
    trace:note("proxy-auto", nil,
      "Proxy_Mode Auto: no PAC script is run, going direct")
  end
  local host = proxy_host(phone)
  if not host then return true end
  local port = number(phone:param("Proxy_Port"), 3128)
  local found, sentence, word = phone.world.resolve(host, "ADDR", true)
  if not found then return failure("proxy: " .. sentence, word) end
  local shown = host:find(":", 1, true) and "[" .. host .. "]" or host
  request.proxy = ("http://%s:%d"):format(shown, port)
  request.proxy_address = found[1].address
  if phone:yes("Proxy_Server_Requires_Authentication") then
    request.proxy_user = phone:param("Proxy_Username")
    request.proxy_password = phone:param("Proxy_Password")
  end
  return true
end

-- TFTP_Client_Ports "lo:hi".
local function tftp_ports(phone)
  local lo, hi = (phone:param("TFTP_Client_Ports") or ""):match(
    "^(%d+):(%d+)$")
  return number(lo), number(hi)
end

local function tftp_request(phone, u, ask)
  local lo, hi = tftp_ports(phone)
  return { scheme = "tftp", host = u.host, port = u.port, path = u.path,
    body = ask.body, port_lo = lo, port_hi = hi, max = ask.max,
    total = ask.total or TOTAL_S }
end

local function http_request(run, u, ask)
  local phone, trace = run.phone, run.trace
  local request = { scheme = u.scheme, url = url.format(u), host = u.host,
    port = u.port, method = ask.method or "GET", headers = headers(phone, ask),
    body = ask.body, user = ask.user, password = ask.password,
    auth = ask.no_clear_basic and u.scheme == "http" and { "digest" } or nil,
    max = ask.max, total = ask.total or TOTAL_S }
  if u.scheme == "https" then
    tls_policy.restore_sessions(phone)
    request.tls = tls_policy.policy(phone, trace)
  end
  local ok, failed = add_proxy(phone, trace, request)
  if not ok then return nil, failed end
  return request
end

-- May the next address answer where this one did not? Not once a sink has
-- taken bytes: what it has would be followed by the beginning of the file. Nor
-- may what was sent be sent again when a server may have taken it.
local function is_dead_end(ask, failed)
  local word, facts = failed.word, failed.facts or {}
  local was_sent = (facts.sent or 0) > 0
  if (failed.taken or 0) > 0 then return false end
  if word == "connect" then
    return not was_sent or (ask.method or "GET") == "GET"
  end
  return word == "timeout" and (facts.received or 0) == 0 and not was_sent
end

-- Believed because an administrator's lists hold the certificate?
local function is_listed(request, tls)
  return tls.pinned and not request.tls.once
end

local function note_answer(trace, request, answer, sentence, word)
  local facts = answer or {}
  local tls = facts.tls or {}
  local leaf = tls.chain and tls.chain[1]
  trace:add("response", {
    status = facts.status ~= 0 and facts.status or nil,
    bytes = facts.taken or facts.body and #facts.body,
    peer = facts.peer, sent = facts.sent, word = word, text = sentence,
    tls = tls.version, cipher = tls.cipher, address = request.address,
    certificate = leaf and { subject = leaf.subject, issuer = leaf.issuer,
      not_after = leaf.not_after, sha256 = leaf.sha256 },
    client_certificate = tls.client_cert_sent or nil,
    listed = is_listed(request, tls) or nil,
    seconds = facts.timing and facts.timing.total,
  })
  if is_listed(request, tls) then
    trace:note("trust", nil, visible.line(("the certificate of %s is believed "
      .. "because the lists hold it: nothing else of it is checked"):format(
        request.host)))
  end
end

local function request_of(run, u, ask)
  if u.scheme == "tftp" then return tftp_request(run.phone, u, ask) end
  return http_request(run, u, ask)
end

-- The dates of a certificate mean little to a phone without a clock: that is
-- what is wrong then, not the certificate. One that had expired when this
-- program was built has expired. Nothing is let pass by it.
local function date_failure(phone, sentence, word)
  local now = phone.world.now()
  local doubtful = word == "c.future"
    or word == "c.expired" and now.time >= (now.earliest or 0)
  if doubtful and not now.trusted then
    return "the clock is not set, and certificates have dates: " .. sentence,
      "clock"
  end
  return sentence, word
end

-- Why a server that asks for a password by Basic gets none, though there is
-- one: "clear" or "let-pass"; nil: nothing was held back.
local function withheld(request, answer)
  if answer.status ~= 401 or answer.auth_exhausted or not request.auth
    or not request.user then
    return nil
  end
  local asked = transport.header(answer, "www-authenticate", true) or ""
  if not asked:lower():find("%f[%w]basic%f[%W]") then return nil end
  return request.tls and "let-pass" or "clear"
end

local WITHHELD <const> = {
  clear = "they are not sent in clear: it wants Basic, over http",
  ["let-pass"] = "they are not sent: it wants Basic, and its certificate has "
    .. "failed a check and was only let pass",
  redirect = "they are not sent: they are for the server that redirected here",
}

-- One exchange; answer.taken is what a sink has got, however it ended.
local function attempt(run, request, ask)
  local taken = ask.sink and 0
  request.sink = ask.sink and function(bytes)
    taken = taken + #bytes
    return ask.sink(bytes)
  end
  local answer, sentence, word, facts = run.phone.world.fetch(request)
  if not answer then
    sentence, word = date_failure(run.phone, sentence, word)
  end
  local known = answer or facts or {}
  known.taken = taken or nil
  note_answer(run.trace, request, known, sentence, word)
  if not answer then
    return nil, { sentence = sentence, word = word, facts = facts,
      taken = taken or nil }
  end
  answer.address = request.address
  answer.withheld = withheld(request, answer)
  if answer.withheld then
    run.trace:note("withheld", nil, visible.line(("%s asks for user and "
      .. "password; %s"):format(request.host, WITHHELD[answer.withheld])))
  end
  return answer
end

-- A certificate that fails a check may pass at a second look.
local function at_address(run, request, ask)
  local answer, failed = attempt(run, request, ask)
  if answer or not request.tls then return answer, failed end
  local again = second_look.again(run, request, failed)
  if not again then return nil, failed end
  answer, failed = attempt(run, again, ask)
  if answer then answer.let_pass = true end
  return answer, failed
end

-- One URL at each of its addresses in turn, until one answers.
--   name   that has these addresses: the URL's host, or an SRV target
local function try_addresses(run, u, ask, name, addresses)
  local failed
  local asked_of_dns = {}
  for i = 1, math.min(#addresses, MAX_ADDRESSES) do
    local request
    request, failed = request_of(run, u, ask)
    if not request then return nil, failed end
    request.address = addresses[i].address
    if request.tls then
      request.tls.dns_failure = dns_check.failure(run.phone, u.host, name,
        request.address, asked_of_dns)
    end
    local answer
    answer, failed = at_address(run, request, ask)
    if answer then return answer end
    if not is_dead_end(ask, failed) then break end
  end
  return nil, failed
end

-- SRV: ascending priority, then ascending weight (the guide's order, not the
-- lottery of RFC 2782). The name that certificates are checked by stays.
local function srv_targets(run, u)
  local name = u.scheme == "https" and "_ciscoprov-https._tls." or
    "_ciscoprov-http._tcp."
  local list, sentence, word = run.phone.world.resolve(name .. u.host, "SRV")
  if not list then return failure(sentence, word) end
  table.sort(list, function(a, b)
    if a.priority ~= b.priority then return a.priority < b.priority end
    if a.weight ~= b.weight then return a.weight < b.weight end
    return a.target < b.target
  end)
  run.trace:add("srv", { name = name .. u.host, answers = #list })
  return list
end

-- Servers that a URL stands for: { host to look up, port }.
local function targets_of(run, u, ask)
  if not ask.srv then return { { host = u.host, port = u.port } } end
  local list, failed = srv_targets(run, u)
  if not list then return nil, failed end
  local targets = {}
  for i, answer in ipairs(list) do
    targets[i] = { host = answer.target, port = answer.port }
  end
  return targets
end

local function with_port(u, port)
  if port == u.port then return u end
  local copy = {}
  for key, value in pairs(u) do copy[key] = value end
  copy.port, copy.port_given = port, true
  return copy
end

-- Addresses of a server. Behind a proxy the proxy looks it up, and may know
-- names that nobody here does: one entry without an address.
local function look_up(run, u, host)
  local phone = run.phone
  if u.scheme ~= "tftp" and proxy_host(phone) then return { {} } end
  local found, sentence, word = phone.world.resolve(host, "ADDR", true)
  run.trace:add("resolve", { name = host, addresses = found and #found,
    address = found and found[1] and found[1].address,
    text = sentence, word = word })
  return found, sentence, word
end

-- One URL, without redirects.
local function exchange(run, u, ask, on_target)
  local ok, failed = check_domain(run.phone, u.host)
  if not ok then return nil, failed end
  local targets
  targets, failed = targets_of(run, u, ask)
  if not targets then
    on_target(u, nil)
    return nil, failed
  end
  for _, target in ipairs(targets) do
    local at = with_port(u, target.port)
    local found, sentence, word = look_up(run, at, target.host)
    on_target(at, found and found[1].address)
    if found then
      local answer
      answer, failed = try_addresses(run, at, ask, target.host, found)
      if answer then return answer end
      if not is_dead_end(ask, failed) then break end
    else
      failed = { sentence = sentence, word = word }
    end
  end
  return nil, failed
end

--- First header of that name (lower case), or nil; with `join` all of them.
function transport.header(answer, name, join)
  local found = {}
  for _, pair in ipairs(answer.headers or {}) do
    if pair[1]:lower() == name then found[#found + 1] = pair[2] end
  end
  if join then return found[1] and table.concat(found, ", ") end
  return found[1]
end

-- Where a 301 or 302 leads, or nil and why it leads nowhere.
local function redirect_of(answer, u)
  local location = transport.header(answer, "location")
  if not location then return failure("redirect without Location",
    "bad-response", answer) end
  local to, sentence = url.resolve(u, location)
  if not to or not to.host then
    return failure("redirect to a bad address: " .. tostring(sentence),
      "bad-response", answer)
  end
  if to.scheme ~= "http" and to.scheme ~= "https" then
    return failure("redirect to " .. to.scheme, "bad-response", answer)
  end
  if u.scheme == "https" and to.scheme == "http" then
    return failure("redirect from https to http refused", "bad-response",
      answer)
  end
  return to
end

local function same_server(a, b)
  return a.scheme == b.scheme and a.host == b.host and a.port == b.port
end

-- Where it leads, unless what is asked stays with one server.
local function follow(answer, u, ask)
  local to, failed = redirect_of(answer, u)
  if not to then return nil, failed end
  if ask.same_server and not same_server(u, to) then
    return failure(("the server redirects to %s; what it is asked is asked of "
      .. "no other server"):format(url.format(to)), "bad-response", answer)
  end
  return to
end

-- What is asked of the server that a redirect names: method and body stay,
-- credentials stay with the server that they were meant for.
local function ask_again(ask, from, to)
  local copy = {}
  for key, value in pairs(ask) do copy[key] = value end
  copy.srv = nil
  if not same_server(from, to) then copy.user, copy.password = nil, nil end
  return copy
end

--- Fetch a file, or send one.
-- @param run  phone, trace, rules: see cycle/context.lua
-- @param u    parsed URL with a host
-- @param ask  method, body, content_type, headers (further lines), srv,
--   account.answer(); max (bytes), total (s); plain = true: no content
--   codings; same_server = true: no redirect to another server is followed;
--   sink = function(bytes) -> true | nil, sentence, word, which takes the body
--   in pieces, of status 2xx only, and must not wait
-- @tparam function on_target called once per server looked up, with the URL
--   and the address (nil: not found), before it is contacted
-- @treturn[1] table the answer: body, status (nil for tftp), headers, peer,
--   tls, url (where it came from), redirects, address (that answered `u`,
--   which is what messages name), taken (bytes a sink got; no body then),
--   let_pass (true: a server on the way failed a check of its certificate),
--   withheld (of status 401: why user and password were held back: "clear",
--   "let-pass", "redirect")
-- @treturn[2] nil
-- @treturn[2] table { sentence, word, status, facts }
function transport.fetch(run, u, ask, on_target)
  local first, redirects, had_user = u, 0, ask.user
  local address, let_pass
  while true do
    local answer, failed = exchange(run, u, ask,
      redirects == 0 and on_target or function() end)
    if not answer then return nil, failed end
    if redirects == 0 then address = answer.address end
    let_pass = let_pass or answer.let_pass
    if not cause.follows(answer.status) then
      answer.url, answer.redirects, answer.asked = u, redirects, first
      answer.address, answer.let_pass = address, let_pass
      if answer.status == 401 and had_user and not ask.user then
        answer.withheld = "redirect"
      end
      return answer
    end
    if redirects == MAX_REDIRECTS then
      return failure(("more than %d redirects"):format(MAX_REDIRECTS),
        "bad-response", answer)
    end
    local to
    to, failed = follow(answer, u, ask)
    if not to then return nil, failed end
    redirects = redirects + 1
    run.trace:add("redirect", { status = answer.status, to = url.format(to) })
    ask, u = ask_again(ask, u, to), to
  end
end

--- Class and texts of an answer or a failure (see cause.lua).
function transport.judge(answer, failed)
  if failed then
    return cause.of(failed.word, failed.status, failed.sentence)
  end
  if not answer.status then return cause.of("ok") end
  return cause.http(answer.status, #(answer.body or ""),
    answer.auth_exhausted)
end

local ASKED <const> = {
  [401] = { "the server asks for a user and password, and there are none",
    "the server refused the user and password" },
  [407] = { "the proxy asks for a user and password, and there are none",
    "the proxy refused the user and password" },
}

--- What is wrong with an HTTP answer that is no success, for people.
function transport.sentence(answer)
  if answer.withheld then
    return "the server asks for user and password; "
      .. WITHHELD[answer.withheld]
  end
  local asked = ASKED[answer.status]
  if asked then return asked[answer.auth_exhausted and 2 or 1] end
  return ("the server answered HTTP %d"):format(answer.status)
end

return transport
