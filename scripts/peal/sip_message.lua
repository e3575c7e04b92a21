--- A SIP message as its lines: just enough to add, change and remove headers.
-- What is not touched keeps its bytes.
-- Source: RFC 3261 §7 and §25; limits are our choice.
local sip_message = {}
sip_message.__index = sip_message

local BYTES_MAX <const> = 65536
local HEADERS_MAX <const> = 256

-- Compact forms (IANA registry of SIP header fields).
local LONG <const> = { a = "Accept-Contact", b = "Referred-By",
  c = "Content-Type", d = "Request-Disposition", e = "Content-Encoding",
  f = "From", i = "Call-ID", j = "Reject-Contact", k = "Supported",
  l = "Content-Length", m = "Contact", n = "Identity-Info", o = "Event",
  r = "Refer-To", s = "Subject", t = "To", u = "Allow-Events", v = "Via",
  x = "Session-Expires", y = "Identity" }

-- Headers that a message has once; of two, each reader might take another.
local ONCE <const> = { from = true, to = true, ["call-id"] = true,
  cseq = true }

-- Characters of a token, for patterns.
local TOKEN <const> = "[%w%-%.!%%*_+`'~]+"

local function bad(text)
  return nil, "not a SIP message: " .. text, "invalid"
end

--- Is `text` a name that a header may have?
function sip_message.is_name(text)
  return text:find("^" .. TOKEN .. "$") ~= nil
end

--- The name that two spellings of a header share, for comparisons.
function sip_message.key(name)
  local key = name:lower()
  return (LONG[key] or key):lower()
end

local function read_start(self, line)
  local method, uri = line:match("^(" .. TOKEN .. ") (%S+) SIP/2%.0$")
  if method then
    self.method, self.uri = method, uri
    return true
  end
  local status = line:match("^SIP/2%.0 ([1-6]%d%d) ")
    or line:match("^SIP/2%.0 ([1-6]%d%d)$")
  self.status = math.tointeger(tonumber(status))
  return self.status ~= nil
end

-- A line of the head, without its end: a header, or more of the one before.
local function read_header(self, line, raw)
  local more = line:match("^[ \t]+(.-)[ \t]*$")
  local last = self.headers[#self.headers]
  if more then
    if not last then return bad("its headers begin with a blank") end
    last.value = more ~= "" and last.value .. " " .. more or last.value
    last.raw = last.raw .. raw
    return true
  end
  local name, value = line:match("^(" .. TOKEN .. ")[ \t]*:[ \t]*(.-)[ \t]*$")
  if not name then return bad("a line of its head is no header") end
  local key = sip_message.key(name)
  if ONCE[key] and self:get(key) then
    return bad(("it has two %s headers"):format(LONG[name:lower()] or name))
  elseif #self.headers == HEADERS_MAX then
    return nil, ("a SIP message with more than %d headers"):format(
      HEADERS_MAX), "limit"
  end
  self.headers[#self.headers + 1] = { spelled = name, value = value,
    name = LONG[name:lower()] or name, key = key, raw = raw }
  return true
end

-- The line at `at`: without its end, its end, where the next one begins.
local function line_at(bytes, at)
  local to = bytes:find("\n", at, true)
  if not to then return nil end
  local eol = bytes:sub(to - 1, to) == "\r\n" and to > at and "\r\n" or "\n"
  return bytes:sub(at, to - #eol), eol, to + 1
end

--- Take a message apart.
-- @treturn[1] table method and uri, or status; headers in order, each name
--   (long form), value (folded lines as one), key (for comparisons); body
-- @return[2] nil, sentence, "invalid" or "limit"
function sip_message.parse(bytes)
  if #bytes > BYTES_MAX then
    return nil, ("a SIP message of more than %d bytes"):format(BYTES_MAX),
      "limit"
  end
  local self = setmetatable({ headers = {} }, sip_message)
  local begin = bytes:match("^[\r\n]*()") -- keep-alive of RFC 5626
  local line, eol, at = line_at(bytes, begin)
  local _
  if not line or not read_start(self, line) then
    return bad("its first line is no request and no status")
  end
  self.start, self.eol = bytes:sub(1, at - 1), eol
  while true do
    local from = at
    line, _, at = line_at(bytes, from)
    if not line then return bad("no empty line ends its headers") end
    if line:find("[\0-\8\10-\31\127]") then
      return bad("a control character is in its headers")
    end
    if line == "" then
      self.rest = bytes:sub(from)
      self.body = bytes:sub(at)
      return self
    end
    local ok, sentence, word = read_header(self, line,
      bytes:sub(from, at - 1))
    if not ok then return nil, sentence, word end
  end
end

--- Value of the first header of a name in any spelling; nil: there is none.
function sip_message:get(name)
  local key = sip_message.key(name)
  for _, header in ipairs(self.headers) do
    if header.key == key then return header.value end
  end
end

--- Take out all headers of a name.
function sip_message:remove(name)
  local key, kept = sip_message.key(name), {}
  for _, header in ipairs(self.headers) do
    if header.key ~= key then kept[#kept + 1] = header end
  end
  self.headers = kept
end

--- Change the first header of a name, if there is one.
function sip_message:set(name, value)
  local key = sip_message.key(name)
  for _, header in ipairs(self.headers) do
    if header.key == key then
      if header.value ~= value then
        header.raw = ("%s: %s%s"):format(header.spelled, value, self.eol)
        header.value = value
      end
      return
    end
  end
end

local function last_of(self, key)
  for i = #self.headers, 1, -1 do
    if self.headers[i].key == key then return i end
  end
end

--- Put headers in behind Contact, else CSeq, else at the end.
-- @param list of { name =, value = }
function sip_message:add(list)
  local at = last_of(self, "contact") or last_of(self, "cseq")
    or #self.headers
  for i, header in ipairs(list) do
    table.insert(self.headers, at + i, { spelled = header.name,
      name = header.name, value = header.value,
      key = sip_message.key(header.name),
      raw = ("%s: %s%s"):format(header.name, header.value, self.eol) })
  end
end

--- The message as bytes.
function sip_message:encode()
  local parts = { self.start }
  for _, header in ipairs(self.headers) do parts[#parts + 1] = header.raw end
  parts[#parts + 1] = self.rest
  return table.concat(parts)
end

return sip_message
