--- Privacy of SIP messages: asks the rule, and edits the message.
-- The telephony of the phone hands in each message before it is sent.
-- Source: MPP administration guide, Privacy_Header_N_; RFC 3323, RFC 3325.
local classic = require "peal.classic.privacy"
local context = require "peal.cycle.context"
local sip_message = require "peal.sip_message"

local privacy = {}

-- What proves who the phone is to a server is no business of a rule.
local CREDENTIALS <const> = { authorization = true,
  ["proxy-authorization"] = true }

local function message_of(sip)
  local headers = {}
  for i, one in ipairs(sip.headers) do
    local hidden = CREDENTIALS[one.name:lower()]
    headers[i] = { name = one.name, value = hidden and "" or one.value }
  end
  return {
    method = sip.method or (sip:get("CSeq") or ""):match("^%d+%s+(%S+)"),
    uri = sip.uri, status = sip.status, headers = headers,
    in_dialog = classic.tag(sip:get("To")) ~= nil,
  }
end

-- `"Name" <sip:user@host>` of a line, from its parameters; nil without user.
local function aor_of(phone, line)
  local user = phone:param(("User_ID_%d_"):format(line)) or ""
  local host = (phone:param(("Proxy_%d_"):format(line)) or "")
    :gsub(":%d+$", "")
  if user == "" or host == "" then return nil end
  local name = phone:param(("Display_Name_%d_"):format(line)) or ""
  local shown = name ~= "" and
    ('"%s" '):format((name:gsub('["\\]', "\\%0"))) or ""
  user = user:gsub("[^%w%-_%.!~%*'%(%)&=%+%$,;%?/]", function(c)
    return ("%%%02X"):format(c:byte())
  end)
  return ("%s<sip:%s@%s>"):format(shown, user, host)
end

-- What From says of who sends it, unless that is nobody.
local function sender(sip)
  local from = sip:get("From") or ""
  if from:find("anonymous.invalid", 1, true) then return nil end
  return classic.who(from)
end

local function numbers(text)
  local list = {}
  for number in text:gmatch("[^%s,;]+") do list[#list + 1] = number end
  return list
end

local function values_of(phone, ask)
  local values = ask.values
  if type(values) == "string" then
    local list = {}
    for value in values:gmatch("[^;%s]+") do list[#list + 1] = value end
    return list
  end
  return values or
    { phone:param(("Privacy_Header_%d_"):format(ask.line)) or "Disabled" }
end

-- Nothing that a rule puts in ends a line or begins another header.
local function check(edits)
  local function fits(name, value)
    return sip_message.is_name(name) and not value:find("[%c\127]")
  end
  for name, value in pairs(edits.set or {}) do
    if not fits(name, value) then return nil, name end
  end
  for _, one in ipairs(edits.add or {}) do
    if not fits(one.name, one.value) then return nil, one.name end
  end
  return true
end

local function apply(sip, edits)
  for _, name in ipairs(edits.remove or {}) do sip:remove(name) end
  for name, value in pairs(edits.set or {}) do sip:set(name, value) end
  sip:add(edits.add or {})
end

--- A SIP message as the privacy of its line wants it.
--   ask.line        1 ..
--   ask.message     bytes
--   ask.values      list, or text such as "id;critical"; nil: what the line's
--                   Privacy_Header_N_ says
--   ask.self_mask   true: no service in the network hides what the phone does
--                   not
--   ask.aor         '"Name" <sip:user@host>'; nil: what From says, else the
--                   line's parameters
--   ask.added       Privacy value that an earlier call has put in, where the
--                   message is sent once more
-- Values that contradict each other are the caller's mistake, and raise.
-- @treturn[1] string bytes
-- @treturn[1] table added: the Privacy value put in, or nil; reason
-- @return[2] nil, sentence, word
function privacy.apply(phone, run, ask)
  local values, why = classic.values(values_of(phone, ask))
  if not values then error("privacy: " .. why, 2) end
  local sip, sentence, word = sip_message.parse(ask.message)
  if not sip then return nil, sentence, word end
  local edits = context.ask(run, "privacy", {
    line = ask.line, message = message_of(sip), values = values,
    aor = ask.aor or sender(sip) or aor_of(phone, ask.line),
    self_mask = ask.self_mask or false, added = ask.added,
    emergency = numbers(phone:param(
      ("Emergency_Number_%d_"):format(ask.line)) or ""),
  })
  local ok, name = check(edits)
  if not ok then
    return nil, ("the privacy rule gives %q a value that no header can have")
      :format(name), "invalid"
  end
  local before = sip:get("Privacy")
  apply(sip, edits)
  local after = sip:get("Privacy")
  local own = after and (after ~= before or after == ask.added)
  return sip:encode(), { added = own and after or nil,
    reason = edits.reason }
end

return privacy
