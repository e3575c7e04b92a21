--- URLs as rules write them, and references as redirects send them.
--
-- A parsed URL is a table:
--   scheme        "tftp", "http" or "https"
--   scheme_given  the text named it
--   host          lower case, IPv6 without brackets; nil: none named
--   ipv6          the host is an IPv6 address
--   port          integer, the scheme's if none was named
--   port_given    the text named it
--   path          from the first "/", query included, percent-encoded
--   user, password   decoded, or nil
--
-- Source: MPP provisioning guide, "Profile rules", URL syntax; RFC 3986.
local url = {}

local find, match, sub, byte = string.find, string.match, string.sub,
  string.byte

local TEXT_MAX <const> = 8192
local HOST_MAX <const> = 253

local PORTS <const> = { tftp = 69, http = 80, https = 443 }

local function bad(sentence)
  return nil, sentence, "bad-url"
end

local function ipv4_ok(text)
  local count = 0
  for part in (text .. "."):gmatch("([^.]*)%.") do
    count = count + 1
    if count > 4 or not find(part, "^[0-9][0-9]?[0-9]?$")
      or tonumber(part) > 255 or find(part, "^0[0-9]") then
      return false
    end
  end
  return count == 4
end

-- Groups of a half of an IPv6 address, or nil if one is malformed. Dotted
-- quads count as two and may only end the address.
local function ipv6_groups(text, last)
  if text == "" then
    return 0
  end
  local count = 0
  for part, tail in (text .. ":"):gmatch("([^:]*):()") do
    if find(part, "^%x%x?%x?%x?$") then
      count = count + 1
    elseif last and tail == #text + 2 and ipv4_ok(part) then
      count = count + 2
    else
      return nil
    end
  end
  return count
end

local function ipv6_ok(text)
  if #text > 45 then
    return false
  end
  local from, to = find(text, "::", 1, true)
  if not from then
    return ipv6_groups(text, true) == 8
  end
  local head = ipv6_groups(sub(text, 1, from - 1), false)
  local tail = ipv6_groups(sub(text, to + 1), true)
  return head and tail and head + tail < 8 or false
end

-- A name or an IPv4 address. What ends in a number must be an address: no
-- phone should ask DNS for 192.168.1.300. Octets with leading zeros are
-- refused, since some read them as octal: our choice.
local function host_ok(host)
  if #host > HOST_MAX or find(host, "[^A-Za-z0-9._-]") then
    return false
  end
  local name = match(host, "^(.*[^.])%.?$")
  if not name then
    return false
  end
  if find(name, "%.0[xX]%x*$") or find(name, "^0[xX]%x*$") then
    return false
  elseif find(name, "%.[0-9]+$") or find(name, "^[0-9]+$") then
    return name == host and ipv4_ok(name)
  end
  for label in (name .. "."):gmatch("([^.]*)%.") do
    if label == "" or #label > 63 then
      return false
    end
  end
  return true
end

local function percent(character)
  return ("%%%02X"):format(byte(character))
end

-- Bytes that may not stand in a request are encoded; so is a "#" from a
-- variable, which would else cut the path short.
local function encode_path(path, mask, scheme)
  local hash = scheme ~= "tftp" and find(mask, "#", 1, true)
  if hash then
    path, mask = sub(path, 1, hash - 1), sub(mask, 1, hash - 1)
  end
  if path ~= mask and scheme ~= "tftp" and find(path, "#", 1, true) then
    path = path:gsub("#", "%%23")
  end
  if find(path, "[^!-~]") then
    path = path:gsub("[^!-~]", percent)
  end
  return path
end

local function decode(text)
  text = text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end)
  return not find(text, "[\0-\31\127]") and text or nil
end

local function read_user(u, text)
  local user, password = match(text, "^([^:]*):(.*)$")
  u.user, u.password = decode(user or text), decode(password or "")
  return u.user and u.password
end

-- Splits "host:port"; the mask tells a colon of the rule from one of a
-- variable (an IPv6 address in $IP stands in brackets).
local function read_host(u, text, mask)
  local close = match(mask, "^%[[^%[%]]*()%]")
  local colon
  if close then
    u.ipv6 = true
    u.host = sub(text, 2, close - 1)
    colon = close + 1
    if colon <= #mask and byte(mask, colon) ~= 58 then
      return bad("Bad address")
    end
  else
    colon = find(mask, ":", 1, true) or #mask + 1
    u.host = sub(text, 1, colon - 1)
  end
  if colon <= #mask then
    local port = match(text, "^[0-9]+$", colon + 1)
    port = port and #port <= 5 and tonumber(port)
    if not port or port < 1 or port > 65535 then
      return bad("Bad port")
    end
    u.port, u.port_given = port, true
  end
  local ok = u.ipv6 and ipv6_ok(u.host) or not u.ipv6 and host_ok(u.host)
  if not ok then
    return bad("Bad address")
  end
  u.host = u.host:lower()
  return u
end

local function read_authority(u, text, mask)
  local at = match(mask, "^.*()@")
  if at then
    if not read_user(u, sub(text, 1, at - 1)) then
      return bad("Bad user or password")
    end
    text, mask = sub(text, at + 1), sub(mask, at + 1)
  end
  if text == "" and not at then
    return u
  end
  return read_host(u, text, mask)
