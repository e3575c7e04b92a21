--- What a line's privacy changes in a SIP message, by the RFCs.
-- Which value hides what is the rule's to say (rules/privacy.lua); this is
-- how, and where not.
-- Source: RFC 3323, RFC 3325; MPP administration guide, Privacy_Header_N_.
local privacy = {}

local ANONYMOUS <const> = '"Anonymous" <sip:anonymous@anonymous.invalid>'
local NOBODY <const> = "anonymous.invalid"

-- Values that go together, in the order of the header.
local ORDER <const> = { "header", "session", "user", "id", "critical" }
local ALONE <const> = { none = true, Disabled = true }

local known = {}
for _, value in ipairs(ORDER) do known[value] = true end

--- A list of values in order, and the same as a set.
-- @return[2] nil, sentence, "invalid"
function privacy.values(list)
  local set, ordered = {}, {}
  for _, value in ipairs(list) do
    if not known[value] and not ALONE[value] then
      return nil, "no value of a Privacy header: " .. value, "invalid"
    elseif ALONE[value] and #list > 1 then
      return nil, ("%s stands alone in a Privacy header"):format(value),
        "invalid"
    elseif set[value] then
      return nil, ("%s is twice in a Privacy header"):format(value), "invalid"
    end
    set[value] = true
  end
  if set.critical and #list == 1 then
    return nil, "critical says of other values that they matter", "invalid"
  end
  for _, value in ipairs(ORDER) do
    if set[value] then ordered[#ordered + 1] = value end
  end
  if ALONE[list[1]] then ordered[1] = list[1] end
  return ordered, set
end

local function header(message, name)
  name = name:lower()
  for _, one in ipairs(message.headers) do
    if one.name:lower() == name then return one.value end
  end
end

-- Where the quoted text at `at` ends.
local function behind_quote(text, at)
  repeat
    local c
    at, c = text:match('()(["\\])', at + 1)
    if c == "\\" then at = at + 1 end
  until not at or c == '"'
  return at and at + 1
end

-- URI and parameters of an address such as `"Name" <sip:user@host>;tag=1`.
local function address(value)
  local at = value:find("%S") or 1
  if value:sub(at, at) == '"' then at = behind_quote(value, at) or at end
  local uri, params = value:match("^[^<]*<([^>]*)>(.*)$", at)
  if uri then return uri, params end
  return value:match("^%s*([^;%s]*)%s*(.*)$")
end

local function tag_of(value)
  local _, params = address(value or "")
  return params:match(";%s*[tT][aA][gG]%s*=%s*([^;%s]+)")
end

--- The tag of a From or To: no `;tag=` of a name or of a URI.
privacy.tag = tag_of

--- Name and URI of a From, without its parameters; nil: it has none.
function privacy.who(value)
  local from = value:find("%S")
  local at = from
  if from and value:sub(from, from) == '"' then
    at = behind_quote(value, from)
  end
  local to = at and value:match("^[^<]*<[^<>]*>()", at)
  if to then return value:sub(from, to - 1) end
  local uri = value:match("^%s*([^;%s<>\"]+)")
  return uri and ("<%s>"):format(uri)
end

local function user_of(uri)
  local user = uri:match("^[sS][iI][pP][sS]?:([^@;:]+)[^@]*@")
    or uri:match("^[tT][eE][lL]:([^;]+)") or ""
  return (user:gsub("[%-%.%(%)]", ""))
end

-- Does the message belong to a call for help? Those hide nothing.
local function is_emergency(phone)
  local to = address(header(phone.message, "To") or "")
  for _, uri in ipairs { phone.message.uri or "", to } do
    if uri:lower():find("^urn:service:sos") then return true end
    local user = user_of(uri)
    for _, number in ipairs(phone.emergency or {}) do
      if user ~= "" and user == number then return true end
    end
  end
  return false
end

-- Options of all Proxy-Require headers but `privacy`; was that one there?
local function required(message)
  local others, found = {}, false
  for _, one in ipairs(message.headers) do
    if one.name:lower() == "proxy-require" then
      for option in one.value:gmatch("[^%s,]+") do
        if option:lower() == "privacy" then
          found = true
        else
          others[#others + 1] = option
        end
      end
    end
  end
  return others, found
end

-- Take back what an earlier value has put in.
local function undo(edits, phone)
  if not phone.added then return end
  if phone.added:find("critical", 1, true) then
    local others, found = required(phone.message)
    if found then
      edits.remove[#edits.remove + 1] = "Proxy-Require"
      if #others > 0 then
        edits.add[1] = { name = "Proxy-Require",
          value = table.concat(others, ", ") }
      end
    end
  end
end

local function put(edits, message, name, value)
  if header(message, name) then
    edits.set[name] = value
  else
    edits.add[#edits.add + 1] = { name = name, value = value }
  end
end

local function hide(edits, names, message, hidden)
  for _, name in ipairs(names) do
    local counts = name ~= "Referred-By" or message.method == "REFER"
    if name == "Warning" then
      local value = header(message, name)
      edits.set.Warning = value and
        value:gsub("^(%d%d%d )%S+", "%1" .. NOBODY) or nil
    elseif counts and not hidden[name] then
      hidden[name] = true
      edits.remove[#edits.remove + 1] = name
    end
  end
end

-- A Contact that says where, not who.
local function masked_contact(value)
  local uri, params = address(value)
  local scheme, rest = uri:match("^([sS][iI][pP][sS]?:)(.*)$")
  if not scheme then return value end
  return ("<%s%s>%s"):format(scheme, rest:gsub("^.*@", ""), params)
end

local function mask(edits, message)
  local contact = header(message, "Contact")
  if contact then edits.set.Contact = masked_contact(contact) end
  local call_id = header(message, "Call-ID")
  local start = call_id and call_id:match("^([^@]*)@")
  if start and not message.in_dialog then
    local tag = tag_of(header(message, "From"))
    edits.set["Call-ID"] = tag and start .. "@" .. tag or start
  end
end

local function anonymous(message)
  local tag = tag_of(header(message, "From"))
  return ANONYMOUS .. (tag and ";tag=" .. tag or "")
end

local function edit_request(edits, phone, policy, values, set)
  local message, hidden = phone.message, {}
  local masks = phone.self_mask and (set.user or set.id)
  for _, value in ipairs(values) do
    hide(edits, policy.hides[value] or {}, message, hidden)
  end
  if masks then
    hide(edits, policy.identity, message, hidden)
    mask(edits, message)
  end
  if (set.id or masks) and not message.in_dialog then
    edits.set.From = anonymous(message)
  end
  if set.id and not message.in_dialog and phone.aor
    and not header(message, "P-Preferred-Identity") then
    put(edits, message, "P-Preferred-Identity", phone.aor)
  end
end

local function require_privacy(edits, message)
  local others, found = required(message)
  if not found then
    others[#others + 1] = "privacy"
    put(edits, message, "Proxy-Require", table.concat(others, ", "))
  end
end

local function nothing(reason)
  return { reason = reason }
end

-- Values that an answer to a call says.
local function of_answer(policy, values)
  local out = {}
  for _, value in ipairs(values) do
    if policy.answers[value] then out[#out + 1] = value end
  end
  return out
end

--- The changes of a message.
--   policy.hides      value -> names of headers that it takes out
--   policy.identity   names that self_mask takes out as well
--   policy.answers    values that answers to a call say
-- A Privacy header that somebody else has put in, or none of the line's own
-- that fits, leaves the message as it is.
function privacy.edits(phone, policy)
  local message = phone.message
  local present = header(message, "Privacy")
  local values, set = privacy.values(phone.values)
  if not values then error(set, 0) end
  if message.method == "ACK" or message.method == "CANCEL" then
    return nothing(message.method .. " goes with what it belongs to")
  elseif present and present ~= phone.added then
    return nothing("the message has a Privacy header of its own")
  elseif message.status and message.method ~= "INVITE" then
    return nothing("only answers to an INVITE say it")
  end
  local edits = { remove = {}, set = {}, add = {} }
  if not set.critical or message.status then undo(edits, phone) end
  local sos = is_emergency(phone)
  if message.status then values = of_answer(policy, values) end
  if sos or set.Disabled or #values == 0 then
    if present then edits.remove[#edits.remove + 1] = "Privacy" end
    edits.reason = sos and "a call for help hides nothing" or nil
    return edits
  end
  local plain = message.status or message.method == "REGISTER" or set.none
  if not plain then edit_request(edits, phone, policy, values, set) end
  put(edits, message, "Privacy", table.concat(values, ";"))
  if set.critical and not plain then require_privacy(edits, message) end
  return edits
end

return privacy
