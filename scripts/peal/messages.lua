--- The messages of resyncs and upgrades to the syslog and debug servers.
-- Source: MPP provisioning guide, Log_Request_Msg, Log_Success_Msg,
-- Log_Failure_Msg, Log_Upgrade_Request_Msg and its kin, Syslog_Server,
-- Syslog_Identifier, Debug_Server.
local macro = require "peal.macro"
local syslog = require "peal.syslog"

local messages = {}

local KINDS <const> = {
  request = { param = "Log_Request_Msg", severity = "notice",
    msgid = "RESYNC-REQ" },
  success = { param = "Log_Success_Msg", severity = "notice",
    msgid = "RESYNC-OK" },
  failure = { param = "Log_Failure_Msg", severity = "error",
    msgid = "RESYNC-FAIL" },
  upgrade_request = { param = "Log_Upgrade_Request_Msg", severity = "notice",
    msgid = "UPG-REQ" },
  upgrade_success = { param = "Log_Upgrade_Success_Msg", severity = "notice",
    msgid = "UPG-OK" },
  upgrade_failure = { param = "Log_Upgrade_Failure_Msg", severity = "error",
    msgid = "UPG-FAIL" },
}

local ADDRESS_AGE_S <const> = 300

-- Address of a log server; nil while its name cannot be looked up, which is
-- no fault of the resync.
local function address_of(phone, host)
  local known = phone.log_servers and phone.log_servers[host]
  local now = phone.world.now().mono
  if known and now - known.at < ADDRESS_AGE_S then return known.address end
  local list = phone.world.resolve(host, "ADDR", true)
  local address = list and list[1] and list[1].address
  phone.log_servers = phone.log_servers or {}
  phone.log_servers[host] = { at = now, address = address }
  return address
end

local function ident(phone)
  local choice = phone:param("Syslog_Identifier") or "None"
  if choice == "None" then return nil end
  local variable = choice:match("^%$(%u+)$")
  return variable and phone:variables()(variable)
end

local function send(phone, audience, severity, msgid, text)
  local targets = syslog.audience(phone:param("Syslog_Server") or "",
    phone:param("Debug_Server") or "", audience)
  if #targets == 0 then return end
  local bytes = syslog.format {
    format = phone:param("Syslog_Format") or "cisco",
    time = phone.world.now().time,
    severity = severity,
    ident = ident(phone),
    ip = phone.identity.IP,
    msgid = msgid,
    text = text,
  }
  local sent = {} -- two names may be one server
  for _, target in ipairs(targets) do
    local address = address_of(phone, target.host)
    local where = address and ("%s %d"):format(address, target.port)
    if address and not sent[where] then
      sent[where] = true
      if not phone.world.send({ address = address, port = target.port }, bytes)
      then
        phone.log_servers[target.host] = nil
      end
    end
  end
end

--- Send the message of a kind ("request", "success", "failure", and the same
-- after "upgrade_"), unless its parameter is blank.
-- @param request  SCHEME, SERV, SERVIP, PORT, PATH
-- @param[opt] err text of $ERR
-- @treturn string the text, "" where it is suppressed
function messages.send(phone, trace, kind, request, err)
  local about = KINDS[kind]
  local text = phone:expand_param(about.param,
    { request = request, ERR = err or "" }) or ""
  if not text:find("%S") then return "" end
  trace:add("log", { severity = about.severity, text = text })
  send(phone, "message", about.severity, about.msgid, text)
  return text
end

--- A line on something that people look for later: who the phone is, or whom
-- it believes, has changed. No parameter suppresses it.
--   severity   "error", "notice" ...
function messages.audit(phone, severity, msgid, text)
  local who = macro.expand("$PN $MAC -- ", phone:variables())
  send(phone, "message", severity, msgid, who .. text)
end

--- A line for the debug server, where Debug_Level lets it pass.
-- @tparam string severity "info" or "debug"
function messages.debug(phone, severity, text)
  local passes = syslog.debug_level(phone:param("Debug_Level") or "NOTICE")
  if passes(severity) then send(phone, "debug", severity, "DEBUG", text) end
end

local function joined(...)
  local out = {}
  for i = 1, select("#", ...) do
    local part = select(i, ...)
    if part and part ~= "" then out[#out + 1] = tostring(part) end
  end
  return table.concat(out, " ")
end

-- Steps of a trace as debug lines: severity and text.
local LINES <const> = {
  rule = function(step)
    return "info", joined(step.rule .. ":", step.action, step.reason,
      step.expanded)
  end,
  refused = function(step)
    return "info", joined("refused", step.name, step.reason)
  end,
  note = function(step) return "info", joined(step.text) end,
  apply = function(step)
    return "info", ("%s: %d elements, %d unknown, %d bad"):format(step.rule,
      step.elements, step.unknown, step.bad)
  end,
  commit = function(step)
    return "info", ("%s: %d changes"):format(step.rule, step.changes)
  end,
  resolve = function(step)
    return "debug", joined("lookup", step.name, step.addresses, step.text)
  end,
  fetch = function(step) return "debug", joined(step.method, step.url) end,
  redirect = function(step)
    return "debug", joined("redirect", step.status, step.to)
  end,
  response = function(step)
    return "debug", joined("answer", step.status, step.bytes and
      step.bytes .. " bytes", "from", step.peer, step.tls, step.cipher,
      step.certificate and step.certificate.subject, step.text)
  end,
  trust = function(step)
    return "debug", joined("certificate", step.accept and "let pass:"
      or "refused:", step.text, step.certificate.sha256)
  end,
  decode = function(step)
    return "debug", joined("decode", table.concat(step.steps or {}, ", "),
      step.text)
  end,
}

--- Who sends the steps of a trace to the debug server; nil at NOTICE and
-- stricter, where nobody wants them.
function messages.listener(phone)
  local passes = syslog.debug_level(phone:param("Debug_Level") or "NOTICE")
  if not passes("info") then return nil end
  return function(step)
    local line = LINES[step.step]
    if not line then return end
    local severity, text = line(step)
    if passes(severity) then send(phone, "debug", severity, "DEBUG", text) end
  end
end

return messages