end

-- Scheme and the position behind "://"; the default for text without.
local function read_scheme(mask)
  local written, next_at = match(mask, "^([A-Za-z][A-Za-z0-9+.-]*)://()")
  if not written then
    return "tftp", 1, false
  end
  return written:lower(), next_at, true
end

local function trim(text, mask)
  local from = find(mask, "[^ \t]") or #mask + 1
  local to = #mask
  while to >= from and find(mask, "^[ \t]", to) do
    to = to - 1
  end
  return sub(text, from, to), sub(mask, from, to)
end

--- Reads a URL: `[scheme://][server[:port]]/path`.
-- Schemes are compared without regard to case. Refused are control
-- characters, port 0, an empty port and IPv6 zones: our choice.
-- @tparam string text
-- @tparam[opt] table base resolve `text` against this URL instead
-- @tparam[opt] table options mask: from macro.expand(), so that a variable's
--   text cannot act as a separator; any_path: the path may be missing or a
--   bare query, and is "" then
-- @treturn[1] table
-- @return[2] nil, sentence, "bad-url"; the sentence quotes nothing
function url.parse(text, base, options)
  if base then
    return url.resolve(base, text)
  end
  local mask = options and options.mask or text
  if #text > TEXT_MAX then
    return bad("URL too long")
  end
  text, mask = trim(text, mask)
  if find(text, "[\0-\31\127]") then
    return bad("Control character in URL")
  end
  local scheme, at, given = read_scheme(mask)
  if not PORTS[scheme] then
    return bad("Bad scheme")
  end
  local u = { scheme = scheme, scheme_given = given, port = PORTS[scheme],
              port_given = false, ipv6 = false }
  local path_at = find(mask, "[/?#]", at) or #mask + 1
  local ok, sentence, word =
    read_authority(u, sub(text, at, path_at - 1), sub(mask, at, path_at - 1))
  if not ok then
    return nil, sentence, word
  end
  if byte(mask, path_at) ~= 47 and not (options and options.any_path) then
    return bad("No path")
  end
  u.path = encode_path(sub(text, path_at), sub(mask, path_at), scheme)
  return u
end

--- The URL as text, without credentials; the port only if it is not the
-- scheme's own. Without a host: the path, behind "scheme://" if named.
function url.format(u)
  if not u.host then
    return (u.scheme_given and u.scheme .. "://" or "") .. u.path
  end
  local host = u.ipv6 and "[" .. u.host .. "]" or u.host
  local port = u.port ~= PORTS[u.scheme] and ":" .. u.port or ""
  return u.scheme .. "://" .. host .. port .. u.path
end

--- Text without surrounding blanks is an IPv6 address (no brackets, no zone).
-- @treturn boolean
function url.is_ipv6(text)
  return ipv6_ok(text)
end

-- RFC 3986 section 5.2.4.
local function remove_dots(path)
  local out = {}
  for piece in path:gmatch("/([^/]*)") do
    if piece == ".." then
      out[#out] = nil
    elseif piece ~= "." then
      out[#out + 1] = piece
    end
  end
  local last = match(path, "^.*/(.*)$")
  if last == "." or last == ".." then
    out[#out + 1] = ""
  end
  return "/" .. table.concat(out, "/")
end

local function split_query(path)
  local at = find(path, "?", 1, true) or #path + 1
  return sub(path, 1, at - 1), sub(path, at)
end

-- Path and query of a relative reference (RFC 3986 section 5.2.2).
local function merge(base_path, reference)
  local base, base_query = split_query(base_path)
  local path, query = split_query((reference:gsub("#.*$", "")))
  if path == "" then
    return base, query ~= "" and query or base_query
  elseif sub(path, 1, 1) ~= "/" then
    path = (match(base, "^.*/") or "/") .. path
  end
  return remove_dots(path), query
end

--- Resolves a Location against the URL that was asked.
-- Credentials are not inherited, and a location with some is refused: a
-- server does not choose what the phone answers (our choice).
-- @tparam table base from parse(), with a host
-- @tparam string location absolute or relative reference
-- @treturn[1] table
-- @return[2] nil, sentence, "bad-url"
function url.resolve(base, location)
  location = trim(location, location)
  if #location > TEXT_MAX then
    return bad("URL too long")
  end
  local absolute = location
  if sub(location, 1, 2) == "//" then
    absolute = base.scheme .. ":" .. location
  elseif not find(location, "^[A-Za-z][A-Za-z0-9+.-]*:") then
    local path, query = merge(base.path, location)
    local at = { scheme = base.scheme, host = base.host, ipv6 = base.ipv6,
                 port = base.port, path = path .. query }
    absolute = url.format(at)
  end
  if not find(absolute, "://", 1, true) then
    return bad("Bad scheme")
  end
  local u, sentence, word = url.parse(absolute, nil, { any_path = true })
  if not u then
    return nil, sentence, word
  elseif not u.host then
    return bad("Bad address")
  end
  local path, query = split_query(u.path)
  u.path = remove_dots(path) .. query
  if u.user then
    return bad("Credentials in URL")
  end
  return u
end

return url
